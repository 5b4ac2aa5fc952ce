/* keys.h - makes keys for tests through OpenSSL, in the forms that people have them in. */
#ifndef KEYS_H
#define KEYS_H

#include <openssl/bio.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include "vectors.h"

/* "RSA:2048", "EC:P-256", "ED25519" ... in the set's library context. */
static inline EVP_PKEY *pkey_new(const struct adit_crypto *c, const char *kind)
{
    OSSL_LIB_CTX *lib = crypto_libctx(c);
    EVP_PKEY *pkey = NULL;
    if (strncmp(kind, "RSA:", 4) == 0)
        pkey = EVP_PKEY_Q_keygen(lib, NULL, "RSA", (size_t)atoi(kind + 4));
    else if (strncmp(kind, "RSA-PSS:", 8) == 0)
        pkey = EVP_PKEY_Q_keygen(lib, NULL, "RSA-PSS", (size_t)atoi(kind + 8));
    else if (strncmp(kind, "EC:", 3) == 0)
        pkey = EVP_PKEY_Q_keygen(lib, NULL, "EC", kind + 3);
    else
        pkey = EVP_PKEY_Q_keygen(lib, NULL, kind);
    assert_non_null(pkey);
    return pkey;
}

/* structure: "PrivateKeyInfo", "EncryptedPrivateKeyInfo", "type-specific". */
static inline void pkey_encode(EVP_PKEY *pkey, const char *format, const char *structure, const char *pass,
                               struct adit_buf *out)
{
    unsigned char *p = NULL;
    size_t n = 0;
    OSSL_ENCODER_CTX *e = OSSL_ENCODER_CTX_new_for_pkey(pkey, EVP_PKEY_KEYPAIR, format, structure, NULL);
    if (pass) {
        OSSL_ENCODER_CTX_set_cipher(e, "AES-256-CBC", NULL);
        OSSL_ENCODER_CTX_set_passphrase(e, (const unsigned char *)pass, strlen(pass));
    }
    assert_int_equal(OSSL_ENCODER_to_data(e, &p, &n), 1);
    assert_int_equal(buf_set(out, span(p, n)), ADIT_OK);
    OSSL_ENCODER_CTX_free(e);
    OPENSSL_free(p);
}

static inline struct crypto_key *key_new(const struct adit_crypto *c, const char *kind)
{
    struct adit_buf pem = { 0 };
    struct crypto_key *key = NULL;
    struct adit_why why = { 0 };
    EVP_PKEY *pkey = pkey_new(c, kind);
    pkey_encode(pkey, "PEM", "PrivateKeyInfo", NULL, &pem);
    if (key_parse_private(c, buf_span(&pem), SPAN_NONE, &key, &why) != ADIT_OK)
        fail_msg("%s: %s", kind, why.text);
    EVP_PKEY_free(pkey);
    buf_fini(&pem);
    return key;
}

/* The key as its peer knows it. */
static inline struct crypto_key *key_public(const struct adit_crypto *c, EVP_PKEY *pkey)
{
    unsigned char *p = NULL;
    int n = i2d_PUBKEY(pkey, &p);
    struct crypto_key *key = NULL;
    assert_true(n > 0);
    assert_int_equal(key_parse_public(c, span(p, (size_t)n), &key), ADIT_OK);
    OPENSSL_free(p);
    return key;
}

#endif
