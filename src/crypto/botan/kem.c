/* kem.c - key encapsulation by Botan's C interface: FrodoKEM and Classic McEliece. The exchange's initiator generates and
 * decapsulates, the responder encapsulates. While the answer is awaited the private key lies in our locked memory as
 * octets, and Botan's own copies live for one call; but loading one of McEliece computes the public key again, most of
 * a key generation, so that Botan's object is kept instead. Stacks of 64 KiB are enough. */
#include <botan/ffi.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/botan/botan.h"

#define RAW "Raw" /* no KDF behind the method's own: the secret as the standard says */

static const struct botan_kem *kem_of(const struct ke_alg *a)
{
    return a->arg;
}

static enum adit_rc result(int rc, enum adit_rc otherwise)
{
    if (rc == BOTAN_FFI_SUCCESS)
        return ADIT_OK;
    return rc == BOTAN_FFI_ERROR_OUT_OF_MEMORY ? ADIT_ERR_MEMORY : otherwise;
}

/* --- randomness: the set's, whatever that is ------------------------------------------------------------------------- */

static int draw(void *context, uint8_t *out, size_t n)
{
    return adit_crypto_random(context, out, n) ? 0 : BOTAN_FFI_ERROR_EXCEPTION_THROWN;
}

static int rng_new(const struct adit_crypto *c, botan_rng_t *out)
{
    /* Drawing changes nothing that belongs to the set alone. */
    return botan_rng_init_custom(out, "adit", (void *)(uintptr_t)c, draw, NULL, NULL);
}

/* --- keys as octets -------------------------------------------------------------------------------------------------- */

struct target {
    uint8_t *p;
    size_t n;
};

static int copy_out(botan_view_ctx context, const uint8_t *data, size_t n)
{
    const struct target *t = context;
    if (n != t->n)
        return BOTAN_FFI_ERROR_INVALID_OBJECT_STATE; /* not the sizes of our row */
    span_copy(t->p, span(data, n));
    return 0;
}

static int load_public(const struct botan_kem *k, struct adit_span value, botan_pubkey_t *out)
{
    return k->mceliece ? botan_pubkey_load_classic_mceliece(out, value.p, value.n, k->set)
                       : botan_pubkey_load_frodokem(out, value.p, value.n, k->set);
}

static int load_frodo(const struct botan_kem *k, struct adit_span octets, botan_privkey_t *out)
{
    return botan_privkey_load_frodokem(out, octets.p, octets.n, k->set);
}

static int export_public(botan_privkey_t key, struct target pub)
{
    botan_pubkey_t half = NULL;
    int rc = botan_privkey_export_pubkey(&half, key);
    if (rc == 0)
        rc = botan_pubkey_view_raw(half, &pub, copy_out);
    botan_pubkey_destroy(half);
    return rc;
}

static void key_fini(struct ke_state *s)
{
    botan_privkey_destroy(s->botan_key);
    s->botan_key = NULL;
    secret_fini(&s->secret_key);
}

/* --- the three calls ------------------------------------------------------------------------------------------------- */

static int generate(const struct adit_crypto *c, const struct botan_kem *k, struct target pub, botan_privkey_t *key)
{
    botan_rng_t rng = NULL;
    int rc = rng_new(c, &rng);
    if (rc == 0)
        rc = botan_privkey_create(key, k->mceliece ? "ClassicMcEliece" : "FrodoKEM", k->set, rng);
    if (rc == 0)
        rc = export_public(*key, pub);
    botan_rng_destroy(rng);
    return rc;
}

/* Into locked memory, if loading it again is cheap. */
static enum adit_rc put_away(const struct botan_kem *k, struct ke_state *s)
{
    if (k->mceliece)
        return ADIT_OK;
    TRY(secret_alloc(&s->secret_key, k->key_size));
    struct target to = { s->secret_key.p, s->secret_key.n };
    enum adit_rc rc = result(botan_privkey_view_raw(s->botan_key, &to, copy_out), ADIT_ERR_CRYPTO);
    botan_privkey_destroy(s->botan_key);
    s->botan_key = NULL;
    return rc;
}

static void kem_free(struct ke_state *st)
{
    if (!st)
        return;
    key_fini(st);
    mem_del(st);
}

