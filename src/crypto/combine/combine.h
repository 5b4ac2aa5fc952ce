/* combine.h - key exchange methods made of two others in one KE payload: a KEM and a Diffie-Hellman group, of which either
 * may be broken (draft-reddy-ipsecme-ikev2-hybrid-reliable; draft-irtf-cfrg-hybrid-kems). Private to crypto/. */
#ifndef CRYPTO_COMBINE_COMBINE_H
#define CRYPTO_COMBINE_COMBINE_H

#include "crypto/set.h"

/* A row's `arg`: all that there is to choose, so that another profile is another table. */
struct combination {
    uint16_t pq, t;    /* KE numbers of the components; the KEM's octets come first */
    bool sec1;         /* the group's shares have the octet 04 of SEC 1 in front, which RFC 5903 leaves out */
    bool universal;    /* all octets of both go into the hash; false: without the KEM's key and ciphertext (C2PRI) */
    const char *label;
};
extern const struct ke_alg combine_kes[];
extern const size_t combine_kes_n;
extern const struct ke_ops combine_ops;

/* Are both components there, and do the sizes of the row follow from theirs? */
bool combine_prepare(struct adit_crypto *c, const struct ke_alg *a);

/* What the secret is made of; the group's shares as they travel. */
struct combine_in {
    struct adit_span ss_pq, ss_t;
    struct adit_span ct_pq, ct_t; /* the responder's */
    struct adit_span ek_pq, ek_t; /* the initiator's */
};
/* SHA3-256 over them and the label, in this order. ADIT_ERR_MEMORY, ADIT_ERR_CRYPTO. */
ADIT_MUST_USE enum adit_rc combine_secrets(const struct adit_crypto *c, const struct combination *m,
                                           const struct combine_in *in, struct adit_secret *out);

#endif
