/* test_read.c - reading messages: each element in a wrong place, limits; input ends at a guard page. */
#include "unit.h"
#include "vici/vici.h"

static const struct {
    const char *what;
    struct adit_span octets;
    bool ok;
} rows[] = {
    { "empty", SPAN_LIT(""), true },
    { "key", SPAN_LIT("\x03\x01k\0\x01v"), true },
    { "empty key and value", SPAN_LIT("\x03\0\0\0"), true },
    { "section, list, item", SPAN_LIT("\x01\x01s\x04\x01l\x05\0\0\x06\x02"), true },
    { "unknown element 0", SPAN_LIT("\0"), false },
    { "unknown element 7", SPAN_LIT("\x07"), false },
    { "section end alone", SPAN_LIT("\x02"), false },
    { "list end alone", SPAN_LIT("\x06"), false },
    { "item outside a list", SPAN_LIT("\x05\0\x01v"), false },
    { "key in a list", SPAN_LIT("\x04\x01l\x03\x01k\0\x01v\x06"), false },
    { "section in a list", SPAN_LIT("\x04\x01l\x01\x01s\x02\x06"), false },
    { "section end in a list", SPAN_LIT("\x01\x01s\x04\x01l\x02\x06"), false },
    { "list in a list", SPAN_LIT("\x04\x01l\x04\x01m\x06\x06"), false },
    { "section left open", SPAN_LIT("\x01\x01s"), false },
    { "list left open", SPAN_LIT("\x04\x01l"), false },
    { "name cut", SPAN_LIT("\x03\x02k"), false },
    { "value cut", SPAN_LIT("\x03\x01k\0\x02v"), false },
    { "value's length cut", SPAN_LIT("\x03\x01k\0"), false },
    { "unprintable name", SPAN_LIT("\x03\x01\x1f\0\x01v"), false },
    { "DEL in a name", SPAN_LIT("\x03\x01\x7f\0\x01v"), false },
};

static bool read_all(struct adit_span octets, struct adit_why *why)
{
    struct vici_read r;
    struct vici_token t;
    vici_read_init(&r, octets);
    while (vici_read_next(&r, &t))
        ;
    return vici_read_end(&r, why) == ADIT_OK;
}

static void elements_stand_where_they_may(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_why why = { 0 };
        assert_row(rows[i].what, read_all(guard_copy(rows[i].octets), &why) == rows[i].ok);
        assert_row(rows[i].what, rows[i].ok || why.text[0]);
    }
}

static void depth_is_limited(void **state)
{
    for (unsigned depth = VICI_DEPTH_MAX; depth <= VICI_DEPTH_MAX + 1; depth++) {
        struct adit_buf m = { 0 };
        for (unsigned i = 0; i < depth; i++)
            assert_int_equal(buf_append(&m, SPAN_LIT("\x01\x01s")), ADIT_OK);
        for (unsigned i = 0; i < depth; i++)
            assert_int_equal(buf_append(&m, SPAN_LIT("\x02")), ADIT_OK);
        assert_int_equal(read_all(buf_span(&m), NULL), depth <= VICI_DEPTH_MAX);
        buf_fini(&m);
    }
}

static void number_of_elements_is_limited(void **state)
{
    struct adit_buf m = { 0 };
    for (unsigned i = 0; i < VICI_ELEMENTS_MAX; i++)
        assert_int_equal(buf_append(&m, SPAN_LIT("\x03\0\0\0")), ADIT_OK);
    assert_true(read_all(buf_span(&m), NULL));
    assert_int_equal(buf_append(&m, SPAN_LIT("\x03\0\0\0")), ADIT_OK);
    assert_false(read_all(buf_span(&m), NULL));
    buf_fini(&m);
}

static void tokens_carry_names_and_values(void **state)
{
    struct vici_read r;
    struct vici_token t;
    vici_read_init(&r, SPAN_LIT("\x03\x01k\0\x01v\x04\x01l\x05\0\x01w\x06"));
    assert_true(vici_read_next(&r, &t));
    assert_true(t.type == VICI_KEY_VALUE && span_equal(t.name, SPAN_LIT("k")) &&
                span_equal(t.value, SPAN_LIT("v")));
    assert_true(vici_read_next(&r, &t));
    assert_true(t.type == VICI_LIST_START && span_equal(t.name, SPAN_LIT("l")));
    assert_true(vici_read_next(&r, &t));
    assert_true(t.type == VICI_LIST_ITEM && t.name.n == 0 && span_equal(t.value, SPAN_LIT("w")));
    assert_true(vici_read_next(&r, &t) && t.type == VICI_LIST_END);
    assert_false(vici_read_next(&r, &t));
    assert_int_equal(vici_read_end(&r, NULL), ADIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_stand_where_they_may),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(number_of_elements_is_limited),
        cmocka_unit_test(tokens_carry_names_and_values),
    };
    return cmocka_run_group_tests_name("vici/read", tests, NULL, NULL);
}
