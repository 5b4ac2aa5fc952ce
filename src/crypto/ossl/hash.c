/* hash.c - digests, and HMAC by EVP_MAC: contexts are made once and go round in a pool, since making one costs more than
 * the MAC of a short input. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <pthread.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/ossl/ossl.h"

static struct ossl_digest digests[5];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MAC *hmac;
static bool ready;
static atomic_bool keys_rest; /* some parked state still holds a key: crypto_idle() has something to do */

static bool fresh(const struct ossl_digest *d, EVP_MD_CTX *ctx)
{
    return EVP_DigestInit_ex2(ctx, d->md, NULL) == 1;
}

void ossl_hmac_free(struct ossl_hmac *h)
{
    if (!h)
        return;
    EVP_MAC_CTX_free(h->mac);
    EVP_MD_CTX_free(h->work);
    mem_del(h);
}

static bool set_digest(struct ossl_hmac *h)
{
    char name[16];
    size_t n = strlen(h->digest->name);
    span_copy((uint8_t *)name, span(h->digest->name, n + 1));
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, n), OSSL_PARAM_construct_end() };
    return EVP_MAC_CTX_set_params(h->mac, params) == 1;
}

static struct ossl_hmac *hmac_new(struct ossl_digest *d)
{
    struct ossl_hmac *h = mem_new(sizeof(*h));
    if (!h)
        return NULL;
    *h = (struct ossl_hmac){ .digest = d, .mac = EVP_MAC_CTX_new(hmac), .work = EVP_MD_CTX_new() };
    if (h->mac && h->work && fresh(d, h->work) && set_digest(h))
        return h;
    ossl_hmac_free(h);
    return NULL;
}

struct ossl_hmac *ossl_hmac_take(struct ossl_digest *d)
{
    for (size_t i = 0; i < OSSL_POOL; i++) {
        struct ossl_hmac *h = atomic_exchange_explicit(&d->pool[i], NULL, memory_order_acquire);
        if (h)
            return h;
    }
    return hmac_new(d);
}

static void put_back(struct ossl_hmac *h)
{
    for (size_t i = 0; i < OSSL_POOL; i++) {
        struct ossl_hmac *empty = NULL;
        if (atomic_compare_exchange_strong_explicit(&h->digest->pool[i], &empty, h, memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    ossl_hmac_free(h);
}

/* A key of no worth overwrites the one that was in use. */
static bool forget(struct ossl_hmac *h)
{
    static const uint8_t nothing[1];
    if (h->keyed && EVP_MAC_init(h->mac, nothing, sizeof(nothing), NULL) != 1)
        return false;
    h->keyed = false;
    return true;
}

void ossl_hmac_park(struct ossl_hmac *h)
{
    if (!h)
        return;
    if (forget(h))
        put_back(h);
    else
        ossl_hmac_free(h);
}

void ossl_hmac_rest(struct ossl_hmac *h)
{
    put_back(h);
    atomic_store_explicit(&keys_rest, true, memory_order_release);
}

/* The next short MAC overwrites a resting key anyway; overwriting it each time would cost half as much as such a MAC. */
void crypto_idle(void)
{
    if (!atomic_exchange_explicit(&keys_rest, false, memory_order_acquire))
        return;
    for (struct ossl_digest *d = digests; d->name; d++)
        for (size_t i = 0; i < OSSL_POOL; i++)
            ossl_hmac_park(atomic_exchange_explicit(&d->pool[i], NULL, memory_order_acquire));
}

bool ossl_hmac_key(struct ossl_hmac *h, struct adit_span key)
{
    static const uint8_t empty[1]; /* NULL would mean "the key from before" */
    h->keyed = true;
    return EVP_MAC_init(h->mac, key.n ? key.p : empty, key.n, NULL) == 1;
}

bool ossl_hmac_start(struct ossl_hmac *h)
{
    return EVP_MAC_init(h->mac, NULL, 0, NULL) == 1;
}

bool ossl_hmac_update(struct ossl_hmac *h, const uint8_t *p, size_t n)
{
    return n == 0 || EVP_MAC_update(h->mac, p, n) == 1;
}

bool ossl_hmac_final(struct ossl_hmac *h, uint8_t *out)
{
    size_t n;
    return EVP_MAC_final(h->mac, out, &n, h->digest->out) == 1;
}

static bool update_all(EVP_MD_CTX *ctx, const struct adit_span *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (parts[i].n && EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) != 1)
            return false;
    return true;
}

bool ossl_hmac_once(struct ossl_hmac *h, struct adit_span key, const struct adit_span *parts, size_t n,
                    uint8_t *out)
{
    bool ok = ossl_hmac_key(h, key);
    for (size_t i = 0; ok && i < n; i++)
        ok = ossl_hmac_update(h, parts[i].p, parts[i].n);
    return ok && ossl_hmac_final(h, out);
}

static void fetch_all(void)
{
    OSSL_LIB_CTX *lib = OSSL_LIB_CTX_new();
    hmac = lib ? EVP_MAC_fetch(lib, "HMAC", NULL) : NULL;
    ready = hmac != NULL;
    for (struct ossl_digest *d = digests; ready && d->name; d++) {
        d->md = EVP_MD_fetch(lib, d->name, NULL);
        ready = d->md != NULL;
    }
}

bool ossl_digests_ready(void)
{
    return pthread_once(&once, fetch_all) == 0 && ready;
}

struct ossl_digest *ossl_digest(uint16_t hash)
{
    for (struct ossl_digest *d = digests; d->name; d++)
        if (d->hash == hash)
            return d;
    return NULL;
}

size_t crypto_hash(uint16_t hash, const struct adit_span *parts, size_t n_parts, uint8_t out[64])
{
    struct ossl_digest *d = ossl_digest(hash);
    if (!d || !ossl_digests_ready())
        return 0;
    struct ossl_hmac *h = ossl_hmac_take(d);
    bool ok = h && update_all(h->work, parts, n_parts) && EVP_DigestFinal_ex(h->work, out, NULL) == 1;
    if (h && fresh(d, h->work))
        put_back(h);
    else
        ossl_hmac_free(h);
    return ok ? d->out : 0;
}

/* SHA-1 is here for key identifiers and NAT detection; no signature, PRF or INTEG row uses it. */
static struct ossl_digest digests[5] = {
    { .name = "SHA1", .hash = HASH_SHA1, .out = 20 },
    { .name = "SHA2-256", .hash = HASH_SHA2_256, .out = 32 },
    { .name = "SHA2-384", .hash = HASH_SHA2_384, .out = 48 },
    { .name = "SHA2-512", .hash = HASH_SHA2_512, .out = 64 },
    { 0 },
};
