/* unproven.c - memory for what peers send before they have proven who they are: fragments of a message, for whatever
 * extension keeps them. One budget for all; of it a share for one address (IPv6: one /64). What has waited longest for
 * its next piece goes first: an honest peer's pieces come one right after the other, so it is not his. */
#include "ike/sa.h"

struct unproven_share {
    uint64_t key;
    size_t octets;
    struct list holders; /* by ike_sa.held_of_share */
};

static size_t held(struct ike_sa *sa)
{
    size_t n = 0;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (sa->ext[i] && ike_exts[i]->on.held)
            n += ike_exts[i]->on.held(sa);
    return n;
}

static struct unproven_share *share_of(struct ike_sa *sa)
{
    struct ike *ike = sa->ike;
    uint64_t key = halfopen_key(ike, &sa->path.remote.addr);
    struct unproven_share *share = map_get(&ike->unproven.by_ip, key);
    if (share || !(share = mem_new(sizeof(*share))))
        return share;
    share->key = key;
    list_init(&share->holders);
    if (map_put(&ike->unproven.by_ip, key, share) == ADIT_OK)
        return share;
    mem_del(share);
    return NULL;
}

/* The last one takes the table with it: nothing is left of a flood. */
static void forget_share(struct ike *ike, struct unproven_share *share)
{
    struct map *m = &ike->unproven.by_ip;
    map_del(m, share->key);
    mem_del(share);
    if (m->n)
        return;
    map_fini(m);
    map_init(m, ike->seed ^ 8);
}

void unproven_del(struct ike_sa *sa)
{
    struct unproven_share *share = sa->share;
    if (!share)
        return;
    share->octets -= sa->held_octets;
    sa->ike->unproven.octets -= sa->held_octets;
    sa->held_octets = 0;
    sa->share = NULL;
    list_remove(&sa->held);
    list_remove(&sa->held_of_share);
    if (!list_empty(&share->holders))
        return;
    forget_share(sa->ike, share);
}

static void shed(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (sa->ext[i] && ike_exts[i]->on.shed)
            ike_exts[i]->on.shed(sa);
    unproven_del(sa);
    sa_log(sa, ADIT_LOG_MORE, "NET", "memory for strangers is full: what half of a message it has sent is forgotten");
}

/* The one that has just got something is the last in both lists, and fits into either bound by itself. */
static void keep_bounds(struct ike *ike, struct ike_sa *newest)
{
    struct unproven *u = &ike->unproven;
    struct unproven_share *share = newest->share;
    while (share->octets > u->max / IKE_UNPROVEN_SHARE + IKE_UNPROVEN_FEW && share->holders.next != &newest->held_of_share)
        shed(list_entry(share->holders.next, struct ike_sa, held_of_share));
    while (u->octets > u->max && u->holders.next != &newest->held)
        shed(list_entry(u->holders.next, struct ike_sa, held));
}

void unproven_update(struct ike_sa *sa)
{
    size_t now = sa->half_open ? held(sa) : 0;
    if (now == sa->held_octets)
        return;
    if (!now) {
        unproven_del(sa);
        return;
    }
    if (!sa->share && !(sa->share = share_of(sa))) {
        shed(sa); /* what cannot be counted is not kept */
        return;
    }
    sa->share->octets += now - sa->held_octets;
    sa->ike->unproven.octets += now - sa->held_octets;
    bool more = now > sa->held_octets;
    sa->held_octets = now;
    if (!more)
        return;
    list_remove(&sa->held);
    list_remove(&sa->held_of_share);
    list_append(&sa->ike->unproven.holders, &sa->held);
    list_append(&sa->share->holders, &sa->held_of_share);
    keep_bounds(sa->ike, sa);
}

void unproven_init(struct ike *ike)
{
    ike->unproven.max = IKE_UNPROVEN_OCTETS;
    list_init(&ike->unproven.holders);
    map_init(&ike->unproven.by_ip, ike->seed ^ 8);
}

void unproven_fini(struct ike *ike)
{
    map_fini(&ike->unproven.by_ip); /* all SAs are gone, and with the last one of an address its share */
}
