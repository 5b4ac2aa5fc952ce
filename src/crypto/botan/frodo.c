/* frodo.c - FrodoKEM (draft-longa-cfrg-frodokem; ISO/IEC 18033-2 AMD 2): unstructured lattices, the conservative choice.
 * Salted as standardised, and ephemeral (eFrodoKEM): without a salt at the end of the ciphertext and with shorter seeds.
 * Keys of both look the same: only the length of the ciphertext tells who mistakes one for the other. */
#include "base/span.h"
#include "crypto/botan/botan.h"

#define CHECKS "length; every value of that length is a public key"
/* bits, flavour, public key, ciphertext with and without salt, secret, private key */
#define ROWS(bits, flavour, pk, salted, ephemeral, ss, sk)                                                              \
    { KE_FRODOKEM_##bits##_##flavour, "FrodoKEM-" #bits "-" #flavour, true, CRYPTO_SLOW, pk, salted, ss,                \
      &botan_kem_ops, &(const struct botan_kem){ false, "FrodoKEM-" #bits "-" #flavour, sk }, CHECKS,                   \
      &(const struct ke_mixup){ 0, ephemeral, "eFrodoKEM-" #bits "-" #flavour ", which has no salt" } },                \
    { KE_EFRODOKEM_##bits##_##flavour, "eFrodoKEM-" #bits "-" #flavour, true, CRYPTO_SLOW, pk, ephemeral, ss,           \
      &botan_kem_ops, &(const struct botan_kem){ false, "eFrodoKEM-" #bits "-" #flavour, sk }, CHECKS,                  \
      &(const struct ke_mixup){ 0, salted, "FrodoKEM-" #bits "-" #flavour ", which has a salt" } }

const struct ke_alg botan_frodo_kes[] = {
    ROWS(976, AES, 15632, 15792, 15744, 24, 31296),  ROWS(976, SHAKE, 15632, 15792, 15744, 24, 31296),
    ROWS(1344, AES, 21520, 21696, 21632, 32, 43088), ROWS(1344, SHAKE, 21520, 21696, 21632, 32, 43088),
    ROWS(640, AES, 9616, 9752, 9720, 16, 19888),     ROWS(640, SHAKE, 9616, 9752, 9720, 16, 19888),
};
const size_t botan_frodo_kes_n = ARRAY_LEN(botan_frodo_kes);
