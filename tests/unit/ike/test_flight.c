/* test_flight.c - messages of several datagrams: paced, repeated as far as needed, and not at the mercy of reports. */
#include "core.h"

#define NOTED 4000

static struct ike_wire *message(uint16_t n)
{
    struct ike_wire *w = wire_new(n, n * 100u);
    for (uint16_t i = 0; i < n; i++) {
        uint8_t *p = wire_next(w, 100);
        p[0] = (uint8_t)(i >> 8);
        p[1] = (uint8_t)i;
        wire_close(w, 100);
    }
    return w;
}

/* What has been sent since the last time, by number. */
struct sent {
    unsigned n, events;
    uint16_t which[NOTED];
};
static struct sent collect(struct ike *ike)
{
    static struct sent s;
    struct adit_event ev;
    s.n = s.events = 0;
    while (adit_ike_poll((struct adit_ike *)ike, &ev)) {
        if (ev.type != ADIT_EV_SEND)
            continue;
        s.events++;
        for (unsigned i = 0; i < ev.n_datagrams && s.n < NOTED; i++)
            s.which[s.n++] = (uint16_t)(ev.datagrams[i].p[0] << 8 | ev.datagrams[i].p[1]);
    }
    return s;
}

static unsigned all_that_leaves(struct ike *ike, struct ike_sa *sa, unsigned most_at_once)
{
    unsigned n = collect(ike).n;
    assert_true(n <= most_at_once);
    while (flights_deadline(sa) != UINT64_MAX) {
        assert_true(flights_deadline(sa) > ike->now);
        ike->now = flights_deadline(sa);
        flights_timer(sa);
        unsigned k = collect(ike).n;
        assert_true(k <= most_at_once);
        n += k;
    }
    return n;
}

static void few_leave_at_once(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    for (uint16_t n = 1; n <= 32; n++) {
        struct ike_wire *w = message(n);
        core_drain(ike);
        flight_send(sa, &sa->path, w);
        assert_int_equal(collect(ike).n, n);
        assert_int_equal(flights_deadline(sa), UINT64_MAX);
        assert_int_equal(flight_defers(sa, w, 1000), 0); /* its timer runs from when it was sent */
        wire_unref(w);
    }
    core_free(ike);
}

/* Some 50 Mbit/s at most while the peer says nothing, and the repetition's time begins with the last one. */
static void many_are_paced(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_wire *w = message(3000);
    core_drain(ike);
    uint64_t began = ike->now;
    flight_send(sa, &sa->path, w);
    assert_true(flight_defers(sa, w, 77) == ike->now + 77);
    assert_int_equal(all_that_leaves(ike, sa, 32), 3000);
    assert_true(ike->now - began >= 3000ull * 100 * 1000000000 / 6250000 * 9 / 10);
    assert_int_equal(flight_defers(sa, w, 77), ike->now + 77 + MILLISECONDS(3000));
    assert_int_equal(flight_defers(sa, w, 77), 0);
    flight_send(sa, &sa->path, w); /* nothing was heard: all of it */
    assert_int_equal(all_that_leaves(ike, sa, 32), 3000);
    wire_unref(w);
    core_free(ike);
}

