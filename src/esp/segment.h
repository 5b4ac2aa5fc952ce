/* segment.h - a TCP or UDP packet seen as one of a run: what gso.c cuts and coalesce.c joins. */
#ifndef ESP_SEGMENT_H
#define ESP_SEGMENT_H

#include "esp/esp.h"
#include "wire/ip.h"

#define GSO_NONE 0
#define GSO_TCP4 1
#define GSO_TCP6 4
#define GSO_UDP 5

#define TCP_HDR_MIN 20
#define TCP_SEQ_AT 4
#define TCP_ACK_AT 8
#define TCP_DOFF_AT 12
#define TCP_FLAGS_AT 13
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_CWR 0x80
#define UDP_LEN_AT 4

struct segment {
    struct ip_packet ip;
    const uint8_t *packet;
    const uint8_t *l4;
    uint32_t head_n;    /* IP and TCP/UDP headers */
    uint32_t payload_n; /* octets behind them */
};

/* False: not TCP or UDP, a fragment, IPv6 extension headers, or lengths that lie. Octets after the packet are ignored. */
bool segment_get(const uint8_t *packet, size_t n, struct segment *out);
/* The gso type that such a packet would have. */
uint8_t segment_gso(const struct segment *s);
/* Writes the IP total length and the v4 header checksum, and UDP's length. */
void segment_set_length(uint8_t *packet, const struct segment *s, uint32_t total_n);

#endif
