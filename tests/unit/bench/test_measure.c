/* test_measure.c - whole cases with a clock that stands still for computing: what the network alone makes of them is exact. */
#include "unit.h"
#include <stdio.h>
#include "bench/bench.h"

#define MS(n) ((uint64_t)(n)*1000000)

static struct adit_crypto *crypto;
static struct bench_result result;
static struct adit_why why;

static enum adit_rc measure(const char *word, struct bench_case c)
{
    static struct arena a;
    static struct bench_method m;
    arena_fini(&a);
    a = (struct arena){ 0 };
    assert_int_equal(bench_method_parse(word, &a, &m, &why), ADIT_OK);
    c.method = &m;
    c.cpu = bench_still;
    c.reports = c.reports ? c.reports : "list";
    enum adit_rc rc = bench_measure(&c, crypto, &result, &why);
    arena_fini(&a);
    a = (struct arena){ 0 };
    return rc;
}

/* Endless bandwidth, 20 ms: time is round trips and nothing else. */
static void round_trips_and_fragments(void **state)
{
    static const struct {
        const char *word;
        bool tcp;
        unsigned exchanges, waits; /* waits: round trips, the connection's included */
        unsigned fragments, datagrams;
    } rows[] = {
        { "x25519", false, 2, 2, 0, 4 },
        { "pq-default", false, 3, 3, 2, 7 },
        { "x25519-ke1_mlkem768", false, 3, 3, 2, 7 },
        { "x25519-ke1_mlkem512", false, 3, 3, 0, 6 },
        { "x25519-ke1_mlkem768-ke2_mlkem1024", false, 4, 4, 6, 11 },
        { "ecp384mlkem1024", false, 2, 2, 0, 4 },
        { "x25519", true, 2, 3, 0, 4 },
        { "x25519-ke1_frodoa3", true, 3, 4, 0, 6 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct bench_run *m = &result.middle;
        struct bench_case c = { .link = { .rtt_ns = MS(20) }, .tcp = rows[i].tcp, .count = 2 };
        if (measure(rows[i].word, c) != ADIT_OK)
            fail_msg("%s: %s", rows[i].word, why.text);
        if (m->exchanges != rows[i].exchanges || m->time != rows[i].waits * MS(20) || m->fragments != rows[i].fragments ||
            m->datagrams[0] + m->datagrams[1] != rows[i].datagrams)
            fail_msg("%s: %u exchanges, %llu ns, %llu fragments, %llu + %llu datagrams", rows[i].word, m->exchanges,
                     (unsigned long long)m->time, (unsigned long long)m->fragments, (unsigned long long)m->datagrams[0],
                     (unsigned long long)m->datagrams[1]);
        assert_true(result.good == 2 && result.failed == 0 && m->again == 0 && m->repeated == 0);
        assert_true(result.primitives > 0 && result.best == result.worst);
        assert_true(m->messages > 400 && m->peak[0] > 1000 && m->peak[1] > 1000);
    }
}

static void the_same_seed_gives_the_same(void **state)
{
    struct bench_case c = { .link = { .rtt_ns = MS(20), .mbit = 10, .loss = 0.05, .queue_octets = 262144 }, .count = 3, .seed = 5 };
    assert_int_equal(measure("x25519-ke1_frodoa3", c), ADIT_OK);
    struct bench_result first = result;
    assert_int_equal(measure("x25519-ke1_frodoa3", c), ADIT_OK);
    assert_true(result.best == first.best && result.worst == first.worst && result.middle.octets[0] == first.middle.octets[0] &&
                result.middle.again == first.middle.again);
    c.seed = 6;
    assert_int_equal(measure("x25519-ke1_frodoa3", c), ADIT_OK);
    assert_false(result.best == first.best && result.worst == first.worst);
}

/* Losses cost a retransmission each where nobody says what is missing, and every fragment of the message with it. */
static void reports_save_fragments(void **state)
{
    struct bench_case c = { .link = { .rtt_ns = MS(20), .mbit = 10, .loss = 0.05, .queue_octets = 262144 }, .count = 9,
                            .reports = "none" };
    assert_int_equal(measure("x25519-ke1_frodoa5", c), ADIT_OK);
    struct bench_run none = result.middle;
    assert_true(none.reports == 0 && none.report_octets == 0 && none.again >= none.fragments / 4);
    for (size_t i = 0; bench_reports_at(i); i++) {
        c.reports = bench_reports_at(i);
        assert_int_equal(measure("x25519-ke1_frodoa5", c), ADIT_OK);
        assert_true(result.middle.reports > 0 && result.middle.report_octets >= 40 * result.middle.reports);
        assert_true(result.middle.again * 4 < none.again && result.middle.time < none.time);
    }
}

static void a_stock_saves_the_making_of_keys(void **state)
{
    struct bench_case c = { .link = { .rtt_ns = MS(20) }, .count = 2, .stock = true };
    assert_int_equal(measure("x25519-ke1_frodos3", c), ADIT_OK);
    assert_true(result.good == 2 && result.middle.time == MS(60));
    size_t with = result.middle.peak[0];
    c.stock = false;
    assert_int_equal(measure("x25519-ke1_frodos3", c), ADIT_OK);
    assert_true(with < result.middle.peak[0]); /* the key was there before */
}

static void says_why_nothing_comes_up(void **state)
{
    struct bench_case c = { .link = { .rtt_ns = MS(20) } };
    assert_int_equal(measure("frodoa3", c), ADIT_ERR_PEER);
    assert_non_null(strstr(why.text, "frodoa3"));
    assert_non_null(strstr(why.text, "longer than"));
    assert_int_equal(result.good, 0);
}

static void primitives_of_nothing(void **state)
{
    struct adit_suite unknown = { .ke = { 65000 } }, none = { 0 };
    assert_int_equal(bench_primitives(crypto, &unknown), 0);
    assert_true(bench_primitives(crypto, &none) < MS(1));
}

static int begin(void **state)
{
    crypto = adit_crypto_new(NULL, NULL, &why);
    return crypto ? 0 : -1;
}

static int end(void **state)
{
    adit_crypto_free(crypto);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_and_fragments),      cmocka_unit_test(the_same_seed_gives_the_same),
        cmocka_unit_test(reports_save_fragments),         cmocka_unit_test(a_stock_saves_the_making_of_keys),
        cmocka_unit_test(says_why_nothing_comes_up),      cmocka_unit_test(primitives_of_nothing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
