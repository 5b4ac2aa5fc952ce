/* fuzz_memo.c - what is kept of an IKE SA: what can be read is written again as the same octets. */
#include <stdlib.h>
#include "ike/memo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t mem[70000];
    struct rd in = rd_init(span(data, n));
    struct memo m;
    struct wr w;
    if (!memo_get(&in, &m))
        return in.fail ? 0 : (abort(), 0);
    wr_init(&w, mem, sizeof(mem));
    memo_put(&w, &m);
    if (n <= sizeof(mem) && !span_equal(wr_written(&w), span(data, n)))
        abort();
    return 0;
}
