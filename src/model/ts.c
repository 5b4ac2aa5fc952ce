/* ts.c - traffic selectors (RFC 7296 s3.13.1, RFC 4301 s4.4.1.1): set operations, parse, print.
 * OPAQUE ports (65535..0) are a value of their own: part of "any port", of nothing else. */
#include "model/model.h"
#include <stdlib.h>
#include <strings.h>
#include "base/why.h"
#include "model/text.h"

#define PROTO_NUM_ICMP 1
#define PROTO_NUM_ICMPV6 58

struct named {
    const char *name;
    uint16_t number;
};
static const struct named protocols[], services[];
static const size_t num_protocols, num_services;

static size_t octets(const struct adit_ts *ts)
{
    return ts->family == 4 ? 4 : ts->family == 6 ? 16 : 0;
}
static struct adit_span low(const struct adit_ts *ts)
{
    return span(ts->lo, octets(ts));
}
static struct adit_span high(const struct adit_ts *ts)
{
    return span(ts->hi, octets(ts));
}
static bool is_opaque(const struct adit_ts *ts)
{
    return ts->port_lo > ts->port_hi;
}
static bool is_any_port(const struct adit_ts *ts)
{
    return ts->port_lo == 0 && ts->port_hi == 65535;
}

bool ts_equal(const struct adit_ts *a, const struct adit_ts *b)
{
    return a->family == b->family && a->proto == b->proto && a->port_lo == b->port_lo &&
           a->port_hi == b->port_hi && span_equal(low(a), low(b)) && span_equal(high(a), high(b));
}

bool ts_intersect(const struct adit_ts *a, const struct adit_ts *b, struct adit_ts *out)
{
    struct adit_ts ts = { .family = a->family, .proto = a->proto ? a->proto : b->proto };
    if (a->family != b->family || (a->proto && b->proto && a->proto != b->proto))
        return false;
    if (is_opaque(a) || is_opaque(b)) {
        if ((!is_opaque(a) && !is_any_port(a)) || (!is_opaque(b) && !is_any_port(b)))
            return false;
        ts.port_lo = 65535;
        ts.port_hi = 0;
    } else {
        ts.port_lo = a->port_lo > b->port_lo ? a->port_lo : b->port_lo;
        ts.port_hi = a->port_hi < b->port_hi ? a->port_hi : b->port_hi;
        if (ts.port_lo > ts.port_hi)
            return false;
    }
    span_copy(ts.lo, span_compare(low(a), low(b)) > 0 ? low(a) : low(b));
    span_copy(ts.hi, span_compare(high(a), high(b)) < 0 ? high(a) : high(b));
    if (span_compare(low(&ts), high(&ts)) > 0)
        return false;
    *out = ts;
    return true;
}

bool ts_contains(const struct adit_ts *outer, const struct adit_ts *inner)
{
    struct adit_ts common;
    return ts_intersect(outer, inner, &common) && ts_equal(&common, inner);
}

bool ts_match(const struct adit_ts *ts, const struct adit_addr *addr, uint8_t proto, uint16_t port)
{
    if (ts->family != addr->family || (ts->proto && ts->proto != proto))
        return false;
    if (is_opaque(ts) ? port != 0 : port < ts->port_lo || port > ts->port_hi)
        return false;
    return span_compare(low(ts), addr_span(addr)) <= 0 && span_compare(addr_span(addr), high(ts)) <= 0;
}

static struct adit_ts ts_of_range(const struct adit_addr *lo, const struct adit_addr *hi)
{
    struct adit_ts ts = { .family = lo->family, .port_hi = 65535 };
    span_copy(ts.lo, addr_span(lo));
    span_copy(ts.hi, addr_span(hi));
    return ts;
}

struct adit_ts ts_from_addr(const struct adit_addr *a)
{
    return ts_of_range(a, a);
}

struct adit_ts ts_any(uint8_t family)
{
    struct adit_addr lo = { .family = family }, hi;
    addr_cidr(&lo, 0, &hi);
    return ts_of_range(&lo, &hi);
}

/* --- parse -------------------------------------------------------------------------------------------------- */

static bool named_get(const struct named *table, size_t rows, const char *text, size_t n, uint16_t *out)
{
    for (size_t i = 0; i < rows; i++) {
        if (strlen(table[i].name) == n && strncasecmp(table[i].name, text, n) == 0) {
            *out = table[i].number;
            return true;
        }
    }
    return false;
}

static bool word_is(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(text, word, n) == 0;
}

static bool proto_parse(const char *text, size_t n, uint8_t *out)
{
    uint16_t number = 0;
    unsigned long value;
    if (n == 0 || word_is(text, n, "any"))
        *out = 0;
    else if (text_number(text, n, 255, &value))
        *out = (uint8_t)value;
    else if (named_get(protocols, num_protocols, text, n, &number))
        *out = (uint8_t)number;
    else
        return false;
    return true;
}

