/* addr.c - IP addresses, endpoints, paths and address ranges: compare, hash, parse, print.
 * No DNS: a name stays a text that the host resolves. */
#include "model/model.h"
#include <arpa/inet.h>
#include <ctype.h>
#include "base/map.h"
#include "base/why.h"
#include "model/text.h"

static size_t octets(const struct adit_addr *a)
{
    return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

struct adit_span addr_span(const struct adit_addr *a)
{
    return span(a->ip, octets(a));
}

struct adit_addr addr_from(struct adit_span ip)
{
    struct adit_addr a = { .family = ip.n == 4 ? 4 : ip.n == 16 ? 6 : 0 };
    if (a.family)
        span_copy(a.ip, ip);
    return a;
}

bool addr_equal(const struct adit_addr *a, const struct adit_addr *b)
{
    return a->family == b->family && span_equal(addr_span(a), addr_span(b));
}

bool addr_is_any(const struct adit_addr *a)
{
    for (size_t i = 0; i < octets(a); i++) {
        if (a->ip[i])
            return false;
    }
    return true;
}

bool endpoint_equal(const struct adit_endpoint *a, const struct adit_endpoint *b)
{
    return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

bool path_equal(const struct adit_path *a, const struct adit_path *b)
{
    return a->tcp == b->tcp && endpoint_equal(&a->local, &b->local) && endpoint_equal(&a->remote, &b->remote);
}

uint64_t addr_hash(const struct adit_addr *a, uint64_t seed)
{
    uint64_t h = map_mix(a->family, seed);
    for (size_t i = 0; i < octets(a); i += 4) {
        uint64_t word = (uint64_t)a->ip[i] << 24 | (uint64_t)a->ip[i + 1] << 16 |
                        (uint64_t)a->ip[i + 2] << 8 | a->ip[i + 3];
        h = map_mix(h ^ word, seed);
    }
    return h;
}

uint64_t endpoint_hash(const struct adit_endpoint *e, uint64_t seed)
{
    return map_mix(addr_hash(&e->addr, seed) ^ e->port, seed);
}

bool addr_parse(const char *text, struct adit_addr *out)
{
    struct adit_addr a = { 0 };
    if (inet_pton(AF_INET, text, a.ip) == 1)
        a.family = 4;
    else if (inet_pton(AF_INET6, text, a.ip) == 1)
        a.family = 6;
    else
        return false;
    *out = a;
    return true;
}

void addr_print(struct strbuf *out, const struct adit_addr *a)
{
    char text[INET6_ADDRSTRLEN];
    if (!octets(a))
        strbuf_add(out, "%any");
    else if (inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, text, sizeof(text)))
        strbuf_add(out, text);
}

void endpoint_print(struct strbuf *out, const struct adit_endpoint *e)
{
    addr_print(out, &e->addr);
    strbuf_addf(out, "[%u]", e->port);
}

bool addr_cidr(struct adit_addr *lo, unsigned bits, struct adit_addr *hi)
{
    if (bits > octets(lo) * 8)
        return false;
    *hi = *lo;
    for (unsigned i = 0; i < octets(lo); i++) {
        unsigned keep = bits >= (i + 1) * 8 ? 8 : bits <= i * 8 ? 0 : bits - i * 8;
        uint8_t host = (uint8_t)(0xff >> keep);
        lo->ip[i] &= (uint8_t)~host;
        hi->ip[i] |= host;
    }
    return true;
}

bool text_number(const char *text, size_t n, unsigned long max, unsigned long *out)
{
    unsigned long v = 0;
    if (n == 0 || (n > 1 && text[0] == '0')) /* leading zeros would be octal elsewhere */
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        v = v * 10 + (unsigned long)(text[i] - '0');
        if (v > max)
            return false;
    }
    *out = v;
    return true;
}

/* A copy of text[0..n) in `mem`, terminated; false: too long to be an address. */
static bool cut_out(const char *text, size_t n, char mem[static INET6_ADDRSTRLEN + 1])
{
    if (n > INET6_ADDRSTRLEN)
        return false;
    *span_copy((uint8_t *)mem, span(text, n)) = 0;
    return true;
}

bool addr_range_parse(const char *text, size_t n, struct adit_addr *lo, struct adit_addr *hi)
{
    char part[INET6_ADDRSTRLEN + 1];
    const char *slash = memchr(text, '/', n), *dash = memchr(text, '-', n);
    const char *sep = slash ? slash : dash;
    size_t first = sep ? (size_t)(sep - text) : n;
    if (!cut_out(text, first, part) || !addr_parse(part, lo))
        return false;
    *hi = *lo;
    if (!sep)
        return true;
    size_t rest = n - first - 1;
    if (slash) {
        unsigned long bits;
        return text_number(slash + 1, rest, 128, &bits) && addr_cidr(lo, (unsigned)bits, hi);
    }
    return cut_out(dash + 1, rest, part) && addr_parse(part, hi) && hi->family == lo->family &&
           span_compare(addr_span(lo), addr_span(hi)) <= 0;
}

/* Letters, digits, '-', '_', '.'; not digits and dots alone, which would be a mistyped address. */
static bool looks_like_name(const char *text)
{
    bool letter = false;
    for (const char *c = text; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_' && *c != '.')
            return false;
        letter |= isalpha((unsigned char)*c) || *c == '_';
    }
    return letter && text[0] != '-' && text[0] != '.' && strlen(text) <= 253;
}

static bool is_any_word(const char *text)
{
    return !strcmp(text, "%any") || !strcmp(text, "%any4") || !strcmp(text, "%any6") ||
           !strcmp(text, "0.0.0.0") || !strcmp(text, "::") || !strcmp(text, "0::0");
}

enum adit_rc addr_spec_parse(const char *text, struct adit_addr_spec *out, struct adit_why *why)
{
    struct adit_addr_spec spec = { .text = text };
    if (is_any_word(text)) {
        spec.any = !strchr(text, '4') && !strchr(text, '6') && text[0] == '%';
        spec.any |= text[0] != '%';
        if (!spec.any) { /* any address of one family is a range */
            spec.lo.family = spec.hi.family = text[4] == '4' ? 4 : 6;
            addr_cidr(&spec.lo, 0, &spec.hi);
        }
    } else if (addr_range_parse(text, strlen(text), &spec.lo, &spec.hi)) {
        spec.single = addr_equal(&spec.lo, &spec.hi);
    } else if (looks_like_name(text)) {
        spec.lo = spec.hi = (struct adit_addr){ 0 };
        spec.single = true;
    } else {
        return why_set(why, ADIT_ERR_CONFIG, "'%s' is not an address, a range (a-b or a/n), a name or %%any",
                       text);
    }
    *out = spec;
    return ADIT_OK;
}

bool addr_spec_match(const struct adit_addr_spec *spec, const struct adit_addr *a)
{
    if (spec->any)
        return true;
    return octets(a) && spec->lo.family == a->family &&
           span_compare(addr_span(&spec->lo), addr_span(a)) <= 0 &&
           span_compare(addr_span(a), addr_span(&spec->hi)) <= 0;
}
