/* Choosing, making and checking AUTH signatures (RFC 7427, RFC 8420, RFC 4754). */
#include "base/strbuf.h"
#include "ike/auth/auth.h"
#include "unit.h"
#define VECTORS "." /* none are read here */
#include "../crypto/keys.h"

#define SENT 1u /* "the peer sent a list" */
#define H256 (1u << HASH_SHA2_256)
#define H384 (1u << HASH_SHA2_384)
#define H512 (1u << HASH_SHA2_512)
#define HID (1u << HASH_IDENTITY)
#define EVERY (SENT | H256 | H384 | H512 | HID)

#define H3 (0x1fu << 16) /* SHA-3's */
#define EVERY_AND_3 (EVERY | H3)

static struct adit_crypto *c;
enum { RSA_KEY, PSS_KEY, P256, P384, P521, BP256, ED, ED4, KEYS };
static const char *const kinds[KEYS] = { "RSA:2048", "RSA-PSS:2048",       "EC:P-256", "EC:P-384",
                                         "EC:P-521", "EC:brainpoolP256r1", "ED25519",  "ED448" };
static struct crypto_key *keys[KEYS];

static int make_keys(void **state)
{
    c = crypto_or_fail(NULL, NULL);
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = key_new(c, kinds[i]);
    return 0;
}

static int free_keys(void **state)
{
    for (size_t i = 0; i < KEYS; i++)
        key_free(keys[i]);
    adit_crypto_free(c);
    return 0;
}

