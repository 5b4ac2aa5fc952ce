/* crypt.h - what a sealing context holds, and which library works on its packets. Private to crypto/. */
#ifndef CRYPTO_CRYPT_H
#define CRYPTO_CRYPT_H

#include <openssl/evp.h>
#include "crypto/crypto.h"

/* One library's way of sealing and opening. */
struct crypt_engine {
    const char *name;
    /* Takes over a crypt whose alg, seal, icv and nonce (the salt) are set; key without salt. ADIT_ERR_NOT_FOUND: it does
     * not do this one, or not better than the next engine; then nothing
     * is left in it. */
    enum adit_rc (*setup)(const struct adit_crypto *c, struct crypt *x, struct adit_span key,
                          const struct integ_alg *integ, struct adit_span integ_key);
    void (*run)(struct crypt *x, struct crypt_job *jobs, size_t n); /* in the context's direction; sets ok of each */
    void (*fini)(struct crypt *x);                                  /* also after setup has failed */
};

struct ossl_mac;
struct crypt {
    const struct encr_alg *alg;
    const struct crypt_engine *engine;
    bool (*one)(struct crypt *x, struct crypt_job *j); /* OpenSSL's way of one packet */
    bool seal;
    uint8_t icv;
    EVP_CIPHER_CTX *ctx; /* key set, direction set */
    EVP_CIPHER_CTX *ecb; /* CBC sealing: the IV's encryption */
    struct ossl_mac *mac;
    uint8_t *mb; /* the other engine's keys, and how many octets */
    size_t mb_n;
    uint8_t nonce[16]; /* salt | per-packet part | CTR's block counter */
};

extern const struct crypt_engine ossl_crypt_engine;
#ifdef ADIT_IPSECMB
extern const struct crypt_engine ipsecmb_crypt_engine;
/* Its name and version, and what of the processor it uses; NULL: this processor is better served by OpenSSL. */
const char *ipsecmb_describe(void);
#endif

#endif
