/* keymat.c - SKEYSEED, SK_* and KEYMAT (RFC 7296 s2.13-2.18, RFC 9370 s2.2.2-2.2.4). */
#include "ike/keymat.h"
#include "base/mem.h"
#include "base/wr.h"
#include "wire/iana.h"

#define NONCE_MAX 256
#define SECRETS_MAX 8 /* type 4 and ADDKE1-7 */

static struct adit_span slice(const struct ike_keys *k, size_t at, size_t n)
{
    return k->block.p ? span(k->block.p + at, n) : SPAN_NONE;
}

/* The order in the block is that of the RFC: d | ai | ar | ei | er | pi | pr. */
struct adit_span keys_d(const struct ike_keys *k)
{
    return slice(k, 0, k->n_d);
}

struct adit_span keys_a(const struct ike_keys *k, bool of_initiator)
{
    return slice(k, k->n_d + (of_initiator ? 0u : k->n_a), k->n_a);
}

struct adit_span keys_e(const struct ike_keys *k, bool of_initiator)
{
    return slice(k, k->n_d + 2u * k->n_a + (of_initiator ? 0u : k->n_e), k->n_e);
}

struct adit_span keys_p(const struct ike_keys *k, bool of_initiator)
{
    return slice(k, k->n_d + 2u * k->n_a + 2u * k->n_e + (of_initiator ? 0u : k->n_d), k->n_d);
}

void keys_fini(struct ike_keys *k)
{
    secret_fini(&k->block);
    *k = (struct ike_keys){ 0 };
}

void keys_move(struct ike_keys *to, struct ike_keys *from)
{
    secret_move(&to->block, &from->block);
    to->n_d = from->n_d;
    to->n_a = from->n_a;
    to->n_e = from->n_e;
    *from = (struct ike_keys){ 0 };
}

/* --- IKE SA -------------------------------------------------------------------------------------------------- */

/* Key octets of a suite, cipher and integrity; false: a row is missing. */
static bool suite_lengths(const struct adit_crypto *c, const struct adit_suite *s, size_t *encr_n,
                          size_t *integ_n)
{
    const struct encr_alg *encr = crypto_encr(c, s->encr);
    const struct integ_alg *integ = s->integ ? crypto_integ(c, s->integ) : NULL;
    if (!encr || (s->integ && !integ))
        return false;
    *encr_n = encr->kind == ENCR_KIND_NULL ? 0 : encr_key_octets(encr, s->encr_bits);
    *integ_n = integ ? integ->key : 0;
    return *encr_n || encr->kind == ENCR_KIND_NULL;
}

static enum adit_rc key_lengths(const struct keymat_in *in, struct ike_keys *out)
{
    const struct prf_alg *prf = crypto_prf(in->crypto, in->suite->prf);
    size_t n_e, n_a;
    if (!prf || !suite_lengths(in->crypto, in->suite, &n_e, &n_a))
        return ADIT_ERR_CRYPTO; /* negotiation checked it: the set has changed */
    out->n_d = prf->key;
    out->n_a = (uint8_t)n_a;
    out->n_e = (uint8_t)n_e;
    return ADIT_OK;
}

/* {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} = prf+(SKEYSEED, Ni | Nr | SPIi | SPIr), RFC 7296 s2.14 */
static enum adit_rc expand(const struct keymat_in *in, const struct prf_alg *prf, struct adit_span skeyseed,
                           struct ike_keys *out)
{
    uint8_t spis[16];
    struct ike_keys keys = { 0 };
    struct wr w;
    wr_init(&w, spis, sizeof(spis));
    wr_u64(&w, in->spi_i);
    wr_u64(&w, in->spi_r);
    const struct adit_span seed[] = { in->nonce_i, in->nonce_r, SPAN_ARRAY(spis) };
    TRY(key_lengths(in, &keys));
    TRY(secret_alloc(&keys.block, 3u * keys.n_d + 2u * keys.n_a + 2u * keys.n_e));
    enum adit_rc rc = prf_plus(prf, skeyseed, seed, ARRAY_LEN(seed), keys.block.p, keys.block.n);
    if (rc == ADIT_OK)
        keys_move(out, &keys);
    keys_fini(&keys);
    return rc;
}

/* SKEYSEED = prf(key, parts..) with seed_prf, then SK_* with plus_prf. */
static enum adit_rc derive(const struct keymat_in *in, const struct prf_alg *seed_prf,
                           const struct prf_alg *plus_prf, struct adit_span key,
                           const struct adit_span *parts, size_t n_parts, struct ike_keys *out)
{
    uint8_t skeyseed[PRF_OUT_MAX];
    if (!seed_prf || !plus_prf)
        return ADIT_ERR_CRYPTO;
    enum adit_rc rc = prf_compute(seed_prf, key, parts, n_parts, skeyseed);
    if (rc == ADIT_OK)
        rc = expand(in, plus_prf, span(skeyseed, seed_prf->out), out);
    mem_wipe(skeyseed, sizeof(skeyseed));
    return rc;
}

/* RFC 7296 s2.14: these PRFs have keys of a fixed length, so each nonce gives half of it. */
static bool is_fixed_key(uint16_t prf)
{
    return prf == PRF_AES128_XCBC || prf == PRF_AES128_CMAC;
}

