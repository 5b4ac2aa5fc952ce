/* sig_rows.c - which signatures there are, and which row a received AlgorithmIdentifier means (RFC 7427 A, RFC 8420).
 * RSASSA-PSS parameters are parsed, since two encodings are in use and the salt's length is free; the others are
 * compared as octets, with and without the NULL parameter. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/span.h"
#include "crypto/ossl/ossl.h"

static const struct sig_alg rows[28];

const struct sig_alg *crypto_sig_at(size_t i)
{
    return i < ARRAY_LEN(rows) ? &rows[i] : NULL;
}

static uint16_t hash_of(const X509_ALGOR *a)
{
    const ASN1_OBJECT *oid = NULL;
    if (a)
        X509_ALGOR_get0(&oid, NULL, NULL, a);
    switch (oid ? OBJ_obj2nid(oid) : NID_undef) {
    case NID_sha256: return HASH_SHA2_256;
    case NID_sha384: return HASH_SHA2_384;
    case NID_sha512: return HASH_SHA2_512;
    case NID_sha3_256: return HASH_SHA3_256;
    case NID_sha3_384: return HASH_SHA3_384;
    case NID_sha3_512: return HASH_SHA3_512;
    default: return 0; /* absent means SHA-1, RFC 4055 s3.1 */
    }
}

/* RFC 4055 s3.1: MGF1 with its own hash inside. */
static uint16_t mgf1_hash_of(const X509_ALGOR *a)
{
    const ASN1_OBJECT *oid = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    if (a)
        X509_ALGOR_get0(&oid, &type, &value, a);
    if (!oid || OBJ_obj2nid(oid) != NID_mgf1 || type != V_ASN1_SEQUENCE)
        return 0;
    X509_ALGOR *inner = ASN1_item_unpack((const ASN1_STRING *)value, ASN1_ITEM_rptr(X509_ALGOR));
    uint16_t hash = hash_of(inner);
    X509_ALGOR_free(inner);
    return hash;
}

struct pss {
    uint16_t hash;
    int salt;
};

static bool read_params(const RSA_PSS_PARAMS *p, struct pss *out)
{
    long salt = p->saltLength ? ASN1_INTEGER_get(p->saltLength) : 20;
    long trailer = p->trailerField ? ASN1_INTEGER_get(p->trailerField) : 1;
    out->hash = hash_of(p->hashAlgorithm);
    out->salt = (int)salt;
    return out->hash && mgf1_hash_of(p->maskGenAlgorithm) == out->hash && salt >= 0 && salt <= 2048 &&
           trailer == 1;
}

static bool read_algid(const X509_ALGOR *a, struct pss *out)
{
    const ASN1_OBJECT *oid;
    const void *value;
    int type;
    X509_ALGOR_get0(&oid, &type, &value, a);
    if (OBJ_obj2nid(oid) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
        return false;
    RSA_PSS_PARAMS *params = ASN1_item_unpack((const ASN1_STRING *)value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    bool ok = params && read_params(params, out);
    RSA_PSS_PARAMS_free(params);
    return ok;
}

static bool parse_pss(struct adit_span algid, struct pss *out)
{
    if (algid.n == 0 || algid.n > 255) /* its length has one octet, RFC 7427 s3 */
        return false;
    const uint8_t *p = algid.p;
    X509_ALGOR *a = d2i_X509_ALGOR(NULL, &p, (long)algid.n);
    bool ok = a && p == algid.p + algid.n && read_algid(a, out);
    X509_ALGOR_free(a);
    ERR_clear_error();
    return ok;
}

bool ossl_pss_salt(struct adit_span algid, const struct sig_alg *alg, int *salt)
{
    struct pss pss;
    if (!parse_pss(algid, &pss) || pss.hash != alg->hash)
        return false;
    *salt = pss.salt;
    return true;
}

/* The same identifier without its NULL parameter, or with one: both encodings are met (RFC 7427 A.1, A.3). */
static bool same_but_null(struct adit_span row, struct adit_span got)
{
    bool row_null = row.n > 4 && row.p[row.n - 2] == 5 && row.p[row.n - 1] == 0;
    size_t bare = row_null ? row.n - 2 : row.n;
    if (got.n != (row_null ? bare : bare + 2) || got.p[0] != row.p[0] || got.p[1] != got.n - 2)
        return false;
    return span_equal(span(row.p + 2, bare - 2), span(got.p + 2, bare - 2)) &&
           (row_null || (got.p[bare] == 5 && got.p[bare + 1] == 0));
}

static bool takes_null(const struct sig_alg *alg)
{
    return alg->key == KEY_ECDSA || (alg->key == KEY_RSA && !alg->pss);
}

static bool is_encoding(const struct sig_alg *r, struct adit_span algid)
{
    return r->auth_method == AUTH_DIGITAL_SIGNATURE &&
           (span_equal(r->algid, algid) || (takes_null(r) && same_but_null(r->algid, algid)));
}

static const struct sig_alg *by_pss(struct adit_span algid)
{
    struct pss pss = { 0 };
    if (!parse_pss(algid, &pss))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].auth_method == AUTH_DIGITAL_SIGNATURE && rows[i].pss && rows[i].hash == pss.hash)
            return &rows[i];
    return NULL;
}

