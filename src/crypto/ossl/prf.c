/* prf.c - PRF rows and the two ways to have keys of them: prf+ (RFC 7296 s2.13, RFC 4868), and one call of a PRF that
 * gives as much as is asked (draft-ietf-ipsecme-ikev2-prf-plus); and the INTEG rows, which are the same MACs. */
#include "base/mem.h"
#include "base/span.h"
#include "crypto/ossl/ossl.h"

#define ONE_CALL_MAX 65536 /* octets at once: no formula wants nearly as many */

static struct ossl_digest *digest_of(const struct prf_alg *prf)
{
    return ossl_digest(*(const uint32_t *)prf->arg);
}

/* --- iterated --------------------------------------------------------------------------------------------------- */

static enum adit_rc hmac_prf(const struct prf_alg *prf, struct adit_span key, const struct adit_span *parts,
                             size_t n_parts, uint8_t *out)
{
    struct ossl_mac *h = ossl_mac_take(digest_of(prf));
    if (!h)
        return ADIT_ERR_MEMORY;
    bool ok = ossl_mac_once(h, key, parts, n_parts, out);
    ossl_mac_rest(h);
    return ok ? ADIT_OK : ADIT_ERR_CRYPTO;
}

/* Tn = prf(K, Tn-1 | S | n); last is empty for T1. */
static bool next_block(struct ossl_mac *h, struct adit_span last, const struct adit_span *seed,
                       size_t n_seed, uint8_t number, uint8_t *out)
{
    bool ok = ossl_mac_start(h) && ossl_mac_update(h, last.p, last.n);
    for (size_t i = 0; ok && i < n_seed; i++)
        ok = ossl_mac_update(h, seed[i].p, seed[i].n);
    return ok && ossl_mac_update(h, &number, 1) && ossl_mac_final(h, out);
}

static bool expand(struct ossl_mac *h, const struct adit_span *seed, size_t n_seed, uint8_t *out, size_t n)
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

static enum adit_rc hmac_expand(const struct prf_alg *prf, struct adit_span key, const struct adit_span *seed,
                                size_t n_seed, uint8_t *out, size_t n)
{
    if (n > 255u * prf->out)
        return ADIT_ERR_LIMIT;
    struct ossl_mac *h = ossl_mac_take(digest_of(prf));
    if (!h)
        return ADIT_ERR_MEMORY;
    bool ok = ossl_mac_key(h, key) && expand(h, seed, n_seed, out, n);
    ossl_mac_rest(h);
    return ok ? ADIT_OK : ADIT_ERR_CRYPTO;
}

/* --- one call --------------------------------------------------------------------------------------------------- */

/* The length is part of the input (SP 800-185 s4.3): what is asked for has nothing in common with a longer output. */
static enum adit_rc kmac_expand(const struct prf_alg *prf, struct adit_span key, const struct adit_span *parts,
                                size_t n_parts, uint8_t *out, size_t n)
{
    if (key.n < OSSL_KMAC_KEY_MIN || key.n > OSSL_KMAC_KEY_MAX || n > ONE_CALL_MAX)
        return ADIT_ERR_LIMIT;
    if (!n)
        return ADIT_OK;
    struct ossl_mac *h = ossl_mac_take(digest_of(prf));
    if (!h)
        return ADIT_ERR_MEMORY;
    bool ok = ossl_mac_size(h, n) && ossl_mac_once(h, key, parts, n_parts, out);
    if (key.n > prf->key) /* of a resting key only the first octets are overwritten by the next */
        ossl_mac_park(h);
    else
        ossl_mac_rest(h);
    return ok ? ADIT_OK : ADIT_ERR_CRYPTO;
}

static enum adit_rc kmac_prf(const struct prf_alg *prf, struct adit_span key, const struct adit_span *parts,
                             size_t n_parts, uint8_t *out)
{
    return kmac_expand(prf, key, parts, n_parts, out, prf->out);
}

/* --- for the formulas -------------------------------------------------------------------------------------------- */

enum adit_rc prf_compute(const struct prf_alg *prf, struct adit_span key, const struct adit_span *parts,
                         size_t n_parts, uint8_t *out)
{
    return prf->kdf->prf(prf, key, parts, n_parts, out);
}

enum adit_rc prf_plus(const struct prf_alg *prf, struct adit_span key, const struct adit_span *seed,
                      size_t n_seed, uint8_t *out, size_t n)
{
    return prf->kdf->expand(prf, key, seed, n_seed, out, n);
}

static const struct kdf iterated = { "prf+", hmac_prf, hmac_expand }, one_call = { "one call", kmac_prf, kmac_expand };

static const uint32_t sha256 = HASH_SHA2_256, sha384 = HASH_SHA2_384, sha512 = HASH_SHA2_512,
                      kmac128 = OSSL_KMAC_128, kmac256 = OSSL_KMAC_256;

/* KMAC's lengths: those of the HMACs of the same strength (draft-ietf-ipsecme-sha3). */
const struct prf_alg ossl_prfs[] = {
    { PRF_HMAC_SHA2_256, "HMAC-SHA2-256", 32, 32, &iterated, &sha256 },
    { PRF_HMAC_SHA2_384, "HMAC-SHA2-384", 48, 48, &iterated, &sha384 },
    { PRF_HMAC_SHA2_512, "HMAC-SHA2-512", 64, 64, &iterated, &sha512 },
    { PRF_KMAC_128, "KMAC128", 32, 32, &one_call, &kmac128 },
    { PRF_KMAC_256, "KMAC256", 64, 64, &one_call, &kmac256 },
};
const size_t ossl_prfs_n = ARRAY_LEN(ossl_prfs);

const struct integ_alg ossl_integs[] = {
    { INTEG_HMAC_SHA2_256_128, "HMAC-SHA2-256-128", 32, 16, true, &sha256 },
    { INTEG_HMAC_SHA2_384_192, "HMAC-SHA2-384-192", 48, 24, true, &sha384 },
    { INTEG_HMAC_SHA2_512_256, "HMAC-SHA2-512-256", 64, 32, true, &sha512 },
    { INTEG_KMAC_128, "KMAC128", 16, 16, false, &kmac128 },
    { INTEG_KMAC_256, "KMAC256", 32, 32, false, &kmac256 },
};
const size_t ossl_integs_n = ARRAY_LEN(ossl_integs);
