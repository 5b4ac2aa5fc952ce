/* test_confpay.c - which domains and anchors of a peer are taken (RFC 8598), and what a CFG_REPLY means to a client. */
#include "../ike/core.h"
#include "ike/ext/confpay/confpay.h"

static void names_are_judged(void **state)
{
    static const struct {
        const char *name;
        bool ok;
    } rows[] = {
        { "example.com", true }, { "example.com.", true }, { "x", true }, { "_tcp.a-b.example", true }, { "xn--bcher-kva.example", true },
        { "", false }, { ".", false }, { "a..b", false }, { ".a", false }, { "-a.example", false }, { "a b", false },
        { "a;rm", false }, { "$(x)", false }, { "a\nb", false },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].name, domain_is_good(span_str(rows[i].name)) == rows[i].ok);
}

static void lists_are_searched(void **state)
{
    static const struct {
        const char *name, *list;
        bool domain, anchor;
    } rows[] = {
        { "example.test", "example.test", true, true },
        { "WWW.Example.Test", "example.test", true, true },
        { "mail.eng.example.test.", "a.b, example.test", true, true },
        { "otherexample.test", "example.test", false, false },
        { "ple.test", "example.test", false, false },
        { "test", "example.test", false, false },
        { "example.test", "%any", true, false },
        { "example.test", "test", true, false }, /* a top-level domain holds no anchors */
        { "example.test", ".", false, false },
        { "example.test", "", false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_row(rows[i].name, domain_is_listed(span_str(rows[i].name), rows[i].list) == rows[i].domain);
        assert_row(rows[i].name, domain_may_have_anchor(span_str(rows[i].name), rows[i].list) == rows[i].anchor);
    }
}

static void anchors_are_printed(void **state)
{
    STRBUF(text, 200);
    assert_true(anchor_print(&text, SPAN_LIT("\xaa\x1b\x08\x01" "B6225AB2")));
    assert_string_equal(text.p, "43547 8 1 B6225AB2");
    assert_false(anchor_print(&text, SPAN_LIT("\xaa\x1b\x08\x01")));
    assert_false(anchor_print(&text, SPAN_LIT("\xaa\x1b\x08")));
    assert_false(anchor_print(&text, SPAN_LIT("\xaa\x1b\x08\x01" "B6 ; x")));
}

/* The SA of core.h has a connection without options: what it wants is set here. */
static void want(struct ike_sa *sa, const struct adit_option *options, uint16_t n)
{
    static struct adit_conn cfg;
    static struct policy_conn conn;
    static const struct policy_conn *before;
    before = n ? sa->conn : before;
    conn = *before;
    cfg = *before->cfg;
    cfg.options = options;
    cfg.n_options = n;
    conn.cfg = &cfg;
    sa->conn = n ? &conn : before;
}

#define A4 "\0\1\0\4\x0a\x09\0\1"
#define B4 "\0\1\0\4\x0a\x09\0\2"
#define DNS "\0\3\0\4\x0a\2\0\x35"
#define DOMAIN "\0\x19\0\x0c" "corp.example"
#define OTHER "\0\x19\0\x05" "a.tld"
#define TA "\0\x1a\0\6\1\2\x08\2AB"

static const struct {
    const char *what;
    struct adit_span body;
    bool split, ok;
    unsigned addrs, dns;
    const char *domains, *anchors;
} replies[] = {
    { "an address", SPAN_LIT("\2\0\0\0" A4 DNS), true, true, 1, 1, "", "" },
    { "more than was asked for", SPAN_LIT("\2\0\0\0" A4 B4), true, true, 1, 0, "", "" },
    { "a family that was not asked for", SPAN_LIT("\2\0\0\0\0\x08\0\x11" "0123456789abcdef\x40"), true, true, 0, 0, "", "" },
    { "0.0.0.0", SPAN_LIT("\2\0\0\0\0\1\0\4\0\0\0\0"), true, true, 0, 0, "", "" },
    { "loopback", SPAN_LIT("\2\0\0\0\0\1\0\4\x7f\0\0\1"), true, true, 0, 0, "", "" },
    { "multicast", SPAN_LIT("\2\0\0\0\0\1\0\4\xe0\0\0\1"), true, true, 0, 0, "", "" },
    { "an empty address", SPAN_LIT("\2\0\0\0\0\1\0\0" A4), true, true, 1, 0, "", "" },
    { "a domain", SPAN_LIT("\2\0\0\0" A4 DNS DOMAIN), true, true, 1, 1, "corp.example", "" },
    { "a domain that is not listed", SPAN_LIT("\2\0\0\0" A4 DNS OTHER TA), true, true, 1, 1, "", "" },
    { "without servers", SPAN_LIT("\2\0\0\0" A4 DOMAIN TA), true, true, 1, 0, "", "" },
    { "all traffic in the tunnel", SPAN_LIT("\2\0\0\0" A4 DNS DOMAIN TA), false, true, 1, 1, "", "" },
    { "an anchor", SPAN_LIT("\2\0\0\0" A4 DNS DOMAIN TA), true, true, 1, 1, "corp.example", "corp.example 258 8 2 AB\n" },
    { "two", SPAN_LIT("\2\0\0\0" A4 DNS DOMAIN TA TA), true, true, 1, 1, "corp.example",
      "corp.example 258 8 2 AB\ncorp.example 258 8 2 AB\n" },
    { "not right behind it", SPAN_LIT("\2\0\0\0" A4 DOMAIN DNS TA), true, true, 1, 1, "corp.example", "" },
    { "an unknown attribute", SPAN_LIT("\2\0\0\0\x7f\xff\0\1x" A4), true, true, 1, 0, "", "" },
    { "no reply but a request", SPAN_LIT("\1\0\0\0" A4), true, true, 0, 0, "", "" },
    { "cut", SPAN_LIT("\2\0\0\0\0\1\0\4\x0a"), true, false, 0, 0, "", "" },
};

static void replies_are_read(void **state)
{
    static const struct adit_option options[] = { { "vips", "0.0.0.0" }, { "split_dns", "corp.example" },
                                                  { "dnssec_ta", "corp.example" } };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    want(sa, options, ARRAY_LEN(options));
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        static struct adit_assigned got;
        got = (struct adit_assigned){ 0 };
        assert_row(replies[i].what, confpay_read(sa, replies[i].body, replies[i].split, &got) == replies[i].ok);
        if (!replies[i].ok)
            continue;
        assert_row(replies[i].what, got.n_addrs == replies[i].addrs && got.n_dns == replies[i].dns);
        assert_row(replies[i].what, !strcmp(got.domains, replies[i].domains) && !strcmp(got.anchors, replies[i].anchors));
    }
    want(sa, NULL, 0);
    core_free(ike);
}

