/* hash.c - digests, and HMAC (RFC 2104) over them. HMAC is put together here from two digest runs: EVP_MAC costs twice
 * as much for the short inputs of IKE (measured: 426 ns against 220 ns for HMAC-SHA2-256 with a new key). */
#include <openssl/crypto.h>
#include <pthread.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/ossl/ossl.h"

static struct ossl_digest digests[5];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;

static bool fresh(const struct ossl_digest *d, EVP_MD_CTX *ctx)
{
    return EVP_DigestInit_ex2(ctx, d->md, NULL) == 1;
}

void ossl_hmac_free(struct ossl_hmac *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->inner);
    EVP_MD_CTX_free(h->outer);
    EVP_MD_CTX_free(h->work);
    mem_del(h);
}

static struct ossl_hmac *hmac_new(struct ossl_digest *d)
{
    struct ossl_hmac *h = mem_new(sizeof(*h));
    if (!h)
        return NULL;
    *h = (struct ossl_hmac){ d, false, EVP_MD_CTX_new(), EVP_MD_CTX_new(), EVP_MD_CTX_new() };
    if (h->inner && h->outer && h->work && fresh(d, h->inner) && fresh(d, h->outer) && fresh(d, h->work))
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

void ossl_hmac_park(struct ossl_hmac *h)
{
    if (!h)
        return;
    /* Starting anew overwrites the states, which are worth as much as the key. */
    bool ok = fresh(h->digest, h->work);
    if (h->keyed)
        ok = ok && fresh(h->digest, h->inner) && fresh(h->digest, h->outer);
    h->keyed = false;
    if (ok)
        put_back(h);
    else
        ossl_hmac_free(h);
}

/* RFC 2104 s2: keys longer than a block are hashed; the rest of the block is zero. */
static bool key_block(struct ossl_hmac *h, struct adit_span key, uint8_t block[OSSL_BLOCK_MAX])
{
    memset(block, 0, OSSL_BLOCK_MAX);
    if (key.n <= h->digest->block) {
        span_copy(block, key);
        return true;
    }
    return EVP_DigestUpdate(h->work, key.p, key.n) == 1 && EVP_DigestFinal_ex(h->work, block, NULL) == 1 &&
           fresh(h->digest, h->work);
}

static void flip(uint8_t block[OSSL_BLOCK_MAX], uint8_t with)
{
    for (size_t i = 0; i < OSSL_BLOCK_MAX; i++)
        block[i] ^= with;
}

bool ossl_hmac_key(struct ossl_hmac *h, struct adit_span key)
{
    uint8_t block[OSSL_BLOCK_MAX];
    size_t n = h->digest->block;
    bool ok = key_block(h, key, block);
    h->keyed = true;
    flip(block, 0x36);
    ok = ok && EVP_DigestUpdate(h->inner, block, n) == 1;
    flip(block, 0x36 ^ 0x5c);
    ok = ok && EVP_DigestUpdate(h->outer, block, n) == 1;
    mem_wipe(block, sizeof(block));
    return ok;
}

bool ossl_hmac_start(struct ossl_hmac *h)
{
    return EVP_MD_CTX_copy_ex(h->work, h->inner) == 1;
}

bool ossl_hmac_update(struct ossl_hmac *h, const uint8_t *p, size_t n)
{
    return n == 0 || EVP_DigestUpdate(h->work, p, n) == 1;
}

bool ossl_hmac_final(struct ossl_hmac *h, uint8_t *out)
{
    return EVP_DigestFinal_ex(h->work, out, NULL) == 1 && EVP_MD_CTX_copy_ex(h->work, h->outer) == 1 &&
           EVP_DigestUpdate(h->work, out, h->digest->out) == 1 && EVP_DigestFinal_ex(h->work, out, NULL) == 1;
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
    uint8_t block[OSSL_BLOCK_MAX];
    const struct ossl_digest *d = h->digest;
    bool ok = key_block(h, key, block);
    flip(block, 0x36);
    ok = ok && EVP_DigestUpdate(h->work, block, d->block) == 1 && update_all(h->work, parts, n) &&
         EVP_DigestFinal_ex(h->work, out, NULL) == 1;
    flip(block, 0x36 ^ 0x5c);
    ok = ok && fresh(d, h->work) && EVP_DigestUpdate(h->work, block, d->block) == 1 &&
         EVP_DigestUpdate(h->work, out, d->out) == 1 && EVP_DigestFinal_ex(h->work, out, NULL) == 1;
    mem_wipe(block, sizeof(block));
    return ok;
}

static void fetch_all(void)
{
    OSSL_LIB_CTX *lib = OSSL_LIB_CTX_new();
    ready = lib != NULL;
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
    ossl_hmac_park(h);
    return ok ? d->out : 0;
}

/* SHA-1 is here for key identifiers and NAT detection; no signature, PRF or INTEG row uses it. */
static struct ossl_digest digests[5] = {
    { .name = "SHA1", .hash = HASH_SHA1, .out = 20, .block = 64 },
    { .name = "SHA2-256", .hash = HASH_SHA2_256, .out = 32, .block = 64 },
    { .name = "SHA2-384", .hash = HASH_SHA2_384, .out = 48, .block = 128 },
    { .name = "SHA2-512", .hash = HASH_SHA2_512, .out = 64, .block = 128 },
    { 0 },
};
