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
    /* FIPS 202 */
    { "SHA3-256", HASH_SHA3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532" },
    { "SHA3-384", HASH_SHA3_384,
      "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25" },
    { "SHA3-512", HASH_SHA3_512,
      "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e39340"
      "57340b4cf408d5a56592f8274eec53f0" },
    { "SHAKE128", HASH_SHAKE128, "5881092dd818bf5cf8a3ddb793fbcba74097d5c526a6d35f97b83351940f2cc8" },
    { "SHAKE256", HASH_SHAKE256,
      "483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739d5a15bef186a5386c75744c0527e1faa"
      "9f8726e462a12a4feb06bd8801e751e4" },
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
        struct ossl_mac *h = ossl_mac_take(ossl_digest(HASH_SHA2_384));
        struct adit_span data = vector_get(&v, "data");
        uint8_t out[OSSL_OUT_MAX];
        assert_row(v.what, ossl_mac_key(h, vector_get(&v, "key")));
        for (int round = 0; round < 3; round++) {
            assert_row(v.what, ossl_mac_start(h) && ossl_mac_update(h, data.p, 1) &&
                                   ossl_mac_update(h, data.p + 1, data.n - 1) && ossl_mac_final(h, out));
            assert_row(v.what, span_equal(span(out, 48), vector_get(&v, "sha384")));
        }
        ossl_mac_park(h);
    }
}

/* The same of KMAC, whose states take another length each time. */
static void kmac_states_are_parked_without_their_key(void **state)
{
    uint8_t long_key[OSSL_KMAC_KEY_MAX], one[16], two[16];
    memset(long_key, 0x5e, sizeof(long_key));
    struct ossl_mac *h = ossl_mac_take(ossl_digest(OSSL_KMAC_128));
    assert_true(ossl_mac_size(h, 40) && ossl_mac_key(h, SPAN_ARRAY(long_key)));
    ossl_mac_park(h);
    struct ossl_mac *again = ossl_mac_take(ossl_digest(OSSL_KMAC_128));
    assert_ptr_equal(again, h);
    assert_true(ossl_mac_size(again, 16) && ossl_mac_start(again) && ossl_mac_final(again, one));
    assert_true(ossl_mac_key(again, SPAN_ARRAY(long_key)) && ossl_mac_final(again, two));
    assert_memory_not_equal(one, two, sizeof(one));
    ossl_mac_park(again);
    h = ossl_mac_take(ossl_digest(HASH_SHA2_256));
    assert_true(ossl_mac_size(h, 32));
    assert_false(ossl_mac_size(h, 16));
    ossl_mac_park(h);
}

static void parked_states_keep_no_key(void **state)
{
    struct ossl_digest *d = ossl_digest(HASH_SHA2_256);
    struct adit_span part = SPAN_LIT("abc");
    uint8_t parked[OSSL_OUT_MAX], keyed[OSSL_OUT_MAX];
    struct ossl_mac *h = ossl_mac_take(d);
    assert_true(ossl_mac_key(h, SPAN_LIT("secret")));
    ossl_mac_park(h);
    struct ossl_mac *again = ossl_mac_take(d);
    assert_ptr_equal(again, h);
    /* Going on without a new key gives something else than with the old one. */
    assert_true(ossl_mac_start(again) && ossl_mac_update(again, part.p, part.n) && ossl_mac_final(again, parked));
    assert_true(ossl_mac_key(again, SPAN_LIT("secret")));
    assert_true(ossl_mac_update(again, part.p, part.n) && ossl_mac_final(again, keyed));
    assert_memory_not_equal(parked, keyed, 32);
    ossl_mac_free(again);
}

static void more_states_than_the_pool_holds_are_fine(void **state)
{
    struct ossl_mac *held[OSSL_POOL + 3];
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        assert_non_null(held[i] = ossl_mac_take(ossl_digest(HASH_SHA2_512)));
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        ossl_mac_park(held[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_of_parts_are_those_of_the_whole),
        cmocka_unit_test(unknown_digests_give_nothing),
        cmocka_unit_test(hmac_runs_many_times_with_one_key),
        cmocka_unit_test(kmac_states_are_parked_without_their_key),
        cmocka_unit_test(parked_states_keep_no_key),
        cmocka_unit_test(more_states_than_the_pool_holds_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
