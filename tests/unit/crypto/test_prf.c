/* test_prf.c - PRF rows against RFC 4231, prf+ against IKEv2's key hierarchy. */
#include "vectors.h"

static struct adit_crypto *c;

static const struct {
    uint16_t id;
    const char *field;
} prfs[] = {
    { PRF_HMAC_SHA2_256, "sha256" },
    { PRF_HMAC_SHA2_384, "sha384" },
    { PRF_HMAC_SHA2_512, "sha512" },
};

static void prfs_are_hmac(void **state)
{
    FILE *f = vectors_open("hmac_sha2.txt");
    struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++) {
        struct adit_span data = vector_get(&v, "data"),
                         parts[2] = { span_first(data, 3), span_from(data, 3) };
        for (size_t i = 0; i < ARRAY_LEN(prfs); i++) {
            const struct prf_alg *prf = crypto_prf(c, prfs[i].id);
            uint8_t out[PRF_OUT_MAX];
            assert_row(v.what, prf && prf->key == prf->out);
            assert_row(v.what, prf_compute(prf, vector_get(&v, "key"), parts, 2, out) == ADIT_OK);
            assert_row(v.what, span_equal(span(out, prf->out), vector_get(&v, prfs[i].field)));
        }
    }
    assert_int_equal(n, 6);
}

static void ikev2_keys_come_out_as_computed_elsewhere(void **state)
{
    FILE *f = vectors_open("ikev2_keys.txt");
    struct vector v;
    const struct prf_alg *prf = crypto_prf(c, PRF_HMAC_SHA2_256);
    size_t n = 0;
    for (; vectors_next(f, &v); n++) {
        struct adit_span want = vector_get(&v, "out"), data = vector_get(&v, "data");
        uint8_t out[256];
        bool plus = vector_get(&v, "fn").p[0];
        enum adit_rc rc = plus ? prf_plus(prf, vector_get(&v, "key"), &data, 1, out, want.n)
                               : prf_compute(prf, vector_get(&v, "key"), &data, 1, out);
        assert_row(v.what, rc == ADIT_OK && span_equal(span(out, want.n), want));
    }
    assert_int_equal(n, 5);
}

static void prf_plus_stops_at_255_blocks(void **state)
{
    const struct prf_alg *prf = crypto_prf(c, PRF_HMAC_SHA2_256);
    static uint8_t out[255 * 32 + 1];
    struct adit_span seed = SPAN_LIT("seed");
    assert_int_equal(prf_plus(prf, seed, &seed, 1, out, 255 * 32), ADIT_OK);
    assert_int_equal(prf_plus(prf, seed, &seed, 1, out, 255 * 32 + 1), ADIT_ERR_LIMIT);
    assert_int_equal(prf_plus(prf, seed, &seed, 1, out, 0), ADIT_OK);
}

static void shorter_output_is_a_prefix_and_writes_no_further(void **state)
{
    const struct prf_alg *prf = crypto_prf(c, PRF_HMAC_SHA2_384);
    uint8_t all[200], part[200];
    struct adit_span seed[] = { SPAN_LIT("a"), SPAN_LIT("b") };
    assert_int_equal(prf_plus(prf, SPAN_LIT("key"), seed, 2, all, sizeof(all)), ADIT_OK);
    for (size_t n = 0; n < sizeof(part); n++) {
        memset(part, 0xee, sizeof(part));
        assert_int_equal(prf_plus(prf, SPAN_LIT("key"), seed, 2, part, n), ADIT_OK);
        assert_true(span_equal(span(part, n), span(all, n)) && part[n] == 0xee);
    }
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
        cmocka_unit_test(prfs_are_hmac),
        cmocka_unit_test(ikev2_keys_come_out_as_computed_elsewhere),
        cmocka_unit_test(prf_plus_stops_at_255_blocks),
        cmocka_unit_test(shorter_output_is_a_prefix_and_writes_no_further),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
