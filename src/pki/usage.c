/* usage.c - may this certificate's key sign AUTH? KeyUsage and ExtendedKeyUsage of the end entity (RFC 4945 s5.1.3.2,
 * s5.1.3.12). Many VPN certificates carry only serverAuth or clientAuth, so these count too. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "pki/pki_private.h"

static bool allows_ike(const ASN1_OBJECT *purpose)
{
    int nid = OBJ_obj2nid(purpose);
    return nid == NID_ipsec_IKE || nid == NID_anyExtendedKeyUsage || nid == NID_server_auth ||
           nid == NID_client_auth;
}

static bool extended_usage_allows(X509 *x509)
{
    int critical;
    EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(x509, NID_ext_key_usage, &critical, NULL);
    if (!purposes)
        return critical == -1; /* absent; otherwise unreadable or doubled */
    bool ok = false;
    for (int i = 0; !ok && i < sk_ASN1_OBJECT_num(purposes); i++)
        ok = allows_ike(sk_ASN1_OBJECT_value(purposes, i));
    EXTENDED_KEY_USAGE_free(purposes);
    return ok;
}

enum adit_rc pki_usage_check(const struct pki_cert *leaf, struct adit_why *why)
{
    /* All bits set if the extension is absent. */
    if (!(X509_get_key_usage(leaf->x509) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
        return why_set(why, ADIT_ERR_AUTH, "the certificate's key usage does not allow signatures");
    if (!extended_usage_allows(leaf->x509))
        return why_set(
            why, ADIT_ERR_AUTH,
            "the certificate's extended key usage allows none of ipsecIKE, serverAuth, clientAuth, any");
    return ADIT_OK;
}
