/* get.h - messages from the kernel's XFRM, read with care for their lengths. Pure. */
#ifndef DP_XFRM_GET_H
#define DP_XFRM_GET_H

#include <linux/xfrm.h>
#include "adit/model.h"

enum xfrm_event_type {
    XFRM_EV_ACQUIRE, /* a policy has traffic and no state: reqid of its template, packet, cpu */
    XFRM_EV_SOFT,    /* a state's soft or ... */
    XFRM_EV_HARD,    /* ... hard limit: dst, spi */
    XFRM_EV_MAPPING, /* packets of a state come from another source: dst, spi, from */
};
struct xfrm_event {
    enum xfrm_event_type type;
    struct adit_addr dst;
    uint32_t spi, reqid;
    uint32_t cpu; /* XFRM_NO_CPU: not told */
    struct xfrm_selector packet;
    struct adit_endpoint from;
};
/* One message with its header. False: none of these, or not whole. */
bool xfrm_event_get(struct adit_span msg, struct xfrm_event *out);

/* What the kernel says of a state. */
struct xfrm_state_info {
    uint64_t bytes, packets;
    uint64_t last_used; /* seconds since 1970; 0: it doesn't say */
    uint32_t failed;    /* packets with a wrong ICV, replayed, or out of the window */
    uint32_t cpu;
};
/* msg: the answer to xfrm_put_get_state(). */
bool xfrm_state_get(struct adit_span msg, struct xfrm_state_info *out);

#endif
