/* user_int.h - what user.c and user_kernel.c share. Private to them. */
#ifndef DP_USER_INT_H
#define DP_USER_INT_H

#include "dp/routes.h"
#include "dp/user.h"
#include "dp/worker.h"

struct dp_user {
    struct dp_shared s; /* first: see dp_shared_of() */
    struct dp_settings settings;
    struct net_tun tun;
    struct net_nl *nl;
    struct routes *routes;
    struct net_udp sender[2]; /* NAT-T port, for the control thread's own datagrams */
    struct dp_sa **sas;
    size_t n_sas, cap_sas;
    struct dp_trap **traps;
    size_t n_traps, cap_traps;
    uint64_t order, seed;
    uint32_t tun_mtu;
    bool tun_lost;          /* and the daemon knows */
    bool stale;             /* the tables name SAs that are no more: there was no memory for new ones */
    unsigned n_others;      /* Child SAs that others carry, and the TUN's routes lead to */
    unsigned next_worker;   /* whose notes come next */
    struct ring *borrowed;  /* the last event's data lies there */
    struct dp_counters own; /* control's share */
};

void user_mtu_again(struct dp_user *dp); /* the TUN's, after what it depends on has changed */

#endif
