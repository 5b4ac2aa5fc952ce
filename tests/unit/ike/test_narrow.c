/* Narrowing of traffic selectors (RFC 7296 s2.9), written as the selectors' own text. */
#include "ike/narrow.h"
#include "ike_fixture.h"

static struct adit_ts_list list(const char *text)
{
    struct adit_ts_list out = { 0 };
    char copy[4000], *save = NULL;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *one = strtok_r(copy, ", ", &save); one; one = strtok_r(NULL, ", ", &save)) {
        struct adit_ts_cfg cfg;
        struct adit_why why = { 0 };
        if (ts_parse(one, &cfg, &why) != ADIT_OK)
            fail_msg("%s", why.text);
        out.v[out.n++] = cfg.ts;
    }
    return out;
}

static const struct {
    const char *what, *peer_local, *peer_remote, *mine_local, *mine_remote;
    const char *local, *remote; /* NULL: unacceptable */
    int score;
} rows[] = {
    { "equal", "10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", 4 },
    { "peer asks for more", "0.0.0.0/0", "0.0.0.0/0", "10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16",
      "10.2.0.0/16", 1 },
    { "peer asks for less", "10.1.5.0/24", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.1.5.0/24",
      "10.2.0.0/16", 3 },
    { "ranges overlap", "10.0.0.5-10.0.0.20", "10.2.0.0/16", "10.0.0.10-10.0.0.30", "10.2.0.0/16",
      "10.0.0.10..10.0.0.20", "10.2.0.0/16", 1 },
    { "nothing in common here", "10.3.0.0/16", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", NULL, NULL, 0 },
    { "nothing in common there", "10.1.0.0/16", "10.3.0.0/16", "10.1.0.0/16", "10.2.0.0/16", NULL, NULL, 0 },
    { "packet first, then its network: one remains", "10.1.0.5[tcp/80], 10.1.0.0/16",
      "10.2.0.7[tcp/1234], 10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", 4 },
    { "packet first, wider than its policy", "10.1.0.5[tcp/80], 10.1.0.0/16", "10.2.0.0/16", "10.1.0.5",
      "10.2.0.0/16", "10.1.0.5/32", "10.2.0.0/16", 3 },
    { "peer's order", "10.2.0.0/16, 10.1.0.0/16", "10.9.0.1", "10.1.0.0/16, 10.2.0.0/16", "10.9.0.1",
      "10.2.0.0/16, 10.1.0.0/16", "10.9.0.1/32", 4 },
    { "protocol narrows", "10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16[tcp/80]", "10.2.0.0/16[tcp]",
      "10.1.0.0/16[tcp/http]", "10.2.0.0/16[tcp]", 1 },
    { "protocols differ", "10.1.0.0/16[udp]", "10.2.0.0/16", "10.1.0.0/16[tcp]", "10.2.0.0/16", NULL, NULL,
      0 },
    { "ports meet", "10.1.0.0/16[tcp/1-100]", "10.2.0.0/16", "10.1.0.0/16[tcp/50-200]", "10.2.0.0/16",
      "10.1.0.0/16[tcp/50-100]", "10.2.0.0/16", 1 },
    { "duplicates", "10.1.0.0/16, 10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16, 10.1.0.0/16", "10.2.0.0/16",
      "10.1.0.0/16", "10.2.0.0/16", 4 },
    { "covered by a later one", "10.1.1.0/24, 10.1.2.0/24, 10.1.0.0/16", "10.2.0.0/16", "10.0.0.0/8",
      "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", 3 },
    { "both families", "10.1.0.0/16, fd01::/64", "10.2.0.0/16, fd02::/64", "10.1.0.0/16, fd01::/64",
      "10.2.0.0/16, fd02::/64", "10.1.0.0/16, fd01::/64", "10.2.0.0/16, fd02::/64", 4 },
    { "a family on one side only", "10.1.0.0/16, fd01::/64", "10.2.0.0/16", "10.1.0.0/16, fd01::/64",
      "10.2.0.0/16, fd02::/64", "10.1.0.0/16", "10.2.0.0/16", 3 },
    { "no family on both sides", "10.1.0.0/16", "fd02::/64", "10.1.0.0/16", "fd02::/64", NULL, NULL, 0 },
    { "peer offers nothing", "", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", NULL, NULL, 0 },
    { "OPAQUE inside any port", "10.1.0.0/16[tcp/opaque]", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16",
      "10.1.0.0/16[tcp/OPAQUE]", "10.2.0.0/16", 3 },
    { "several ranges against one network", "10.1.0.0/24, 10.1.5.0-10.1.5.9, 10.9.0.0/16", "10.2.0.0/16", "10.1.0.0/16",
      "10.2.0.0/16", "10.1.0.0/24, 10.1.5.0..10.1.5.9", "10.2.0.0/16", 3 },
    { "one network against several", "10.0.0.0/8", "10.2.0.0/16", "10.1.0.0/24, 10.3.0.0/24, 192.0.2.1", "10.2.0.0/16",
      "10.1.0.0/24, 10.3.0.0/24", "10.2.0.0/16", 1 },
    { "several ports of one service", "10.1.0.0/16[tcp/80], 10.1.0.0/16[tcp/443], 10.1.0.0/16[udp/53]", "10.2.0.0/16",
      "10.1.0.0/16[tcp]", "10.2.0.0/16", "10.1.0.0/16[tcp/http], 10.1.0.0/16[tcp/https]", "10.2.0.0/16", 3 },
    { "port ranges in pieces", "10.1.0.0/16[udp/1000-2000]", "10.2.0.0/16",
      "10.1.0.0/16[udp/900-1100], 10.1.0.0/16[udp/1900-2100]", "10.2.0.0/16",
      "10.1.0.0/16[udp/1000-1100], 10.1.0.0/16[udp/1900-2000]", "10.2.0.0/16", 1 },
    { "port ranges that touch nowhere", "10.1.0.0/16[udp/1000-2000]", "10.2.0.0/16", "10.1.0.0/16[udp/2001-2100]",
      "10.2.0.0/16", NULL, NULL, 0 },
    { "one type of ICMP", "10.1.0.0/16[icmp]", "10.2.0.0/16[icmp]", "10.1.0.0/16[icmp/8]", "10.2.0.0/16[icmp/8]",
      "10.1.0.0/16[icmp/8]", "10.2.0.0/16[icmp/8]", 1 },
    { "other types of ICMP", "10.1.0.0/16[icmp/0]", "10.2.0.0/16", "10.1.0.0/16[icmp/8]", "10.2.0.0/16", NULL, NULL, 0 },
    { "type and code of ICMP", "10.1.0.0/16[icmp/772]", "10.2.0.0/16", "10.1.0.0/16[icmp/3]", "10.2.0.0/16",
      "10.1.0.0/16[icmp/3(4)]", "10.2.0.0/16", 3 },
    { "OPAQUE is no port", "10.1.0.0/16[tcp/opaque]", "10.2.0.0/16", "10.1.0.0/16[tcp/80]", "10.2.0.0/16", NULL, NULL, 0 },
    { "ESP without ports", "10.1.0.0/16[esp]", "10.2.0.0/16[esp]", "10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16[esp]",
      "10.2.0.0/16[esp]", 3 },
    { "counts may differ", "10.1.0.1, 10.1.0.3", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.1, 10.2.0.3, 10.2.0.5",
      "10.1.0.1/32, 10.1.0.3/32", "10.2.0.1/32, 10.2.0.3/32, 10.2.0.5/32", 1 },
    { "the packet is outside of the policy, its network is not", "10.3.0.5[tcp/80], 10.0.0.0/8", "10.2.0.7[tcp/1234], 10.2.0.0/16",
      "10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", 1 },
    { "the packet is inside of this policy", "10.1.0.5[tcp/80], 10.0.0.0/8", "10.2.0.7[tcp/1234], 10.2.0.0/16",
      "10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16", "10.2.0.0/16", 3 },
};

static void expect(const char *what, const struct adit_ts_list *got, const char *want)
{
    STRBUF(text, 400);
    narrow_print(&text, got);
    if (strcmp(text.p, want))
        fail_msg("row '%s': %s instead of %s", what, text.p, want);
}

static void test_choose(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_ts_list pl = list(rows[i].peer_local), pr = list(rows[i].peer_remote);
        struct adit_ts_list ml = list(rows[i].mine_local), mr = list(rows[i].mine_remote), local, remote;
        struct adit_why why = { 0 };
        enum adit_rc rc = narrow_choose(&pl, &pr, &ml, &mr, &local, &remote, "net", &why);
        assert_row(rows[i].what, rc == (rows[i].local ? ADIT_OK : ADIT_ERR_TS));
        assert_row(rows[i].what, narrow_score(&pl, &pr, &ml, &mr) == rows[i].score);
        if (rc != ADIT_OK) {
            assert_row(rows[i].what, local.n == 0 && remote.n == 0 && why.text[0]);
            continue;
        }
        expect(rows[i].what, &local, rows[i].local);
        expect(rows[i].what, &remote, rows[i].remote);
        /* what we answer is inside what the peer asked for */
        assert_row(rows[i].what, narrow_check(&local, &pl, &why) == ADIT_OK);
        assert_row(rows[i].what, narrow_check(&remote, &pr, &why) == ADIT_OK);
    }
}

static void test_words(void **state)
{
    struct adit_ts_list pl = list("10.3.0.0/16"), pr = list("10.4.0.0/16"), ml = list("10.1.0.0/16"),
                        mr = list("10.2.0.0/16, 10.5.0.0/16"), local, remote;
    struct adit_why why = { 0 };
    assert_int_equal(narrow_choose(&pl, &pr, &ml, &mr, &local, &remote, "net", &why), ADIT_ERR_TS);
    assert_string_equal(why.text,
                        "peer asks for 10.3.0.0/16 === 10.4.0.0/16, policy 'net' allows 10.1.0.0/16 === "
                        "10.2.0.0/16, 10.5.0.0/16");
}

/* More combinations than fit: the list is full, and still begins with the peer's first selector. */
static void test_full(void **state)
{
    struct adit_ts_list peer = { 0 }, mine = { 0 }, remote = list("10.9.0.1"), local, out_remote;
    struct adit_why why = { 0 };
    for (unsigned i = 0; i < ADIT_TS_MAX; i++) {
        struct adit_ts port = { .family = 4,
                                .proto = 6,
                                .port_lo = (uint16_t)(100 * i),
                                .port_hi = (uint16_t)(100 * i + 50),
                                .hi = { 255, 255, 255, 255 } };
        struct adit_ts net = {
            .family = 4, .lo = { 10, (uint8_t)i }, .hi = { 10, (uint8_t)i, 255, 255 }, .port_hi = 65535
        };
        peer.v[peer.n++] = port;
        mine.v[mine.n++] = net;
    }
    assert_int_equal(narrow_choose(&peer, &remote, &mine, &remote, &local, &out_remote, "net", &why),
                     ADIT_OK);
    assert_int_equal(local.n, ADIT_TS_MAX);
    assert_int_equal(local.v[0].port_hi, 50);
    assert_int_equal(narrow_choose(&remote, &peer, &mine, &mine, &local, &out_remote, "net", &why), ADIT_OK);
    /* and a failure's text is cut, not overrun */
    struct adit_ts_list none = list("192.0.2.1");
    assert_int_equal(narrow_choose(&peer, &peer, &none, &none, &local, &out_remote,
                                   "a name of fourty characters and then some", &why),
                     ADIT_OK);
    assert_int_equal(narrow_choose(&mine, &mine, &none, &none, &local, &out_remote,
                                   "a name of fourty characters and then some more", &why),
                     ADIT_ERR_TS);
    assert_non_null(strstr(why.text, "... === "));
    assert_non_null(strstr(why.text, "allows 192.0.2.1/32 === 192.0.2.1/32"));
}

static void test_check(void **state)
{
    static const struct {
        const char *what, *got, *asked;
        bool ok;
    } checks[] = {
        { "same", "10.1.0.0/16", "10.1.0.0/16", true },
        { "inside one of two", "10.2.3.4", "10.1.0.0/16, 10.2.0.0/16", true },
        { "wider", "10.0.0.0/8", "10.1.0.0/16", false },
        { "one of two outside", "10.1.0.0/16, 10.3.0.0/16", "10.1.0.0/16", false },
        { "other family", "fd00::/8", "10.1.0.0/16", false },
        { "protocol widened", "10.1.0.0/16", "10.1.0.0/16[tcp]", false },
        { "nothing", "", "10.1.0.0/16", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct adit_ts_list got = list(checks[i].got), asked = list(checks[i].asked);
        struct adit_why why = { 0 };
        assert_row(checks[i].what,
                   narrow_check(&got, &asked, &why) == (checks[i].ok ? ADIT_OK : ADIT_ERR_TS));
        assert_row(checks[i].what, checks[i].ok == !why.text[0]);
    }
}

static void test_packet_first(void **state)
{
    static const struct {
        const char *what, *local, *remote, *packet_local, *packet_remote, *out_local, *out_remote; /* NULL: unchanged */
    } cases[] = {
        { "inside", "10.1.0.0/16", "10.2.0.0/16, 10.3.0.0/16", "10.1.0.5[tcp/80]", "10.3.0.7[tcp/1234]",
          "10.1.0.5/32[tcp/http], 10.1.0.0/16", "10.3.0.7/32[tcp/1234], 10.2.0.0/16, 10.3.0.0/16" },
        { "begins with it", "10.1.0.5", "10.2.0.0/16", "10.1.0.5", "10.2.0.7", "10.1.0.5/32",
          "10.2.0.7/32, 10.2.0.0/16" },
        { "outside", "10.1.0.0/16", "10.2.0.0/16", "10.9.0.5", "10.2.0.7", NULL, NULL },
        { "outside there", "10.1.0.0/16", "10.2.0.0/16", "10.1.0.5", "10.9.0.7", NULL, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct adit_ts_list local = list(cases[i].local), remote = list(cases[i].remote);
        struct adit_ts_list pl = list(cases[i].packet_local), pr = list(cases[i].packet_remote);
        assert_row(cases[i].what,
                   narrow_packet_first(&local, &remote, &pl.v[0], &pr.v[0]) == (cases[i].out_local != NULL));
        expect(cases[i].what, &local, cases[i].out_local ? cases[i].out_local : cases[i].local);
        expect(cases[i].what, &remote, cases[i].out_remote ? cases[i].out_remote : cases[i].remote);
    }
}

static void test_clip(void **state)
{
    static const struct {
        const char *what, *got, *asked, *out; /* NULL: nothing of it is */
    } cases[] = {
        { "same", "10.1.0.0/16", "10.1.0.0/16", "10.1.0.0/16" },
        { "more", "0.0.0.0/0, ::/0", "10.1.0.0/16, 10.3.0.0/16", "10.1.0.0/16, 10.3.0.0/16" },
        { "less", "10.1.5.0/24", "10.1.0.0/16", "10.1.5.0/24" },
        { "something else", "10.9.0.0/16", "10.1.0.0/16", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct adit_ts_list got = list(cases[i].got), asked = list(cases[i].asked);
        struct adit_why why = { 0 };
        enum adit_rc rc = narrow_clip(&got, &asked, &why);
        assert_row(cases[i].what, rc == (cases[i].out ? ADIT_OK : ADIT_ERR_TS));
        if (cases[i].out)
            expect(cases[i].what, &got, cases[i].out);
    }
}

static void test_resolve(void **state)
{
    static const struct {
        const char *what, *one, *two;
        struct adit_addr outer;
        const char *out;
    } cases[] = {
        { "static", "10.1.0.0/16", "fd00::/8", { 4, { 1, 2, 3, 4 } }, "10.1.0.0/16, fd00::/8" },
        { "dynamic", "dynamic", "10.1.0.0/16", { 4, { 1, 2, 3, 4 } }, "1.2.3.4/32, 10.1.0.0/16" },
        { "dynamic with ports",
          "dynamic[udp/53]",
          "dynamic[tcp]",
          { 4, { 1, 2, 3, 4 } },
          "1.2.3.4/32[udp/domain], 1.2.3.4/32[tcp]" },
        { "dynamic with IPv6", "dynamic", "10.1.0.0/16", { 6, { 0xfd } }, "fd00::/128, 10.1.0.0/16" },
        { "dynamic without address", "dynamic", "10.1.0.0/16", { 0 }, "10.1.0.0/16" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct adit_ts_cfg cfg[2];
        struct adit_ts_list out;
        assert_int_equal(ts_parse(cases[i].one, &cfg[0], NULL) | ts_parse(cases[i].two, &cfg[1], NULL), 0);
        struct adit_ts_list dynamic = { .n = cases[i].outer.family ? 1 : 0 };
        if (dynamic.n)
            dynamic.v[0] = ts_from_addr(&cases[i].outer);
        narrow_resolve(cfg, 2, &dynamic, &out);
        expect(cases[i].what, &out, cases[i].out);
    }
}

/* A client with two virtual addresses; and what is left of an offer when they are known. */
static void test_several(void **state)
{
    static const struct adit_addr vips[] = { { 4, { 10, 9, 0, 1 } }, { 6, { 0xfd } } };
    struct adit_ts_cfg cfg[1];
    struct adit_ts_list dynamic = { .n = 2, .v = { ts_from_addr(&vips[0]), ts_from_addr(&vips[1]) } }, out;
    assert_int_equal(ts_parse("dynamic[tcp/80]", &cfg[0], NULL), ADIT_OK);
    narrow_resolve(cfg, 1, &dynamic, &out);
    expect("each address", &out, "10.9.0.1/32[tcp/http], fd00::/128[tcp/http]");
    struct adit_ts_list agreed = { .n = 2, .v = { ts_any(4), ts_any(6) } };
    narrow_cut(&agreed, &out);
    expect("cut", &agreed, "10.9.0.1/32[tcp/http], fd00::/128[tcp/http]");
    dynamic.n = 1;
    narrow_cut(&agreed, &dynamic);
    expect("one family", &agreed, "10.9.0.1/32[tcp/http]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose), cmocka_unit_test(test_words),   cmocka_unit_test(test_full),
        cmocka_unit_test(test_check),  cmocka_unit_test(test_resolve), cmocka_unit_test(test_several),
        cmocka_unit_test(test_packet_first), cmocka_unit_test(test_clip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
