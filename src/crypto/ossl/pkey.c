/* pkey.c - key exchange by EVP_PKEY: what X25519, ECDH, MODP and ML-KEM share. Key generators are set up once and
 * parked in the set, from where any thread takes one. */
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/set.h"

static const struct ossl_group *group_of(const struct ke_alg *a)
{
    return a->arg;
}

static const struct ossl_ke *handles(const struct adit_crypto *c, const struct ke_alg *a)
{
    return &c->ossl.ke[group_of(a)->index];
}

static EVP_PKEY_CTX *generator_new(const struct adit_crypto *c, const struct ke_alg *a)
{
    EVP_PKEY *params = handles(c, a)->params;
    EVP_PKEY_CTX *gen = params ? EVP_PKEY_CTX_new_from_pkey(c->ossl.lib, params, NULL)
                               : EVP_PKEY_CTX_new_from_name(c->ossl.lib, group_of(a)->type, NULL);
    if (gen && EVP_PKEY_keygen_init(gen) == 1)
        return gen;
    EVP_PKEY_CTX_free(gen);
    return NULL;
}

static _Atomic(EVP_PKEY_CTX *) *slots(const struct adit_crypto *c, const struct ke_alg *a)
{
    /* The slots are the one thing in a set that changes; they are atomic. */
    return ((struct adit_crypto *)(uintptr_t)c)->ossl.ke[group_of(a)->index].gen;
}

static EVP_PKEY_CTX *generator_take(const struct adit_crypto *c, const struct ke_alg *a)
{
    _Atomic(EVP_PKEY_CTX *) *slot = slots(c, a);
    for (size_t i = 0; i < OSSL_POOL; i++) {
        EVP_PKEY_CTX *gen = atomic_exchange(&slot[i], NULL);
        if (gen)
            return gen;
    }
    return generator_new(c, a);
}

static void generator_park(const struct adit_crypto *c, const struct ke_alg *a, EVP_PKEY_CTX *gen)
{
    _Atomic(EVP_PKEY_CTX *) *slot = slots(c, a);
    for (size_t i = 0; i < OSSL_POOL; i++) {
        EVP_PKEY_CTX *empty = NULL;
        if (atomic_compare_exchange_strong(&slot[i], &empty, gen))
            return;
    }
    EVP_PKEY_CTX_free(gen);
}

EVP_PKEY *ossl_ke_generate(const struct adit_crypto *c, const struct ke_alg *a)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *gen = generator_take(c, a);
    if (gen && EVP_PKEY_generate(gen, &key) == 1) {
        generator_park(c, a, gen);
        return key;
    }
    EVP_PKEY_CTX_free(gen);
    ERR_clear_error();
    return NULL;
}

/* Domain parameters of a named group, or NULL: the library lacks it. */
static EVP_PKEY *named_params(const struct adit_crypto *c, const struct ossl_group *g)
{
    EVP_PKEY *params = NULL;
    OSSL_PARAM set[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                          (char *)(uintptr_t)g->group, 0),
                         OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(c->ossl.lib, g->type, NULL);
    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &params, EVP_PKEY_KEY_PARAMETERS, set);
    EVP_PKEY_CTX_free(ctx);
    return params;
}

bool ossl_ke_prepare(struct adit_crypto *c, const struct ke_alg *a)
{
    const struct ossl_group *g = group_of(a);
    struct ossl_ke *ke = &c->ossl.ke[g->index];
    if (g->group)
        ke->params = named_params(c, g);
    EVP_PKEY_CTX *gen = g->group && !ke->params ? NULL : generator_new(c, a);
    if (gen)
        generator_park(c, a, gen);
    else
        ERR_clear_error();
    return gen != NULL;
}

void ossl_ke_release(struct ossl_ke *ke)
{
    for (size_t i = 0; i < OSSL_POOL; i++)
        EVP_PKEY_CTX_free(atomic_exchange(&ke->gen[i], NULL));
    EVP_PKEY_free(ke->params);
}

EVP_PKEY *ossl_raw_peer(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span value)
{
    return EVP_PKEY_new_raw_public_key_ex(c->ossl.lib, group_of(a)->type, NULL, value.p, value.n);
}

