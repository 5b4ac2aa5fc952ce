/* test_segment.c - ready-made datagrams: one block, as many owners as need it. */
#include "core.h"

static void datagrams_lie_one_after_the_other(void **state)
{
    for (uint16_t n = 1; n < 70; n++) {
        size_t octets = 0;
        for (uint16_t i = 0; i < n; i++)
            octets += i;
        struct ike_wire *w = wire_new(n, octets);
        assert_non_null(w);
        for (uint16_t i = 0; i < n; i++) { /* 0, 1, 2 .. octets: no length but theirs may count */
            uint8_t *p = wire_next(w, i);
            assert_non_null(p);
            for (uint16_t k = 0; k < i; k++)
                p[k] = (uint8_t)n;
            wire_close(w, i);
        }
        assert_int_equal(w->made, n);
        assert_null(wire_next(w, 0)); /* all are made */
        for (uint16_t i = 0; i < n; i++) {
            assert_int_equal(w->datagrams[i].n, i);
            for (uint16_t k = 0; k < i; k++)
                assert_int_equal(w->datagrams[i].p[k], (uint8_t)n);
        }
        wire_unref(w);
    }
}

static void there_is_no_more_room_than_asked_for(void **state)
{
    struct ike_wire *w = wire_new(3, 10);
    assert_null(wire_next(w, 11));
    assert_non_null(wire_next(w, 8));
    wire_close(w, 6); /* shorter than thought: the rest is free again */
    assert_null(wire_next(w, 5));
    assert_non_null(wire_next(w, 4));
    wire_close(w, 4);
    assert_null(wire_next(w, 1));
    assert_non_null(wire_next(w, 0));
    wire_unref(w);
}

static void it_lives_as_long_as_its_last_owner(void **state)
{
    struct ike_wire *w = wire_new(1, 1);
    assert_ptr_equal(wire_ref(w), w);
    wire_unref(w);
    *wire_next(w, 1) = 7; /* the sanitizer would tell */
    wire_close(w, 1);
    assert_int_equal(w->datagrams[0].p[0], 7);
    wire_unref(w);
    wire_unref(NULL);
}

static void memory_may_be_out(void **state)
{
    unsigned left = 0;
    mem_set_gate(gate_countdown, &left);
    struct ike_wire *w = wire_new(1, 1);
    mem_set_gate(NULL, NULL);
    assert_null(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_lie_one_after_the_other),
        cmocka_unit_test(there_is_no_more_room_than_asked_for),
        cmocka_unit_test(it_lives_as_long_as_its_last_owner),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
