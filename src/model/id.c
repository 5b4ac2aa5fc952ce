/* id.c - identities (RFC 7296 s3.5): strongSwan's textual rules, comparing, matching, printing. */
#include "model/model.h"
#include <ctype.h>
#include <strings.h>
#include "base/why.h"
#include "model/text.h"
#include "wire/iana.h"

struct parse {
    const char *text; /* whole, for messages */
    struct arena *arena;
    id_dn_fn *dn;
    void *dn_arg;
    struct adit_id *out;
    struct adit_why *why;
};
static const struct id_prefix {
    const char *word;
    uint8_t type; /* 0: known, but not in IKEv2 */
} prefixes[];
static const size_t num_prefixes;

static bool is_text(uint8_t type)
{
    return type == ID_FQDN || type == ID_RFC822_ADDR;
}

static bool equal_blind(struct adit_span a, struct adit_span b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0);
}

bool id_equal(const struct adit_id *a, const struct adit_id *b)
{
    if (a->type != b->type)
        return false;
    return is_text(a->type) ? equal_blind(a->data, b->data) : span_equal(a->data, b->data);
}

bool id_match(const struct adit_id *pattern, const struct adit_id *id)
{
    if (pattern->type == 0)
        return true;
    if (pattern->type != id->type || !is_text(id->type) || pattern->data.n < 2 || pattern->data.p[0] != '*')
        return id_equal(pattern, id);
    struct adit_span tail = span_from(pattern->data, 1);
    return id->data.n > tail.n && equal_blind(span_from(id->data, id->data.n - tail.n), tail);
}

static enum adit_rc set(struct parse *p, uint8_t type, struct adit_span data)
{
    struct adit_span copy = arena_span(p->arena, data);
    if (data.n && !copy.p)
        return why_set(p->why, ADIT_ERR_MEMORY, "no memory for identity '%s'", p->text);
    *p->out = (struct adit_id){ .type = type, .data = copy };
    return ADIT_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum adit_rc decode_hex(struct parse *p, const char *hex, struct adit_span *out)
{
    size_t n = 0, digits = strlen(hex);
    uint8_t *data = arena_new(p->arena, digits / 2 + 1);
    if (!data)
        return why_set(p->why, ADIT_ERR_MEMORY, "no memory for identity '%s'", p->text);
    for (size_t i = 0; i + 1 < digits; i += 2) {
        int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0)
            break;
        data[n++] = (uint8_t)(high << 4 | low);
    }
    if (n == 0 || n * 2 != digits)
        return why_set(p->why, ADIT_ERR_CONFIG, "identity '%s': '#' wants pairs of hexadecimal digits",
                       p->text);
    *out = span(data, n);
    return ADIT_OK;
}

/* The raw text behind a prefix must be what the type can hold. */
static enum adit_rc check_raw(struct parse *p, uint8_t type, struct adit_span data)
{
    size_t want = type == ID_IPV4_ADDR ? 4 : type == ID_IPV6_ADDR ? 16 : data.n;
    if (data.n == 0)
        return why_set(p->why, ADIT_ERR_CONFIG, "identity '%s' is empty", p->text);
    if (data.n != want)
        return why_set(p->why, ADIT_ERR_CONFIG,
                       "identity '%s': the text behind the prefix is taken raw and must be %zu "
                       "octets (write the address alone, or '#' and hex)",
                       p->text, want);
    if (is_text(type) && data.p[0] == '^')
        return why_set(p->why, ADIT_ERR_CONFIG,
                       "identity '%s': regular expressions are not supported by this version; "
                       "use '*' at the beginning",
                       p->text);
    return ADIT_OK;
}

/* DER from text; a text that is no DN becomes a KEY_ID, as strongSwan does. */
static enum adit_rc parse_dn(struct parse *p, const char *text)
{
    struct adit_span der;
    if (!p->dn)
        return why_set(p->why, ADIT_ERR_CONFIG, "identity '%s': distinguished names cannot be encoded here",
                       p->text);
    if (!p->dn(p->dn_arg, text, p->arena, &der))
        return set(p, ID_KEY_ID, span_str(text));
    *p->out = (struct adit_id){ .type = ID_DER_ASN1_DN, .data = der };
    return ADIT_OK;
}

static enum adit_rc parse_raw(struct parse *p, uint8_t type, const char *text)
{
    struct adit_span data = span_str(text);
    if (type == ID_DER_ASN1_DN && text[0] != '#' && strchr(text, '='))
        return parse_dn(p, text);
    if (text[0] == '#')
        TRY(decode_hex(p, text + 1, &data));
    TRY(check_raw(p, type, data));
    return set(p, type, data);
}

/* "keyid:..." and "{11}:..."; *done tells whether there was such a prefix. */
static enum adit_rc parse_prefix(struct parse *p, bool *done)
{
    const char *colon = strchr(p->text, ':');
    unsigned long number;
    size_t n = colon ? (size_t)(colon - p->text) : 0;
    *done = false;
    if (!colon)
        return ADIT_OK;
    if (n > 2 && p->text[0] == '{' && p->text[n - 1] == '}' &&
        text_number(p->text + 1, n - 2, 255, &number)) {
        *done = true;
        if (number == 0)
            return why_set(p->why, ADIT_ERR_CONFIG, "identity '%s': type 0 is reserved", p->text);
        return parse_raw(p, (uint8_t)number, colon + 1);
    }
    for (size_t i = 0; i < num_prefixes; i++) {
        if (strlen(prefixes[i].word) != n || strncasecmp(prefixes[i].word, p->text, n) != 0)
            continue;
        *done = true;
        if (!prefixes[i].type)
            return why_set(p->why, ADIT_ERR_CONFIG, "identity '%s': IKEv2 has no such type (RFC 7296 s3.5)",
                           p->text);
        return parse_raw(p, prefixes[i].type, colon + 1);
    }
    return ADIT_OK;
}

