/* test_gso.c - cutting super-packets: against the slow way with random flows, and at the corners. */
#include "esp_fixture.h"
#include "esp/segment.h"
#include "flows.h"

#define PIECES 128

static uint8_t whole[66000], payload[66000], expect[2000];
static struct box *boxes;
static struct esp_pkt *out[PIECES];

static int setup(void **state)
{
    boxes = mem_new_array(PIECES, sizeof(*boxes));
    return boxes ? 0 : -1;
}

static int teardown(void **state)
{
    mem_del(boxes);
    return 0;
}

static void empty_boxes(void)
{
    for (size_t i = 0; i < PIECES; i++)
        out[i] = box_fill(&boxes[i], SPAN_NONE);
}

static struct flow random_flow(uint64_t *rnd)
{
    uint64_t r = next_random(rnd), q = next_random(rnd);
    struct flow f = { .v6 = r & 1, .tcp = r & 2, .df = r & 4, .tos = (uint8_t)(r >> 8), .ttl = 64 };
    f.options_n = (uint8_t)((r >> 4 & 7) * 4);
    f.ip_options_n = r >> 40 & 7 || f.v6 ? 0 : 8;
    f.flags = (uint8_t)(0x10 | (r >> 16 & 0xe9));
    f.id = (uint16_t)(r >> 24);
    f.seq = (uint32_t)q;
    f.ack = (uint32_t)(q >> 32);
    f.sport = 1234;
    f.dport = 80;
    f.window = 500;
    return f;
}

static struct esp_gso gso_of(const struct flow *f, size_t size)
{
    return (struct esp_gso){ .type = !f->tcp ? GSO_UDP
                                     : f->v6 ? GSO_TCP6
                                             : GSO_TCP4,
                             .size = (uint16_t)size,
                             .hdr_len = (uint16_t)flow_head_n(f),
                             .needs_csum = true,
                             .csum_start = (uint16_t)flow_ip_n(f),
                             .csum_offset = f->tcp ? 16 : 6 };
}

/* As the kernel hands it over: partial checksum. */
static size_t super_packet(const struct flow *f, size_t payload_n)
{
    size_t n = naive_packet(whole, f, payload, payload_n);
    naive_l4_sum(whole, f, n, true);
    return n;
}

static void cuts_as_the_slow_way_does(void **state)
{
    uint64_t rnd = 1;
    for (int round = 0; round < 400; round++) {
        struct flow f = random_flow(&rnd);
        size_t size = 100 + next_random(&rnd) % 1340,
               payload_n = 1 + next_random(&rnd) % (round < 300 ? 9000 : 65000);
        if (payload_n > 65535 - flow_head_n(&f))
            payload_n = 65535 - flow_head_n(&f);
        if (payload_n > size * PIECES)
            payload_n = size * PIECES;
        for (size_t i = 0; i < payload_n; i += 8)
            be64_put(payload + i, next_random(&rnd));
        struct esp_gso gso = gso_of(&f, size);
        empty_boxes();
        size_t n = esp_gso_split(whole, super_packet(&f, payload_n), &gso, out, PIECES);
        assert_int_equal(n, (payload_n + size - 1) / size);
        for (size_t i = 0; i < n; i++) {
            size_t m = naive_piece(expect, f, payload, payload_n, size, i);
            assert_int_equal(out[i]->len, m);
            assert_memory_equal(out[i]->buf + out[i]->off, expect, m);
        }
    }
}

static void flags_belong_to_one_end(void **state)
{
    struct flow f = { .tcp = true, .flags = TCP_FIN | TCP_PSH | TCP_ACK | TCP_CWR | 0x40 };
    struct esp_gso gso = gso_of(&f, 100);
    empty_boxes();
    assert_int_equal(esp_gso_split(whole, super_packet(&f, 250), &gso, out, PIECES), 3);
    assert_int_equal(out[0]->buf[out[0]->off + 33], TCP_ACK | TCP_CWR | 0x40);
    assert_int_equal(out[1]->buf[out[1]->off + 33], TCP_ACK | 0x40);
    assert_int_equal(out[2]->buf[out[2]->off + 33], TCP_FIN | TCP_PSH | TCP_ACK | 0x40);
    assert_int_equal(out[2]->len, 90);
}

