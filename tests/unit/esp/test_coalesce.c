/* test_coalesce.c - joining segments: whatever is joined, cutting it again gives the same packets. */
#include "esp_fixture.h"
#include "esp/segment.h"
#include "flows.h"

#define MANY 60

static struct box *boxes; /* the packets, then pieces of a run */
static struct esp_pkt *pkts[MANY], *pieces[MANY];
static uint8_t payload[66000];

static int setup(void **state)
{
    boxes = mem_new_array(2 * MANY, sizeof(*boxes));
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * i >> 3);
    return boxes ? 0 : -1;
}

static int teardown(void **state)
{
    mem_del(boxes);
    return 0;
}

static struct esp_pkt *make(size_t i, const struct flow *f, size_t payload_n)
{
    uint8_t packet[2000];
    return pkts[i] = box_fill(&boxes[i], span(packet, naive_packet(packet, f, payload + i, payload_n)));
}

/* clang-format off */
/* Two packets: does the second continue the first? TCP always with ACK, a TTL of 64 unless given. */
static const struct {
    const char *what;
    struct flow a, b;
    size_t na, nb;
    bool joins;
} pairs[] = {
    { "next segment", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true }, 100, 100, true },
    { "v6", { .tcp = true, .v6 = true, .seq = 100 }, { .tcp = true, .v6 = true, .seq = 200 }, 100, 100, true },
    { "sequence wraps", { .tcp = true, .seq = 0xffffffce, .df = true }, { .tcp = true, .seq = 50, .df = true }, 100, 100, true },
    { "shorter last one", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true }, 100, 1, true },
    { "longer one", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true }, 100, 101, false },
    { "PSH at the end", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true, .flags = 0x18 }, 100, 100, true },
    { "PSH in the middle", { .tcp = true, .seq = 100, .df = true, .flags = 0x18 }, { .tcp = true, .seq = 200, .df = true }, 100, 100, false },
    { "FIN", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true, .flags = 0x11 }, 100, 100, false },
    { "CWR first", { .tcp = true, .seq = 100, .df = true, .flags = 0x90 }, { .tcp = true, .seq = 200, .df = true }, 100, 100, false },
    { "ECE", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true, .flags = 0x50 }, 100, 100, false },
    { "gap", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 201, .df = true }, 100, 100, false },
    { "again", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 100, .df = true }, 100, 100, false },
    { "other ack", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true, .ack = 1 }, 100, 100, false },
    { "other window", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true, .window = 1 }, 100, 100, false },
    { "other port", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true, .sport = 1 }, 100, 100, false },
    { "other DSCP", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true, .tos = 4 }, 100, 100, false },
    { "CE", { .tcp = true, .seq = 100, .df = true, .tos = 2 }, { .tcp = true, .seq = 200, .df = true, .tos = 3 }, 100, 100, false },
    { "other TTL", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true, .ttl = 63 }, 100, 100, false },
    { "other DF", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200 }, 100, 100, false },
    { "other version", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .v6 = true }, 100, 100, false },
    { "options", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true, .options_n = 12 }, 100, 100, false },
    { "same options", { .tcp = true, .seq = 1, .df = true, .options_n = 12 }, { .tcp = true, .seq = 101, .df = true, .options_n = 12 }, 100, 100, true },
    { "IP options", { .tcp = true, .seq = 1, .df = true, .ip_options_n = 4 }, { .tcp = true, .seq = 101, .df = true, .ip_options_n = 4 }, 100, 100, false },
    { "next ID", { .tcp = true, .seq = 100, .id = 65535 }, { .tcp = true, .seq = 200, .id = 0 }, 100, 100, true },
    { "other ID", { .tcp = true, .seq = 100, .id = 7 }, { .tcp = true, .seq = 200, .id = 7 }, 100, 100, false },
    { "any ID with DF", { .tcp = true, .seq = 100, .df = true, .id = 7 }, { .tcp = true, .seq = 200, .df = true, .id = 7 }, 100, 100, true },
    { "empty", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 200, .df = true }, 100, 0, false },
    { "empty first", { .tcp = true, .seq = 100, .df = true }, { .tcp = true, .seq = 100, .df = true }, 0, 100, false },
    { "UDP", { .df = true }, { .df = true }, 100, 100, true },
    { "UDP in v6", { .v6 = true }, { .v6 = true }, 100, 60, true },
    { "longer UDP", { .df = true }, { .df = true }, 100, 101, false },
    { "empty UDP", { .df = true }, { .df = true }, 100, 0, false },
    { "other UDP flow", { .df = true }, { .df = true, .dport = 9 }, 100, 100, false },
    { "TCP and UDP", { .df = true }, { .tcp = true, .df = true }, 100, 100, false },
};
/* clang-format on */

static struct flow complete(struct flow f)
{
    f.flags |= TCP_ACK;
    f.ttl = f.ttl ? f.ttl : 64;
    return f;
}

