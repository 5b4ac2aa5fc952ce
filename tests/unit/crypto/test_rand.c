/* test_rand.c - the same seed makes the same keys, ciphertexts and signatures; another seed makes others. */
#include "keys.h"
#include "crypto/ossl/ossl.h"

/* Everything random that the rows make, one after the other, as one digest. */
static void run(uint64_t seed, uint8_t out[64])
{
    struct script script = { .state = seed };
    struct adit_crypto *c = crypto_or_fail(script_random, &script);
    struct adit_buf all = { 0 }, pub = { 0 }, answer = { 0 };
    const struct ke_alg *a;
    for (size_t i = 0; (a = crypto_ke_at(c, i)); i++) {
        if (a->init_size > 500000 || a->id == KE_MCELIECE_348864)
            continue; /* whose keys take long to generate; the same code makes the others */
        struct ke_state *st = NULL;
        struct adit_secret secret = { 0 };
        assert_int_equal(a->ops->init(c, a, &st, &pub), ADIT_OK);
        assert_int_equal(a->ops->respond(c, a, buf_span(&pub), &answer, &secret), ADIT_OK);
        assert_int_equal(buf_append(&all, buf_span(&pub)), ADIT_OK);
        assert_int_equal(buf_append(&all, buf_span(&answer)), ADIT_OK);
        assert_int_equal(buf_append(&all, secret_span(&secret)), ADIT_OK);
        a->ops->free(st);
        secret_fini(&secret);
    }
    struct adit_span whole = buf_span(&all);
    assert_int_equal(crypto_hash(HASH_SHA2_512, &whole, 1, out), 64);
    buf_fini(&all);
    buf_fini(&pub);
    buf_fini(&answer);
    adit_crypto_free(c);
}

static void key_exchanges_follow_the_seed(void **state)
{
    uint8_t first[64], same[64], other[64];
    run(7, first);
    run(7, same);
    run(8, other);
    assert_memory_equal(first, same, 64);
    assert_memory_not_equal(first, other, 64);
}

static const char *const kinds[] = { "RSA:2048", "EC:P-256", "EC:P-384", "EC:P-521", "ED25519", "ED448" };

/* The same private key each time (PEM of another set); the signature's own randomness is what is tested. */
static void signed_with(uint64_t seed, struct adit_span pem, struct adit_buf *sig, bool *hedged)
{
    static const uint16_t hashes[] = { HASH_SHA2_256, HASH_SHA2_384, HASH_SHA2_512, HASH_IDENTITY };
    struct script script = { .state = seed };
    struct adit_crypto *c = crypto_or_fail(script_random, &script);
    struct crypto_key *key = NULL;
    assert_int_equal(key_parse_private(c, pem, SPAN_NONE, &key, NULL), ADIT_OK);
    const struct sig_alg *alg = sig_choose(key, true, hashes, ARRAY_LEN(hashes));
    assert_int_equal(sig_sign(alg, key, SPAN_LIT("octets"), sig), ADIT_OK);
    *hedged = key_type(key) == KEY_RSA || key_type(key) == KEY_ECDSA;
    key_free(key);
    adit_crypto_free(c);
}

static void signatures_follow_the_seed(void **state)
{
    struct adit_crypto *maker = crypto_or_fail(NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct adit_buf pem = { 0 }, first = { 0 }, same = { 0 }, other = { 0 };
        EVP_PKEY *pkey = pkey_new(maker, kinds[i]);
        bool hedged;
        pkey_encode(pkey, "PEM", "PrivateKeyInfo", NULL, &pem);
        signed_with(1, buf_span(&pem), &first, &hedged);
        signed_with(1, buf_span(&pem), &same, &hedged);
        signed_with(2, buf_span(&pem), &other, &hedged);
        assert_row(kinds[i], span_equal(buf_span(&first), buf_span(&same)));
        /* EdDSA has no randomness; PSS salts and ECDSA nonces do. */
        assert_row(kinds[i], span_equal(buf_span(&first), buf_span(&other)) == !hedged);
        EVP_PKEY_free(pkey);
        buf_fini(&pem);
        buf_fini(&first);
        buf_fini(&same);
        buf_fini(&other);
    }
    adit_crypto_free(maker);
}

static bool no_entropy(void *arg, uint8_t *out, size_t n)
{
    return false;
}

static void without_entropy_nothing_is_made(void **state)
{
    struct adit_crypto *c = crypto_or_fail(no_entropy, NULL);
    const struct ke_alg *a;
    uint8_t out[16];
    assert_false(adit_crypto_random(c, out, sizeof(out)));
    for (size_t i = 0; (a = crypto_ke_at(c, i)); i++) {
        struct ke_state *st = NULL;
        struct adit_buf pub = { 0 };
        assert_row(a->name, a->ops->init(c, a, &st, &pub) == ADIT_ERR_CRYPTO && !st);
        buf_fini(&pub);
    }
    adit_crypto_free(c);
}

static void two_sets_do_not_share_their_sources(void **state)
{
    struct script s1 = { .state = 1 }, s2 = { .state = 2 };
    struct adit_crypto *c1 = crypto_or_fail(script_random, &s1), *c2 = crypto_or_fail(script_random, &s2);
    uint64_t before = s1.state;
    struct ke_state *st = NULL;
    struct adit_buf pub = { 0 };
    const struct ke_alg *a = crypto_ke(c2, KE_CURVE_25519);
    assert_int_equal(a->ops->init(c2, a, &st, &pub), ADIT_OK);
    assert_true(s1.state == before && s2.state != 2);
    a->ops->free(st);
    buf_fini(&pub);
    adit_crypto_free(c1);
    adit_crypto_free(c2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_exchanges_follow_the_seed),
        cmocka_unit_test(signatures_follow_the_seed),
        cmocka_unit_test(without_entropy_nothing_is_made),
        cmocka_unit_test(two_sets_do_not_share_their_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
