/* test_ts.c - traffic selectors: text, set operations, packets. */
#include "unit.h"
#include "model/model.h"

/* Rows of management.md s4.2 (ts) and trap 6 (output form). */
static const struct {
    const char *text, *printed; /* printed NULL: refused */
} texts[] = {
    { "10.0.0.0/8", "10.0.0.0/8" },
    { "10.1.2.3/8", "10.0.0.0/8" },
    { "10.1.0.5", "10.1.0.5/32" },
    { "10.1.0.5-10.1.0.9", "10.1.0.5..10.1.0.9" },
    { "10.1.0.0-10.1.0.255", "10.1.0.0/24" },
    { "0.0.0.0/0", "0.0.0.0/0" },
    { "::/0", "::/0" },
    { "2001:db8::/32[udp]", "2001:db8::/32[udp]" },
    { "dynamic", "dynamic" },
    { "dynamic[tcp/https]", "dynamic[tcp/https]" },
    { "DYNAMIC[TCP/HTTP]", "dynamic[tcp/http]" },
    { "10.0.0.0/8[tcp/80]", "10.0.0.0/8[tcp/http]" },
    { "10.0.0.0/8[6/81]", "10.0.0.0/8[tcp/81]" },
    { "10.0.0.0/8[tcp/1000-2000]", "10.0.0.0/8[tcp/1000-2000]" },
    { "10.0.0.0/8[/53]", "10.0.0.0/8[0/domain]" },
    { "10.0.0.0/8[any/any]", "10.0.0.0/8" },
    { "10.0.0.0/8[]", "10.0.0.0/8" },
    { "10.0.0.0/8[200]", "10.0.0.0/8[200]" },
    { "10.0.0.0/8[udp/opaque]", "10.0.0.0/8[udp/OPAQUE]" },
    { "10.0.0.0/8[icmp/3]", "10.0.0.0/8[icmp/3]" },
    { "10.0.0.0/8[icmp/772]", "10.0.0.0/8[icmp/3(4)]" },
    { "10.0.0.0/8[icmp/3-5]", "10.0.0.0/8[icmp/3-5(255)]" },
    { "fe80::/64[icmpv6/133]", "fe80::/64[ipv6-icmp/133]" },
    { "10.0.0.0/8[udp/snmp-trap]", "10.0.0.0/8[udp/snmp-trap]" },
    { "10.0.0.0/8[tcp/80", NULL },
    { "10.0.0.0/8]", NULL },
    { "10.0.0.0/8[tcp/80]x", NULL },
    { "10.0.0.0/8[tcp/65536]", NULL },
    { "10.0.0.0/8[tcp/2000-1000]", NULL },
    { "10.0.0.0/8[tcp/]", NULL },
    { "10.0.0.0/8[256]", NULL },
    { "10.0.0.0/8[nosuch]", NULL },
    { "10.0.0.0/8[tcp/nosuch]", NULL },
    { "10.0.0.0/33", NULL },
    { "10.0.0.9-10.0.0.5", NULL },
    { "%dynamic", NULL },
    { "moon.example", NULL },
    { "", NULL },
};

static void texts_are_read_and_printed(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct adit_ts_cfg ts;
        struct adit_why why = { 0 };
        STRBUF(out, 128);
        bool ok = ts_parse(texts[i].text, &ts, &why) == ADIT_OK;
        assert_row(texts[i].text, ok == (texts[i].printed != NULL));
        assert_row(texts[i].text, ok || why.text[0]);
        if (!ok)
            continue;
        ts_cfg_print(&out, &ts);
        assert_string_equal(out.p, texts[i].printed);
    }
}

static struct adit_ts ts(const char *text)
{
    struct adit_ts_cfg cfg = { 0 };
    assert_row(text, ts_parse(text, &cfg, NULL) == ADIT_OK);
    return cfg.ts;
}

