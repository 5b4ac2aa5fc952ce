/* ip.c - IPv4 (RFC 791) and IPv6 (RFC 8200) headers. */
#include "wire/ip.h"
#include "base/why.h"
#include "wire/be.h"
#include "wire/checksum.h"

#define V4_DF 0x4000
#define V4_MF 0x2000
#define V4_OFFSET 0x1fff /* in units of 8 octets */
#define V6_EXTENSIONS_MAX 16
#define OPTION_COPIED 0x80

static struct adit_addr addr4(const uint8_t *ip)
{
    struct adit_addr a = { .family = 4 };
    memcpy(a.ip, ip, 4);
    return a;
}

static struct adit_addr addr6(const uint8_t *ip)
{
    struct adit_addr a = { .family = 6 };
    memcpy(a.ip, ip, 16);
    return a;
}

/* Ports, or what stands in their place (RFC 4301 s4.4.1.1). A packet too short for them is OPAQUE, not broken. */
static void get_ports(struct rd in, struct ip_packet *out)
{
    switch (out->proto) {
    case IP_PROTO_TCP:
    case IP_PROTO_UDP:
    case IP_PROTO_DCCP:
    case IP_PROTO_SCTP:
    case IP_PROTO_UDPLITE:
        out->src_port = rd_u16(&in);
        out->dst_port = rd_u16(&in);
        break;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6: out->src_port = out->dst_port = rd_u16(&in); break;
    case IP_PROTO_MOBILITY:
        rd_skip(&in, 2);
        out->src_port = out->dst_port = (uint16_t)(rd_u8(&in) << 8);
        break;
    default: return;
    }
    out->has_ports = rd_ok(&in);
    if (!out->has_ports)
        out->src_port = out->dst_port = 0;
}

/* Makes `in` end where the packet does. */
static bool narrow(struct rd *in, uint32_t total_n, bool quoted)
{
    if (!rd_require(in, quoted || total_n <= in->n, "IP packet longer than what is there"))
        return false;
    *in = rd_sub(in, total_n < in->n ? total_n : in->n);
    return rd_ok(in);
}

static bool get4(struct rd *in, struct ip_packet *out, bool quoted)
{
    if (!rd_require(in, in->n >= IP4_HDR_MIN, "IPv4 header cut short"))
        return false;
    const uint8_t *h = in->p;
    out->header_n = (uint16_t)((h[0] & 15) * 4);
    out->total_n = be16_get(h + 2);
    uint16_t flags = be16_get(h + 6);
    out->tos = h[1];
    out->id = be16_get(h + 4);
    out->dont_fragment = flags & V4_DF;
    out->more_fragments = flags & V4_MF;
    out->fragment_offset = (uint16_t)((flags & V4_OFFSET) * 8);
    out->ttl = h[8];
    out->proto = h[9];
    out->proto_at = 9;
    out->src = addr4(h + 12);
    out->dst = addr4(h + 16);
    if (!rd_require(in, out->header_n >= IP4_HDR_MIN && out->total_n >= out->header_n, "IPv4 header length"))
        return false;
    if (!narrow(in, out->total_n, quoted))
        return false;
    rd_skip(in, out->header_n);
    return rd_ok(in);
}

static bool is_extension(uint8_t proto)
{
    return proto == IP_PROTO_HOP_BY_HOP || proto == IP_PROTO_ROUTING || proto == IP_PROTO_FRAGMENT ||
           proto == IP_PROTO_DEST_OPTIONS;
}

static void get_fragment_header(struct rd *in, struct ip_packet *out)
{
    out->proto = rd_u8(in);
    rd_skip(in, 1);
    uint16_t field = rd_u16(in);
    out->fragment_offset = field & 0xfff8;
    out->more_fragments = field & 1;
    out->id = rd_u32(in);
}

