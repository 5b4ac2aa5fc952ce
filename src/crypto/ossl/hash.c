/* hash.c - digests, and HMAC and KMAC by EVP_MAC: contexts are made once and go round in a pool, since making one costs more than
 * the MAC of a short input. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <pthread.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/ossl/ossl.h"

static struct ossl_digest digests[12];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;
static atomic_bool keys_rest; /* some parked state still holds a key: crypto_idle() has something to do */

static bool fresh(const struct ossl_digest *d, EVP_MD_CTX *ctx)
{
    return EVP_DigestInit_ex2(ctx, d->md, NULL) == 1;
}

void ossl_mac_free(struct ossl_mac *h)
{
    if (!h)
        return;
    EVP_MAC_CTX_free(h->mac);
    EVP_MD_CTX_free(h->work);
    mem_del(h);
}

static bool is_kmac(const struct ossl_digest *d)
{
    return d->id >= OSSL_KMAC_128;
}

static bool set_digest(struct ossl_mac *h)
{
    char name[16];
    if (!h->mac || is_kmac(h->digest))
        return true;
    size_t n = strlen(h->digest->name);
    span_copy((uint8_t *)name, span(h->digest->name, n + 1));
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, n), OSSL_PARAM_construct_end() };
    return EVP_MAC_CTX_set_params(h->mac, params) == 1;
}

static struct ossl_mac *mac_new(struct ossl_digest *d)
{
    struct ossl_mac *h = mem_new(sizeof(*h));
    if (!h)
        return NULL;
    *h = (struct ossl_mac){ .digest = d,
                            .size = d->out,
                            .mac = d->fetched ? EVP_MAC_CTX_new(d->fetched) : NULL,
                            .work = d->md ? EVP_MD_CTX_new() : NULL };
    bool made = !d->fetched == !h->mac && !d->md == !h->work;
    if (made && (!d->md || fresh(d, h->work)) && set_digest(h))
        return h;
    ossl_mac_free(h);
    return NULL;
}

struct ossl_mac *ossl_mac_take(struct ossl_digest *d)
{
    for (size_t i = 0; i < OSSL_POOL; i++) {
        struct ossl_mac *h = atomic_exchange_explicit(&d->pool[i], NULL, memory_order_acquire);
        if (h)
            return h;
    }
    return mac_new(d);
}

static void put_back(struct ossl_mac *h)
{
    for (size_t i = 0; i < OSSL_POOL; i++) {
        struct ossl_mac *empty = NULL;
        if (atomic_compare_exchange_strong_explicit(&h->digest->pool[i], &empty, h, memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    ossl_mac_free(h);
}

/* A key of no worth overwrites the one that was in use; KMAC's keeps what is behind it, so it has to be as long as any. */
static bool forget(struct ossl_mac *h)
{
    static const uint8_t nothing[OSSL_KMAC_KEY_MAX];
    if (h->keyed && EVP_MAC_init(h->mac, nothing, is_kmac(h->digest) ? sizeof(nothing) : 1, NULL) != 1)
        return false;
    h->keyed = false;
    return true;
}

void ossl_mac_park(struct ossl_mac *h)
{
    if (!h)
        return;
    if (forget(h))
        put_back(h);
    else
        ossl_mac_free(h);
}

void ossl_mac_rest(struct ossl_mac *h)
{
    put_back(h);
    atomic_store_explicit(&keys_rest, true, memory_order_release);
}

/* The next short MAC overwrites a resting key anyway; overwriting it each time would cost half as much as such a MAC. */
void crypto_idle(void)
{
    if (!atomic_exchange_explicit(&keys_rest, false, memory_order_acquire))
        return;
    for (struct ossl_digest *d = digests; d->id; d++)
        for (size_t i = 0; i < OSSL_POOL; i++)
            ossl_mac_park(atomic_exchange_explicit(&d->pool[i], NULL, memory_order_acquire));
}

bool ossl_mac_key(struct ossl_mac *h, struct adit_span key)
{
    static const uint8_t empty[1]; /* NULL would mean "the key from before" */
    h->keyed = true;
    return EVP_MAC_init(h->mac, key.n ? key.p : empty, key.n, NULL) == 1;
}

bool ossl_mac_size(struct ossl_mac *h, size_t n)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &n), OSSL_PARAM_construct_end() };
    if (!is_kmac(h->digest))
        return n == h->size;
    h->size = n;
    return EVP_MAC_CTX_set_params(h->mac, params) == 1;
}