bool ossl_raw_value(EVP_PKEY *key, uint8_t *out, size_t n)
{
    size_t got = n;
    return EVP_PKEY_get_raw_public_key(key, out, &got) == 1 && got == n;
}

EVP_PKEY *ossl_params_peer(const struct adit_crypto *c, const struct ke_alg *a, const uint8_t *encoded,
                           size_t n)
{
    EVP_PKEY *key = EVP_PKEY_new();
    if (key && EVP_PKEY_copy_parameters(key, handles(c, a)->params) == 1 &&
        EVP_PKEY_set1_encoded_public_key(key, encoded, n) == 1)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

enum adit_rc ossl_ke_new_state(EVP_PKEY *key, struct ke_state **st)
{
    struct ke_state *s = key ? mem_new(sizeof(*s)) : NULL;
    if (!s) {
        EVP_PKEY_free(key);
        return key ? ADIT_ERR_MEMORY : ADIT_ERR_CRYPTO;
    }
    s->key = key; /* its memory is wiped by EVP_PKEY_free() */
    *st = s;
    return ADIT_OK;
}

void ossl_ke_free_state(struct ke_state *st)
{
    if (!st)
        return;
    EVP_PKEY_free(st->key);
    mem_del(st);
}

/* The peer's value has been checked by peer(): no second validation, which costs a scalar multiplication. */
static bool derive(EVP_PKEY_CTX *ctx, EVP_PKEY *peer, bool pad, struct adit_secret *secret)
{
    unsigned on = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &on),
                            OSSL_PARAM_construct_end() };
    size_t n = secret->n;
    return EVP_PKEY_derive_init_ex(ctx, pad ? params : NULL) == 1 &&
           EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 && EVP_PKEY_derive(ctx, secret->p, &n) == 1 &&
           n == secret->n;
}

static enum adit_rc dh_secret(const struct adit_crypto *c, const struct ke_alg *a, EVP_PKEY *mine,
                              struct adit_span peer_value, struct adit_secret *secret)
{
    if (peer_value.n != a->init_size)
        return ADIT_ERR_PUBLIC;
    TRY(secret_alloc(secret, a->secret_size));
    EVP_PKEY *peer = group_of(a)->peer(c, a, peer_value);
    EVP_PKEY_CTX *ctx = peer ? EVP_PKEY_CTX_new_from_pkey(c->ossl.lib, mine, NULL) : NULL;
    /* A refusal by the library is an all-zero or identity result: RFC 7748 s6, RFC 6989 s2. */
    bool ok = ctx && derive(ctx, peer, group_of(a)->pad, secret);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    if (ok)
        return ADIT_OK;
    secret_fini(secret);
    ERR_clear_error();
    return ADIT_ERR_PUBLIC;
}

static enum adit_rc put_value(const struct ke_alg *a, EVP_PKEY *key, struct adit_buf *pub)
{
    TRY(buf_resize(pub, a->init_size));
    return group_of(a)->value(key, pub->p, pub->n) ? ADIT_OK : ADIT_ERR_CRYPTO;
}

static enum adit_rc dh_init(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state **st,
                            struct adit_buf *pub)
{
    TRY(ossl_ke_new_state(ossl_ke_generate(c, a), st));
    enum adit_rc rc = put_value(a, (*st)->key, pub);
    if (rc != ADIT_OK) {
        ossl_ke_free_state(*st);
        *st = NULL;
    }
    return rc;
}

static enum adit_rc dh_respond(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span peer,
                               struct adit_buf *pub, struct adit_secret *secret)
{
    EVP_PKEY *key = ossl_ke_generate(c, a);
    if (!key)
        return ADIT_ERR_CRYPTO;
    enum adit_rc rc = put_value(a, key, pub);
    if (rc == ADIT_OK)
        rc = dh_secret(c, a, key, peer, secret);
    EVP_PKEY_free(key);
    return rc;
}

static enum adit_rc dh_finish(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                              struct adit_span peer, struct adit_secret *secret)
{
    return dh_secret(c, a, st->key, peer, secret);
}

const struct ke_ops ossl_dh_ops = { dh_init, dh_respond, dh_finish, ossl_ke_free_state, "openssl" };