/* RFC 8200 s4. What follows in a later fragment is not a header. */
static bool walk_extensions(struct rd *in, struct ip_packet *out)
{
    bool fragment = false;
    for (int i = 0; is_extension(out->proto) && !out->fragment_offset; i++) {
        if (!rd_require(in, i < V6_EXTENSIONS_MAX, "too many IPv6 extension headers"))
            return false;
        const size_t before = in->n;
        out->proto_at = out->header_n;
        if (out->proto == IP_PROTO_FRAGMENT) {
            /* A second one could deny what the first says. */
            if (!rd_require(in, !fragment, "two IPv6 Fragment headers"))
                return false;
            fragment = true;
            get_fragment_header(in, out);
        } else {
            out->proto = rd_u8(in);
            rd_skip(in, (size_t)rd_u8(in) * 8 + 6);
        }
        if (!rd_ok(in))
            return false;
        out->header_n = (uint16_t)(out->header_n + (before - in->n));
    }
    return rd_ok(in);
}

static bool get6(struct rd *in, struct ip_packet *out, bool quoted)
{
    if (!rd_require(in, in->n >= IP6_HDR_SIZE, "IPv6 header cut short"))
        return false;
    const uint8_t *h = in->p;
    uint16_t payload_n = be16_get(h + 4);
    out->tos = (uint8_t)(be16_get(h) >> 4);
    out->flow_label = be32_get(h) & 0xfffff;
    out->total_n = IP6_HDR_SIZE + (uint32_t)payload_n;
    out->header_n = IP6_HDR_SIZE;
    out->proto = h[6];
    out->proto_at = 6;
    out->ttl = h[7];
    out->dont_fragment = true;
    out->src = addr6(h + 8);
    out->dst = addr6(h + 24);
    if (!rd_require(in, payload_n > 0, "IPv6 packet without payload length"))
        return false;
    if (!narrow(in, out->total_n, quoted))
        return false;
    rd_skip(in, IP6_HDR_SIZE);
    return walk_extensions(in, out);
}

static bool get(struct rd *in, struct ip_packet *out, bool quoted)
{
    *out = (struct ip_packet){ .version = in->n ? in->p[0] >> 4 : 0 };
    if (!rd_require(in, out->version == 4 || out->version == 6, "neither IPv4 nor IPv6"))
        return false;
    if (!(out->version == 4 ? get4(in, out, quoted) : get6(in, out, quoted)))
        return false;
    if (!out->fragment_offset)
        get_ports(*in, out);
    return true;
}

bool ip_get(struct rd *in, struct ip_packet *out)
{
    return get(in, out, false);
}

bool ip_get_quoted(struct rd *in, struct ip_packet *out)
{
    return get(in, out, true);
}

bool ip4_checksum_ok(const uint8_t *packet, const struct ip_packet *ip)
{
    return checksum_fold(checksum_add(0, span(packet, ip->header_n))) == 0;
}

static void put4(uint8_t *h, const struct ip_outer *o, size_t payload_n)
{
    h[0] = 0x45;
    h[1] = o->tos;
    be16_put(h + 2, (uint16_t)(IP4_HDR_MIN + payload_n));
    be16_put(h + 4, o->id);
    be16_put(h + 6, o->dont_fragment ? V4_DF : 0);
    h[8] = o->ttl;
    h[9] = o->proto;
    be16_put(h + 10, 0);
    memcpy(h + 12, o->src.ip, 4);
    memcpy(h + 16, o->dst.ip, 4);
    be16_put(h + 10, checksum_fold(checksum_add(0, span(h, IP4_HDR_MIN))));
}

static void put6(uint8_t *h, const struct ip_outer *o, size_t payload_n)
{
    be32_put(h, UINT32_C(6) << 28 | (uint32_t)o->tos << 20 | (o->flow_label & 0xfffff));
    be16_put(h + 4, (uint16_t)payload_n);
    h[6] = o->proto;
    h[7] = o->ttl;
    memcpy(h + 8, o->src.ip, 16);
    memcpy(h + 24, o->dst.ip, 16);
}

bool ip_put(uint8_t *out, const struct ip_outer *o, size_t payload_n)
{
    if (o->src.family == 4) {
        if (payload_n > UINT16_MAX - IP4_HDR_MIN)
            return false;
        put4(out, o, payload_n);
    } else {
        if (payload_n > UINT16_MAX)
            return false;
        put6(out, o, payload_n);
    }
    return true;
}

