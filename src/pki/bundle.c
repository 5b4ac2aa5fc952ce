/* bundle.c - CertificateBundle of RFC 7296 s3.6: SEQUENCE OF CHOICE { cert [0] Certificate, crl [1] CertificateList }, tags
 * explicit. Only the frame is read here, with OpenSSL's reader of DER; what is inside is parsed as any certificate. */
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <stdint.h>

#include "base/mem.h"
#include "pki/pki_private.h"

#define TAG_CERT 0
#define TAG_CRL 1

/* One element at the front of *in, which moves behind it; its contents. False: no DER of definite length. */
static bool take(struct adit_span *in, int *tag, int *class, struct adit_span *content)
{
    const unsigned char *p = in->p;
    long n = 0;
    if (!in->n || in->n > INT32_MAX)
        return false;
    int how = ASN1_get_object(&p, &n, tag, class, (long)in->n);
    if ((how & 0x80) || (how & 1) || !(how & V_ASN1_CONSTRUCTED) || n < 0)
        return false;
    *content = span(p, (size_t)n);
    *in = span_from(*in, (size_t)(p - in->p) + (size_t)n);
    return true;
}

static enum adit_rc malformed(struct adit_why *why, const char *what)
{
    ERR_clear_error();
    return why_set(why, ADIT_ERR_MALFORMED, "bundle of certificates: %s", what);
}

enum adit_rc pki_bundle_read(struct adit_span data, struct adit_span *out, size_t max, size_t *n, struct adit_why *why)
{
    struct adit_span items, item;
    int tag, class;
    *n = 0;
    if (!take(&data, &tag, &class, &items) || tag != V_ASN1_SEQUENCE || class != V_ASN1_UNIVERSAL || data.n)
        return malformed(why, "not one sequence");
    while (items.n) {
        if (!take(&items, &tag, &class, &item) || class != V_ASN1_CONTEXT_SPECIFIC || tag > TAG_CRL)
            return malformed(why, "neither certificate nor revocation list in it");
        if (tag == TAG_CRL)
            continue;
        if (*n == max)
            return malformed(why, "too many certificates in it");
        out[(*n)++] = item;
    }
    return *n ? ADIT_OK : malformed(why, "no certificate in it");
}

static enum adit_rc put_head(struct adit_buf *out, int tag, int class, size_t content)
{
    unsigned char head[16], *p = head;
    ASN1_put_object(&p, 1, (int)content, tag, class);
    return buf_append(out, span(head, (size_t)(p - head)));
}

static size_t size_of(const struct pki_cert *cert)
{
    return (size_t)ASN1_object_size(1, (int)pki_cert_der(cert).n, TAG_CERT);
}

enum adit_rc pki_bundle_make(const struct pki_cert *const *certs, size_t n, struct adit_buf *out)
{
    size_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += size_of(certs[i]);
    TRY(buf_resize(out, 0));
    TRY(put_head(out, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, all));
    for (size_t i = 0; i < n; i++) {
        TRY(put_head(out, TAG_CERT, V_ASN1_CONTEXT_SPECIFIC, pki_cert_der(certs[i]).n));
        TRY(buf_append(out, pki_cert_der(certs[i])));
    }
    return ADIT_OK;
}
