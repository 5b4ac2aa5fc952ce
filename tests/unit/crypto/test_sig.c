/* test_sig.c - every signature row signs, verifies, and notices what was changed. */
#include "keys.h"

static struct adit_crypto *c;

static const char *const kinds[] = {
    "RSA:2048",           "RSA-PSS:2048",       "EC:P-256",           "EC:P-384", "EC:P-521",
    "EC:brainpoolP256r1", "EC:brainpoolP384r1", "EC:brainpoolP512r1", "ED25519",  "ED448"
};

static void round_trip(const struct sig_alg *alg, const char *kind, EVP_PKEY *pkey)
{
    struct adit_buf pem = { 0 }, sig = { 0 };
    struct crypto_key *private = NULL, *public = key_public(c, pkey);
    pkey_encode(pkey, "PEM", "PrivateKeyInfo", NULL, &pem);
    assert_int_equal(key_parse_private(c, buf_span(&pem), SPAN_NONE, &private, NULL), ADIT_OK);
    struct adit_span octets = SPAN_LIT("InitiatorSignedOctets");
    assert_row(alg->name, sig_sign(alg, private, octets, &sig) == ADIT_OK);
    assert_row(alg->name, sig_verify(alg, public, alg->algid, octets, buf_span(&sig)) == ADIT_OK);
    assert_row(alg->name,
               sig_verify(alg, public, alg->algid, SPAN_LIT("other"), buf_span(&sig)) == ADIT_ERR_AUTH);
    assert_row(alg->name,
               sig_verify(alg, public, alg->algid, octets, span(sig.p, sig.n - 1)) == ADIT_ERR_AUTH);
    assert_row(alg->name, sig_verify(alg, public, alg->algid, octets, SPAN_NONE) == ADIT_ERR_AUTH);
    if (alg->curve_bits) /* RFC 4754 s4: r | s */
        assert_row(alg->name, sig.n == 2u * ((alg->curve_bits + 7u) / 8));
    sig.p[sig.n / 2] ^= 1;
    assert_row(alg->name, sig_verify(alg, public, alg->algid, octets, buf_span(&sig)) == ADIT_ERR_AUTH);
    key_free(private);
    key_free(public);
    buf_fini(&pem);
    buf_fini(&sig);
}

static void every_row_verifies_what_it_signs(void **state)
{
    const struct sig_alg *alg;
    size_t trips = 0;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        EVP_PKEY *pkey = pkey_new(c, kinds[k]);
        struct crypto_key *key = key_public(c, pkey);
        for (size_t i = 0; (alg = crypto_sig_at(i)); i++) {
            struct adit_buf sig = { 0 };
            if (sig_fits(alg, key)) {
                round_trip(alg, kinds[k], pkey);
                trips++;
            } else {
                assert_row(alg->name,
                           sig_verify(alg, key, alg->algid, SPAN_NONE, SPAN_LIT("xx")) == ADIT_ERR_AUTH);
                assert_row(alg->name, sig_sign(alg, key, SPAN_NONE, &sig) == ADIT_ERR_POLICY);
            }
        }
        key_free(key);
        EVP_PKEY_free(pkey);
    }
    /* RSA 6 PSS + 6 + 3 old; RSA-PSS 6; each NIST curve 8 + 1 old; each brainpool curve 8; EdDSA 1 each */
    assert_int_equal(trips, 15 + 6 + 3 * 9 + 3 * 8 + 2);
}

static void short_rsa_keys_are_refused(void **state)
{
    EVP_PKEY *pkey = pkey_new(c, "RSA:1016");
    struct crypto_key *key = key_public(c, pkey);
    const struct sig_alg *alg;
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++)
        assert_row(alg->name, !sig_fits(alg, key));
    key_free(key);
    EVP_PKEY_free(pkey);
}

