/* test_hold.c - packets that wait: bounds, order, expiry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/mem.h"
#include "dp/hold.h"

static void bounds(void **state)
{
    struct hold *h = mem_new(sizeof(*h));
    uint8_t packet[HOLD_OCTETS + 1] = { 0x45 };
    unsigned n = 0;
    assert_false(hold_put(h, 1, span(packet, HOLD_OCTETS + 1), 0));
    assert_false(hold_put(h, 1, span(packet, 0), 0));
    while (hold_put(h, 1, span(packet, 100), 0))
        n++;
    assert_int_equal(n, HOLD_PER_POLICY);
    for (uint32_t reqid = 2; reqid < 100; reqid++)
        while (hold_put(h, reqid, span(packet, 100), 0))
            n++;
    assert_int_equal(n, HOLD_SLOTS);
    mem_del(h);
}

static void oldest_first_and_skipping(void **state)
{
    struct hold *h = mem_new(sizeof(*h));
    uint64_t from = 0;
    for (uint8_t i = 1; i <= 3; i++)
        assert_true(hold_put(h, i, span(&i, 1), 0));
    struct held *a = hold_next(h, &from);
    assert_int_equal(a->mem[ESP_HEADROOM], 1);
    hold_free(h, a);
    uint8_t four = 4;
    assert_true(hold_put(h, 4, span(&four, 1), 0)); /* takes the first slot, but is the youngest */
    assert_int_equal(hold_next(h, &from)->reqid, 2);
    assert_int_equal(hold_next(h, &from)->reqid, 3);
    assert_int_equal(hold_next(h, &from)->reqid, 4);
    assert_null(hold_next(h, &from));
    from = 0;
    assert_int_equal(hold_next(h, &from)->reqid, 2);
    mem_del(h);
}

static void old_ones_go(void **state)
{
    struct hold *h = mem_new(sizeof(*h));
    uint8_t p = 1;
    assert_true(hold_put(h, 1, span(&p, 1), 0));
    assert_true(hold_put(h, 1, span(&p, 1), 5));
    assert_int_equal(hold_expire(h, HOLD_NS - 1), 0);
    assert_int_equal(hold_expire(h, HOLD_NS), 1);
    assert_int_equal(h->n, 1);
    mem_del(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds),
        cmocka_unit_test(oldest_first_and_skipping),
        cmocka_unit_test(old_ones_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
