/* cipher.c - ciphers that need an INTEG row beside them: AES-CBC (RFC 3602), AES-CTR (RFC 3686, RFC 5930), NULL
 * (RFC 2410). Encrypt-then-MAC over aad | iv | data | tail (RFC 4303 s3.3.2, RFC 7296 s3.14). */
#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/crypt.h"
#include "crypto/ossl/ossl.h"

static bool mac(struct crypt *x, const struct crypt_job *j, uint8_t *out)
{
    struct ossl_mac *h = x->mac;
    return ossl_mac_start(h) && ossl_mac_update(h, j->aad, j->aad_n) &&
           ossl_mac_update(h, j->iv, x->alg->iv) && ossl_mac_update(h, j->data, j->n) &&
           ossl_mac_update(h, j->tail, j->tail_n) && ossl_mac_final(h, out);
}

static bool encipher(struct crypt *x, const struct crypt_job *j)
{
    int n;
    if (!x->ctx || j->n == 0)
        return true;
    if (j->n % x->alg->block)
        return false;
    memcpy(x->nonce + x->alg->salt, j->iv, x->alg->nonce_iv);
    return EVP_CipherInit_ex2(x->ctx, NULL, NULL, x->nonce, -1, NULL) == 1 &&
           EVP_CipherUpdate(x->ctx, j->data, &n, j->data, (int)j->n) == 1;
}

static bool run_seal(struct crypt *x, struct crypt_job *j)
{
    uint8_t full[OSSL_OUT_MAX];
    if (!encipher(x, j) || !mac(x, j, full))
        return false;
    memcpy(j->icv, full, x->icv);
    return true;
}

static bool run_open(struct crypt *x, struct crypt_job *j)
{
    uint8_t full[OSSL_OUT_MAX];
    return mac(x, j, full) && CRYPTO_memcmp(full, j->icv, x->icv) == 0 && encipher(x, j);
}

static enum adit_rc setup_ecb(const struct adit_crypto *c, struct crypt *x, struct adit_span key)
{
    x->ecb = EVP_CIPHER_CTX_new();
    if (!x->ecb)
        return ADIT_ERR_MEMORY;
    bool ok = EVP_EncryptInit_ex2(x->ecb, ossl_cipher(c, OSSL_AES_ECB, key.n), key.p, NULL, NULL) == 1 &&
              EVP_CIPHER_CTX_set_padding(x->ecb, 0) == 1;
    return ok ? ADIT_OK : ADIT_ERR_CRYPTO;
}

enum adit_rc ossl_cipher_setup(const struct adit_crypto *c, struct crypt *x, struct adit_span key)
{
    x->one = x->seal ? run_seal : run_open;
    if (x->alg->kind == ENCR_KIND_NULL)
        return ADIT_OK;
    enum ossl_cipher which = *(const enum ossl_cipher *)x->alg->arg;
    const EVP_CIPHER *cipher = ossl_cipher(c, which, key.n);
    x->nonce[15] = 1; /* RFC 3686 s4: the block counter starts at one; CBC's IV overwrites it */
    x->ctx = EVP_CIPHER_CTX_new();
    if (!x->ctx)
        return ADIT_ERR_MEMORY;
    if (!cipher || EVP_CipherInit_ex2(x->ctx, cipher, key.p, NULL, x->seal, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(x->ctx, 0) != 1)
        return ADIT_ERR_CRYPTO;
    return which == OSSL_AES_CBC && x->seal ? setup_ecb(c, x, key) : ADIT_OK;
}

static const enum ossl_cipher cbc = OSSL_AES_CBC, ctr = OSSL_AES_CTR;

const struct encr_alg ossl_plain_ciphers[] = {
    { .id = ENCR_AES_CBC,
      .name = "AES-CBC",
      .kind = ENCR_KIND_CIPHER,
      .has_bits = true,
      .key_sizes = { 16, 24, 32 },
      .iv = 16,
      .nonce_iv = 16,
      .block = 16,
      .arg = &cbc },
    { .id = ENCR_AES_CTR,
      .name = "AES-CTR",
      .kind = ENCR_KIND_CIPHER,
      .has_bits = true,
      .key_sizes = { 16, 24, 32 },
      .salt = 4,
      .iv = 8,
      .nonce_iv = 8,
      .block = 1,
      .arg = &ctr },
    { .id = ENCR_NULL, .name = "NULL", .kind = ENCR_KIND_NULL, .block = 1, .esp_only = true },
};
const size_t ossl_plain_ciphers_n = ARRAY_LEN(ossl_plain_ciphers);
