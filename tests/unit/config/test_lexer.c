/* test_lexer.c - names, values and patterns of the settings grammar (management.md s4.1). */
#include "unit.h"
#include "config/lexer.h"

static const struct {
    const char *what, *text, *value, *rest; /* value NULL: nothing there */
    bool fails;
} values[] = {
    { "plain", " a", "a", "", false },
    { "nothing", "  \t\n b", NULL, "\n b", false },
    { "ends at newline", "a b\nc", "a b", "\nc", false },
    { "ends at comment", "a # b", "a", "# b", false },
    { "ends at brace", "a}", "a", "}", false },
    { "braces and signs inside", "a{b=c:d,e", "a{b=c:d,e", "", false },
    { "parts are joined by one space", "a \t  b", "a b", "", false },
    { "string keeps all", "\"a # } b\"", "a # } b", "", false },
    { "string and word", "\"a\"b \"c\"", "a b c", "", false },
    { "empty string", "\"\"", "", "", false },
    { "escapes", "\"\\n\\r\\t\\\"\\\\\\x\"", "\n\r\t\"\\x", "", false },
    { "joined lines", "\"a\\\nb\"", "ab", "", false },
    { "string over lines", "\"a\nb\"", "a\nb", "", false },
    { "carriage return is blank", "a\r\n", "a", "\n", false },
    { "unterminated", "\"a", NULL, "", true },
    { "backslash at the end", "\"a\\", NULL, "", true },
};

static void values_end_where_they_should(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct arena arena = { 0 };
        struct lexer lx;
        lexer_init(&lx, guard_copy(span_str(values[i].text)), &arena);
        struct adit_span v = lexer_value(&lx);
        assert_row(values[i].what, (lx.fail != NULL) == values[i].fails);
        if (!lx.fail) {
            assert_row(values[i].what, (v.p != NULL) == (values[i].value != NULL));
            assert_row(values[i].what, !v.p || !strcmp((const char *)v.p, values[i].value));
            assert_row(values[i].what,
                       span_equal(span(lx.p, (size_t)(lx.end - lx.p)), span_str(values[i].rest)));
        }
        lexer_fini(&lx);
        arena_fini(&arena);
    }
}

static void names_end_at_signs_and_blanks(void **state)
{
    static const char ends[] = "#{}:.,=\"\r\n\t ";
    for (const char *end = ends; *end; end++) {
        char text[] = "name?x";
        struct arena arena = { 0 };
        struct lexer lx;
        text[4] = *end;
        lexer_init(&lx, guard_copy(span(text, 6)), &arena);
        assert_string_equal(lexer_name(&lx), "name");
        assert_int_equal(lexer_peek(&lx), *end);
        lexer_fini(&lx);
        arena_fini(&arena);
    }
}

static const struct {
    const char *text, *pattern;
} patterns[] = {
    { " conf.d/*.conf\nx", "conf.d/*.conf" },
    { " \"a b#c\"", "a b#c" },
    { " a\\ b", "a b" },
    { " a\\#b#c", "a#b" },
    { " a\\\\b", "a\\\\b" },
    { " a}", "a" },
};

static void include_patterns_may_be_escaped(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        struct arena arena = { 0 };
        struct lexer lx;
        lexer_init(&lx, guard_copy(span_str(patterns[i].text)), &arena);
        assert_row(patterns[i].text, !strcmp(lexer_pattern(&lx), patterns[i].pattern));
        lexer_fini(&lx);
        arena_fini(&arena);
    }
}

static void places_count_lines_and_columns(void **state)
{
    struct arena arena = { 0 };
    struct lexer lx;
    lexer_init(&lx, SPAN_LIT("\xef\xbb\xbf# comment\n  name"), &arena);
    lexer_space(&lx);
    assert_int_equal(lx.line, 2);
    assert_int_equal(lx.column, 3);
    assert_string_equal(lexer_name(&lx), "name");
    assert_int_equal(lx.column, 7);
    lexer_skip(&lx); /* at the end: nothing happens */
    assert_int_equal(lexer_peek(&lx), 0);
    lexer_fini(&lx);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_end_where_they_should),
        cmocka_unit_test(names_end_at_signs_and_blanks),
        cmocka_unit_test(include_patterns_may_be_escaped),
        cmocka_unit_test(places_count_lines_and_columns),
    };
    return cmocka_run_group_tests_name("config/lexer", tests, NULL, NULL);
}
