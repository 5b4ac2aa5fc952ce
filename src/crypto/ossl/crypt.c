/* crypt.c - sealing contexts: one row (or cipher and INTEG row), one key, one direction; jobs in batches. */
#include "base/mem.h"
#include "base/span.h"
#include "crypto/ossl/ossl.h"

void crypt_free(struct crypt *x)
{
    if (!x)
        return;
    EVP_CIPHER_CTX_free(x->ctx);
    EVP_CIPHER_CTX_free(x->ecb);
    ossl_mac_park(x->mac);
    mem_wipe(x, sizeof(*x));
    mem_del(x);
}

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
    struct adit_span bare = span_first(key, key.n - x->alg->salt);
    span_copy(x->nonce, span_from(key, bare.n));
    if (x->alg->kind == ENCR_KIND_AEAD || x->alg->kind == ENCR_KIND_GMAC)
        return integ ? ADIT_ERR_CRYPTO : ossl_aead_setup(c, x, bare);
    TRY(set_integ(x, integ, integ_key));
    return ossl_cipher_setup(c, x, bare);
}

enum adit_rc crypt_new(const struct adit_crypto *c, const struct encr_alg *encr, uint16_t bits,
                       struct adit_span encr_key, const struct integ_alg *integ, struct adit_span integ_key,
                       bool seal, struct crypt **out)
{
    size_t want = encr_key_octets(encr, bits);
    if (encr_key.n != want || (want == 0 && (encr->kind != ENCR_KIND_NULL || bits != 0)))
        return ADIT_ERR_CRYPTO;
    struct crypt *x = mem_new(sizeof(*x));
    if (!x)
        return ADIT_ERR_MEMORY;
    x->alg = encr;
    x->seal = seal;
    enum adit_rc rc = setup(c, x, encr_key, integ, integ_key);
    if (rc != ADIT_OK) {
        crypt_free(x);
        return rc;
    }
    *out = x;
    return ADIT_OK;
}

/* A context of the other direction does nothing: all jobs fail. */
static void run_all(struct crypt *x, struct crypt_job *jobs, size_t n, bool seal)
{
    for (size_t i = 0; i < n; i++)
        jobs[i].ok = x->seal == seal && x->run(x, &jobs[i]);
}

void crypt_seal_many(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    run_all(x, jobs, n, true);
}

void crypt_open_many(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    run_all(x, jobs, n, false);
}

static void put_be64(uint8_t *out, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        out[i] = (uint8_t)v;
}

void crypt_iv(struct crypt *x, uint64_t counter, uint8_t *iv)
{
    if (x->alg->nonce_iv == 8) {
        put_be64(iv, counter);
    } else if (x->alg->nonce_iv == 16) {
        uint8_t block[16] = { 0 };
        int n;
        put_be64(block + 8, counter);
        /* Cannot fail: the key is set and one whole block goes in. Opening contexts have no use for it. */
        if (!x->ecb || EVP_EncryptUpdate(x->ecb, iv, &n, block, 16) != 1)
            memset(iv, 0, 16);
    }
}

size_t crypt_icv(const struct crypt *x)
{
    return x->icv;
}

size_t encr_key_octets(const struct encr_alg *a, uint16_t bits)
{
    if (!a->has_bits)
        return bits ? 0 : (size_t)a->key_sizes[0] + a->salt;
    for (size_t i = 0; i < ARRAY_LEN(a->key_sizes) && a->key_sizes[i]; i++)
        if (bits == a->key_sizes[i] * 8)
            return (size_t)a->key_sizes[i] + a->salt;
    return 0;
}
