/* test_strbuf.c - text in fixed memory. */
#include "unit.h"
#include "base/strbuf.h"

static void text_is_appended(void **state)
{
    STRBUF(s, 40);
    strbuf_add(&s, "spi ");
    strbuf_addf(&s, "%08x ", 0x1234u);
    strbuf_hex(&s, SPAN_LIT("\x00\xff\x1a"));
    assert_string_equal(s.p, "spi 00001234 00ff1a");
    strbuf_addc(&s, '!');
    assert_string_equal(s.p, "spi 00001234 00ff1a!");
    assert_int_equal(s.n, 20);
}

static void a_cut_shows(void **state)
{
    static const struct {
        const char *what, *text, *then, *expect;
    } rows[] = {
        { "exactly full", "1234567", "", "1234567" },     { "one too many", "12345678", "", "1234..." },
        { "full, then more", "1234567", "8", "1234..." }, { "cut stays cut", "123456789", "abc", "1234..." },
        { "in two steps", "12345", "6789", "1234..." },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        STRBUF(s, 8);
        strbuf_add(&s, rows[i].text);
        strbuf_add(&s, rows[i].then);
        assert_row(rows[i].what, strcmp(s.p, rows[i].expect) == 0);
        assert_row(rows[i].what, s.n == strlen(s.p));
    }
}

static void hex_is_cut_too(void **state)
{
    STRBUF(full, 5);
    strbuf_hex(&full, SPAN_LIT("\x01\x02"));
    assert_string_equal(full.p, "0102");
    STRBUF(over, 5);
    strbuf_hex(&over, SPAN_LIT("\x01\x02\x03"));
    assert_string_equal(over.p, "0...");
}

static void tiny_memory_is_terminated(void **state)
{
    char one[2] = { 'x', 'y' };
    struct strbuf s = { one, 0, 1 };
    strbuf_add(&s, "abc");
    assert_int_equal(one[0], 0);
    assert_int_equal(one[1], 'y');
    struct strbuf none = { one, 0, 0 };
    strbuf_add(&none, "abc");
    strbuf_hex(&none, SPAN_LIT("abc"));
    assert_int_equal(one[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_appended),
        cmocka_unit_test(a_cut_shows),
        cmocka_unit_test(hex_is_cut_too),
        cmocka_unit_test(tiny_memory_is_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
