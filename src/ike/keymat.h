/* keymat.h - the key hierarchy (RFC 7296 s2.13-2.18; RFC 9370 s2.2.2-2.2.4). Pure functions over secrets. */
#ifndef IKE_KEYMAT_H
#define IKE_KEYMAT_H

#include "crypto/crypto.h"
#include "model/model.h"

/* One generation of SK_*: one locked block, the parts are slices of it. */
struct ike_keys {
    struct adit_secret block;
    uint8_t n_d, n_a, n_e; /* lengths of SK_d/SK_p*, SK_a*, SK_e* (with salt) */
};
struct adit_span keys_d(const struct ike_keys *k);
struct adit_span keys_a(const struct ike_keys *k, bool of_initiator); /* empty with AEAD */
struct adit_span keys_e(const struct ike_keys *k, bool of_initiator);
struct adit_span keys_p(const struct ike_keys *k, bool of_initiator);
void keys_fini(struct ike_keys *k);
void keys_move(struct ike_keys *to, struct ike_keys *from);

struct keymat_in {
    const struct adit_crypto *crypto;
    const struct adit_suite *suite; /* lengths come from its rows */
    struct adit_span nonce_i, nonce_r;
    uint64_t spi_i, spi_r;
};
/* SKEYSEED = prf(Ni | Nr, secret) and SK_* of a new IKE SA. */
ADIT_MUST_USE enum adit_rc keymat_init(const struct keymat_in *in, struct adit_span secret, struct ike_keys *out);
/* After an additional key exchange: SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr), all SK_* anew. out may be `from`. */
ADIT_MUST_USE enum adit_rc keymat_round(const struct keymat_in *in, const struct ike_keys *from, struct adit_span secret,
                                        struct ike_keys *out);
/* A new IKE SA from SK_d of an earlier one: SKEYSEED = prf(SK_d, "Resumption" | Ni | Nr), RFC 5723 s5.1. */
ADIT_MUST_USE enum adit_rc keymat_resume(const struct keymat_in *in, struct adit_span sk_d, struct ike_keys *out);
/* SK_d, SK_pi and SK_pr each become prf+(key, itself), SK_a and SK_e stay as they are: RFC 8784 s3. */
ADIT_MUST_USE enum adit_rc keymat_stir(const struct prf_alg *prf, const struct ike_keys *from,
                                       struct adit_span key, struct ike_keys *out);
/* IKE SA rekey: SKEYSEED = prf_old(SK_d old, secrets[0] | Ni | Nr | secrets[1] ..); `in` is the NEW SA's (suite, nonces
 * of the rekey, new SPIs). prf_plus_old: a peer quirk (prf+ with the old PRF too). */
ADIT_MUST_USE enum adit_rc keymat_rekey(const struct keymat_in *in, const struct prf_alg *prf_old,
                                        const struct ike_keys *from, const struct adit_secret *secrets, size_t n_secrets,
                                        bool prf_plus_old, struct ike_keys *out);
/* Child SA: KEYMAT = prf+(SK_d, [secrets[0]] | Ni | Nr | secrets[1] ..) split i->r then r->i, each encr key (with salt),
 * then integ key. encr_n/integ_n octets come from the suite. out = one block; slices by keymat_child_slice(). */
ADIT_MUST_USE enum adit_rc keymat_child(const struct adit_crypto *crypto, const struct prf_alg *prf,
                                        const struct ike_keys *from, const struct adit_suite *child,
                                        struct adit_span nonce_i, struct adit_span nonce_r,
                                        const struct adit_secret *secrets, size_t n_secrets, struct adit_secret *out);
void keymat_child_slice(const struct adit_crypto *crypto, const struct adit_suite *child, const struct adit_secret *block,
                        bool i_to_r, struct adit_span *encr, struct adit_span *integ);

#endif
