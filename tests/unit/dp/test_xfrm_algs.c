/* test_xfrm_algs.c - every transform of ESP that Adit has: the kernel's name for it, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "base/span.h"
#include "dp/xfrm/algs.h"
#include "wire/iana.h"

static const struct {
    uint16_t id;
    const char *name; /* NULL: not in the kernel */
    bool aead;
    uint16_t icv;
} ciphers[] = {
    { ENCR_AES_GCM_16, "rfc4106(gcm(aes))", true, 128 },
    { ENCR_AES_GCM_12, "rfc4106(gcm(aes))", true, 96 },
    { ENCR_AES_GCM_8, "rfc4106(gcm(aes))", true, 64 },
    { ENCR_CHACHA20_POLY1305, "rfc7539esp(chacha20,poly1305)", true, 128 },
    { ENCR_AES_CCM_16, "rfc4309(ccm(aes))", true, 128 },
    { ENCR_AES_CCM_8, "rfc4309(ccm(aes))", true, 64 },
    { ENCR_NULL_AES_GMAC, "rfc4543(gcm(aes))", true, 128 },
    { ENCR_AES_CBC, "cbc(aes)", false, 0 },
    { ENCR_AES_CTR, "rfc3686(ctr(aes))", false, 0 },
    { ENCR_NULL, "ecb(cipher_null)", false, 0 },
    { ENCR_AES_GCM_16_IIV, NULL, false, 0 },
    { ENCR_AES_CCM_8_IIV, NULL, false, 0 },
    { ENCR_CHACHA20_POLY1305_IIV, NULL, false, 0 },
    { ENCR_3DES, NULL, false, 0 },
}, sums[] = {
    { INTEG_HMAC_SHA2_256_128, "hmac(sha256)", false, 128 },
    { INTEG_HMAC_SHA2_384_192, "hmac(sha384)", false, 192 },
    { INTEG_HMAC_SHA2_512_256, "hmac(sha512)", false, 256 },
    { INTEG_HMAC_SHA1_96, "hmac(sha1)", false, 96 },
    { INTEG_AES_XCBC_96, "xcbc(aes)", false, 96 },
    { INTEG_AES_CMAC_96, "cmac(aes)", false, 96 },
    { INTEG_KMAC_128, NULL, false, 0 },
    { INTEG_KMAC_256, NULL, false, 0 },
    { INTEG_NONE, NULL, false, 0 },
};

static void encryption(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        const struct xfrm_alg *a = xfrm_alg_encr(ciphers[i].id);
        assert_int_equal(a != NULL, ciphers[i].name != NULL);
        if (!a)
            continue;
        assert_string_equal(a->name, ciphers[i].name);
        assert_int_equal(a->aead, ciphers[i].aead);
        assert_int_equal(a->icv, ciphers[i].icv);
        assert_int_equal(a->octets == 0, ciphers[i].id == ENCR_NULL);
    }
}

static void integrity(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
        const struct xfrm_alg *a = xfrm_alg_integ(sums[i].id);
        assert_int_equal(a != NULL, sums[i].name != NULL);
        if (a)
            assert_true(!strcmp(a->name, sums[i].name) && a->icv == sums[i].icv && !a->aead);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(encryption), cmocka_unit_test(integrity) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