static void what_nobody_needs_stays(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_wire *w = message(300);
    core_drain(ike);
    flight_send(sa, &sa->path, w);
    flight_stop(w);
    flight_stop(w);
    assert_int_equal(flights_deadline(sa), UINT64_MAX);
    assert_int_equal(all_that_leaves(ike, sa, 32), 32);
    flight_stop(NULL);
    wire_unref(w);
    core_free(ike);
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

static const struct ike_hdr about_reply = { .exchange = XCHG_IKE_INTERMEDIATE, .flags = 0, .msgid = 0 };

/* An answer of n datagrams, on its way. */
static struct ike_sa *answering(struct ike *ike, uint16_t n)
{
    static const uint8_t digest[16];
    struct ike_sa *sa = core_sa(ike, false);
    struct ike_wire *w = message(n);
    sa->next_expect = 0;
    sa->round_trip = MILLISECONDS(10);
    window_store(sa, 0, w, digest);
    core_drain(ike);
    flight_send(sa, &sa->path, w);
    wire_unref(w);
    return sa;
}

static void tell(struct ike_sa *sa, uint16_t total, uint16_t first, uint16_t last, const uint8_t *got)
{
    sa_report(sa, &about_reply, &(struct ike_report){ total, first, last, got });
}

static void only_what_is_missing_goes_again(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = answering(ike, 100);
    uint8_t got[13];
    memset(got, 0xff, sizeof(got));
    assert_int_equal(all_that_leaves(ike, sa, 32), 100);
    assert_int_equal(sa_reported_total(sa, &about_reply), 100);
    got[1] = 0x3f; /* fragments 9 and 10 */
    tell(sa, 100, 1, 100, got);
    assert_int_equal(all_that_leaves(ike, sa, 32), 0); /* they may be on their way still */
    ike->now += MILLISECONDS(50);
    tell(sa, 100, 1, 100, got);
    assert_int_equal(all_that_leaves(ike, sa, 32), 2);
    tell(sa, 100, 1, 100, got);
    assert_int_equal(all_that_leaves(ike, sa, 32), 0); /* the same, too early */
    core_free(ike);
}

static void lies_do_no_harm(void **state)
{
    static const struct {
        const char *what;
        uint16_t total, first, last;
    } rows[] = {
        { "another total", 99, 1, 99 }, { "a larger total", 101, 1, 101 }, { "first 0", 100, 0, 100 },
        { "reversed", 100, 7, 6 },      { "beyond the end", 100, 90, 101 },
    };
    static const uint8_t none[16], all[16] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
    struct ike *ike = core_new();
    struct ike_sa *sa = answering(ike, 100);
    unsigned first = collect(ike).n;
    tell(sa, 100, 1, 100, all); /* 33 to 100 have never been sent */
    assert_int_equal(first + all_that_leaves(ike, sa, 32), 100);
    ike->now += MILLISECONDS(50);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        tell(sa, rows[i].total, rows[i].first, rows[i].last, none);
        assert_row(rows[i].what, all_that_leaves(ike, sa, 32) == 0);
    }
    struct ike_hdr other = about_reply; /* about another message */
    other.msgid++;
    sa_report(sa, &other, &(struct ike_report){ 100, 1, 100, none });
    assert_int_equal(all_that_leaves(ike, sa, 32), 0);
    assert_int_equal(sa_reported_total(sa, &other), 0);
    core_free(ike);
}

/* Whoever asks for all of it again and again gets ten times as much, and is not listened to any more. */
static void a_flood_has_an_end(void **state)
{
    static const uint8_t none[16];
    struct ike *ike = core_new();
    struct ike_sa *sa = answering(ike, 100);
    uint32_t expects = sa->next_expect;
    unsigned n = all_that_leaves(ike, sa, 32), reports = 0;
    for (; sa_reported_total(sa, &about_reply) && reports < 10000; reports++) {
        ike->now += MILLISECONDS(50);
        tell(sa, 100, 1, 100, none);
        n += all_that_leaves(ike, sa, 32);
    }
    assert_true(reports == 264 && n <= 11 * 100);
    assert_int_equal(sa->next_expect, expects); /* no message ID has moved */
    core_free(ike);
}

/* A repetition to a peer that reports asks by fragment 1 what it lacks, three times; then comes all of it. */
static void a_repetition_asks_first(void **state)
{
    static const uint8_t some[16] = { 0xff };
    struct ike *ike = core_new();
    struct ike_sa *sa = answering(ike, 100);
    all_that_leaves(ike, sa, 32);
    tell(sa, 100, 1, 100, some);
    for (unsigned i = 0; i < 5; i++) {
        flight_send(sa, &sa->path, sa->reply.wire);
        assert_int_equal(all_that_leaves(ike, sa, 32), i < 3 ? 1 : 100);
    }
    core_free(ike);
}

static void memory_may_be_out(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_wire *w = message(100);
    unsigned left = 0;
    core_drain(ike);
    mem_set_gate(gate_countdown, &left);
    flight_send(sa, &sa->path, w); /* all at once, then, if there is memory for the event */
    mem_set_gate(NULL, NULL);
    collect(ike);
    assert_int_equal(flights_deadline(sa), UINT64_MAX);
    wire_unref(w);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_leave_at_once),   cmocka_unit_test(many_are_paced),
        cmocka_unit_test(what_nobody_needs_stays), cmocka_unit_test(only_what_is_missing_goes_again),
        cmocka_unit_test(lies_do_no_harm),     cmocka_unit_test(a_flood_has_an_end),
        cmocka_unit_test(a_repetition_asks_first), cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
