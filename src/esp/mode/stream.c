/* stream.c - the payload is a piece of the stream of inner packets (AGGFRAG, RFC 9347): n packets, m payloads. Nothing of
 * an inner packet shows outside, nor does anything outside touch it: DSCP and ECN stay apart (s2.4.1, RFC 6040's
 * compatibility mode), and no outer packet is ever cut. */
#include "base/mem.h"
#include "esp/agg.h"
#include "esp/sa.h"
#include "wire/ip.h"

struct esp_stream {
    struct agg_in in;
    struct agg_out out;
    uint16_t size; /* of outer packets; 0: what the path takes */
    uint64_t delay_ns;
    bool constant, ending;
};

enum adit_rc stream_init(struct esp_sa *sa, const struct adit_stream *s)
{
    struct esp_stream *t = sa->stream = mem_new(sizeof(*t));
    if (!t)
        return ADIT_ERR_MEMORY;
    agg_in_init(&t->in, s->reorder_window, s->drop_us * UINT64_C(1000), s->refuse_fragments);
    agg_out_init(&t->out, s->queue_octets, s->whole);
    t->size = s->packet_size;
    t->delay_ns = s->delay_us * UINT64_C(1000);
    t->constant = s->rate > 0;
    pace_init(&sa->pace, s->rate);
    return ADIT_OK;
}

void stream_fini(struct esp_sa *sa)
{
    if (!sa->stream)
        return;
    agg_in_fini(&sa->stream->in);
    agg_out_fini(&sa->stream->out);
    mem_del(sa->stream);
}

/* Octets of a whole payload. */
static uint32_t payload_size(const struct esp_sa *sa)
{
    uint16_t size = sa->stream->size && sa->stream->size < sa->pmtu ? sa->stream->size : sa->pmtu;
    return esp_payload_max(sa, size);
}

uint16_t stream_inner_max(const struct esp_sa *sa)
{
    return sa->stream->out.whole ? (uint16_t)(payload_size(sa) - AGG_HDR_SIZE) : AGG_INNER_MAX;
}

/* --- out ----------------------------------------------------------------------------------------------------------- */

enum esp_verdict esp_stream_put(struct esp_sa *sa, struct esp_pkt *pkt, uint64_t now)
{
    uint8_t *p = pkt->buf + pkt->off;
    uint32_t size = pkt->len ? agg_inner_size(p, pkt->len) : 0;
    if (pkt->len < IP4_HDR_MIN || size > pkt->len || (p[0] >> 4 != 4 && p[0] >> 4 != 6))
        return ESP_MALFORMED;
    if (size > sa->inner_mtu) {
        pkt->mtu = sa->inner_mtu;
        return ESP_TOO_BIG;
    }
    return agg_out_put(&sa->stream->out, p, size, now) ? ESP_OK : ESP_FULL;
}

uint64_t stream_due(const struct esp_sa *sa)
{
    const struct esp_stream *t = sa->stream;
    if (t->constant && !(t->ending && !t->out.n))
        return sa->pace.next_at;
    return t->out.n ? t->out.since + t->delay_ns : UINT64_MAX;
}

/* On demand: what fills a payload goes at once, the rest when it has waited for company. */
static bool is_due(const struct esp_sa *sa, uint64_t now)
{
    const struct esp_stream *t = sa->stream;
    return t->out.n && (now >= t->out.since + t->delay_ns || t->out.n >= payload_size(sa) - AGG_HDR_SIZE);
}

static bool put_payload(const struct esp_sa *sa, struct esp_pkt *pkt, struct esp_frame *f)
{
    uint32_t room = esp_room(sa, pkt), n = payload_size(sa);
    n = n < room ? n : room;
    if (n <= AGG_HDR_SIZE + AGG_SIZE_KNOWN)
        return false;
    *f = (struct esp_frame){ .pkt = pkt, .payload = pkt->buf + pkt->off, .next_header = IP_PROTO_AGGFRAG };
    f->n = agg_out_fill(&sa->stream->out, f->payload, n, sa->stream->constant, &f->inner_n);
    pkt->len = f->n;
    pkt->tos = 0;
    pkt->df = true;
    pkt->verdict = ESP_OK;
    return true;
}

