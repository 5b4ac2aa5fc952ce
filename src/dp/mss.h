/* mss.h - TCP's maximum segment size in SYNs, lowered to what fits the tunnel, so that no path MTU discovery is needed
 * for TCP. */
#ifndef DP_MSS_H
#define DP_MSS_H

#include "wire/ip.h"

/* packet was accepted by ip_get() as *ip. Returns whether the option was lowered. mtu: largest inner packet. */
bool mss_clamp(uint8_t *packet, const struct ip_packet *ip, uint16_t mtu);

#endif
