/* test_proposal.c - proposals: the rules of management.md s4.2, presets, printing. */
#include "unit.h"
#include "model/model.h"
#include "wire/iana.h"

#define IKE PROTO_IKE
#define ESP PROTO_ESP
/* printed: proposals joined by " | "; or, for refusals, '!' and a part of the reason. */
static const struct {
    const char *item;
    uint8_t proto;
    const char *printed;
} rows[] = {
    { "aes256gcm16-prfsha384-x25519", IKE, "aes256gcm16-prfsha384-x25519" },
    { "aes256gcm16-sha384-x25519", IKE, "aes256gcm16-prfsha384-x25519" },
    { "aes256gcm16-x25519", IKE, "!has no PRF" },
    { "aes256-sha256-x25519", IKE, "aes256-sha256-prfsha256-x25519" },
    { "aes256-sha256-sha512-x25519", IKE, "aes256-sha256-sha512-prfsha256-prfsha512-x25519" },
    { "aes256-sha256-prfsha512-x25519", IKE, "aes256-sha256-prfsha512-x25519" },
    { "aes-sha2_256-curve25519", IKE, "aes128-sha256-prfsha256-x25519" },
    { "aes256-prfsha256-x25519", IKE, "!has no integrity" },
    { "aes256gcm16-aes256-sha256-x25519", IKE, "!mixes" },
    { "aes256gcm16-prfsha384", IKE, "!no key exchange" },
    { "aes256gcm16-prfsha384-none", IKE, "!no key exchange" },
    { "aes256gcm16-prfsha384-none-x25519", IKE, "aes256gcm16-prfsha384-x25519" },
    { "aes256gcm16-prfsha384-ke1_mlkem768", IKE, "!no key exchange" },
    { "aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke1_none", IKE,
      "aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke1_none" },
    { "aes256gcm16-prfsha384-x25519-ke3_mlkem1024", IKE, "aes256gcm16-prfsha384-x25519-ke3_mlkem1024" },
    { "ke1_mlkem768-x25519-prfsha384-aes256gcm16", IKE, "aes256gcm16-prfsha384-x25519-ke1_mlkem768" },
    { "aes256gcm16-prfsha384-x25519-esn", IKE, "!ESP only" },
    { "aes256gcm16iiv-prfsha384-x25519", IKE, "!ESP only" },
    { "prfsha384-x25519", IKE, "!no encryption" },
    { "aes256gcm16-prfsha384-x25519-x25519", IKE, "aes256gcm16-prfsha384-x25519" },
    { "aes256gcm61-prfsha384-x25519", IKE, "!did you mean 'aes256gcm16'" },
    { "aes256gcm16-prfsha384-x25519-ke1_mlkem786", IKE, "!did you mean 'ke1_mlkem768'" },
    { "aes256gcm16-prfsha384-ke8_x25519", IKE, "!'ke8_x25519': ke1_ to ke7_ are additional key exchanges" },
    { "AES256GCM16-prfsha384-x25519", IKE, "!unknown algorithm" },
    { "aes256gcm16--x25519", IKE, "!missing" },
    { "aes256gcm16-", IKE, "!missing" },
    { "", IKE, "!missing" },
    { "aes256gcm16", ESP, "aes256gcm16" },
    { "aes256gcm16-noesn", ESP, "aes256gcm16" },
    { "aes256gcm16-esn", ESP, "aes256gcm16-esn" },
    { "aes256gcm16-esn-noesn", ESP, "aes256gcm16-esn-noesn" },
    { "aes256gcm16-sha256-prfsha256-x25519", ESP, "aes256gcm16-x25519" },
    { "aes256gcm16-none", ESP, "aes256gcm16-none" },
    { "aes256gcm16-none-ke1_mlkem768", ESP, "!first key exchange" },
    { "aes256gcm16-ke1_mlkem768", ESP, "!first key exchange" },
    { "aes256gcm16iiv-esn", ESP, "aes256gcm16iiv-esn" },
    { "aes256-sha256", ESP, "aes256-sha256" },
    { "aes256", ESP, "!no integrity" },
    { "aes128gmac-aes192gmac-aes256gmac", ESP, "aes128gmac-aes192gmac-aes256gmac" },
    { "aes256gmac-sha256", ESP, "aes256gmac" },
    { "null-sha256-x25519", ESP, "null-sha256-x25519" },
    { "null", ESP, "!no integrity" },
    { "null-x25519", ESP, "!no integrity" },
    { "null-sha256-x25519", IKE, "!ESP" },
    { "aes256gmac-prfsha256-x25519", IKE, "!ESP" },
    { "pq-default", IKE,
      "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha384-prfsha512-prfsha256-x25519-ecp384-ecp256-ke1_mlkem768-ke1_mlkem1024 | "
      "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha384-prfsha512-prfsha256-x25519-ecp384-ecp256" },
    { "default", ESP,
      "aes256gcm16-aes128gcm16-chacha20poly1305-x25519-ecp384-ecp256-ke1_mlkem768-ke1_mlkem1024-esn-noesn | "
      "aes256gcm16-aes128gcm16-chacha20poly1305-x25519-ecp384-ecp256-none-esn-noesn" },
    { "apple", IKE,
      "aes256gcm16-prfsha256-prfsha384-prfsha512-ecp256-ecp384-ecp521-x25519-ke1_mlkem768-ke1_mlkem1024" },
    { "apple", ESP, "aes256gcm16-ecp256-ecp384-ecp521-x25519-ke1_mlkem768-ke1_mlkem1024" },
    { "cnsa2", IKE, "aes256gcm16-prfsha384-ecp384-ke1_mlkem1024" },
    { "cnsa2", ESP, "aes256gcm16-ecp384-ke1_mlkem1024" },
    { "cloudflare", IKE, "aes256gcm16-prfsha384-ecp384-ke1_mlkem768-ke1_mlkem1024" },
    { "default-aes256", IKE, "!unknown algorithm 'default'" },
};

