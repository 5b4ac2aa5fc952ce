/* select.c - see select.h. A port range becomes the fewest blocks that a mask describes, as an address range becomes prefixes. */
#include "dp/xfrm/select.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include "base/span.h"
#include "dp/routes.h"
#include "wire/ip.h"

#define PREFIXES_MAX 64
#define BLOCKS_MAX 32

struct block {
    uint16_t port, mask;
};
struct side {
    struct prefix prefix[PREFIXES_MAX];
    struct block block[BLOCKS_MAX];
    size_t n_prefix, n_block;
};

void xfrm_address_put(xfrm_address_t *out, const struct adit_addr *a)
{
    *out = (xfrm_address_t){ 0 };
    span_copy((uint8_t *)out, span(a->ip, a->family == 6 ? 16 : a->family == 4 ? 4 : 0));
}

struct adit_addr xfrm_address_get(const xfrm_address_t *in, uint16_t family)
{
    struct adit_addr a = { .family = family == AF_INET6 ? 6 : family == AF_INET ? 4 : 0 };
    span_copy(a.ip, span(in, a.family == 6 ? 16 : a.family == 4 ? 4 : 0));
    return a;
}

static bool any_port(const struct adit_ts *ts)
{
    return ts->port_lo == 0 && ts->port_hi == UINT16_MAX;
}

/* Blocks of 2^k ports that begin at a multiple of 2^k. */
static size_t blocks_of(uint32_t lo, uint32_t hi, struct block *out)
{
    size_t n = 0;
    while (lo <= hi && n < BLOCKS_MAX) {
        uint32_t size = lo ? lo & -lo : 1u << 16;
        while (lo + size - 1 > hi)
            size /= 2;
        out[n++] = (struct block){ (uint16_t)lo, (uint16_t)(0u - size) };
        lo += size;
    }
    return n;
}

static bool has_ports(uint8_t proto)
{
    return proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || proto == IPPROTO_SCTP || proto == IPPROTO_DCCP ||
           proto == IPPROTO_UDPLITE;
}

static const char *unfit(const struct adit_ts *ts)
{
    if (ts->port_lo > ts->port_hi)
        return "the kernel has no selector for OPAQUE ports";
    if (!any_port(ts) && !has_ports(ts->proto))
        return "the kernel's selectors have ports for TCP, UDP, SCTP, DCCP and UDP-Lite only";
    return NULL;
}

static const char *side_of(const struct adit_ts *ts, struct side *out)
{
    const char *no = unfit(ts);
    if (no)
        return no;
    out->n_prefix = prefixes_of(ts, out->prefix, PREFIXES_MAX);
    out->n_block = blocks_of(ts->port_lo, ts->port_hi, out->block);
    return out->n_prefix ? NULL : "an address range is too uneven for the kernel's prefixes";
}

/* 0 = any; protocols that exclude each other: false. */
static bool common_proto(uint8_t a, uint8_t b, uint8_t *out)
{
    *out = a ? a : b;
    return !a || !b || a == b;
}

static struct xfrm_selector combine(const struct prefix *l, const struct block *lp, const struct prefix *r,
                                    const struct block *rp, uint8_t proto)
{
    struct xfrm_selector s = { .family = l->addr.family == 6 ? AF_INET6 : AF_INET,
                               .prefixlen_s = l->n,
                               .prefixlen_d = r->n,
                               .proto = proto,
                               .sport = htons(lp->port),
                               .sport_mask = htons(lp->mask),
                               .dport = htons(rp->port),
                               .dport_mask = htons(rp->mask) };
    xfrm_address_put(&s.saddr, &l->addr);
    xfrm_address_put(&s.daddr, &r->addr);
    return s;
}

static bool add_pairs(const struct side *l, const struct side *r, uint8_t proto, struct xfrm_selector *out, size_t max,
                      size_t *n)
{
    size_t all = l->n_prefix * l->n_block * r->n_prefix * r->n_block;
    if (all > max - *n)
        return false;
    for (size_t i = 0; i < all; i++) {
        size_t at = i;
        const struct prefix *lp = &l->prefix[at % l->n_prefix];
        at /= l->n_prefix;
        const struct block *lb = &l->block[at % l->n_block];
        at /= l->n_block;
        out[(*n)++] = combine(lp, lb, &r->prefix[at % r->n_prefix], &r->block[at / r->n_prefix], proto);
    }
    return true;
}

