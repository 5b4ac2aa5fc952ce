/* test_stream.c - streams from SA to SA: what the outer packets look like, when they leave, whom their contents reach. */
#include "esp_fixture.h"
#include "esp/agg.h"

#define N 64
static struct box boxes[N], box;
static struct esp_pkt *pkts[N];
static uint8_t inner[3000];

static struct {
    unsigned n, bad;
    uint32_t octets;
} got;

static void came(void *arg, enum esp_verdict verdict, uint8_t *p, uint32_t n)
{
    got.n += verdict == ESP_OK;
    got.bad += verdict != ESP_OK;
    got.octets += n;
    if (arg)
        assert_true(span_equal(span(p, n), *(struct adit_span *)arg));
}

static void stream_pair(struct pair *p, struct adit_stream s)
{
    pair_init(p, &suites[0]);
    p->spec.mode = ADIT_MODE_AGGFRAG;
    s.queue_octets = s.queue_octets ? s.queue_octets : 1 << 20;
    s.reorder_window = 3;
    s.drop_us = 1000000;
    p->spec.shape.stream = s;
}

static enum esp_verdict put(struct esp_sa *sa, struct adit_span s, uint64_t now)
{
    return esp_stream_put(sa, box_fill(&box, s), now);
}

static size_t paced(struct esp_sa *sa, uint64_t now)
{
    for (size_t i = 0; i < N; i++)
        pkts[i] = box_fill(&boxes[i], SPAN_NONE);
    return esp_pace_batch(sa, pkts, N, now);
}

static void arrive(struct pair *p, struct esp_pkt *pkt, uint64_t now, void *arg)
{
    if (!p->spec.udp_encap)
        strip_outer(pkt);
    assert_int_equal(open_one(p->at_b, pkt, now), ESP_STREAM);
    esp_stream_take(p->b, pkt, now, came, arg);
}

/* DSCP, ECN and DF of what is inside stay inside; one size, whatever the transform and the path. */
static void outer_packets(void **state)
{
    static const struct {
        const char *what;
        bool udp, v6;
        uint16_t size, pmtu;
        uint32_t len;
    } rows[] = {
        { "the path's size", false, false, 0, 1500, 1500 },
        { "in UDP, from the ESP header on", true, false, 0, 1500, 1472 },
        { "in IPv6", false, true, 0, 1500, 1500 },
        { "a size of ours", false, false, 1000, 1500, 1000 },
        { "one that can't be reached", false, false, 1002, 1500, 1000 },
        { "larger than the path", false, false, 2000, 1400, 1400 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        stream_pair(&p, (struct adit_stream){ .packet_size = rows[i].size, .rate = 100 });
        p.spec.udp_encap = rows[i].udp;
        p.spec.df = ADIT_DF_CLEAR;
        p.spec.copy_dscp = ADIT_COPY_BOTH;
        if (rows[i].v6)
            p.spec.path = (struct adit_path){ { ip6(1, 1), 0 }, { ip6(2, 2), 0 } };
        pair_start(&p);
        esp_sa_set_pmtu(p.a, rows[i].pmtu);
        size_t n = udp_packet(inner, ip4(10, 0, 0, 1), ip4(10, 9, 0, 1), 0xbb, true, 1, 2, 100);
        assert_row(rows[i].what, put(p.a, span(inner, n), SECOND) == ESP_OK);
        assert_row(rows[i].what, paced(p.a, SECOND) == 1 && pkts[0]->verdict == ESP_OK);
        assert_row(rows[i].what, pkts[0]->len == rows[i].len && pkts[0]->tos == 0 && pkts[0]->df);
        got = (typeof(got)){ 0 };
        struct adit_span want = span(inner, n);
        pkts[0]->tos = 3; /* marked on the way: nobody inside is told */
        if (!rows[i].udp)
            strip_outer(pkts[0]);
        pkts[0]->tos = 3;
        assert_row(rows[i].what, open_one(p.at_b, pkts[0], SECOND) == ESP_STREAM);
        esp_stream_take(p.b, pkts[0], SECOND, came, &want);
        assert_row(rows[i].what, got.n == 1 && p.b->in.bytes == n && p.a->out.bytes == n);
        pair_stop(&p);
    }
}

static void constant_rate(void **state)
{
    struct pair p;
    struct adit_child_stats st;
    stream_pair(&p, (struct adit_stream){ .packet_size = 500, .rate = 10 });
    pair_start(&p);
    got = (typeof(got)){ 0 };
    for (unsigned i = 0; i < 40; i++) {
        uint64_t now = SECOND + i * SECOND / 10;
        if (i >= 10 && i < 20)
            assert_int_equal(put(p.a, span(inner, sample4(inner, 800)), now - 1), ESP_OK);
        assert_true(i ? esp_sa_due(p.a) == now : esp_sa_due(p.a) == 0);
        assert_int_equal(paced(p.a, now), 1);
        assert_int_equal(pkts[0]->len, 500);
        arrive(&p, pkts[0], now, NULL);
    }
    assert_true(got.n == 10 && got.octets == 8000 && !got.bad);
    esp_sa_stats(p.b, &st);
    assert_true(st.packets_in == 40 && st.dummies_in == p.a->out.dummies && st.dummies_in > 15 && !st.lost_in);
    assert_true(esp_sa_used_at(p.b) < SECOND + SECOND * 36 / 10); /* padding is no activity */
    esp_stream_end(p.a, false); /* a successor has taken over: nothing is left to say */
    assert_true(esp_sa_due(p.a) == UINT64_MAX && !paced(p.a, 9 * SECOND));
    pair_stop(&p);
}

static void on_demand(void **state)
{
    struct pair p;
    stream_pair(&p, (struct adit_stream){ .delay_us = 1000 });
    pair_start(&p);
    got = (typeof(got)){ 0 };
    assert_true(esp_sa_due(p.a) == UINT64_MAX);
    put(p.a, span(inner, sample4(inner, 100)), SECOND);
    assert_true(esp_sa_due(p.a) == SECOND + 1000000);
    assert_int_equal(paced(p.a, SECOND + 999999), 0);
    put(p.a, span(inner, sample4(inner, 200)), SECOND + 999999);
    assert_int_equal(paced(p.a, SECOND + 1000000), 1);
    assert_true(pkts[0]->len < 20 + 16 + 4 + 300 + 6 + 16);
    arrive(&p, pkts[0], SECOND, NULL);
    assert_true(got.n == 2 && esp_sa_due(p.a) == UINT64_MAX);
    for (int i = 0; i < 3; i++) /* more than a payload: that leaves at once, the rest waits */
        put(p.a, span(inner, sample4(inner, 700)), 3 * SECOND);
    assert_int_equal(paced(p.a, 3 * SECOND), 1);
    assert_int_equal(pkts[0]->len, 1500);
    arrive(&p, pkts[0], 3 * SECOND, NULL);
    assert_int_equal(got.n, 4);
    esp_stream_end(p.a, true); /* its end is at hand */
    assert_int_equal(paced(p.a, 3 * SECOND), 1);
    arrive(&p, pkts[0], 3 * SECOND, NULL);
    assert_int_equal(got.n, 5);
    pair_stop(&p);
}

static void what_is_not_taken(void **state)
{
    struct pair p;
    stream_pair(&p, (struct adit_stream){ .whole = true, .packet_size = 600, .queue_octets = 1000 });
    pair_start(&p);
    uint16_t most = esp_sa_inner_mtu(p.a);
    assert_true(most > 540 && most < 600);
    assert_int_equal(put(p.a, span(inner, sample4(inner, most + 1u)), 1), ESP_TOO_BIG);
    assert_int_equal(box.pkt.mtu, most);
    assert_int_equal(put(p.a, span(inner, sample4(inner, most)), 1), ESP_OK);
    assert_int_equal(put(p.a, span(inner, sample4(inner, most)), 1), ESP_FULL);
    assert_int_equal(put(p.a, span(inner, 19), 1), ESP_MALFORMED);
    assert_int_equal(put(p.a, span(inner, most - 1u), 1), ESP_MALFORMED);
    inner[0] = 0x15;
    assert_int_equal(put(p.a, span(inner, most), 1), ESP_MALFORMED);
    struct esp_pkt *pkt = box_fill(&box, span(inner, 100));
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_MALFORMED);
    pair_stop(&p);
    stream_pair(&p, (struct adit_stream){ 0 });
    pair_start(&p);
    assert_int_equal(esp_sa_inner_mtu(p.a), 65535); /* no sender is ever told to send less */
    pair_stop(&p);
}

