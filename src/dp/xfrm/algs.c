/* algs.c - transforms of ESP by the names under which the kernel's crypto API has them (include/uapi/linux/xfrm.h takes names).
 * What is not here, the kernel does not know for ESP: implicit IVs (RFC 8750), KMAC. */
#include "dp/xfrm/algs.h"
#include "base/span.h"
#include "wire/iana.h"

/* As src/esp/limits.c has them: counters for nonces, and the birthday bound of CBC's blocks. */
#define AEAD_OCTETS (UINT64_C(1) << 42)
#define CBC_OCTETS (UINT64_C(1) << 40)

static const struct xfrm_alg encr[] = {
    { ENCR_AES_GCM_16, true, 128, AEAD_OCTETS, "rfc4106(gcm(aes))" },
    { ENCR_AES_GCM_12, true, 96, AEAD_OCTETS, "rfc4106(gcm(aes))" },
    { ENCR_AES_GCM_8, true, 64, AEAD_OCTETS, "rfc4106(gcm(aes))" },
    { ENCR_CHACHA20_POLY1305, true, 128, AEAD_OCTETS, "rfc7539esp(chacha20,poly1305)" },
    { ENCR_AES_CCM_16, true, 128, AEAD_OCTETS, "rfc4309(ccm(aes))" },
    { ENCR_AES_CCM_12, true, 96, AEAD_OCTETS, "rfc4309(ccm(aes))" },
    { ENCR_AES_CCM_8, true, 64, AEAD_OCTETS, "rfc4309(ccm(aes))" },
    { ENCR_NULL_AES_GMAC, true, 128, AEAD_OCTETS, "rfc4543(gcm(aes))" },
    { ENCR_AES_CBC, false, 0, CBC_OCTETS, "cbc(aes)" },
    { ENCR_AES_CTR, false, 0, AEAD_OCTETS, "rfc3686(ctr(aes))" },
    { ENCR_NULL, false, 0, 0, "ecb(cipher_null)" },
};

static const struct xfrm_alg integ[] = {
    { INTEG_HMAC_SHA2_256_128, false, 128, 0, "hmac(sha256)" },
    { INTEG_HMAC_SHA2_384_192, false, 192, 0, "hmac(sha384)" },
    { INTEG_HMAC_SHA2_512_256, false, 256, 0, "hmac(sha512)" },
    { INTEG_HMAC_SHA1_96, false, 96, 0, "hmac(sha1)" },
    { INTEG_AES_XCBC_96, false, 96, 0, "xcbc(aes)" },
    { INTEG_AES_CMAC_96, false, 96, 0, "cmac(aes)" },
};

static const struct xfrm_alg *find(const struct xfrm_alg *v, size_t n, uint16_t id)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].id == id)
            return &v[i];
    return NULL;
}

const struct xfrm_alg *xfrm_alg_encr(uint16_t id)
{
    return find(encr, ARRAY_LEN(encr), id);
}

const struct xfrm_alg *xfrm_alg_integ(uint16_t id)
{
    return find(integ, ARRAY_LEN(integ), id);
}