static bool is_icmp(uint8_t proto)
{
    return proto == PROTO_NUM_ICMP || proto == PROTO_NUM_ICMPV6;
}

static bool port_number(const char *text, size_t n, uint16_t *out)
{
    unsigned long value;
    if (!text_number(text, n, 65535, &value))
        return named_get(services, num_services, text, n, out);
    *out = (uint16_t)value;
    return true;
}

/* A number below 256 is an ICMP type with any code, else type << 8 + code (RFC 4301 s4.4.1.1). */
static void icmp_ports(struct adit_ts *ts)
{
    if (ts->port_lo < 256)
        ts->port_lo = (uint16_t)(ts->port_lo << 8);
    if (ts->port_hi < 256)
        ts->port_hi = (uint16_t)(ts->port_hi << 8 | 0xff);
}

static bool ports_parse(const char *text, size_t n, struct adit_ts *ts)
{
    const char *dash = memchr(text, '-', n);
    if (word_is(text, n, "any"))
        return true;
    if (word_is(text, n, "opaque")) {
        ts->port_lo = 65535;
        ts->port_hi = 0;
        return true;
    }
    /* A service's name may hold a dash itself, so the whole word is tried first. */
    if (port_number(text, n, &ts->port_lo)) {
        ts->port_hi = ts->port_lo;
    } else {
        size_t first = dash ? (size_t)(dash - text) : 0;
        if (!dash || !port_number(text, first, &ts->port_lo) ||
            !port_number(dash + 1, n - first - 1, &ts->port_hi))
            return false;
    }
    if (is_icmp(ts->proto))
        icmp_ports(ts);
    return ts->port_lo <= ts->port_hi;
}

/* "proto/port" between the brackets; either may be missing: "[tcp]", "[/53]". */
static enum adit_rc filter_parse(const char *text, size_t n, struct adit_ts *ts, struct adit_why *why)
{
    const char *slash = memchr(text, '/', n);
    size_t proto_n = slash ? (size_t)(slash - text) : n;
    if (!proto_parse(text, proto_n, &ts->proto))
        return why_set(why, ADIT_ERR_CONFIG, "'%.*s' is not a protocol", (int)proto_n, text);
    if (slash && !ports_parse(slash + 1, n - proto_n - 1, ts))
        return why_set(why, ADIT_ERR_CONFIG,
                       "'%.*s' is not a port, a range of ports, a service, any or opaque",
                       (int)(n - proto_n - 1), slash + 1);
    return ADIT_OK;
}

enum adit_rc ts_parse(const char *text, struct adit_ts_cfg *out, struct adit_why *why)
{
    size_t n = strlen(text);
    const char *open = strchr(text, '[');
    size_t net = open ? (size_t)(open - text) : n;
    struct adit_ts_cfg cfg = { .ts = { .port_hi = 65535 } };
    struct adit_addr lo, hi;
    if (word_is(text, net, "dynamic"))
        cfg.dynamic = true;
    else if (addr_range_parse(text, net, &lo, &hi))
        cfg.ts = ts_of_range(&lo, &hi);
    else
        return why_set(why, ADIT_ERR_CONFIG,
                       "'%s' is not a traffic selector: dynamic, an address, a/n or a-b, then "
                       "[protocol/port] if wanted",
                       text);
    if (open && text[n - 1] != ']')
        return why_set(why, ADIT_ERR_CONFIG, "'%s': ']' is missing at the end", text);
    if (open) {
        enum adit_rc rc = filter_parse(open + 1, n - net - 2, &cfg.ts, why);
        if (rc != ADIT_OK)
            return why_context(why, rc, "'%s'", text);
    }
    *out = cfg;
    return ADIT_OK;
}

/* --- print -------------------------------------------------------------------------------------------------- */

static const char *number_name(const struct named *table, size_t rows, unsigned number)
{
    for (size_t i = 0; i < rows; i++) {
        if (table[i].number == number)
            return table[i].name;
    }
    return NULL;
}

/* Prefix length if lo..hi is exactly one network, else -1. */
static int prefix_bits(const struct adit_ts *ts)
{
    for (unsigned bits = 0; bits <= octets(ts) * 8; bits++) {
        struct adit_addr lo = addr_from(low(ts)), hi;
        if (addr_cidr(&lo, bits, &hi) && span_equal(addr_span(&lo), low(ts)) &&
            span_equal(addr_span(&hi), high(ts)))
            return (int)bits;
    }
    return -1;
}

static void print_net(struct strbuf *out, const struct adit_ts *ts)
{
    struct adit_addr lo = addr_from(low(ts)), hi = addr_from(high(ts));
    int bits = prefix_bits(ts);
    addr_print(out, &lo);
    if (bits >= 0) {
        strbuf_addf(out, "/%d", bits);
    } else {
        strbuf_add(out, "..");
        addr_print(out, &hi);
    }
}

