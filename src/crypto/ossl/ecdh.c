/* ecdh.c - ECDH over the NIST (RFC 5903) and brainpool (RFC 6954) curves. KE data is x | y without a leading octet,
 * the secret is x alone, both of full field length. The library refuses coordinates that are not below p and points
 * that are not on the curve (RFC 6989 s2.3); all these curves have cofactor 1. */
#include <openssl/core_names.h>

#include "base/span.h"
#include "crypto/ossl/ossl.h"

#define VALUE_MAX (2 * 66)
#define UNCOMPRESSED 4 /* SEC 1 s2.3.3 */

static EVP_PKEY *peer(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span value)
{
    uint8_t encoded[1 + VALUE_MAX] = { UNCOMPRESSED };
    if (value.n > VALUE_MAX)
        return NULL;
    span_copy(encoded + 1, value);
    return ossl_params_peer(c, a, encoded, 1 + value.n);
}

static bool value(EVP_PKEY *key, uint8_t *out, size_t n)
{
    uint8_t encoded[1 + VALUE_MAX];
    size_t got;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, encoded, sizeof(encoded),
                                        &got) != 1 ||
        got != 1 + n || encoded[0] != UNCOMPRESSED)
        return false;
    span_copy(out, span(encoded + 1, n));
    return true;
}

#define GROUP(index_, name_)                                                                                 \
    {                                                                                                        \
        index_, "EC", name_, peer, value, false                                                              \
    }

static const struct ossl_group p256 = GROUP(2, "P-256");
static const struct ossl_group p384 = GROUP(3, "P-384");
static const struct ossl_group p521 = GROUP(4, "P-521");
static const struct ossl_group bp256 = GROUP(5, "brainpoolP256r1");
static const struct ossl_group bp384 = GROUP(6, "brainpoolP384r1");
static const struct ossl_group bp512 = GROUP(7, "brainpoolP512r1");

#define CHECKS "length; coordinates below p; on the curve (RFC 6989 s2.3)"

const struct ke_alg ossl_ecdh_kes[] = {
    { KE_ECP_256, "ECP-256", false, CRYPTO_CHEAP, 64, 64, 32, &ossl_dh_ops, &p256, CHECKS },
    { KE_ECP_384, "ECP-384", false, CRYPTO_MEDIUM, 96, 96, 48, &ossl_dh_ops, &p384, CHECKS },
    { KE_ECP_521, "ECP-521", false, CRYPTO_MEDIUM, 132, 132, 66, &ossl_dh_ops, &p521, CHECKS },
    { KE_ECP_256_BP, "brainpool-256", false, CRYPTO_MEDIUM, 64, 64, 32, &ossl_dh_ops, &bp256, CHECKS },
    { KE_ECP_384_BP, "brainpool-384", false, CRYPTO_MEDIUM, 96, 96, 48, &ossl_dh_ops, &bp384, CHECKS },
    { KE_ECP_512_BP, "brainpool-512", false, CRYPTO_MEDIUM, 128, 128, 64, &ossl_dh_ops, &bp512, CHECKS },
};
const size_t ossl_ecdh_kes_n = ARRAY_LEN(ossl_ecdh_kes);
