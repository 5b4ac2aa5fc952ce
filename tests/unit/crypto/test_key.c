/* test_key.c - keys in the forms that people have them in. */
#include "keys.h"

static struct adit_crypto *c;

static const struct {
    const char *what, *kind, *format, *structure, *pass;
} forms[] = {
    { "PKCS#8 PEM", "EC:P-256", "PEM", "PrivateKeyInfo", NULL },
    { "PKCS#8 DER", "EC:P-256", "DER", "PrivateKeyInfo", NULL },
    { "encrypted PKCS#8 PEM", "EC:P-256", "PEM", "EncryptedPrivateKeyInfo", "pass phrase" },
    { "encrypted PKCS#8 DER", "RSA:2048", "DER", "EncryptedPrivateKeyInfo", "pass phrase" },
    { "SEC 1 PEM", "EC:P-384", "PEM", "type-specific", NULL },
    { "SEC 1 DER", "EC:P-384", "DER", "type-specific", NULL },
    { "PKCS#1 PEM", "RSA:2048", "PEM", "type-specific", NULL },
    { "PKCS#1 DER", "RSA:2048", "DER", "type-specific", NULL },
    { "PKCS#1 PEM with its own encryption", "RSA:2048", "PEM", "type-specific", "pass phrase" },
    { "Ed25519 PEM", "ED25519", "PEM", "PrivateKeyInfo", NULL },
    { "Ed448 DER", "ED448", "DER", "PrivateKeyInfo", NULL },
};

static void every_form_is_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct adit_buf data = { 0 };
        struct crypto_key *key = NULL;
        EVP_PKEY *pkey = pkey_new(c, forms[i].kind);
        struct crypto_key *public = key_public(c, pkey);
        pkey_encode(pkey, forms[i].format, forms[i].structure, forms[i].pass, &data);
        struct adit_span pass = span_str(forms[i].pass);
        assert_row(forms[i].what, key_parse_private(c, buf_span(&data), pass, &key, NULL) == ADIT_OK);
        assert_row(forms[i].what, key_same_public(key, public));
        key_free(key);
        if (forms[i].pass) {
            struct adit_why why = { 0 };
            assert_row(forms[i].what,
                       key_parse_private(c, buf_span(&data), SPAN_LIT("wrong"), &key, &why) != ADIT_OK);
            assert_row(forms[i].what,
                       key_parse_private(c, buf_span(&data), SPAN_NONE, &key, &why) != ADIT_OK);
            assert_row(forms[i].what, strstr(why.text, "pass phrase"));
        }
        key_free(public);
        EVP_PKEY_free(pkey);
        buf_wipe(&data);
    }
}

static void garbage_is_refused_with_a_reason(void **state)
{
    struct crypto_key *key = NULL;
    struct adit_why why = { 0 };
    assert_int_equal(key_parse_private(c, SPAN_NONE, SPAN_NONE, &key, &why), ADIT_ERR_CONFIG);
    assert_int_equal(key_parse_private(c, SPAN_LIT("hello"), SPAN_NONE, &key, &why), ADIT_ERR_CONFIG);
    assert_non_null(strstr(why.text, "private key"));
    assert_int_equal(key_parse_public(c, SPAN_LIT("hello"), &key), ADIT_ERR_MALFORMED);
    assert_int_equal(key_parse_public(c, SPAN_NONE, &key), ADIT_ERR_MALFORMED);
    assert_null(key);
}

static void a_public_key_is_no_private_key(void **state)
{
    unsigned char *p = NULL;
    EVP_PKEY *pkey = pkey_new(c, "EC:P-256");
    int n = i2d_PUBKEY(pkey, &p);
    struct crypto_key *key = NULL;
    assert_int_equal(key_parse_private(c, span(p, (size_t)n), SPAN_NONE, &key, NULL), ADIT_ERR_CONFIG);
    p = OPENSSL_realloc(p, (size_t)n + 1);
    assert_int_equal(key_parse_public(c, span(p, (size_t)n + 1), &key),
                     ADIT_ERR_MALFORMED); /* an octet too many */
    OPENSSL_free(p);
    EVP_PKEY_free(pkey);
}

static const struct {
    const char *kind;
    enum key_type type;
    unsigned bits;
} types[] = {
    { "RSA:2048", KEY_RSA, 2048 },
    { "RSA-PSS:2048", KEY_RSA_PSS, 2048 },
    { "EC:P-256", KEY_ECDSA, 256 },
    { "EC:P-521", KEY_ECDSA, 521 },
    { "EC:brainpoolP384r1", KEY_ECDSA, 384 },
    { "ED25519", KEY_ED25519, 256 },
    { "ED448", KEY_ED448, 456 },
    { "X25519", KEY_OTHER, 253 },
};

static void types_and_sizes_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct crypto_key *key = key_new(c, types[i].kind), *again = key_ref(key);
        assert_row(types[i].kind, key_type(key) == types[i].type);
        assert_row(types[i].kind, key_bits(key) == types[i].bits);
        key_free(key);
        assert_row(types[i].kind, key_bits(again) == types[i].bits);
        key_free(again);
    }
    key_free(NULL);
}

/* RFC 8410 s10.1: an Ed25519 public key; the identifier is SHA-1 over its 32 octets. */
static void key_ids_are_those_of_the_bits(void **state)
{
    uint8_t spki[64], id[20], want[64];
    size_t n =
        unhex("302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1",
              spki, sizeof(spki));
    struct adit_span bits = span(spki + 12, 32);
    struct crypto_key *key = NULL;
    assert_int_equal(key_parse_public(c, span(spki, n), &key), ADIT_OK);
    assert_true(key_id_sha1(key, id));
    assert_int_equal(crypto_hash(HASH_SHA1, &bits, 1, want), 20);
    assert_memory_equal(id, want, 20);
    key_free(key);
}

static void different_keys_differ(void **state)
{
    struct crypto_key *a = key_new(c, "EC:P-256"), *b = key_new(c, "EC:P-256"), *r = key_new(c, "ED25519");
    assert_true(key_same_public(a, a));
    assert_false(key_same_public(a, b));
    assert_false(key_same_public(a, r));
    key_free(a);
    key_free(b);
    key_free(r);
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
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(garbage_is_refused_with_a_reason),
        cmocka_unit_test(a_public_key_is_no_private_key),
        cmocka_unit_test(types_and_sizes_are_told),
        cmocka_unit_test(key_ids_are_those_of_the_bits),
        cmocka_unit_test(different_keys_differ),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
