/* states.h - a Child SA's two states in the kernel: installed, moved, counted, removed. Control thread. Private to this folder. */
#ifndef DP_XFRM_STATES_H
#define DP_XFRM_STATES_H

#include "base/secret.h"
#include "dp/xfrm/put.h"
#include "net/net.h"

/* Outbound traffic may have to wait until the peer is known to have the SA: then its keys are kept here, and wiped when both states are
 * in the kernel. */
struct states {
    struct xfrm_state_spec in, out; /* without keys, but while `keys` has them */
    struct adit_secret keys;
    bool in_there, out_there;
    struct adit_child_stats last; /* as counted last */
};

/* Borrows nothing of spec but its literals. sel: as outbound packets match; mark: see put.h. */
ADIT_MUST_USE enum adit_rc states_init(struct states *s, const struct adit_child_spec *spec, const struct xfrm_selector *sel,
                                       uint32_t mark);
void states_fini(struct states *s); /* keys are wiped; nothing is said to the kernel */
/* 0 or -errno with the kernel's words. first_packet: an event (soft limit) comes with the inbound one's first packets. */
int states_put_in(struct states *s, struct net_xfrm *nl, bool first_packet, struct net_words *words);
/* Both have their real limits then; the keys are wiped. */
int states_put_out(struct states *s, struct net_xfrm *nl, struct net_words *words);
void states_del_in(struct states *s, struct net_xfrm *nl);
void states_del_out(struct states *s, struct net_xfrm *nl);
/* To other addresses, with all that was counted. */
int states_move(struct states *s, struct net_xfrm *nl, const struct adit_path *path, bool encap);
/* Updates s->last. now: CLOCK_MONOTONIC, ns. */
void states_count(struct states *s, struct net_xfrm *nl, uint64_t now);

#endif