static const struct {
    const char *a, *b, *common; /* NULL: empty */
} meets[] = {
    { "10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16" },
    { "10.0.0.0-10.0.0.9", "10.0.0.5-10.0.0.20", "10.0.0.5-10.0.0.9" },
    { "10.0.0.0/8", "11.0.0.0/8", NULL },
    { "10.0.0.0/8", "::/0", NULL },
    { "10.0.0.0/8[tcp]", "10.0.0.0/8", "10.0.0.0/8[tcp]" },
    { "10.0.0.0/8[tcp]", "10.0.0.0/8[udp]", NULL },
    { "10.0.0.0/8[tcp/1-100]", "10.0.0.0/8[tcp/50-200]", "10.0.0.0/8[tcp/50-100]" },
    { "10.0.0.0/8[tcp/1-100]", "10.0.0.0/8[tcp/101]", NULL },
    { "10.0.0.0/8[udp/opaque]", "10.0.0.0/8", "10.0.0.0/8[udp/opaque]" },
    { "10.0.0.0/8[udp/opaque]", "10.0.0.0/8[udp/opaque]", "10.0.0.0/8[udp/opaque]" },
    { "10.0.0.0/8[udp/opaque]", "10.0.0.0/8[udp/53]", NULL },
    { "10.0.0.0/8[icmp/3]", "10.0.0.0/8[icmp/772]", "10.0.0.0/8[icmp/772]" },
};

static void intersections_are_the_common_part_both_ways(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(meets); i++) {
        struct adit_ts a = ts(meets[i].a), b = ts(meets[i].b), ab, ba;
        bool ok = ts_intersect(&a, &b, &ab);
        assert_row(meets[i].a, ok == (meets[i].common != NULL) && ts_intersect(&b, &a, &ba) == ok);
        if (!ok)
            continue;
        struct adit_ts common = ts(meets[i].common);
        assert_row(meets[i].a, ts_equal(&ab, &common) && ts_equal(&ba, &common));
        assert_row(meets[i].a, ts_contains(&a, &common) && ts_contains(&b, &common));
        assert_row(meets[i].a, ts_contains(&common, &a) == ts_equal(&common, &a));
    }
}

static const struct {
    const char *ts, *addr;
    uint8_t proto;
    uint16_t port;
    bool match;
} packets[] = {
    { "10.0.0.0/8", "10.255.255.255", 17, 53, true },
    { "10.0.0.0/8", "11.0.0.0", 17, 53, false },
    { "10.0.0.0/8", "::a00:1", 17, 53, false },
    { "10.0.0.0/8[udp/53]", "10.0.0.1", 17, 53, true },
    { "10.0.0.0/8[udp/53]", "10.0.0.1", 17, 54, false },
    { "10.0.0.0/8[udp/53]", "10.0.0.1", 6, 53, false },
    { "10.0.0.0/8[udp/opaque]", "10.0.0.1", 17, 0, true },
    { "10.0.0.0/8[udp/opaque]", "10.0.0.1", 17, 53, false },
    { "10.0.0.0/8[icmp/8]", "10.0.0.1", 1, 0x0800, true },
    { "10.0.0.0/8[icmp/8]", "10.0.0.1", 1, 0x0000, false },
};

static void packets_are_matched(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
        struct adit_ts sel = ts(packets[i].ts);
        struct adit_addr a;
        assert_true(addr_parse(packets[i].addr, &a));
        assert_row(packets[i].ts, ts_match(&sel, &a, packets[i].proto, packets[i].port) == packets[i].match);
    }
}

static void helpers_cover_one_address_and_all(void **state)
{
    struct adit_addr a;
    STRBUF(out, 128);
    assert_true(addr_parse("2001:db8::7", &a));
    struct adit_ts one = ts_from_addr(&a), all = ts_any(6), all4 = ts_any(4);
    assert_true(ts_contains(&all, &one));
    assert_false(ts_contains(&all4, &one));
    ts_print(&out, &one);
    strbuf_add(&out, " ");
    ts_print(&out, &all4);
    assert_string_equal(out.p, "2001:db8::7/128 0.0.0.0/0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_and_printed),
        cmocka_unit_test(intersections_are_the_common_part_both_ways),
        cmocka_unit_test(packets_are_matched),
        cmocka_unit_test(helpers_cover_one_address_and_all),
    };
    return cmocka_run_group_tests_name("model/ts", tests, NULL, NULL);
}
