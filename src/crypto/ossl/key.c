/* key.c - private and public keys: PEM and DER in every common wrapping, types, sizes, identity. */
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/set.h"

static enum key_type type_of(EVP_PKEY *pkey)
{
    static const struct {
        const char *name;
        enum key_type type;
    } types[] = { { "RSA", KEY_RSA },
                  { "RSA-PSS", KEY_RSA_PSS },
                  { "EC", KEY_ECDSA },
                  { "ED25519", KEY_ED25519 },
                  { "ED448", KEY_ED448 } };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (EVP_PKEY_is_a(pkey, types[i].name))
            return types[i].type;
    return KEY_OTHER;
}

struct crypto_key *ossl_key_new(OSSL_LIB_CTX *lib, EVP_PKEY *pkey)
{
    struct crypto_key *key = mem_new(sizeof(*key));
    if (!key) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    int bits = EVP_PKEY_get_bits(pkey);
    atomic_init(&key->refs, 1);
    key->pkey = pkey;
    key->lib = lib;
    key->type = type_of(pkey);
    key->bits = bits > 0 ? (unsigned)bits : 0;
    return key;
}

/* An encrypted key without a pass phrase fails here; OpenSSL would otherwise ask on the terminal. */
int ossl_give_pass(char *out, int max, int writing, void *arg)
{
    const struct adit_span *pass = arg;
    if (pass->n == 0 || max < 0 || pass->n > (size_t)max)
        return -1;
    span_copy((uint8_t *)out, *pass);
    return (int)pass->n;
}

enum adit_rc key_parse_private(const struct adit_crypto *c, struct adit_span data, struct adit_span pass,
                               struct crypto_key **out, struct adit_why *why)
{
    EVP_PKEY *pkey = NULL;
    const uint8_t *p = data.p;
    size_t n = data.n;
    OSSL_DECODER_CTX *d = OSSL_DECODER_CTX_new_for_pkey(&pkey, NULL, NULL, NULL, EVP_PKEY_KEYPAIR,
                                                        c->ossl.lib, NULL);
    bool ok = d && OSSL_DECODER_CTX_set_pem_password_cb(d, ossl_give_pass, &pass) == 1 && n > 0 &&
              OSSL_DECODER_from_data(d, &p, &n) == 1 && pkey;
    OSSL_DECODER_CTX_free(d);
    if (!ok) {
        EVP_PKEY_free(pkey);
        return why_set(why, ADIT_ERR_CONFIG, "no private key that we can read%s: %s",
                       pass.n ? "" : " (encrypted ones need a pass phrase)", ossl_error());
    }
    *out = ossl_key_new(c->ossl.lib, pkey);
    return *out ? ADIT_OK : why_set(why, ADIT_ERR_MEMORY, "out of memory");
}

enum adit_rc key_of_evp(const struct adit_crypto *c, struct evp_pkey_st *pkey, struct crypto_key **out)
{
    *out = ossl_key_new(c->ossl.lib, pkey);
    return *out ? ADIT_OK : ADIT_ERR_MEMORY;
}

enum adit_rc key_parse_public(const struct adit_crypto *c, struct adit_span spki, struct crypto_key **out)
{
    const uint8_t *p = spki.p;
    EVP_PKEY *pkey = spki.n ? d2i_PUBKEY_ex(NULL, &p, (long)spki.n, c->ossl.lib, NULL) : NULL;
    if (!pkey || p != spki.p + spki.n) {
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return ADIT_ERR_MALFORMED;
    }
    return key_of_evp(c, pkey, out);
}

struct crypto_key *key_ref(struct crypto_key *key)
{
    atomic_fetch_add(&key->refs, 1);
    return key;
}

void key_free(struct crypto_key *key)
{
    if (!key || atomic_fetch_sub(&key->refs, 1) != 1)
        return;
    EVP_PKEY_free(key->pkey);
    mem_del(key);
}

enum key_type key_type(const struct crypto_key *key)
{
    return key->type;
}

unsigned key_bits(const struct crypto_key *key)
{
    return key->bits;
}

bool key_same_public(const struct crypto_key *a, const struct crypto_key *b)
{
    bool same = EVP_PKEY_eq(a->pkey, b->pkey) == 1;
    ERR_clear_error();
    return same;
}

bool key_id_sha1(const struct crypto_key *key, uint8_t out[20])
{
    X509_PUBKEY *spki = NULL;
    const uint8_t *bits = NULL;
    int n = 0;
    bool ok = X509_PUBKEY_set(&spki, key->pkey) == 1 &&
              X509_PUBKEY_get0_param(NULL, &bits, &n, NULL, spki) == 1;
    if (ok) {
        uint8_t id[64];
        struct adit_span part = span(bits, (size_t)n);
        ok = crypto_hash(HASH_SHA1, &part, 1, id) == 20;
        span_copy(out, span(id, ok ? 20 : 0));
    }
    X509_PUBKEY_free(spki);
    ERR_clear_error();
    return ok;
}
