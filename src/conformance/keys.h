/* keys.h - the key hierarchy of RFC 7296 s2.13-2.18 a second time, so that a mistake in the engine's does not cancel out. */
#ifndef CONFORMANCE_KEYS_H
#define CONFORMANCE_KEYS_H

#include "crypto/crypto.h"
#include "model/model.h"

enum sk_part { SK_D, SK_AI, SK_AR, SK_EI, SK_ER, SK_PI, SK_PR, SK_PARTS };

/* The rows of a suite, looked up. */
struct suite_rows {
    const struct prf_alg *prf;
    const struct encr_alg *encr;
    const struct integ_alg *integ; /* NULL with AEAD */
    uint16_t bits;
};
struct sk_keys {
    struct adit_secret block;
    size_t at[SK_PARTS + 1]; /* where each part begins */
};
struct sk_seed {
    struct adit_span ni, nr;
    uint64_t spi_i, spi_r;
};
struct adit_span sk_part(const struct sk_keys *k, enum sk_part part);
/* SKEYSEED = prf(Ni | Nr, secret), then all SK_*. */
ADIT_MUST_USE enum adit_rc sk_first(const struct suite_rows *s, const struct sk_seed *seed, struct adit_span secret,
                                    struct sk_keys *out);
/* SKEYSEED = prf(SK_d of `from`, secret | Ni | Nr): after an additional key exchange (RFC 9370 s2.2.2), and of a rekeyed
 * IKE SA, whose seed has the new nonces and SPIs. out may not be `from`. */
ADIT_MUST_USE enum adit_rc sk_next(const struct suite_rows *s, const struct sk_seed *seed, const struct sk_keys *from,
                                   struct adit_span secret, struct sk_keys *out);
/* The same of a rekeyed IKE SA with n further key exchanges: SKEYSEED = prf(SK_d, SK(0) | Ni | Nr | SK(1) .. SK(n)), RFC
 * 9370 s2.2.4. `more` is SK(1) .. SK(n) one after the other. */
ADIT_MUST_USE enum adit_rc sk_series(const struct suite_rows *s, const struct sk_seed *seed, const struct sk_keys *from,
                                     struct adit_span secret, struct adit_span more, struct sk_keys *out);
void sk_fini(struct sk_keys *k);

#endif
