/* The puppet's key hierarchy against vectors that were computed with Python's hmac from the formulas of RFC 7296
 * s2.13-2.18 and RFC 9370 s2.2.2 (none are published). */
#include "conformance/keys.h"
#include "base/strbuf.h"
#include "unit.h"

static struct adit_crypto *crypto;
static uint8_t octets[4][32];

static struct adit_span ascending(unsigned k)
{
    for (unsigned i = 0; i < 32; i++)
        octets[k][i] = (uint8_t)(32 * k + i);
    return SPAN_ARRAY(octets[k]);
}

static void expect(struct adit_span got, const char *hex)
{
    char text[400] = "";
    struct strbuf s = { text, 0, sizeof(text) };
    strbuf_hex(&s, got);
    assert_string_equal(text, hex);
}

static struct suite_rows rows(void)
{
    return (struct suite_rows){ .prf = crypto_prf(crypto, PRF_HMAC_SHA2_256), .encr = crypto_encr(crypto, ENCR_AES_GCM_16),
                                .bits = 256 };
}

static void test_first(void **state)
{
    struct suite_rows r = rows();
    struct sk_seed seed = { ascending(0), ascending(1), 0x0102030405060708, 0x1112131415161718 };
    struct sk_keys k = { 0 };
    assert_int_equal(sk_first(&r, &seed, ascending(2), &k), ADIT_OK);
    expect(sk_part(&k, SK_D), "0c26341d77313c227236f4aebf29182f0629dbe10e8ac56347f067a8defc22d5");
    assert_int_equal(sk_part(&k, SK_AI).n, 0);
    expect(sk_part(&k, SK_EI), "8748594d3353b3e04121026ebf49d4a4907e2ae4eb2a9831832397da89af6f7968b67ce3");
    expect(sk_part(&k, SK_ER), "c70fad273ae0bbb34ee581341bbfd3303ab1d48166dde54604d0286bd75427665fbbb117");
    expect(sk_part(&k, SK_PI), "f4d9f877d73606ca959fbdb34f746d24f8939191f8d3af60fc816d7edfca54ae");
    expect(sk_part(&k, SK_PR), "0e23cdb44dc9e8476619d587774b27a4824b6c47d2e341e57237e03458c7e3e9");
    sk_fini(&k);
}

/* SKEYSEED(1) = prf(SK_d, SK(1) | Ni | Nr): the digest's ecec76.., from which prf+ begins. */
static void test_next(void **state)
{
    struct suite_rows r = rows();
    struct sk_seed seed = { ascending(0), ascending(1), 0x0102030405060708, 0x1112131415161718 };
    struct sk_keys first = { 0 }, second = { 0 };
    uint8_t skeyseed[32], want[32], spis[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18 };
    assert_int_equal(sk_first(&r, &seed, ascending(2), &first), ADIT_OK);
    assert_int_equal(sk_next(&r, &seed, &first, ascending(3), &second), ADIT_OK);
    struct adit_span parts[] = { ascending(3), ascending(0), ascending(1) };
    assert_int_equal(prf_compute(r.prf, sk_part(&first, SK_D), parts, 3, skeyseed), ADIT_OK);
    expect(SPAN_ARRAY(skeyseed), "ecec767c67865c42d02a4de348b7a1e3ee3698fd2c21b7f8dece10ac6703e1db");
    struct adit_span plus[] = { ascending(0), ascending(1), SPAN_ARRAY(spis) };
    assert_int_equal(prf_plus(r.prf, SPAN_ARRAY(skeyseed), plus, 3, want, sizeof(want)), ADIT_OK);
    assert_memory_equal(sk_part(&second, SK_D).p, want, sizeof(want));
    sk_fini(&first);
    sk_fini(&second);
}

static void test_nonces_that_no_reader_lets_through(void **state)
{
    static const uint8_t longer[257];
    struct suite_rows r = rows();
    struct sk_seed seed = { SPAN_ARRAY(longer), ascending(1), 1, 2 };
    struct sk_keys k = { 0 };
    assert_int_equal(sk_first(&r, &seed, ascending(2), &k), ADIT_ERR_LIMIT);
    assert_int_equal(k.block.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_first), cmocka_unit_test(test_next),
                                        cmocka_unit_test(test_nonces_that_no_reader_lets_through) };
    crypto = adit_crypto_new(NULL, NULL, NULL);
    if (!crypto)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    adit_crypto_free(crypto);
    return failed;
}
