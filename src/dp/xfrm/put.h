/* put.h - messages to the kernel's XFRM (netlink, linux/xfrm.h), written without any I/O. Pure. */
#ifndef DP_XFRM_PUT_H
#define DP_XFRM_PUT_H

#include <linux/xfrm.h>
#include "dp/xfrm/algs.h"

/* Newer than the headers of some systems (kernel 6.13). */
#define XFRM_ATTR_DIR 33          /* XFRMA_SA_DIR: 1 in, 2 out */
#define XFRM_ATTR_CPU 35          /* XFRMA_SA_PCPU; goes with a direction */
#define XFRM_POLICY_ASKS_OF_CPU 4 /* XFRM_POLICY_CPU_ACQUIRE */
#define XFRM_NO_CPU UINT32_MAX
#define XFRM_MSG_ROOM 4096

/* Wipe it (xfrm_msg_wipe) when it held a state: keys are in it. */
struct xfrm_msg {
    _Alignas(8) uint8_t p[XFRM_MSG_ROOM];
    size_t n;
    bool fail; /* no room: not to be sent */
};
void xfrm_msg_wipe(struct xfrm_msg *m);

/* One direction of a Child SA. */
struct xfrm_state_spec {
    struct adit_addr src, dst;
    uint32_t spi, reqid;
    bool inbound, transport, esn;
    uint32_t window;
    const struct xfrm_alg *encr, *integ; /* integ: NULL with an AEAD */
    struct adit_span encr_key, integ_key;
    struct xfrm_selector sel;
    bool no_ecn, no_df, dscp_in, no_dscp_out;
    bool encap;
    uint16_t encap_sport, encap_dport;
    struct adit_lifetime life; /* soft_ns is not looked at */
    uint32_t cpu;              /* XFRM_NO_CPU: of none */
    uint32_t mark;             /* of the packets that leave; 0 = as they come */
    int offload_dev;           /* ifindex; 0 = none */
    uint8_t offload_flags;
};
/* update: XFRM_MSG_UPDSA, which changes only its lifetimes and ports. */
void xfrm_put_state(struct xfrm_msg *m, const struct xfrm_state_spec *s, bool update);

struct xfrm_state_id {
    struct adit_addr dst;
    uint32_t spi;
};
void xfrm_put_del_state(struct xfrm_msg *m, const struct xfrm_state_id *id);
void xfrm_put_get_state(struct xfrm_msg *m, const struct xfrm_state_id *id);

/* What makes a state's answer to xfrm_put_get_state() a new one at other addresses. */
struct xfrm_move {
    struct adit_addr src, dst;
    bool encap;
    uint16_t encap_sport, encap_dport;
    uint32_t skip; /* sequence numbers that are left out: packets may have left since the answer */
};
/* state: that answer, with its header. False: it is no such answer, too long, or without the keys, which some kernels hide. */
ADIT_MUST_USE bool xfrm_put_moved(struct xfrm_msg *m, struct adit_span state, const struct xfrm_move *move);

/* One template at most: whose packets, or into which SA. */
struct xfrm_template {
    struct adit_addr src, dst; /* family 0: any; both, if the mode is transport */
    uint32_t spi, reqid;       /* 0: any */
    bool transport;
    bool optional; /* inbound: what comes in the clear is welcome, too */
};
struct xfrm_policy_spec {
    uint8_t dir; /* XFRM_POLICY_IN, OUT, FWD */
    struct xfrm_selector sel;
    uint32_t priority; /* lower first */
    bool block, asks_of_cpu;
    bool has_template;
    struct xfrm_template t;
};
/* Replaces one with this selector and direction, and takes over the packets that wait there. */
void xfrm_put_policy(struct xfrm_msg *m, const struct xfrm_policy_spec *p);
void xfrm_put_del_policy(struct xfrm_msg *m, uint8_t dir, const struct xfrm_selector *sel);

#endif
