/* test_sig_rows.c - AlgorithmIdentifiers octet by octet (RFC 7427 A, RFC 8420), and the choice of a row. */
#include "keys.h"

#define PSS(x, salt)                                                                                         \
    "304106092a864886f70d01010a3034a00f300d0609608648016503040" x                                            \
    "0500a11c301a06092a864886f70d010108300d0609608648016503040" x "0500a2030201" salt
#define PSS_TRAILER(x, salt)                                                                                 \
    "304606092a864886f70d01010a3039a00f300d0609608648016503040" x                                            \
    "0500a11c301a06092a864886f70d010108300d0609608648016503040" x "0500a2030201" salt "a303020101"

#define PSS3(x, salt)                                                                                        \
    "303d06092a864886f70d01010a3030a00d300b060960864801650304020" x                                          \
    "a11a301806092a864886f70d010108300b060960864801650304020" x "a2030201" salt
static const struct {
    const char *what, *algid;
    const char *row; /* NULL: none */
} rows[] = {
    { "Ed25519", "300506032b6570", "Ed25519" },
    { "Ed448", "300506032b6571", "Ed448" },
    { "Ed25519 with NULL", "300706032b65700500", NULL },
    { "ECDSA SHA-256", "300a06082a8648ce3d040302", "ECDSA with SHA2-256" },
    { "ECDSA SHA-384", "300a06082a8648ce3d040303", "ECDSA with SHA2-384" },
    { "ECDSA SHA-512", "300a06082a8648ce3d040304", "ECDSA with SHA2-512" },
    { "ECDSA SHA-512 with NULL", "300c06082a8648ce3d0403040500", "ECDSA with SHA2-512" },
    { "ECDSA SHA-1", "300906072a8648ce3d0401", NULL },
    { "PKCS#1 SHA-256", "300d06092a864886f70d01010b0500", "RSASSA-PKCS1-v1_5 with SHA2-256" },
    { "PKCS#1 SHA-384", "300d06092a864886f70d01010c0500", "RSASSA-PKCS1-v1_5 with SHA2-384" },
    { "PKCS#1 SHA-512", "300d06092a864886f70d01010d0500", "RSASSA-PKCS1-v1_5 with SHA2-512" },
    { "PKCS#1 SHA-256 without NULL", "300b06092a864886f70d01010b", "RSASSA-PKCS1-v1_5 with SHA2-256" },
    { "PKCS#1 SHA-1", "300d06092a864886f70d0101050500", NULL },
    { "PSS SHA-256", PSS("201", "20"), "RSASSA-PSS with SHA2-256" },
    { "PSS SHA-384", PSS("202", "30"), "RSASSA-PSS with SHA2-384" },
    { "PSS SHA-512", PSS("203", "40"), "RSASSA-PSS with SHA2-512" },
    { "PSS SHA-256 with trailer field", PSS_TRAILER("201", "20"), "RSASSA-PSS with SHA2-256" },
    { "PSS SHA-512 with trailer field", PSS_TRAILER("203", "40"), "RSASSA-PSS with SHA2-512" },
    { "PSS SHA-256, other salt", PSS("201", "00"), "RSASSA-PSS with SHA2-256" },
    { "ECDSA SHA3-256", "300b06096086480165030403" "0a", "ECDSA with SHA3-256" },
    { "ECDSA SHA3-384", "300b06096086480165030403" "0b", "ECDSA with SHA3-384" },
    { "ECDSA SHA3-512 with NULL", "300d06096086480165030403" "0c0500", "ECDSA with SHA3-512" },
    { "ECDSA SHA3-224", "300b06096086480165030403" "09", NULL },
    { "ECDSA SHAKE128", "300a06082b06010505070620", "ECDSA with SHAKE128" },
    { "ECDSA SHAKE256", "300a06082b06010505070621", "ECDSA with SHAKE256" },
    { "RSASSA-PSS-SHAKE128 is not there", "300a06082b0601050507061e", NULL },
    { "PKCS#1 SHA3-256", "300d06096086480165030403" "0e0500", "RSASSA-PKCS1-v1_5 with SHA3-256" },
    { "PKCS#1 SHA3-512 without NULL", "300b06096086480165030403" "10", "RSASSA-PKCS1-v1_5 with SHA3-512" },
    { "PSS SHA3-256", PSS3("8", "20"), "RSASSA-PSS with SHA3-256" },
    { "PSS SHA3-384", PSS3("9", "30"), "RSASSA-PSS with SHA3-384" },
    { "PSS SHA3-512", PSS3("a", "40"), "RSASSA-PSS with SHA3-512" },
    { "PSS SHA3-512 with NULLs", PSS("20a", "40"), "RSASSA-PSS with SHA3-512" },
    { "PSS with default parameters is SHA-1", "300d06092a864886f70d01010a3000", NULL },
    { "PSS without parameters", "300b06092a864886f70d01010a", NULL },
    { "PSS, MGF1 with another hash",
      "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d0609608648"
      "016503040202"
      "0500a203020120",
      NULL },
    { "PSS with a negative salt", PSS("201", "ff"), NULL },
    { "nothing", "", NULL },
    { "an octet too many", "300506032b657000", NULL },
    { "an octet too few", "300506032b65", NULL },
    { "unknown", "300506032b6572", NULL },
};

