/* A mismatch in words: both proposals, the nearest pair, the token to change, and never a cut in the advice. */
#include "ike/negotiate_match.h"
#include "ike_fixture.h"

#define G "aes256gcm16-prfsha384"
enum { EXTRAS = 1, ESP = 2 };

static const struct {
    const char *what, *mine, *theirs;
    unsigned flags;
    const char *text;
} rows[] = {
    { "one token", G "-ecp384", G "-x25519", 0,
      "peer offers " G "-x25519; we want " G "-ecp384; nearest are the peer's 1 and our 1; "
      "key exchange: add x25519 here or ecp384 at the peer" },
    { "nearest of several", "aes128-sha256-prfsha256-ecp256, " G "-ecp384",
      "aes128-sha512-prfsha512-modp2048, aes256gcm16-prfsha256-ecp384", 0,
      "peer offers 2: aes256gcm16-prfsha256-ecp384; 1: aes128-sha512-prfsha512-modp2048; we want 2: " G
      "-ecp384; "
      "1: aes128-sha256-prfsha256-ecp256; nearest are the peer's 2 and our 2; PRF: add prfsha256 here or prfsha384 at "
      "the peer" },
    { "peer's is in no library", G "-x25519", G "-(4/2/0)", 0,
      "peer offers " G "-(4/2/0); we want " G "-x25519; nearest are the peer's 1 and our 1; "
      "key exchange: peer's MODP_1024 is not available here, add x25519 at the peer" },
    { "peer has none", G "-x25519", G, 0,
      "peer offers " G "; we want " G "-x25519; nearest are the peer's 1 and our 1; "
      "key exchange: peer offers none, add x25519 at the peer" },
    { "peer lacks our ADDKE", G "-x25519-ke1_mlkem768", G "-x25519", EXTRAS,
      "peer offers " G "-x25519; we want " G "-x25519-ke1_mlkem768; nearest are the peer's 1 and our 1; "
      "additional key exchange: add ke1_none here or ke1_mlkem768 at the peer" },
    { "we lack the peer's ADDKE", G "-x25519", G "-x25519-ke1_mlkem768", EXTRAS,
      "peer offers " G "-x25519-ke1_mlkem768; we want " G "-x25519; nearest are the peer's 1 and our 1; "
      "additional key exchange: add ke1_mlkem768 here or ke1_none at the peer" },
    { "ADDKE was not agreed on", G "-x25519-ke1_mlkem768", G "-x25519-ke1_mlkem768", 0,
      "peer offers " G "-x25519-ke1_mlkem768; we want " G
      "-x25519-ke1_mlkem768; nearest are the peer's 1 and our 1; "
      "it is skipped whole: ke1_mlkem768 needs INTERMEDIATE_EXCHANGE_SUPPORTED from both sides" },
    { "unknown type", G "-x25519", G "-x25519-(99/1/0)", 0,
      "peer offers " G "-x25519; we want " G
      "-x25519; nearest are the peer's 1 and our 1; it is skipped whole: "
      "transform type 99 is unknown" },
    { "repetition", G "-x25519-ke1_mlkem768-ke2_mlkem768", G "-x25519-ke1_mlkem768-ke2_mlkem768", EXTRAS,
      "peer offers " G "-x25519-ke1_mlkem768-ke2_mlkem768; we want " G
      "-x25519-ke1_mlkem768-ke2_mlkem768; nearest are the "
      "peer's 1 and our 1; additional key exchanges: none twice, and none without a first one (RFC 9370 s2.2)" },
    { "PFS at one end", "aes256gcm16-x25519-noesn", "aes256gcm16-noesn", ESP,
      "peer offers aes256gcm16; we want aes256gcm16-x25519; nearest are the peer's 1 and our 1; "
      "key exchange: add none here or x25519 at the peer" },
    { "ESN", "aes256gcm16-esn", "aes256gcm16-noesn", ESP,
      "peer offers aes256gcm16; we want aes256gcm16-esn; nearest are the peer's 1 and our 1; "
      "sequence numbers: add noesn here or esn at the peer" },
    { "a number that is another's", "aes256gcm16-prfkmac256-x25519", "aes256gcm16-prfkmac256-x25519", 0,
      "peer offers aes256gcm16-prfkmac256-x25519; we want aes256gcm16-prfkmac256-x25519; nearest are the peer's 1 and our 1; "
      "PRF: peer's prfkmac256 has a number for private use, and the peer is no Adit" },
    { "nothing offered", G "-x25519", "", 0, "no proposal fits: the peer offers none" },
};

static void explain(const char *mine, const char *theirs, unsigned flags, struct adit_why *why)
{
    uint8_t proto = flags & ESP ? PROTO_ESP : PROTO_IKE;
    struct negotiate_rules r = { .crypto = crypto(),
                                 .extra_types = flags & EXTRAS ? EXTRAS_ALL : 0,
                                 .esp = flags & ESP };
    enum adit_rc rc = negotiate_explain(offer_of(theirs, proto), list_of(mine, proto), &r, why);
    assert_int_equal(rc, ADIT_ERR_PROPOSAL);
    assert_int_equal(why->rc, ADIT_ERR_PROPOSAL);
}

static void test_texts(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_why why = { 0 };
        explain(rows[i].mine, rows[i].theirs, rows[i].flags, &why);
        if (strcmp(why.text, rows[i].text))
            fail_msg("row '%s':\n got  %s\n want %s", rows[i].what, why.text, rows[i].text);
    }
}

/* Lists that do not fit are cut and counted; the advice stands at the end, whole. */
static void test_long_lists(void **state)
{
    static char theirs[6000];
    struct adit_why why = { 0 };
    for (unsigned i = 0; i < 60; i++)
        strcat(theirs, "aes128-aes192-sha512-sha384-(2/2/0)-modp2048-modp3072-modp4096, ");
    strcat(theirs, G "-ecp521");
    explain(
        "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha384-prfsha512-prfsha256-x25519-ecp384-ecp256-ke1_mlkem768-"
        "ke1_mlkem1024, aes256gcm16-aes128gcm16-chacha20poly1305-prfsha384-prfsha512-prfsha256-x25519-ecp384-ecp256",
        theirs, EXTRAS, &why);
    assert_non_null(strstr(why.text, "peer offers 61: " G "-ecp521; 1: aes128"));
    assert_non_null(strstr(why.text, " more; we want 2: aes256gcm16-aes128gcm16"));
    const char *advice =
        "; nearest are the peer's 61 and our 2; key exchange: add ecp521 here or x25519 at the peer";
    assert_string_equal(why.text + strlen(why.text) - strlen(advice), advice);
    assert_true(strlen(why.text) < sizeof(why.text));
}

/* One monstrous proposal is cut by dots. */
static void test_long_proposal(void **state)
{
    static char theirs[2000] = "aes128";
    struct adit_why why = { 0 };
    for (unsigned i = 0; i < 60; i++)
        strcat(theirs, "-(4/50000/0)");
    strcat(theirs, "-prfsha384");
    explain(G "-x25519", theirs, 0, &why);
    assert_non_null(strstr(why.text, "...; we want " G "-x25519; nearest"));
    assert_non_null(
        strstr(why.text, "key exchange: peer's (50000) is not available here, add x25519 at the peer"));
}

static void test_without_why(void **state)
{
    struct negotiate_rules r = { .crypto = crypto() };
    assert_int_equal(
        negotiate_explain(offer_of(G "-x25519", PROTO_IKE), list_of(G "-ecp256", PROTO_IKE), &r, NULL),
        ADIT_ERR_PROPOSAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_long_proposal),
        cmocka_unit_test(test_without_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
