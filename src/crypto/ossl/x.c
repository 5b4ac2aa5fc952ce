/* x.c - Curve25519 and Curve448 (RFC 8031, RFC 7748): raw little-endian octets; non-canonical values are taken as they
 * are; an all-zero secret is refused by the library (ADIT_ERR_PUBLIC). */
#include "base/span.h"
#include "crypto/ossl/ossl.h"

static const struct ossl_group x25519 = { 0, "X25519", NULL, ossl_raw_peer, ossl_raw_value, false };
static const struct ossl_group x448 = { 1, "X448", NULL, ossl_raw_peer, ossl_raw_value, false };

#define CHECKS "length; the secret is not zero (RFC 7748 s6)"

const struct ke_alg ossl_x_kes[] = {
    { KE_CURVE_25519, "Curve25519", false, CRYPTO_CHEAP, 32, 32, 32, &ossl_dh_ops, &x25519, CHECKS },
    { KE_CURVE_448, "Curve448", false, CRYPTO_MEDIUM, 56, 56, 56, &ossl_dh_ops, &x448, CHECKS },
};
const size_t ossl_x_kes_n = ARRAY_LEN(ossl_x_kes);
