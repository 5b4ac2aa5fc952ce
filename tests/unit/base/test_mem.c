/* test_mem.c - the door to the heap. */
#include "unit.h"
#include "base/mem.h"

static void blocks_are_zeroed(void **state)
{
    uint8_t *p = mem_new(1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    mem_del(p);
    mem_del(NULL);
    void *empty = mem_new(0);
    assert_non_null(empty);
    mem_del(empty);
}

static void array_sizes_do_not_overflow(void **state)
{
    assert_null(mem_new_array(SIZE_MAX / 2, 3));
    void *p = mem_new_array(3, 0);
    assert_non_null(p);
    mem_del(p);
}

static void wiping_clears(void **state)
{
    uint8_t key[32];
    memset(key, 7, sizeof(key));
    mem_wipe(key, 16);
    assert_int_equal(key[0] | key[15], 0);
    assert_int_equal(key[16], 7);
}

static void the_gate_refuses(void **state)
{
    unsigned left = 1;
    mem_set_gate(gate_countdown, &left);
    void *a = mem_new(4), *b = mem_new(4), *c = mem_strdup("x"), *d = mem_resize(a, 100);
    mem_set_gate(NULL, NULL);
    assert_non_null(a);
    assert_null(b);
    assert_null(c);
    assert_null(d);
    char *copy = mem_strdup("text");
    assert_string_equal(copy, "text");
    mem_del(copy);
    mem_del(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed),
        cmocka_unit_test(array_sizes_do_not_overflow),
        cmocka_unit_test(wiping_clears),
        cmocka_unit_test(the_gate_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
