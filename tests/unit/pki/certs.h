/* certs.h - makes certificates and revocation lists for tests through OpenSSL, described by one struct. */
#ifndef CERTS_H
#define CERTS_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"
#include "pki/pki.h"

#define DAY 86400
#define NOW UINT64_C(1800000000) /* 15 January 2027 */
#define V3_MAX 12

/* One party: its key, its certificate, and the parsed form. */
struct party {
    EVP_PKEY *key;
    X509 *x509;
    struct pki_cert *cert;
};

struct cert_spec {
    const char *subject;        /* "C=CH, O=x, CN=y" */
    const char *kind;           /* NULL: P-256; "RSA:2048" */
    const struct party *issuer; /* NULL: signs itself */
    int64_t from, to;           /* seconds from NOW; 0, 0: a day before, a year after */
    long serial;                /* 0: 1 */
    const char *digest;         /* NULL: SHA2-256 */
    struct {
        int nid;
        const char *value; /* as in openssl.cnf */
    } v3[V3_MAX];
};
#define CA_V3                                                                                                \
    { NID_basic_constraints, "critical,CA:TRUE" }, { NID_key_usage, "critical,keyCertSign,cRLSign" },        \
    {                                                                                                        \
        NID_subject_key_identifier, "hash"                                                                   \
    }

static inline struct adit_crypto *crypto_or_fail(void)
{
    struct adit_why why = { 0 };
    struct adit_crypto *c = adit_crypto_new(NULL, NULL, &why);
    if (!c)
        fail_msg("%s", why.text);
    return c;
}

static inline EVP_PKEY *party_key(const struct adit_crypto *c, const char *kind)
{
    OSSL_LIB_CTX *lib = crypto_libctx(c);
    if (!kind)
        return EVP_PKEY_Q_keygen(lib, NULL, "EC", "P-256");
    if (strncmp(kind, "RSA:", 4) == 0)
        return EVP_PKEY_Q_keygen(lib, NULL, "RSA", (size_t)strtoul(kind + 4, NULL, 10));
    return EVP_PKEY_Q_keygen(lib, NULL, kind);
}

static inline X509_NAME *name_of(const char *text)
{
    struct arena arena = { 0 };
    struct adit_span der = SPAN_NONE;
    assert_true(pki_dn_encode(NULL, text, &arena, &der));
    const unsigned char *p = der.p;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.n);
    assert_non_null(name);
    arena_fini(&arena);
    return name;
}

static inline void set_times(ASN1_TIME *from, ASN1_TIME *to, int64_t from_s, int64_t to_s)
{
    bool dflt = from_s == 0 && to_s == 0;
    ASN1_TIME_set(from, (time_t)((int64_t)NOW + (dflt ? -DAY : from_s)));
    ASN1_TIME_set(to, (time_t)((int64_t)NOW + (dflt ? 365 * DAY : to_s)));
}

static inline void add_v3(X509 *x509, X509 *issuer, const struct cert_spec *spec)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
    for (size_t i = 0; i < V3_MAX && spec->v3[i].nid; i++) {
        X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, spec->v3[i].nid, spec->v3[i].value);
        assert_non_null(ext);
        assert_int_equal(X509_add_ext(x509, ext, -1), 1);
        X509_EXTENSION_free(ext);
    }
}

static inline void cert_parse(const struct adit_crypto *c, X509 *x509, struct pki_cert **cert)
{
    unsigned char *p = NULL;
    struct adit_why why = { 0 };
    int n = i2d_X509(x509, &p);
    assert_true(n > 0);
    if (pki_cert_parse(c, span(p, (size_t)n), cert, &why) != ADIT_OK)
        fail_msg("%s", why.text);
    OPENSSL_free(p);
}

static inline struct party party_new(const struct adit_crypto *c, struct cert_spec spec)
{
    struct party party = { .key = party_key(c, spec.kind), .x509 = X509_new_ex(crypto_libctx(c), NULL) };
    X509_NAME *name = name_of(spec.subject);
    assert_non_null(party.key);
    X509_set_version(party.x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(party.x509), spec.serial ? spec.serial : 1);
    X509_set_subject_name(party.x509, name);
    X509_set_issuer_name(party.x509, spec.issuer ? X509_get_subject_name(spec.issuer->x509) : name);
    X509_NAME_free(name);
    set_times(X509_getm_notBefore(party.x509), X509_getm_notAfter(party.x509), spec.from, spec.to);
    X509_set_pubkey(party.x509, party.key);
    add_v3(party.x509, spec.issuer ? spec.issuer->x509 : party.x509, &spec);
    EVP_PKEY *signer = spec.issuer ? spec.issuer->key : party.key;
    const EVP_MD *md = EVP_PKEY_is_a(signer, "ED25519")
                           ? NULL
                           : EVP_get_digestbyname(spec.digest ? spec.digest : "SHA256");
    assert_true(X509_sign(party.x509, signer, md) > 0);
    cert_parse(c, party.x509, &party.cert);
    return party;
}

static inline void party_fini(struct party *party)
{
    EVP_PKEY_free(party->key);
    X509_free(party->x509);
    pki_cert_free(party->cert);
}

struct crl_spec {
    const struct party *issuer;
    long serial;      /* revoked, 0: none */
    int64_t from, to; /* seconds from NOW; 0, 0: a day before, a year after */
    const char *idp;  /* issuing distribution point, as in openssl.cnf */
    EVP_PKEY *forger; /* signs instead of the issuer */
};

static inline void crl_new(const struct adit_crypto *c, struct crl_spec spec, struct adit_buf *der)
{
    X509_CRL *crl = X509_CRL_new_ex(crypto_libctx(c), NULL);
    ASN1_TIME *from = ASN1_TIME_new(), *to = ASN1_TIME_new();
    set_times(from, to, spec.from, spec.to);
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(spec.issuer->x509));
    X509_CRL_set1_lastUpdate(crl, from);
    X509_CRL_set1_nextUpdate(crl, to);
    if (spec.serial) {
        X509_REVOKED *r = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        ASN1_INTEGER_set(serial, spec.serial);
        X509_REVOKED_set_serialNumber(r, serial);
        X509_REVOKED_set_revocationDate(r, from);
        X509_CRL_add0_revoked(crl, r);
        ASN1_INTEGER_free(serial);
    }
    if (spec.idp) {
        X509V3_CTX ctx;
        X509V3_set_ctx(&ctx, spec.issuer->x509, NULL, NULL, crl, 0);
        X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_issuing_distribution_point, spec.idp);
        assert_non_null(ext);
        X509_CRL_add_ext(crl, ext, -1);
        X509_EXTENSION_free(ext);
    }
    X509_CRL_sort(crl);
    assert_true(X509_CRL_sign(crl, spec.forger ? spec.forger : spec.issuer->key, EVP_sha256()) > 0);
    unsigned char *p = NULL;
    int n = i2d_X509_CRL(crl, &p);
    assert_int_equal(buf_set(der, span(p, (size_t)n)), ADIT_OK);
    OPENSSL_free(p);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    X509_CRL_free(crl);
}

#endif
