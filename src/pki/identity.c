/* identity.c - RFC 4945 s3.1: which IKE identities an end-entity certificate proves. Addresses, names and e-mail count
 * in subjectAltName only, the DN is the whole subject, a key ID is the subjectKeyIdentifier; there are no wildcards in
 * certificates. */
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "pki/pki_private.h"

static struct adit_span string_span(const ASN1_STRING *s)
{
    return span(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool equal_blind(struct adit_span a, struct adit_span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (tolower(a.p[i]) != tolower(b.p[i]))
            return false;
    return true;
}

/* A name with an octet zero would look shorter to others than it is: never equal to anything. */
static bool has_zero(struct adit_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == 0)
            return true;
    return false;
}

/* The GeneralName type that an identity type is found in, or -1. */
static int general_name_of(uint8_t id_type)
{
    switch (id_type) {
    case ID_IPV4_ADDR:
    case ID_IPV6_ADDR: return GEN_IPADD;
    case ID_FQDN: return GEN_DNS;
    case ID_RFC822_ADDR: return GEN_EMAIL;
    default: return -1;
    }
}

static bool name_equal(const GENERAL_NAME *name, const struct adit_id *id)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    if (type != general_name_of(id->type))
        return false;
    struct adit_span have = string_span(value);
    if (type == GEN_IPADD)
        return span_equal(have, id->data);
    return have.n > 0 && !has_zero(have) && equal_blind(have, id->data);
}

static bool in_alt_names(const struct pki_cert *cert, const struct adit_id *id)
{
    bool found = false;
    GENERAL_NAMES *names = X509_get_ext_d2i(cert->x509, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++)
        found = name_equal(sk_GENERAL_NAME_value(names, i), id);
    GENERAL_NAMES_free(names);
    return found;
}

/* Octet by octet, or equal by RFC 5280 s7.1 (string types, case, spaces), since peers re-encode their DN. */
static bool is_subject(const struct pki_cert *cert, struct adit_span dn)
{
    if (span_equal(buf_span(&cert->subject), dn))
        return true;
    X509_NAME *name = pki_name_parse(dn);
    bool same = name && X509_NAME_entry_count(name) > 0 &&
                X509_NAME_cmp(name, X509_get_subject_name(cert->x509)) == 0;
    X509_NAME_free(name);
    return same;
}

/* RFC 7296 s4 wants ID_KEY_ID with certificates and does not say what ties them (RFC 4945 s3.1.7: out of scope).
 * subjectKeyIdentifier (RFC 5280 s4.2.1.2) is octets of any kind, names the key, and is signed by the CA. */
static struct adit_span key_identifier(const struct pki_cert *cert)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(cert->x509);
    return id ? string_span(id) : SPAN_NONE;
}

static bool is_key_id(const struct pki_cert *cert, struct adit_span id)
{
    return id.n > 0 && span_equal(key_identifier(cert), id);
}

static void print_text(struct adit_span text, struct strbuf *out)
{
    for (size_t i = 0; i < text.n; i++)
        strbuf_addf(out, "%c", text.p[i] > 0x20 && text.p[i] < 0x7f ? text.p[i] : '?');
}

/* "subject 'C=CH, CN=x', moon.example, 192.0.2.1, key id @#0aff": what a person needs to repair the configuration. */
static void print_proven(const struct pki_cert *cert, struct strbuf *out)
{
    strbuf_add(out, "subject '");
    pki_cert_subject(cert, out);
    strbuf_add(out, "'");
    GENERAL_NAMES *names = X509_get_ext_d2i(cert->x509, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        if (type != GEN_DNS && type != GEN_EMAIL && type != GEN_IPADD)
            continue;
        strbuf_add(out, ", ");
        struct adit_addr address = addr_from(type == GEN_IPADD ? string_span(value) : SPAN_NONE);
        if (address.family)
            addr_print(out, &address);
        else
            print_text(string_span(value), out);
    }
    GENERAL_NAMES_free(names);
    if (key_identifier(cert).n) {
        strbuf_add(out, ", key id @#");
        strbuf_hex(out, key_identifier(cert));
    }
}

bool pki_cert_proves(const struct pki_cert *cert, const struct adit_id *id, struct adit_why *why)
{
    bool ok = false;
    if (id->type == ID_DER_ASN1_DN)
        ok = is_subject(cert, id->data);
    else if (id->type == ID_KEY_ID)
        ok = is_key_id(cert, id->data);
    else if (general_name_of(id->type) >= 0 && id->data.n > 0)
        ok = in_alt_names(cert, id);
    ERR_clear_error();
    if (!ok) {
        STRBUF(proven, 400);
        print_proven(cert, &proven);
        why_set(why, ADIT_ERR_AUTH, "the certificate does not prove this identity; it proves %s", proven.p);
    }
    return ok;
}
