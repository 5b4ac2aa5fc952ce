/* `auth = ...`: what the words admit, and the words that are refused. */
#include "ike/auth/auth.h"
#include "ike_fixture.h"

#define H256 (1u << HASH_SHA2_256)
#define H384 (1u << HASH_SHA2_384)
#define H512 (1u << HASH_SHA2_512)
enum { RSA = 1, EC = 2, E25519 = 4, E448 = 8, PSS = 16, ALL = RSA | EC | E25519 | E448 };

static const struct {
    const char *auth;
    unsigned keys, bits, ec_bits, hashes, ec_hashes, chain_bits;
} rows[] = {
    { NULL, 0 },
    { "", 0 },
    { "psk", 0 },
    { "eap-tls", 0 },
    { "pubkey", ALL },
    { "rsa", RSA },
    { "ecdsa", EC },
    { "rsa/pss", RSA | PSS },
    { "rsa/pss-sha384", RSA | PSS, .hashes = H384 },
    { "pubkey-sha384", RSA | EC, .hashes = H384, .ec_hashes = H384 },
    { "pubkey-sha384-sha512", RSA | EC, .hashes = H384 | H512, .ec_hashes = H384 | H512 },
    { "pubkey-sha384-ed25519", RSA | EC | E25519, .hashes = H384, .ec_hashes = H384 },
    { "pubkey-sha384-rsa/pss", RSA | EC, .hashes = 0, .ec_hashes = H384 },
    { "rsa-3072-sha256-sha384", RSA, 3072, .hashes = H256 | H384, .chain_bits = 3072 },
    { "rsa-3072-sha256-ecdsa-384-sha384", RSA | EC, 3072, 384, H256, H384, 3072 },
    { "rsa-4096-ecdsa-sha512", RSA | EC, 4096, .ec_hashes = H512, .chain_bits = 4096 },
    { "ecdsa-sha256-ecdsa-sha384", EC, .ec_hashes = H256 | H384 },
    { "ike:ed25519", E25519 },
    { "ike:ed25519-ed448", E25519 | E448 },
    { "ike:rsa/pss-sha256", RSA | PSS, .hashes = H256 },
    { "rsa/pss-rsa", RSA },
    { "rsa-4096-ike:rsa/pss-sha256", RSA | PSS, .hashes = H256, .chain_bits = 4096 },
    { "pubkey-ike:ecdsa-256-sha256", EC, .ec_bits = 256, .ec_hashes = H256 },
    { "ecdsa-sha3_256-shake128", EC, .ec_hashes = 1u << 16 | 1u << 19 },
    { "pubkey-sha384-sha3_512", RSA | EC, .hashes = H384 | 1u << 18, .ec_hashes = H384 | 1u << 18 },
    { "ike:rsa/pss-sha3_384", RSA | PSS, .hashes = 1u << 17 },
    { "pubkey-sha2_256", RSA | EC, .hashes = H256, .ec_hashes = H256 },
};

static void test_words(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct auth_constraints c;
        struct adit_why why = { 0 };
        const char *what = rows[i].auth ? rows[i].auth : "(none)";
        if (auth_constraints_parse(rows[i].auth, &c, &why) != ADIT_OK)
            fail_msg("row '%s': %s", what, why.text);
        unsigned keys = (c.rsa ? RSA : 0) | (c.ecdsa ? EC : 0) | (c.ed25519 ? E25519 : 0) |
                        (c.ed448 ? E448 : 0) | (c.pss_only ? PSS : 0);
        assert_row(what, keys == rows[i].keys);
        assert_row(what, c.min_bits == rows[i].bits && c.min_ec_bits == rows[i].ec_bits);
        assert_row(what, c.hashes == rows[i].hashes && c.ec_hashes == rows[i].ec_hashes);
        assert_row(what, c.chain_rsa_bits == rows[i].chain_bits);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *auth, *says;
    } bad[] = {
        { "pubky", "'pubky' is unknown" },
        { "sha256", "'sha256' is unknown" },
        { "pubkey-sha1", "'sha1' is unknown" },
        { "pubkey-md5-sha256", "'md5' is unknown" },
        { "pubkey-3072", "needs rsa or ecdsa" },
        { "rsa-30x2", "'30x2' is unknown" },
        { "rsa-123456", "'123456' is unknown" },
        { "rsa-", "'' is unknown" },
        { "ike:sha256", "'sha256' is unknown" },
        { "RSA", "'RSA' is unknown" },
        { "pubkey-sha384-ike:rsa", "of the certificate chain" },
        { "rsa/pss-ike:rsa", "of the certificate chain" },
        { "ecdsa-384-ike:ecdsa", "of the certificate chain" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct auth_constraints c;
        struct adit_why why = { 0 };
        assert_row(bad[i].auth, auth_constraints_parse(bad[i].auth, &c, &why) == ADIT_ERR_CONFIG);
        if (!strstr(why.text, bad[i].says))
            fail_msg("row '%s': %s", bad[i].auth, why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words), cmocka_unit_test(test_refusals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
