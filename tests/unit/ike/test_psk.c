/* AUTH by shared secret (RFC 7296 s2.15); expected values from Python's hmac. */
#include "ike/auth/auth.h"
#include "ike_fixture.h"

static const struct {
    const char *what;
    uint16_t prf;
    struct adit_span secret;
    const char *prefix, *tail, *auth;
} rows[] = {
    { "text",
      PRF_HMAC_SHA2_256,
      { (const uint8_t *)"secret of two", 13 },
      "",
      "",
      "dc941095daa73aa9d411fe26fc1fa147f2239e3838a281334178f8e82669de6b" },
    { "with an extension's parts",
      PRF_HMAC_SHA2_256,
      { (const uint8_t *)"secret of two", 13 },
      "PRE",
      "TAIL",
      "c5d38c177537bcee4fb19c5bc9c7690d6a5fc20274a954ff3c83217d938433c3" },
    { "100 zero octets, SHA2-512",
      PRF_HMAC_SHA2_512,
      { (const uint8_t[100]){ 0 }, 100 },
      "",
      "",
      "96803e9f525ea9a66744ca70226a90043a7fff7e0900da5dead103f92bc199b00d47108b55b4e89cb90d98fda714bc8a7abf55ee76d1"
      "67269a0703b9c2296b93" },
};

static void test_vectors(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct prf_alg *prf = crypto_prf(crypto(), rows[i].prf);
        struct octets o;
        uint8_t auth[PRF_OUT_MAX];
        assert_int_equal(octets_init(&o, prf, ascending(0xc0, 32), ascending(0, 100), ascending(0x20, 32),
                                     hex("02000000 6d6f6f6e2e6578616d706c65")),
                         ADIT_OK);
        o.part[OCTETS_PREFIX] = span_str(rows[i].prefix);
        o.part[OCTETS_TAIL] = span_str(rows[i].tail);
        assert_row(rows[i].what, auth_psk(prf, rows[i].secret, &o, auth, NULL) == ADIT_OK);
        assert_row(rows[i].what, span_equal(span(auth, prf->out), hex(rows[i].auth)));
    }
}

/* SK_p in place of the secret: EAP without key, NULL authentication (RFC 7619 s2.2). The key pad stays. */
static void test_sk_p(void **state)
{
    const struct prf_alg *prf = crypto_prf(crypto(), PRF_HMAC_SHA2_256);
    struct octets o;
    uint8_t auth[PRF_OUT_MAX];
    assert_int_equal(octets_init(&o, prf, ascending(0xc0, 32), ascending(0, 100), ascending(0x20, 32),
                                 hex("02000000 6d6f6f6e2e6578616d706c65")),
                     ADIT_OK);
    assert_int_equal(auth_psk(prf, ascending(0xc0, 32), &o, auth, NULL), ADIT_OK);
    assert_memory_equal(auth, hex("e1d921e3d54fc74fb454a5c4c4894cf7161199e46a68d81f887a4a2fbdb93e1e").p, 32);
    /* KMAC takes no shorter keys than 4 octets, and says so */
    struct adit_why why = { 0 };
    prf = crypto_prf(crypto(), PRF_KMAC_128);
    assert_int_equal(auth_psk(prf, ascending(0xc0, 3), &o, auth, &why), ADIT_ERR_CONFIG);
    assert_non_null(strstr(why.text, "has 3 octets"));
    assert_int_equal(auth_psk(prf, ascending(0xc0, 4), &o, auth, &why), ADIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors), cmocka_unit_test(test_sk_p) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
