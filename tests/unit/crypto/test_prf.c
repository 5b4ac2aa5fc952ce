/* test_prf.c - PRF rows against RFC 4231 and NIST's KMAC samples, both ways of expanding against IKEv2's key hierarchy. */
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

static void kmac_gives_as_much_as_is_asked_in_one_call(void **state)
{
    FILE *f = vectors_open("kmac.txt");
    struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++) {
        const struct prf_alg *prf = crypto_prf(c, (uint16_t)vector_u16(&v, "prf"));
        struct adit_span want = vector_get(&v, "out"), data = vector_get(&v, "data"), key = vector_get(&v, "key"),
                         parts[2] = { span_first(data, 3), span_from(data, 3) };
        uint8_t out[VECTOR_MAX];
        assert_row(v.what, prf && prf->key == prf->out);
        assert_row(v.what, prf_plus(prf, key, parts, 2, out, want.n) == ADIT_OK && span_equal(span(out, want.n), want));
        if (want.n == prf->out) /* then prf and prf+ are the same function */
            assert_row(v.what, prf_compute(prf, key, &data, 1, out) == ADIT_OK && span_equal(span(out, want.n), want));
    }
    assert_int_equal(n, 16);
}

static void kmac_has_limits(void **state)
{
    static const uint8_t key[513];
    static const struct {
        const char *what;
        size_t key, out;
        enum adit_rc rc;
    } rows[] = {
        { "key of 3", 3, 32, ADIT_ERR_LIMIT },      { "key of 4", 4, 32, ADIT_OK },
        { "key of 512", 512, 32, ADIT_OK },         { "key of 513", 513, 32, ADIT_ERR_LIMIT },
        { "no key", 0, 32, ADIT_ERR_LIMIT },        { "nothing asked", 32, 0, ADIT_OK },
        { "64 KiB asked", 32, 65536, ADIT_OK },     { "more asked", 32, 65537, ADIT_ERR_LIMIT },
    };
    static uint8_t out[65537];
    struct adit_span seed = SPAN_LIT("seed");
    for (uint16_t id = PRF_KMAC_128; id <= PRF_KMAC_256; id++)
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            enum adit_rc rc = prf_plus(crypto_prf(c, id), span(key, rows[i].key), &seed, 1, out, rows[i].out);
            assert_row(rows[i].what, rc == rows[i].rc);
        }
    assert_int_equal(prf_compute(crypto_prf(c, PRF_KMAC_256), span(key, 3), &seed, 1, out), ADIT_ERR_LIMIT);
}

/* The opposite of prf+: the length goes into the value. */
static void shorter_output_of_kmac_is_another(void **state)
{
    const struct prf_alg *prf = crypto_prf(c, PRF_KMAC_128);
    struct adit_span seed = SPAN_LIT("seed");
    uint8_t whole[64], part[64] = { 0 };
    assert_int_equal(prf_plus(prf, SPAN_LIT("the key"), &seed, 1, whole, 64), ADIT_OK);
    assert_int_equal(prf_plus(prf, SPAN_LIT("the key"), &seed, 1, part, 32), ADIT_OK);
    assert_memory_not_equal(whole, part, 32);
    for (size_t i = 32; i < 64; i++)
        assert_int_equal(part[i], 0);
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
        cmocka_unit_test(kmac_gives_as_much_as_is_asked_in_one_call),
        cmocka_unit_test(kmac_has_limits),
        cmocka_unit_test(shorter_output_of_kmac_is_another),
        cmocka_unit_test(shorter_output_is_a_prefix_and_writes_no_further),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