/* A literal why not, or NULL. */
static const char *add_pair(const struct adit_ts *local, const struct adit_ts *remote, struct xfrm_selector *out,
                            size_t max, size_t *n)
{
    static const char too_many[] = "the selectors need too many of the kernel's policies";
    struct side l, r;
    uint8_t proto;
    if (local->family != remote->family || !common_proto(local->proto, remote->proto, &proto))
        return NULL;
    const char *no = side_of(local, &l);
    no = no ? no : side_of(remote, &r);
    return no ? no : add_pairs(&l, &r, proto, out, max, n) ? NULL : too_many;
}

size_t xfrm_selectors(const struct adit_ts *local, size_t n_local, const struct adit_ts *remote, size_t n_remote,
                      struct xfrm_selector *out, size_t max, const char **why_not)
{
    size_t n = 0;
    *why_not = NULL;
    for (size_t i = 0; i < n_local && !*why_not; i++)
        for (size_t k = 0; k < n_remote && !*why_not; k++)
            *why_not = add_pair(&local[i], &remote[k], out, max, &n);
    if (!n && !*why_not)
        *why_not = "no pair of selectors fits together";
    return *why_not ? 0 : n;
}

struct xfrm_selector xfrm_selector_turned(const struct xfrm_selector *s)
{
    struct xfrm_selector t = *s;
    t.saddr = s->daddr;
    t.daddr = s->saddr;
    t.sport = s->dport;
    t.sport_mask = s->dport_mask;
    t.dport = s->sport;
    t.dport_mask = s->sport_mask;
    t.prefixlen_s = s->prefixlen_d;
    t.prefixlen_d = s->prefixlen_s;
    return t;
}

bool xfrm_selector_equal(const struct xfrm_selector *a, const struct xfrm_selector *b)
{
    return span_equal(span(a, sizeof(*a)), span(b, sizeof(*b)));
}

/* --- hull ------------------------------------------------------------------------------------------------------ */

static unsigned common_bits(const xfrm_address_t *a, const xfrm_address_t *b, unsigned most)
{
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
    unsigned n = 0;
    while (n < most && !((x[n / 8] ^ y[n / 8]) >> (7 - n % 8) & 1))
        n++;
    return n;
}

static void cut_prefix(xfrm_address_t *a, unsigned bits)
{
    uint8_t *p = (uint8_t *)a;
    for (unsigned i = bits; i < 128; i++)
        p[i / 8] &= (uint8_t)~(0x80u >> i % 8);
}

static void widen(xfrm_address_t *a, uint8_t *prefix, const xfrm_address_t *b, uint8_t other)
{
    *prefix = (uint8_t)common_bits(a, b, *prefix < other ? *prefix : other);
    cut_prefix(a, *prefix);
}

static void widen_ports(__be16 *port, __be16 *mask, __be16 other, __be16 other_mask)
{
    if (*port != other || *mask != other_mask)
        *port = *mask = 0;
}

struct xfrm_selector xfrm_selector_hull(const struct xfrm_selector *v, size_t n)
{
    struct xfrm_selector h = v[0];
    for (size_t i = 1; i < n; i++) {
        if (v[i].family != h.family)
            return (struct xfrm_selector){ 0 };
        widen(&h.saddr, &h.prefixlen_s, &v[i].saddr, v[i].prefixlen_s);
        widen(&h.daddr, &h.prefixlen_d, &v[i].daddr, v[i].prefixlen_d);
        widen_ports(&h.sport, &h.sport_mask, v[i].sport, v[i].sport_mask);
        widen_ports(&h.dport, &h.dport_mask, v[i].dport, v[i].dport_mask);
        h.proto = h.proto == v[i].proto ? h.proto : 0;
    }
    if (!h.proto)
        h.sport = h.sport_mask = h.dport = h.dport_mask = 0;
    return h;
}