/* Octets first: only RSASSA-PSS has so many encodings that it needs a parser. */
const struct sig_alg *crypto_sig_by_algid(struct adit_span algid)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (is_encoding(&rows[i], algid))
            return &rows[i];
    return by_pss(algid);
}

/* 256 bits up to 256-bit curves and 3072-bit RSA, then 384, then 512. */
bool sig_hash_suits(const struct sig_alg *alg, const struct crypto_key *key)
{
    static const unsigned curves[] = { 256, 384 }, moduli[] = { 3072, 7680 };
    const unsigned *most = key->type == KEY_ECDSA ? curves : moduli;
    const struct ossl_digest *d = ossl_digest(alg->hash);
    return !d || d->out == (key->bits <= most[0] ? 32 : key->bits <= most[1] ? 48 : 64);
}

static bool listed(uint16_t hash, const uint16_t *hashes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (hashes[i] == hash)
            return true;
    return false;
}

const struct sig_alg *sig_choose(const struct crypto_key *key, bool method14, const uint16_t *hashes,
                                 size_t n)
{
    const struct sig_alg *first = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct sig_alg *r = &rows[i];
        bool method = method14 == (r->auth_method == AUTH_DIGITAL_SIGNATURE);
        if (!method || !sig_fits(r, key) || (method14 && !listed(r->hash, hashes, n)))
            continue;
        if (first && r->pss != first->pss)
            break; /* a weaker padding only if the better one fits with no hash */
        if (sig_hash_suits(r, key))
            return r;
        if (!first)
            first = r;
    }
    return first;
}

#define OID_RSA 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01
#define OID_SHA2(x) 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, x
#define SHA2(x) 0x30, 0x0d, OID_SHA2(x), 0x05, 0x00
#define PKCS1_ID(x)                                                                                          \
    {                                                                                                        \
        0x30, 0x0d, OID_RSA, x, 0x05, 0x00                                                                   \
    }
#define ECDSA_ID(x)                                                                                          \
    {                                                                                                        \
        0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, x                                  \
    }
/* DER leaves the default trailerField out; RFC 7427 A.4.3 prints it, peers that compare octets do not send it. */
#define PSS_ID(x, salt)                                                                                      \
    {                                                                                                        \
        0x30, 0x41, OID_RSA, 0x0a, 0x30, 0x34, 0xa0, 0x0f, SHA2(x), 0xa1, 0x1c, 0x30, 0x1a, OID_RSA, 0x08,   \
            SHA2(x), 0xa2, 0x03, 0x02, 0x01, salt                                                            \
    }
/* NIST's arc of signatures with SHA-3; and its hashes, whose parameters are absent. */
#define SHA3(x) 0x30, 0x0b, OID_SHA2(x)
#define ECDSA3_ID(x)                                                                                         \
    {                                                                                                        \
        0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, x                            \
    }
#define PKCS1_3_ID(x)                                                                                        \
    {                                                                                                        \
        0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, x, 0x05, 0x00                \
    }
#define PSS3_ID(x, salt)                                                                                     \
    {                                                                                                        \
        0x30, 0x3d, OID_RSA, 0x0a, 0x30, 0x30, 0xa0, 0x0d, SHA3(x), 0xa1, 0x1a, 0x30, 0x18, OID_RSA, 0x08,   \
            SHA3(x), 0xa2, 0x03, 0x02, 0x01, salt                                                            \
    }
#define ECDSA_SHAKE_ID(x) /* RFC 8702 s2 */                                                                  \
    {                                                                                                        \
        0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x06, x                                  \
    }
#define EDDSA_ID(x)                                                                                          \
    {                                                                                                        \
        0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, x                                                                \
    }

static const uint8_t id_pkcs1_256[] = PKCS1_ID(0x0b), id_pkcs1_384[] = PKCS1_ID(0x0c),
                     id_pkcs1_512[] = PKCS1_ID(0x0d);
static const uint8_t id_pss_256[] = PSS_ID(1, 32), id_pss_384[] = PSS_ID(2, 48), id_pss_512[] = PSS_ID(3, 64);
static const uint8_t id_ecdsa_256[] = ECDSA_ID(2), id_ecdsa_384[] = ECDSA_ID(3), id_ecdsa_512[] = ECDSA_ID(4);
static const uint8_t id_pkcs1_3_256[] = PKCS1_3_ID(14), id_pkcs1_3_384[] = PKCS1_3_ID(15),
                     id_pkcs1_3_512[] = PKCS1_3_ID(16);
static const uint8_t id_pss_3_256[] = PSS3_ID(8, 32), id_pss_3_384[] = PSS3_ID(9, 48), id_pss_3_512[] = PSS3_ID(10, 64);
static const uint8_t id_ecdsa_3_256[] = ECDSA3_ID(10), id_ecdsa_3_384[] = ECDSA3_ID(11),
                     id_ecdsa_3_512[] = ECDSA3_ID(12);