static void sign_raw(EVP_PKEY *pkey, const char *digest, int padding, int salt, struct adit_buf *sig)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    size_t n;
    assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, digest, crypto_libctx(c), NULL, pkey, NULL), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, padding), 1);
    if (padding == RSA_PKCS1_PSS_PADDING)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt), 1);
    assert_int_equal(EVP_DigestSign(ctx, NULL, &n, (const unsigned char *)"octets", 6), 1);
    assert_int_equal(buf_resize(sig, n), ADIT_OK);
    assert_int_equal(EVP_DigestSign(ctx, sig->p, &n, (const unsigned char *)"octets", 6), 1);
    EVP_MD_CTX_free(ctx);
}

static const struct sig_alg *row_named(const char *name)
{
    const struct sig_alg *alg;
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++)
        if (strcmp(alg->name, name) == 0)
            return alg;
    return NULL;
}

/* RFC 7296 s3.8: the receiver takes the hash from DigestInfo, whichever row of method 1 it holds. */
static void method_1_takes_the_hash_from_the_signature(void **state)
{
    static const struct {
        const char *digest;
        enum adit_rc rc;
    } rows[] = {
        { "SHA2-256", ADIT_OK }, { "SHA2-384", ADIT_OK }, { "SHA2-512", ADIT_OK }, { "SHA1", ADIT_ERR_AUTH }
    };
    EVP_PKEY *pkey = pkey_new(c, "RSA:2048");
    struct crypto_key *key = key_public(c, pkey);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_buf sig = { 0 };
        sign_raw(pkey, rows[i].digest, RSA_PKCS1_PADDING, 0, &sig);
        enum adit_rc rc = sig_verify(row_named("RSA with SHA2-256"), key, SPAN_NONE, SPAN_LIT("octets"),
                                     buf_span(&sig));
        assert_row(rows[i].digest, rc == rows[i].rc);
        buf_fini(&sig);
    }
    key_free(key);
    EVP_PKEY_free(pkey);
}

/* The salt's length counts as the parameters state it: 32 by the row, 20 by this identifier. */
static void pss_salts_are_as_long_as_stated(void **state)
{
    EVP_PKEY *pkey = pkey_new(c, "RSA:2048");
    struct crypto_key *key = key_public(c, pkey);
    const struct sig_alg *alg = row_named("RSASSA-PSS with SHA2-256");
    uint8_t id20[80];
    struct adit_span stated = span(id20, alg->algid.n);
    span_copy(id20, alg->algid);
    id20[alg->algid.n - 1] = 20;
    struct adit_buf salt20 = { 0 }, salt32 = { 0 };
    sign_raw(pkey, "SHA2-256", RSA_PKCS1_PSS_PADDING, 20, &salt20);
    sign_raw(pkey, "SHA2-256", RSA_PKCS1_PSS_PADDING, 32, &salt32);
    assert_ptr_equal(crypto_sig_by_algid(stated), alg);
    assert_int_equal(sig_verify(alg, key, stated, SPAN_LIT("octets"), buf_span(&salt20)), ADIT_OK);
    assert_int_equal(sig_verify(alg, key, stated, SPAN_LIT("octets"), buf_span(&salt32)), ADIT_ERR_AUTH);
    assert_int_equal(sig_verify(alg, key, alg->algid, SPAN_LIT("octets"), buf_span(&salt32)), ADIT_OK);
    assert_int_equal(sig_verify(alg, key, alg->algid, SPAN_LIT("octets"), buf_span(&salt20)), ADIT_ERR_AUTH);
    buf_fini(&salt20);
    buf_fini(&salt32);
    key_free(key);
    EVP_PKEY_free(pkey);
}

static int setup(void **state)
{
    c = crypto_or_fail(NULL, NULL);
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
        cmocka_unit_test(every_row_verifies_what_it_signs),
        cmocka_unit_test(short_rsa_keys_are_refused),
        cmocka_unit_test(method_1_takes_the_hash_from_the_signature),
        cmocka_unit_test(pss_salts_are_as_long_as_stated),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