size_t stream_frames(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, struct esp_frame *frames, uint64_t now)
{
    struct esp_stream *t = sa->stream;
    size_t m = 0;
    if (t->constant && t->ending && !t->out.n)
        return 0;
    if (t->constant)
        n = pace_due(&sa->pace, now, n);
    while (m < n && (t->constant || is_due(sa, now)) && put_payload(sa, pkts[m], &frames[m]))
        sa->out.dummies += !frames[m++].inner_n;
    if (m)
        t->out.since = now; /* of what is left nobody knows better */
    return m;
}

void esp_stream_end(struct esp_sa *sa, bool at_once)
{
    if (!sa->stream)
        return;
    sa->stream->ending = true;
    if (!at_once)
        return;
    sa->stream->constant = false;
    sa->stream->delay_ns = 0;
}

/* --- in ------------------------------------------------------------------------------------------------------------ */

struct taker {
    struct esp_sa *sa;
    uint64_t now;
    esp_inner_fn *fn;
    void *arg;
};

/* Each inner packet by itself (RFC 4301 s5.2). */
static void take(void *arg, uint8_t *packet, uint32_t n)
{
    struct taker *t = arg;
    struct rd in = rd_init(span(packet, n));
    struct ip_packet ip;
    enum esp_verdict verdict = ESP_OK;
    if (!ip_get(&in, &ip) || ip.total_n != n)
        verdict = ESP_MALFORMED;
    else if (!selector_inbound(t->sa, &ip, rd_rest(&in)))
        verdict = ESP_SELECTOR;
    if (verdict == ESP_OK) {
        t->sa->in.bytes += n;
        t->sa->in.used_at = t->now;
    } else {
        t->sa->errors_in++;
    }
    t->fn(t->arg, verdict, packet, n);
}

void esp_stream_take(struct esp_sa *sa, const struct esp_pkt *pkt, uint64_t now, esp_inner_fn *fn, void *arg)
{
    struct taker t = { sa, now, fn, arg };
    struct agg_sink to = { take, &t };
    agg_in_put(&sa->stream->in, pkt->seq, pkt->buf + pkt->off, pkt->len, now, &to);
    sa->in.dummies = sa->stream->in.pads;
}

void esp_stream_expire(struct esp_sa *sa, uint64_t now, esp_inner_fn *fn, void *arg)
{
    struct taker t = { sa, now, fn, arg };
    struct agg_sink to = { take, &t };
    agg_in_expire(&sa->stream->in, now, &to);
}

uint64_t esp_stream_waits(const struct esp_sa *sa)
{
    return agg_in_due(&sa->stream->in);
}

uint64_t stream_lost(const struct esp_sa *sa)
{
    return sa->stream->in.lost;
}

/* Nothing else travels on such an SA (s2.1). The payload waits in its packet for esp_stream_take(). */
static enum esp_verdict unwrap(struct esp_sa *sa, struct esp_frame *f)
{
    if (f->next_header != IP_PROTO_AGGFRAG)
        return ESP_MALFORMED;
    f->pkt->off = (uint32_t)(f->payload - f->pkt->buf);
    f->pkt->len = f->n;
    f->pkt->seq = f->seq;
    f->inner_n = 0;
    return ESP_STREAM;
}

/* Packets come by esp_stream_put(). */
static size_t wrap(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, struct esp_frame *frames)
{
    for (size_t i = 0; i < n; i++)
        pkts[i]->verdict = ESP_MALFORMED;
    return 0;
}

static uint16_t kept(const struct esp_sa *sa)
{
    return 0;
}

const struct esp_mode esp_mode_stream = {
    .id = ADIT_MODE_AGGFRAG,
    .wrap = wrap,
    .finish = esp_outer_put,
    .unwrap = unwrap,
    .kept = kept,
};
