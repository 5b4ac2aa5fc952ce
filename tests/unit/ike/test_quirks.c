/* test_quirks.c - who the peer is, by which evidence; what is known of it applies to it and to no other. */
#include "core.h"

static const struct {
    const char *what, *peer;
    bool old_prf;
} named[] = {
    { "unknown peer", NULL, false },
    { "strongswan", "strongswan", true },
    { "another name", "libreswan", false },
    { "only whole names count", "strongswan6", false },
};

static void names_select_quirks(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    const struct policy_conn *keep = sa->conn;
    for (size_t i = 0; i < ARRAY_LEN(named); i++) {
        struct adit_conn cfg = { .name = "peer", .peer = named[i].peer };
        struct policy_conn conn = { .cfg = &cfg };
        sa->conn = &conn;
        assert_row(named[i].what, peer_has(sa, QUIRK_PRF_PLUS_OLD) == named[i].old_prf);
        assert_row(named[i].what, peer_named_has(named[i].peer, QUIRK_PRF_PLUS_OLD) == named[i].old_prf);
        sa->conn = keep;
    }
    core_free(ike);
}

static void nothing_is_known_before_a_connection_is_found(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    const struct policy_conn *keep = sa->conn;
    sa->conn = NULL;
    assert_false(peer_has(sa, QUIRK_PRF_PLUS_OLD));
    sa->conn = keep;
    core_free(ike);
}

/* What a message tells by itself is weaker than what the connection says, and some quirks need more than a look. */
static void evidence_is_weighed(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct adit_conn cfg = { .name = "peer" };
    struct policy_conn conn = { .cfg = &cfg };
    const struct policy_conn *keep = sa->conn;
    sa->conn = &conn;
    sa->guess = (struct peer_guess){ PEER_STRONGSWAN, EVIDENCE_SHAPE };
    assert_false(peer_has(sa, QUIRK_PRF_PLUS_OLD));
    sa->guess.evidence = EVIDENCE_VENDOR_ID;
    assert_true(peer_has(sa, QUIRK_PRF_PLUS_OLD));
    cfg.peer = "libreswan";
    assert_false(peer_has(sa, QUIRK_PRF_PLUS_OLD));
    struct adit_ike_info info = { .n_marks = 0 };
    peer_status(sa, &info);
    assert_int_equal(info.n_marks, 2);
    assert_string_equal(info.marks[0].value, "libreswan");
    assert_string_equal(info.marks[1].value, "configuration");
    info.n_marks = ARRAY_LEN(info.marks) - 1; /* no room for both: neither */
    peer_status(sa, &info);
    assert_int_equal(info.n_marks, ARRAY_LEN(info.marks) - 1);
    sa->conn = keep;
    core_free(ike);
}

/* Vendor IDs as they are sent, and orders of notifies as they were captured. */
static const struct {
    const char *what;
    struct adit_span vendor;
    uint16_t notify[8];
    enum peer_kind kind;
    enum peer_evidence evidence;
} looks[] = {
    { "strongSwan's Vendor ID", SPAN_LIT("\x88\x2f\xe5\x6d\x6f\xd2\x0d\xbc\x22\x51\x61\x3b\x2e\xbe\x5b\xeb"), { 0 },
      PEER_STRONGSWAN, EVIDENCE_VENDOR_ID },
    { "libreswan's", SPAN_LIT("OE-Libreswan-5.2"), { 16430, 16388, 16389 }, PEER_LIBRESWAN, EVIDENCE_VENDOR_ID },
    { "OpenIKED's", SPAN_LIT("OpenIKED-7.4"), { 0 }, PEER_OPENIKED, EVIDENCE_VENDOR_ID },
    { "Windows'", SPAN_LIT("\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61\0\0\0\x09"), { 0 },
      PEER_WINDOWS, EVIDENCE_VENDOR_ID },
    { "Cisco's", SPAN_LIT("CISCO(COPYRIGHT)&Copyright (c) 2009 Cisco Systems, Inc."), { 0 }, PEER_CISCO,
      EVIDENCE_VENDOR_ID },
    { "shorter than known", SPAN_LIT("OpenIKED"), { 0 }, PEER_UNKNOWN, EVIDENCE_NONE },
    { "strongSwan 6.1 asks", SPAN_NONE, { 16388, 16389, 16430, 16431, 16406 }, PEER_STRONGSWAN, EVIDENCE_SHAPE },
    { "strongSwan 6.1 answers", SPAN_NONE, { 16388, 16389, 16430, 16431, 16418, 16404 }, PEER_STRONGSWAN,
      EVIDENCE_SHAPE },
    { "libreswan 5.2 asks, PSK", SPAN_NONE, { 16430, 16388, 16389 }, PEER_LIBRESWAN, EVIDENCE_SHAPE },
    { "libreswan 5.2 answers, RSA", SPAN_NONE, { 16430, 16431, 16388, 16389, 16418 }, PEER_LIBRESWAN, EVIDENCE_SHAPE },
    { "libreswan 5.2 asks, PPK", SPAN_NONE, { 16430, 16435, 16388, 16389 }, PEER_LIBRESWAN, EVIDENCE_SHAPE },
    { "we ask", SPAN_NONE, { 16431, 16388, 16389, 16430, 16438, 16447 }, PEER_UNKNOWN, EVIDENCE_NONE },
    { "one of them twice", SPAN_NONE, { 16388, 16389, 16430, 16431, 16431 }, PEER_UNKNOWN, EVIDENCE_NONE },
    { "strongSwan's order, a strange Vendor ID", SPAN_LIT("another"), { 16388, 16389, 16430, 16431 }, PEER_UNKNOWN,
      EVIDENCE_NONE },
    { "nothing", SPAN_NONE, { 0 }, PEER_UNKNOWN, EVIDENCE_NONE },
};

static void looks_are_known(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        uint8_t body[8][4];
        struct payload p[9];
        uint16_t n = 0;
        for (; n < 8 && looks[i].notify[n]; n++) {
            uint8_t data[] = { 0, 0, (uint8_t)(looks[i].notify[n] >> 8), (uint8_t)looks[i].notify[n] };
            memcpy(body[n], data, sizeof(data));
            p[n] = (struct payload){ .type = PLD_NOTIFY, .body = SPAN_ARRAY(body[n]) };
        }
        if (looks[i].vendor.n)
            p[n++] = (struct payload){ .type = PLD_VENDOR, .body = looks[i].vendor };
        struct peer_guess got = peer_look(&(struct ike_msg){ .n = n, .v = p });
        assert_row(looks[i].what, got.kind == looks[i].kind && got.evidence == looks[i].evidence);
    }
}

/* Every row tells what, why and where it is tested; flags belong to a kind, and no kind has no name. */
static void rows_are_whole(void **state)
{
    size_t n;
    const struct quirk_row *r = quirk_rows(&n);
    for (size_t i = 0; i < n; i++) {
        assert_row(r[i].does, r[i].does && r[i].answer && r[i].source && r[i].test);
        assert_row(r[i].does, !r[i].flag || (r[i].kind != PEER_UNKNOWN && r[i].least > EVIDENCE_NONE));
    }
    for (unsigned k = 0; k < PEER_KINDS; k++)
        assert_non_null(peer_kind_name(k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_select_quirks),
        cmocka_unit_test(nothing_is_known_before_a_connection_is_found),
        cmocka_unit_test(evidence_is_weighed),
        cmocka_unit_test(looks_are_known),
        cmocka_unit_test(rows_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
