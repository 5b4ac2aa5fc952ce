/* pmtu.h - the path MTU of one SA: what the link allows, lowered for a while by what routers say.
 * Maintains: floor <= now <= link; a lowered value ages out after PMTU_AGE_NS (RFC 8201 s4, esp.md s6). */
#ifndef DP_PMTU_H
#define DP_PMTU_H

#include "adit/base.h"

#define PMTU_AGE_NS (600ull * 1000000000)

struct pmtu {
    uint16_t link, now;
    bool v6;
    uint64_t until; /* when a lowered value ages out; UINT64_MAX = it is the link's */
};

void pmtu_init(struct pmtu *p, uint32_t link_mtu, bool v6);
/* The device's or route's MTU changed: true if `now` did. */
bool pmtu_link(struct pmtu *p, uint32_t link_mtu);
/* A router says that it could not pass on more than mtu octets (0: it didn't say). True if `now` went down. A value
 * that does not lower anything is refused: a router has no reason to send it. */
bool pmtu_told(struct pmtu *p, uint32_t mtu, uint64_t now_ns);
/* True if the lowered value aged out and `now` is the link's again. */
bool pmtu_age(struct pmtu *p, uint64_t now_ns);

#endif
