/* lib.c - one library context for each adit_crypto: providers, fetched ciphers, OpenSSL's complaints as text. */
#include <openssl/err.h>
#include <openssl/provider.h>

#include "base/span.h"
#include "crypto/set.h"

typedef const char *names_by_size[OSSL_KEY_SIZES]; /* 128, 192, 256 bits */
static const names_by_size ciphers[OSSL_CIPHERS];

const char *ossl_error(void)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(e);
    ERR_clear_error();
    return reason ? reason : "no reason given";
}

static bool fetch_ciphers(struct ossl *o, struct adit_why *why)
{
    for (size_t i = 0; i < OSSL_CIPHERS; i++)
        for (size_t k = 0; k < OSSL_KEY_SIZES; k++) {
            const char *name = ciphers[i][k];
            o->cipher[i][k] = name ? EVP_CIPHER_fetch(o->lib, name, NULL) : NULL;
            if (name && !o->cipher[i][k]) {
                why_set(why, ADIT_ERR_CRYPTO, "OpenSSL lacks %s: %s", name, ossl_error());
                return false;
            }
        }
    return true;
}

enum adit_rc ossl_open(struct ossl *o, adit_random_fn *random, void *arg, struct adit_why *why)
{
    if (!ossl_digests_ready())
        return why_set(why, ADIT_ERR_CRYPTO, "OpenSSL lacks SHA-2: %s", ossl_error());
    o->lib = OSSL_LIB_CTX_new();
    if (!o->lib)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    /* The context reads no openssl.cnf here, so that nobody's configuration changes which algorithms we have. */
    if (!(o->basic = OSSL_PROVIDER_load(o->lib, "default")))
        return why_set(why, ADIT_ERR_CRYPTO, "OpenSSL's default provider does not load: %s", ossl_error());
    if (random && !(o->generator = ossl_rand_install(o->lib, random, arg)))
        return why_set(why, ADIT_ERR_CRYPTO, "cannot take randomness from the caller: %s", ossl_error());
    return fetch_ciphers(o, why) ? ADIT_OK : ADIT_ERR_CRYPTO;
}

void ossl_close(struct ossl *o)
{
    for (size_t i = 0; i < OSSL_CIPHERS; i++)
        for (size_t k = 0; k < OSSL_KEY_SIZES; k++)
            EVP_CIPHER_free(o->cipher[i][k]);
    for (size_t i = 0; i < OSSL_GROUPS; i++)
        ossl_ke_release(&o->ke[i]);
    /* The context alone would not free them: loading took a reference. */
    if (o->generator)
        OSSL_PROVIDER_unload(o->generator);
    if (o->basic)
        OSSL_PROVIDER_unload(o->basic);
    OSSL_LIB_CTX_free(o->lib);
}

const EVP_CIPHER *ossl_cipher(const struct adit_crypto *c, enum ossl_cipher which, size_t key)
{
    return key >= 16 && key <= 32 && key % 8 == 0 ? c->ossl.cipher[which][key / 8 - 2] : NULL;
}

struct ossl_lib_ctx_st *crypto_libctx(const struct adit_crypto *c)
{
    return c->ossl.lib;
}

#define AES(mode)                                                                                            \
    {                                                                                                        \
        "AES-128-" mode, "AES-192-" mode, "AES-256-" mode                                                    \
    }

static const names_by_size ciphers[OSSL_CIPHERS] = {
    [OSSL_AES_GCM] = AES("GCM"), [OSSL_AES_CCM] = AES("CCM"),
    [OSSL_AES_CBC] = AES("CBC"), [OSSL_AES_CTR] = AES("CTR"),
    [OSSL_AES_ECB] = AES("ECB"), [OSSL_CHACHA] = { NULL, NULL, "ChaCha20-Poly1305" },
};
