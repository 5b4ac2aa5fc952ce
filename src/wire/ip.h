/* ip.h - IPv4 and IPv6 packets: parsed once into what selectors, tunnels and path MTU need; written; patched. */
#ifndef WIRE_IP_H
#define WIRE_IP_H

#include "adit/model.h"
#include "base/rd.h"

enum ip_proto {
    IP_PROTO_HOP_BY_HOP = 0,
    IP_PROTO_ICMP = 1,
    IP_PROTO_IPV4 = 4,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_DCCP = 33,
    IP_PROTO_IPV6 = 41,
    IP_PROTO_ROUTING = 43,
    IP_PROTO_FRAGMENT = 44,
    IP_PROTO_ESP = 50,
    IP_PROTO_AH = 51,
    IP_PROTO_ICMPV6 = 58,
    IP_PROTO_NO_NEXT = 59, /* also: ESP dummy packets, RFC 4303 s2.6 */
    IP_PROTO_DEST_OPTIONS = 60,
    IP_PROTO_SCTP = 132,
    IP_PROTO_MOBILITY = 135,
    IP_PROTO_UDPLITE = 136,
    IP_PROTO_AGGFRAG = 144, /* in ESP only: RFC 9347 */
};

#define IP4_HDR_MIN 20
#define IP6_HDR_SIZE 40

struct ip_packet {
    struct adit_addr src, dst;
    uint8_t version; /* 4 or 6 */
    uint8_t
        proto; /* next layer (RFC 4301 s4.4.1.1): v6 extension headers are passed over, ESP and AH are not */
    uint8_t tos; /* DSCP << 2 | ECN, both versions */
    uint8_t ttl;
    bool dont_fragment;  /* v4: DF; v6: true */
    bool more_fragments; /* MF / M */
    bool has_ports;      /* false = OPAQUE: not a first fragment, cut short, or a protocol without ports */
    uint16_t fragment_offset;    /* octets */
    uint16_t src_port, dst_port; /* ICMP: both type << 8 | code; mobility: both type << 8; else 0 */
    uint16_t header_n;           /* octets before the next layer */
    uint16_t proto_at;           /* offset of the octet that names it */
    uint32_t total_n;            /* octets of the packet as its header says */
    uint32_t id;                 /* v4 Identification; v6: of the Fragment header */
    uint32_t flow_label;
};

/* Parses a packet; `in` is then at the next layer and ends where the packet ends (octets after total_n, such as TFC
 * padding, are dropped). Fails: version, header or total length wrong, v6 jumbograms, more than 16 extension headers.
 * Does not look at the v4 header checksum: see ip4_checksum_ok(). */
bool ip_get(struct rd *in, struct ip_packet *out);
/* The same for the start of a packet quoted in an ICMP error: total_n may exceed what is there. */
bool ip_get_quoted(struct rd *in, struct ip_packet *out);
static inline bool ip_is_fragment(const struct ip_packet *ip)
{
    return ip->more_fragments || ip->fragment_offset;
}
/* The header (header_n octets at packet) sums up right. */
bool ip4_checksum_ok(const uint8_t *packet, const struct ip_packet *ip);

/* A header to be written; flow_label and id matter for their own version only. */
struct ip_outer {
    struct adit_addr src, dst; /* of one family, which decides the version */
    uint8_t tos, ttl, proto;
    bool dont_fragment;
    uint16_t id;
    uint32_t flow_label;
};
/* Octets that ip_put() writes. */
static inline size_t ip_put_size(const struct ip_outer *o)
{
    return o->src.family == 4 ? IP4_HDR_MIN : IP6_HDR_SIZE;
}
/* Writes the header in front of payload_n octets at out; false if they are too many for its length field. */
bool ip_put(uint8_t *out, const struct ip_outer *o, size_t payload_n);

/* Patches: `packet` was accepted by ip_get(); the v4 header checksum follows. The caller's ip_packet does not. */
void ip_set_tos(uint8_t *packet, uint8_t tos);
void ip_set_ttl(uint8_t *packet, uint8_t ttl);
void ip4_set_df(uint8_t *packet, bool df);
/* Replaces the protocol at ip->proto_at and the total length; ADIT_ERR_LIMIT if it doesn't fit. For transport mode. */
ADIT_MUST_USE enum adit_rc ip_set_proto(uint8_t *packet, const struct ip_packet *ip, uint8_t proto,
                                        uint32_t total_n);

/* Cuts a v4 packet (RFC 791 s3.2): writes the fragment that begins at *at (octets of payload; 0 first) to out, which
 * holds mtu octets, moves *at, returns the fragment's length; 0 = all done. A fragment is cut further. mtu >= 68. */
size_t ip4_fragment_put(uint8_t *out, size_t mtu, const uint8_t *packet, const struct ip_packet *ip,
                        uint32_t *at);

#endif
