/* What the responder chooses: RFC 7296 s2.7, s3.3; RFC 5282 s8; RFC 9370 s2.2.1. */
#include "ike/negotiate_match.h"
#include "ike_fixture.h"

enum { EXTRAS = 1, ESP = 2, NO_KE = 4, PEERS_ORDER = 8, NO_WINDOW = 16, PRIVATE = 32 };

struct row {
    const char *what, *mine, *theirs;
    unsigned flags;
    const char *chosen; /* NULL: nothing fits */
    unsigned num;
};
#define G "aes256gcm16-prfsha384"

static const struct row rows[] = {
    /* order */
    { "only one each", G "-x25519", G "-x25519", 0, G "-x25519", 1 },
    { "our order of proposals", G "-x25519, aes128-prfsha256-sha256-ecp256",
      "aes128-prfsha256-sha256-ecp256, " G "-x25519", 0, G "-x25519", 2 },
    { "peer's order of proposals", G "-x25519, aes128-prfsha256-sha256-ecp256",
      "aes128-prfsha256-sha256-ecp256, " G "-x25519", PEERS_ORDER, "aes128-sha256-prfsha256-ecp256", 1 },
    { "our order within", "aes256gcm16-aes128gcm16-prfsha512-prfsha256-x25519-ecp256",
      "aes128gcm16-aes256gcm16-prfsha256-prfsha512-ecp256-x25519", 0, "aes256gcm16-prfsha512-x25519", 1 },
    { "peer's order within", "aes256gcm16-aes128gcm16-prfsha512-prfsha256-x25519-ecp256",
      "aes128gcm16-aes256gcm16-prfsha256-prfsha512-ecp256-x25519", PEERS_ORDER,
      "aes128gcm16-prfsha256-ecp256", 1 },
    { "each one partly", "aes256gcm16-aes128gcm16-prfsha384-x25519",
      "aes128gcm16-prfsha256-prfsha384-ecp256-x25519", 0, "aes128gcm16-prfsha384-x25519", 1 },
    /* Key Length */
    { "key length differs", "aes256gcm16-prfsha384-x25519", "aes128gcm16-prfsha384-x25519", 0, NULL, 0 },
    { "key length missing", G "-x25519", "(1/20/0)-prfsha384-x25519", 0, NULL, 0 },
    { "key length that no cipher has", "(1/20/99)-prfsha384-x25519", "(1/20/99)-prfsha384-x25519", 0, NULL,
      0 },
    { "key length on a PRF", G "-x25519", "aes256gcm16-(2/6/128)-x25519", 0, NULL, 0 },
    { "key length on ChaCha20", "(1/28/256)-prfsha384-x25519", "(1/28/256)-prfsha384-x25519", 0, NULL, 0 },
    /* AEAD and INTEG */
    { "INTEG NONE beside AEAD", G "-x25519", G "-(3/0/0)-x25519", 0, G "-x25519", 1 },
    { "INTEG beside AEAD", G "-x25519", G "-sha256-x25519", 0, NULL, 0 },
    { "INTEG and NONE beside AEAD", G "-x25519", G "-sha256-(3/0/0)-x25519", 0, G "-x25519", 1 },
    { "CBC without INTEG", "aes256-sha256-prfsha256-x25519", "aes256-prfsha256-x25519", 0, NULL, 0 },
    { "CBC with INTEG NONE", "aes256-(3/0/0)-prfsha256-x25519", "aes256-(3/0/0)-prfsha256-x25519", 0, NULL,
      0 },
    { "CBC with INTEG", "aes256-sha512-sha256-prfsha256-x25519", "aes256-sha256-prfsha256-x25519", 0,
      "aes256-sha256-prfsha256-x25519", 1 },
    { "peer mixes AEAD and CBC: the cipher whose INTEG fits", "aes256gcm16-aes128-sha256-prfsha256-x25519",
      "aes256gcm16-aes128-sha256-prfsha256-x25519", 0, "aes128-sha256-prfsha256-x25519", 1 },
    /* unknown things */
    { "unknown attribute: transform skipped", "aes256gcm16-aes128gcm16-prfsha384-x25519",
      "!aes256gcm16-aes128gcm16-prfsha384-x25519", 0, "aes128gcm16-prfsha384-x25519", 1 },
    { "unknown ids: transforms skipped", G "-x25519", "(1/999/0)-" G "-(2/999/0)-(4/999/0)-x25519", 0,
      G "-x25519", 1 },
    { "only unknown ids", G "-x25519", "(1/999/0)-prfsha384-x25519", 0, NULL, 0 },
    { "unknown type: proposal skipped", G "-x25519, " G "-ecp256", G "-x25519-(99/1/0), " G "-ecp256", 0,
      G "-ecp256", 2 },
    { "private numbers among ours", "aes256-kmac256-prfkmac256-x25519", "aes256-kmac256-prfkmac256-x25519", PRIVATE,
      "aes256-kmac256-prfkmac256-x25519", 1 },
    { "private PRF with a stranger", "aes256gcm16-prfkmac256-x25519", "aes256gcm16-prfkmac256-x25519", 0, NULL, 0 },
    { "private INTEG with a stranger", "aes256-kmac128-prfsha256-x25519", "aes256-kmac128-prfsha256-x25519", 0, NULL, 0 },
    { "a stranger's other choice", "aes256gcm16-prfkmac256-prfsha384-x25519", "aes256gcm16-prfkmac256-prfsha384-x25519", 0,
      G "-x25519", 1 },
    { "private INTEG in ESP", "aes256-kmac128-noesn", "aes256-kmac128-noesn", ESP | PRIVATE, "aes256-kmac128", 1 },
    { "private INTEG in ESP with a stranger", "aes256-kmac128-noesn", "aes256-kmac128-noesn", ESP, NULL, 0 },
    { "type 0", G "-x25519", G "-x25519-(0/1/0)", 0, NULL, 0 },
    { "SN in IKE", G "-x25519", G "-x25519-noesn", 0, NULL, 0 },
    { "ours is in no library", "(1/23/256)-prfsha384-sha256-x25519", "(1/23/256)-prfsha384-sha256-x25519", 0,
      NULL, 0 },
    { "ENCR NULL is not for IKE", "(1/11/0)-sha256-prfsha256-x25519", "(1/11/0)-sha256-prfsha256-x25519", 0,
      NULL, 0 },
    /* mandatory types */
    { "no PRF", G "-x25519", "aes256gcm16-x25519", 0, NULL, 0 },
    { "no KE", G "-x25519", G, 0, NULL, 0 },
    { "no ENCR", G "-x25519", "prfsha384-x25519", 0, NULL, 0 },
    { "KE NONE in IKE", G "-none", G "-none", 0, NULL, 0 },
    { "KE NONE beside another in IKE", G "-none-x25519", G "-none-x25519", 0, G "-x25519", 1 },
    { "nothing", G "-x25519", "", 0, NULL, 0 },
    /* additional key exchanges */
    { "ADDKE", G "-x25519-ke1_mlkem768", G "-x25519-ke1_mlkem768", EXTRAS, G "-x25519-ke1_mlkem768", 1 },
    { "ADDKE not agreed on: skipped whole", G "-x25519-ke1_mlkem768, " G "-x25519",
      G "-x25519-ke1_mlkem768, " G "-x25519", 0, G "-x25519", 2 },
    { "ADDKE not agreed on: NONE does not help", G "-x25519", G "-x25519-ke1_mlkem768-ke1_none", 0, NULL, 0 },
    { "ADDKE in our order", G "-x25519-ke1_mlkem1024-ke1_mlkem768", G "-x25519-ke1_mlkem768-ke1_mlkem1024",
      EXTRAS, G "-x25519-ke1_mlkem1024", 1 },
    { "peer has an ADDKE that we lack", G "-x25519", G "-x25519-ke1_mlkem768", EXTRAS, NULL, 0 },
    { "peer has an optional ADDKE that we lack", G "-x25519", G "-x25519-ke1_mlkem768-ke1_none", EXTRAS,
      G "-x25519", 1 },
    { "we have an ADDKE that the peer lacks", G "-x25519-ke1_mlkem768", G "-x25519", EXTRAS, NULL, 0 },
    { "we have an optional ADDKE that the peer lacks", G "-x25519-ke1_mlkem768-ke1_none", G "-x25519", EXTRAS,
      G "-x25519", 1 },
    { "optional on both sides: the real one first", G "-x25519-ke1_mlkem768-ke1_none",
      G "-x25519-ke1_none-ke1_mlkem768", EXTRAS, G "-x25519-ke1_mlkem768", 1 },
    { "unlike methods, both optional", G "-x25519-ke1_mlkem512-ke1_none", G "-x25519-ke1_mlkem768-ke1_none",
      EXTRAS, G "-x25519", 1 },
    { "types that do not follow each other", G "-x25519-ke2_mlkem768-ke5_ecp384",
      G "-x25519-ke2_mlkem768-ke5_ecp384", EXTRAS, G "-x25519-ke2_mlkem768-ke5_ecp384", 1 },
    { "same methods in other types", G "-x25519-ke1_mlkem768", G "-x25519-ke2_mlkem768", EXTRAS, NULL, 0 },
    { "all seven",
      G "-x25519-ke1_mlkem512-ke2_mlkem768-ke3_mlkem1024-ke4_ecp256-ke5_ecp384-ke6_ecp521-ke7_x448",
      G "-x25519-ke1_mlkem512-ke2_mlkem768-ke3_mlkem1024-ke4_ecp256-ke5_ecp384-ke6_ecp521-ke7_x448", EXTRAS,
      G "-x25519-ke1_mlkem512-ke2_mlkem768-ke3_mlkem1024-ke4_ecp256-ke5_ecp384-ke6_ecp521-ke7_x448", 1 },
    { "no repetition: the second choice for the first type",
      G "-x25519-ke1_mlkem768-ke1_mlkem1024-ke2_mlkem768",
      G "-x25519-ke1_mlkem768-ke1_mlkem1024-ke2_mlkem768", EXTRAS, G "-x25519-ke1_mlkem1024-ke2_mlkem768",
      1 },
    { "no repetition: NONE for the first type", G "-x25519-ke1_mlkem768-ke1_none-ke2_mlkem768",
      G "-x25519-ke1_mlkem768-ke1_none-ke2_mlkem768", EXTRAS, G "-x25519-ke2_mlkem768", 1 },
    { "repetition cannot be avoided", G "-x25519-ke1_mlkem768-ke2_mlkem768",
      G "-x25519-ke1_mlkem768-ke2_mlkem768", EXTRAS, NULL, 0 },
    { "same as the first exchange is allowed", G "-mlkem768-ke1_mlkem768", G "-mlkem768-ke1_mlkem768", EXTRAS,
      G "-mlkem768-ke1_mlkem768", 1 },
    /* ESP */
    { "ESP", "aes256gcm16-noesn", "aes256gcm16-noesn", ESP, "aes256gcm16", 1 },
    { "ESP with ESN first", "aes256gcm16-esn-noesn", "aes256gcm16-noesn-esn", ESP, "aes256gcm16-esn", 1 },
    { "ESP with ESN first, peer's order", "aes256gcm16-esn-noesn", "aes256gcm16-noesn-esn", ESP | PEERS_ORDER,
      "aes256gcm16", 1 },
    { "ESP with ESN last", "aes256gcm16-noesn-esn", "aes256gcm16-esn-noesn", ESP, "aes256gcm16", 1 },
    { "ESP: ESN for the peer only", "aes256gcm16-noesn", "aes256gcm16-esn", ESP, NULL, 0 },
    { "ESP: ESN for us only", "aes256gcm16-esn", "aes256gcm16-noesn", ESP, NULL, 0 },
    { "ESP: only ESN", "aes256gcm16-esn", "aes256gcm16-esn", ESP, "aes256gcm16-esn", 1 },
    { "ESP without SN stands for 32 bits", "aes256gcm16-esn-noesn", "aes256gcm16", ESP, "aes256gcm16", 1 },
    { "ESP without SN is not ESN", "aes256gcm16-esn", "aes256gcm16", ESP, NULL, 0 },
    { "ESP with unspecified SN", "aes256gcm16-esn-noesn", "aes256gcm16-(5/2/0)", ESP, NULL, 0 },
    { "ESP with unspecified SN, also configured", "aes256gcm16-(5/2/0)", "aes256gcm16-(5/2/0)", ESP, NULL, 0 },
    { "ESP with unspecified SN first", "aes256gcm16-esn-noesn", "aes256gcm16-(5/2/0)-noesn", ESP | PEERS_ORDER,
      "aes256gcm16", 1 },
    { "ESP with private SN beside ESN", "aes256gcm16-esn-noesn", "aes256gcm16-(5/1024/0)-esn-(5/65535/0)", ESP,
      "aes256gcm16-esn", 1 },
    { "ESP with private SN alone", "aes256gcm16-noesn", "aes256gcm16-(5/1024/0)", ESP, NULL, 0 },
    { "ESP: SN with an attribute", "aes256gcm16-noesn", "aes256gcm16-(5/0/128)", ESP, NULL, 0 },
    { "ESP without window: no ESN", "aes256gcm16-esn-noesn", "aes256gcm16-esn-noesn", ESP | NO_WINDOW,
      "aes256gcm16", 1 },
    { "ESP without window: nothing but ESN", "aes256gcm16-esn-noesn", "aes256gcm16-esn", ESP | NO_WINDOW, NULL, 0 },
    { "ESP: implicit IV", "aes256gcm16iiv-aes256gcm16-noesn", "aes256gcm16iiv-aes256gcm16-noesn", ESP,
      "aes256gcm16iiv", 1 },
    { "ESP: explicit IV for a peer without the implicit one", "aes256gcm16iiv-aes256gcm16-noesn",
      "aes256gcm16-noesn", ESP, "aes256gcm16", 1 },
    { "ESP: explicit IV where we do not want the implicit one", "aes256gcm16-noesn",
      "aes256gcm16iiv-aes256gcm16-noesn", ESP, "aes256gcm16", 1 },
    { "implicit IV is not for IKE", "(1/30/256)-prfsha384-x25519", "(1/30/256)-prfsha384-x25519", 0, NULL, 0 },
    { "ESP with PRF", "aes256gcm16-noesn", "aes256gcm16-prfsha256-noesn", ESP, NULL, 0 },
    { "ESP CBC without INTEG", "aes256-sha256-noesn", "aes256-noesn", ESP, NULL, 0 },
    { "ESP with KE", "aes256gcm16-x25519-noesn", "aes256gcm16-x25519-noesn", ESP, "aes256gcm16-x25519", 1 },
    { "ESP: KE wanted by us only", "aes256gcm16-x25519-noesn", "aes256gcm16-noesn", ESP, NULL, 0 },
    { "ESP: KE wanted by the peer only", "aes256gcm16-noesn", "aes256gcm16-x25519-noesn", ESP, NULL, 0 },
    { "ESP: KE optional for us", "aes256gcm16-x25519-none-noesn", "aes256gcm16-noesn", ESP, "aes256gcm16",
      1 },
    { "ESP: KE optional for the peer", "aes256gcm16-noesn", "aes256gcm16-x25519-none-noesn", ESP,
      "aes256gcm16", 1 },
    { "ESP with ADDKE", "aes256gcm16-x25519-ke1_mlkem768-noesn", "aes256gcm16-x25519-ke1_mlkem768-noesn",
      ESP | EXTRAS, "aes256gcm16-x25519-ke1_mlkem768", 1 },
    { "ESP: no ADDKE without KE", "aes256gcm16-none-ke1_mlkem768-noesn",
      "aes256gcm16-none-ke1_mlkem768-noesn", ESP | EXTRAS, NULL, 0 },
    { "ESP in IKE_AUTH: KEs are no matter", "aes256gcm16-x25519-ke1_mlkem768-noesn", "aes256gcm16-noesn",
      ESP | EXTRAS | NO_KE, "aes256gcm16", 1 },
    { "ESP in IKE_AUTH: KE NONE tolerated", "aes256gcm16-noesn", "aes256gcm16-none-noesn", ESP | NO_KE,
      "aes256gcm16", 1 },
};

