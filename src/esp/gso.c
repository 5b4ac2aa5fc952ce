/* gso.c - what a network card would do with a segment of 64 KiB: cuts it, patches the headers, completes checksums. */
#include "esp/segment.h"
#include "wire/be.h"
#include "wire/checksum.h"
#include "wire/l4.h"

#define UDP_CHECKSUM_AT 6

/* One piece: payload octets at..at+n of the whole, piece number `index` of `count`. */
struct piece {
    uint32_t at, n;
    size_t index, count;
};

/* FIN and PSH belong to the last octets, CWR to the first packet (RFC 3168 s6.1.2: sent once). */
static void patch_tcp(uint8_t *tcp, const struct piece *p)
{
    be32_put(tcp + TCP_SEQ_AT, be32_get(tcp + TCP_SEQ_AT) + p->at);
    if (p->index + 1 < p->count)
        tcp[TCP_FLAGS_AT] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (p->index > 0)
        tcp[TCP_FLAGS_AT] &= (uint8_t)~TCP_CWR;
}

static bool cut(const struct segment *whole, const struct piece *p, struct esp_pkt *out)
{
    uint32_t total = whole->head_n + p->n;
    if (out->off > out->cap || out->cap - out->off < total + ESP_TAILROOM)
        return false;
    uint8_t *to = out->buf + out->off;
    memcpy(to, whole->packet, whole->head_n);
    memcpy(to + whole->head_n, whole->packet + whole->head_n + p->at, p->n);
    if (whole->ip.version == 4)
        be16_put(to + 4, (uint16_t)(whole->ip.id + p->index));
    segment_set_length(to, whole, total);
    if (whole->ip.proto == IP_PROTO_TCP)
        patch_tcp(to + whole->ip.header_n, p);
    struct ip_packet ip = whole->ip;
    ip.total_n = total;
    l4_checksum_set(to, &ip);
    out->len = total;
    return true;
}

size_t esp_gso_split(const uint8_t *pkt, size_t len, const struct esp_gso *gso, struct esp_pkt **out,
                     size_t max)
{
    struct segment whole;
    if (gso->size == 0 || !segment_get(pkt, len, &whole) || segment_gso(&whole) != gso->type)
        return 0;
    if (gso->needs_csum && gso->csum_start != whole.ip.header_n)
        return 0;
    struct piece p = { .count = whole.payload_n ? (whole.payload_n + gso->size - 1) / gso->size : 1 };
    if (p.count > max)
        return 0;
    for (; p.index < p.count; p.index++, p.at += p.n) {
        uint32_t left = whole.payload_n - p.at;
        p.n = left < gso->size ? left : gso->size;
        if (!cut(&whole, &p, out[p.index]))
            return 0;
    }
    return p.count;
}

bool esp_gso_checksum(uint8_t *pkt, size_t len, const struct esp_gso *gso)
{
    if (!gso->needs_csum)
        return true;
    size_t at = (size_t)gso->csum_start + gso->csum_offset;
    if (gso->csum_start >= len || at + 2 > len)
        return false;
    /* The field holds the pseudo header's sum already: it is summed with the rest. */
    uint16_t check = checksum_fold(checksum_add(0, span(pkt + gso->csum_start, len - gso->csum_start)));
    if (check == 0 && gso->csum_offset == UDP_CHECKSUM_AT)
        check = 0xffff; /* RFC 768: zero means none */
    be16_put(pkt + at, check);
    return true;
}
