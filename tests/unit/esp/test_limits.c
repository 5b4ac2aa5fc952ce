/* test_limits.c - soft and hard ends of an SA by time, packets, octets, sequence numbers and forgeries. */
#include "esp_fixture.h"

static struct box box;

static enum esp_verdict send(struct esp_sa *sa, size_t n, uint64_t now)
{
    uint8_t inner[1500];
    return seal_one(sa, box_fill(&box, span(inner, sample4(inner, n))), now);
}

static void start(struct pair *p, struct adit_lifetime life, bool esn)
{
    pair_init(p, &suites[0]);
    p->spec.udp_encap = true;
    p->spec.life = life;
    p->spec.suite.sn = esn ? SN_64_BIT_PARTIAL : SN_32_BIT;
    pair_start(p);
}

static void packets_out(void **state)
{
    struct pair p;
    start(&p, (struct adit_lifetime){ .soft_packets = 3, .hard_packets = 5 }, false);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send(p.a, 100, 1), ESP_OK);
        assert_int_equal(esp_sa_events(p.a), 0);
    }
    assert_int_equal(send(p.a, 100, 1), ESP_OK);
    assert_int_equal(esp_sa_events(p.a), ESP_EV_SOFT);
    assert_int_equal(send(p.a, 100, 1), ESP_OK);
    assert_int_equal(esp_sa_events(p.a), 0);
    assert_int_equal(send(p.a, 100, 1), ESP_EXPIRED);
    assert_int_equal(esp_sa_events(p.a), ESP_EV_HARD);
    assert_int_equal(send(p.a, 100, 1), ESP_EXPIRED);
    assert_int_equal(esp_sa_events(p.a), 0);
    assert_int_equal(p.a->seq, 5);
    pair_stop(&p);
}

static void octets_out(void **state)
{
    struct pair p;
    start(&p, (struct adit_lifetime){ .soft_bytes = 1000, .hard_bytes = 2000 }, false);
    assert_int_equal(send(p.a, 999, 1), ESP_OK);
    assert_int_equal(send(p.a, 30, 1), ESP_OK);
    assert_int_equal(esp_sa_events(p.a), 0);
    assert_int_equal(send(p.a, 970, 1), ESP_OK);
    assert_int_equal(esp_sa_events(p.a), ESP_EV_SOFT);
    assert_int_equal(send(p.a, 30, 1), ESP_OK);
    assert_int_equal(send(p.a, 30, 1), ESP_EXPIRED);
    assert_int_equal(esp_sa_events(p.a), ESP_EV_HARD);
    pair_stop(&p);
}

static void packets_in(void **state)
{
    struct pair p;
    start(&p, (struct adit_lifetime){ 0 }, false);
    p.b->limits.soft_packets = 1;
    p.b->limits.hard_packets = 2;
    static const enum esp_verdict expect[] = { ESP_OK, ESP_OK, ESP_EXPIRED };
    static const unsigned events[] = { ESP_EV_FIRST_IN, ESP_EV_SOFT, ESP_EV_HARD };
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send(p.a, 100, 1), ESP_OK);
        assert_int_equal(open_one(p.at_b, &box.pkt, 1), expect[i]);
        assert_int_equal(esp_sa_events(p.b), events[i]);
    }
    pair_stop(&p);
}

static void time_ends_both_directions(void **state)
{
    struct pair p;
    start(&p, (struct adit_lifetime){ .soft_ns = 10 * SECOND, .hard_ns = 20 * SECOND }, false);
    assert_int_equal(esp_sa_deadline(p.a, 1), 10 * SECOND);
    assert_int_equal(esp_sa_events(p.a), 0);
    assert_int_equal(esp_sa_deadline(p.a, 10 * SECOND), 20 * SECOND);
    assert_int_equal(esp_sa_events(p.a), ESP_EV_SOFT);
    assert_int_equal(send(p.a, 100, 20 * SECOND - 1), ESP_OK);
    assert_int_equal(open_one(p.at_b, &box.pkt, 20 * SECOND), ESP_EXPIRED);
    assert_int_equal(esp_sa_events(p.b), ESP_EV_SOFT | ESP_EV_HARD);
    assert_int_equal(send(p.a, 100, 20 * SECOND), ESP_EXPIRED);
    assert_int_equal(esp_sa_events(p.a), ESP_EV_HARD);
    assert_int_equal(esp_sa_deadline(p.a, 21 * SECOND), UINT64_MAX);
    pair_stop(&p);
}

static void no_limit_is_no_deadline(void **state)
{
    struct pair p;
    start(&p, (struct adit_lifetime){ 0 }, false);
    assert_int_equal(esp_sa_deadline(p.a, UINT64_MAX - 1), UINT64_MAX);
    assert_int_equal(esp_sa_events(p.a), 0);
    pair_stop(&p);
}

static void far_limits_do_not_wrap(void **state)
{
    struct pair p;
    struct esp_sa *sa = NULL;
    start(&p, (struct adit_lifetime){ 0 }, false);
    p.spec.local_ts = p.local;
    p.spec.remote_ts = p.remote;
    p.spec.life = (struct adit_lifetime){ .soft_ns = UINT64_MAX - 5, .hard_ns = UINT64_MAX };
    assert_int_equal(esp_sa_new(fixture_crypto(), &p.spec, 4, &sa, NULL), ADIT_OK);
    assert_int_equal(esp_sa_deadline(sa, 4), UINT64_MAX - 1);
    assert_int_equal(sa->limits.hard_at, UINT64_MAX);
    assert_int_equal(esp_sa_events(sa), 0);
    esp_sa_free(sa);
    assert_int_equal(esp_sa_new(fixture_crypto(), &p.spec, 7, &sa, NULL), ADIT_OK);
    assert_int_equal(sa->limits.soft_at, UINT64_MAX);
    esp_sa_free(sa);
    pair_stop(&p);
}

