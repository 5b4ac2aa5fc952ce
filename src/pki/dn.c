/* dn.c - distinguished names as text and as DER: "C=CH, O=x, CN=y" as strongSwan writes them, patterns with "*". */
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "pki/pki_private.h"

#define VALUE_MAX 512
#define TYPE_MAX 64
#define RDNS_MAX 64

/* The names that people write and read; where two stand for one type, the first is printed. */
static const struct {
    const char *name;
    int nid;
} types[] = {
    { "C", NID_countryName },
    { "ST", NID_stateOrProvinceName },
    { "L", NID_localityName },
    { "O", NID_organizationName },
    { "OU", NID_organizationalUnitName },
    { "CN", NID_commonName },
    { "E", NID_pkcs9_emailAddress },
    { "EMAIL", NID_pkcs9_emailAddress },
    { "emailAddress", NID_pkcs9_emailAddress },
    { "DC", NID_domainComponent },
    { "UID", NID_userId },
    { "G", NID_givenName },
    { "GN", NID_givenName },
    { "S", NID_surname },
    { "SN", NID_serialNumber },
    { "T", NID_title },
    { "D", NID_description },
    { "N", NID_name },
    { "I", NID_initials },
    { "serialNumber", NID_serialNumber },
    { "STREET", NID_streetAddress },
    { "postalCode", NID_postalCode },
    { "dnQualifier", NID_dnQualifier },
    { "pseudonym", NID_pseudonym },
};

static bool same_blind(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static ASN1_OBJECT *type_object(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (same_blind(name, types[i].name))
            return OBJ_nid2obj(types[i].nid);
    if (isdigit((unsigned char)*name))
        return OBJ_txt2obj(name, 1);
    return NULL;
}

static bool is_printable(const char *value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)value[i]) && (!value[i] || !strchr(" '()+,-./:=?", value[i])))
            return false;
    return true;
}

static bool is_ascii(const char *value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (value[i] & 0x80)
            return false;
    return true;
}

/* RFC 5280 A: e-mail and domain components are IA5, country is printable; the rest as narrow as it goes. */
static int string_type(const ASN1_OBJECT *type, const char *value, size_t n)
{
    int nid = OBJ_obj2nid(type);
    if ((nid == NID_pkcs9_emailAddress || nid == NID_domainComponent) && is_ascii(value, n))
        return V_ASN1_IA5STRING;
    return is_printable(value, n) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
}

struct text {
    const char *p;
    char separator;
};

static void skip_space(struct text *in)
{
    while (isspace((unsigned char)*in->p))
        in->p++;
}

/* "CN=" -> "CN" */
static bool read_type(struct text *in, char out[TYPE_MAX])
{
    size_t n = 0;
    skip_space(in);
    while (isalnum((unsigned char)*in->p) || *in->p == '.') {
        if (n == TYPE_MAX - 1)
            return false;
        out[n++] = *in->p++;
    }
    out[n] = '\0';
    skip_space(in);
    return n > 0 && *in->p++ == '=';
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

/* RFC 4514 s2.4: a backslash before a special character, or before two hex digits. */
static bool read_escape(struct text *in, char *out)
{
    in->p++;
    int hi = hex_digit(*in->p), lo = hi < 0 ? -1 : hex_digit(in->p[1]);
    if (lo >= 0) {
        *out = (char)(hi << 4 | lo);
        in->p += 2;
        return true;
    }
    *out = *in->p;
    return *in->p++ != '\0';
}

/* Up to the separator or a "+"; quotes keep separators in; spaces at both ends go. */
static bool read_value(struct text *in, char out[VALUE_MAX], size_t *n)
{
    bool quoted = false;
    size_t keep = 0; /* nothing before this is trimmed: it was quoted or escaped */
    *n = 0;
    skip_space(in);
    while (*in->p && (quoted || (*in->p != in->separator && *in->p != '+'))) {
        if (*n == VALUE_MAX)
            return false;
        if (*in->p == '"') {
            quoted = !quoted;
            in->p++;
            keep = *n;
        } else if (*in->p == '\\') {
            if (!read_escape(in, &out[(*n)++]))
                return false;
            keep = *n;
        } else {
            out[(*n)++] = *in->p++;
        }
    }
    while (*n > keep && isspace((unsigned char)out[*n - 1]))
        (*n)--;
    return !quoted;
}

/* One "type=value"; joined: part of the RDN before it (after a "+"). */
static bool read_entry(struct text *in, X509_NAME *name, bool joined)
{
    char type[TYPE_MAX], value[VALUE_MAX];
    size_t n;
    if (!read_type(in, type) || !read_value(in, value, &n))
        return false;
    ASN1_OBJECT *object = type_object(type);
    bool ok = object &&
              X509_NAME_add_entry_by_OBJ(name, object, string_type(object, value, n),
                                         (const unsigned char *)value, (int)n, -1, joined ? -1 : 0) == 1;
    ASN1_OBJECT_free(object);
    return ok;
}

static bool read_name(const char *text, X509_NAME *name)
{
    struct text in = { text, ',' };
    skip_space(&in);
    if (*in.p == '/') {
        in.separator = '/';
        in.p++;
    }
    bool joined = false;
    for (int i = 0; i < RDNS_MAX; i++) {
        if (!read_entry(&in, name, joined))
            return false;
        if (!*in.p)
            return true;
        joined = *in.p++ == '+';
    }
    return false;
}

bool pki_dn_encode(void *arg, const char *text, struct arena *arena, struct adit_span *der)
{
    unsigned char *p = NULL;
    X509_NAME *name = X509_NAME_new();
    int n = name && read_name(text, name) ? i2d_X509_NAME(name, &p) : -1;
    if (n > 0)
        *der = arena_span(arena, span(p, (size_t)n));
    OPENSSL_free(p);
    X509_NAME_free(name);
    ERR_clear_error();
    return n > 0 && der->p;
}

X509_NAME *pki_name_parse(struct adit_span der)
{
    const unsigned char *p = der.p;
    if (der.n == 0 || der.n > UINT16_MAX)
        return NULL;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.n);
    if (name && p == der.p + der.n)
        return name;
    X509_NAME_free(name);
    ERR_clear_error();
    return NULL;
}

