/* spd.h - the kernel's policies as they follow from all Child SAs, whoever carries them, and from traps, passes and drops.
 * The kernel has one policy for a selector and a direction; here are all that want it, and the best of them is installed.
 * Child SAs in user space and traps, which are kept there, have policies, too: "go on", to the TUN and from it, so that a wider one of
 * the kernel's does not take their traffic, or want it protected by its states.
 * Control thread. */
#ifndef DP_XFRM_SPD_H
#define DP_XFRM_SPD_H

#include "dp/xfrm/put.h"

enum spd_kind { SPD_KERNEL, SPD_USER, SPD_TRAP, SPD_PASS, SPD_DROP };

/* Filled by the caller, who tells of changes. */
struct spd_owner {
    enum spd_kind kind;
    uint32_t rank;  /* priority in the kernel */
    uint64_t order; /* of birth: newer ones are higher */
    uint32_t reqid, spi_out;
    struct adit_addr local, remote; /* outer addresses */
    bool transport;
    bool active;   /* carries outbound traffic */
    bool leaving;  /* only while there is no other */
    bool one_cpu;  /* carries that of one processor */
    bool shares;   /* others of its reqid carry that of one processor each, and more are asked for */
    size_t n;
    struct xfrm_selector *sel; /* as outbound packets match; the caller's, lives as long */
};

/* Carries a message to the kernel; 0 or -errno. */
typedef int spd_send(void *arg, struct xfrm_msg *m);
struct spd;
struct spd *spd_new(spd_send *send, void *arg, uint64_t seed); /* NULL: memory */
void spd_free(struct spd *s); /* removes what is installed */

/* o is the caller's until spd_del(). 0 or -errno: then it is not in. */
ADIT_MUST_USE int spd_add(struct spd *s, struct spd_owner *o);
/* Something of it is another now. fresh: install again what has not changed (kernels keep by policy which states it found). */
void spd_changed(struct spd *s, const struct spd_owner *o, bool fresh);
void spd_del(struct spd *s, struct spd_owner *o);
size_t spd_installed(const struct spd *s); /* how many policies */

#endif
