/* icmp.h - ICMP and ICMPv6 errors: made from a packet that couldn't go on, and taken apart. */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include "wire/ip.h"

/* A v4 error is at most this long (RFC 1812 s4.3.2.3), a v6 one at most that (RFC 4443 s2.4 c). */
#define ICMP4_ERROR_MAX 576
#define ICMP6_ERROR_MAX 1280

enum icmp_what {
    ICMP_TOO_BIG,       /* v4 3/4 "fragmentation needed", v6 2 "packet too big"; with the next hop's MTU */
    ICMP_TIME_EXCEEDED, /* TTL or hop limit used up */
    ICMP_PROHIBITED,    /* by policy: v4 3/13, v6 1/1 */
    ICMP_UNREACHABLE,   /* host: v4 3/1, v6 1/3 */
};

/* Is an error allowed for this packet? Not about ICMP errors, later fragments, packets to many (v6 too-big may), or
 * from an address that is not one host's (RFC 1122 s3.2.2, RFC 1812 s4.3.2.7, RFC 4443 s2.4 e). */
bool icmp_error_allowed(const uint8_t *packet, const struct ip_packet *ip, enum icmp_what what);
/* Writes a whole IP packet from `from` (of the packet's family) to its source into out, which holds cap octets; returns
 * its length, 0 if not allowed or no room. mtu only for ICMP_TOO_BIG. Rate limiting is the caller's. */
size_t icmp_error_put(uint8_t *out, size_t cap, enum icmp_what what, const uint8_t *packet,
                      const struct ip_packet *ip, const struct adit_addr *from, uint32_t mtu);

/* Does the ICMP message that begins with this type report an error (so that it quotes a packet)? */
bool icmp_is_error(uint8_t proto, uint8_t type);

struct icmp_error {
    uint8_t type, code;
    bool too_big;
    uint32_t mtu; /* too_big: as told; 0 = the router didn't say (RFC 1191 s5) */
    struct ip_packet quoted;
    struct adit_span quoted_upper; /* what is quoted of its next layer; borrowed */
};
/* `in` is at the next layer of `ip` as ip_get() left it. Fails: no ICMP error, its checksum is wrong, nothing useful
 * quoted. Nothing in it is authenticated. */
bool icmp_error_get(struct rd *in, const struct ip_packet *ip, struct icmp_error *out);

#endif
