/* aead.c - AEAD rows: AES-GCM (RFC 4106), AES-CCM (RFC 4309), ChaCha20-Poly1305 (RFC 7634), their implicit-IV forms
 * (RFC 8750), and AES-GMAC (RFC 4543). Key and tag length are set once; a packet costs an IV, AAD, data and tag call. */
#include "base/span.h"
#include "crypto/crypt.h"
#include "crypto/ossl/ossl.h"

#define CCM_NONCE 11 /* RFC 4309 s4: L = 4 */

static bool set_tag(struct crypt *x, struct crypt_job *j)
{
    return x->seal || EVP_CIPHER_CTX_ctrl(x->ctx, EVP_CTRL_AEAD_SET_TAG, x->icv, j->icv) == 1;
}

static bool get_tag(struct crypt *x, struct crypt_job *j)
{
    return !x->seal || EVP_CIPHER_CTX_ctrl(x->ctx, EVP_CTRL_AEAD_GET_TAG, x->icv, j->icv) == 1;
}

static bool start(struct crypt *x, struct crypt_job *j)
{
    memcpy(x->nonce + x->alg->salt, j->iv, x->alg->nonce_iv);
    return EVP_CipherInit_ex2(x->ctx, NULL, NULL, x->nonce, -1, NULL) == 1 && set_tag(x, j);
}

static bool add_aad(struct crypt *x, const uint8_t *p, size_t n)
{
    int out_n;
    return n == 0 || EVP_CipherUpdate(x->ctx, NULL, &out_n, p, (int)n) == 1;
}

static bool run_gcm(struct crypt *x, struct crypt_job *j)
{
    int n = 0;
    return start(x, j) && add_aad(x, j->aad, j->aad_n) &&
           (j->n == 0 || EVP_CipherUpdate(x->ctx, j->data, &n, j->data, (int)j->n) == 1) &&
           EVP_CipherFinal_ex(x->ctx, j->data + n, &n) == 1 && get_tag(x, j);
}

/* CCM wants the length first, and checks the tag while it decrypts: no final call. */
static bool run_ccm(struct crypt *x, struct crypt_job *j)
{
    int n;
    return start(x, j) && EVP_CipherUpdate(x->ctx, NULL, &n, NULL, (int)j->n) == 1 &&
           add_aad(x, j->aad, j->aad_n) && EVP_CipherUpdate(x->ctx, j->data, &n, j->data, (int)j->n) == 1 &&
           get_tag(x, j);
}

/* RFC 4543 s3: nothing is encrypted; the IV is authenticated too, unlike in GCM. */
static bool run_gmac(struct crypt *x, struct crypt_job *j)
{
    uint8_t none[16];
    int n;
    return start(x, j) && add_aad(x, j->aad, j->aad_n) && add_aad(x, j->iv, x->alg->iv) &&
           add_aad(x, j->data, j->n) && EVP_CipherFinal_ex(x->ctx, none, &n) == 1 && get_tag(x, j);
}

static bool setup_ccm_sizes(struct crypt *x)
{
    return EVP_CIPHER_CTX_ctrl(x->ctx, EVP_CTRL_AEAD_SET_IVLEN, CCM_NONCE, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(x->ctx, EVP_CTRL_AEAD_SET_TAG, x->icv, NULL) == 1;
}

enum adit_rc ossl_aead_setup(const struct adit_crypto *c, struct crypt *x, struct adit_span key)
{
    enum ossl_cipher which = *(const enum ossl_cipher *)x->alg->arg;
    const EVP_CIPHER *cipher = ossl_cipher(c, which, key.n);
    x->icv = x->alg->icv;
    x->ctx = EVP_CIPHER_CTX_new();
    if (!x->ctx)
        return ADIT_ERR_MEMORY;
    if (!cipher || EVP_CipherInit_ex2(x->ctx, cipher, NULL, NULL, x->seal, NULL) != 1)
        return ADIT_ERR_CRYPTO;
    if (which == OSSL_AES_CCM && !setup_ccm_sizes(x))
        return ADIT_ERR_CRYPTO;
    x->one = which == OSSL_AES_CCM ? run_ccm : x->alg->kind == ENCR_KIND_GMAC ? run_gmac : run_gcm;
    return EVP_CipherInit_ex2(x->ctx, NULL, key.p, NULL, -1, NULL) == 1 ? ADIT_OK : ADIT_ERR_CRYPTO;
}

static const enum ossl_cipher gcm = OSSL_AES_GCM, ccm = OSSL_AES_CCM, chacha = OSSL_CHACHA;

#define AES_KEYS .has_bits = true, .key_sizes = { 16, 24, 32 }
#define AEAD(id_, name_, keys_, salt_, iv_, icv_, arg_)                                                      \
    {                                                                                                        \
        .id = id_, .name = name_, .kind = ENCR_KIND_AEAD, keys_, .salt = salt_, .iv = iv_, .nonce_iv = 8,    \
        .block = 1, .icv = icv_, .esp_only = iv_ == 0, .arg = arg_                                           \
    }
#define CHACHA_KEYS .key_sizes = { 32 }

const struct encr_alg ossl_aeads[] = {
    AEAD(ENCR_AES_GCM_16, "AES-GCM-16", AES_KEYS, 4, 8, 16, &gcm),
    AEAD(ENCR_CHACHA20_POLY1305, "ChaCha20-Poly1305", CHACHA_KEYS, 4, 8, 16, &chacha),
    AEAD(ENCR_AES_GCM_12, "AES-GCM-12", AES_KEYS, 4, 8, 12, &gcm),
    AEAD(ENCR_AES_GCM_8, "AES-GCM-8", AES_KEYS, 4, 8, 8, &gcm),
    AEAD(ENCR_AES_CCM_16, "AES-CCM-16", AES_KEYS, 3, 8, 16, &ccm),
    AEAD(ENCR_AES_CCM_12, "AES-CCM-12", AES_KEYS, 3, 8, 12, &ccm),
    AEAD(ENCR_AES_CCM_8, "AES-CCM-8", AES_KEYS, 3, 8, 8, &ccm),
    AEAD(ENCR_AES_GCM_16_IIV, "AES-GCM-16 with implicit IV", AES_KEYS, 4, 0, 16, &gcm),
    AEAD(ENCR_CHACHA20_POLY1305_IIV, "ChaCha20-Poly1305 with implicit IV", CHACHA_KEYS, 4, 0, 16, &chacha),
    AEAD(ENCR_AES_CCM_8_IIV, "AES-CCM-8 with implicit IV", AES_KEYS, 3, 0, 8, &ccm),
    { .id = ENCR_NULL_AES_GMAC,
      .name = "AES-GMAC without encryption",
      .kind = ENCR_KIND_GMAC,
      AES_KEYS,
      .salt = 4,
      .iv = 8,
      .nonce_iv = 8,
      .block = 1,
      .icv = 16,
      .esp_only = true,
      .arg = &gcm },
};
const size_t ossl_aeads_n = ARRAY_LEN(ossl_aeads);
