/* l4.h - what IPsec has to know about TCP, UDP and ICMP headers: their checksums, the UDP header, TCP's MSS. */
#ifndef WIRE_L4_H
#define WIRE_L4_H

#include "wire/ip.h"

#define UDP_HDR_SIZE 8

/* Checksum field's offset in the next layer's header; -1 = a protocol that we don't know or that has none. */
int l4_checksum_at(uint8_t proto);
/* Is the checksum right? True for fragments, for unknown protocols, and for UDP over v4 without one. */
bool l4_checksum_ok(const uint8_t *packet, const struct ip_packet *ip);
/* Computes and writes it (after changes of the payload). Not for fragments. */
void l4_checksum_set(uint8_t *packet, const struct ip_packet *ip);
/* One address that the pseudo header covers changed (NAT in transport mode, RFC 3948 s3.1.2, RFC 7296 s2.23.1):
 * l4 = the n octets after the IP header. Leaves alone: no checksum there, UDP over v4 without one, ICMPv4. */
void l4_checksum_readdress(uint8_t *l4, size_t n, uint8_t proto, const struct adit_addr *old,
                           const struct adit_addr *now);

/* Writes a UDP header for payload_n octets; checksum 0 = none (v4 only). */
void udp_put(uint8_t out[UDP_HDR_SIZE], uint16_t src, uint16_t dst, size_t payload_n, uint16_t checksum);

/* Lowers the MSS option of a SYN to at most mss, with its checksum; tcp = the n octets after the IP header.
 * Returns whether something changed. Anything odd is left as it is. */
bool tcp_mss_clamp(uint8_t *tcp, size_t n, uint16_t mss);

#endif