static void sequence_numbers_never_wrap(void **state)
{
    static const struct {
        const char *what;
        bool esn;
        uint64_t soft, last;
    } rows[] = { { "32 bits", false, UINT64_C(1) << 31, UINT32_MAX },
                 { "64 bits", true, UINT64_C(1) << 63, UINT64_MAX } };
    for (size_t i = 0; i < 2; i++) {
        struct pair p;
        start(&p, (struct adit_lifetime){ 0 }, rows[i].esn);
        p.a->seq = rows[i].soft - 1;
        assert_row(rows[i].what, send(p.a, 100, 1) == ESP_OK && esp_sa_events(p.a) == 0);
        assert_row(rows[i].what, send(p.a, 100, 1) == ESP_OK && esp_sa_events(p.a) == ESP_EV_SOFT);
        p.a->seq = p.b->window.top = rows[i].last - 1;
        assert_row(rows[i].what, send(p.a, 100, 1) == ESP_OK && esp_sa_events(p.a) == 0);
        assert_row(rows[i].what, open_one(p.at_b, &box.pkt, 1) == ESP_OK && p.b->window.top == rows[i].last);
        assert_row(rows[i].what, send(p.a, 100, 1) == ESP_EXPIRED && esp_sa_events(p.a) == ESP_EV_HARD);
        assert_row(rows[i].what, p.a->seq == rows[i].last);
        pair_stop(&p);
    }
}

/* A batch that runs over the end: what fits leaves, the rest is told so. */
static void a_batch_stops_at_the_end(void **state)
{
    static struct box boxes[8];
    struct esp_pkt *pkts[8];
    uint8_t inner[100];
    struct pair p;
    start(&p, (struct adit_lifetime){ 0 }, false);
    p.a->seq = UINT32_MAX - 3;
    for (size_t i = 0; i < 8; i++)
        pkts[i] = box_fill(&boxes[i], span(inner, sample4(inner, 60)));
    esp_seal_batch(p.a, pkts, 8, 1);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pkts[i]->verdict, i < 3 ? ESP_OK : ESP_EXPIRED);
    assert_int_equal(p.a->seq, UINT32_MAX);
    pair_stop(&p);
}

static void keys_have_limits_of_their_own(void **state)
{
    static const struct {
        const char *what;
        struct suite_row suite;
        uint64_t packets, octets, failures;
    } rows[] = {
        { "GCM", { "", ENCR_AES_GCM_16, 256, 0 }, UINT64_C(1) << 36, UINT64_C(1) << 42, UINT64_C(1) << 36 },
        { "short ICV", { "", ENCR_AES_GCM_8, 128, 0 }, UINT64_C(1) << 36, UINT64_C(1) << 42, 1 << 20 },
        { "CBC", { "", ENCR_AES_CBC, 128, 12 }, UINT64_C(1) << 36, UINT64_C(1) << 40, UINT64_C(1) << 36 },
        { "NULL", { "", ENCR_NULL, 0, 12 }, 0, 0, UINT64_C(1) << 36 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        pair_init(&p, &rows[i].suite);
        pair_start(&p);
        const struct esp_limits *l = &p.a->limits;
        assert_row(rows[i].what, l->soft_packets == rows[i].packets && l->soft_bytes == rows[i].octets);
        assert_row(rows[i].what,
                   l->hard_packets == rows[i].packets / 4 * 5 && l->hard_bytes == rows[i].octets / 4 * 5);
        assert_row(rows[i].what, l->failures == rows[i].failures);
        pair_stop(&p);
    }
}

static void configured_limits_lie_below(void **state)
{
    struct pair p;
    start(&p, (struct adit_lifetime){ .soft_packets = UINT64_MAX, .hard_bytes = 77 }, false);
    assert_int_equal(p.a->limits.soft_packets, UINT64_C(1) << 36);
    assert_int_equal(p.a->limits.hard_bytes, 77);
    pair_stop(&p);
}

static void forgeries_ask_for_a_new_key(void **state)
{
    struct pair p;
    start(&p, (struct adit_lifetime){ 0 }, false);
    p.b->failed_icvs = p.b->limits.failures - 2;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(esp_sa_events(p.b), 0);
        assert_int_equal(send(p.a, 100, 1), ESP_OK);
        box.pkt.buf[box.pkt.off + box.pkt.len - 1] ^= 1;
        assert_int_equal(open_one(p.at_b, &box.pkt, 1), ESP_INTEGRITY);
    }
    assert_int_equal(esp_sa_events(p.b), ESP_EV_SOFT);
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_out),
        cmocka_unit_test(octets_out),
        cmocka_unit_test(packets_in),
        cmocka_unit_test(time_ends_both_directions),
        cmocka_unit_test(no_limit_is_no_deadline),
        cmocka_unit_test(far_limits_do_not_wrap),
        cmocka_unit_test(sequence_numbers_never_wrap),
        cmocka_unit_test(a_batch_stops_at_the_end),
        cmocka_unit_test(keys_have_limits_of_their_own),
        cmocka_unit_test(configured_limits_lie_below),
        cmocka_unit_test(forgeries_ask_for_a_new_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
