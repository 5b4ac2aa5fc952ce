/* test_pmtu.c - what may lower a path MTU, how far, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/span.h"
#include "dp/pmtu.h"

static const struct {
    const char *what;
    uint32_t link;
    bool v6;
    uint32_t told;
    bool taken;
    uint16_t now;
} rows[] = {
    { "lower", 1500, false, 1400, true, 1400 },
    { "equal is refused", 1500, false, 1500, false, 1500 },
    { "higher is refused", 1500, false, 9000, false, 1500 },
    { "not told: next plateau", 1500, false, 0, true, 1492 },
    { "floor of IPv4", 1500, false, 68, true, 576 },
    { "floor of IPv6", 1500, true, 576, true, 1280 },
    { "at the floor already", 576, false, 100, false, 576 },
    { "IPv6 at its floor", 1280, true, 1000, false, 1280 },
    { "link below the floor counts as the floor", 1000, true, 1279, false, 1280 },
    { "link unknown", 0, false, 1499, true, 1499 },
};

static void told_values(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pmtu p;
        pmtu_init(&p, rows[i].link, rows[i].v6);
        bool taken = pmtu_told(&p, rows[i].told, 1);
        if (taken != rows[i].taken || p.now != rows[i].now)
            fail_msg("%s: taken %d, now %u", rows[i].what, taken, p.now);
    }
}

static void lowered_value_ages_out(void **state)
{
    struct pmtu p;
    pmtu_init(&p, 1500, false);
    assert_false(pmtu_age(&p, UINT64_MAX - 1));
    assert_true(pmtu_told(&p, 1300, 1000));
    assert_false(pmtu_age(&p, 1000 + PMTU_AGE_NS - 1));
    assert_int_equal(p.now, 1300);
    assert_true(pmtu_age(&p, 1000 + PMTU_AGE_NS));
    assert_int_equal(p.now, 1500);
    assert_false(pmtu_age(&p, 1000 + 2 * PMTU_AGE_NS));
}

static void link_bounds_it(void **state)
{
    struct pmtu p;
    pmtu_init(&p, 1500, false);
    assert_true(pmtu_link(&p, 1400));
    assert_int_equal(p.now, 1400);
    assert_true(pmtu_told(&p, 1300, 0));
    assert_false(pmtu_link(&p, 9000)); /* the path is still narrow */
    assert_int_equal(p.now, 1300);
    assert_true(pmtu_age(&p, PMTU_AGE_NS));
    assert_int_equal(p.now, 9000);
    assert_true(pmtu_told(&p, 1300, 0));
    assert_true(pmtu_link(&p, 1200));
    assert_int_equal(p.now, 1200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_values),
        cmocka_unit_test(lowered_value_ages_out),
        cmocka_unit_test(link_bounds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
