/* test_hash.c - digests and HMAC against published values. */
#include "vectors.h"
#include "crypto/ossl/ossl.h"

static const struct {
    const char *what;
    uint16_t hash;
    const char *abc; /* FIPS 180-4 examples: "abc" */
} digests[] = {
    { "SHA-1", HASH_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { "SHA2-256", HASH_SHA2_256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "SHA2-384", HASH_SHA2_384,
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7" },
    { "SHA2-512", HASH_SHA2_512,
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
      "454d4423643ce80e2a9ac94fa54ca49f" },
};

static void digests_of_parts_are_those_of_the_whole(void **state)
{
    const struct adit_span parts[] = { SPAN_LIT("a"), SPAN_NONE, SPAN_LIT("bc") };
    for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
        uint8_t want[64], got[64];
        size_t n = unhex(digests[i].abc, want, sizeof(want));
        assert_row(digests[i].what, crypto_hash(digests[i].hash, parts, 3, got) == n);
        assert_row(digests[i].what, span_equal(span(got, n), span(want, n)));
    }
}

static void unknown_digests_give_nothing(void **state)
{
    uint8_t out[64];
    assert_int_equal(crypto_hash(HASH_IDENTITY, NULL, 0, out), 0);
    assert_int_equal(crypto_hash(0, NULL, 0, out), 0);
}

static void hmac_runs_many_times_with_one_key(void **state)
{
    FILE *f = vectors_open("hmac_sha2.txt");
    struct vector v;
    assert_true(ossl_digests_ready());
    while (vectors_next(f, &v)) {
        struct ossl_hmac *h = ossl_hmac_take(ossl_digest(HASH_SHA2_384));
        struct adit_span data = vector_get(&v, "data");
        uint8_t out[OSSL_OUT_MAX];
        assert_row(v.what, ossl_hmac_key(h, vector_get(&v, "key")));
        for (int round = 0; round < 3; round++) {
            assert_row(v.what, ossl_hmac_start(h) && ossl_hmac_update(h, data.p, 1) &&
                                   ossl_hmac_update(h, data.p + 1, data.n - 1) && ossl_hmac_final(h, out));
            assert_row(v.what, span_equal(span(out, 48), vector_get(&v, "sha384")));
        }
        ossl_hmac_park(h);
    }
}

static void parked_states_keep_no_key(void **state)
{
    struct ossl_digest *d = ossl_digest(HASH_SHA2_256);
    struct adit_span part = SPAN_LIT("abc");
    uint8_t parked[OSSL_OUT_MAX], keyed[OSSL_OUT_MAX];
    struct ossl_hmac *h = ossl_hmac_take(d);
    assert_true(ossl_hmac_key(h, SPAN_LIT("secret")));
    ossl_hmac_park(h);
    struct ossl_hmac *again = ossl_hmac_take(d);
    assert_ptr_equal(again, h);
    /* Going on without a new key gives something else than with the old one. */
    assert_true(ossl_hmac_start(again) && ossl_hmac_update(again, part.p, part.n) && ossl_hmac_final(again, parked));
    assert_true(ossl_hmac_key(again, SPAN_LIT("secret")));
    assert_true(ossl_hmac_update(again, part.p, part.n) && ossl_hmac_final(again, keyed));
    assert_memory_not_equal(parked, keyed, 32);
    ossl_hmac_free(again);
}

static void more_states_than_the_pool_holds_are_fine(void **state)
{
    struct ossl_hmac *held[OSSL_POOL + 3];
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        assert_non_null(held[i] = ossl_hmac_take(ossl_digest(HASH_SHA2_512)));
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        ossl_hmac_park(held[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_of_parts_are_those_of_the_whole),
        cmocka_unit_test(unknown_digests_give_nothing),
        cmocka_unit_test(hmac_runs_many_times_with_one_key),
        cmocka_unit_test(parked_states_keep_no_key),
        cmocka_unit_test(more_states_than_the_pool_holds_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
