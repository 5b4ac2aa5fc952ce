/* test_format.c - numbers as people read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/span.h"
#include "cli/cli.h"

static void formats_numbers_for_people(void **state)
{
    static const struct {
        unsigned long long n;
        const char *wanted;
    } bytes[] = {
        { 0, "0 B" }, { 999, "999 B" }, { 1000, "1.0 kB" }, { 1234567, "1.2 MB" }, { 999960000, "1.0 GB" },
    };
    static const struct {
        long long n;
        const char *wanted;
    } ages[] = {
        { -5, "0 s" },
        { 61, "1 min" },
        { 7500, "2 h 5 min" },
        { 3553200, "41 d 3 h" },
    };
    char out[32];
    for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
        assert_string_equal(format_bytes(out, sizeof(out), bytes[i].n), bytes[i].wanted);
    for (size_t i = 0; i < ARRAY_LEN(ages); i++)
        assert_string_equal(format_age(out, sizeof(out), ages[i].n), ages[i].wanted);
    assert_int_equal(format_number("12", -1), 12);
    assert_int_equal(format_number("12x", -1), -1);
    assert_int_equal(format_number(NULL, 7), 7);
    assert_string_equal(format_socket("unix:///run/x"), "/run/x");
    assert_string_equal(format_socket("/run/x"), "/run/x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_numbers_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
