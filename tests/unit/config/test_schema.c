/* test_schema.c - the tables themselves: complete rows, no key twice, and every key is accepted or refused as it says. */
#include "fake_io.h"
#include "config/load.h"
#include "config/text.h"

static void rows_are_complete_and_unique(void **state)
{
    size_t n;
    const struct config_key *keys = schema_keys(&n);
    for (size_t i = 0; i < n; i++) {
        const struct config_key *k = &keys[i];
        bool worded = k->type == F_WORD || k->type == F_NONE || k->type == F_PEER;
        assert_row(k->name, k->scopes && k->doc && *k->doc);
        assert_row(k->name, k->verdict == V_HAVE ? !k->reason : k->reason != NULL);
        assert_row(k->name, k->verdict != V_HAVE || !worded || k->words);
        for (size_t j = 0; j < i; j++)
            assert_row(k->name, strcmp(k->name, keys[j].name) || !(k->scopes & keys[j].scopes));
        assert_row(k->name, schema_find(k->scopes, k->name) == k);
    }
    assert_null(schema_find(SCOPE_CONN, "esp_proposals"));
}

/* Where a key stands in a file that is good without it. */
static const struct {
    unsigned scope;
    const char *before, *after;
} frames[] = {
    { SCOPE_CONN, "connections { c { ", "\n children { x { } } } }" },
    { SCOPE_LOCAL, "connections { c { local { ", "\n } children { x { } } } }" },
    { SCOPE_REMOTE, "connections { c { remote { ", "\n } children { x { } } } }" },
    { SCOPE_CHILD, "connections { c { children { x { ", "\n } } } }" },
    { SCOPE_CERT, "connections { c { local { cert-1 { file = moon.pem\n ", "\n } } children { x { } } } }" },
    { SCOPE_AUTHORITY, "authorities { a { cacert = ca.pem\n ", "\n } }" },
    { SCOPE_SHARED, "secrets { ike-1 { secret = s\n ", "\n } }" },
};

static unsigned load_framed(size_t frame, const char *key, struct adit_span value,
                            struct config_report *report)
{
    STRBUF(text, 1024);
    strbuf_addf(&text, "%s%s = %.*s%s", frames[frame].before, key, (int)value.n, (const char *)value.p,
                frames[frame].after);
    assert_row(text.p, (load_text(text.p, NULL, report) == ADIT_OK) == (report->errors == 0));
    return report->errors;
}

static void expect_framed(size_t frame, const struct config_key *key, const char *words, unsigned errors,
                          unsigned warnings)
{
    struct words w = { words, '|' };
    struct adit_span word;
    while (words_next(&w, &word)) {
        struct config_report report = { 0 };
        load_framed(frame, key->name, word, &report);
        if (report.errors != errors || report.warnings != warnings)
            fail_msg("key '%s' = %.*s: %u errors, %u warnings: %s", key->name, (int)word.n,
                     (const char *)word.p, report.errors, report.warnings, first_problem(&report));
        config_report_fini(&report);
    }
}

static void every_key_takes_its_default_and_its_words(void **state)
{
    size_t n;
    const struct config_key *keys = schema_keys(&n);
    for (size_t i = 0; i < n; i++) {
        const struct config_key *k = &keys[i];
        for (size_t f = 0; f < ARRAY_LEN(frames); f++) {
            if (!(k->scopes & frames[f].scope) || k->verdict != V_HAVE || k->type == F_SPECIAL)
                continue;
            if (k->deflt)
                expect_framed(f, k, k->deflt, 0, 0);
            bool lies = !strcmp(k->name, "version") ||
                        !strcmp(k->name, "mode"); /* values with problems of their own */
            if (k->words && !lies)
                expect_framed(f, k, k->words, 0, 0);
        }
    }
}

static void refused_keys_are_refused_unless_without_effect(void **state)
{
    size_t n;
    const struct config_key *keys = schema_keys(&n);
    for (size_t i = 0; i < n; i++) {
        const struct config_key *k = &keys[i];
        bool warns = k->verdict == V_IGNORED;
        for (size_t f = 0; f < ARRAY_LEN(frames); f++) {
            if (!(k->scopes & frames[f].scope) || k->verdict == V_HAVE)
                continue;
            expect_framed(f, k, "some-value", !warns, warns);
            if (k->neutral)
                expect_framed(f, k, k->neutral, 0, 0);
            if (k->warned)
                expect_framed(f, k, k->warned, 0, 1);
        }
    }
}

static void refused_values_are_refused_with_the_reason(void **state)
{
    size_t n;
    const struct config_bad_value *values = schema_bad_values(&n);
    for (size_t i = 0; i < n; i++) {
        for (size_t f = 0; f < ARRAY_LEN(frames); f++) {
            struct config_report report = { 0 };
            if (!(values[i].scopes & frames[f].scope))
                continue;
            assert_row(values[i].value,
                       load_framed(f, values[i].key, span_str(values[i].value), &report) == 1);
            assert_row(values[i].value, strstr(first_problem(&report), values[i].reason));
            config_report_fini(&report);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete_and_unique),
        cmocka_unit_test(every_key_takes_its_default_and_its_words),
        cmocka_unit_test(refused_keys_are_refused_unless_without_effect),
        cmocka_unit_test(refused_values_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests_name("config/schema", tests, NULL, NULL);
}
