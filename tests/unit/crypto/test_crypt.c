/* test_crypt.c - what a sealing context accepts, and its IVs. */
#include "seal.h"

static struct adit_crypto *c;

static const struct {
    const char *what;
    uint16_t encr, bits;
    size_t key;
    uint16_t integ;
    size_t integ_key;
    bool ok;
} rows[] = {
    { "AEAD", ENCR_AES_GCM_16, 256, 36, 0, 0, true },
    { "AEAD with INTEG", ENCR_AES_GCM_16, 256, 36, INTEG_HMAC_SHA2_256_128, 32, false },
    { "AEAD without its salt", ENCR_AES_GCM_16, 256, 32, 0, 0, false },
    { "AEAD without key length", ENCR_AES_GCM_16, 0, 36, 0, 0, false },
    { "key length that AES has not", ENCR_AES_GCM_16, 512, 68, 0, 0, false },
    { "ChaCha20", ENCR_CHACHA20_POLY1305, 0, 36, 0, 0, true },
    { "ChaCha20 with key length", ENCR_CHACHA20_POLY1305, 256, 36, 0, 0, false },
    { "CBC without INTEG", ENCR_AES_CBC, 128, 16, 0, 0, false },
    { "CBC", ENCR_AES_CBC, 128, 16, INTEG_HMAC_SHA2_256_128, 32, true },
    { "CBC with a short INTEG key", ENCR_AES_CBC, 128, 16, INTEG_HMAC_SHA2_256_128, 31, false },
    { "NULL", ENCR_NULL, 0, 0, INTEG_HMAC_SHA2_512_256, 64, true },
    { "NULL without INTEG", ENCR_NULL, 0, 0, 0, 0, false },
    { "NULL with key length", ENCR_NULL, 128, 0, INTEG_HMAC_SHA2_512_256, 64, false },
    { "NULL with a key", ENCR_NULL, 0, 16, INTEG_HMAC_SHA2_512_256, 64, false },
};

static void contexts_want_exactly_their_keys(void **state)
{
    static const uint8_t key[80];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct crypt *x = NULL;
        enum adit_rc rc = crypt_new(c, crypto_encr(c, rows[i].encr), rows[i].bits, span(key, rows[i].key),
                                    rows[i].integ ? crypto_integ(c, rows[i].integ) : NULL,
                                    span(key, rows[i].integ_key), true, &x);
        assert_row(rows[i].what, (rc == ADIT_OK) == rows[i].ok && (x != NULL) == rows[i].ok);
        crypt_free(x);
    }
}

static void memory_running_out_leaves_nothing_behind(void **state)
{
    static const uint8_t key[36];
    struct crypt *x = NULL;
    unsigned left = 0;
    mem_set_gate(gate_countdown, &left);
    enum adit_rc rc = crypt_new(c, crypto_encr(c, ENCR_AES_GCM_16), 256, SPAN_ARRAY(key), NULL, SPAN_NONE,
                                true, &x);
    mem_set_gate(NULL, NULL);
    assert_int_equal(rc, ADIT_ERR_MEMORY);
    assert_null(x);
}

static void counter_ivs_are_the_counter(void **state)
{
    static const uint8_t key[36];
    struct crypt *x = NULL;
    uint8_t iv[8];
    assert_int_equal(
        crypt_new(c, crypto_encr(c, ENCR_AES_GCM_16), 256, SPAN_ARRAY(key), NULL, SPAN_NONE, true, &x),
        ADIT_OK);
    crypt_iv(x, UINT64_C(0x0102030405060708), iv);
    assert_memory_equal(iv, "\1\2\3\4\5\6\7\10", 8);
    crypt_free(x);
}

/* Computed with openssl enc -aes-128-ecb of the block 0..01. */
static void cbc_ivs_are_the_encrypted_counter(void **state)
{
    uint8_t key[16], iv[16], again[16], want[16];
    unhex("2b7e151628aed2a6abf7158809cf4f3c", key, 16);
    struct crypt *x = NULL;
    static const uint8_t mac[32];
    assert_int_equal(crypt_new(c, crypto_encr(c, ENCR_AES_CBC), 128, SPAN_ARRAY(key),
                               crypto_integ(c, INTEG_HMAC_SHA2_256_128), SPAN_ARRAY(mac), true, &x),
                     ADIT_OK);
    crypt_iv(x, 1, iv);
    unhex("57127d4034b1bebfaef466b9c7726fc6", want, 16);
    assert_memory_equal(iv, want, 16);
    crypt_iv(x, 2, again);
    assert_memory_not_equal(iv, again, 16);
    crypt_iv(x, 1, again);
    assert_memory_equal(iv, again, 16);
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
        cmocka_unit_test(contexts_want_exactly_their_keys),
        cmocka_unit_test(memory_running_out_leaves_nothing_behind),
        cmocka_unit_test(counter_ivs_are_the_counter),
        cmocka_unit_test(cbc_ivs_are_the_encrypted_counter),
    };
    int failed = cmocka_run_group_tests_name("the fastest library", tests, setup, teardown);
    return failed + cmocka_run_group_tests_name("OpenSSL", tests, setup_openssl, teardown);
}
