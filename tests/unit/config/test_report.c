/* test_report.c - problems with their places; only so many are kept. */
#include "fake_io.h"
#include "config/report.h"

static void problems_are_printed_in_order(void **state)
{
    struct config_report r = { 0 };
    struct config_node node = { .file = "f", .line = 3, .column = 7 };
    struct adit_buf out = { 0 };
    struct adit_why why;
    report_warning(&r, &node, "odd %d", 1);
    report_error(&r, &node, "bad %s", "x");
    report_at(&r, false, ((struct place){ .file = "g" }), "no place");
    assert_int_equal(config_report_print(&r, &out), ADIT_OK);
    assert_true(span_equal(buf_span(&out),
                           SPAN_LIT("f:3:7: warning: odd 1\nf:3:7: error: bad x\ng: error: no place\n")));
    assert_int_equal(r.errors, 2);
    assert_int_equal(r.warnings, 1);
    assert_int_equal(config_report_why(&r, &why), ADIT_ERR_CONFIG);
    assert_string_equal(why.text, "f:3:7: bad x (and 1 more)");
    buf_fini(&out);
    config_report_fini(&r);
    assert_int_equal(r.errors, 0);
}

static void only_so_many_are_kept_and_all_are_counted(void **state)
{
    struct config_report r = { 0 };
    struct config_node node = { .file = "f", .line = 1, .column = 1 };
    struct adit_buf out = { 0 };
    for (int i = 0; i < CONFIG_PROBLEMS_MAX + 3; i++)
        report_error(&r, &node, "bad %d", i);
    assert_int_equal(r.errors, CONFIG_PROBLEMS_MAX + 3);
    assert_int_equal(r.n, CONFIG_PROBLEMS_MAX);
    assert_int_equal(config_report_print(&r, &out), ADIT_OK);
    assert_true(span_equal(span_from(buf_span(&out), out.n - 11), SPAN_LIT("and 3 more\n")));
    buf_fini(&out);
    config_report_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(problems_are_printed_in_order),
                                        cmocka_unit_test(only_so_many_are_kept_and_all_are_counted) };
    return cmocka_run_group_tests_name("config/report", tests, NULL, NULL);
}