static void pairs_that_join(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct esp_gso gso = { 0 };
        struct flow fa = complete(pairs[i].a), fb = complete(pairs[i].b);
        struct esp_pkt *a = make(0, &fa, pairs[i].na), *b = make(1, &fb, pairs[i].nb);
        uint32_t before = a->len;
        assert_row(pairs[i].what, esp_coalesce(a, &gso, b) == pairs[i].joins);
        assert_row(pairs[i].what, a->len == before + (pairs[i].joins ? pairs[i].nb : 0));
        assert_row(pairs[i].what, (gso.type != 0) == pairs[i].joins && gso.needs_csum == pairs[i].joins);
    }
}

/* Every octet of both addresses counts. */
static void other_hosts_are_other_flows(void **state)
{
    for (size_t i = 0; i < 32 + 8; i++) {
        bool v6 = i < 32;
        struct flow f = { .tcp = true, .v6 = v6, .flags = TCP_ACK, .df = true };
        struct esp_gso gso = { 0 };
        struct esp_pkt *a = make(0, &f, 100);
        f.seq = 100;
        struct esp_pkt *b = make(1, &f, 100);
        struct segment s;
        b->buf[b->off + (v6 ? 8 + i : 12 + i - 32)] ^= 1;
        assert_true(segment_get(b->buf + b->off, b->len, &s));
        segment_set_length(b->buf + b->off, &s, b->len);
        l4_checksum_set(b->buf + b->off, &s.ip);
        assert_false(esp_coalesce(a, &gso, b));
    }
}

/* The kernel gets the sum of the pseudo header, over the new length. */
static void the_result_is_as_the_kernel_makes_it(void **state)
{
    for (int i = 0; i < 4; i++) {
        struct flow f = { .tcp = i & 1, .v6 = i & 2, .flags = TCP_ACK, .df = true, .ttl = 3 }, g = f;
        uint8_t expect[500];
        struct esp_gso gso = { 0 };
        struct esp_pkt *a = make(0, &f, 100);
        g.seq += 100;
        g.flags |= TCP_PSH;
        uint8_t joined[150];
        memcpy(joined, payload, 100);
        memcpy(joined + 100, payload + 1, 50);
        assert_true(esp_coalesce(a, &gso, make(1, &g, 50)));
        f.flags |= TCP_PSH;
        size_t n = naive_packet(expect, &f, joined, 150);
        naive_l4_sum(expect, &f, n, true);
        assert_int_equal(a->len, n);
        assert_memory_equal(a->buf + a->off, expect, n);
        assert_int_equal(gso.size, 100);
        assert_int_equal(gso.hdr_len, flow_head_n(&f));
        assert_int_equal(gso.csum_start, flow_ip_n(&f));
        assert_int_equal(gso.csum_offset, f.tcp ? 16 : 6);
        assert_int_equal(gso.type, !f.tcp ? GSO_UDP : f.v6 ? GSO_TCP6 : GSO_TCP4);
    }
}

