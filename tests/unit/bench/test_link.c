/* test_link.c - the link in memory: when what arrives, and what does not. */
#include "unit.h"
#include "bench/link.h"

#define MS(n) ((uint64_t)(n)*1000000)

static struct adit_path path_of(uint16_t port, bool tcp)
{
    return (struct adit_path){ .local = { .port = port }, .remote = { .port = port }, .tcp = tcp };
}

static void arrives_after_transfer_and_half_a_round_trip(void **state)
{
    static const struct {
        const char *what;
        double mbit;
        uint16_t port;
        bool tcp;
        size_t n;
        uint64_t octets, at; /* of the second of two */
    } rows[] = {
        { "no limit", 0, 500, false, 972, 1000, MS(10) },
        { "8 Mbit/s: an octet a microsecond", 8, 500, false, 972, 1000, MS(12) },
        { "NAT-T: the marker", 8, 4500, false, 968, 1000, MS(12) },
        { "TCP: frame and one segment's headers", 8, 4500, true, 954, 1000, MS(12) },
        { "TCP: two segments", 8, 4500, true, 1914, 2000, MS(14) },
    };
    static uint8_t mem[4000];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench_link link = { .rtt_ns = MS(20), .mbit = rows[i].mbit };
        struct bench_wire w;
        struct adit_path path = path_of(rows[i].port, rows[i].tcp);
        wire_init(&w, &link, 1);
        for (int k = 0; k < 2; k++)
            assert_true(wire_send(&w, 0, &path, span(mem, rows[i].n), 0));
        assert_null(wire_first(&w, 0));
        struct link_item *first = wire_first(&w, 1);
        assert_non_null(first);
        assert_int_equal(first->n, rows[i].n);
        wire_drop(first);
        assert_row(rows[i].what, w.way[0].octets == 2 * rows[i].octets);
        assert_row(rows[i].what, wire_first(&w, 1)->at == rows[i].at);
        wire_fini(&w);
    }
}

static void a_full_queue_drops(void **state)
{
    struct bench_link link = { .mbit = 8, .queue_octets = 4500 };
    struct bench_wire w;
    struct adit_path path = path_of(500, false);
    static uint8_t mem[972];
    wire_init(&w, &link, 1);
    for (int i = 0; i < 10; i++)
        assert_true(wire_send(&w, 0, &path, SPAN_ARRAY(mem), 0));
    assert_int_equal(w.way[0].dropped, 5);
    assert_true(wire_send(&w, 0, &path, SPAN_ARRAY(mem), MS(5))); /* it has emptied */
    assert_int_equal(w.way[0].dropped, 5);
    assert_int_equal(w.way[0].datagrams, 11);
    wire_fini(&w);
}

/* Of n datagrams: how many are lost, and in how many rows. */
static void lose(const struct bench_link *link, uint64_t seed, unsigned n, unsigned *lost, unsigned *rows)
{
    struct bench_wire w;
    struct adit_path path = path_of(500, false);
    bool was = false;
    wire_init(&w, link, seed);
    *rows = 0;
    for (unsigned i = 0; i < n; i++) {
        uint64_t before = w.way[0].dropped;
        assert_true(wire_send(&w, 0, &path, SPAN_LIT("x"), i));
        bool is = w.way[0].dropped > before;
        *rows += is && !was;
        was = is;
    }
    *lost = (unsigned)w.way[0].dropped;
    wire_fini(&w);
}

static void loses_as_many_as_it_should(void **state)
{
    static const struct {
        double loss;
        unsigned burst, rows_least, rows_most; /* for 1000 lost */
    } rows[] = { { 0.01, 1, 970, 1001 }, { 0.05, 1, 930, 970 }, { 0.05, 8, 100, 150 }, { 0.2, 4, 225, 275 } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench_link link = { .loss = rows[i].loss, .burst = rows[i].burst };
        unsigned lost, n, wanted = (unsigned)(rows[i].loss * 200000), again, n_again;
        lose(&link, 7, 200000, &lost, &n);
        assert_in_range(lost, wanted * 9 / 10, wanted * 11 / 10);
        assert_in_range(n * 1000 / lost, rows[i].rows_least, rows[i].rows_most);
        lose(&link, 7, 200000, &again, &n_again);
        assert_true(again == lost && n_again == n);
        lose(&link, 8, 200000, &again, &n_again);
        assert_false(again == lost && n_again == n);
    }
}

static void nothing_is_lost_on_a_connection(void **state)
{
    struct bench_link link = { .loss = 0.9, .queue_octets = 1, .mbit = 1 };
    struct bench_wire w;
    struct adit_path path = path_of(4500, true);
    wire_init(&w, &link, 1);
    for (int i = 0; i < 50; i++)
        assert_true(wire_send(&w, 1, &path, SPAN_LIT("x"), 0));
    assert_int_equal(w.way[1].dropped, 0);
    wire_fini(&w);
}

static void an_inbox_is_in_order_of_time(void **state)
{
    static const uint64_t at[] = { 5, 1, 5, 3, 9, 0 };
    static const uint32_t order[] = { 5, 1, 3, 0, 2, 4 }; /* of equals the first comes first */
    struct bench_link link = { 0 };
    struct bench_wire w;
    wire_init(&w, &link, 1);
    for (uint32_t i = 0; i < ARRAY_LEN(at); i++)
        assert_true(wire_put(&w, 0, &(struct link_item){ .kind = LINK_STREAM, .at = at[i], .ike_id = i }, SPAN_NONE));
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_int_equal(wire_first(&w, 0)->ike_id, order[i]);
        wire_drop(wire_first(&w, 0));
    }
    assert_null(wire_first(&w, 0));
    wire_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrives_after_transfer_and_half_a_round_trip),
        cmocka_unit_test(a_full_queue_drops),
        cmocka_unit_test(loses_as_many_as_it_should),
        cmocka_unit_test(nothing_is_lost_on_a_connection),
        cmocka_unit_test(an_inbox_is_in_order_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
