/* test_openmetrics.c - the OpenMetrics text: escaping, numbers, families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "daemon/openmetrics.h"

static void escapes_label_values(void **state)
{
    static const struct {
        const char *what, *value, *wanted;
    } rows[] = {
        { "plain", "berlin", "m{c=\"berlin\"} 1\n" },
        { "quote", "a\"b", "m{c=\"a\\\"b\"} 1\n" },
        { "backslash", "a\\b", "m{c=\"a\\\\b\"} 1\n" },
        { "line feed", "a\nb", "m{c=\"a\\nb\"} 1\n" },
        { "empty", "", "m{c=\"\"} 1\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct text t = { 0 };
        om_sample_u64(&t, "m", "", (struct om_label[]){ { "c", rows[i].value }, { 0 } }, 1);
        if (strcmp(text_str(&t), rows[i].wanted))
            fail_msg("%s: got %s", rows[i].what, text_str(&t));
        text_fini(&t);
    }
}

static void writes_a_family(void **state)
{
    struct text t = { 0 };
    om_family(&t, "adit_child_bytes", "counter", "bytes", "Inner octets");
    om_sample_u64(&t, "adit_child_bytes", "_total", NULL, UINT64_MAX);
    om_end(&t);
    assert_string_equal(text_str(&t), "# TYPE adit_child_bytes counter\n# UNIT adit_child_bytes bytes\n"
                                      "# HELP adit_child_bytes Inner octets\n"
                                      "adit_child_bytes_total 18446744073709551615\n# EOF\n");
    text_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_label_values),
        cmocka_unit_test(writes_a_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
