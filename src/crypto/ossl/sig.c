/* sig.c - making and checking AUTH signatures, and the rows that say how. A method 14 signature is what RFC 7427 A
 * describes for its AlgorithmIdentifier; ECDSA of the methods 9-11 is r | s (RFC 4754 s4). */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/ossl/ossl.h"

#define RSA_BITS_MIN 1024  /* RFC 7296 s4; connections want 2048 unless they say less (RFC 8247 s3) */
#define RSA_BITS_MAX 16384 /* OpenSSL's own ceiling */
#define SIG_MAX (RSA_BITS_MAX / 8)

static bool is_raw_ecdsa(const struct sig_alg *alg)
{
    return alg->auth_method == AUTH_ECDSA_256 || alg->auth_method == AUTH_ECDSA_384 ||
           alg->auth_method == AUTH_ECDSA_521;
}

static const char *digest_name(const struct sig_alg *alg)
{
    struct ossl_digest *d = ossl_digest(alg->hash);
    return d ? d->name : NULL; /* HASH_IDENTITY: the algorithm hashes for itself */
}

static size_t field_octets(const struct sig_alg *alg)
{
    return (alg->curve_bits + 7u) / 8;
}

static bool rsa_fits(const struct sig_alg *alg, const struct crypto_key *key)
{
    bool type = key->type == KEY_RSA || (key->type == KEY_RSA_PSS && alg->pss);
    return type && key->bits >= RSA_BITS_MIN && key->bits <= RSA_BITS_MAX;
}

/* RFC 4754's curves are the NIST ones; a brainpool curve of the same size is not meant. */
static bool is_nist(const struct crypto_key *key)
{
    static const char *const names[] = { "prime256v1", "P-256", "secp384r1", "P-384", "secp521r1", "P-521" };
    char name[64];
    size_t n;
    if (EVP_PKEY_get_group_name(key->pkey, name, sizeof(name), &n) != 1)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (span_equal(span_str(name), span_str(names[i])))
            return true;
    return false;
}

bool sig_fits(const struct sig_alg *alg, const struct crypto_key *key)
{
    if (alg->key == KEY_RSA)
        return rsa_fits(alg, key);
    if (alg->key != key->type)
        return false;
    return alg->curve_bits == 0 || (key->bits == alg->curve_bits && is_nist(key));
}

static bool set_padding(const struct sig_alg *alg, EVP_PKEY_CTX *ctx, int salt)
{
    if (alg->key != KEY_RSA)
        return true;
    if (!alg->pss)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, digest_name(alg), NULL) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) == 1;
}

/* DER Ecdsa-Sig-Value <-> r | s, each as long as the field. */
static bool ecdsa_to_raw(struct adit_buf *sig, size_t field)
{
    const uint8_t *p = sig->p;
    uint8_t raw[2 * 66];
    ECDSA_SIG *es = d2i_ECDSA_SIG(NULL, &p, (long)sig->n);
    bool ok = es && BN_bn2binpad(ECDSA_SIG_get0_r(es), raw, (int)field) == (int)field &&
              BN_bn2binpad(ECDSA_SIG_get0_s(es), raw + field, (int)field) == (int)field;
    ECDSA_SIG_free(es);
    return ok && buf_set(sig, span(raw, 2 * field)) == ADIT_OK;
}

static bool ecdsa_from_raw(struct adit_span raw, size_t field, struct adit_buf *der)
{
    if (raw.n != 2 * field)
        return false;
    ECDSA_SIG *es = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw.p, (int)field, NULL), *s = BN_bin2bn(raw.p + field, (int)field, NULL);
    bool ok = es && r && s && ECDSA_SIG_set0(es, r, s) == 1;
    if (!ok) {
        BN_free(r);
        BN_free(s);
    }
    uint8_t *p = NULL;
    int n = ok ? i2d_ECDSA_SIG(es, &p) : -1;
    ok = n > 0 && buf_set(der, span(p, (size_t)n)) == ADIT_OK;
    OPENSSL_free(p);
    ECDSA_SIG_free(es);
    return ok;
}

