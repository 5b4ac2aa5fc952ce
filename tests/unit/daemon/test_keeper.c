/* test_keeper.c - how long a child that should be up waits for its next attempt, and which action is for which end. What
 * becomes of it with two daemons: test_commands.c, tests/netns/heal.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "daemon/keeper.h"

static void waits_longer_and_longer_up_to_a_ceiling(void **state)
{
    static const struct {
        unsigned failures;
        bool refused;
        uint64_t ms; /* without jitter: an eighth less up to an eighth more */
    } rows[] = {
        { 0, false, 3000 },  { 1, false, 3000 },   { 2, false, 6000 },   { 3, false, 12000 }, { 5, false, 48000 },
        { 6, false, 60000 }, { 90, false, 60000 }, { 1, true, 4000 },    { 2, true, 12000 },  { 4, true, 108000 },
        { 6, true, 900000 }, { 4000000000u, true, 900000 },
    };
    static const uint32_t randoms[] = { 0, 1, 750, 123456789, UINT32_MAX };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (size_t k = 0; k < sizeof(randoms) / sizeof(*randoms); k++) {
            uint64_t ms = keeper_delay_ms(rows[i].failures, rows[i].refused, randoms[k]);
            assert_in_range(ms, rows[i].ms - rows[i].ms / 8, rows[i].ms + rows[i].ms / 8);
        }
}

static void each_end_has_its_action(void **state)
{
    struct adit_child_cfg c = { .start_action = ADIT_ACTION_START, .dpd_action = ADIT_ACTION_TRAP };
    assert_int_equal(keeper_action(&c, ADIT_ERR_TIMEOUT), ADIT_ACTION_TRAP);
    assert_int_equal(keeper_action(&c, ADIT_ERR_CLOSED), ADIT_ACTION_NONE);
    assert_int_equal(keeper_action(&c, ADIT_OK), ADIT_ACTION_START | ADIT_ACTION_TRAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_longer_and_longer_up_to_a_ceiling),
        cmocka_unit_test(each_end_has_its_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
