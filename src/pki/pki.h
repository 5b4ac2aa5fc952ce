/* pki.h - X.509 certificates, chains and CRLs, and how an IKE identity is bound to them (RFC 4945, RFC 5280).
 * Parsing and path validation are OpenSSL's; policy is ours. Certificates are immutable and reference counted. */
#ifndef PKI_PKI_H
#define PKI_PKI_H

#include "adit/config.h"
#include "crypto/crypto.h"
#include "model/model.h"

struct pki_cert;

/* PEM (first certificate) or DER. Errors say what is wrong. */
ADIT_MUST_USE enum adit_rc pki_cert_parse(const struct adit_crypto *c, struct adit_span data,
                                          struct pki_cert **out, struct adit_why *why);
struct pki_cert *pki_cert_ref(struct pki_cert *cert);
void pki_cert_free(struct pki_cert *cert);
struct adit_span pki_cert_der(const struct pki_cert *cert);
const struct crypto_key *pki_cert_key(const struct pki_cert *cert);
const uint8_t *pki_cert_spki_sha1(const struct pki_cert *cert); /* 20 octets, for CERTREQ */
bool pki_cert_is_ca(const struct pki_cert *cert);
bool pki_cert_issued(const struct pki_cert *issuer,
                     const struct pki_cert *subject);                   /* by names and key ids */
void pki_cert_subject(const struct pki_cert *cert, struct strbuf *out); /* "C=CH, O=x, CN=y" */
struct adit_id pki_cert_subject_id(const struct pki_cert *cert); /* DER DN, borrowed from the certificate */
uint64_t pki_cert_not_before(const struct pki_cert *cert),
    pki_cert_not_after(const struct pki_cert *cert); /* unix s */
/* RFC 4945 s3.1: does the end-entity certificate prove this identity? *why names what it does prove. */
bool pki_cert_proves(const struct pki_cert *cert, const struct adit_id *id, struct adit_why *why);
/* Subject/SAN names as identities for an end that has configured none: subject DN. DN text -> DER for id_parse(). */
bool pki_dn_encode(void *arg, const char *text, struct arena *arena, struct adit_span *der);
/* DN pattern with "*" values against a DER DN. */
bool pki_dn_match(struct adit_span pattern_der, struct adit_span der);
void pki_dn_print(struct adit_span der, struct strbuf *out);

/* CertificateBundle of RFC 7296 s3.6. read: the certificates in it (borrowed from data, not parsed); revocation lists are
 * passed over; ADIT_ERR_MALFORMED says what is wrong, more than max are an error too. make: replaces *out. */
ADIT_MUST_USE enum adit_rc pki_bundle_read(struct adit_span data, struct adit_span *out, size_t max, size_t *n,
                                           struct adit_why *why);
ADIT_MUST_USE enum adit_rc pki_bundle_make(const struct pki_cert *const *certs, size_t n, struct adit_buf *out);

/* Trust anchors, other known CA certificates and CRLs. Built once a configuration snapshot, then immutable. Of the CAs
 * added, the self-signed ones and those whose issuer was not added are anchors; the others only help to build paths.
 * pki_store_add_ca(): ADIT_ERR_CONFIG if it is no CA certificate. */
struct pki_store;
struct pki_store *pki_store_new(const struct adit_crypto *c);
void pki_store_free(struct pki_store *s);
ADIT_MUST_USE enum adit_rc pki_store_add_ca(struct pki_store *s, struct pki_cert *ca); /* takes a reference */
ADIT_MUST_USE enum adit_rc pki_store_add_crl(struct pki_store *s, struct adit_span data,
                                             struct adit_why *why);
size_t pki_store_cas(const struct pki_store *s, struct pki_cert *const **out);

struct pki_policy {
    enum adit_revocation revocation;
    const struct adit_span
        *anchors; /* SPKI SHA-1s (20 octets) of the only CAs allowed (remote.cacerts); n = 0: all */
    size_t n_anchors;
    unsigned min_rsa_bits; /* 2048 */
};
/* Builds and checks the path leaf -> anchor. extra = CERT payloads of the peer (untrusted). unix_now in seconds.
 * ADIT_ERR_AUTH with the reason (expired, unknown issuer, revoked ...). Pure function: may run on any thread. */
ADIT_MUST_USE enum adit_rc pki_verify(const struct pki_store *s, const struct pki_cert *leaf,
                                      struct pki_cert *const *extra, size_t n_extra,
                                      const struct pki_policy *policy, uint64_t unix_now,
                                      struct adit_why *why);
/* The certificates to send after the leaf: issuing CAs up to, not including, a self-signed anchor. Returns how many
 * of at most max were written (borrowed). */
size_t pki_chain(const struct pki_store *s, const struct pki_cert *leaf, const struct pki_cert **out,
                 size_t max);

#endif
