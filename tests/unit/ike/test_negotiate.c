/* Offers, answers, checks of answers, and their octets (RFC 7296 s2.7, s3.3). */
#include "ike/negotiate.h"
#include "ike_fixture.h"

#define G "aes256gcm16-prfsha384"
enum { EXTRAS = 1, ESP = 2, NO_KE = 4, NO_WINDOW = 8, SHORT = 16 };

static struct negotiate_rules rules_of(unsigned flags)
{
    return (struct negotiate_rules){ .crypto = crypto(),
                                     .extra_types = flags & EXTRAS ? EXTRAS_ALL : 0,
                                     .esp = flags & ESP,
                                     .no_ke = flags & NO_KE,
                                     .ke_max = flags & SHORT ? 100 : 0,
                                     .ke_more_max = flags & SHORT ? 1183 : 0,
                                     .no_window = flags & NO_WINDOW };
}

static void test_offer(void **state)
{
    static const struct {
        const char *what, *mine;
        unsigned flags;
        const char *offered; /* NULL: nothing is left */
    } rows[] = {
        { "as it is", G "-x25519, aes128-sha256-prfsha256-ecp256", 0,
          G "-x25519, aes128-sha256-prfsha256-ecp256" },
        { "not in a library", "(1/23/256)-" G "-(4/999/0)-x25519", 0, G "-x25519" },
        { "a mandatory type is gone", "aes256gcm16-prfsha384-(4/999/0), " G "-x25519", 0, G "-x25519" },
        { "nothing is left", "(1/23/256)-prfsha384-x25519", 0, NULL },
        { "CBC without INTEG", "aes128-prfsha256-x25519", 0, NULL },
        { "AEAD loses INTEG", G "-sha256-x25519", 0, G "-x25519" },
        { "INTEG NONE is not said aloud", G "-(3/0/0)-x25519", 0, G "-x25519" },
        { "KE NONE never for IKE", G "-none-x25519", 0, G "-x25519" },
        { "ADDKE", G "-x25519-ke1_mlkem768-ke2_none", EXTRAS, G "-x25519-ke1_mlkem768-ke2_none" },
        { "ADDKE off: weaker is not what was configured", G "-x25519-ke1_mlkem768, " G "-x25519", 0,
          G "-x25519" },
        { "ADDKE off, but optional", G "-x25519-ke1_mlkem768-ke1_none", 0, G "-x25519" },
        { "ADDKE not in a library", G "-x25519-ke1_mlkem768-(7/999/0), " G "-x25519", EXTRAS, G "-x25519" },
        { "longer than a message may be", G "-mlkem512, " G "-x25519", SHORT, G "-x25519" },
        { "ADDKE longer than a message may be", G "-x25519-ke1_mlkem768, " G "-x25519-ke1_mlkem512", EXTRAS | SHORT,
          G "-x25519-ke1_mlkem512" },
        { "ADDKE too long, but optional", G "-x25519-ke1_mlkem768-ke1_none", EXTRAS | SHORT, G "-x25519-ke1_none" },
        { "twice the same", G "-x25519, " G "-x25519", 0, G "-x25519" },
        { "ESP", "aes256gcm16-x25519-noesn", ESP, "aes256gcm16-x25519" },
        { "ESP in IKE_AUTH", "aes256gcm16-x25519-ke1_mlkem768-esn-noesn, aes256gcm16-x25519-none-esn-noesn",
          ESP | EXTRAS | NO_KE, "aes256gcm16-esn-noesn" },
        { "ESP without SN", "aes256gcm16", ESP, NULL },
        { "ESP: order of SN is ours", "aes256gcm16-noesn-esn", ESP, "aes256gcm16-noesn-esn" },
        { "ESP without window", "aes256gcm16-esn-noesn", ESP | NO_WINDOW, "aes256gcm16" },
        { "ESP without window, only ESN", "aes256gcm16-esn", ESP | NO_WINDOW, NULL },
        { "ESP: unspecified and private SN are never offered", "aes256gcm16-(5/2/0)-esn-(5/1024/0)", ESP,
          "aes256gcm16-esn" },
        { "implicit IV beside the explicit one", "aes256gcm16iiv-aes256gcm16-noesn", ESP,
          "aes256gcm16iiv-aes256gcm16" },
        { "ESP with ENCR NULL", "null-sha256-noesn", ESP, "null-sha256" },
        { "private numbers are for peers that share them", "aes256gcm16-prfkmac256-prfsha384-x25519", 0, G "-x25519" },
        { "ESP: private INTEG alone", "aes256-kmac128-noesn", ESP, NULL },
        { "ESP: KE NONE stays", "aes256gcm16-x25519-none-noesn", ESP, "aes256gcm16-x25519-none" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct negotiate_rules r = rules_of(rows[i].flags);
        struct arena arena = { 0 };
        const struct proposal_list *offer;
        struct adit_why why = { 0 };
        STRBUF(text, 500);
        uint8_t proto = r.esp ? PROTO_ESP : PROTO_IKE;
        enum adit_rc rc = negotiate_offer(list_of(rows[i].mine, proto), &r, &arena, &offer, &why);
        assert_row(rows[i].what, rc == (rows[i].offered ? ADIT_OK : ADIT_ERR_PROPOSAL));
        if (rc == ADIT_OK)
            negotiate_print(&text, offer->v, offer->n);
        if (rc == ADIT_OK && strcmp(text.p, rows[i].offered))
            fail_msg("row '%s': offered %s", rows[i].what, text.p);
        arena_fini(&arena);
    }
}

static void test_offer_says_what_is_missing(void **state)
{
    struct negotiate_rules r = rules_of(0);
    struct arena arena = { 0 };
    const struct proposal_list *offer;
    struct adit_why why = { 0 };
    const struct proposal_list *mine = list_of("aes256gcm16-x25519, " G "-x25519-ke1_mlkem768", PROTO_IKE);
    assert_int_equal(negotiate_offer(mine, &r, &arena, &offer, &why), ADIT_ERR_PROPOSAL);
    assert_non_null(strstr(why.text, "proposal 1 lacks PRF (not configured)"));
    assert_non_null(strstr(why.text, "proposal 2 lacks ke1_mlkem768 (additional key exchanges are off)"));
    mine = list_of("aes256gcm16-prfkmac256-x25519", PROTO_IKE);
    assert_int_equal(negotiate_offer(mine, &r, &arena, &offer, &why), ADIT_ERR_PROPOSAL);
    assert_non_null(strstr(why.text, "lacks prfkmac256 (its number is for private use, and the peer is no Adit)"));
    arena_fini(&arena);
}

static void test_offer_without_memory(void **state)
{
    struct negotiate_rules r = rules_of(0);
    struct arena arena = { 0 };
    const struct proposal_list *offer;
    struct adit_why why = { 0 };
    unsigned left = 0;
    mem_set_gate(gate_countdown, &left);
    enum adit_rc rc = negotiate_offer(list_of(G "-x25519", PROTO_IKE), &r, &arena, &offer, &why);
    mem_set_gate(NULL, NULL);
    assert_int_equal(rc, ADIT_ERR_MEMORY);
    arena_fini(&arena);
}

/* The octets of the offer, put together by hand from RFC 7296 s3.2 and s3.3. */
static void test_octets(void **state)
{
    struct adit_span want = hex("21 00000038 00000034 01010804 0807060504030201 0300000c 01000014 800e0100"
                                "03000008 02000006 03000008 0400001f 00000008 06000024");
    uint8_t mem[200];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_u8(&w, 0); /* where the header's Next Payload would be: it becomes 33 */
    negotiate_put(&w, list_of(G "-x25519-ke1_mlkem768", PROTO_IKE), hex("0807060504030201"));
    assert_int_equal(wr_written(&w).n, want.n);
    assert_memory_equal(mem, want.p, want.n);
}

static void test_answer_names_none(void **state)
{
    static const struct {
        const char *what, *mine, *theirs;
        unsigned flags;
        const char *answer;
    } rows[] = {
        { "nothing to name", G "-x25519", G "-x25519", EXTRAS, G "-x25519" },
        { "ADDKE NONE", G "-x25519", G "-x25519-ke1_mlkem768-ke1_none", EXTRAS, G "-x25519-ke1_none" },
        { "INTEG NONE", G "-x25519", G "-(3/0/0)-x25519", EXTRAS, "aes256gcm16-(3/0/0)-prfsha384-x25519" },
        { "KE NONE of ESP", "aes256gcm16-noesn", "aes256gcm16-none-noesn", ESP, "aes256gcm16-none" },
        { "a gap", G "-x25519-ke3_mlkem768", G "-x25519-ke1_ecp256-ke1_none-ke3_mlkem768", EXTRAS,
          G "-x25519-ke1_none-ke3_mlkem768" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct negotiate_rules r = rules_of(rows[i].flags);
        uint8_t proto = r.esp ? PROTO_ESP : PROTO_IKE, mem[300];
        static struct proposals back;
        struct adit_suite s, seen;
        struct adit_span spi;
        struct adit_why why = { 0 };
        STRBUF(text, 300);
        struct wr w;
        const struct proposals *offer = offer_of(rows[i].theirs, proto);
        assert_row(rows[i].what,
                   negotiate_choose(offer, list_of(rows[i].mine, proto), &r, &s, &spi, &why) == ADIT_OK);
        wr_init(&w, mem, sizeof(mem));
        wr_u8(&w, 0);
        negotiate_answer(&w, &s, proto, r.esp ? hex("01020304") : SPAN_NONE);
        struct rd in = rd_init(span_from(wr_written(&w), 5));
        assert_row(rows[i].what, sa_payload_get(&in, &back) && back.n == 1);
        proposal_print(&text, &back.v[0]);
        if (strcmp(text.p, rows[i].answer))
            fail_msg("row '%s': answered %s", rows[i].what, text.p);
        /* and the initiator accepts it */
        struct adit_span their_spi;
        enum adit_rc rc = negotiate_check(&back, list_of(rows[i].theirs, proto), &r, &seen, &their_spi, &why);
        if (rc != ADIT_OK)
            fail_msg("row '%s': %s", rows[i].what, why.text);
        assert_row(rows[i].what, seen.encr == s.encr && seen.prf == s.prf && seen.sn == s.sn &&
                                     !memcmp(seen.ke, s.ke, sizeof(s.ke)) && seen.integ == s.integ);
        assert_row(rows[i].what, their_spi.n == (r.esp ? 4u : 0u));
    }
}

/* "exactly one transform of each type included in the proposal" (RFC 7296 s2.7): none of a type that is not in it. */
static void test_answer_to_a_proposal_without_sn(void **state)
{
    static const char *const offers[] = { "aes256gcm16", "aes256gcm16-noesn" };
    struct negotiate_rules r = rules_of(ESP);
    for (unsigned i = 0; i < ARRAY_LEN(offers); i++) {
        uint8_t mem[100];
        static struct proposals back;
        struct adit_suite s;
        struct adit_span spi;
        struct adit_why why = { 0 };
        struct wr w;
        const struct proposals *offer = offer_of(offers[i], PROTO_ESP);
        assert_int_equal(negotiate_choose(offer, list_of("aes256gcm16-noesn", PROTO_ESP), &r, &s, &spi, &why), ADIT_OK);
        assert_int_equal(s.sn, SN_32_BIT);
        wr_init(&w, mem, sizeof(mem));
        wr_u8(&w, 0);
        negotiate_answer(&w, &s, PROTO_ESP, hex("01020304"));
        struct rd in = rd_init(span_from(wr_written(&w), 5));
        assert_true(sa_payload_get(&in, &back) && back.n == 1);
        assert_int_equal(back.v[0].n, 1 + i);
    }
}

static void test_check(void **state)
{
    static const struct {
        const char *what, *offer;
        uint8_t num;
        const char *answer;
        unsigned flags;
        const char *complaint; /* NULL: fine */
    } rows[] = {
        { "as offered", G "-x25519-ecp256", 1, G "-ecp256", 0, NULL },
        { "second proposal", G "-x25519, " G "-ecp256", 2, G "-ecp256", 0, NULL },
        { "number 0", G "-x25519", 0, G "-x25519", 0, "peer chose proposal 0, offered were 1" },
        { "number too high", G "-x25519", 2, G "-x25519", 0, "peer chose proposal 2" },
        { "of another proposal", G "-x25519, " G "-ecp256", 1, G "-ecp256", 0,
          "KE ecp256, which proposal 1" },
        { "other key length", G "-x25519", 1, "aes128gcm16-prfsha384-x25519", 0, "aes128gcm16" },
        { "key length left out", G "-x25519", 1, "(1/20/0)-prfsha384-x25519", 0, "ENCR" },
        { "two of a type", G "-x25519-ecp256", 1, G "-x25519-ecp256", 0, "more than one" },
        { "a type left out", G "-x25519", 1, "aes256gcm16-x25519", 0, "lacks a transform of type PRF" },
        { "KE left out", G "-x25519", 1, G, 0, "lacks a transform of type KE" },
        { "a type more", "aes256gcm16-x25519-noesn", 1, "aes256gcm16-prfsha384-x25519-noesn", ESP, "PRF" },
        { "unknown type", G "-x25519", 1, G "-x25519-(77/1/0)", 0, "type that was not offered" },
        { "unknown attribute", G "-x25519", 1, "!aes256gcm16-prfsha384-x25519", 0, "ENCR" },
        { "INTEG NONE said aloud", G "-x25519", 1, G "-(3/0/0)-x25519", 0, NULL },
        { "INTEG beside AEAD", G "-x25519", 1, G "-sha256-x25519", 0, "INTEG sha256" },
        { "ADDKE", G "-x25519-ke1_mlkem768", 1, G "-x25519-ke1_mlkem768", EXTRAS, NULL },
        { "ADDKE left out", G "-x25519-ke1_mlkem768", 1, G "-x25519", EXTRAS,
          "lacks a transform of type ADDKE1" },
        { "ADDKE NONE that was not offered", G "-x25519-ke1_mlkem768", 1, G "-x25519-ke1_none", EXTRAS,
          "ADDKE1" },
        { "optional ADDKE left out", G "-x25519-ke1_mlkem768-ke1_none", 1, G "-x25519", EXTRAS, NULL },
        { "optional ADDKE as NONE", G "-x25519-ke1_mlkem768-ke1_none", 1, G "-x25519-ke1_none", EXTRAS,
          NULL },
        { "ADDKE repeated", G "-x25519-ke1_mlkem768-ke1_mlkem1024-ke2_mlkem768", 1,
          G "-x25519-ke1_mlkem768-ke2_mlkem768", EXTRAS, "RFC 9370" },
        { "ESP without KE in IKE_AUTH, NONE said aloud", "aes256gcm16-noesn", 1, "aes256gcm16-none-noesn",
          ESP | NO_KE, NULL },
        { "ESP with KE in IKE_AUTH", "aes256gcm16-noesn", 1, "aes256gcm16-x25519-noesn", ESP | NO_KE,
          "KE x25519" },
        { "optional KE of ESP left out", "aes256gcm16-x25519-none-noesn", 1, "aes256gcm16-noesn", ESP, NULL },
        { "KE of ESP left out", "aes256gcm16-x25519-noesn", 1, "aes256gcm16-noesn", ESP, "type KE" },
        { "ESP: SN left out, 32 bits were offered", "aes256gcm16-esn-noesn", 1, "aes256gcm16", ESP, NULL },
        { "ESP: SN left out, only ESN was offered", "aes256gcm16-esn", 1, "aes256gcm16", ESP, "type SN" },
        { "ESP: ESN that was not offered", "aes256gcm16-noesn", 1, "aes256gcm16-esn", ESP, "SN esn" },
        { "ESP: both SN", "aes256gcm16-esn-noesn", 1, "aes256gcm16-esn-noesn", ESP, "more than one" },
        { "ESP: unspecified SN", "aes256gcm16-esn-noesn", 1, "aes256gcm16-(5/2/0)", ESP, "SN 32_BIT_UNSPECIFIED" },
        { "ADDKE without KE", "aes256gcm16-x25519-none-ke1_mlkem768-noesn", 1,
          "aes256gcm16-ke1_mlkem768-noesn", ESP | EXTRAS, "no valid proposal" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct negotiate_rules r = rules_of(rows[i].flags);
        uint8_t proto = r.esp ? PROTO_ESP : PROTO_IKE;
        static struct proposals answer;
        struct adit_suite s;
        struct adit_span spi;
        struct adit_why why = { 0 };
        answer = *offer_of(rows[i].answer, proto);
        answer.v[0].num = rows[i].num;
        enum adit_rc rc = negotiate_check(&answer, list_of(rows[i].offer, proto), &r, &s, &spi, &why);
        assert_row(rows[i].what, rc == (rows[i].complaint ? ADIT_ERR_PROPOSAL : ADIT_OK));
        if (rc && !strstr(why.text, rows[i].complaint))
            fail_msg("row '%s': %s", rows[i].what, why.text);
        if (!rc)
            assert_row(rows[i].what, s.num == rows[i].num);
    }
}

static void test_check_count_and_protocol(void **state)
{
    struct negotiate_rules r = rules_of(0);
    struct adit_suite s;
    struct adit_span spi;
    struct adit_why why = { 0 };
    const struct proposal_list *offer = list_of(G "-x25519, " G "-ecp256", PROTO_IKE);
    assert_int_equal(
        negotiate_check(offer_of(G "-x25519, " G "-ecp256", PROTO_IKE), offer, &r, &s, &spi, &why),
        ADIT_ERR_PROPOSAL);
    assert_int_equal(negotiate_check(offer_of("", PROTO_IKE), offer, &r, &s, &spi, &why), ADIT_ERR_PROPOSAL);
    assert_int_equal(negotiate_check(offer_of(G "-x25519", PROTO_ESP), offer, &r, &s, &spi, &why),
                     ADIT_ERR_PROPOSAL);
}

/* RFC 7296 s3.3.1: numbers count from 1. */
static void test_numbers(void **state)
{
    static const struct {
        const char *what;
        uint8_t first, second;
        enum adit_rc rc;
    } rows[] = {
        { "1, 2", 1, 2, ADIT_OK },
        { "0, 1", 0, 1, ADIT_ERR_MALFORMED },
        { "1, 3", 1, 3, ADIT_ERR_MALFORMED },
        { "1, 1", 1, 1, ADIT_ERR_MALFORMED },
        { "2, 1", 2, 1, ADIT_ERR_MALFORMED },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static struct proposals offer;
        struct negotiate_rules r = rules_of(0);
        struct adit_suite s;
        struct adit_span spi;
        struct adit_why why = { 0 };
        offer = *offer_of(G "-x25519, " G "-ecp256", PROTO_IKE);
        offer.v[0].num = rows[i].first;
        offer.v[1].num = rows[i].second;
        assert_row(rows[i].what, negotiate_choose(&offer, list_of(G "-ecp256", PROTO_IKE), &r, &s, &spi,
                                                  &why) == rows[i].rc);
    }
}

static void test_kes_of_a_list(void **state)
{
    const struct proposal_list *list =
        list_of("aes256gcm16-none-ecp384-noesn, aes256gcm16-x25519-ke1_mlkem768-noesn", PROTO_ESP);
    assert_int_equal(negotiate_first_ke(list), KE_ECP_384);
    assert_true(negotiate_offers_ke(list, KE_CURVE_25519));
    assert_false(negotiate_offers_ke(list, KE_ML_KEM_768)); /* of another type */
    assert_int_equal(negotiate_first_ke(list_of("aes256gcm16-noesn", PROTO_ESP)), KE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offer),
        cmocka_unit_test(test_offer_says_what_is_missing),
        cmocka_unit_test(test_offer_without_memory),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_answer_names_none),
        cmocka_unit_test(test_answer_to_a_proposal_without_sn), cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_count_and_protocol),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_kes_of_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