static const uint8_t id_ecdsa_shake128[] = ECDSA_SHAKE_ID(32), id_ecdsa_shake256[] = ECDSA_SHAKE_ID(33);
static const uint8_t id_ed25519[] = EDDSA_ID(0x70), id_ed448[] = EDDSA_ID(0x71);

#define SIGN14(name_, hash_, key_, pss_, algid_, cost_)                                                      \
    {                                                                                                        \
        .name = name_, .auth_method = AUTH_DIGITAL_SIGNATURE, .hash = hash_, .key = key_, .pss = pss_,       \
        .algid = { algid_, sizeof(algid_) }, .cost = cost_                                                   \
    }
#define OLD(name_, method_, hash_, key_, bits_)                                                              \
    {                                                                                                        \
        .name = name_, .auth_method = method_, .hash = hash_, .key = key_, .curve_bits = bits_,              \
        .cost = CRYPTO_MEDIUM                                                                                \
    }

static const struct sig_alg rows[28] = {
    SIGN14("Ed25519", HASH_IDENTITY, KEY_ED25519, false, id_ed25519, CRYPTO_CHEAP),
    SIGN14("Ed448", HASH_IDENTITY, KEY_ED448, false, id_ed448, CRYPTO_MEDIUM),
    SIGN14("ECDSA with SHA2-256", HASH_SHA2_256, KEY_ECDSA, false, id_ecdsa_256, CRYPTO_MEDIUM),
    SIGN14("ECDSA with SHA2-384", HASH_SHA2_384, KEY_ECDSA, false, id_ecdsa_384, CRYPTO_MEDIUM),
    SIGN14("ECDSA with SHA2-512", HASH_SHA2_512, KEY_ECDSA, false, id_ecdsa_512, CRYPTO_MEDIUM),
    SIGN14("ECDSA with SHA3-256", HASH_SHA3_256, KEY_ECDSA, false, id_ecdsa_3_256, CRYPTO_MEDIUM),
    SIGN14("ECDSA with SHA3-384", HASH_SHA3_384, KEY_ECDSA, false, id_ecdsa_3_384, CRYPTO_MEDIUM),
    SIGN14("ECDSA with SHA3-512", HASH_SHA3_512, KEY_ECDSA, false, id_ecdsa_3_512, CRYPTO_MEDIUM),
    SIGN14("ECDSA with SHAKE128", HASH_SHAKE128, KEY_ECDSA, false, id_ecdsa_shake128, CRYPTO_MEDIUM),
    SIGN14("ECDSA with SHAKE256", HASH_SHAKE256, KEY_ECDSA, false, id_ecdsa_shake256, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PSS with SHA2-256", HASH_SHA2_256, KEY_RSA, true, id_pss_256, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PSS with SHA2-384", HASH_SHA2_384, KEY_RSA, true, id_pss_384, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PSS with SHA2-512", HASH_SHA2_512, KEY_RSA, true, id_pss_512, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PSS with SHA3-256", HASH_SHA3_256, KEY_RSA, true, id_pss_3_256, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PSS with SHA3-384", HASH_SHA3_384, KEY_RSA, true, id_pss_3_384, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PSS with SHA3-512", HASH_SHA3_512, KEY_RSA, true, id_pss_3_512, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PKCS1-v1_5 with SHA2-256", HASH_SHA2_256, KEY_RSA, false, id_pkcs1_256, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PKCS1-v1_5 with SHA2-384", HASH_SHA2_384, KEY_RSA, false, id_pkcs1_384, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PKCS1-v1_5 with SHA2-512", HASH_SHA2_512, KEY_RSA, false, id_pkcs1_512, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PKCS1-v1_5 with SHA3-256", HASH_SHA3_256, KEY_RSA, false, id_pkcs1_3_256, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PKCS1-v1_5 with SHA3-384", HASH_SHA3_384, KEY_RSA, false, id_pkcs1_3_384, CRYPTO_MEDIUM),
    SIGN14("RSASSA-PKCS1-v1_5 with SHA3-512", HASH_SHA3_512, KEY_RSA, false, id_pkcs1_3_512, CRYPTO_MEDIUM),
    OLD("ECDSA-256", AUTH_ECDSA_256, HASH_SHA2_256, KEY_ECDSA, 256),
    OLD("ECDSA-384", AUTH_ECDSA_384, HASH_SHA2_384, KEY_ECDSA, 384),
    OLD("ECDSA-521", AUTH_ECDSA_521, HASH_SHA2_512, KEY_ECDSA, 521),
    OLD("RSA with SHA2-256", AUTH_RSA_SIGNATURE, HASH_SHA2_256, KEY_RSA, 0),
    OLD("RSA with SHA2-384", AUTH_RSA_SIGNATURE, HASH_SHA2_384, KEY_RSA, 0),
    OLD("RSA with SHA2-512", AUTH_RSA_SIGNATURE, HASH_SHA2_512, KEY_RSA, 0),
};