static struct negotiate_rules rules_of(unsigned flags)
{
    return (struct negotiate_rules){ .crypto = crypto(),
                                     .extra_types = flags & EXTRAS ? EXTRAS_ALL : 0,
                                     .esp = flags & ESP,
                                     .no_ke = flags & NO_KE,
                                     .prefer_peers = flags & PEERS_ORDER,
                                     .no_window = flags & NO_WINDOW,
                                     .private_ok = flags & PRIVATE };
}

static void test_choice(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        uint8_t proto = row->flags & ESP ? PROTO_ESP : PROTO_IKE;
        struct negotiate_rules r = rules_of(row->flags);
        struct adit_suite s;
        struct adit_span spi = { 0 };
        struct adit_why why = { 0 };
        STRBUF(text, 300);
        enum adit_rc rc = negotiate_choose(offer_of(row->theirs, proto), list_of(row->mine, proto), &r, &s,
                                           &spi, &why);
        assert_row(row->what, rc == (row->chosen ? ADIT_OK : ADIT_ERR_PROPOSAL));
        if (rc != ADIT_OK) {
            assert_row(row->what, why.text[0] && s.encr == 0);
            continue;
        }
        suite_print(&text, &s);
        if (strcmp(text.p, row->chosen) || s.num != row->num)
            fail_msg("row '%s': chose %u %s", row->what, s.num, text.p);
        assert_row(row->what, spi.n == (proto == PROTO_ESP ? 4u : 0u));
    }
}

