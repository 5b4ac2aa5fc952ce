/* seal.c - sealing and opening by OpenSSL: every row there is, packet by packet. */
#include "crypto/crypt.h"
#include "crypto/ossl/ossl.h"

static enum adit_rc set_integ(struct crypt *x, const struct integ_alg *integ, struct adit_span key)
{
    if (!integ || key.n != integ->key)
        return ADIT_ERR_CRYPTO;
    x->icv = integ->icv;
    x->mac = ossl_mac_take(ossl_digest(*(const uint32_t *)integ->arg));
    if (!x->mac)
        return ADIT_ERR_MEMORY;
    /* An HMAC is cut short, a KMAC is asked for what is sent. */
    bool ok = ossl_mac_size(x->mac, integ->cut ? x->mac->digest->out : integ->icv) && ossl_mac_key(x->mac, key);
    return ok ? ADIT_OK : ADIT_ERR_CRYPTO;
}

static enum adit_rc setup(const struct adit_crypto *c, struct crypt *x, struct adit_span key,
                          const struct integ_alg *integ, struct adit_span integ_key)
{
    if (x->alg->kind == ENCR_KIND_AEAD || x->alg->kind == ENCR_KIND_GMAC)
        return integ ? ADIT_ERR_CRYPTO : ossl_aead_setup(c, x, key);
    TRY(set_integ(x, integ, integ_key));
    return ossl_cipher_setup(c, x, key);
}

static void run(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        jobs[i].ok = x->one(x, &jobs[i]);
}

static void fini(struct crypt *x)
{
    EVP_CIPHER_CTX_free(x->ctx);
    EVP_CIPHER_CTX_free(x->ecb);
    ossl_mac_park(x->mac);
}

const struct crypt_engine ossl_crypt_engine = { "OpenSSL", setup, run, fini };
