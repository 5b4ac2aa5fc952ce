/* test_prefixes.c - a range as the fewest prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/strbuf.h"
#include "dp/routes.h"
#include "model/model.h"

static const struct {
    const char *lo, *hi, *want;
} rows[] = {
    { "10.0.0.0", "10.255.255.255", "10.0.0.0/8" },
    { "0.0.0.0", "255.255.255.255", "0.0.0.0/0" },
    { "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0" },
    { "10.0.0.1", "10.0.0.1", "10.0.0.1/32" },
    { "10.0.0.1", "10.0.0.6", "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32" },
    { "255.255.255.254", "255.255.255.255", "255.255.255.254/31" },
    { "10.0.0.255", "10.0.1.0", "10.0.0.255/32 10.0.1.0/32" },
    { "fd00::", "fd00::1:ffff", "fd00::/111" },
    { "10.0.0.2", "10.0.0.1", "" },
};

static void ranges(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_addr lo, hi;
        struct prefix p[64];
        STRBUF(got, 300);
        assert_true(addr_parse(rows[i].lo, &lo) && addr_parse(rows[i].hi, &hi));
        struct adit_ts ts = { .family = lo.family, .port_hi = 65535 };
        span_copy(ts.lo, span(lo.ip, 16));
        span_copy(ts.hi, span(hi.ip, 16));
        size_t n = prefixes_of(&ts, p, ARRAY_LEN(p));
        for (size_t k = 0; k < n; k++) {
            strbuf_add(&got, k ? " " : "");
            addr_print(&got, &p[k].addr);
            strbuf_addf(&got, "/%u", p[k].n);
        }
        assert_string_equal(got.p, rows[i].want);
    }
}

static void too_many_is_none(void **state)
{
    struct adit_ts ts = { .family = 4, .lo = { 0, 0, 0, 1 }, .hi = { 255, 255, 255, 254 } };
    struct prefix p[64];
    assert_int_equal(prefixes_of(&ts, p, 62), 62);
    assert_int_equal(prefixes_of(&ts, p, 61), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ranges), cmocka_unit_test(too_many_is_none) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