bool ossl_mac_start(struct ossl_mac *h)
{
    return EVP_MAC_init(h->mac, NULL, 0, NULL) == 1;
}

bool ossl_mac_update(struct ossl_mac *h, const uint8_t *p, size_t n)
{
    return n == 0 || EVP_MAC_update(h->mac, p, n) == 1;
}

bool ossl_mac_final(struct ossl_mac *h, uint8_t *out)
{
    size_t n;
    return EVP_MAC_final(h->mac, out, &n, h->size) == 1;
}

static bool update_all(EVP_MD_CTX *ctx, const struct adit_span *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (parts[i].n && EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) != 1)
            return false;
    return true;
}

bool ossl_mac_once(struct ossl_mac *h, struct adit_span key, const struct adit_span *parts, size_t n,
                    uint8_t *out)
{
    bool ok = ossl_mac_key(h, key);
    for (size_t i = 0; ok && i < n; i++)
        ok = ossl_mac_update(h, parts[i].p, parts[i].n);
    return ok && ossl_mac_final(h, out);
}

static bool fetch(OSSL_LIB_CTX *lib, struct ossl_digest *d)
{
    d->md = d->name ? EVP_MD_fetch(lib, d->name, NULL) : NULL;
    d->fetched = d->mac ? EVP_MAC_fetch(lib, d->mac, NULL) : NULL;
    return !d->name == !d->md && !d->mac == !d->fetched;
}

static void fetch_all(void)
{
    OSSL_LIB_CTX *lib = OSSL_LIB_CTX_new();
    ready = lib != NULL;
    for (struct ossl_digest *d = digests; ready && d->id; d++)
        ready = fetch(lib, d);
}

bool ossl_digests_ready(void)
{
    return pthread_once(&once, fetch_all) == 0 && ready;
}

struct ossl_digest *ossl_digest(uint32_t id)
{
    for (struct ossl_digest *d = digests; d->id; d++)
        if (d->id == id)
            return d;
    return NULL;
}

static bool digest_final(const struct ossl_digest *d, EVP_MD_CTX *ctx, uint8_t *out)
{
    return (d->xof ? EVP_DigestFinalXOF(ctx, out, d->out) : EVP_DigestFinal_ex(ctx, out, NULL)) == 1;
}

size_t crypto_hash(uint16_t hash, const struct adit_span *parts, size_t n_parts, uint8_t out[64])
{
    struct ossl_digest *d = ossl_digest(hash);
    if (!d || !ossl_digests_ready())
        return 0;
    struct ossl_mac *h = ossl_mac_take(d);
    bool ok = h && update_all(h->work, parts, n_parts) && digest_final(d, h->work, out);
    if (h && fresh(d, h->work))
        put_back(h);
    else
        ossl_mac_free(h);
    return ok ? d->out : 0;
}

/* SHA-1 is here for key identifiers and NAT detection; no signature, PRF or INTEG row uses it. */
static struct ossl_digest digests[12] = {
    { .name = "SHA1", .mac = "HMAC", .id = HASH_SHA1, .out = 20 },
    { .name = "SHA2-256", .mac = "HMAC", .id = HASH_SHA2_256, .out = 32 },
    { .name = "SHA2-384", .mac = "HMAC", .id = HASH_SHA2_384, .out = 48 },
    { .name = "SHA2-512", .mac = "HMAC", .id = HASH_SHA2_512, .out = 64 },
    { .name = "SHA3-256", .id = HASH_SHA3_256, .out = 32 },
    { .name = "SHA3-384", .id = HASH_SHA3_384, .out = 48 },
    { .name = "SHA3-512", .id = HASH_SHA3_512, .out = 64 },
    { .name = "SHAKE-128", .id = HASH_SHAKE128, .out = 32, .xof = true },
    { .name = "SHAKE-256", .id = HASH_SHAKE256, .out = 64, .xof = true },
    { .mac = "KMAC-128", .id = OSSL_KMAC_128, .out = 32 },
    { .mac = "KMAC-256", .id = OSSL_KMAC_256, .out = 64 },
    { 0 },
};
