/* domains.c - which domains a peer may take name resolution of, and trust anchors for (RFC 8598). */
#include "base/strbuf.h"
#include "ike/ext/confpay/confpay.h"

#define NAME_MAX_OCTETS 253
#define LABEL_MAX_OCTETS 63

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* "example.com." is the same name as "example.com". */
static struct adit_span without_root(struct adit_span name)
{
    return name.n && name.p[name.n - 1] == '.' ? span(name.p, name.n - 1) : name;
}

bool domain_is_good(struct adit_span name)
{
    size_t label = 0;
    name = without_root(name);
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        if (c == '.' ? label == 0 : !is_letter_or_digit(c) && c != '_' && (c != '-' || label == 0))
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MAX_OCTETS)
            return false;
    }
    return label > 0 && name.n <= NAME_MAX_OCTETS;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool domain_is_in(struct adit_span name, struct adit_span parent)
{
    name = without_root(name);
    parent = without_root(parent);
    if (name.n < parent.n || !parent.n)
        return false;
    size_t from = name.n - parent.n;
    for (size_t i = 0; i < parent.n; i++)
        if (lower(name.p[from + i]) != lower(parent.p[i]))
            return false;
    return from == 0 || name.p[from - 1] == '.';
}

bool domain_is_listed(struct adit_span name, const char *list)
{
    struct adit_span item;
    while (confpay_item(&list, &item))
        if (span_equal(item, SPAN_LIT("%any")) || domain_is_in(name, item))
            return true;
    return false;
}

static bool has_dot(struct adit_span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '.')
            return true;
    return false;
}

bool domain_may_have_anchor(struct adit_span name, const char *list)
{
    struct adit_span item;
    while (confpay_item(&list, &item))
        if (has_dot(without_root(item)) && domain_is_in(name, item))
            return true;
    return false;
}

static bool is_hex(struct adit_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!is_letter_or_digit(text.p[i]) || (text.p[i] | 0x20) > 'f')
            return false;
    return text.n > 0;
}

bool anchor_print(struct strbuf *out, struct adit_span value)
{
    struct rd in = rd_init(value);
    unsigned tag = rd_u16(&in), alg = rd_u8(&in), type = rd_u8(&in);
    struct adit_span digest = rd_rest(&in);
    if (!rd_ok(&in) || !is_hex(digest) || digest.n > 128)
        return false;
    strbuf_addf(out, "%u %u %u %.*s", tag, alg, type, (int)digest.n, (const char *)digest.p);
    return true;
}
