/* fuzz_x509.c - certificates from a peer: parsing, and everything that is asked of one before it is trusted. */
#include <stdlib.h>

#include "pki/pki.h"

static void ask(const struct adit_crypto *c, struct pki_cert *cert, struct adit_span data)
{
    static const uint8_t types[] = { ID_IPV4_ADDR, ID_FQDN,        ID_RFC822_ADDR,
                                     ID_IPV6_ADDR, ID_DER_ASN1_DN, ID_KEY_ID };
    struct pki_policy policy = { .revocation = ADIT_REVOKE_RELAXED, .min_rsa_bits = 2048 };
    struct adit_why why;
    struct adit_id subject = pki_cert_subject_id(cert);
    struct pki_store *s = pki_store_new(c);
    STRBUF(text, 300);
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        (void)pki_cert_proves(cert, &(struct adit_id){ types[i], span_first(data, 40) }, &why);
    (void)pki_cert_proves(cert, &subject, &why);
    pki_cert_subject(cert, &text);
    (void)pki_dn_match(subject.data, subject.data);
    if (pki_cert_is_ca(cert) && pki_store_add_ca(s, cert) == ADIT_OK)
        (void)pki_cert_issued(cert, cert);
    if (pki_verify(s, cert, &cert, 1, &policy, pki_cert_not_before(cert), &why) != ADIT_OK &&
        why.text[0] == '\0')
        abort(); /* a refusal without a reason */
    pki_store_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct adit_crypto *c;
    struct pki_cert *cert = NULL;
    struct adit_why why;
    if (!c)
        c = adit_crypto_new(NULL, NULL, &why);
    if (pki_cert_parse(c, span(data, n), &cert, &why) == ADIT_OK)
        ask(c, cert, span(data, n));
    pki_cert_free(cert);
    return 0;
}
