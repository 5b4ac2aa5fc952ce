/* fuzz_gso.c - super-packets: what is cut is whole and right, and joins again; what was joined cuts into what it was;
 * partial checksums. Input: how, size (2), length of the first packet (2), packets. */
#include <stdlib.h>
#include "esp/segment.h"
#include "wire/be.h"
#include "wire/l4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

#define INPUT_MAX 8192
#define PIECES 64
#define ROOM (ESP_HEADROOM + 2 * INPUT_MAX + ESP_TAILROOM)

static uint8_t mem[PIECES][ROOM];
static struct esp_pkt pieces[PIECES], *out[PIECES];

static struct esp_pkt box(uint8_t *room, struct adit_span s)
{
    span_copy(room + ESP_HEADROOM, s);
    return (struct esp_pkt){ .buf = room, .cap = ROOM, .off = ESP_HEADROOM, .len = (uint32_t)s.n };
}

static size_t split(const uint8_t *p, size_t n, const struct esp_gso *gso)
{
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = box(mem[i], SPAN_NONE);
        out[i] = &pieces[i];
    }
    size_t count = esp_gso_split(p, n, gso, out, PIECES);
    must(count <= PIECES);
    return count;
}

static struct segment segment_of(const struct esp_pkt *pkt)
{
    struct segment s;
    must(segment_get(pkt->buf + pkt->off, pkt->len, &s) && s.ip.total_n == pkt->len);
    return s;
}

/* The pieces' payloads are the whole one's, each in its place, with right checksums. */
static void check_pieces(const struct segment *whole, const struct esp_gso *gso, size_t count)
{
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) {
        struct segment s = segment_of(out[i]);
        must(s.head_n == whole->head_n && s.payload_n <= gso->size &&
             (i + 1 == count || s.payload_n == gso->size));
        must(l4_checksum_ok(s.packet, &s.ip) && (s.ip.version == 6 || ip4_checksum_ok(s.packet, &s.ip)));
        must(span_equal(span(s.packet + s.head_n, s.payload_n),
                        span(whole->packet + whole->head_n + at, s.payload_n)));
        if (s.ip.proto == IP_PROTO_TCP)
            must(be32_get(s.l4 + TCP_SEQ_AT) == be32_get(whole->l4 + TCP_SEQ_AT) + at);
        at += s.payload_n;
    }
    must(at == whole->payload_n);
}

static void cut_and_join(struct adit_span packet, const struct esp_gso *gso)
{
    struct segment whole;
    size_t count = split(packet.p, packet.n, gso);
    if (!count)
        return;
    must(segment_get(packet.p, packet.n, &whole));
    check_pieces(&whole, gso, count);
    struct esp_gso joined = { 0 };
    size_t k = 1;
    while (k < count && esp_coalesce(&pieces[0], &joined, &pieces[k]))
        k++;
    struct segment again = segment_of(&pieces[0]);
    must(span_equal(span(again.packet + again.head_n, again.payload_n),
                    span(whole.packet + whole.head_n, again.payload_n)));
    must(k == 1 || (joined.size == gso->size && joined.type == gso->type));
}

/* Equal, but for the ID of a v4 packet that may not be fragmented. */
static bool same(const struct esp_pkt *pkt, struct adit_span was)
{
    uint8_t *p = pkt->buf + pkt->off;
    struct segment s = segment_of(pkt);
    if (s.ip.version == 4 && s.ip.dont_fragment) {
        span_copy(p + 4, span(was.p + 4, 2));
        span_copy(p + 10, span(was.p + 10, 2));
    }
    return span_equal(span(p, pkt->len), span_first(was, pkt->len));
}

static void join_and_cut(struct adit_span a, struct adit_span b)
{
    static uint8_t first[ROOM], second[ROOM];
    struct esp_pkt head = box(first, a), next = box(second, b);
    struct esp_gso gso = { 0 };
    if (!esp_coalesce(&head, &gso, &next))
        return;
    must(split(head.buf + head.off, head.len, &gso) == 2);
    must(same(out[0], a) && same(out[1], b));
}

/* With right checksums, so that joining gets beyond them. */
static void repair(uint8_t *p, size_t n)
{
    struct segment s;
    if (!segment_get(p, n, &s))
        return;
    if (s.ip.version == 4)
        segment_set_length(p, &s, s.ip.total_n);
    l4_checksum_set(p, &s.ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t types[] = { GSO_TCP4, GSO_TCP6, GSO_UDP, GSO_NONE };
    static uint8_t a[INPUT_MAX], b[INPUT_MAX];
    if (n < 5 || n > INPUT_MAX)
        return 0;
    struct esp_gso gso = { .type = types[data[0] & 3],
                           .size = be16_get(data + 1),
                           .needs_csum = data[0] & 4 };
    struct adit_span both = span(data + 5, n - 5), one = span_first(both, be16_get(data + 3)),
                     two = span_from(both, one.n);
    gso.csum_start = gso.type == GSO_TCP6 || data[0] & 8 ? 40 : 20;
    gso.csum_offset = gso.type == GSO_UDP ? 6 : 16;
    cut_and_join(both, &gso);
    span_copy(a, one);
    span_copy(b, two);
    if (data[0] & 16) {
        repair(a, one.n);
        repair(b, two.n);
    }
    join_and_cut(span(a, one.n), span(b, two.n));
    gso.csum_start = be16_get(data + 1);
    gso.csum_offset = data[3];
    esp_gso_checksum(a, one.n, &gso);
    return 0;
}
