/* fuzz_redir.c - gateways in REDIRECT and REDIRECTED_FROM (RFC 5685 s9): what was read is what would be written.
 * Input: the data of the notify. */
#include <stdlib.h>
#include "ike/ext/redir/redir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct redir_gateway g;
    uint8_t mem[600];
    struct wr w;
    if (!redir_gateway_get(span(data, n), &g))
        return 0;
    must(g.where[0] && memchr(g.where, 0, sizeof(g.where)));
    must(!g.nonce.n || (g.nonce.p > data && g.nonce.p + g.nonce.n == data + n));
    wr_init(&w, mem, sizeof(mem));
    must(redir_gateway_put(&w, g.where, g.nonce));
    must(span_equal(wr_written(&w), span(data, n)));
    return 0;
}
