/* test_metrics.c - histograms from the journal; the rest of it is in test_commands.c and tests/netns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "daemon/metrics.h"

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
        cmocka_unit_test(histograms_are_cumulative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