static void print_icmp(struct strbuf *out, unsigned value)
{
    strbuf_addf(out, "%u", value >> 8);
    if (value & 0xff)
        strbuf_addf(out, "(%u)", value & 0xff);
}

static void print_port(struct strbuf *out, unsigned port)
{
    const char *name = number_name(services, num_services, port);
    if (name)
        strbuf_add(out, name);
    else
        strbuf_addf(out, "%u", port);
}

static void print_ports(struct strbuf *out, const struct adit_ts *ts)
{
    bool one_icmp_type = is_icmp(ts->proto) && ts->port_lo >> 8 == ts->port_hi >> 8 &&
                         (ts->port_lo & 0xff) == 0 && (ts->port_hi & 0xff) == 0xff;
    if (is_opaque(ts)) {
        strbuf_add(out, "OPAQUE");
    } else if (one_icmp_type) {
        print_icmp(out, ts->port_lo);
    } else if (is_icmp(ts->proto)) {
        print_icmp(out, ts->port_lo);
        if (ts->port_hi != ts->port_lo) {
            strbuf_add(out, "-");
            print_icmp(out, ts->port_hi);
        }
    } else if (ts->port_lo == ts->port_hi) {
        print_port(out, ts->port_lo);
    } else {
        strbuf_addf(out, "%u-%u", ts->port_lo, ts->port_hi);
    }
}

/* "[tcp/http]"; nothing for all protocols and ports. */
static void print_filter(struct strbuf *out, const struct adit_ts *ts)
{
    const char *name = ts->proto ? number_name(protocols, num_protocols, ts->proto) : NULL;
    if (!ts->proto && is_any_port(ts))
        return;
    if (name)
        strbuf_addf(out, "[%s", name);
    else
        strbuf_addf(out, "[%u", ts->proto);
    if (!is_any_port(ts)) {
        strbuf_add(out, "/");
        print_ports(out, ts);
    }
    strbuf_add(out, "]");
}

void ts_print(struct strbuf *out, const struct adit_ts *ts)
{
    print_net(out, ts);
    print_filter(out, ts);
}

void ts_cfg_print(struct strbuf *out, const struct adit_ts_cfg *ts)
{
    if (ts->dynamic)
        strbuf_add(out, "dynamic");
    else
        print_net(out, &ts->ts);
    print_filter(out, &ts->ts);
}

/* The usual names of /etc/protocols and /etc/services; no file is read. The first name of a number is printed. */
static const struct named protocols[] = {
    { "icmp", 1 },
    { "igmp", 2 },
    { "ipip", 4 },
    { "ipencap", 4 },
    { "tcp", 6 },
    { "udp", 17 },
    { "dccp", 33 },
    { "ipv6", 41 },
    { "gre", 47 },
    { "esp", 50 },
    { "ah", 51 },
    { "ipv6-icmp", 58 },
    { "icmpv6", 58 },
    { "icmp6", 58 },
    { "eigrp", 88 },
    { "ospf", 89 },
    { "pim", 103 },
    { "vrrp", 112 },
    { "l2tp", 115 },
    { "sctp", 132 },
    { "mh", 135 },
    { "ipv6-mh", 135 },
    { "mobility-header", 135 },
    { "udplite", 136 },
    { "hip", 139 },
};
static const size_t num_protocols = ARRAY_LEN(protocols);
static const struct named services[] = {
    { "ftp", 21 },           { "ssh", 22 },
    { "telnet", 23 },        { "smtp", 25 },
    { "domain", 53 },        { "dns", 53 },
    { "bootps", 67 },        { "bootpc", 68 },
    { "tftp", 69 },          { "http", 80 },
    { "kerberos", 88 },      { "pop3", 110 },
    { "ntp", 123 },          { "imap2", 143 },
    { "imap", 143 },         { "snmp", 161 },
    { "snmp-trap", 162 },    { "bgp", 179 },
    { "ldap", 389 },         { "https", 443 },
    { "microsoft-ds", 445 }, { "isakmp", 500 },
    { "syslog", 514 },       { "submission", 587 },
    { "ldaps", 636 },        { "domain-s", 853 },
    { "imaps", 993 },        { "pop3s", 995 },
    { "l2f", 1701 },         { "radius", 1812 },
    { "radius-acct", 1813 }, { "nfs", 2049 },
    { "mysql", 3306 },       { "ms-wbt-server", 3389 },
    { "ipsec-nat-t", 4500 }, { "vxlan", 4789 },
    { "sip", 5060 },         { "postgresql", 5432 },
    { "mdns", 5353 },        { "http-alt", 8080 },
};
static const size_t num_services = ARRAY_LEN(services);
