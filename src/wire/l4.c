/* l4.c - checksums of the transport protocols, the UDP header, the MSS option. */
#include "wire/l4.h"
#include "wire/be.h"
#include "wire/checksum.h"

#define TCP_HDR_MIN 20
#define TCP_FLAG_SYN 0x02
#define TCP_OPTION_END 0
#define TCP_OPTION_NOP 1
#define TCP_OPTION_MSS 2

int l4_checksum_at(uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_TCP: return 16;
    case IP_PROTO_UDP: return 6;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6: return 2;
    default: return -1; /* SCTP has a CRC; UDP-Lite and DCCP may cover only a part */
    }
}

/* The octets that the checksum covers; UDP's own length may leave out some at the end. */
static struct adit_span covered(const uint8_t *packet, const struct ip_packet *ip)
{
    struct adit_span upper = span(packet + ip->header_n, ip->total_n - ip->header_n);
    if (ip->proto != IP_PROTO_UDP || upper.n < UDP_HDR_SIZE)
        return upper;
    uint16_t udp_n = be16_get(upper.p + 4);
    return udp_n < UDP_HDR_SIZE ? upper : span_first(upper, udp_n);
}

static uint16_t checksum(struct adit_span upper, const struct ip_packet *ip)
{
    uint64_t sum = 0;
    if (ip->proto != IP_PROTO_ICMP)
        sum = checksum_pseudo(&ip->src, &ip->dst, ip->proto, (uint32_t)upper.n);
    return checksum_fold(checksum_add(sum, upper));
}

bool l4_checksum_ok(const uint8_t *packet, const struct ip_packet *ip)
{
    int at = l4_checksum_at(ip->proto);
    if (at < 0 || ip_is_fragment(ip))
        return true;
    struct adit_span upper = covered(packet, ip);
    if (upper.n < (size_t)at + 2)
        return false;
    if (ip->proto == IP_PROTO_UDP && be16_get(upper.p + at) == 0)
        return ip->version == 4; /* RFC 8200 s8.1: not an option in v6 */
    return checksum(upper, ip) == 0;
}

void l4_checksum_set(uint8_t *packet, const struct ip_packet *ip)
{
    int at = l4_checksum_at(ip->proto);
    struct adit_span upper = covered(packet, ip);
    if (at < 0 || upper.n < (size_t)at + 2)
        return;
    uint8_t *field = packet + ip->header_n + at;
    be16_put(field, 0);
    uint16_t check = checksum(upper, ip);
    be16_put(field, check == 0 && ip->proto == IP_PROTO_UDP ? 0xffff : check);
}

void l4_checksum_readdress(uint8_t *l4, size_t n, uint8_t proto, const struct adit_addr *old,
                           const struct adit_addr *now)
{
    int at = proto == IP_PROTO_ICMP ? -1 : l4_checksum_at(proto); /* ICMPv4 has no pseudo header */
    if (at < 0 || n < (size_t)at + 2 || old->family != now->family)
        return;
    uint16_t check = be16_get(l4 + at);
    if (proto == IP_PROTO_UDP && check == 0 && old->family == 4)
        return;
    size_t addr_n = old->family == 4 ? 4 : 16;
    check = checksum_update_span(check, span(old->ip, addr_n), span(now->ip, addr_n));
    be16_put(l4 + at, check == 0 && proto == IP_PROTO_UDP ? 0xffff : check);
}

void udp_put(uint8_t out[UDP_HDR_SIZE], uint16_t src, uint16_t dst, size_t payload_n, uint16_t check)
{
    be16_put(out, src);
    be16_put(out + 2, dst);
    be16_put(out + 4, (uint16_t)(UDP_HDR_SIZE + payload_n));
    be16_put(out + 6, check);
}

/* Offset of the MSS option's value; 0 = none, or the options are not well formed. */
static size_t find_mss(const uint8_t *tcp, size_t header_n)
{
    size_t at = TCP_HDR_MIN;
    while (at < header_n && tcp[at] != TCP_OPTION_END) {
        if (tcp[at] == TCP_OPTION_NOP) {
            at++;
            continue;
        }
        size_t n = at + 1 < header_n ? tcp[at + 1] : 0;
        if (n < 2 || n > header_n - at)
            return 0;
        if (tcp[at] == TCP_OPTION_MSS)
            return n == 4 ? at + 2 : 0;
        at += n;
    }
    return 0;
}

bool tcp_mss_clamp(uint8_t *tcp, size_t n, uint16_t mss)
{
    if (n < TCP_HDR_MIN || !(tcp[13] & TCP_FLAG_SYN))
        return false;
    size_t header_n = (size_t)(tcp[12] >> 4) * 4;
    size_t at = header_n >= TCP_HDR_MIN && header_n <= n ? find_mss(tcp, header_n) : 0;
    uint16_t old = at ? be16_get(tcp + at) : 0;
    if (!at || old <= mss)
        return false;
    be16_put(tcp + at, mss);
    bool odd = at % 2; /* the value then lies across two words of the sum: as if its octets were swapped */
    uint16_t before = odd ? __builtin_bswap16(old) : old, after = odd ? __builtin_bswap16(mss) : mss;
    be16_put(tcp + 16, checksum_update(be16_get(tcp + 16), before, after));
    return true;
}
