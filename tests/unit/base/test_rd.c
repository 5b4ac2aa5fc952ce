/* test_rd.c - the shrinking reader; all input ends at a guard page. */
#include "unit.h"
#include "base/rd.h"

static void numbers_are_big_endian(void **state)
{
    struct rd in =
        rd_init(guard_copy(SPAN_LIT("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f")));
    assert_int_equal(rd_u8(&in), 0x01);
    assert_int_equal(rd_u16(&in), 0x0203);
    assert_int_equal(rd_u32(&in), 0x04050607);
    assert_true(rd_u64(&in) == UINT64_C(0x08090a0b0c0d0e0f));
    assert_true(rd_end(&in));
    assert_int_equal(in.at, 15);
}

enum op { U8, U16, U32, U64, TAKE, SKIP, SUB };
static const struct {
    const char *what;
    enum op op;
    size_t arg, have;
    bool ok;
} rows[] = {
    { "u8 of nothing", U8, 0, 0, false },       { "u8 of one", U8, 0, 1, true },
    { "u16 one short", U16, 0, 1, false },      { "u16 exact", U16, 0, 2, true },
    { "u32 one short", U32, 0, 3, false },      { "u32 exact", U32, 0, 4, true },
    { "u64 one short", U64, 0, 7, false },      { "u64 exact", U64, 0, 8, true },
    { "take all", TAKE, 5, 5, true },           { "take nothing of nothing", TAKE, 0, 0, true },
    { "take one too many", TAKE, 6, 5, false }, { "take SIZE_MAX", TAKE, SIZE_MAX, 5, false },
    { "skip all", SKIP, 5, 5, true },           { "skip too far", SKIP, 6, 5, false },
    { "child of all", SUB, 5, 5, true },        { "child too long", SUB, 6, 5, false },
};

static uint64_t run(struct rd *in, enum op op, size_t arg)
{
    switch (op) {
    case U8: return rd_u8(in);
    case U16: return rd_u16(in);
    case U32: return rd_u32(in);
    case U64: return rd_u64(in);
    case TAKE: return rd_take(in, arg).n;
    case SKIP: rd_skip(in, arg); return 0;
    case SUB: return rd_sub(in, arg).n;
    }
    return 0;
}

static void reading_past_the_end_fails_for_good(void **state)
{
    static const uint8_t octets[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rd in = rd_init(guard_copy(span(octets, rows[i].have)));
        uint64_t v = run(&in, rows[i].op, rows[i].arg);
        assert_row(rows[i].what, rd_ok(&in) == rows[i].ok);
        if (rows[i].ok)
            continue;
        assert_row(rows[i].what, v == 0);
        assert_row(rows[i].what, !rd_more(&in));
        assert_row(rows[i].what, rd_u8(&in) == 0 && rd_rest(&in).n == 0 && !rd_end(&in));
        assert_row(rows[i].what, in.at == 0);
    }
}

static void a_child_stays_inside(void **state)
{
    struct rd in = rd_init(guard_copy(SPAN_LIT("abcdef")));
    rd_skip(&in, 1);
    struct rd child = rd_sub(&in, 3);
    assert_int_equal(rd_u16(&child), 'b' << 8 | 'c');
    assert_int_equal(rd_u16(&child), 0); /* "de" is there, but belongs to the parent */
    assert_int_equal(child.at, 3);
    assert_true(rd_ok(&in));
    assert_int_equal(in.p[0], 'e');
    assert_false(rd_join(&in, &child));
    assert_string_equal(in.fail, "too short");
    assert_int_equal(in.at, 3);
}

static void a_good_child_leaves_the_parent_good(void **state)
{
    struct rd in = rd_init(guard_copy(SPAN_LIT("abcdef")));
    struct rd child = rd_sub(&in, 3);
    assert_int_equal(rd_rest(&child).n, 3);
    assert_true(rd_join(&in, &child));
    assert_int_equal(rd_rest(&in).n, 3);
    assert_true(rd_end(&in));
}

static void the_first_reason_stays(void **state)
{
    struct rd in = rd_init(guard_copy(SPAN_LIT("abc")));
    rd_u8(&in);
    assert_true(rd_require(&in, true, "not this one"));
    assert_false(rd_require(&in, false, "reason"));
    assert_false(rd_require(&in, false, "later"));
    rd_u64(&in);
    assert_string_equal(in.fail, "reason");
    assert_int_equal(in.at, 1);
    assert_false(rd_require(&in, true, "x"));
}

static void left_over_octets_are_a_failure(void **state)
{
    struct rd in = rd_init(guard_copy(SPAN_LIT("abc")));
    rd_u16(&in);
    assert_true(rd_more(&in));
    assert_false(rd_end(&in));
    assert_string_equal(in.fail, "octets left over");
}

static void an_empty_span_without_memory_is_fine(void **state)
{
    struct rd in = rd_init(SPAN_NONE);
    assert_false(rd_more(&in));
    assert_int_equal(rd_rest(&in).n, 0);
    assert_true(rd_end(&in));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(reading_past_the_end_fails_for_good),
        cmocka_unit_test(a_child_stays_inside),
        cmocka_unit_test(a_good_child_leaves_the_parent_good),
        cmocka_unit_test(the_first_reason_stays),
        cmocka_unit_test(left_over_octets_are_a_failure),
        cmocka_unit_test(an_empty_span_without_memory_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
