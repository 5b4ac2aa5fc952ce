/* test_dh.c - MODP groups: sizes, padding of values and secrets, and the recipient's tests. */
#include "vectors.h"

static const struct {
    const char *what;
    uint16_t id;
    size_t octets;
} groups[] = {
    { "MODP-2048", KE_MODP_2048, 256 },
    { "MODP-3072", KE_MODP_3072, 384 },
    { "MODP-4096", KE_MODP_4096, 512 },
};

static void sides_agree_and_sizes_are_the_modulus_length(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
        const struct ke_alg *a = crypto_ke(c, groups[g].id);
        struct adit_buf gi = { 0 }, gr = { 0 };
        struct adit_secret si = { 0 }, sr = { 0 };
        struct ke_state *st = NULL;
        assert_row(groups[g].what,
                   a && a->init_size == groups[g].octets && a->secret_size == groups[g].octets);
        assert_int_equal(a->ops->init(c, a, &st, &gi), ADIT_OK);
        assert_int_equal(a->ops->respond(c, a, buf_span(&gi), &gr, &sr), ADIT_OK);
        assert_int_equal(a->ops->finish(c, a, st, buf_span(&gr), &si), ADIT_OK);
        assert_row(groups[g].what,
                   gi.n == groups[g].octets && gr.n == groups[g].octets && si.n == groups[g].octets);
        assert_row(groups[g].what, secret_equal(secret_span(&si), secret_span(&sr)));
        a->ops->free(st);
        buf_fini(&gi);
        buf_fini(&gr);
        secret_fini(&si);
        secret_fini(&sr);
    }
    adit_crypto_free(c);
}

/* With randomness of all zeros the private key is 1: our value is the generator 2, the secret is the peer's value. */
static bool zeros(void *arg, uint8_t *out, size_t n)
{
    memset(out, 0, n);
    return true;
}

static void values_and_secrets_are_padded_on_the_left(void **state)
{
    struct adit_crypto *c = crypto_or_fail(zeros, NULL);
    const struct ke_alg *a = crypto_ke(c, KE_MODP_2048);
    uint8_t two[256] = { 0 }, five[256] = { 0 };
    two[255] = 2;
    five[255] = 5;
    struct adit_buf pub = { 0 };
    struct adit_secret secret = { 0 };
    assert_int_equal(a->ops->respond(c, a, SPAN_ARRAY(five), &pub, &secret), ADIT_OK);
    assert_true(span_equal(buf_span(&pub), SPAN_ARRAY(two)));
    assert_true(span_equal(secret_span(&secret), SPAN_ARRAY(five)));
    buf_fini(&pub);
    secret_fini(&secret);
    adit_crypto_free(c);
}

/* RFC 3526: all these primes begin and end with 64 one bits, so p - 1 ends with fe. */
static void small_and_large_values_are_refused(void **state)
{
    static const char p2048[] =
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
        "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
        "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
        "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
        "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF";
    static const struct {
        const char *what;
        int from_p; /* 1: p + add, 0: add */
        int add;
        bool ok;
    } rows[] = {
        { "0", 0, 0, false },        { "1", 0, 1, false },      { "2", 0, 2, true },
        { "p - 2", 1, -2, true },    { "p - 1", 1, -1, false }, { "p", 1, 0, false },
        { "all ones", 2, 0, false },
    };
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a = crypto_ke(c, KE_MODP_2048);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t y[256] = { 0 };
        if (rows[i].from_p == 1)
            assert_int_equal(unhex(p2048, y, sizeof(y)), sizeof(y));
        if (rows[i].from_p == 2)
            memset(y, 0xff, sizeof(y));
        y[255] = (uint8_t)(y[255] + rows[i].add);
        struct adit_buf pub = { 0 };
        struct adit_secret secret = { 0 };
        enum adit_rc rc = a->ops->respond(c, a, SPAN_ARRAY(y), &pub, &secret);
        assert_row(rows[i].what, rc == (rows[i].ok ? ADIT_OK : ADIT_ERR_PUBLIC));
        buf_fini(&pub);
        secret_fini(&secret);
    }
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sides_agree_and_sizes_are_the_modulus_length),
        cmocka_unit_test(values_and_secrets_are_padded_on_the_left),
        cmocka_unit_test(small_and_large_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
