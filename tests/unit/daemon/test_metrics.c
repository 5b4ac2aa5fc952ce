/* test_metrics.c - the OpenMetrics text: escaping, numbers, histograms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "daemon/metrics.h"
#include "daemon/openmetrics.h"

static void escapes_label_values(void **state)
{
    static const struct { const char *what, *value, *wanted; } rows[] = {
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

static void histograms_are_cumulative(void **state)
{
    struct journal j;
    struct text t = { 0 };
    journal_init(&j);
    journal_handshake(&j, "CURVE_25519+ML_KEM_768", 0.004);
    journal_handshake(&j, "CURVE_25519+ML_KEM_768", 0.2);
    metrics_handshakes(&j, &t);
    const char *s = text_str(&t);
    assert_non_null(strstr(s, "_bucket{ke=\"CURVE_25519+ML_KEM_768\",le=\"0.005\"} 1\n"));
    assert_non_null(strstr(s, "le=\"0.1\"} 1\n"));
    assert_non_null(strstr(s, "le=\"0.25\"} 2\n"));
    assert_non_null(strstr(s, "le=\"+Inf\"} 2\n"));
    assert_non_null(strstr(s, "_sum{ke=\"CURVE_25519+ML_KEM_768\"} 0.204\n"));
    assert_non_null(strstr(s, "_count{ke=\"CURVE_25519+ML_KEM_768\"} 2\n"));
    text_fini(&t);
    journal_fini(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_label_values),
        cmocka_unit_test(writes_a_family),
        cmocka_unit_test(histograms_are_cumulative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
