/* test_arena.c - arenas: alignment, zeroes, big blocks, failing memory. */
#include "unit.h"
#include "base/arena.h"

static void blocks_are_zeroed_aligned_and_apart(void **state)
{
    struct arena a = { 0 };
    static const size_t sizes[] = { 1, 0, 7, 100, 5000, 16, 1, 2048, 2049 };
    uint8_t *before = NULL;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint8_t *p = arena_new(&a, sizes[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xee, sizes[i]);
        if (before && sizes[i - 1])
            assert_int_equal(before[sizes[i - 1] - 1], 0xee);
        before = p;
    }
    arena_fini(&a);
    assert_null(a.last);
}

static void copies_live_in_the_arena(void **state)
{
    struct arena a = { 0 };
    char text[] = "moon.example";
    uint8_t octets[] = { 1, 2, 3 };
    char *s = arena_str(&a, text);
    struct adit_span copy = arena_span(&a, SPAN_ARRAY(octets));
    text[0] = 'x';
    octets[0] = 9;
    assert_string_equal(s, "moon.example");
    assert_true(span_equal(copy, SPAN_LIT("\1\2\3")));
    assert_null(arena_span(&a, SPAN_NONE).p);
    assert_string_equal(arena_str(&a, ""), "");
    arena_fini(&a);
}

static void absurd_sizes_are_refused(void **state)
{
    struct arena a = { 0 };
    assert_null(arena_new(&a, SIZE_MAX));
    assert_null(arena_new(&a, SIZE_MAX / 2 + 1));
    arena_fini(&a);
}

static void failing_memory_keeps_what_is_there(void **state)
{
    struct arena a = { 0 };
    unsigned left = 1;
    mem_set_gate(gate_countdown, &left);
    char *s = arena_str(&a, "kept");
    void *refused = arena_new(&a, 4000);
    struct adit_span none = arena_span(&a, span(s, 5));
    mem_set_gate(NULL, NULL);
    assert_null(refused);
    assert_string_equal(s, "kept");
    assert_int_equal(none.n, 5); /* still fits into the open block */
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_aligned_and_apart),
        cmocka_unit_test(copies_live_in_the_arena),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(failing_memory_keeps_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