static void test_choice(void **state)
{
    static const struct {
        const char *what;
        unsigned key;
        uint32_t peer;
        const char *auth, *chosen; /* NULL: nothing fits */
    } rows[] = {
        { "P-256", P256, EVERY, NULL, "ECDSA with SHA2-256" },
        { "P-384: the hash that suits", P384, EVERY, NULL, "ECDSA with SHA2-384" },
        { "P-521: the hash that suits", P521, EVERY, NULL, "ECDSA with SHA2-512" },
        { "P-384, peer knows less", P384, SENT | H256, NULL, "ECDSA with SHA2-256" },
        { "brainpool", BP256, EVERY, NULL, "ECDSA with SHA2-256" },
        { "RSA: PSS first", RSA_KEY, EVERY, NULL, "RSASSA-PSS with SHA2-256" },
        { "RSA, SHA2-512 only", RSA_KEY, SENT | H512, NULL, "RSASSA-PSS with SHA2-512" },
        { "RSA-PSS key", PSS_KEY, EVERY, NULL, "RSASSA-PSS with SHA2-256" },
        { "Ed25519", ED, EVERY, NULL, "Ed25519" },
        { "Ed448", ED4, EVERY, NULL, "Ed448" },
        { "Ed25519, peer without Identity", ED, SENT | H256, NULL, NULL },
        { "peer's list holds nothing that we know", P256, SENT, NULL, NULL },
        { "no list: method 9", P256, 0, NULL, "ECDSA-256" },
        { "no list: method 11", P521, 0, NULL, "ECDSA-521" },
        { "no list: method 1", RSA_KEY, 0, NULL, "RSA with SHA2-256" },
        { "no list: brainpool has no method", BP256, 0, NULL, NULL },
        { "no list: Ed25519 has no method", ED, 0, NULL, NULL },
        { "constraint: hash", P256, EVERY, "ecdsa-sha512", "ECDSA with SHA2-512" },
        { "constraint: hash that the peer lacks", P256, SENT | H256, "ecdsa-sha512", NULL },
        { "constraint: another key type", P256, EVERY, "rsa", NULL },
        { "constraint: key size", RSA_KEY, EVERY, "rsa-3072", NULL },
        { "constraint: curve", P256, EVERY, "ecdsa-384", NULL },
        { "constraint: Ed25519 only", P256, EVERY, "ike:ed25519", NULL },
        { "SHA-3 only if it is named", P256, EVERY_AND_3, NULL, "ECDSA with SHA2-256" },
        { "SHA-3, named: the one that suits", P384, EVERY_AND_3, "ecdsa-sha3_256-sha3_384-sha3_512", "ECDSA with SHA3-384" },
        { "SHA-3 beside SHA-2", P256, EVERY_AND_3, "ecdsa-sha256-sha3_256", "ECDSA with SHA2-256" },
        { "SHA-3 beside SHA-2 that the peer lacks", P256, SENT | H3, "ecdsa-sha256-sha3_256", "ECDSA with SHA3-256" },
        { "SHA-3 that the peer lacks", P256, EVERY, "ecdsa-sha3_256", NULL },
        { "SHAKE128", P256, EVERY_AND_3, "pubkey-shake128", "ECDSA with SHAKE128" },
        { "SHAKE256", P521, EVERY_AND_3, "ecdsa-shake128-shake256", "ECDSA with SHAKE256" },
        { "RSA has no SHAKE", RSA_KEY, EVERY_AND_3, "pubkey-shake128", NULL },
        { "RSA: PSS first, with SHA-3 too", RSA_KEY, EVERY_AND_3, "rsa-sha3_256", "RSASSA-PSS with SHA3-256" },
        { "RSA-PSS key with SHA-3", PSS_KEY, EVERY_AND_3, "rsa-sha3_512", "RSASSA-PSS with SHA3-512" },
        { "constraint: PSS with old methods", RSA_KEY, 0, "rsa/pss", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct auth_constraints constraints;
        struct adit_why why = { 0 };
        assert_int_equal(auth_constraints_parse(rows[i].auth, &constraints, NULL), ADIT_OK);
        const struct sig_alg *alg = auth_sig_choose(keys[rows[i].key], rows[i].peer, &constraints, &why);
        if (alg && (!rows[i].chosen || strcmp(alg->name, rows[i].chosen)))
            fail_msg("row '%s': %s", rows[i].what, alg->name);
        assert_row(rows[i].what, !alg == !rows[i].chosen && !alg == !!why.text[0]);
    }
}

static void test_all_choices(void **state)
{
    static const struct {
        const char *what;
        unsigned key;
        uint32_t peer;
        const char *auth, *chosen;
    } rows[] = {
        { "P-384", P384, EVERY, NULL, "ECDSA with SHA2-256;ECDSA with SHA2-384;ECDSA with SHA2-512;" },
        { "peer knows less", P384, SENT | H512, NULL, "ECDSA with SHA2-512;" },
        { "both paddings", RSA_KEY, SENT | H256, NULL,
          "RSASSA-PSS with SHA2-256;RSASSA-PKCS1-v1_5 with SHA2-256;" },
        { "one padding", RSA_KEY, SENT | H256, "rsa/pss", "RSASSA-PSS with SHA2-256;" },
        { "no list", P521, 0, NULL, "ECDSA-521;" },
        { "key too short", RSA_KEY, EVERY, "rsa-3072", "" },
        { "wrong type", ED, EVERY, "ecdsa", "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct auth_constraints constraints;
        const struct sig_alg *alg;
        STRBUF(names, 300);
        assert_int_equal(auth_constraints_parse(rows[i].auth, &constraints, NULL), ADIT_OK);
        for (size_t at = 0; (alg = auth_sig_next(keys[rows[i].key], rows[i].peer, &constraints, &at));)
            strbuf_addf(&names, "%s;", alg->name);
        if (strcmp(names.p, rows[i].chosen))
            fail_msg("row '%s': %s", rows[i].what, names.p);
    }
}

static void test_choice_in_words(void **state)
{
    struct adit_why why = { 0 };
    assert_null(auth_sig_choose(keys[ED], SENT | H256 | H384, NULL, &why));
    assert_non_null(strstr(why.text, "SHA2_256, SHA2_384 only, our key is Ed25519"));
    assert_null(auth_sig_choose(keys[ED], 0, NULL, &why));
    assert_non_null(strstr(why.text, "peer sent no SIGNATURE_HASH_ALGORITHMS"));
}

/* Every key that signs is understood at the other end, and its octets have the layout of RFC 7427 s3. */
static void test_round_trips(void **state)
{
    for (size_t i = 0; i < KEYS; i++) {
        for (unsigned list = 0; list < 2; list++) {
            const struct sig_alg *alg = auth_sig_choose(keys[i], list ? EVERY : 0, NULL, NULL), *used = NULL;
            struct adit_buf data = { 0 };
            struct adit_why why = { 0 };
            struct adit_span octets = SPAN_LIT("signed octets");
            if (!alg)
                continue;
            assert_row(kinds[i], auth_sig_sign(alg, keys[i], octets, &data) == ADIT_OK);
            if (list) {
                assert_row(kinds[i], data.p[0] == alg->algid.n);
                assert_row(kinds[i], span_equal(span(data.p + 1, data.p[0]), alg->algid));
            }
            enum adit_rc rc = auth_sig_verify(alg->auth_method, buf_span(&data), keys[i], list ? EVERY : 0,
                                              NULL, octets, &used, &why);
            if (rc != ADIT_OK)
                fail_msg("row '%s': %s", kinds[i], why.text);
            assert_row(kinds[i], used->auth_method == alg->auth_method && used->key == alg->key);
            assert_row(kinds[i], auth_sig_verify(alg->auth_method, buf_span(&data), keys[i], EVERY, NULL,
                                                 SPAN_LIT("other octets"), NULL, &why) == ADIT_ERR_AUTH);
            data.p[data.n - 1] ^= 1;
            assert_row(kinds[i], auth_sig_verify(alg->auth_method, buf_span(&data), keys[i], EVERY, NULL,
                                                 octets, NULL, &why) == ADIT_ERR_AUTH);
            buf_fini(&data);
        }
    }
}

static enum adit_rc verify(unsigned signer, uint32_t peer, unsigned key, uint32_t ours, const char *auth,
                           struct adit_why *why)
{
    const struct sig_alg *alg = auth_sig_choose(keys[signer], peer, NULL, NULL);
    struct auth_constraints constraints;
    struct adit_buf data = { 0 };
    assert_non_null(alg);
    assert_int_equal(auth_constraints_parse(auth, &constraints, NULL), ADIT_OK);
    assert_int_equal(auth_sig_sign(alg, keys[signer], SPAN_LIT("octets"), &data), ADIT_OK);
    enum adit_rc rc = auth_sig_verify(alg->auth_method, buf_span(&data), keys[key], ours, &constraints,
                                      SPAN_LIT("octets"), NULL, why);
    buf_fini(&data);
    return rc;
}

static void test_refusals(void **state)
{
    static const struct {
        const char *what;
        unsigned signer;
        uint32_t peer;
        unsigned key;
        uint32_t ours;
        const char *auth, *says; /* NULL: accepted */
    } rows[] = {
        { "fine", P256, EVERY, P256, EVERY, NULL, NULL },
        { "old method although a list was sent", P256, 0, P256, EVERY, NULL, NULL },
        { "hash that we did not announce", P384, EVERY, P384, SENT | H256, NULL, "did not announce" },
        { "method 14 without announcement", P256, EVERY, P256, 0, NULL, "did not announce" },
        { "another key of the type", P256, EVERY, BP256, EVERY, NULL, "is wrong" },
        { "another type of key", P256, EVERY, RSA_KEY, EVERY, NULL,
          "peer says ECDSA with SHA2-256, but its key is RSA" },
        { "method 9 with another curve", P256, 0, P384, EVERY, NULL, "does not fit" },
        { "constraint: type", P256, EVERY, P256, EVERY, "rsa", "not allowed here" },
        { "constraint: size", RSA_KEY, EVERY, RSA_KEY, EVERY, "rsa-4096", "too short" },
        { "constraint: hash", RSA_KEY, EVERY, RSA_KEY, EVERY, "rsa-sha512", "`auth` does not allow" },
        { "constraint: hash of method 1", RSA_KEY, 0, RSA_KEY, EVERY, "rsa-sha256", "`auth` does not allow" },
        { "constraint: PSS and method 1", RSA_KEY, 0, RSA_KEY, EVERY, "rsa/pss", "`auth` does not allow" },
        { "constraint: PSS kept", RSA_KEY, EVERY, RSA_KEY, EVERY, "rsa/pss-sha256", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_why why = { 0 };
        enum adit_rc rc = verify(rows[i].signer, rows[i].peer, rows[i].key, rows[i].ours, rows[i].auth, &why);
        if (rc && (!rows[i].says || !strstr(why.text, rows[i].says)))
            fail_msg("row '%s': %s", rows[i].what, why.text);
        assert_row(rows[i].what, rc == (rows[i].says ? ADIT_ERR_AUTH : ADIT_OK));
    }
}

/* RFC 7296 s4: RSA keys of 1024 bits can be asked for; by default they are refused, by either side (RFC 8247 s3). */
static void short_rsa_keys_where_they_are_asked_for(void **state)
{
    struct crypto_key *key = key_new(c, "RSA:1024");
    struct auth_constraints none = { 0 }, asked;
    struct adit_buf data = { 0 };
    struct adit_why why = { 0 };
    assert_int_equal(auth_constraints_parse("rsa-1024", &asked, NULL), ADIT_OK);
    assert_int_equal(asked.chain_rsa_bits, 1024);
    assert_null(auth_sig_choose(key, EVERY, &none, &why));
    assert_non_null(strstr(why.text, "too short"));
    for (unsigned list = 0; list < 2; list++) { /* RFC 7427's methods, and the old one */
        const struct sig_alg *alg = auth_sig_choose(key, list ? EVERY : 0, &asked, &why);
        assert_non_null(alg);
        assert_int_equal(auth_sig_sign(alg, key, SPAN_LIT("octets"), &data), ADIT_OK);
        const struct auth_constraints *by[] = { &asked, &none, NULL };
        for (size_t i = 0; i < ARRAY_LEN(by); i++)
            assert_int_equal(auth_sig_verify(alg->auth_method, buf_span(&data), key, list ? EVERY : 0, by[i],
                                             SPAN_LIT("octets"), NULL, &why), i == 0 ? ADIT_OK : ADIT_ERR_AUTH);
    }
    buf_fini(&data);
    key_free(key);
}

static void test_broken_data(void **state)
{
    static const struct {
        const char *what;
        uint8_t method;
        struct adit_span data;
    } rows[] = {
        { "empty", 14, { 0 } },
        { "length only", 14, { (const uint8_t *)"\x0c", 1 } },
        { "length beyond the end", 14, { (const uint8_t *)"\x20\x30\x05\x06\x03\x2b\x65\x70", 8 } },
        { "length 0", 14, { (const uint8_t *)"\0signature", 10 } },
        { "no signature", 14, { (const uint8_t *)"\x07\x30\x05\x06\x03\x2b\x65\x70", 8 } },
        { "unknown algorithm", 14, { (const uint8_t *)"\x07\x30\x05\x06\x03\x2b\x65\x7fsig", 11 } },
        { "empty ECDSA", 9, { 0 } },
        { "PSK is none of ours", 2, { (const uint8_t *)"x", 1 } },
        { "DSS", 3, { (const uint8_t *)"x", 1 } },
        { "method 0", 0, { (const uint8_t *)"x", 1 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_why why = { 0 };
        enum adit_rc rc = auth_sig_verify(rows[i].method, guard_copy(rows[i].data), keys[P256], EVERY, NULL,
                                          SPAN_LIT("octets"), NULL, &why);
        assert_row(rows[i].what, rc == ADIT_ERR_AUTH && why.text[0]);
    }
}

static void test_hash_lists(void **state)
{
    static const uint8_t ours[] = { 0, 2, 0, 3, 0, 4, 0, 5 }, unknown[] = { 0, 1, 0, 200, 4, 5, 0, 31, 9 },
                         named[] = { 0, 2, 0, 3, 0, 4, 0, 5, 4, 0, 4, 4 };
    uint32_t sha3 = auth_hash_bit(HASH_SHA3_256) | auth_hash_bit(HASH_SHAKE256);
    uint8_t mem[40];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    auth_hashes_put(&w, 0);
    assert_true(span_equal(wr_written(&w), SPAN_ARRAY(ours)));
    assert_int_equal(auth_hashes_ours(0), EVERY & ~SENT);
    assert_int_equal(auth_hashes_get(SPAN_ARRAY(ours), false), EVERY);
    assert_int_equal(auth_hashes_get(SPAN_NONE, true), SENT);
    assert_int_equal(auth_hashes_get(guard_copy(SPAN_ARRAY(unknown)), true), SENT | 1u << 1);
    /* private numbers: named, and from peers that share them */
    wr_init(&w, mem, sizeof(mem));
    auth_hashes_put(&w, sha3);
    assert_true(span_equal(wr_written(&w), SPAN_ARRAY(named)));
    assert_int_equal(auth_hashes_ours(sha3), (EVERY & ~SENT) | sha3);
    assert_int_equal(auth_hashes_get(SPAN_ARRAY(named), true), EVERY | sha3);
    assert_int_equal(auth_hashes_get(SPAN_ARRAY(named), false), EVERY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),          cmocka_unit_test(test_all_choices),
        cmocka_unit_test(test_choice_in_words), cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(short_rsa_keys_where_they_are_asked_for),        cmocka_unit_test(test_broken_data),
        cmocka_unit_test(test_hash_lists),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
