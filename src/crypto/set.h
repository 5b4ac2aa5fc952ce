/* set.h - what one adit_crypto holds: library handles that were fetched once, and pointers to the rows for which
 * the libraries have what they need. Private to crypto/. */
#ifndef CRYPTO_SET_H
#define CRYPTO_SET_H

#include "crypto/crypto.h"
#include "crypto/ossl/ossl.h"

#define SET_ENCR_MAX 24
#define SET_INTEG_MAX 8
#define SET_PRF_MAX 8
#define SET_KE_MAX 64

/* What the initiator of a key exchange keeps until the answer is there. Each library uses its own part of it. */
struct ke_state {
    EVP_PKEY *key;                 /* OpenSSL: its memory is wiped when it is freed */
    struct adit_secret secret_key; /* Botan: the private key's octets, */
    struct botan_privkey_struct *botan_key; /* or itself, where loading octets is dear */
    struct ke_state *part[2];      /* combinations: those of the components, */
    const struct ke_ops *ops[2];   /* how these end, */
    struct adit_buf ours;          /* and what was sent */
};

struct adit_crypto {
    adit_random_fn *random; /* NULL: the library's own generator */
    void *random_arg;
    struct ossl ossl;
    bool openssl_only; /* for packets */
    size_t n_encr, n_integ, n_prf, n_ke;
    const struct encr_alg *encr[SET_ENCR_MAX];
    const struct integ_alg *integ[SET_INTEG_MAX];
    const struct prf_alg *prf[SET_PRF_MAX];
    const struct ke_alg *ke[SET_KE_MAX];
    struct ke_alg renumbered[SET_KE_MAX]; /* rows with another number than ours */
};

#endif