static struct adit_span string_span(const ASN1_STRING *s)
{
    return span(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool is_text(const ASN1_STRING *s)
{
    int type = ASN1_STRING_type(s);
    return type == V_ASN1_PRINTABLESTRING || type == V_ASN1_UTF8STRING || type == V_ASN1_IA5STRING ||
           type == V_ASN1_T61STRING;
}

/* RFC 5280 s7.1 in short: texts compare without regard to case and string type, all else octet by octet. */
static bool value_equal(const ASN1_STRING *a, const ASN1_STRING *b)
{
    struct adit_span x = string_span(a), y = string_span(b);
    if (!is_text(a) || !is_text(b))
        return ASN1_STRING_type(a) == ASN1_STRING_type(b) && span_equal(x, y);
    if (x.n != y.n)
        return false;
    for (size_t i = 0; i < x.n; i++)
        if (tolower(x.p[i]) != tolower(y.p[i]))
            return false;
    return true;
}

static bool entry_match(const X509_NAME_ENTRY *pattern, const X509_NAME_ENTRY *entry)
{
    const ASN1_STRING *want = X509_NAME_ENTRY_get_data(pattern);
    if (OBJ_cmp(X509_NAME_ENTRY_get_object(pattern), X509_NAME_ENTRY_get_object(entry)) != 0 ||
        X509_NAME_ENTRY_set(pattern) != X509_NAME_ENTRY_set(entry))
        return false;
    return span_equal(string_span(want), SPAN_LIT("*")) || value_equal(want, X509_NAME_ENTRY_get_data(entry));
}

bool pki_dn_match(struct adit_span pattern_der, struct adit_span der)
{
    X509_NAME *pattern = pki_name_parse(pattern_der), *name = pki_name_parse(der);
    bool ok = pattern && name && X509_NAME_entry_count(pattern) == X509_NAME_entry_count(name);
    for (int i = 0; ok && i < X509_NAME_entry_count(name); i++)
        ok = entry_match(X509_NAME_get_entry(pattern, i), X509_NAME_get_entry(name, i));
    X509_NAME_free(pattern);
    X509_NAME_free(name);
    return ok;
}

static void print_type(const ASN1_OBJECT *type, struct strbuf *out)
{
    char oid[TYPE_MAX];
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (OBJ_obj2nid(type) == types[i].nid) {
            strbuf_add(out, types[i].name);
            return;
        }
    strbuf_add(out, OBJ_obj2txt(oid, sizeof(oid), type, 1) > 0 ? oid : "?");
}

/* So that the text can be read back, and holds no control characters: certificates come from strangers. */
static void print_value(struct adit_span value, struct strbuf *out)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = value.p[i];
        if (c < 0x20 || c == 0x7f)
            strbuf_addf(out, "\\%02X", c);
        else if (strchr(",+\"\\", c) || (c == ' ' && (i == 0 || i == value.n - 1)))
            strbuf_addf(out, "\\%c", c);
        else
            strbuf_addf(out, "%c", c);
    }
}

/* As UTF-8, whatever string type it is; what is no text comes as its octets. */
static void print_entry(const X509_NAME_ENTRY *entry, struct strbuf *out)
{
    unsigned char *utf8 = NULL;
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    print_type(X509_NAME_ENTRY_get_object(entry), out);
    strbuf_add(out, "=");
    int n = ASN1_STRING_to_UTF8(&utf8, value);
    print_value(n >= 0 ? span(utf8, (size_t)n) : string_span(value), out);
    OPENSSL_free(utf8);
}

void pki_dn_print(struct adit_span der, struct strbuf *out)
{
    X509_NAME *name = pki_name_parse(der);
    if (!name) {
        strbuf_add(out, "(not a distinguished name)");
        return;
    }
    int set = 0;
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        if (i > 0)
            strbuf_add(out, X509_NAME_ENTRY_set(entry) == set ? "+" : ", ");
        set = X509_NAME_ENTRY_set(entry);
        print_entry(entry, out);
    }
    X509_NAME_free(name);
    ERR_clear_error();
}
