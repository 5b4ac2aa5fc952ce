/* test_text.c - ages as people say them, and lines that every VICI client shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "daemon/text.h"

static void ages_have_two_units_at_most(void **state)
{
    static const struct {
        uint64_t s;
        const char *wanted;
    } rows[] = {
        { 0, "0 s" },          { 59, "59 s" },
        { 60, "1 min" },       { 3599, "59 min" },
        { 3600, "1 h 0 min" }, { 86399, "23 h 59 min" },
        { 86400, "1 d 0 h" },  { 41 * 86400 + 3 * 3600, "41 d 3 h" },
    };
    char out[64];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        text_age(out, sizeof(out), rows[i].s);
        assert_string_equal(out, rows[i].wanted);
    }
}

static void lines_are_printable_ascii(void **state)
{
    static const struct {
        const char *in, *wanted;
    } rows[] = {
        { "plain", "plain" },
        { "a\nb", "a b" },
        { "caf\xc3\xa9!", "caf?!" },
        { "\x01x", "?x" },
        { "longer than the buffer", "longer than the buffe" },
    };
    char out[22];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        text_ascii(out, sizeof(out), rows[i].in);
        assert_string_equal(out, rows[i].wanted);
    }
}

static void grows(void **state)
{
    struct text t = { 0 };
    assert_string_equal(text_str(&t), "");
    for (int i = 0; i < 1000; i++)
        text_addf(&t, "%03d,", i);
    assert_true(text_ok(&t));
    assert_int_equal(t.buf.n, 4000);
    assert_memory_equal(text_str(&t) + 3996, "999,", 5);
    text_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ages_have_two_units_at_most),
        cmocka_unit_test(lines_are_printable_ascii),
        cmocka_unit_test(grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
