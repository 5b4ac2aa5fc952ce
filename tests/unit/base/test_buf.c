/* test_buf.c - owned bytes. */
#include "unit.h"
#include "base/buf.h"

static void contents_follow_the_calls(void **state)
{
    struct adit_buf b = { 0 };
    assert_int_equal(buf_set(&b, SPAN_LIT("abc")), ADIT_OK);
    assert_int_equal(buf_append(&b, SPAN_LIT("defg")), ADIT_OK);
    assert_true(span_equal(buf_span(&b), SPAN_LIT("abcdefg")));
    assert_int_equal(buf_resize(&b, 3), ADIT_OK);
    assert_int_equal(buf_resize(&b, 5), ADIT_OK);
    assert_true(span_equal(buf_span(&b), SPAN_LIT("abc\0\0")));
    assert_int_equal(buf_set(&b, SPAN_NONE), ADIT_OK);
    assert_int_equal(b.n, 0);
    buf_fini(&b);
    buf_fini(&b);
    assert_null(b.p);
}

static void many_appends_grow_it(void **state)
{
    struct adit_buf b = { 0 };
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t octet = (uint8_t)(i * 7);
        assert_int_equal(buf_append(&b, span(&octet, 1)), ADIT_OK);
    }
    assert_int_equal(b.n, 5000);
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(b.p[i], (uint8_t)(i * 7));
    buf_wipe(&b);
    assert_int_equal(b.cap, 0);
}

static void reserve_keeps_octets_beyond_n(void **state)
{
    struct adit_buf b = { 0 };
    assert_int_equal(buf_reserve(&b, 8), ADIT_OK);
    memset(b.p, 0x5a, 8); /* as a writer under way does */
    assert_int_equal(buf_reserve(&b, 64), ADIT_OK);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.p[7], 0x5a);
    buf_fini(&b);
}

static void moving_leaves_the_source_empty(void **state)
{
    struct adit_buf a = { 0 }, b = { 0 };
    assert_int_equal(buf_set(&a, SPAN_LIT("new")), ADIT_OK);
    assert_int_equal(buf_set(&b, SPAN_LIT("old")), ADIT_OK);
    buf_move(&b, &a);
    assert_true(span_equal(buf_span(&b), SPAN_LIT("new")));
    assert_null(a.p);
    buf_move(&b, &b);
    assert_true(span_equal(buf_span(&b), SPAN_LIT("new")));
    buf_fini(&b);
}

static void failing_memory_changes_nothing(void **state)
{
    struct adit_buf b = { 0 };
    unsigned left = 0;
    assert_int_equal(buf_set(&b, SPAN_LIT("abc")), ADIT_OK);
    mem_set_gate(gate_countdown, &left);
    enum adit_rc rc[] = { buf_set(&b, span_str("longer than what there is")), buf_resize(&b, 1000),
                          buf_append(&b, span_str("longer than what there is, "
                                                  "and than what it would grow to by itself anyway")),
                          buf_reserve(&b, 1000) };
    mem_set_gate(NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rc); i++)
        assert_int_equal(rc[i], ADIT_ERR_MEMORY);
    assert_true(span_equal(buf_span(&b), SPAN_LIT("abc")));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_follow_the_calls),      cmocka_unit_test(many_appends_grow_it),
        cmocka_unit_test(reserve_keeps_octets_beyond_n),  cmocka_unit_test(moving_leaves_the_source_empty),
        cmocka_unit_test(failing_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
