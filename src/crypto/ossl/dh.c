/* dh.c - Diffie-Hellman over the MODP groups of RFC 3526. KE data and secret are left-padded to the modulus's length
 * (RFC 7296 s2.14, s3.4); the library refuses y <= 1 and y >= p - 1 (RFC 6989 s2.1) when a value is loaded. */
#include <openssl/core_names.h>

#include "base/span.h"
#include "crypto/ossl/ossl.h"

static EVP_PKEY *peer(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span value)
{
    return ossl_params_peer(c, a, value.p, value.n);
}

static bool value(EVP_PKEY *key, uint8_t *out, size_t n)
{
    size_t got;
    return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, out, n, &got) == 1 &&
           got == n;
}

static const struct ossl_group modp2048 = { 8, "DH", "modp_2048", peer, value, true };
static const struct ossl_group modp3072 = { 9, "DH", "modp_3072", peer, value, true };
static const struct ossl_group modp4096 = { 10, "DH", "modp_4096", peer, value, true };

#define CHECKS "length; 1 < value < p - 1 (RFC 6989 s2.1)"

const struct ke_alg ossl_dh_kes[] = {
    { KE_MODP_3072, "MODP-3072", false, CRYPTO_MEDIUM, 384, 384, 384, &ossl_dh_ops, &modp3072, CHECKS },
    { KE_MODP_4096, "MODP-4096", false, CRYPTO_SLOW, 512, 512, 512, &ossl_dh_ops, &modp4096, CHECKS },
    { KE_MODP_2048, "MODP-2048", false, CRYPTO_MEDIUM, 256, 256, 256, &ossl_dh_ops, &modp2048, CHECKS },
};
const size_t ossl_dh_kes_n = ARRAY_LEN(ossl_dh_kes);