static bool is_any(const char *text)
{
    static const char *const words[] = { "", "%any", "%any6", "*", "0.0.0.0", "::", "0::0" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!strcmp(text, words[i]))
            return true;
    }
    return false;
}

/* Without prefix, "=" and "any": the text's own shape decides. */
static enum adit_rc parse_shape(struct parse *p)
{
    const char *text = p->text;
    struct adit_addr lo, hi;
    struct adit_span data;
    if (addr_range_parse(text, strlen(text), &lo, &hi)) {
        if (!addr_equal(&lo, &hi) || strpbrk(text, "/-"))
            return why_set(p->why, ADIT_ERR_CONFIG,
                           "identity '%s': IKEv2 has no identities of networks or ranges "
                           "(RFC 7296 s3.5)",
                           text);
        return set(p, lo.family == 4 ? ID_IPV4_ADDR : ID_IPV6_ADDR, addr_span(&lo));
    }
    if (text[0] == '@' && text[1] == '#') {
        TRY(decode_hex(p, text + 2, &data));
        return set(p, ID_KEY_ID, data);
    }
    if (text[0] == '@' && text[1] == '@')
        return parse_raw(p, ID_RFC822_ADDR, text + 2);
    if (text[0] == '@')
        return parse_raw(p, ID_FQDN, text + 1);
    if (strchr(text, '@'))
        return set(p, ID_RFC822_ADDR, span_str(text));
    return set(p, strchr(text, ':') ? ID_KEY_ID : ID_FQDN, span_str(text));
}

enum adit_rc id_parse(const char *text, struct arena *arena, id_dn_fn *dn, void *dn_arg, struct adit_id *out,
                      struct adit_why *why)
{
    struct parse p = { text, arena, dn, dn_arg, out, why };
    bool done;
    TRY(parse_prefix(&p, &done));
    if (done)
        return ADIT_OK;
    if (is_any(text)) {
        *out = (struct adit_id){ 0 };
        return ADIT_OK;
    }
    return strchr(text, '=') ? parse_dn(&p, text) : parse_shape(&p);
}

static void print_printable(struct strbuf *out, struct adit_span text)
{
    for (size_t i = 0; i < text.n; i++)
        strbuf_addc(out, text.p[i] >= ' ' && text.p[i] < 127 ? (char)text.p[i] : '?');
}

static bool is_printable(struct adit_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < ' ' || text.p[i] >= 127)
            return false;
    }
    return text.n > 0;
}

static void print_other(struct strbuf *out, const struct adit_id *id)
{
    if (id->type != ID_KEY_ID)
        strbuf_addf(out, "{%u}:#", id->type);
    if (id->type == ID_KEY_ID && is_printable(id->data))
        print_printable(out, id->data);
    else
        strbuf_hex(out, id->data);
}

void id_print(struct strbuf *out, const struct adit_id *id)
{
    struct adit_addr addr = addr_from(id->data);
    size_t start = out->n;
    if (id->type == 0 || id->type == ID_NULL) {
        strbuf_add(out, id->type ? "%null" : "%any");
    } else if ((id->type == ID_IPV4_ADDR && addr.family == 4) ||
               (id->type == ID_IPV6_ADDR && addr.family == 6)) {
        addr_print(out, &addr);
    } else if (is_text(id->type)) {
        print_printable(out, id->data);
    } else if (id->type == ID_DER_ASN1_DN) {
        if (dn_print(out, id->data) && out->n > start)
            return;
        out->n = start; /* not a DN after all */
        print_other(out, id);
    } else {
        print_other(out, id);
    }
}

bool id_copy(struct adit_buf *to, struct adit_id *view, const struct adit_id *from)
{
    if (buf_set(to, from->data) != ADIT_OK)
        return false;
    *view = (struct adit_id){ .type = from->type, .data = buf_span(to) };
    return true;
}

static const struct id_prefix prefixes[] = {
    { "ipv4", ID_IPV4_ADDR },
    { "ipv6", ID_IPV6_ADDR },
    { "rfc822", ID_RFC822_ADDR },
    { "email", ID_RFC822_ADDR },
    { "userfqdn", ID_RFC822_ADDR },
    { "fqdn", ID_FQDN },
    { "dns", ID_FQDN },
    { "asn1dn", ID_DER_ASN1_DN },
    { "asn1gn", ID_DER_ASN1_GN },
    { "keyid", ID_KEY_ID },
    { "ipv4net", 0 },
    { "ipv6net", 0 },
    { "ipv4range", 0 },
    { "ipv6range", 0 },
    { "xmppaddr", 0 },
    { "uri", 0 },
};
static const size_t num_prefixes = ARRAY_LEN(prefixes);