static void test_spi_and_protocol(void **state)
{
    static const struct {
        const char *what;
        uint8_t proto, spi_n, first;
        bool esp, ok;
    } spis[] = {
        { "ESP with 4", PROTO_ESP, 4, 1, true, true },
        { "ESP with 8", PROTO_ESP, 8, 1, true, false },
        { "ESP with 0", PROTO_ESP, 0, 1, true, false },
        { "ESP with SPI 0", PROTO_ESP, 4, 0, true, false },
        { "IKE with 0", PROTO_IKE, 0, 0, false, true },
        { "IKE with 8", PROTO_IKE, 8, 1, false, true },
        { "IKE with 4", PROTO_IKE, 4, 1, false, false },
        { "AH", PROTO_AH, 4, 1, true, false },
        { "ESP where IKE is due", PROTO_ESP, 4, 1, false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(spis); i++) {
        struct negotiate_rules r = rules_of(spis[i].esp ? ESP : 0);
        const char *text = spis[i].esp ? "aes256gcm16-noesn" : G "-x25519";
        struct proposal mine, theirs;
        struct adit_suite s;
        raw_proposal(text, spis[i].esp ? PROTO_ESP : PROTO_IKE, &mine);
        raw_proposal(text, spis[i].proto, &theirs);
        theirs.spi_n = spis[i].spi_n;
        theirs.spi[3] = spis[i].first;
        assert_row(spis[i].what, (negotiate_match(&r, &mine, &theirs, &s) == 0) == spis[i].ok);
    }
}

/* Seven types with the same eight methods each, in the peer's order: the search gives up instead of trying 8^7. */
static void test_search_is_bounded(void **state)
{
    struct negotiate_rules r = rules_of(EXTRAS | PEERS_ORDER);
    struct proposal p;
    struct adit_suite s;
    raw_proposal(G "-x25519", PROTO_IKE, &p);
    for (uint8_t type = TT_ADDKE1; type <= TT_ADDKE7; type++)
        for (unsigned i = 0; i < 8; i++)
            p.t[p.n++] = (struct transform){ .type = type, .id = i % 2 ? KE_ML_KEM_768 : KE_ML_KEM_1024 };
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(negotiate_match(&r, &p, &p, &s), FAULT_REPEAT);
}

static void test_faults(void **state)
{
    struct negotiate_rules r = rules_of(0);
    struct proposal mine, theirs;
    struct adit_suite s;
    raw_proposal(G "-x25519", PROTO_IKE, &mine);
    raw_proposal("aes128gcm16-prfsha256-ecp256", PROTO_IKE, &theirs);
    assert_int_equal(negotiate_match(&r, &mine, &theirs, &s), FAULT(TT_ENCR) | FAULT(TT_PRF) | FAULT(TT_KE));
    assert_int_equal(negotiate_mandatory(&r, true), FAULT(TT_ENCR) | FAULT(TT_PRF) | FAULT(TT_KE));
    assert_true(negotiate_is_aead(&r, ENCR_AES_GCM_16));
    assert_false(negotiate_is_aead(&r, ENCR_AES_CBC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_spi_and_protocol),
        cmocka_unit_test(test_search_is_bounded),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