static void print_all(struct strbuf *out, const struct proposal_list *list)
{
    for (uint16_t i = 0; i < list->n; i++) {
        strbuf_add(out, i ? " | " : "");
        proposal_print(out, &list->v[i]);
    }
}

static void check_refused(const char *item, enum adit_rc rc, const struct adit_why *why, const char *part)
{
    assert_row(item, rc == ADIT_ERR_CONFIG);
    if (!strstr(why->text, part))
        fail_msg("row '%s': reason is: %s", item, why->text);
}

static void texts_become_proposals(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = { 0 };
        const struct proposal_list *list;
        struct adit_why why = { 0 };
        STRBUF(out, 1024);
        enum adit_rc rc = proposals_parse(&rows[i].item, 1, rows[i].proto, &arena, &list, &why);
        if (rows[i].printed[0] == '!') {
            check_refused(rows[i].item, rc, &why, rows[i].printed + 1);
        } else {
            assert_row(rows[i].item, rc == ADIT_OK);
            print_all(&out, list);
            assert_string_equal(out.p, rows[i].printed);
        }
        arena_fini(&arena);
    }
}

/* A preset whose algorithms are all there works; otherwise the missing one is named. */
static void preset_with_a_missing_algorithm_says_so(void **state)
{
    static const char *const items[] = { "pq-paranoid" };
    struct arena arena = { 0 };
    const struct proposal_list *list;
    struct adit_why why = { 0 };
    struct transform t;
    enum adit_rc rc = proposals_parse(items, 1, PROTO_IKE, &arena, &list, &why);
    if (iana_keyword_get("frodos5", 7, &t))
        assert_int_equal(rc, ADIT_OK);
    else
        assert_non_null(strstr(why.text, "preset 'pq-paranoid' is not available in this version"));
    assert_true(rc == ADIT_OK || strstr(why.text, "frodos5"));
    arena_fini(&arena);
}

