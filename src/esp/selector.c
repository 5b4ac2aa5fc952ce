/* selector.c - does a packet belong into this SA (RFC 4301 s4.4.1.1, s5.2 step 4)? */
#include "esp/sa.h"
#include "wire/be.h"
#include "wire/icmp.h"

#define PORT_MAX UINT16_MAX

/* One side of a packet. */
struct side {
    const struct adit_addr *addr;
    uint8_t proto;
    bool has_port; /* false: OPAQUE */
    uint16_t port;
};

static bool in_range6(const uint8_t *a, const uint8_t *lo, const uint8_t *hi)
{
    return span_compare(span(a, 16), span(lo, 16)) >= 0 && span_compare(span(a, 16), span(hi, 16)) <= 0;
}

static bool address_fits(const struct adit_ts *ts, const struct adit_addr *a)
{
    if (ts->family != a->family)
        return false;
    if (a->family == 6)
        return in_range6(a->ip, ts->lo, ts->hi);
    uint32_t ip = be32_get(a->ip); /* two compares: this is asked for each packet */
    return ip >= be32_get(ts->lo) && ip <= be32_get(ts->hi);
}

static bool port_fits(const struct adit_ts *ts, const struct side *s)
{
    if (ts->port_lo == 0 && ts->port_hi == PORT_MAX)
        return true;
    if (ts->port_lo > ts->port_hi) /* OPAQUE: just what has no port (RFC 7296 s3.13.1) */
        return !s->has_port;
    return s->has_port && s->port >= ts->port_lo && s->port <= ts->port_hi;
}

static bool any_fits(const struct adit_ts *ts, size_t n, const struct side *s)
{
    for (size_t i = 0; i < n; i++)
        if ((ts[i].proto == 0 || ts[i].proto == s->proto) && address_fits(&ts[i], s->addr) &&
            port_fits(&ts[i], s))
            return true;
    return false;
}

static bool both_fit(const struct esp_sa *sa, const struct side *local, const struct side *remote)
{
    return any_fits(sa->ts, sa->n_local_ts, local) &&
           any_fits(sa->ts + sa->n_local_ts, sa->n_remote_ts, remote);
}

static struct side source(const struct ip_packet *ip)
{
    return (struct side){ &ip->src, ip->proto, ip->has_ports, ip->src_port };
}

static struct side destination(const struct ip_packet *ip)
{
    return (struct side){ &ip->dst, ip->proto, ip->has_ports, ip->dst_port };
}

#define ICMP_REDIRECT 5

/* Is the error one that the quoted packet may have caused? It goes to that one's sender: to others it would be a way
 * around the selectors. Nobody behind a tunnel is on our link, so nobody there has to redirect us. */
static bool is_plausible(const struct ip_packet *ip, const struct icmp_error *err)
{
    bool redirect = ip->version == 4 && err->type == ICMP_REDIRECT;
    return !redirect && span_equal(span(ip->dst.ip, sizeof(ip->dst.ip)),
                                   span(err->quoted.src.ip, sizeof(err->quoted.src.ip)));
}

/* RFC 4301 s6.2: an error may come from a router in between; what counts is the packet that it is about, which went
 * the other way. */
static bool quoted_fits(const struct esp_sa *sa, const struct ip_packet *ip, struct adit_span upper)
{
    struct rd in = rd_init(upper);
    struct icmp_error err;
    if ((ip->proto != IP_PROTO_ICMP && ip->proto != IP_PROTO_ICMPV6) || !icmp_error_get(&in, ip, &err))
        return false;
    if (!is_plausible(ip, &err))
        return false;
    struct side local = source(&err.quoted), remote = destination(&err.quoted);
    return both_fit(sa, &local, &remote);
}

static bool has_ports(uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_TCP:
    case IP_PROTO_UDP:
    case IP_PROTO_DCCP:
    case IP_PROTO_SCTP:
    case IP_PROTO_UDPLITE:
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
    case IP_PROTO_MOBILITY: return true;
    default: return false;
    }
}

bool selector_inbound(const struct esp_sa *sa, const struct ip_packet *ip, struct adit_span upper)
{
    struct side local = destination(ip), remote = source(ip);
    return both_fit(sa, &local, &remote) || quoted_fits(sa, ip, upper);
}

bool esp_sa_selects_packet(const struct esp_sa *sa, const struct ip_packet *ip)
{
    struct side local = source(ip), remote = destination(ip);
    return both_fit(sa, &local, &remote);
}

bool esp_sa_selects(const struct esp_sa *sa, const struct adit_addr *src, const struct adit_addr *dst,
                    uint8_t proto, uint16_t sport, uint16_t dport)
{
    struct side local = { src, proto, has_ports(proto), sport },
                remote = { dst, proto, has_ports(proto), dport };
    return both_fit(sa, &local, &remote);
}
