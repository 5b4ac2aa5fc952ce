/* fuzz_tcpframe.c - a TCP connection of IKE and ESP (RFC 9329): frames tile the octets, and are written as they were read. */
#include "fuzz_wire.h"
#include "wire/tcpframe.h"

static void again(enum tcpframe_kind kind, struct adit_span whole, struct adit_span body)
{
    uint8_t head[TCPFRAME_HEAD_MAX];
    if (kind != TCPFRAME_IKE && kind != TCPFRAME_ESP)
        return;
    size_t n = tcpframe_head(head, kind == TCPFRAME_IKE, body.n);
    must(n && n + body.n == whole.n && span_equal(span(head, n), span_first(whole, n)));
    must(span_equal(body, span_from(whole, n)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct adit_span in = span(data, n), body;
    size_t used;
    bool enough, ok = tcpframe_prefix(in, &enough);
    must(!ok || (enough && n >= TCPFRAME_PREFIX_SIZE));
    if (ok)
        in = span_from(in, TCPFRAME_PREFIX_SIZE);
    for (;;) {
        enum tcpframe_kind kind = tcpframe_get(in, &body, &used);
        if (kind <= TCPFRAME_BAD)
            return 0;
        must(used >= 2 && used <= in.n);
        again(kind, span_first(in, used), body);
        in = span_from(in, used);
    }
}
