/* mceliece.c - Classic McEliece (ISO/IEC 18033-2 AMD 2; draft-smyslov-ipsecme-ikev2-mceliece): codes; public keys of a
 * quarter to one and a third megaoctet, ciphertexts of 100 to 240 octets. f: faster key generation, the same formats;
 * pc: with plaintext confirmation, 32 octets more of ciphertext. */
#include "base/span.h"
#include "crypto/botan/botan.h"

#define CHECKS "length; every value of that length is a public key"
#define CHECKS_ROWS "length; the unused bits at the end of each row are zero"
#define ROW(id, set, pk, ct, sk, checks, mixup)                                                                         \
    { KE_MCELIECE_##id, "mceliece" set, true, CRYPTO_SLOW, pk, ct, 32, &botan_kem_ops,                                  \
      &(const struct botan_kem){ true, set, sk }, checks, mixup }
#define MIXUP(ct, what) &(const struct ke_mixup){ 0, ct, what }
#define CONFIRMED "the variant with plaintext confirmation (pc), or that of the third round of NIST's competition"
#define PLAIN "the variant without plaintext confirmation"
/* All four variants of a set. */
#define ROWS(set, pk, ct, pc, sk, checks)                                                                               \
    ROW(set##F, #set "f", pk, ct, sk, checks, MIXUP(pc, CONFIRMED)),                                                    \
        ROW(set, #set, pk, ct, sk, checks, MIXUP(pc, CONFIRMED)),                                                       \
        ROW(set##PCF, #set "pcf", pk, pc, sk, checks, MIXUP(ct, PLAIN)),                                                \
        ROW(set##PC, #set "pc", pk, pc, sk, checks, MIXUP(ct, PLAIN))

const struct ke_alg botan_mceliece_kes[] = {
    ROWS(6688128, 1044992, 208, 240, 13932, CHECKS),
    ROWS(6960119, 1047319, 194, 226, 13948, CHECKS_ROWS),
    ROWS(8192128, 1357824, 208, 240, 14120, CHECKS),
    ROW(460896F, "460896f", 524160, 156, 13608, CHECKS, NULL),
    ROW(460896, "460896", 524160, 156, 13608, CHECKS, NULL),
    ROW(348864F, "348864f", 261120, 96, 6492, CHECKS, NULL),
    ROW(348864, "348864", 261120, 96, 6492, CHECKS, NULL),
};
const size_t botan_mceliece_kes_n = ARRAY_LEN(botan_mceliece_kes);
