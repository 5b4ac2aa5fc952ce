/* udpencap.h - what a datagram on the NAT traversal port is (RFC 3948 s2). */
#ifndef WIRE_UDPENCAP_H
#define WIRE_UDPENCAP_H

#include "base/span.h"

#define UDPENCAP_MARKER_SIZE 4 /* the non-ESP marker: zeros in front of an IKE message */
#define UDPENCAP_KEEPALIVE_OCTET 0xff

enum udpencap_kind {
    UDPENCAP_RUNT,      /* drop */
    UDPENCAP_KEEPALIVE, /* ignore: never a sign of life */
    UDPENCAP_IKE,       /* after UDPENCAP_MARKER_SIZE octets */
    UDPENCAP_ESP,
};
static inline enum udpencap_kind udpencap_kind(struct adit_span datagram)
{
    const uint8_t *p = datagram.p;
    if (datagram.n == 1 && p[0] == UDPENCAP_KEEPALIVE_OCTET)
        return UDPENCAP_KEEPALIVE;
    if (datagram.n < UDPENCAP_MARKER_SIZE)
        return UDPENCAP_RUNT;
    return p[0] | p[1] | p[2] | p[3] ? UDPENCAP_ESP : UDPENCAP_IKE;
}

#endif