static enum adit_rc kem_init(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state **st,
                             struct adit_buf *pub)
{
    const struct botan_kem *k = kem_of(a);
    TRY(buf_resize(pub, a->init_size));
    struct ke_state *s = mem_new(sizeof(*s));
    if (!s)
        return ADIT_ERR_MEMORY;
    enum adit_rc rc = result(generate(c, k, (struct target){ pub->p, pub->n }, &s->botan_key), ADIT_ERR_CRYPTO);
    if (rc == ADIT_OK)
        rc = put_away(k, s);
    if (rc == ADIT_OK)
        *st = s;
    else
        kem_free(s);
    return rc;
}

static int encapsulate(const struct adit_crypto *c, botan_pubkey_t peer, struct adit_buf *ct, struct adit_secret *secret)
{
    botan_rng_t rng = NULL;
    botan_pk_op_kem_encrypt_t op = NULL;
    size_t ct_n = ct->n, secret_n = secret->n;
    int rc = rng_new(c, &rng);
    if (rc == 0)
        rc = botan_pk_op_kem_encrypt_create(&op, peer, RAW);
    if (rc == 0)
        rc = botan_pk_op_kem_encrypt_create_shared_key(op, rng, NULL, 0, secret->n, secret->p, &secret_n, ct->p, &ct_n);
    botan_pk_op_kem_encrypt_destroy(op);
    botan_rng_destroy(rng);
    return rc == 0 && (ct_n != ct->n || secret_n != secret->n) ? BOTAN_FFI_ERROR_INVALID_OBJECT_STATE : rc;
}

/* FrodoKEM: any octets of the right length are a key. McEliece: so they are, but for the unused bits at the end of each
 * row of 6960119, which have to be zero; the library refuses the key otherwise. */
static enum adit_rc kem_respond(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span peer,
                                struct adit_buf *pub, struct adit_secret *secret)
{
    botan_pubkey_t key = NULL;
    if (peer.n != a->init_size)
        return ADIT_ERR_PUBLIC;
    TRY(result(load_public(kem_of(a), peer, &key), ADIT_ERR_PUBLIC));
    enum adit_rc rc = buf_resize(pub, a->resp_size);
    if (rc == ADIT_OK)
        rc = secret_alloc(secret, a->secret_size);
    if (rc == ADIT_OK)
        rc = result(encapsulate(c, key, pub, secret), ADIT_ERR_CRYPTO);
    botan_pubkey_destroy(key);
    if (rc != ADIT_OK)
        secret_fini(secret);
    return rc;
}

static int decapsulate(const struct botan_kem *k, struct ke_state *st, struct adit_span ct, struct adit_secret *secret)
{
    botan_pk_op_kem_decrypt_t op = NULL;
    size_t n = secret->n;
    int rc = st->botan_key ? 0 : load_frodo(k, secret_span(&st->secret_key), &st->botan_key);
    if (rc == 0)
        rc = botan_pk_op_kem_decrypt_create(&op, st->botan_key, RAW);
    if (rc == 0)
        rc = botan_pk_op_kem_decrypt_shared_key(op, NULL, 0, ct.p, ct.n, secret->n, secret->p, &n);
    botan_pk_op_kem_decrypt_destroy(op);
    return rc == 0 && n != secret->n ? BOTAN_FFI_ERROR_INVALID_OBJECT_STATE : rc;
}

/* A wrong ciphertext of the right length gives an unrelated secret, never an error. The private key has done its work
 * either way: IKE never decapsulates twice with it, which the ephemeral variant of FrodoKEM depends on. */
static enum adit_rc kem_finish(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                               struct adit_span peer, struct adit_secret *secret)
{
    if (peer.n != a->resp_size || (!st->secret_key.n && !st->botan_key))
        return ADIT_ERR_PUBLIC;
    TRY(secret_alloc(secret, a->secret_size));
    enum adit_rc rc = result(decapsulate(kem_of(a), st, peer, secret), ADIT_ERR_CRYPTO);
    key_fini(st);
    if (rc != ADIT_OK)
        secret_fini(secret);
    return rc;
}

/* A set that is not there is told before the length is looked at. */
bool botan_ke_prepare(struct adit_crypto *c, const struct ke_alg *a)
{
    botan_pubkey_t none = NULL;
    int rc = load_public(kem_of(a), SPAN_LIT(""), &none);
    botan_pubkey_destroy(none);
    return rc != BOTAN_FFI_ERROR_NOT_IMPLEMENTED;
}

const struct ke_ops botan_kem_ops = { kem_init, kem_respond, kem_finish, kem_free, "botan" };