static void identifiers_mean_their_rows(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t id[256];
        struct adit_span got = guard_copy(span(id, unhex(rows[i].algid, id, sizeof(id))));
        const struct sig_alg *alg = crypto_sig_by_algid(got);
        assert_row(rows[i].what, (alg != NULL) == (rows[i].row != NULL));
        assert_row(rows[i].what, !alg || strcmp(alg->name, rows[i].row) == 0);
    }
}

static void every_row_is_found_by_what_it_sends(void **state)
{
    const struct sig_alg *alg;
    size_t n14 = 0;
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++) {
        if (alg->auth_method == AUTH_DIGITAL_SIGNATURE) {
            assert_row(alg->name, crypto_sig_by_algid(alg->algid) == alg);
            n14++;
        } else {
            assert_row(alg->name, alg->algid.n == 0);
        }
    }
    assert_int_equal(n14, 22);
}

#define ALL                                                                                                  \
    {                                                                                                        \
        HASH_SHA2_256, HASH_SHA2_384, HASH_SHA2_512, HASH_IDENTITY                                           \
    }
static const struct {
    const char *kind;
    bool method14;
    uint16_t hashes[4];
    const char *row;
} choices[] = {
    { "EC:P-256", true, ALL, "ECDSA with SHA2-256" },
    { "EC:P-384", true, ALL, "ECDSA with SHA2-384" },
    { "EC:P-521", true, ALL, "ECDSA with SHA2-512" },
    { "EC:P-384", true, { HASH_SHA2_256 }, "ECDSA with SHA2-256" },
    { "EC:P-256", true, { HASH_SHA1 }, NULL },
    { "EC:P-256", false, { 0 }, "ECDSA-256" },
    { "EC:P-521", false, { 0 }, "ECDSA-521" },
    { "EC:brainpoolP256r1", false, { 0 }, NULL },
    { "RSA:2048", true, ALL, "RSASSA-PSS with SHA2-256" },
    { "RSA:4096", true, ALL, "RSASSA-PSS with SHA2-384" },
    { "RSA:2048", true, { HASH_SHA2_512 }, "RSASSA-PSS with SHA2-512" },
    { "RSA:2048", false, { 0 }, "RSA with SHA2-256" },
    { "RSA-PSS:2048", true, ALL, "RSASSA-PSS with SHA2-256" },
    { "RSA-PSS:2048", false, { 0 }, NULL },
    { "ED25519", true, ALL, "Ed25519" },
    { "ED25519", true, { HASH_SHA2_256 }, NULL },
    { "ED448", true, { HASH_IDENTITY }, "Ed448" },
    { "ED448", false, ALL, NULL },
};

static void the_hash_suits_the_key(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        EVP_PKEY *pkey = pkey_new(c, choices[i].kind);
        struct crypto_key *key = key_public(c, pkey);
        const struct sig_alg *alg = sig_choose(key, choices[i].method14, choices[i].hashes, 4);
        assert_row(choices[i].kind, (alg != NULL) == (choices[i].row != NULL));
        assert_row(choices[i].kind, !alg || strcmp(alg->name, choices[i].row) == 0);
        key_free(key);
        EVP_PKEY_free(pkey);
    }
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers_mean_their_rows),
        cmocka_unit_test(every_row_is_found_by_what_it_sends),
        cmocka_unit_test(the_hash_suits_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