/* A UDP checksum that comes out as zero is sent as ffff; TCP's stays. */
static void a_zero_checksum(void **state)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        struct flow f = { .tcp = tcp };
        memset(payload, 0, 64);
        size_t n = naive_packet(expect, &f, payload, 64), at = flow_ip_n(&f) + (tcp ? 16 : 6);
        memcpy(payload, expect + at, 2); /* adding its own checksum makes the sum ffff, its inverse 0 */
        n = super_packet(&f, 64);
        struct esp_gso gso = gso_of(&f, 100);
        empty_boxes();
        assert_int_equal(esp_gso_split(whole, n, &gso, out, PIECES), 1);
        assert_int_equal(be16_get(out[0]->buf + out[0]->off + at), tcp ? 0 : 0xffff);
        gso.type = GSO_NONE;
        assert_true(esp_gso_checksum(whole, n, &gso));
        assert_int_equal(be16_get(whole + at), tcp ? 0 : 0xffff);
    }
}

static void what_cannot_be_cut(void **state)
{
    struct flow f = { .tcp = true };
    struct esp_gso good = gso_of(&f, 100), gso;
    size_t n = super_packet(&f, 1000);
    empty_boxes();
    assert_int_equal(esp_gso_split(whole, n, &good, out, 10), 10);
    assert_int_equal(esp_gso_split(whole, n, &good, out, 9), 0);
    assert_int_equal(esp_gso_split(whole, n - 1, &good, out, PIECES), 0);
    gso = good, gso.size = 0;
    assert_int_equal(esp_gso_split(whole, n, &gso, out, PIECES), 0);
    gso = good, gso.type = GSO_UDP;
    assert_int_equal(esp_gso_split(whole, n, &gso, out, PIECES), 0);
    gso = good, gso.type = GSO_TCP6;
    assert_int_equal(esp_gso_split(whole, n, &gso, out, PIECES), 0);
    gso = good, gso.csum_start = 24;
    assert_int_equal(esp_gso_split(whole, n, &gso, out, PIECES), 0);
    gso = good, gso.hdr_len = 9999; /* a hint that lies does no harm */
    assert_int_equal(esp_gso_split(whole, n, &gso, out, PIECES), 10);
    out[9]->cap = ESP_HEADROOM + 140 + ESP_TAILROOM - 1;
    assert_int_equal(esp_gso_split(whole, n, &good, out, PIECES), 0);
    out[9]->cap++;
    assert_int_equal(esp_gso_split(whole, n, &good, out, PIECES), 10);
    whole[6] = 0x20; /* a fragment */
    assert_int_equal(esp_gso_split(whole, n, &good, out, PIECES), 0);
}

static void a_checksum_is_completed_in_place(void **state)
{
    uint64_t rnd = 7;
    for (int round = 0; round < 200; round++) {
        struct flow f = random_flow(&rnd);
        size_t payload_n = next_random(&rnd) % 1400;
        for (size_t i = 0; i < payload_n; i += 8)
            be64_put(payload + i, next_random(&rnd));
        struct esp_gso gso = gso_of(&f, 0);
        size_t n = super_packet(&f, payload_n);
        assert_int_equal(naive_packet(expect, &f, payload, payload_n), n);
        assert_true(esp_gso_checksum(whole, n, &gso));
        assert_memory_equal(whole, expect, n);
    }
}

static void offsets_may_lie(void **state)
{
    static const struct {
        const char *what;
        uint16_t start, offset;
        size_t len;
        bool ok;
    } rows[] = {
        { "last two octets", 20, 78, 100, true },
        { "one beyond", 20, 79, 100, false },
        { "starts at the end", 100, 0, 100, false },
        { "starts behind", 65535, 65535, 100, false },
        { "empty", 0, 0, 0, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct esp_gso gso = { .needs_csum = true,
                               .csum_start = rows[i].start,
                               .csum_offset = rows[i].offset };
        assert_row(rows[i].what, esp_gso_checksum(whole, rows[i].len, &gso) == rows[i].ok);
    }
    struct esp_gso none = { .csum_start = 65535 };
    assert_true(esp_gso_checksum(whole, 0, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_as_the_slow_way_does),
        cmocka_unit_test(flags_belong_to_one_end),
        cmocka_unit_test(a_zero_checksum),
        cmocka_unit_test(what_cannot_be_cut),
        cmocka_unit_test(a_checksum_is_completed_in_place),
        cmocka_unit_test(offsets_may_lie),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