/* A 16-bit word of a v4 header, with the header checksum. */
static void patch4(uint8_t *h, size_t at, uint16_t value)
{
    be16_put(h + 10, checksum_update(be16_get(h + 10), be16_get(h + at), value));
    be16_put(h + at, value);
}

static bool is_v4(const uint8_t *packet)
{
    return packet[0] >> 4 == 4;
}

void ip_set_tos(uint8_t *packet, uint8_t tos)
{
    if (is_v4(packet))
        patch4(packet, 0, (uint16_t)(packet[0] << 8 | tos));
    else
        be16_put(packet, (uint16_t)((be16_get(packet) & 0xf00f) | tos << 4));
}

void ip_set_ttl(uint8_t *packet, uint8_t ttl)
{
    if (is_v4(packet))
        patch4(packet, 8, (uint16_t)(ttl << 8 | packet[9]));
    else
        packet[7] = ttl;
}

void ip4_set_df(uint8_t *packet, bool df)
{
    patch4(packet, 6, (uint16_t)((be16_get(packet + 6) & ~V4_DF) | (df ? V4_DF : 0)));
}

enum adit_rc ip_set_proto(uint8_t *packet, const struct ip_packet *ip, uint8_t proto, uint32_t total_n)
{
    uint32_t counted = ip->version == 4 ? total_n : total_n - IP6_HDR_SIZE;
    if (total_n < ip->header_n || counted > UINT16_MAX)
        return ADIT_ERR_LIMIT;
    if (ip->version == 4) {
        patch4(packet, 8, (uint16_t)(packet[8] << 8 | proto));
        patch4(packet, 2, (uint16_t)counted);
    } else {
        packet[ip->proto_at] = proto;
        be16_put(packet + 4, (uint16_t)counted);
    }
    return ADIT_OK;
}

/* Copies the options that belong into every fragment (RFC 791 s3.1); returns the header's length with them. */
static size_t copy_options(uint8_t *out, const uint8_t *packet, size_t header_n)
{
    size_t n = IP4_HDR_MIN;
    for (size_t at = IP4_HDR_MIN; at < header_n && packet[at] != 0;) {
        size_t option_n = packet[at] == 1 ? 1 : at + 1 < header_n ? packet[at + 1] : 0;
        if (option_n == 0 || option_n > header_n - at || (option_n == 1 && packet[at] != 1))
            break;
        if (packet[at] & OPTION_COPIED) {
            memcpy(out + n, packet + at, option_n);
            n += option_n;
        }
        at += option_n;
    }
    while (n % 4)
        out[n++] = 0;
    return n;
}

static size_t fragment_header(uint8_t *out, const uint8_t *packet, const struct ip_packet *ip, bool first)
{
    memcpy(out, packet, first ? ip->header_n : IP4_HDR_MIN);
    size_t n = first ? ip->header_n : copy_options(out, packet, ip->header_n);
    out[0] = (uint8_t)(0x40 | n / 4);
    return n;
}

size_t ip4_fragment_put(uint8_t *out, size_t mtu, const uint8_t *packet, const struct ip_packet *ip,
                        uint32_t *at)
{
    uint32_t payload_n = ip->total_n - ip->header_n;
    if (*at >= payload_n)
        return 0;
    size_t header_n = fragment_header(out, packet, ip, *at == 0);
    uint32_t left = payload_n - *at, room = (uint32_t)(mtu - header_n);
    bool last = left <= room;
    uint32_t n = last ? left : room & ~UINT32_C(7);
    uint16_t flags = (uint16_t)((ip->fragment_offset + *at) / 8);
    if (!last || ip->more_fragments)
        flags |= V4_MF;
    if (ip->dont_fragment)
        flags |= V4_DF;
    memcpy(out + header_n, packet + ip->header_n + *at, n);
    be16_put(out + 2, (uint16_t)(header_n + n));
    be16_put(out + 6, flags);
    be16_put(out + 10, 0);
    be16_put(out + 10, checksum_fold(checksum_add(0, span(out, header_n))));
    *at += n;
    return header_n + n;
}
