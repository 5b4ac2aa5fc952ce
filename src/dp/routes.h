/* routes.h - what leads traffic into the TUN and keeps our own packets out of it. Control thread.
 * Maintains: a route exists exactly as long as a Child SA or trap policy needs it. */
#ifndef DP_ROUTES_H
#define DP_ROUTES_H

#include "adit/model.h"
#include "net/net.h"

struct routes;
struct routes_cfg {
    struct net_nl *nl; /* borrowed */
    int tun;           /* ifindex */
    uint32_t table;    /* 0 = main */
    uint32_t
        mark; /* with a table of its own: a rule sends all but our own packets there. 0 = host routes to peers
                        * whose address lies inside what is tunnelled */
};
struct routes *routes_new(const struct routes_cfg *cfg);
void routes_free(struct routes *r); /* removes what is left */

/* Routes to the remote selectors, with a source address of this host from the local ones if it has one. peer may be
 * NULL (trap). owner: for routes_del(). Errors: the kernel refuses; a peer that can't be kept out of the tunnel. */
ADIT_MUST_USE enum adit_rc routes_add(struct routes *r, uint64_t owner, const struct adit_ts *local,
                                      size_t n_local, const struct adit_ts *remote, size_t n_remote,
                                      const struct adit_addr *peer, struct adit_why *why);
void routes_del(struct routes *r, uint64_t owner);
/* The TUN is another device now, and its routes went with the old one; or (the same `tun`) the kernel has taken some away:
 * it does with a device's last address. Goes on after errors; says the last. */
ADIT_MUST_USE enum adit_rc routes_renew(struct routes *r, int tun, struct adit_why *why);

/* Pure: the prefixes that make up a range, at most `max`; returns how many (0: too many or none). */
struct prefix {
    struct adit_addr addr;
    uint8_t n;
};
size_t prefixes_of(const struct adit_ts *ts, struct prefix *out, size_t max);

#endif
