/* cert.c - one certificate: parsing, and what the engine asks of it. Immutable once parsed. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "pki/pki_private.h"

#define CERT_MAX (256 * 1024)

const char *pki_error(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason ? reason : "no reason given";
}

static bool looks_like_pem(struct adit_span data)
{
    return data.n > 0 && data.p[0] != 0x30; /* DER begins with a SEQUENCE */
}

bool pki_unwrap(struct adit_span data, const char *pem_name, struct adit_buf *mem, struct adit_span *der)
{
    char *name = NULL, *header = NULL;
    unsigned char *p = NULL;
    long n = 0;
    *der = data;
    if (data.n == 0 || data.n > CERT_MAX)
        return false;
    if (!looks_like_pem(data))
        return true;
    BIO *bio = BIO_new_mem_buf(data.p, (int)data.n);
    bool ok = bio != NULL, found = false;
    while (ok && !found && PEM_read_bio(bio, &name, &header, &p, &n) == 1) {
        found = span_equal(span_str(name), span_str(pem_name));
        ok = !found || buf_set(mem, span(p, (size_t)n)) == ADIT_OK;
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(p);
    }
    BIO_free(bio);
    *der = buf_span(mem);
    return ok && found;
}

static X509 *x509_parse(const struct adit_crypto *c, struct adit_span der)
{
    const unsigned char *p = der.p;
    X509 *x509 = X509_new_ex(crypto_libctx(c), NULL);
    if (x509 && d2i_X509(&x509, &p, (long)der.n) && p == der.p + der.n)
        return x509;
    X509_free(x509);
    return NULL;
}

static bool set_key(const struct adit_crypto *c, struct pki_cert *cert)
{
    unsigned char *spki = NULL;
    uint8_t id[64];
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &spki);
    struct adit_span part = span(spki, n > 0 ? (size_t)n : 0);
    EVP_PKEY *pkey = n > 0 ? X509_get_pubkey(cert->x509) : NULL;
    bool ok = pkey && key_of_evp(c, pkey, &cert->key) == ADIT_OK &&
              crypto_hash(HASH_SHA1, &part, 1, id) == sizeof(cert->spki_sha1);
    if (ok)
        span_copy(cert->spki_sha1, span(id, sizeof(cert->spki_sha1)));
    OPENSSL_free(spki);
    return ok;
}

static bool set_subject(struct pki_cert *cert)
{
    unsigned char *p = NULL;
    int n = i2d_X509_NAME(X509_get_subject_name(cert->x509), &p);
    bool ok = n > 0 && buf_set(&cert->subject, span(p, (size_t)n)) == ADIT_OK;
    OPENSSL_free(p);
    return ok;
}

static enum adit_rc fill(const struct adit_crypto *c, struct pki_cert *cert, struct adit_span der,
                         struct adit_why *why)
{
    cert->x509 = x509_parse(c, der);
    if (!cert->x509)
        return why_set(why, ADIT_ERR_MALFORMED, "not a certificate: %s", pki_error());
    if (X509_get_extension_flags(cert->x509) & EXFLAG_INVALID)
        return why_set(why, ADIT_ERR_MALFORMED, "certificate with an invalid extension: %s", pki_error());
    if (!set_key(c, cert))
        return why_set(why, ADIT_ERR_MALFORMED, "certificate with a key that we cannot read: %s",
                       pki_error());
    if (!set_subject(cert) || buf_set(&cert->der, der) != ADIT_OK)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    return ADIT_OK;
}

enum adit_rc pki_cert_parse(const struct adit_crypto *c, struct adit_span data, struct pki_cert **out,
                            struct adit_why *why)
{
    struct adit_buf mem = { 0 };
    struct adit_span der;
    struct pki_cert *cert = mem_new(sizeof(*cert));
    if (!cert)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    atomic_init(&cert->refs, 1);
    enum adit_rc rc = pki_unwrap(data, PEM_STRING_X509, &mem, &der)
                          ? fill(c, cert, der, why)
                          : why_set(why, ADIT_ERR_MALFORMED, "no certificate in there: %s", pki_error());
    buf_fini(&mem);
    ERR_clear_error();
    if (rc == ADIT_OK)
        *out = cert;
    else
        pki_cert_free(cert);
    return rc;
}

struct pki_cert *pki_cert_ref(struct pki_cert *cert)
{
    atomic_fetch_add(&cert->refs, 1);
    return cert;
}

void pki_cert_free(struct pki_cert *cert)
{
    if (!cert || atomic_fetch_sub(&cert->refs, 1) != 1)
        return;
    X509_free(cert->x509);
    key_free(cert->key);
    buf_fini(&cert->der);
    buf_fini(&cert->subject);
    mem_del(cert);
}

struct adit_span pki_cert_der(const struct pki_cert *cert)
{
    return buf_span(&cert->der);
}

const struct crypto_key *pki_cert_key(const struct pki_cert *cert)
{
    return cert->key;
}

const uint8_t *pki_cert_spki_sha1(const struct pki_cert *cert)
{
    return cert->spki_sha1;
}

bool pki_cert_is_ca(const struct pki_cert *cert)
{
    return X509_check_ca(cert->x509) == 1; /* basicConstraints says so; nothing older counts */
}

bool pki_cert_issued(const struct pki_cert *issuer, const struct pki_cert *subject)
{
    return X509_check_issued(issuer->x509, subject->x509) == X509_V_OK;
}

void pki_cert_subject(const struct pki_cert *cert, struct strbuf *out)
{
    pki_dn_print(buf_span(&cert->subject), out);
}

struct adit_id pki_cert_subject_id(const struct pki_cert *cert)
{
    return (struct adit_id){ .type = ID_DER_ASN1_DN, .data = buf_span(&cert->subject) };
}

/* Days and seconds from 1970 without the C library's time zone. 0 for what cannot be said. */
static uint64_t unix_time(const ASN1_TIME *t)
{
    int days, seconds;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool ok = epoch && ASN1_TIME_diff(&days, &seconds, epoch, t) == 1;
    ASN1_TIME_free(epoch);
    int64_t s = ok ? (int64_t)days * 86400 + seconds : 0;
    return s > 0 ? (uint64_t)s : 0;
}

uint64_t pki_cert_not_before(const struct pki_cert *cert)
{
    return unix_time(X509_get0_notBefore(cert->x509));
}

uint64_t pki_cert_not_after(const struct pki_cert *cert)
{
    return unix_time(X509_get0_notAfter(cert->x509));
}
