/* test_words.c - methods as people write them, and what is said about wrong ones. */
#include "unit.h"
#include <stdio.h>
#include "bench/bench.h"

static void takes_methods_proposals_and_presets(void **state)
{
    static const struct {
        const char *word, *ike;
        unsigned n; /* proposals */
    } rows[] = {
        { "x25519", "aes256gcm16-prfsha384-x25519", 1 },
        { "x25519-ke1_mlkem768", "aes256gcm16-prfsha384-x25519-ke1_mlkem768", 1 },
        { "aes128gcm16-prfsha256-ecp256", "aes128gcm16-prfsha256-ecp256", 1 },
        { "pq-default", "pq-default", 2 },
        { "cnsa2", "cnsa2", 1 },
        { "tree", "aes256gcm16-prfsha384-" BENCH_TREE, 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a = { 0 };
        struct bench_method m;
        struct adit_why why = { 0 };
        assert_row(rows[i].word, bench_method_parse(rows[i].word, &a, &m, &why) == ADIT_OK);
        assert_string_equal(m.ike, rows[i].ike);
        assert_string_equal(m.name, rows[i].word);
        assert_row(rows[i].word, m.proposals->n >= rows[i].n);
        arena_fini(&a);
    }
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *word, *says;
    } rows[] = {
        { "x25518", "did you mean 'x25519'" },
        { "x25519-ke1_mlkem769", "did you mean 'ke1_mlkem768'" },
        { "x25519-ke1", "ke1" },
        { "pq-defaults", "is no preset" },
        { "aes256gcm16-prfsha384", "aes256gcm16-prfsha384" },
        { "", "preset" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a = { 0 };
        struct bench_method m;
        struct adit_why why = { 0 };
        assert_row(rows[i].word, bench_method_parse(rows[i].word, &a, &m, &why) == ADIT_ERR_CONFIG);
        if (!strstr(why.text, rows[i].says))
            fail_msg("%s: %s", rows[i].word, why.text);
        arena_fini(&a);
    }
}

static void refuses_what_is_too_long(void **state)
{
    char word[500];
    struct arena a = { 0 };
    struct bench_method m;
    struct adit_why why = { 0 };
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = 0;
    assert_int_equal(bench_method_parse(word, &a, &m, &why), ADIT_ERR_CONFIG);
    arena_fini(&a);
}

static void finds_the_forms_of_reports(void **state)
{
    unsigned n = 0;
    while (bench_reports_at(n)) {
        assert_true(bench_reports_known(bench_reports_at(n)));
        assert_non_null(strstr(bench_reports_option(n), bench_reports_at(n)));
        n++;
    }
    assert_int_equal(n, 2);
    assert_true(bench_reports_known("none") && bench_reports_known("list") && bench_reports_known("bitmap"));
    assert_false(bench_reports_known("lists") || bench_reports_known(""));
    assert_null(bench_reports_option(n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_methods_proposals_and_presets),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(refuses_what_is_too_long),
        cmocka_unit_test(finds_the_forms_of_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
