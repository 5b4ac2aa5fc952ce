/* test_cp.c - Configuration payload (RFC 7296 s3.15). */
#include "wire_test.h"
#include "model/model.h"

static void attributes_are_put_and_got(void **state)
{
    static const struct adit_addr v4 = { 4, { 10, 9, 0, 1 } }, v6 = { 6, { 0xfd, 9 } };
    struct wr w;
    struct rd attrs;
    struct cp_attr a;
    struct adit_addr got;
    uint8_t type;
    begin_message(&w);
    struct wr_mark p = cp_put(&w, CFG_REPLY);
    cp_addr_put(&w, &v4, 128);
    cp_addr_put(&w, &v6, 64);
    cp_put_attr(&w, CPATTR_INTERNAL_DNS_DOMAIN, SPAN_LIT("corp.example"));
    cp_put_attr(&w, CPATTR_INTERNAL_IP4_DNS, SPAN_NONE);
    wr_payload_end(&w, p);
    struct rd in = only_payload(&w, PLD_CP);
    assert_true(cp_get(&in, &type, &attrs) && type == CFG_REPLY);
    assert_true(cp_next(&attrs, &a) && a.type == CPATTR_INTERNAL_IP4_ADDRESS && cp_addr_get(&a, &got));
    assert_true(got.family == 4 && got.ip[3] == 1);
    assert_true(cp_next(&attrs, &a) && a.type == CPATTR_INTERNAL_IP6_ADDRESS && a.value.n == 17 && a.value.p[16] == 64);
    assert_true(cp_addr_get(&a, &got) && got.family == 6 && got.ip[1] == 9);
    assert_true(cp_next(&attrs, &a) && span_equal(a.value, SPAN_LIT("corp.example")));
    assert_true(cp_next(&attrs, &a) && a.type == CPATTR_INTERNAL_IP4_DNS && a.value.n == 0);
    assert_false(cp_next(&attrs, &a));
    assert_true(rd_ok(&attrs));
}

static void bodies_are_judged(void **state)
{
    static const struct {
        const char *what, *hex;
        bool ok;
        unsigned n;
    } rows[] = {
        { "no attribute", "01000000", true, 0 },
        { "RESERVED is ignored", "01ffffff", true, 0 },
        { "the R bit is ignored", "01000000 80010000", true, 1 },
        { "two empty ones", "01000000 00010000 00030000", true, 2 },
        { "an unknown type", "01000000 7fff0002 abcd", true, 1 },
        { "value beyond the end", "01000000 00010004 0a0900", false, 0 },
        { "half an attribute's header", "01000000 0001", false, 0 },
        { "octets left over", "01000000 00010000 00", false, 0 },
        { "cut header", "010000", false, 0 },
        { "empty", "", false, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rd in = rd_init(unhex(rows[i].hex)), attrs;
        struct cp_attr a;
        uint8_t type;
        unsigned n = 0;
        bool ok = cp_get(&in, &type, &attrs);
        assert_row(rows[i].what, ok == rows[i].ok);
        while (ok && cp_next(&attrs, &a))
            n++;
        assert_row(rows[i].what, !ok || (n == rows[i].n && (!n || a.type < 0x8000)));
    }
}

static void values_are_judged(void **state)
{
    static const struct {
        const char *what;
        uint16_t type;
        const char *hex, *as; /* NULL: malformed */
    } rows[] = {
        { "IPv4 address", CPATTR_INTERNAL_IP4_ADDRESS, "0a090001", "10.9.0.1" },
        { "3 octets", CPATTR_INTERNAL_IP4_ADDRESS, "0a0900", NULL },
        { "IPv6 address", CPATTR_INTERNAL_IP6_ADDRESS, "fd000000000000000000000000000001 40", "fd00::1" },
        { "without prefix length", CPATTR_INTERNAL_IP6_ADDRESS, "fd000000000000000000000000000001", "fd00::1" },
        { "IPv6 with 4 octets", CPATTR_INTERNAL_IP6_ADDRESS, "0a090001", NULL },
        { "IPv4 network", CPATTR_INTERNAL_IP4_SUBNET, "0a090000 ffff0000", "10.9.0.0/16" },
        { "host bits are cleared", CPATTR_INTERNAL_IP4_SUBNET, "0a09ffff ffff8000", "10.9.128.0/17" },
        { "everything", CPATTR_INTERNAL_IP4_SUBNET, "00000000 00000000", "0.0.0.0/0" },
        { "one host", CPATTR_INTERNAL_IP4_SUBNET, "0a090001 ffffffff", "10.9.0.1/32" },
        { "mask with a hole", CPATTR_INTERNAL_IP4_SUBNET, "0a090000 ff00ff00", NULL },
        { "network without mask", CPATTR_INTERNAL_IP4_SUBNET, "0a090000", NULL },
        { "IPv6 network", CPATTR_INTERNAL_IP6_SUBNET, "fd000000000000000000000000000000 08", "fd00::/8" },
        { "prefix of 129", CPATTR_INTERNAL_IP6_SUBNET, "fd000000000000000000000000000000 81", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cp_attr a = { rows[i].type, unhex(rows[i].hex) };
        bool net = rows[i].type == CPATTR_INTERNAL_IP4_SUBNET || rows[i].type == CPATTR_INTERNAL_IP6_SUBNET;
        struct adit_addr addr = { 0 };
        struct adit_ts ts = { 0 };
        STRBUF(text, 100);
        bool ok = net ? cp_subnet_get(&a, &ts) : cp_addr_get(&a, &addr);
        assert_row(rows[i].what, ok == (rows[i].as != NULL));
        if (!ok)
            continue;
        if (net)
            ts_print(&text, &ts);
        else
            addr_print(&text, &addr);
        assert_string_equal(text.p, rows[i].as);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_put_and_got),
        cmocka_unit_test(bodies_are_judged),
        cmocka_unit_test(values_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