static void wishes_are_listed(void **state)
{
    static const struct adit_option options[] = { { "vips", " 10.0.0.1,::,x, 0.0.0.0" } };
    struct adit_addr v[VIPS_MAX];
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    assert_int_equal(confpay_wanted(sa, v), 0);
    want(sa, options, 1);
    assert_int_equal(confpay_wanted(sa, v), 3);
    assert_true(v[0].family == 4 && v[0].ip[0] == 10 && v[1].family == 6 && addr_is_any(&v[2]));
    want(sa, NULL, 0);
    core_free(ike);
}

/* RFC 7296 s3.15.1: SUPPORTED_ATTRIBUTES is answered by the list of all that are known, also where there is no pool; an
 * APPLICATION_VERSION that is asked for is empty then (s2.20). */
static void what_is_supported_is_told(void **state)
{
    const struct payload cp = { .type = PLD_CP, .body = SPAN_LIT("\1\0\0\0" "\0\x0e\0\0" "\0\7\0\0") };
    const struct ike_msg msg = { .n = 1, .v = &cp };
    struct ike *ike = core_new();
    struct ike_xchg x = { .ike = ike, .sa = core_sa(ike, false), .role = XCHG_RESPONDER };
    struct adit_why why = { 0 };
    uint8_t room[200], type = 0, *scratch = mem_new(confpay_give_later.scratch);
    struct cp_attr attr;
    struct rd attrs;
    struct wr w;
    wr_init(&w, room, sizeof(room));
    wr_chain(&w);
    assert_int_equal(confpay_give_later.consume(&x, scratch, &msg, &why), ADIT_OK);
    assert_int_equal(confpay_give_later.build(&x, scratch, &w, &why), ADIT_OK);
    struct rd in = rd_init(span(room + 5, w.n - 5)); /* behind the first type and the payload's header */
    assert_true(room[0] == PLD_CP && cp_get(&in, &type, &attrs) && type == CFG_REPLY);
    assert_true(cp_next(&attrs, &attr) && attr.type == CPATTR_APPLICATION_VERSION && attr.value.n == 0);
    assert_true(cp_next(&attrs, &attr) && attr.type == CPATTR_SUPPORTED_ATTRIBUTES && attr.value.n == 32);
    bool itself = false;
    for (size_t i = 0; i < attr.value.n; i += 2)
        itself |= attr.value.p[i] == 0 && attr.value.p[i + 1] == CPATTR_SUPPORTED_ATTRIBUTES;
    assert_true(itself);
    assert_false(cp_next(&attrs, &attr));
    mem_del(scratch);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_judged), cmocka_unit_test(lists_are_searched), cmocka_unit_test(anchors_are_printed),
        cmocka_unit_test(replies_are_read), cmocka_unit_test(wishes_are_listed),
        cmocka_unit_test(what_is_supported_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
