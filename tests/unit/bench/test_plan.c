/* test_plan.c - which cases a plan has for a method. */
#include "unit.h"
#include "bench/bench.h"

static size_t cases_of(const struct bench_plan *plan, const char *word, struct bench_case *out, size_t room)
{
    struct arena a = { 0 };
    struct bench_method m;
    struct adit_crypto *crypto = adit_crypto_new(NULL, NULL, NULL);
    assert_int_equal(bench_method_parse(word, &a, &m, NULL), ADIT_OK);
    size_t n = bench_plan_cases(plan, &m, crypto, out, room);
    adit_crypto_free(crypto);
    arena_fini(&a);
    return n;
}

static void counts(void **state)
{
    static const struct {
        const char *word;
        bool udp, tcp, stock;
        size_t n;
    } rows[] = {
        { "x25519", true, false, false, 6 },
        { "x25519", true, true, false, 7 },
        { "x25519", true, true, true, 7 }, /* nothing to keep in stock */
        { "x25519-ke1_frodoa5", true, true, true, 9 },
        { "x25519-ke1_mceliece348864f", false, true, true, 2 },
        { "x25519-ke1_mceliece348864f", true, false, true, 7 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench_plan plan = { .n_loss = 3, .loss = { 0, 0.01, 0.05 }, .n_reports = 2, .reports = { "none", "list" },
                                   .udp = rows[i].udp, .tcp = rows[i].tcp, .stock = rows[i].stock };
        struct bench_case out[16];
        assert_row(rows[i].word, cases_of(&plan, rows[i].word, out, ARRAY_LEN(out)) == rows[i].n);
    }
}

static void has_each_loss_with_each_form_then_the_stock_then_tcp(void **state)
{
    struct bench_plan plan = { .n_loss = 2, .loss = { 0, 0.05 }, .n_reports = 2, .reports = { "none", "list" }, .udp = true,
                               .tcp = true, .stock = true, .base = { .count = 9 } };
    struct bench_case c[16];
    assert_int_equal(cases_of(&plan, "x25519-ke1_frodoa5", c, ARRAY_LEN(c)), 7);
    assert_string_equal(c[0].reports, "none");
    assert_string_equal(c[1].reports, "list");
    assert_true(c[0].link.loss == 0 && c[2].link.loss > 0 && c[3].link.loss > 0);
    assert_true(c[4].stock && !c[4].tcp && c[4].link.loss == 0 && !strcmp(c[4].reports, "list"));
    assert_true(c[5].tcp && !c[5].stock && c[6].tcp && c[6].stock);
    for (int i = 0; i < 7; i++)
        assert_int_equal(c[i].count, 9);
}

static void writes_no_more_than_there_is_room(void **state)
{
    struct bench_plan plan = { .n_loss = 1, .n_reports = 1, .reports = { "none" }, .udp = true, .tcp = true };
    struct bench_case c[2] = { { 0 }, { .count = 77 } };
    assert_int_equal(cases_of(&plan, "x25519", c, 1), 2);
    assert_int_equal(c[1].count, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(has_each_loss_with_each_form_then_the_stock_then_tcp),
        cmocka_unit_test(writes_no_more_than_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
