/* rand.c - a random generator for OpenSSL that asks a callback, so that a simulation with the same seed makes the same
 * keys, ciphertexts and signatures. A built-in provider offers it to one library context; production never loads it. */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include "base/mem.h"
#include "crypto/ossl/ossl.h"

#define GENERATOR "ADIT-RANDOM"
#define PROVIDER "adit-random"

struct source {
    adit_random_fn *random;
    void *arg;
    int state;
};

/* The provider's init gets no argument of ours: it runs inside OSSL_PROVIDER_load(), on the same thread. */
static _Thread_local struct source loading;

static void *gen_new(void *provider, void *parent, const OSSL_DISPATCH *parent_calls)
{
    struct source *s = mem_new(sizeof(*s));
    if (s) {
        *s = *(struct source *)provider;
        s->state = EVP_RAND_STATE_UNINITIALISED;
    }
    return s;
}

static void gen_free(void *gen)
{
    mem_del(gen);
}

static int gen_start(void *gen, unsigned strength, int resistance, const unsigned char *pers, size_t pers_n,
                     const OSSL_PARAM params[])
{
    ((struct source *)gen)->state = EVP_RAND_STATE_READY;
    return 1;
}

static int gen_stop(void *gen)
{
    ((struct source *)gen)->state = EVP_RAND_STATE_UNINITIALISED;
    return 1;
}

static int gen_make(void *gen, unsigned char *out, size_t n, unsigned strength, int resistance,
                    const unsigned char *extra, size_t extra_n)
{
    const struct source *s = gen;
    return s->random(s->arg, out, n);
}

static int gen_locking(void *gen)
{
    return 1; /* one thread by contract (adit/crypto.h) */
}

static const OSSL_PARAM *gen_gettable(void *gen, void *provider)
{
    static const OSSL_PARAM known[] = { OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, NULL),
                                        OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, NULL),
                                        OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, NULL),
                                        OSSL_PARAM_END };
    return known;
}

static int gen_get(void *gen, OSSL_PARAM params[])
{
    OSSL_PARAM *p;
    if ((p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE)) &&
        !OSSL_PARAM_set_int(p, ((struct source *)gen)->state))
        return 0;
    if ((p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH)) && !OSSL_PARAM_set_uint(p, 256))
        return 0;
    return !(p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST)) || OSSL_PARAM_set_size_t(p, 1 << 20);
}

static void provider_free(void *provider)
{
    mem_del(provider);
}

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *no_cache);

static int provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                         void **provider)
{
    static const OSSL_DISPATCH calls[] = {
        { OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))provider_free },
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query },
        { 0, NULL },
    };
    struct source *s = mem_new(sizeof(*s));
    if (!s)
        return 0;
    *s = loading;
    *provider = s;
    *out = calls;
    return 1;
}

OSSL_PROVIDER *ossl_rand_install(OSSL_LIB_CTX *lib, adit_random_fn *random, void *arg)
{
    OSSL_PROVIDER *provider = NULL;
    loading = (struct source){ .random = random, .arg = arg };
    if (OSSL_PROVIDER_add_builtin(lib, PROVIDER, provider_init) == 1)
        provider = OSSL_PROVIDER_load(lib, PROVIDER);
    loading = (struct source){ 0 };
    if (provider && RAND_set_DRBG_type(lib, GENERATOR, "provider=" PROVIDER, NULL, NULL) != 1) {
        OSSL_PROVIDER_unload(provider);
        return NULL;
    }
    return provider;
}

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *no_cache)
{
    static const OSSL_DISPATCH calls[] = {
        { OSSL_FUNC_RAND_NEWCTX, (void (*)(void))gen_new },
        { OSSL_FUNC_RAND_FREECTX, (void (*)(void))gen_free },
        { OSSL_FUNC_RAND_INSTANTIATE, (void (*)(void))gen_start },
        { OSSL_FUNC_RAND_UNINSTANTIATE, (void (*)(void))gen_stop },
        { OSSL_FUNC_RAND_GENERATE, (void (*)(void))gen_make },
        { OSSL_FUNC_RAND_ENABLE_LOCKING, (void (*)(void))gen_locking },
        { OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, (void (*)(void))gen_gettable },
        { OSSL_FUNC_RAND_GET_CTX_PARAMS, (void (*)(void))gen_get },
        { 0, NULL },
    };
    static const OSSL_ALGORITHM generators[] = { { GENERATOR, "provider=" PROVIDER, calls, NULL }, { NULL } };
    *no_cache = 0;
    return operation == OSSL_OP_RAND ? generators : NULL;
}
