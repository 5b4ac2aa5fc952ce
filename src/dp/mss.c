/* mss.c - the rule of the clamp; the option itself is changed by wire/l4.h. */
#include "dp/mss.h"
#include "wire/l4.h"

#define TCP_HDR_MIN 20
#define TCP_FLAGS 13
#define TCP_SYN 0x02

bool mss_clamp(uint8_t *packet, const struct ip_packet *ip, uint16_t mtu)
{
    size_t n = ip->total_n - ip->header_n;
    uint16_t headers = (uint16_t)((ip->version == 4 ? IP4_HDR_MIN : IP6_HDR_SIZE) + TCP_HDR_MIN);
    if (ip->proto != IP_PROTO_TCP || ip->fragment_offset || n < TCP_HDR_MIN || mtu <= headers)
        return false;
    uint8_t *tcp = packet + ip->header_n;
    return (tcp[TCP_FLAGS] & TCP_SYN) && tcp_mss_clamp(tcp, n, (uint16_t)(mtu - headers));
}
