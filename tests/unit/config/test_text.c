/* test_text.c - values as people write them: a table for each row of management.md s4.2. */
#include "unit.h"
#include "config/text.h"

static const struct {
    const char *text;
    bool ok;
    uint64_t value, sum; /* sum: with sums allowed, if that differs; 1 = the same */
} times[] = {
    { "0", true, 0, 1 },
    { "90", true, 90, 1 },
    { "90s", true, 90, 1 },
    { "2 m", true, 120, 1 },
    { "4H", true, 14400, 1 },
    { "1d", true, 86400, 1 },
    { "1h30m", false, 0, 5400 },
    { "1h 30m", false, 0, 5400 },
    { "010", false, 0, 0 },
    { "10w", false, 0, 0 },
    { "h", false, 0, 0 },
    { "", false, 0, 0 },
    { "-1", false, 0, 0 },
    { "4294967296", false, 0, 0 },
    { "1.5h", false, 0, 0 },
    { "1234567890s    ", true, 1234567890, 1 },
    { "1234567890s     ", false, 0, 1234567890 },
};

static void times_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        uint64_t v = 0, sum = times[i].sum == 1 ? times[i].value : times[i].sum;
        assert_row(times[i].text, value_time(times[i].text, false, &v) == times[i].ok);
        assert_row(times[i].text, !times[i].ok || v == times[i].value);
        assert_row(times[i].text, value_time(times[i].text, true, &v) == (times[i].ok || times[i].sum));
        assert_row(times[i].text, !(times[i].ok || times[i].sum) || v == sum);
    }
}

static const struct {
    const char *text;
    bool ok;
    uint64_t value;
} sizes[] = {
    { "0", true, 0 },
    { "1000", true, 1000 },
    { "1k", true, 1024 },
    { "2 M", true, 2 << 20 },
    { "3G", true, 3ull << 30 },
    { "1t", false, 0 },
    { "1kb", false, 0 },
    { "k", false, 0 },
    { "", false, 0 },
    { "01k", false, 0 },
    { "9000000000000000000g", true, UINT64_MAX },
};

static void sizes_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint64_t v = 0;
        assert_row(sizes[i].text,
                   value_size(sizes[i].text, &v) == sizes[i].ok && (!sizes[i].ok || v == sizes[i].value));
    }
}

static const struct {
    const char *text;
    int value; /* -1: refused */
} bools[] = {
    { "yes", 1 },      { "TRUE", 1 }, { "Enabled", 1 }, { "1", 1 },  { "no", 0 }, { "false", 0 },
    { "disabled", 0 }, { "0", 0 },    { "on", -1 },     { "y", -1 }, { "", -1 },  { "2", -1 },
};

static void booleans_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bools); i++) {
        bool v;
        bool ok = value_bool(bools[i].text, &v);
        assert_row(bools[i].text, ok == (bools[i].value >= 0) && (!ok || v == (bools[i].value == 1)));
    }
}

static void numbers_are_strict(void **state)
{
    uint64_t v;
    assert_true(value_number(span_str("65535"), 65535, &v) && v == 65535);
    assert_true(value_number(span_str("0"), 65535, &v) && v == 0);
    assert_false(value_number(span_str("65536"), 65535, &v));
    assert_false(value_number(span_str("00"), 65535, &v));
    assert_false(value_number(span_str("1x"), 65535, &v));
    assert_false(value_number(span_str("18446744073709551616"), UINT64_MAX, &v));
    assert_true(value_number(span_str("18446744073709551615"), UINT64_MAX, &v) && v == UINT64_MAX);
    assert_false(value_number(span_str("7"), 5, &v));
}

static void reals_are_read(void **state)
{
    double v;
    assert_true(value_real("1.8", &v) && v > 1.79 && v < 1.81);
    assert_true(value_real("4", &v) && v > 3.9 && v < 4.1);
    assert_false(value_real("", &v));
    assert_false(value_real("-1", &v));
    assert_false(value_real("1e5", &v));
    assert_false(value_real("0x10", &v));
    assert_false(value_real("1.2.3", &v));
}

static void words_are_split_and_trimmed(void **state)
{
    static const char *const want[] = { "a", "b c", "", "d,e", "f" };
    struct words w = { "a, b c ,,'d,e',\"f\"", ',' };
    struct adit_span word;
    size_t n = 0;
    for (; words_next(&w, &word); n++)
        assert_row(want[n], span_equal(word, span_str(want[n])));
    assert_int_equal(n, ARRAY_LEN(want));
}

static void words_have_an_index(void **state)
{
    assert_int_equal(word_index("no|never|keep", span_str("KEEP")), 2);
    assert_int_equal(word_index("no|never|keep", span_str("kee")), -1);
    assert_int_equal(word_index("no|never|keep", span_str("")), -1);
}

static const struct {
    const char *text;
    bool ok;
    struct adit_span value;
} octets[] = {
    { "secret", true, SPAN_LIT("secret") },
    { "0x00ff", true, SPAN_LIT("\0\xff") },
    { "0X0A", true, SPAN_LIT("\n") },
    { "0sAP8=", true, SPAN_LIT("\0\xff") },
    { "0sAP8", true, SPAN_LIT("\0\xff") },
    { "0SYWJj", true, SPAN_LIT("abc") },
    { "0x0", false, { 0 } },
    { "0xgg", false, { 0 } },
    { "0s!", false, { 0 } },
    { "0sA", false, { 0 } },
    { "0", true, SPAN_LIT("0") },
    { "", true, { 0 } },
};

static void octets_are_decoded(void **state)
{
    struct arena arena = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(octets); i++) {
        struct adit_span out;
        bool ok = value_octets(octets[i].text, &arena, &out);
        assert_row(octets[i].text, ok == octets[i].ok && (!ok || span_equal(out, octets[i].value)));
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),      cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(booleans_are_read),   cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(reals_are_read),      cmocka_unit_test(words_are_split_and_trimmed),
        cmocka_unit_test(words_have_an_index), cmocka_unit_test(octets_are_decoded),
    };
    return cmocka_run_group_tests_name("config/text", tests, NULL, NULL);
}
