/* tunnel.c - the inner packet is the payload; a header of our own goes around it (RFC 4301 s5.1.2, s5.2).
 * The inner TTL is nobody's business here: the kernel's forwarding to and from the TUN decrements it; a second time
 * would be once too often. */
#include "base/mem.h"
#include "esp/ecn.h"
#include "esp/sa.h"
#include "wire/be.h"
#include "wire/ip.h"

/* What the outer header takes from the inner one: fixed fields only, since the caller parsed the packet already and this
 * is done for each of millions a second. */
struct peek {
    uint8_t version, tos;
    bool df;
    uint32_t total_n;
};

static bool peek4(const uint8_t *p, uint32_t n, struct peek *out)
{
    if (n < IP4_HDR_MIN)
        return false;
    *out = (struct peek){ .version = 4, .tos = p[1], .df = p[6] & 0x40, .total_n = be16_get(p + 2) };
    return out->total_n >= IP4_HDR_MIN && out->total_n <= n;
}

static bool peek6(const uint8_t *p, uint32_t n, struct peek *out)
{
    if (n < IP6_HDR_SIZE)
        return false;
    *out = (struct peek){ .version = 6, .tos = (uint8_t)(be16_get(p) >> 4), .df = true };
    out->total_n = IP6_HDR_SIZE + (uint32_t)be16_get(p + 4);
    return out->total_n <= n;
}

static bool peek(const uint8_t *p, uint32_t n, struct peek *out)
{
    uint8_t version = n ? p[0] >> 4 : 0;
    return version == 4 ? peek4(p, n, out) : version == 6 && peek6(p, n, out);
}

/* RFC 4303 s2.7: behind the packet, whose own length tells the receiver where it ends. Not beyond the buffer. */
static void pad_for_tfc(const struct esp_sa *sa, struct esp_frame *f)
{
    uint32_t n = esp_tfc_size(sa, f->n), room = esp_room(sa, f->pkt);
    n = n < room ? n : room;
    if (n <= f->n)
        return;
    mem_wipe(f->payload + f->n, n - f->n);
    f->n = n;
}

static enum esp_verdict wrap_one(const struct esp_sa *sa, struct esp_pkt *pkt, struct esp_frame *f)
{
    struct peek inner;
    if (!peek(pkt->buf + pkt->off, pkt->len, &inner))
        return ESP_MALFORMED;
    pkt->len = inner.total_n; /* what follows the packet (Ethernet padding) is not its own */
    pkt->tos = ecn_outer(inner.tos, sa->copy_dscp, sa->copy_ecn);
    pkt->df = sa->df == ADIT_DF_SET || (sa->df == ADIT_DF_COPY && inner.df);
    if (!esp_fits(sa, pkt, inner.version == 6, inner.df, sa->inner_mtu))
        return ESP_TOO_BIG;
    f->pkt = pkt;
    f->payload = pkt->buf + pkt->off;
    f->n = f->inner_n = pkt->len;
    if (sa->tfc)
        pad_for_tfc(sa, f);
    f->next_header = inner.version == 4 ? IP_PROTO_IPV4 : IP_PROTO_IPV6;
    return ESP_OK;
}

static size_t wrap(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, struct esp_frame *frames)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        pkts[i]->verdict = wrap_one(sa, pkts[i], &frames[m]);
        m += pkts[i]->verdict == ESP_OK;
    }
    return m;
}

static enum esp_verdict merge_tos(const struct esp_sa *sa, struct esp_pkt *pkt, uint8_t inner)
{
    uint8_t tos;
    if (!ecn_inner(inner, pkt->tos, sa->copy_dscp, &tos))
        return ESP_ECN;
    if (tos != inner)
        ip_set_tos(pkt->buf + pkt->off, tos);
    return ESP_OK;
}

static enum esp_verdict unwrap(struct esp_sa *sa, struct esp_frame *f)
{
    struct rd in = rd_init(span(f->payload, f->n));
    struct ip_packet ip;
    uint8_t version = f->next_header == IP_PROTO_IPV4 ? 4 : f->next_header == IP_PROTO_IPV6 ? 6 : 0;
    if (!version || !ip_get(&in, &ip) || ip.version != version)
        return ESP_MALFORMED;
    f->pkt->off = (uint32_t)(f->payload - f->pkt->buf);
    f->pkt->len = f->inner_n = ip.total_n; /* the rest is padding against traffic analysis, RFC 4303 s2.7 */
    if (!selector_inbound(sa, &ip, rd_rest(&in)))
        return ESP_SELECTOR;
    return merge_tos(sa, f->pkt, ip.tos);
}

static uint16_t kept(const struct esp_sa *sa)
{
    return 0;
}

const struct esp_mode esp_mode_tunnel = {
    .id = ADIT_MODE_TUNNEL,
    .wrap = wrap,
    .finish = esp_outer_put,
    .unwrap = unwrap,
    .kept = kept,
};
