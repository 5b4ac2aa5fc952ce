/* crypt.c - sealing contexts: one row (or cipher and INTEG row), one key, one direction; jobs in batches. */
#include "crypto/crypt.h"
#include "base/mem.h"
#include "base/span.h"
#include "crypto/set.h"

/* Faster ones first; the last one does everything. */
static const struct crypt_engine *const engines[] = {
#ifdef ADIT_IPSECMB
    &ipsecmb_crypt_engine,
#endif
    &ossl_crypt_engine,
};

void crypt_free(struct crypt *x)
{
    if (!x)
        return;
    if (x->engine)
        x->engine->fini(x);
    mem_wipe(x, sizeof(*x));
    mem_del(x);
}

static enum adit_rc setup(const struct adit_crypto *c, struct crypt *x, struct adit_span key,
                          const struct integ_alg *integ, struct adit_span integ_key)
{
    struct adit_span bare = span_first(key, key.n - x->alg->salt);
    enum adit_rc rc = ADIT_ERR_NOT_FOUND;
    span_copy(x->nonce, span_from(key, bare.n));
    for (size_t i = c->openssl_only ? ARRAY_LEN(engines) - 1 : 0; i < ARRAY_LEN(engines) && rc == ADIT_ERR_NOT_FOUND; i++) {
        x->engine = engines[i];
        rc = engines[i]->setup(c, x, bare, integ, integ_key);
    }
    return rc;
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
    x->icv = encr->icv;
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
    for (size_t i = 0; x->seal != seal && i < n; i++)
        jobs[i].ok = false;
    if (x->seal == seal)
        x->engine->run(x, jobs, n);
}

void crypt_seal_many(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    run_all(x, jobs, n, true);
}

void crypt_open_many(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    run_all(x, jobs, n, false);
}

const char *crypt_engine(const struct crypt *x)
{
    return x->engine->name;
}

void crypto_openssl_only(struct adit_crypto *c, bool only)
{
    c->openssl_only = only;
}

const char *crypto_packets_by(const struct adit_crypto *c)
{
    const char *name = NULL;
#ifdef ADIT_IPSECMB
    name = c->openssl_only ? NULL : ipsecmb_describe();
#endif
    return name ? name : "OpenSSL";
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
            mem_wipe(iv, 16);
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