static bool sign(const struct sig_alg *alg, struct crypto_key *key, struct adit_span octets,
                 struct adit_buf *sig)
{
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = 0;
    bool ok = ctx &&
              EVP_DigestSignInit_ex(ctx, &pctx, digest_name(alg), key->lib, NULL, key->pkey, NULL) == 1 &&
              set_padding(alg, pctx, RSA_PSS_SALTLEN_DIGEST) &&
              EVP_DigestSign(ctx, NULL, &n, octets.p, octets.n) == 1 && buf_resize(sig, n) == ADIT_OK &&
              EVP_DigestSign(ctx, sig->p, &n, octets.p, octets.n) == 1 && buf_resize(sig, n) == ADIT_OK;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* EVP takes no SHAKE for a signature; ECDSA signs whatever digest it is given (RFC 8702 s3.2). */
static bool is_shake(const struct sig_alg *alg)
{
    return alg->hash == HASH_SHAKE128 || alg->hash == HASH_SHAKE256;
}

static bool sign_digest(const struct sig_alg *alg, struct crypto_key *key, struct adit_span octets, struct adit_buf *sig)
{
    uint8_t digest[OSSL_OUT_MAX];
    size_t n = 0, n_digest = crypto_hash(alg->hash, &octets, 1, digest);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(key->lib, key->pkey, NULL);
    bool ok = ctx && n_digest && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, NULL, &n, digest, n_digest) == 1 &&
              buf_resize(sig, n) == ADIT_OK && EVP_PKEY_sign(ctx, sig->p, &n, digest, n_digest) == 1 &&
              buf_resize(sig, n) == ADIT_OK;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool verify_digest(const struct sig_alg *alg, const struct crypto_key *key, struct adit_span octets,
                          struct adit_span sig)
{
    uint8_t digest[OSSL_OUT_MAX];
    size_t n = crypto_hash(alg->hash, &octets, 1, digest);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(key->lib, key->pkey, NULL);
    bool ok = ctx && n && EVP_PKEY_verify_init(ctx) == 1 && EVP_PKEY_verify(ctx, sig.p, sig.n, digest, n) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

enum adit_rc sig_sign(const struct sig_alg *alg, struct crypto_key *key, struct adit_span octets,
                      struct adit_buf *sig)
{
    if (!sig_fits(alg, key))
        return ADIT_ERR_POLICY;
    bool signed_ok = is_shake(alg) ? sign_digest(alg, key, octets, sig) : sign(alg, key, octets, sig);
    bool ok = signed_ok && (!is_raw_ecdsa(alg) || ecdsa_to_raw(sig, field_octets(alg)));
    if (ok)
        return ADIT_OK;
    buf_fini(sig);
    ERR_clear_error();
    return ADIT_ERR_CRYPTO;
}

static bool verify(const struct sig_alg *alg, const struct crypto_key *key, int salt, struct adit_span octets,
                   struct adit_span sig)
{
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx &&
              EVP_DigestVerifyInit_ex(ctx, &pctx, digest_name(alg), key->lib, NULL, key->pkey, NULL) == 1 &&
              set_padding(alg, pctx, salt) && EVP_DigestVerify(ctx, sig.p, sig.n, octets.p, octets.n) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool verify_raw_ecdsa(const struct sig_alg *alg, const struct crypto_key *key, struct adit_span octets,
                             struct adit_span sig)
{
    struct adit_buf der = { 0 };
    bool ok = ecdsa_from_raw(sig, field_octets(alg), &der) && verify(alg, key, 0, octets, buf_span(&der));
    buf_fini(&der);
    return ok;
}

/* Method 1 does not say which hash was used; its DigestInfo does (RFC 7296 s3.8). Instead of parsing that, the rows
 * are tried whose DigestInfo may be right: EVP compares whole encodings. SHA-1 has no row, so it fails. */
static bool verify_rsa_method1(const struct crypto_key *key, struct adit_span octets, struct adit_span sig)
{
    const struct sig_alg *alg;
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++)
        if (alg->auth_method == AUTH_RSA_SIGNATURE && verify(alg, key, 0, octets, sig))
            return true;
    return false;
}

enum adit_rc sig_verify(const struct sig_alg *alg, const struct crypto_key *key, struct adit_span algid,
                        struct adit_span octets, struct adit_span sig)
{
    int salt = RSA_PSS_SALTLEN_DIGEST;
    bool ok = sig.n <= SIG_MAX && sig_fits(alg, key);
    if (ok && alg->pss && algid.n)
        ok = ossl_pss_salt(algid, alg, &salt);
    if (ok && alg->auth_method == AUTH_RSA_SIGNATURE)
        ok = verify_rsa_method1(key, octets, sig);
    else if (ok && is_shake(alg))
        ok = verify_digest(alg, key, octets, sig);
    else if (ok)
        ok = is_raw_ecdsa(alg) ? verify_raw_ecdsa(alg, key, octets, sig)
                               : verify(alg, key, salt, octets, sig);
    ERR_clear_error();
    return ok ? ADIT_OK : ADIT_ERR_AUTH;
}