static void proposals_are_numbered_and_carry_key_lengths(void **state)
{
    static const char *const items[] = { "aes256gcm16-aes128gcm16-prfsha384-x25519-ke1_mlkem768", "default" };
    struct arena arena = { 0 };
    const struct proposal_list *list;
    assert_int_equal(proposals_parse(items, 2, PROTO_IKE, &arena, &list, NULL), ADIT_OK);
    assert_int_equal(list->n, 3);
    for (uint16_t i = 0; i < list->n; i++)
        assert_true(list->v[i].num == i + 1 && list->v[i].proto == PROTO_IKE && list->v[i].spi_n == 0);
    const struct proposal *p = &list->v[0];
    assert_int_equal(p->n, 5);
    assert_true(p->t[0].type == TT_ENCR && p->t[0].id == ENCR_AES_GCM_16 && p->t[0].bits == 256);
    assert_true(p->t[1].type == TT_ENCR && p->t[1].bits == 128);
    assert_true(p->t[4].type == TT_ADDKE1 && p->t[4].id == KE_ML_KEM_768 && p->t[4].bits == 0);
    arena_fini(&arena);
}

static void numbers_of_proposals_are_limited(void **state)
{
    const char *items[PROPOSALS_MAX + 1];
    struct arena arena = { 0 };
    const struct proposal_list *list;
    struct adit_why why = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        items[i] = "aes256gcm16";
    assert_int_equal(proposals_parse(items, PROPOSALS_MAX, PROTO_ESP, &arena, &list, &why), ADIT_OK);
    assert_int_equal(proposals_parse(items, PROPOSALS_MAX + 1, PROTO_ESP, &arena, &list, &why),
                     ADIT_ERR_CONFIG);
    assert_int_equal(proposals_parse(items, 0, PROTO_ESP, &arena, &list, &why), ADIT_ERR_CONFIG);
    arena_fini(&arena);
}

static void suites_are_printed_and_become_proposals(void **state)
{
    struct adit_suite ike = { .num = 2,
                              .encr = ENCR_AES_GCM_16,
                              .encr_bits = 256,
                              .prf = PRF_HMAC_SHA2_384,
                              .ke = { KE_CURVE_25519, KE_ML_KEM_768, 0, KE_ML_KEM_1024 } };
    struct adit_suite esp = {
        .encr = ENCR_AES_CBC, .encr_bits = 128, .integ = INTEG_HMAC_SHA2_256_128, .sn = SN_64_BIT_PARTIAL
    };
    struct proposal p;
    STRBUF(out, 256);
    suite_print(&out, &ike);
    strbuf_add(&out, " ");
    suite_print(&out, &esp);
    assert_string_equal(out.p, "aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke3_mlkem1024 aes128-sha256-esn");
    suite_to_proposal(&ike, PROTO_IKE, &p);
    assert_true(p.num == 2 && p.n == 5 && p.t[4].type == TT_ADDKE3);
    esp.sn = SN_32_BIT;
    suite_to_proposal(&esp, PROTO_ESP, &p);
    assert_true(p.n == 3 && p.t[2].type == TT_SN && p.t[2].id == SN_32_BIT);
}

static void unknown_transforms_are_printed_as_numbers(void **state)
{
    struct proposal p = { .n = 1, .t = { { .type = TT_ENCR, .id = 999, .bits = 7 } } };
    STRBUF(out, 64);
    proposal_print(&out, &p);
    assert_string_equal(out.p, "(1/999/7)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_proposals),
        cmocka_unit_test(preset_with_a_missing_algorithm_says_so),
        cmocka_unit_test(proposals_are_numbered_and_carry_key_lengths),
        cmocka_unit_test(numbers_of_proposals_are_limited),
        cmocka_unit_test(suites_are_printed_and_become_proposals),
        cmocka_unit_test(unknown_transforms_are_printed_as_numbers),
    };
    return cmocka_run_group_tests_name("model/proposal", tests, NULL, NULL);
}
