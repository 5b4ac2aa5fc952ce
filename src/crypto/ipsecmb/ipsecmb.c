/* ipsecmb.c - which contexts Intel's multi-buffer library serves, and its managers. A manager holds the jobs of one
 * thread: they wait in a small pool, like the states of hashes (ossl/hash.c). */
#include "crypto/ipsecmb/ipsecmb.h"
#include <pthread.h>
#include <stdatomic.h>
#include "base/mem.h"
#include "base/span.h"
#include "base/strbuf.h"
#include "crypto/ossl/ossl.h"

#define POOL 16u
#define ALIGN 64u
#define GCM_FEATURES (IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ | IMB_FEATURE_AVX512_SKX)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static IMB_MGR *stateless;
static _Atomic(IMB_MGR *) pool[POOL];

static IMB_MGR *manager_new(void)
{
    IMB_MGR *m = alloc_mb_mgr(0);
    if (m)
        init_mb_mgr_auto(m, NULL);
    if (m && imb_get_errno(m) == 0)
        return m;
    if (m)
        free_mb_mgr(m);
    return NULL;
}

static void open_library(void)
{
    stateless = manager_new();
}

IMB_MGR *ipsecmb_stateless(uint64_t features)
{
    (void)pthread_once(&once, open_library);
    return stateless && (stateless->features & features) == features ? stateless : NULL;
}

IMB_MGR *ipsecmb_take(void)
{
    for (size_t i = 0; i < POOL; i++) {
        IMB_MGR *m = atomic_exchange_explicit(&pool[i], NULL, memory_order_acquire);
        if (m)
            return m;
    }
    return manager_new();
}

void ipsecmb_give(IMB_MGR *m)
{
    for (size_t i = 0; i < POOL; i++) {
        IMB_MGR *empty = NULL;
        if (atomic_compare_exchange_strong_explicit(&pool[i], &empty, m, memory_order_release, memory_order_relaxed))
            return;
    }
    free_mb_mgr(m);
}

enum adit_rc ipsecmb_key_new(struct crypt *x, size_t n)
{
    x->mb = mem_new(n + ALIGN);
    x->mb_n = n + ALIGN;
    return x->mb ? ADIT_OK : ADIT_ERR_MEMORY;
}

void *ipsecmb_key(const struct crypt *x)
{
    return x->mb + (ALIGN - (uintptr_t)x->mb % ALIGN) % ALIGN;
}

const char *ipsecmb_describe(void)
{
    return ipsecmb_stateless(GCM_FEATURES) ? "ipsec-mb (VAES, AVX-512)" : NULL;
}

static enum adit_rc setup(const struct adit_crypto *c, struct crypt *x, struct adit_span key,
                          const struct integ_alg *integ, struct adit_span integ_key)
{
    if (!ipsecmb_stateless(GCM_FEATURES))
        return ADIT_ERR_NOT_FOUND;
    enum adit_rc rc = integ ? ADIT_ERR_NOT_FOUND : ipsecmb_gcm_setup(x, key);
    if (rc != ADIT_ERR_NOT_FOUND)
        return rc;
    if (!ipsecmb_lanes_fit(x, integ))
        return ADIT_ERR_NOT_FOUND;
    if (x->alg->id == ENCR_AES_CBC) /* for its IVs, and for packets that don't lie in one piece */
        TRY(ossl_crypt_engine.setup(c, x, key, integ, integ_key));
    return ipsecmb_lanes_setup(x, key, integ, integ_key);
}

static void run(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    if (x->alg->kind == ENCR_KIND_AEAD && x->alg->id != ENCR_CHACHA20_POLY1305 && x->alg->id != ENCR_CHACHA20_POLY1305_IIV)
        ipsecmb_gcm_run(x, jobs, n);
    else
        ipsecmb_lanes_run(x, jobs, n);
}

static void fini(struct crypt *x)
{
    if (x->mb)
        mem_wipe(x->mb, x->mb_n);
    mem_del(x->mb);
    ossl_crypt_engine.fini(x);
}

const struct crypt_engine ipsecmb_crypt_engine = { "ipsec-mb", setup, run, fini };
