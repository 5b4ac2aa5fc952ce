/* botan.h - what the files that call Botan share. Private to crypto/. Only its C interface is used: no exceptions cross. */
#ifndef CRYPTO_BOTAN_BOTAN_H
#define CRYPTO_BOTAN_BOTAN_H

#include "crypto/set.h"

/* A key exchange row's `arg`. */
struct botan_kem {
    bool mceliece;     /* else FrodoKEM */
    const char *set;   /* Botan's name of the parameter set */
    uint16_t key_size; /* FrodoKEM: octets of the private key */
};
extern const struct ke_alg botan_frodo_kes[], botan_mceliece_kes[];
extern const size_t botan_frodo_kes_n, botan_mceliece_kes_n;
extern const struct ke_ops botan_kem_ops;

/* Was this Botan built with the parameter set? */
bool botan_ke_prepare(struct adit_crypto *c, const struct ke_alg *a);

#endif