enum adit_rc keymat_init(const struct keymat_in *in, struct adit_span secret, struct ike_keys *out)
{
    const struct prf_alg *prf = crypto_prf(in->crypto, in->suite->prf);
    uint8_t key[2 * NONCE_MAX];
    size_t cut = is_fixed_key(in->suite->prf) ? 8 : NONCE_MAX;
    uint8_t *end = span_copy(key, span_first(in->nonce_i, cut));
    end = span_copy(end, span_first(in->nonce_r, cut));
    return derive(in, prf, prf, span(key, (size_t)(end - key)), &secret, 1, out);
}

enum adit_rc keymat_round(const struct keymat_in *in, const struct ike_keys *from, struct adit_span secret,
                          struct ike_keys *out)
{
    const struct prf_alg *prf = crypto_prf(in->crypto, in->suite->prf);
    const struct adit_span parts[] = { secret, in->nonce_i, in->nonce_r };
    return derive(in, prf, prf, keys_d(from), parts, ARRAY_LEN(parts), out);
}

enum adit_rc keymat_resume(const struct keymat_in *in, struct adit_span sk_d, struct ike_keys *out)
{
    const struct prf_alg *prf = crypto_prf(in->crypto, in->suite->prf);
    const struct adit_span parts[] = { SPAN_LIT("Resumption"), in->nonce_i, in->nonce_r };
    return derive(in, prf, prf, sk_d, parts, ARRAY_LEN(parts), out);
}

enum adit_rc keymat_stir(const struct prf_alg *prf, const struct ike_keys *from, struct adit_span key,
                         struct ike_keys *out)
{
    const struct adit_span sk[] = { keys_d(from), keys_p(from, true), keys_p(from, false) };
    struct ike_keys keys = { .n_d = from->n_d, .n_a = from->n_a, .n_e = from->n_e };
    TRY(secret_set(&keys.block, secret_span(&from->block)));
    enum adit_rc rc = ADIT_OK;
    for (size_t i = 0; i < ARRAY_LEN(sk) && rc == ADIT_OK; i++)
        rc = prf_plus(prf, key, &sk[i], 1, keys.block.p + (sk[i].p - from->block.p), sk[i].n);
    if (rc == ADIT_OK)
        keys_move(out, &keys);
    keys_fini(&keys);
    return rc;
}

/* [secrets[0]] | Ni | Nr | secrets[1] | ..: RFC 9370 s2.2.4. Returns the number of parts. */
static size_t exchange_parts(const struct adit_secret *secrets, size_t n, struct adit_span nonce_i,
                             struct adit_span nonce_r, struct adit_span parts[SECRETS_MAX + 2])
{
    size_t at = 0;
    if (n > 0)
        parts[at++] = secret_span(&secrets[0]);
    parts[at++] = nonce_i;
    parts[at++] = nonce_r;
    for (size_t i = 1; i < n; i++)
        parts[at++] = secret_span(&secrets[i]);
    return at;
}

enum adit_rc keymat_rekey(const struct keymat_in *in, const struct prf_alg *prf_old,
                          const struct ike_keys *from, const struct adit_secret *secrets, size_t n_secrets,
                          bool prf_plus_old, struct ike_keys *out)
{
    const struct prf_alg *plus = prf_plus_old ? prf_old : crypto_prf(in->crypto, in->suite->prf);
    struct adit_span parts[SECRETS_MAX + 2];
    if (n_secrets < 1 || n_secrets > SECRETS_MAX) /* a new IKE SA needs a key exchange, RFC 7296 s1.3.2 */
        return ADIT_ERR_BUG;
    size_t n = exchange_parts(secrets, n_secrets, in->nonce_i, in->nonce_r, parts);
    return derive(in, prf_old, plus, keys_d(from), parts, n, out);
}

/* --- Child SA ------------------------------------------------------------------------------------------------ */

enum adit_rc keymat_child(const struct adit_crypto *crypto, const struct prf_alg *prf,
                          const struct ike_keys *from, const struct adit_suite *child,
                          struct adit_span nonce_i, struct adit_span nonce_r,
                          const struct adit_secret *secrets, size_t n_secrets, struct adit_secret *out)
{
    struct adit_span parts[SECRETS_MAX + 2];
    size_t encr_n, integ_n;
    if (n_secrets > SECRETS_MAX)
        return ADIT_ERR_BUG;
    if (!suite_lengths(crypto, child, &encr_n, &integ_n) || encr_n + integ_n == 0)
        return ADIT_ERR_CRYPTO;
    size_t n = exchange_parts(secrets, n_secrets, nonce_i, nonce_r, parts);
    TRY(secret_alloc(out, 2 * (encr_n + integ_n)));
    enum adit_rc rc = prf_plus(prf, keys_d(from), parts, n, out->p, out->n);
    if (rc != ADIT_OK)
        secret_fini(out);
    return rc;
}

void keymat_child_slice(const struct adit_crypto *crypto, const struct adit_suite *child,
                        const struct adit_secret *block, bool i_to_r, struct adit_span *encr,
                        struct adit_span *integ)
{
    size_t encr_n, integ_n;
    *encr = *integ = SPAN_NONE;
    if (!suite_lengths(crypto, child, &encr_n, &integ_n) || block->n != 2 * (encr_n + integ_n))
        return;
    /* RFC 7296 s2.17: all keys of i->r first; of one direction first encryption, then integrity. */
    const uint8_t *p = block->p + (i_to_r ? 0 : encr_n + integ_n);
    *encr = span(p, encr_n);
    *integ = span(p + encr_n, integ_n);
}