/* Each inner packet is looked at by itself; nothing but streams on such an SA, and streams on no other. */
static void selectors_and_kinds(void **state)
{
    struct pair p, plain;
    stream_pair(&p, (struct adit_stream){ 0 });
    p.remote[0] = ts_host(ip4(198, 51, 100, 2), 0, 0, 65535);
    p.spec.udp_encap = true;
    pair_start(&p);
    got = (typeof(got)){ 0 };
    put(p.a, span(inner, sample4(inner, 100)), 1);
    put(p.a, span(inner, udp_packet(inner, ip4(192, 0, 2, 1), ip4(198, 51, 100, 9), 0, false, 1, 2, 50)), 1);
    put(p.a, span(inner, sample4(inner, 100)), 1);
    assert_int_equal(paced(p.a, 1), 1);
    arrive(&p, pkts[0], 1, NULL);
    assert_true(got.n == 2 && got.bad == 1 && p.b->errors_in == 1 && p.b->in.bytes == 200);
    pair_init(&plain, &suites[0]);
    plain.spec.udp_encap = true;
    pair_start(&plain);
    struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, 100)));
    assert_int_equal(seal_one(plain.a, pkt, 1), ESP_OK);
    be32_put(pkt->buf + pkt->off + 4, 1);
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_REPLAY);
    pkt = box_fill(&box, span(inner, sample4(inner, 100)));
    assert_int_equal(seal_one(plain.a, pkt, 1), ESP_OK); /* number 2, the same keys */
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_MALFORMED);
    put(p.a, span(inner, sample4(inner, 100)), 1);
    assert_int_equal(paced(p.a, 1), 1);
    assert_int_equal(open_one(plain.at_b, pkts[0], 1), ESP_MALFORMED);
    pair_stop(&plain);
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(outer_packets),     cmocka_unit_test(constant_rate),
                                        cmocka_unit_test(on_demand),         cmocka_unit_test(what_is_not_taken),
                                        cmocka_unit_test(selectors_and_kinds) };
    return cmocka_run_group_tests_name("esp/stream", tests, NULL, NULL);
}
