/* kem.c - ML-KEM (FIPS 203) as a key exchange (draft-ietf-ipsecme-ikev2-mlkem): the exchange's initiator generates and
 * decapsulates, the responder encapsulates. Each run has a new key pair and randomness of its own. */
#include <openssl/err.h>

#include "base/span.h"
#include "crypto/set.h"

static const struct ossl_group *group_of(const struct ke_alg *a)
{
    return a->arg;
}

static enum adit_rc kem_init(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state **st,
                             struct adit_buf *pub)
{
    TRY(buf_resize(pub, a->init_size));
    EVP_PKEY *key = ossl_ke_generate(c, a);
    if (key && !group_of(a)->value(key, pub->p, pub->n)) {
        EVP_PKEY_free(key);
        return ADIT_ERR_CRYPTO;
    }
    return ossl_ke_new_state(key, st);
}

static bool encapsulate(const struct adit_crypto *c, EVP_PKEY *peer, struct adit_buf *ct,
                        struct adit_secret *secret)
{
    size_t ct_n = ct->n, secret_n = secret->n;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->ossl.lib, peer, NULL);
    bool ok = ctx && EVP_PKEY_encapsulate_init(ctx, NULL) == 1 &&
              EVP_PKEY_encapsulate(ctx, ct->p, &ct_n, secret->p, &secret_n) == 1 && ct_n == ct->n &&
              secret_n == secret->n;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* FIPS 203 s7.2: the length is checked here, the coefficients (modulus check) by the library when it loads them. */
static enum adit_rc kem_respond(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span peer,
                                struct adit_buf *pub, struct adit_secret *secret)
{
    EVP_PKEY *key = peer.n == a->init_size ? group_of(a)->peer(c, a, peer) : NULL;
    if (!key) {
        ERR_clear_error();
        return ADIT_ERR_PUBLIC;
    }
    enum adit_rc rc = buf_resize(pub, a->resp_size);
    if (rc == ADIT_OK)
        rc = secret_alloc(secret, a->secret_size);
    if (rc == ADIT_OK && !encapsulate(c, key, pub, secret)) {
        secret_fini(secret);
        ERR_clear_error();
        rc = ADIT_ERR_CRYPTO;
    }
    EVP_PKEY_free(key);
    return rc;
}

/* FIPS 203 s7.3: a wrong ciphertext of the right length gives an unrelated secret, never an error. */
static enum adit_rc kem_finish(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                               struct adit_span peer, struct adit_secret *secret)
{
    if (peer.n != a->resp_size)
        return ADIT_ERR_PUBLIC;
    TRY(secret_alloc(secret, a->secret_size));
    size_t n = secret->n;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->ossl.lib, st->key, NULL);
    bool ok = ctx && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
              EVP_PKEY_decapsulate(ctx, secret->p, &n, peer.p, peer.n) == 1 && n == secret->n;
    EVP_PKEY_CTX_free(ctx);
    if (ok)
        return ADIT_OK;
    secret_fini(secret);
    ERR_clear_error();
    return ADIT_ERR_CRYPTO;
}

static const struct ke_ops ops = { kem_init, kem_respond, kem_finish, ossl_ke_free_state, "openssl" };

static const struct ossl_group mlkem512 = { 11, "ML-KEM-512", NULL, ossl_raw_peer, ossl_raw_value, false };
static const struct ossl_group mlkem768 = { 12, "ML-KEM-768", NULL, ossl_raw_peer, ossl_raw_value, false };
static const struct ossl_group mlkem1024 = { 13, "ML-KEM-1024", NULL, ossl_raw_peer, ossl_raw_value, false };

#define CHECKS "length; coefficients below 3329 (FIPS 203 s7.2)"

const struct ke_alg ossl_kem_kes[] = {
    { KE_ML_KEM_768, "ML-KEM-768", true, CRYPTO_CHEAP, 1184, 1088, 32, &ops, &mlkem768, CHECKS },
    { KE_ML_KEM_1024, "ML-KEM-1024", true, CRYPTO_CHEAP, 1568, 1568, 32, &ops, &mlkem1024, CHECKS },
    { KE_ML_KEM_512, "ML-KEM-512", true, CRYPTO_CHEAP, 800, 768, 32, &ops, &mlkem512, CHECKS },
};
const size_t ossl_kem_kes_n = ARRAY_LEN(ossl_kem_kes);
