/* test_cipher.c - AES-CBC, AES-CTR and NULL with HMAC. */
#include "seal.h"

static struct adit_crypto *c;
static const uint8_t mac_key[64] = { 7, 7, 7 };

static void seal_and_open_all(const char *file, size_t want)
{
    FILE *f = vectors_open(file);
    struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++) {
        check_sealing(c, &v);
        check_opening(c, &v);
    }
    assert_int_equal(n, want);
}

static void published_packets_seal_and_open(void **state)
{
    seal_and_open_all("aes_cbc_hmac.txt", 2);
    seal_and_open_all("aes_cbc_kmac.txt", 3);
}

static struct crypt *with_mac(uint16_t id, uint16_t bits, struct adit_span key, uint16_t integ, bool seal)
{
    struct crypt *x = NULL;
    const struct integ_alg *mac = crypto_integ(c, integ);
    if (crypt_new(c, crypto_encr(c, id), bits, key, mac, span(mac_key, mac->key), seal, &x) != ADIT_OK)
        return NULL;
    return x;
}

static void ctr_gives_the_ciphertexts_of_rfc_3686(void **state)
{
    FILE *f = vectors_open("aes_ctr.txt");
    struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++) {
        uint8_t key[36];
        struct adit_span k = vector_get(&v, "key"), salt = vector_get(&v, "salt");
        struct sealed s;
        span_copy(span_copy(key, k), salt);
        struct crypt *x = with_mac(ENCR_AES_CTR, (uint16_t)(k.n * 8), span(key, k.n + 4),
                                   INTEG_HMAC_SHA2_256_128, true);
        sealed_fill(&s, vector_get(&v, "iv"), SPAN_LIT("aad"), vector_get(&v, "plain"), SPAN_NONE, SPAN_NONE);
        crypt_seal_many(x, &s.job, 1);
        assert_row(v.what, s.job.ok && span_equal(span(s.data, s.job.n), vector_get(&v, "cipher")));
        crypt_free(x);
    }
    assert_int_equal(n, 9);
}

static void ctr_authenticates_the_iv_as_it_stands_on_the_wire(void **state)
{
    uint8_t key[36] = { 1 };
    struct crypt *seal = with_mac(ENCR_AES_CTR, 256, SPAN_ARRAY(key), INTEG_HMAC_SHA2_512_256, true);
    struct crypt *open = with_mac(ENCR_AES_CTR, 256, SPAN_ARRAY(key), INTEG_HMAC_SHA2_512_256, false);
    struct sealed s;
    sealed_fill(&s, SPAN_LIT("\0\0\0\0\0\0\0\1"), SPAN_LIT("aad"), SPAN_LIT("x"), SPAN_NONE, SPAN_NONE);
    crypt_seal_many(seal, &s.job, 1);
    s.iv[7] ^= 2;
    crypt_open_many(open, &s.job, 1);
    assert_false(s.job.ok);
    s.iv[7] ^= 2;
    crypt_open_many(open, &s.job, 1);
    assert_true(s.job.ok && s.data[0] == 'x');
    crypt_free(seal);
    crypt_free(open);
}

static void null_is_the_mac_alone(void **state)
{
    struct crypt *seal = with_mac(ENCR_NULL, 0, SPAN_NONE, INTEG_HMAC_SHA2_384_192, true);
    struct crypt *open = with_mac(ENCR_NULL, 0, SPAN_NONE, INTEG_HMAC_SHA2_384_192, false);
    struct sealed s;
    sealed_fill(&s, SPAN_NONE, SPAN_LIT("aad"), SPAN_LIT("in the clear"), SPAN_NONE, SPAN_NONE);
    crypt_seal_many(seal, &s.job, 1);
    assert_true(s.job.ok && span_equal(span(s.data, s.job.n), SPAN_LIT("in the clear")));
    assert_int_equal(crypt_icv(seal), 24);
    crypt_open_many(open, &s.job, 1);
    assert_true(s.job.ok);
    s.data[0] ^= 1;
    crypt_open_many(open, &s.job, 1);
    assert_false(s.job.ok);
    crypt_free(seal);
    crypt_free(open);
}

static void cbc_refuses_half_blocks(void **state)
{
    uint8_t key[16] = { 1 };
    struct crypt *x = with_mac(ENCR_AES_CBC, 128, SPAN_ARRAY(key), INTEG_HMAC_SHA2_256_128, true);
    struct sealed s;
    sealed_fill(&s, SPAN_LIT("0123456789abcdef"), SPAN_LIT("aad"), SPAN_LIT("15 octets......"), SPAN_NONE,
                SPAN_NONE);
    crypt_seal_many(x, &s.job, 1);
    assert_false(s.job.ok);
    crypt_free(x);
}

static int setup(void **state)
{
    c = crypto_or_fail(NULL, NULL);
    return 0;
}

static int setup_openssl(void **state)
{
    c = crypto_or_fail(NULL, NULL);
    crypto_openssl_only(c, true);
    return 0;
}

static int teardown(void **state)
{
    adit_crypto_free(c);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_packets_seal_and_open),
        cmocka_unit_test(ctr_gives_the_ciphertexts_of_rfc_3686),
        cmocka_unit_test(ctr_authenticates_the_iv_as_it_stands_on_the_wire),
        cmocka_unit_test(null_is_the_mac_alone),
        cmocka_unit_test(cbc_refuses_half_blocks),
    };
    int failed = cmocka_run_group_tests_name("the fastest library", tests, setup, teardown);
    return failed + cmocka_run_group_tests_name("OpenSSL", tests, setup_openssl, teardown);
}
