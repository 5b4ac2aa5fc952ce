/* xfrm.h - the kernel's ESP as a back end: states and policies over netlink. Control thread. Private to this room. */
#ifndef DP_XFRM_XFRM_H
#define DP_XFRM_XFRM_H

#include "dp/backend.h"

struct dp_xfrm;

/* What it needs of the part in user space: routes lead traffic to the TUN, where the kernel's policies take it before it gets there;
 * and our sockets leave the kernel's SPIs alone. */
struct xfrm_hooks {
    void *arg;
    enum adit_rc (*route_add)(void *arg, const struct adit_child_spec *spec, struct adit_why *why);
    void (*route_del)(void *arg, uint32_t id);
    int (*spis)(void *arg, const uint32_t *spi, size_t n); /* inbound ones of the kernel's; 0 or -errno */
};
struct xfrm_settings {
    uint32_t mark;   /* of our own packets, which the routes above don't concern; 0 = none */
    unsigned cpus;   /* workers: more resources than processors can't be the kernel's */
    struct xfrm_hooks hooks;
};

/* ADIT_ERR_IO with *why: this kernel has no ESP, or none for us, and what is missing. */
ADIT_MUST_USE enum adit_rc xfrm_new(const struct xfrm_settings *s, struct dp_xfrm **out, struct adit_why *why);
extern const struct dp_backend_ops xfrm_ops; /* self: the struct dp_xfrm; free removes what is ours in the kernel */
void xfrm_udp_encap(struct dp_xfrm *x, bool ok); /* the NAT-T sockets hand ESP to the kernel */
/* Why the kernel can't carry it, as a literal; NULL: it may try. */
const char *xfrm_unfit(const struct dp_xfrm *x, const struct adit_child_spec *spec);
int xfrm_event_fd(const struct dp_xfrm *x); /* readable: poll has something */

/* A Child SA that another back end carries: its traffic goes on to the TUN. No policy if the kernel can't name its selectors. */
ADIT_MUST_USE enum adit_rc xfrm_other_add(struct dp_xfrm *x, const struct adit_child_spec *spec, struct adit_why *why);
void xfrm_other_activate(struct dp_xfrm *x, uint32_t id);
void xfrm_other_leave(struct dp_xfrm *x, uint32_t id);
void xfrm_other_del(struct dp_xfrm *x, uint32_t id, uint64_t grace_ns);

#endif
