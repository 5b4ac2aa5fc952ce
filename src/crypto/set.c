/* set.c - a set of algorithms: opens the libraries, keeps the rows that they can serve, and finds rows by number. */
#include <openssl/rand.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/botan/botan.h"
#include "crypto/combine/combine.h"

static void add_encrs(struct adit_crypto *c, const struct encr_alg *rows, size_t n)
{
    for (size_t i = 0; i < n && c->n_encr < SET_ENCR_MAX; i++)
        c->encr[c->n_encr++] = &rows[i];
}

typedef bool prepare_fn(struct adit_crypto *c, const struct ke_alg *a);

static void add_kes(struct adit_crypto *c, const struct ke_alg *rows, size_t n, prepare_fn *prepare)
{
    for (size_t i = 0; i < n && c->n_ke < SET_KE_MAX; i++)
        if (prepare(c, &rows[i]))
            c->ke[c->n_ke++] = &rows[i];
}

static void add_rows(struct adit_crypto *c)
{
    add_encrs(c, ossl_aeads, ossl_aeads_n);
    add_encrs(c, ossl_plain_ciphers, ossl_plain_ciphers_n);
    for (size_t i = 0; i < ossl_integs_n && c->n_integ < SET_INTEG_MAX; i++)
        c->integ[c->n_integ++] = &ossl_integs[i];
    for (size_t i = 0; i < ossl_prfs_n && c->n_prf < SET_PRF_MAX; i++)
        c->prf[c->n_prf++] = &ossl_prfs[i];
    add_kes(c, ossl_x_kes, ossl_x_kes_n, ossl_ke_prepare);
    add_kes(c, ossl_kem_kes, ossl_kem_kes_n, ossl_ke_prepare);
    add_kes(c, ossl_ecdh_kes, ossl_ecdh_kes_n, ossl_ke_prepare);
    add_kes(c, ossl_dh_kes, ossl_dh_kes_n, ossl_ke_prepare);
    add_kes(c, botan_frodo_kes, botan_frodo_kes_n, botan_ke_prepare);
    add_kes(c, botan_mceliece_kes, botan_mceliece_kes_n, botan_ke_prepare);
    add_kes(c, combine_kes, combine_kes_n, combine_prepare); /* of rows that are there by now */
}

struct adit_crypto *adit_crypto_new(adit_random_fn *random, void *arg, struct adit_why *why)
{
    struct adit_crypto *c = mem_new(sizeof(*c));
    if (!c) {
        why_set(why, ADIT_ERR_MEMORY, "out of memory");
        return NULL;
    }
    c->random = random;
    c->random_arg = arg;
    if (ossl_open(&c->ossl, random, arg, why) != ADIT_OK) {
        adit_crypto_free(c);
        return NULL;
    }
    add_rows(c);
    if (crypto_ke(c, KE_CURVE_25519) && crypto_ke(c, KE_ML_KEM_768))
        return c;
    why_set(why, ADIT_ERR_CRYPTO, "OpenSSL lacks X25519 or ML-KEM-768: 3.5 or newer is needed");
    adit_crypto_free(c);
    return NULL;
}

void adit_crypto_free(struct adit_crypto *c)
{
    if (!c)
        return;
    ossl_close(&c->ossl);
    mem_del(c);
}

bool adit_crypto_random(struct adit_crypto *c, uint8_t *out, size_t n)
{
    return c->random ? c->random(c->random_arg, out, n) : RAND_bytes_ex(c->ossl.lib, out, n, 0) == 1;
}

const struct encr_alg *crypto_encr(const struct adit_crypto *c, uint16_t id)
{
    for (size_t i = 0; i < c->n_encr; i++)
        if (c->encr[i]->id == id)
            return c->encr[i];
    return NULL;
}

const struct integ_alg *crypto_integ(const struct adit_crypto *c, uint16_t id)
{
    for (size_t i = 0; i < c->n_integ; i++)
        if (c->integ[i]->id == id)
            return c->integ[i];
    return NULL;
}

const struct prf_alg *crypto_prf(const struct adit_crypto *c, uint16_t id)
{
    for (size_t i = 0; i < c->n_prf; i++)
        if (c->prf[i]->id == id)
            return c->prf[i];
    return NULL;
}

const struct ke_alg *crypto_ke(const struct adit_crypto *c, uint16_t id)
{
    for (size_t i = 0; i < c->n_ke; i++)
        if (c->ke[i]->id == id)
            return c->ke[i];
    return NULL;
}

bool crypto_ke_renumber(struct adit_crypto *c, uint16_t from, uint16_t to)
{
    for (size_t i = 0; i < c->n_ke && !crypto_ke(c, to); i++) {
        if (c->ke[i]->id != from)
            continue;
        c->renumbered[i] = *c->ke[i];
        c->renumbered[i].id = to;
        c->ke[i] = &c->renumbered[i];
        return true;
    }
    return false;
}

const struct ke_alg *crypto_ke_at(const struct adit_crypto *c, size_t i)
{
    return i < c->n_ke ? c->ke[i] : NULL;
}

const struct encr_alg *crypto_encr_at(const struct adit_crypto *c, size_t i)
{
    return i < c->n_encr ? c->encr[i] : NULL;
}

const struct integ_alg *crypto_integ_at(const struct adit_crypto *c, size_t i)
{
    return i < c->n_integ ? c->integ[i] : NULL;
}

const struct prf_alg *crypto_prf_at(const struct adit_crypto *c, size_t i)
{
    return i < c->n_prf ? c->prf[i] : NULL;
}
