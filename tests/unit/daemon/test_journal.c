/* test_journal.c - totals never fall; up and down are about the last SA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "daemon/journal.h"

static void counts_stay_when_an_sa_goes(void **state)
{
    struct journal j;
    struct adit_child_stats one = { .bytes_in = 100, .packets_in = 2, .bytes_out = 7, .last_in_at = 50 };
    struct adit_child_stats two = { .bytes_in = 11, .packets_in = 1, .last_in_at = 40, .errors_in = 3 };
    journal_init(&j);
    journal_finished(&j, "gw", "net", &one);
    journal_finished(&j, "gw", "net", &two);
    journal_finished(&j, "gw", "other", &two);
    const struct journal_entry *e = journal_find(&j, "gw", "net");
    assert_non_null(e);
    assert_int_equal(e->finished.bytes_in, 111);
    assert_int_equal(e->finished.packets_in, 3);
    assert_int_equal(e->finished.bytes_out, 7);
    assert_int_equal(e->finished.errors_in, 3);
    assert_int_equal(e->finished.last_in_at, 50);
    assert_null(journal_find(&j, "gw", "third"));
    journal_fini(&j);
}

static void is_up_while_any_sa_lives(void **state)
{
    struct journal j;
    journal_init(&j);
    journal_up(&j, "gw", "", 10);
    journal_up(&j, "gw", "", 20); /* make before break */
    const struct journal_entry *e = journal_find(&j, "gw", "");
    assert_int_equal(e->live, 2);
    assert_int_equal(e->changed_at, 10);
    journal_down(&j, "gw", "", 30);
    assert_int_equal(e->live, 1);
    assert_int_equal(e->changed_at, 10);
    journal_down(&j, "gw", "", 40);
    assert_int_equal(e->live, 0);
    assert_int_equal(e->changed_at, 40);
    journal_down(&j, "gw", "", 50); /* one too many: a failed SA that never was up */
    assert_int_equal(e->live, 0);
    assert_int_equal(e->changed_at, 40);
    journal_rekeyed(&j, "gw", "");
    assert_int_equal(e->rekeys, 1);
    assert_int_equal(e->ups, 2);
    journal_fini(&j);
}

static void puts_handshakes_into_buckets(void **state)
{
    static const struct {
        const char *what;
        double seconds;
        unsigned bucket;
    } rows[] = {
        { "faster than all bounds", 0.001, 0 },
        { "on a bound", 0.005, 0 },
        { "just above it", 0.0051, 1 },
        { "slow", 4, 7 },
        { "slower than all bounds", 100, JOURNAL_BUCKETS },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct journal j;
        journal_init(&j);
        journal_handshake(&j, "CURVE_25519", rows[i].seconds);
        if (j.handshake[0].bucket[rows[i].bucket] != 1 || j.handshake[0].count != 1)
            fail_msg("%s", rows[i].what);
        journal_fini(&j);
    }
}

static void keeps_histograms_bounded(void **state)
{
    struct journal j;
    char ke[16];
    journal_init(&j);
    for (int i = 0; i < 100; i++) {
        snprintf(ke, sizeof(ke), "KE_%d", i);
        journal_handshake(&j, ke, 0.01);
    }
    assert_int_equal(j.n_handshake, JOURNAL_KE_MAX);
    assert_string_equal(j.handshake[JOURNAL_KE_MAX - 1].ke, "other");
    assert_int_equal(j.handshake[JOURNAL_KE_MAX - 1].count, 100 - JOURNAL_KE_MAX + 1);
    journal_fini(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_stay_when_an_sa_goes),
        cmocka_unit_test(is_up_while_any_sa_lives),
        cmocka_unit_test(puts_handshakes_into_buckets),
        cmocka_unit_test(keeps_histograms_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