static void wrong_checksums_stay_wrong(void **state)
{
    static const struct {
        const char *what;
        bool tcp, v6, second;
        size_t at;
    } rows[] = {
        { "TCP payload", true, false, true, 60 },
        { "TCP payload of the first", true, false, false, 60 },
        { "TCP checksum", true, true, true, 57 },
        { "v4 header checksum", true, false, true, 10 },
        { "v4 header checksum of the first", true, false, false, 10 },
        { "UDP payload", false, true, true, 60 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct flow f = { .tcp = rows[i].tcp, .v6 = rows[i].v6, .flags = TCP_ACK, .df = true }, g = f;
        struct esp_gso gso = { 0 };
        g.seq = 100;
        struct esp_pkt *a = make(0, &f, 100), *b = make(1, &g, 100), *bad = rows[i].second ? b : a;
        bad->buf[bad->off + rows[i].at] ^= 0x10;
        assert_row(rows[i].what, !esp_coalesce(a, &gso, b) && gso.type == 0);
        bad->buf[bad->off + rows[i].at] ^= 0x10;
        assert_row(rows[i].what, esp_coalesce(a, &gso, b));
    }
}

static void udp_without_a_checksum_stays_alone(void **state)
{
    for (int which = 0; which < 2; which++) {
        struct flow f = { .df = true };
        struct esp_gso gso = { 0 };
        make(0, &f, 100);
        make(1, &f, 100);
        be16_put(pkts[which]->buf + pkts[which]->off + 26, 0);
        assert_false(esp_coalesce(pkts[0], &gso, pkts[1]));
    }
}

/* UDP's own length may leave octets uncovered: they would be lost. */
static void udp_with_slack_stays_alone(void **state)
{
    struct flow f = { .df = true };
    struct esp_gso gso = { 0 };
    struct esp_pkt *a = make(0, &f, 100), *b = make(1, &f, 100);
    uint8_t *udp = b->buf + b->off + 20;
    be16_put(udp + 4, 100);
    struct rd in = rd_init(pkt_span(b));
    struct ip_packet ip;
    assert_true(ip_get(&in, &ip));
    l4_checksum_set(b->buf + b->off, &ip);
    assert_false(esp_coalesce(a, &gso, b));
}

/* The kernel takes no more in one piece, and would refuse all of them. */
static void udp_runs_are_short(void **state)
{
    struct flow f = { .df = true };
    struct esp_gso gso = { 0 };
    struct esp_pkt *head = make(0, &f, 16);
    for (size_t i = 1; i < 64; i++)
        assert_true(esp_coalesce(head, &gso, make(1, &f, 16)));
    assert_false(esp_coalesce(head, &gso, make(1, &f, 16)));
    assert_int_equal(head->len, 28 + 64 * 16);
}

static void a_run_ends_where_it_must(void **state)
{
    struct flow f = { .tcp = true, .flags = TCP_ACK, .df = true };
    struct esp_gso gso = { 0 };
    struct esp_pkt *head = make(0, &f, 1400);
    size_t n = 1;
    for (;; n++) {
        f.seq += 1400;
        if (!esp_coalesce(head, &gso, make(1, &f, 1400)))
            break;
    }
    assert_int_equal(n, 46); /* 46 x 1400 + 40 <= 65535 */
    assert_false(esp_coalesce(head, &gso, make(1, &f, 1096)));
    assert_true(esp_coalesce(head, &gso, make(1, &f, 1095)));
    assert_int_equal(head->len, 65535);
    struct esp_gso small = { 0 };
    f.seq = 0;
    head = make(0, &f, 1400);
    head->cap = ESP_HEADROOM + 2840 - 1;
    f.seq = 1400;
    assert_false(esp_coalesce(head, &small, make(1, &f, 1400)));
    head->cap++;
    assert_true(esp_coalesce(head, &small, make(1, &f, 1400)));
    f.seq = 2800;
    assert_false(esp_coalesce(head, &small, make(1, &f, 1400)));
}

/* One flow's next packet, sometimes with something that breaks the run. */
static void step(struct flow *f, size_t last_n, uint64_t r)
{
    f->seq += (uint32_t)last_n;
    f->id++;
    f->flags = TCP_ACK;
    switch (r % 24) {
    case 0: f->flags |= TCP_PSH; break;
    case 1: f->ack++; break;
    case 2: f->seq += 5; break;
    case 3: f->tos ^= 1; break;
    case 4: f->flags |= TCP_FIN; break;
    case 5: f->id += 3; break;
    case 6: f->flags |= TCP_CWR; break;
    default: break;
    }
}

static void same_but_for_the_id(struct esp_pkt *a, const uint8_t *b, size_t n, bool any_id)
{
    uint8_t *p = a->buf + a->off;
    assert_int_equal(a->len, n);
    if (any_id) {
        memcpy(p + 4, b + 4, 2);
        memcpy(p + 10, b + 10, 2);
    }
    assert_memory_equal(p, b, n);
}

/* Joins greedily, cuts again: the same packets in the same order. */
static void joining_and_cutting_is_the_identity(void **state)
{
    static uint8_t copy[MANY][1600];
    size_t sizes[MANY], joined = 0;
    uint64_t rnd = 99;
    for (int round = 0; round < 300; round++) {
        uint64_t r = next_random(&rnd);
        struct flow f = { .v6 = r & 1, .tcp = r & 2, .df = r & 4, .flags = TCP_ACK, .ttl = 60, .id = 65500 };
        f.options_n = r & 8 ? 12 : 0;
        size_t unit = 100 + (r >> 8) % 1300, n = unit;
        for (size_t i = 0; i < MANY; i++) {
            make(i, &f, n);
            sizes[i] = pkts[i]->len;
            memcpy(copy[i], pkts[i]->buf + pkts[i]->off, sizes[i]);
            r = next_random(&rnd);
            step(&f, n, r >> 32);
            n = r & 31 ? unit : (r >> 8) % 1400;
        }
        for (size_t i = 0, k; i < MANY; i = k) {
            struct esp_gso gso = { 0 };
            for (k = i + 1; k < MANY && esp_coalesce(pkts[i], &gso, pkts[k]);)
                k++;
            if (k == i + 1) {
                same_but_for_the_id(pkts[i], copy[i], sizes[i], false);
                continue;
            }
            joined += k - i;
            for (size_t m = 0; m < MANY; m++)
                pieces[m] = box_fill(&boxes[MANY + m], SPAN_NONE);
            assert_int_equal(esp_gso_split(pkts[i]->buf + pkts[i]->off, pkts[i]->len, &gso, pieces, MANY),
                             k - i);
            for (size_t m = i; m < k; m++)
                same_but_for_the_id(pieces[m - i], copy[m], sizes[m], f.df && !f.v6);
        }
    }
    assert_true(joined > 5000); /* or the test shows nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_that_join),
        cmocka_unit_test(other_hosts_are_other_flows),
        cmocka_unit_test(the_result_is_as_the_kernel_makes_it),
        cmocka_unit_test(wrong_checksums_stay_wrong),
        cmocka_unit_test(udp_without_a_checksum_stays_alone),
        cmocka_unit_test(udp_with_slack_stays_alone),
        cmocka_unit_test(udp_runs_are_short),
        cmocka_unit_test(a_run_ends_where_it_must),
        cmocka_unit_test(joining_and_cutting_is_the_identity),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
