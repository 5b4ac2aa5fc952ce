/* prf.c - PRF rows and prf+ (RFC 7296 s2.13, RFC 4868), and the INTEG rows, which are the same HMACs cut short. */
#include "base/mem.h"
#include "base/span.h"
#include "crypto/ossl/ossl.h"

enum adit_rc prf_compute(const struct prf_alg *prf, struct adit_span key, const struct adit_span *parts,
                         size_t n_parts, uint8_t *out)
{
    struct ossl_digest *d = ossl_digest(*(const uint16_t *)prf->arg);
    struct ossl_hmac *h = ossl_hmac_take(d);
    if (!h)
        return ADIT_ERR_MEMORY;
    bool ok = ossl_hmac_once(h, key, parts, n_parts, out);
    ossl_hmac_rest(h);
    return ok ? ADIT_OK : ADIT_ERR_CRYPTO;
}

/* Tn = prf(K, Tn-1 | S | n); last is empty for T1. */
static bool next_block(struct ossl_hmac *h, struct adit_span last, const struct adit_span *seed,
                       size_t n_seed, uint8_t number, uint8_t *out)
{
    bool ok = ossl_hmac_start(h) && ossl_hmac_update(h, last.p, last.n);
    for (size_t i = 0; ok && i < n_seed; i++)
        ok = ossl_hmac_update(h, seed[i].p, seed[i].n);
    return ok && ossl_hmac_update(h, &number, 1) && ossl_hmac_final(h, out);
}

static bool expand(struct ossl_hmac *h, const struct adit_span *seed, size_t n_seed, uint8_t *out, size_t n)
{
    uint8_t t[OSSL_OUT_MAX];
    size_t len = h->digest->out;
    bool ok = true;
    for (unsigned number = 1; ok && n > 0; number++) {
        ok = next_block(h, span(t, number == 1 ? 0 : len), seed, n_seed, (uint8_t)number, t);
        size_t take = n < len ? n : len;
        out = span_copy(out, span(t, take));
        n -= take;
    }
    mem_wipe(t, sizeof(t));
    return ok;
}

enum adit_rc prf_plus(const struct prf_alg *prf, struct adit_span key, const struct adit_span *seed,
                      size_t n_seed, uint8_t *out, size_t n)
{
    if (n > 255u * prf->out)
        return ADIT_ERR_LIMIT;
    struct ossl_hmac *h = ossl_hmac_take(ossl_digest(*(const uint16_t *)prf->arg));
    if (!h)
        return ADIT_ERR_MEMORY;
    bool ok = ossl_hmac_key(h, key) && expand(h, seed, n_seed, out, n);
    ossl_hmac_rest(h);
    return ok ? ADIT_OK : ADIT_ERR_CRYPTO;
}

static const uint16_t sha256 = HASH_SHA2_256, sha384 = HASH_SHA2_384, sha512 = HASH_SHA2_512;

const struct prf_alg ossl_prfs[] = {
    { PRF_HMAC_SHA2_256, "HMAC-SHA2-256", 32, 32, &sha256 },
    { PRF_HMAC_SHA2_384, "HMAC-SHA2-384", 48, 48, &sha384 },
    { PRF_HMAC_SHA2_512, "HMAC-SHA2-512", 64, 64, &sha512 },
};
const size_t ossl_prfs_n = ARRAY_LEN(ossl_prfs);

const struct integ_alg ossl_integs[] = {
    { INTEG_HMAC_SHA2_256_128, "HMAC-SHA2-256-128", 32, 16, &sha256 },
    { INTEG_HMAC_SHA2_384_192, "HMAC-SHA2-384-192", 48, 24, &sha384 },
    { INTEG_HMAC_SHA2_512_256, "HMAC-SHA2-512-256", 64, 32, &sha512 },
};
const size_t ossl_integs_n = ARRAY_LEN(ossl_integs);
