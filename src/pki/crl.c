/* crl.c - certificate revocation lists: loading, and how strict to be where they say nothing. The lists' signatures,
 * dates and scope (IDP against CDP) are checked by OpenSSL during path validation. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "pki/pki_private.h"

enum adit_rc pki_store_add_crl(struct pki_store *s, struct adit_span data, struct adit_why *why)
{
    struct adit_buf mem = { 0 };
    struct adit_span der;
    X509_CRL *crl = X509_CRL_new_ex(crypto_libctx(s->crypto), NULL);
    bool ok = crl && pki_unwrap(data, PEM_STRING_X509_CRL, &mem, &der);
    const unsigned char *p = ok ? der.p : NULL;
    ok = ok && d2i_X509_CRL(&crl, &p, (long)der.n) && p == der.p + der.n &&
         X509_STORE_add_crl(s->lists, crl) == 1;
    X509_CRL_free(crl);
    buf_fini(&mem);
    return ok ? ADIT_OK
              : why_set(why, ADIT_ERR_MALFORMED, "no revocation list that we can read: %s", pki_error());
}

bool pki_names_revocation(const X509 *x509)
{
    return X509_get_ext_by_NID(x509, NID_crl_distribution_points, -1) >= 0 ||
           X509_get_ext_by_NID(x509, NID_info_access, -1) >= 0;
}

/* The status is unknown: no list, or none that counts now. A revoked certificate or a forged list never passes. */
static bool is_unknown(int error)
{
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE: return true;
    default: return false;
    }
}

bool pki_crl_may_pass(int error, const X509 *x509, enum adit_revocation strictness)
{
    if (!is_unknown(error))
        return false;
    return strictness == ADIT_REVOKE_RELAXED ||
           (strictness == ADIT_REVOKE_IFURI && !pki_names_revocation(x509));
}
