/* pki_private.h - what the files of pki/ share. */
#ifndef PKI_PKI_PRIVATE_H
#define PKI_PKI_PRIVATE_H

#include <openssl/x509.h>
#include <stdatomic.h>

#include "pki/pki.h"

struct pki_cert {
    atomic_uint refs;
    X509 *x509;
    struct crypto_key *key;
    struct adit_buf der, subject;
    uint8_t spki_sha1[20];
};

struct pki_store {
    const struct adit_crypto *crypto;
    X509_STORE *lists; /* CRLs */
    /* Anchors: self-signed CAs, and those whose issuer is not here. The other CAs help to build paths, and so can be
     * revoked by their issuer. Borrowed from cas. */
    STACK_OF(X509) * anchors, *others;
    struct pki_cert **cas;
    size_t n_cas, cap_cas;
};

/* OpenSSL's newest complaint; empties its queue. Never NULL. */
const char *pki_error(void);
/* PEM of this name or DER, as a DER span that lives in `mem` or in data. */
bool pki_unwrap(struct adit_span data, const char *pem_name, struct adit_buf *mem, struct adit_span *der);
/* A whole DER DN, or NULL. */
X509_NAME *pki_name_parse(struct adit_span der);
/* The leaf's key usage and extended key usage allow AUTH (RFC 4945 s5.1.3.2, s5.1.3.12). */
ADIT_MUST_USE enum adit_rc pki_usage_check(const struct pki_cert *leaf, struct adit_why *why);
/* Does the certificate say where its revocation status is (CDP, or OCSP in AIA)? */
bool pki_names_revocation(const X509 *x509);
/* Whether a CRL problem at this certificate may be overlooked at this strictness (crl.c). */
bool pki_crl_may_pass(int error, const X509 *x509, enum adit_revocation strictness);

#endif
