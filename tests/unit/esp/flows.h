/* flows.h - random TCP and UDP flows, and the slow, obvious way to cut a super-packet: for the differential tests and
 * for the fuzzers. Shares no code with src/: sums octet by octet, writes each field by hand. */
#ifndef ESP_FLOWS_H
#define ESP_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct flow {
    bool v6, tcp, df;
    uint8_t options_n; /* of TCP */
    uint8_t ip_options_n;
    uint8_t tos, ttl, flags;
    uint16_t id, sport, dport, window;
    uint32_t seq, ack;
};

static inline void naive_put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void naive_put32(uint8_t *p, uint32_t v)
{
    naive_put16(p, v >> 16);
    naive_put16(p + 2, v & 0xffff);
}

static inline uint32_t naive_sum(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static inline size_t flow_ip_n(const struct flow *f)
{
    return f->v6 ? 40 : 20u + f->ip_options_n;
}

static inline size_t flow_head_n(const struct flow *f)
{
    return flow_ip_n(f) + (f->tcp ? 20u + f->options_n : 8u);
}

static inline void naive_ip(uint8_t *p, const struct flow *f, size_t total)
{
    static const uint8_t addresses[32] = { 0x20, 1, 0xd, 0xb8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 1,
                                           0x20, 1, 0xd, 0xb8, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 2 };
    uint8_t proto = f->tcp ? 6 : 17;
    if (f->v6) {
        naive_put32(p, 0x60000000 | (uint32_t)f->tos << 20 | 0x12345);
        naive_put16(p + 4, (unsigned)(total - 40));
        p[6] = proto;
        p[7] = f->ttl;
        memcpy(p + 8, addresses, 32);
        return;
    }
    p[0] = (uint8_t)(0x45 + f->ip_options_n / 4);
    p[1] = f->tos;
    naive_put16(p + 2, (unsigned)total);
    naive_put16(p + 4, f->id);
    naive_put16(p + 6, f->df ? 0x4000 : 0);
    p[8] = f->ttl;
    p[9] = proto;
    naive_put16(p + 10, 0);
    memcpy(p + 12, addresses, 4);
    memcpy(p + 16, addresses + 16, 4);
    memset(p + 20, 1, f->ip_options_n);
    naive_put16(p + 10, ~naive_sum(0, p, flow_ip_n(f)) & 0xffff);
}

/* The packet's checksum over what is there; `partial`: only the pseudo header, as a kernel leaves it. */
static inline void naive_l4_sum(uint8_t *packet, const struct flow *f, size_t total, bool partial)
{
    uint8_t *l4 = packet + flow_ip_n(f), *field = l4 + (f->tcp ? 16 : 6);
    size_t n = total - flow_ip_n(f);
    uint8_t rest[8] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0,
                        f->tcp ? 6 : 17 };
    uint32_t sum = f->v6 ? naive_sum(0, packet + 8, 32) : naive_sum(0, packet + 12, 8);
    sum = naive_sum(sum, rest, 8);
    naive_put16(field, 0);
    if (!partial) {
        sum = ~naive_sum(sum, l4, n) & 0xffff;
        if (sum == 0 && !f->tcp)
            sum = 0xffff;
    }
    naive_put16(field, sum);
}

/* A whole packet with right checksums; returns its length. */
static inline size_t naive_packet(uint8_t *out, const struct flow *f, const uint8_t *payload,
                                  size_t payload_n)
{
    size_t total = flow_head_n(f) + payload_n;
    uint8_t *l4 = out + flow_ip_n(f);
    naive_ip(out, f, total);
    naive_put16(l4, f->sport);
    naive_put16(l4 + 2, f->dport);
    if (f->tcp) {
        naive_put32(l4 + 4, f->seq);
        naive_put32(l4 + 8, f->ack);
        l4[12] = (uint8_t)((5 + f->options_n / 4) << 4);
        l4[13] = f->flags;
        naive_put16(l4 + 14, f->window);
        naive_put16(l4 + 18, 0);
        memset(l4 + 20, 1, f->options_n);
    } else {
        naive_put16(l4 + 4, (unsigned)(8 + payload_n));
    }
    if (payload_n)
        memcpy(out + flow_head_n(f), payload, payload_n);
    naive_l4_sum(out, f, total, false);
    return total;
}

/* Piece number i of a payload that is cut into pieces of `size`. */
static inline size_t naive_piece(uint8_t *out, struct flow f, const uint8_t *payload, size_t payload_n,
                                 size_t size, size_t i)
{
    size_t at = i * size, n = payload_n - at < size ? payload_n - at : size;
    f.id = (uint16_t)(f.id + i);
    f.seq += (uint32_t)at;
    if (at + n < payload_n)
        f.flags &= 0xf6; /* FIN, PSH */
    if (i)
        f.flags &= 0x7f; /* CWR */
    return naive_packet(out, &f, payload + at, n);
}

#endif
