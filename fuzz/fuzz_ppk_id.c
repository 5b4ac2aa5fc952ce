/* fuzz_ppk_id.c - PPK_ID: what can be read is written again as the same octets. */
#include <stdlib.h>
#include "ike/ext/ppk/ppk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t mem[400];
    static struct payload_list list;
    struct notify notify;
    struct ppk_id id;
    struct wr w;
    must(ppk_id_get(span(data, n), &id) == (n >= 2));
    if (n < 2)
        return 0;
    must(id.type == data[0] && id.identity.p == data + 1 && id.identity.n == n - 1);
    if (id.identity.n > PPK_IDENTITY_MAX)
        return 0;
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    ppk_id_put(&w, &id);
    struct rd in = rd_init(span_from(wr_written(&w), 1));
    must(wr_ok(&w) && payloads_get(&in, mem[0], &list, NULL) && list.n == 1);
    struct rd body = rd_init(list.v[0].body);
    must(notify_get(&body, &notify) && notify.type == N_PPK_IDENTITY &&
         span_equal(notify.data, span(data, n)));
    return 0;
}
