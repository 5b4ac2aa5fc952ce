/* tcpframe.c - see tcpframe.h. */
#include "wire/tcpframe.h"
#include "wire/be.h"
#include "wire/udpencap.h"

#define LENGTH_SIZE 2

static enum tcpframe_kind kind_of(struct adit_span body)
{
    if (!body.n)
        return TCPFRAME_NOTHING;
    switch (udpencap_kind(body)) {
    case UDPENCAP_KEEPALIVE: return TCPFRAME_NOTHING; /* RFC 9329 s6.7: MUST be ignored */
    case UDPENCAP_IKE: return TCPFRAME_IKE;
    case UDPENCAP_ESP: return TCPFRAME_ESP;
    default: return TCPFRAME_RUNT;
    }
}

enum tcpframe_kind tcpframe_get(struct adit_span in, struct adit_span *body, size_t *used)
{
    *body = SPAN_NONE;
    *used = 0;
    if (in.n < LENGTH_SIZE)
        return TCPFRAME_MORE;
    size_t n = be16_get(in.p);
    if (n < LENGTH_SIZE)
        return TCPFRAME_BAD;
    if (in.n < n)
        return TCPFRAME_MORE;
    *used = n;
    *body = span(in.p + LENGTH_SIZE, n - LENGTH_SIZE);
    enum tcpframe_kind kind = kind_of(*body);
    if (kind == TCPFRAME_IKE)
        *body = span_from(*body, UDPENCAP_MARKER_SIZE);
    return kind;
}

size_t tcpframe_head(uint8_t out[TCPFRAME_HEAD_MAX], bool ike, size_t n)
{
    size_t head = ike ? TCPFRAME_HEAD_MAX : LENGTH_SIZE;
    if (n > TCPFRAME_WHOLE_MAX - head)
        return 0;
    be16_put(out, (uint16_t)(n + head));
    for (size_t i = LENGTH_SIZE; i < head; i++)
        out[i] = 0;
    return head;
}

bool tcpframe_prefix(struct adit_span in, bool *enough)
{
    struct adit_span prefix = SPAN_LIT(TCPFRAME_PREFIX), had = span_first(in, in.n < prefix.n ? in.n : prefix.n);
    bool same = span_equal(had, span_first(prefix, had.n));
    *enough = !same || had.n == prefix.n;
    return same && had.n == prefix.n;
}
