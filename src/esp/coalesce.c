/* coalesce.c - joins segments of one flow into a super-packet for the TUN device, so that the kernel handles 64 KiB at
 * a time. Only what gso.c (or the kernel) cuts into the very same packets again is joined, but for the v4 ID of packets
 * that may not be fragmented, which means nothing (RFC 6864 s4.1). */
#include "esp/segment.h"
#include "wire/be.h"
#include "wire/checksum.h"
#include "wire/l4.h"

#define PACKET_MAX 65535
#define TCP_CHECKSUM_AT 16
#define UDP_CHECKSUM_AT 6
/* The kernel refuses UDP super-packets of more datagrams, all of them (UDP_MAX_SEGMENTS; 128 since Linux 6.2). */
#define UDP_SEGMENTS_MAX 64

static bool same_flow(const struct segment *a, const struct segment *b)
{
    const struct ip_packet *x = &a->ip, *y = &b->ip;
    size_t n = x->version == 4 ? 4 : 16;
    return x->version == y->version && x->proto == y->proto && x->src_port == y->src_port &&
           x->dst_port == y->dst_port && span_equal(span(x->src.ip, n), span(y->src.ip, n)) &&
           span_equal(span(x->dst.ip, n), span(y->dst.ip, n));
}

static bool same_headers(const struct segment *a, const struct segment *b)
{
    const struct ip_packet *x = &a->ip, *y = &b->ip;
    bool plain = x->header_n == y->header_n && x->header_n == (x->version == 4 ? IP4_HDR_MIN : IP6_HDR_SIZE);
    bool same_flags = x->version == 6 || be16_get(a->packet + 6) == be16_get(b->packet + 6);
    return plain && same_flags && a->head_n == b->head_n && x->tos == y->tos && x->ttl == y->ttl &&
           x->flow_label == y->flow_label;
}

/* Where packets may be fragmented later, cutting again has to give the same IDs. */
static bool id_continues(const struct segment *head, const struct segment *next, uint32_t size)
{
    if (head->ip.version == 6 || head->ip.dont_fragment)
        return true;
    return (uint16_t)(head->ip.id + head->payload_n / size) == next->ip.id;
}

/* Next has to be what comes after head; all but sequence number, PSH and checksum equal. */
static bool tcp_continues(const struct segment *head, const struct segment *next)
{
    const uint8_t *h = head->l4, *n = next->l4;
    uint32_t options_n = head->head_n - head->ip.header_n - TCP_HDR_MIN;
    return h[TCP_FLAGS_AT] == TCP_ACK && (n[TCP_FLAGS_AT] & ~TCP_PSH) == TCP_ACK &&
           h[TCP_DOFF_AT] == n[TCP_DOFF_AT] && be16_get(h + 14) == be16_get(n + 14) &&
           be16_get(h + 18) == be16_get(n + 18) && be32_get(h + TCP_ACK_AT) == be32_get(n + TCP_ACK_AT) &&
           be32_get(h + TCP_SEQ_AT) + head->payload_n == be32_get(n + TCP_SEQ_AT) &&
           span_equal(span(h + TCP_HDR_MIN, options_n), span(n + TCP_HDR_MIN, options_n));
}

static bool is_exact_udp(const struct segment *s)
{
    return be16_get(s->l4 + UDP_LEN_AT) == s->ip.total_n - s->ip.header_n;
}

/* Right as they came: a wrong packet must stay recognizably wrong. UDP without a checksum would get one. */
static bool checksums_ok(const struct segment *s)
{
    if (s->ip.proto == IP_PROTO_UDP && be16_get(s->l4 + UDP_CHECKSUM_AT) == 0)
        return false;
    return (s->ip.version == 6 || ip4_checksum_ok(s->packet, &s->ip)) && l4_checksum_ok(s->packet, &s->ip);
}

static bool continues(const struct segment *head, const struct segment *next, uint32_t size)
{
    if (!same_flow(head, next) || !same_headers(head, next) || !id_continues(head, next, size))
        return false;
    if (head->ip.proto == IP_PROTO_TCP)
        return tcp_continues(head, next);
    return head->payload_n / size < UDP_SEGMENTS_MAX && is_exact_udp(head) && is_exact_udp(next);
}

/* A shorter segment ends a run, and so does one that the buffer or an IP length can't hold. */
static bool fits(const struct esp_pkt *pkt, const struct segment *head, const struct segment *next,
                 uint32_t size)
{
    return head->payload_n > 0 && head->payload_n % size == 0 && next->payload_n > 0 &&
           next->payload_n <= size && head->ip.total_n + next->payload_n <= PACKET_MAX &&
           pkt->off + (uint64_t)head->ip.total_n + next->payload_n <= pkt->cap;
}

static void append(struct esp_pkt *pkt, const struct segment *head, const struct segment *next, uint16_t at)
{
    uint8_t *to = pkt->buf + pkt->off;
    uint32_t total = head->ip.total_n + next->payload_n;
    memcpy(to + head->ip.total_n, next->packet + next->head_n, next->payload_n);
    segment_set_length(to, head, total);
    uint8_t *l4 = to + head->ip.header_n;
    if (head->ip.proto == IP_PROTO_TCP)
        l4[TCP_FLAGS_AT] |= next->l4[TCP_FLAGS_AT] & TCP_PSH;
    uint64_t pseudo = checksum_pseudo(&head->ip.src, &head->ip.dst, head->ip.proto,
                                      total - head->ip.header_n);
    be16_put(l4 + at, (uint16_t)~checksum_fold(pseudo));
    pkt->len = total;
}

bool esp_coalesce(struct esp_pkt *head, struct esp_gso *gso, const struct esp_pkt *next)
{
    struct segment h, n;
    if (!segment_get(head->buf + head->off, head->len, &h) ||
        !segment_get(next->buf + next->off, next->len, &n))
        return false;
    uint32_t size = gso->type == GSO_NONE ? h.payload_n : gso->size;
    if (size == 0 || size > UINT16_MAX || !fits(head, &h, &n, size) || !continues(&h, &n, size))
        return false;
    if (!checksums_ok(&n) || (gso->type == GSO_NONE && !checksums_ok(&h)))
        return false;
    uint16_t at = h.ip.proto == IP_PROTO_TCP ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT;
    append(head, &h, &n, at);
    *gso = (struct esp_gso){
        .type = segment_gso(&h),
        .size = (uint16_t)size,
        .hdr_len = (uint16_t)h.head_n,
        .needs_csum = true,
        .csum_start = h.ip.header_n,
        .csum_offset = at,
    };
    return true;
}
