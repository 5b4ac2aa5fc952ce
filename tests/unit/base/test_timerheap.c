/* test_timerheap.c - deadlines against a plain search. */
#include "unit.h"
#include "base/timerheap.h"

#define TIMERS 200

static uint64_t earliest(const struct timer *t)
{
    uint64_t at = UINT64_MAX;
    for (size_t i = 0; i < TIMERS; i++)
        if (t[i].pos && t[i].at < at)
            at = t[i].at;
    return at;
}

static void behaves_like_a_search(void **state)
{
    static struct timer t[TIMERS];
    struct timerheap h;
    uint32_t x = 1;
    timerheap_init(&h);
    for (unsigned round = 0; round < 20000; round++) {
        x = x * 1664525 + 1013904223;
        struct timer *one = &t[(x >> 16) % TIMERS];
        if (x >> 30 == 0)
            timer_stop(&h, one);
        else if (x >> 30 == 1)
            (void)timerheap_pop(&h, x & 0xffff);
        else
            assert_int_equal(timer_set(&h, one, x & 0xffff), ADIT_OK);
        assert_true(timerheap_deadline(&h) == earliest(t));
    }
    timerheap_fini(&h);
    for (size_t i = 0; i < TIMERS; i++)
        assert_int_equal(t[i].pos, 0);
}

static void timers_come_in_order(void **state)
{
    static const uint64_t at[] = { 50, 10, 30, 10, 20, 40, 0 };
    struct timer t[ARRAY_LEN(at)] = { 0 };
    struct timerheap h;
    timerheap_init(&h);
    for (size_t i = 0; i < ARRAY_LEN(at); i++)
        assert_int_equal(timer_set(&h, &t[i], at[i]), ADIT_OK);
    uint64_t before = 0;
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        struct timer *due = timerheap_pop(&h, 50);
        assert_non_null(due);
        assert_true(due->at >= before);
        assert_int_equal(due->pos, 0);
        before = due->at;
    }
    assert_null(timerheap_pop(&h, UINT64_MAX));
    assert_true(timerheap_deadline(&h) == UINT64_MAX);
    timerheap_fini(&h);
}

static void a_timer_is_due_at_its_time(void **state)
{
    struct timer t = { 0 };
    struct timerheap h;
    timerheap_init(&h);
    assert_int_equal(timer_set(&h, &t, 100), ADIT_OK);
    assert_null(timerheap_pop(&h, 99));
    assert_int_equal(timer_set(&h, &t, 200), ADIT_OK); /* moved */
    assert_null(timerheap_pop(&h, 100));
    assert_ptr_equal(timerheap_pop(&h, 200), &t);
    timer_stop(&h, &t);
    timerheap_fini(&h);
}

static void failing_memory_arms_nothing(void **state)
{
    struct timer t[40] = { 0 };
    struct timerheap h;
    unsigned left = 1;
    timerheap_init(&h);
    mem_set_gate(gate_countdown, &left);
    size_t armed = 0;
    while (timer_set(&h, &t[armed], armed) == ADIT_OK)
        armed++;
    mem_set_gate(NULL, NULL);
    assert_int_equal(armed, 15); /* 16 places, the first unused */
    assert_int_equal(t[15].pos, 0);
    assert_true(timerheap_deadline(&h) == 0);
    assert_int_equal(timer_set(&h, &t[0], 77), ADIT_OK); /* moving needs no memory */
    timerheap_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_like_a_search),
        cmocka_unit_test(timers_come_in_order),
        cmocka_unit_test(a_timer_is_due_at_its_time),
        cmocka_unit_test(failing_memory_arms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
