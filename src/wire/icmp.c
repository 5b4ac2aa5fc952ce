/* icmp.c - ICMP errors (RFC 792, 1191, 1812) and ICMPv6 errors (RFC 4443, 8201). */
#include "wire/icmp.h"
#include "wire/be.h"
#include "wire/checksum.h"

#define ICMP_HDR_SIZE 8
#define V4_UNREACHABLE 3
#define V4_TOO_BIG_CODE 4
#define V6_TOO_BIG 2
#define V6_REDIRECT 137
#define V6_MTU_MIN 1280

struct type_code {
    uint8_t type, code;
};
static const struct type_code types[][2] = {
    [ICMP_TOO_BIG] = { { V4_UNREACHABLE, V4_TOO_BIG_CODE }, { V6_TOO_BIG, 0 } },
    [ICMP_TIME_EXCEEDED] = { { 11, 0 }, { 3, 0 } },
    [ICMP_PROHIBITED] = { { V4_UNREACHABLE, 13 }, { 1, 1 } },
    [ICMP_UNREACHABLE] = { { V4_UNREACHABLE, 1 }, { 1, 3 } },
};

bool icmp_is_error(uint8_t proto, uint8_t type)
{
    if (proto == IP_PROTO_ICMPV6)
        return type < 128; /* RFC 4443 s2.1 */
    /* RFC 1122 s3.2.2: unreachable, source quench, redirect, time exceeded, parameter problem */
    return proto == IP_PROTO_ICMP && (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

/* May its arrival cause an error? A message whose type can't be seen may be an error itself. */
static bool is_error_message(const struct ip_packet *ip)
{
    if (ip->proto != IP_PROTO_ICMP && ip->proto != IP_PROTO_ICMPV6)
        return false;
    uint8_t type = (uint8_t)(ip->src_port >> 8);
    return !ip->has_ports || icmp_is_error(ip->proto, type) ||
           (ip->proto == IP_PROTO_ICMPV6 && type == V6_REDIRECT);
}

static bool is_many(const struct adit_addr *a)
{
    return a->family == 4 ? a->ip[0] >= 224 : a->ip[0] == 0xff;
}

/* Names one host that an answer can reach. */
static bool is_one_host(const struct adit_addr *a)
{
    static const uint8_t zeros[15];
    if (is_many(a))
        return false;
    if (a->family == 4)
        return a->ip[0] != 0 && a->ip[0] != 127;
    return !span_equal(SPAN_ARRAY(zeros), span(a->ip, 15)) || a->ip[15] > 1; /* :: and ::1 */
}

bool icmp_error_allowed(const uint8_t *packet, const struct ip_packet *ip, enum icmp_what what)
{
    if (is_error_message(ip) || !is_one_host(&ip->src))
        return false;
    if (ip->version == 4)
        return ip->fragment_offset == 0 && !is_many(&ip->dst);
    return what == ICMP_TOO_BIG || !is_many(&ip->dst);
}

/* Type, code, no checksum yet, the word that holds the MTU. */
static void put_header(uint8_t *out, enum icmp_what what, uint8_t version, uint32_t mtu)
{
    struct type_code t = types[what][version == 6];
    out[0] = t.type;
    out[1] = t.code;
    be16_put(out + 2, 0);
    if (what != ICMP_TOO_BIG)
        mtu = 0;
    else if (version == 4)
        mtu = mtu < UINT16_MAX ? mtu : UINT16_MAX;
    else
        mtu = mtu > V6_MTU_MIN ? mtu : V6_MTU_MIN; /* RFC 8200 s5: no link has less */
    be32_put(out + 4, mtu);
}

size_t icmp_error_put(uint8_t *out, size_t cap, enum icmp_what what, const uint8_t *packet,
                      const struct ip_packet *ip, const struct adit_addr *from, uint32_t mtu)
{
    bool v4 = ip->version == 4;
    struct ip_outer o = {
        .src = *from, .dst = ip->src, .ttl = 64, .proto = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6
    };
    o.tos = v4 ? 0xc0 : 0; /* RFC 1812 s4.3.2.5: precedence of internetwork control */
    size_t ip_n = ip_put_size(&o), head_n = ip_n + ICMP_HDR_SIZE;
    size_t most = v4 ? ICMP4_ERROR_MAX : ICMP6_ERROR_MAX;
    most = cap < most ? cap : most;
    if (!icmp_error_allowed(packet, ip, what) || from->family != ip->version || most < head_n + ip->header_n)
        return 0;
    size_t quote_n = ip->total_n < most - head_n ? ip->total_n : most - head_n;
    uint8_t *icmp = out + ip_n;
    put_header(icmp, what, ip->version, mtu);
    memcpy(icmp + ICMP_HDR_SIZE, packet, quote_n);
    size_t icmp_n = ICMP_HDR_SIZE + quote_n;
    uint64_t sum = v4 ? 0 : checksum_pseudo(&o.src, &o.dst, o.proto, (uint32_t)icmp_n);
    be16_put(icmp + 2, checksum_fold(checksum_add(sum, span(icmp, icmp_n))));
    return ip_put(out, &o, icmp_n) ? head_n + quote_n : 0;
}

static bool sum_is_right(const struct rd *in, const struct ip_packet *ip)
{
    uint64_t sum = ip->version == 4 ? 0 : checksum_pseudo(&ip->src, &ip->dst, ip->proto, (uint32_t)in->n);
    return checksum_fold(checksum_add(sum, span(in->p, in->n))) == 0;
}

static void get_mtu(uint32_t word, const struct ip_packet *ip, struct icmp_error *out)
{
    if (ip->version == 4)
        out->too_big = out->type == V4_UNREACHABLE && out->code == V4_TOO_BIG_CODE;
    else
        out->too_big = out->type == V6_TOO_BIG;
    out->mtu = !out->too_big ? 0 : ip->version == 4 ? word & 0xffff : word;
}

bool icmp_error_get(struct rd *in, const struct ip_packet *ip, struct icmp_error *out)
{
    *out = (struct icmp_error){ 0 };
    if (!rd_require(in, !ip_is_fragment(ip) && sum_is_right(in, ip), "ICMP checksum"))
        return false;
    out->type = rd_u8(in);
    out->code = rd_u8(in);
    rd_skip(in, 2);
    get_mtu(rd_u32(in), ip, out);
    bool ours = ip->proto == (ip->version == 4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6);
    if (!rd_require(in, ours && icmp_is_error(ip->proto, out->type), "not an ICMP error"))
        return false;
    if (!ip_get_quoted(in, &out->quoted))
        return false;
    out->quoted_upper = rd_rest(in);
    return rd_require(in, out->quoted.version == ip->version, "quoted packet of the other IP version");
}
