/* test_pools.c - pools: which addresses a network or range gives, attributes by name and number, what is wrong with them. */
#include <stdio.h>
#include "fake_io.h"
#include "model/model.h"
#include "wire/iana.h"

static void ranges_are_read(void **state)
{
    static const struct {
        const char *addrs, *lo, *hi;
    } rows[] = {
        { "10.1.0.0/24", "10.1.0.1", "10.1.0.254" },   { "10.1.0.5/24", "10.1.0.5", "10.1.0.254" },
        { "10.1.0.8/30", "10.1.0.9", "10.1.0.10" },    { "10.1.0.8/31", "10.1.0.8", "10.1.0.9" },
        { "10.1.0.8/32", "10.1.0.8", "10.1.0.8" },     { "10.1.0.8", "10.1.0.8", "10.1.0.8" },
        { "10.1.0.8-10.1.1.7", "10.1.0.8", "10.1.1.7" }, { "10.1.0.8 - 10.1.0.9", "10.1.0.8", "10.1.0.9" },
        { "fd00::/120", "fd00::1", "fd00::fe" },       { "fd00::7/64", "fd00::7", "fd00::ffff:ffff:ffff:fffe" },
        { "fd00::1-fd00::2", "fd00::1", "fd00::2" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[200];
        STRBUF(lo, 64);
        STRBUF(hi, 64);
        snprintf(text, sizeof(text), "pools { p { addrs = %s } }", rows[i].addrs);
        struct adit_config *cfg = good_config(text);
        const struct adit_pool *p = adit_config_pool(cfg, "p");
        assert_non_null(p);
        addr_print(&lo, &p->lo);
        addr_print(&hi, &p->hi);
        assert_string_equal(lo.p, rows[i].lo);
        assert_string_equal(hi.p, rows[i].hi);
        adit_config_unref(cfg);
    }
}

static void attributes_are_read(void **state)
{
    static const struct {
        const char *text;
        uint16_t n;
        struct adit_attr attr[3];
    } rows[] = {
        { "dns = 10.0.0.53, fd00::53", 2, { { CPATTR_INTERNAL_IP4_DNS, SPAN_LIT("\x0a\0\0\x35") },
            { CPATTR_INTERNAL_IP6_DNS, SPAN_LIT("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x53") } } },
        { "nbns = 10.0.0.1", 1, { { CPATTR_INTERNAL_IP4_NBNS, SPAN_LIT("\x0a\0\0\1") } } },
        { "subnet = 10.1.2.3/16, fd00::1/8", 2, { { CPATTR_INTERNAL_IP4_SUBNET, SPAN_LIT("\x0a\1\0\0\xff\xff\0\0") },
            { CPATTR_INTERNAL_IP6_SUBNET, SPAN_LIT("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08") } } },
        { "netmask = 255.255.0.0", 1, { { CPATTR_INTERNAL_IP4_NETMASK, SPAN_LIT("\xff\xff\0\0") } } },
        { "p_cscf = 10.0.0.9", 1, { { CPATTR_P_CSCF_IP4_ADDRESS, SPAN_LIT("\x0a\0\0\x09") } } },
        { "25 = corp.example", 1, { { CPATTR_INTERNAL_DNS_DOMAIN, SPAN_LIT("corp.example") } } },
        { "20 = 10.0.0.9", 1, { { 20, SPAN_LIT("\x0a\0\0\x09") } } },
        { "13 = 10.0.0.0/8", 1, { { 13, SPAN_LIT("\x0a\0\0\0\xff\0\0\0") } } },
        { "28672 = 0x0102ff", 1, { { 28672, SPAN_LIT("\1\2\xff") } } },
        { "domain = corp.example\n dnssec_ta = corp.example 258 8 2 abCD", 2,
          { { CPATTR_INTERNAL_DNS_DOMAIN, SPAN_LIT("corp.example") }, { CPATTR_INTERNAL_DNSSEC_TA, SPAN_LIT("\1\2\x08\2abCD") } } },
        /* the anchor right behind its domain, wherever it is written (RFC 8598 s3.2) */
        { "dnssec_ta = b.example 1 8 2 AA\n domain = b.example, c.example", 3,
          { { CPATTR_INTERNAL_DNS_DOMAIN, SPAN_LIT("b.example") }, { CPATTR_INTERNAL_DNSSEC_TA, SPAN_LIT("\0\1\x08\2AA") },
            { CPATTR_INTERNAL_DNS_DOMAIN, SPAN_LIT("c.example") } } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[300];
        snprintf(text, sizeof(text), "pools { p { addrs = 10.9.0.0/24\n %s\n } }", rows[i].text);
        struct adit_config *cfg = good_config(text);
        const struct adit_pool *p = adit_config_pool(cfg, "p");
        assert_true(p && p->n_attrs == rows[i].n);
        for (uint16_t k = 0; k < p->n_attrs; k++)
            assert_true(p->attrs[k].type == rows[i].attr[k].type && span_equal(p->attrs[k].value, rows[i].attr[k].value));
        adit_config_unref(cfg);
    }
}

#define AT "/s/swanctl.conf:1:"
static void what_is_wrong_is_told(void **state)
{
    expect_problem("no addrs", "pools { p { dns = 10.0.0.1 } }", AT "9: pool 'p' has no addrs");
    expect_problem("no range", "pools { p { addrs = here } }",
                   AT "13: addrs is one network a/n or one range a-b (a pool for each, and all of them in the connection's `pools`)");
    expect_problem("backwards", "pools { p { addrs = 10.0.0.9-10.0.0.1 } }",
                   AT "13: addrs is one network a/n or one range a-b (a pool for each, and all of them in the connection's `pools`)");
    expect_problem("unknown", "pools { p { dnss = x\n addrs = 10.0.0.1 } }", AT "13: unknown key 'dnss'; did you mean 'dns'?");
    expect_problem("value", "pools { p { dns = x, 10.0.0.1\n addrs = 10.0.0.1 } }", AT "13: dns = x: that is no value for it");
    expect_problem("family", "pools { p { nbns = ::1\n addrs = 10.0.0.1 } }", AT "13: nbns = ::1: that is no value for it");
    expect_problem("IKEv1", "pools { p { split_include = 10.0.0.0/8\n addrs = 10.0.0.1 } }",
                   AT "13: split_include is refused: an attribute of IKEv1's clients; IKEv2 has subnet, and the selectors decide");
    expect_problem("the lease's own", "pools { p { 1 = 10.0.0.1\n addrs = 10.0.0.1 } }", AT "13: attribute 1 is not for a pool to tell");
    expect_problem("anchor without domain", "pools { p { dnssec_ta = x 1 8 2 AA\n addrs = 10.0.0.1 } }",
                   AT "13: dnssec_ta = x 1 8 2 AA: its domain does not stand in `domain`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(attributes_are_read),
        cmocka_unit_test(what_is_wrong_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
