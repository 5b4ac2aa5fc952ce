/* mceliece.c - Classic McEliece (ISO/IEC 18033-2 AMD 2; draft-smyslov-ipsecme-ikev2-mceliece): codes; public keys of a
 * quarter to one and a third megaoctet, ciphertexts of 100 to 240 octets. f: faster key generation, the same formats;
 * pc: with plaintext confirmation, 32 octets more of ciphertext. */
#include "base/span.h"
#include "crypto/botan/botan.h"

#define CHECKS "length; every value of that length is a public key"
#define CHECKS_ROWS "length; the unused bits at the end of each row are zero"
/* Sets with and without f differ in how keys are generated and in nothing else, so that the engine has those of the slow
 * sets made by the fast ones (made_as). */
#define ROW(id, set, pk, ct, checks, mixup, as)                                                                         \
    { KE_MCELIECE_##id, "mceliece" set, true, CRYPTO_SLOW, pk, ct, 32, &botan_kem_ops,                                  \
      &(const struct botan_kem){ true, set, 0 }, checks, mixup, as }
#define MIXUP(ct, what) &(const struct ke_mixup){ 0, ct, what }
#define CONFIRMED "the variant with plaintext confirmation (pc), or that of the third round of NIST's competition"
#define PLAIN "the variant without plaintext confirmation"
/* All four variants of a set. */
#define ROWS(set, pk, ct, pc, checks)                                                                               \
    ROW(set##F, #set "f", pk, ct, checks, MIXUP(pc, CONFIRMED), 0),                                                    \
        ROW(set, #set, pk, ct, checks, MIXUP(pc, CONFIRMED), KE_MCELIECE_##set##F),                                                       \
        ROW(set##PCF, #set "pcf", pk, pc, checks, MIXUP(ct, PLAIN), 0),                                                \
        ROW(set##PC, #set "pc", pk, pc, checks, MIXUP(ct, PLAIN), KE_MCELIECE_##set##PCF)

const struct ke_alg botan_mceliece_kes[] = {
    ROWS(6688128, 1044992, 208, 240, CHECKS),
    ROWS(6960119, 1047319, 194, 226, CHECKS_ROWS),
    ROWS(8192128, 1357824, 208, 240, CHECKS),
    ROW(460896F, "460896f", 524160, 156, CHECKS, NULL, 0),
    ROW(460896, "460896", 524160, 156, CHECKS, NULL, KE_MCELIECE_460896F),
    ROW(348864F, "348864f", 261120, 96, CHECKS, NULL, 0),
    ROW(348864, "348864", 261120, 96, CHECKS, NULL, KE_MCELIECE_348864F),
};
const size_t botan_mceliece_kes_n = ARRAY_LEN(botan_mceliece_kes);
