/* test_pace.c - what leaves by itself: how often, how long, and that nobody takes it for traffic. */
#include "esp_fixture.h"

#define N 8
static struct box boxes[N];
static struct esp_pkt *pkts[N];

static void boxes_ready(void)
{
    for (size_t i = 0; i < N; i++)
        pkts[i] = box_fill(&boxes[i], SPAN_NONE);
}

static void times(void **state)
{
    struct esp_pace p = { 0 };
    pace_init(&p, 0);
    assert_int_equal(pace_due(&p, SECOND, 10), 0);
    pace_init(&p, 100);
    assert_int_equal(p.interval_ns, SECOND / 100);
    assert_int_equal(pace_due(&p, SECOND, 10), 1); /* the first look */
    assert_int_equal(p.next_at, SECOND + SECOND / 100);
    assert_int_equal(pace_due(&p, SECOND + SECOND / 100 - 1, 10), 0);
    assert_int_equal(pace_due(&p, SECOND + SECOND / 100, 10), 1);
    assert_int_equal(pace_due(&p, SECOND + SECOND * 5 / 100, 10), 4); /* a little late: all of them */
    assert_int_equal(pace_due(&p, SECOND + SECOND * 9 / 100, 2), 2);
    assert_int_equal(pace_due(&p, SECOND + SECOND * 9 / 100, 10), 2);
    assert_int_equal(pace_due(&p, 5 * SECOND, 10), 1); /* very late: anew */
    assert_int_equal(p.next_at, 5 * SECOND + SECOND / 100);
    pace_init(&p, 2000000000); /* more than the clock has: one a nanosecond */
    assert_int_equal(p.interval_ns, 1);
}

static void dummies_mean_nothing(void **state)
{
    static const struct {
        const char *what;
        enum adit_mode mode;
        bool udp, v6;
        uint16_t tfc;
        uint32_t payload;
    } rows[] = {
        { "as the largest", ADIT_MODE_TUNNEL, false, false, 0, 1446 },
        { "as padded ones", ADIT_MODE_TUNNEL, false, false, 300, 300 },
        { "in UDP", ADIT_MODE_TUNNEL, true, false, 300, 300 },
        { "in IPv6", ADIT_MODE_TUNNEL, false, true, ADIT_TFC_MTU, 1426 },
        { "transport mode", ADIT_MODE_TRANSPORT, false, false, 0, 1446 },
        { "transport mode in UDP", ADIT_MODE_TRANSPORT, true, false, 0, 1438 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        struct adit_child_stats sent, came;
        pair_init(&p, &suites[0]);
        p.spec.mode = rows[i].mode;
        p.spec.udp_encap = rows[i].udp;
        p.spec.shape = (struct adit_shape){ .tfc_padding = rows[i].tfc, .dummies = 10 };
        if (rows[i].v6)
            p.spec.path = (struct adit_path){ { ip6(1, 1), 0 }, { ip6(2, 2), 0 } };
        pair_start(&p);
        assert_row(rows[i].what, esp_sa_due(p.a) == 0);
        boxes_ready();
        assert_row(rows[i].what, esp_pace_batch(p.a, pkts, N, SECOND) == 1 && pkts[0]->verdict == ESP_OK);
        assert_row(rows[i].what, esp_sa_due(p.a) == SECOND + SECOND / 10);
        uint32_t esp = 16 + ((rows[i].payload + 2 + 3) & ~3u) + 16;
        assert_row(rows[i].what, pkts[0]->len == esp + (rows[i].udp ? 0 : rows[i].v6 ? 40 : 20));
        if (!rows[i].udp)
            strip_outer(pkts[0]);
        assert_row(rows[i].what, open_one(p.at_b, pkts[0], SECOND) == ESP_DUMMY);
        esp_sa_stats(p.a, &sent);
        esp_sa_stats(p.b, &came);
        assert_row(rows[i].what, sent.dummies_out == 1 && sent.packets_out == 1 && !sent.bytes_out);
        assert_row(rows[i].what, came.dummies_in == 1 && !came.errors_in && !came.bytes_in);
        assert_row(rows[i].what, !esp_sa_used_at(p.a) && !esp_sa_used_at(p.b));
        pair_stop(&p);
    }
}

static void not_before_it_may(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.shape.dummies = 10;
    p.spec.outbound = ADIT_OUT_STANDBY;
    p.spec.life.hard_ns = 2 * SECOND;
    pair_start(&p);
    boxes_ready();
    assert_true(esp_sa_due(p.a) == UINT64_MAX && !esp_pace_batch(p.a, pkts, N, 1));
    esp_sa_activate(p.a);
    assert_true(esp_sa_due(p.a) == 0 && esp_pace_batch(p.a, pkts, N, 1) == 1);
    boxes_ready();
    assert_true(!esp_pace_batch(p.a, pkts, N, 2 * SECOND) && esp_sa_due(p.a) == UINT64_MAX);
    pair_stop(&p);
}

/* A number each, and the end of the numbers is the end of dummies too. */
static void dummies_use_numbers(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.shape.dummies = 1000;
    p.spec.life.hard_packets = 3;
    pair_start(&p);
    boxes_ready();
    assert_int_equal(esp_pace_batch(p.a, pkts, N, SECOND), 1);
    assert_int_equal(esp_pace_batch(p.a, pkts, N, SECOND + SECOND / 100), N);
    assert_int_equal(p.a->seq, 3);
    assert_true(pkts[1]->verdict == ESP_OK && pkts[2]->verdict == ESP_EXPIRED);
    pair_stop(&p);
}

static void small_buffers_get_small_dummies(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.udp_encap = true;
    p.spec.shape.dummies = 10;
    pair_start(&p);
    boxes_ready();
    pkts[0]->cap = ESP_HEADROOM + 200;
    assert_int_equal(esp_pace_batch(p.a, pkts, 1, SECOND), 1);
    assert_true(pkts[0]->off + pkts[0]->len <= pkts[0]->cap);
    assert_int_equal(open_one(p.at_b, pkts[0], SECOND), ESP_DUMMY);
    boxes_ready();
    pkts[0]->cap = ESP_HEADROOM + 10;
    assert_int_equal(esp_pace_batch(p.a, pkts, 1, 2 * SECOND), 0);
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(times),
                                        cmocka_unit_test(dummies_mean_nothing),
                                        cmocka_unit_test(not_before_it_may),
                                        cmocka_unit_test(dummies_use_numbers),
                                        cmocka_unit_test(small_buffers_get_small_dummies) };
    return cmocka_run_group_tests_name("esp/pace", tests, NULL, NULL);
}
