/* unproven.c - memory for messages that are not complete, or not yet dealt with: fragments, for whatever extension keeps
 * them. One budget for what peers send before they have proven who they are, and one for messages longer than others, of
 * whomever; of each a share for one address (IPv6: one /64). What has waited longest for its next piece goes first: an
 * honest peer's pieces come one right after the other, so it is not his. */
#include "ike/sa.h"

struct unproven_share {
    struct unproven *of;
    uint64_t key;
    size_t octets;
    struct list holders; /* by ike_sa.held_of_share */
};

/* A long request is held until it is answered: its key exchange may have to wait for a worker. */
static size_t in_work(const struct ike_sa *sa)
{
    size_t n = 0;
    list_for_each(it, &sa->in) {
        const struct ike_xchg *x = list_entry(it, struct ike_xchg, link);
        n += x->in_raw.plain.n > IKE_MESSAGE_MAX ? x->in_raw.plain.n : 0;
    }
    return n;
}

static size_t held(struct ike_sa *sa)
{
    size_t n = in_work(sa);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (sa->ext[i] && ike_exts[i]->on.held)
            n += ike_exts[i]->on.held(sa);
    return n;
}

/* NULL: what it holds counts nowhere. */
static struct unproven *budget_for(struct ike_sa *sa, size_t octets)
{
    if (octets > 2 * IKE_MESSAGE_MAX)
        return &sa->ike->longer;
    return sa->half_open && octets ? &sa->ike->unproven : NULL;
}

static struct unproven_share *share_of(struct unproven *u, struct ike_sa *sa)
{
    uint64_t key = halfopen_key(sa->ike, &sa->path.remote.addr);
    struct unproven_share *share = map_get(&u->by_ip, key);
    if (share || !(share = mem_new(sizeof(*share))))
        return share;
    share->of = u;
    share->key = key;
    list_init(&share->holders);
    if (map_put(&u->by_ip, key, share) == ADIT_OK)
        return share;
    mem_del(share);
    return NULL;
}

/* The last one takes the table with it: nothing is left of a flood. */
static void forget_share(struct ike *ike, struct unproven_share *share)
{
    struct map *m = &share->of->by_ip;
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
    share->of->octets -= sa->held_octets;
    sa->held_octets = 0;
    sa->share = NULL;
    list_remove(&sa->held);
    list_remove(&sa->held_of_share);
    if (!list_empty(&share->holders))
        return;
    forget_share(sa->ike, share);
}

static void set_held(struct ike_sa *sa, size_t now)
{
    sa->share->octets += now - sa->held_octets;
    sa->share->of->octets += now - sa->held_octets;
    sa->held_octets = now;
}

static void shed(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (sa->ext[i] && ike_exts[i]->on.shed)
            ike_exts[i]->on.shed(sa);
    size_t left = held(sa);
    ike_count(sa->ike, sa, ADIT_C_MEMORY_FULL);
    sa_log(sa, ADIT_LOG_MORE, "NET", "what it has sent of a message is forgotten: no memory is left for it");
    if (left && sa->share)
        set_held(sa, left);
    else
        unproven_del(sa);
}

/* What is being worked on stays; NULL: nothing before `end` can go. */
static struct ike_sa *oldest(struct list *holders, bool of_share, const struct ike_sa *end)
{
    list_for_each(it, holders) {
        struct ike_sa *sa = of_share ? list_entry(it, struct ike_sa, held_of_share) : list_entry(it, struct ike_sa, held);
        if (sa == end)
            break;
        if (!in_work(sa))
            return sa;
    }
    return NULL;
}

/* For whoever has to know what is going on; not for each SA, or a flood would fill the log. */
static void tell(const struct ike_sa *newest, bool of_share)
{
    const struct unproven_share *share = newest->share;
    struct unproven *u = share->of;
    STRBUF(who, 64);
    if (u->told_at && newest->ike->now - u->told_at < IKE_UNPROVEN_TELL)
        return;
    u->told_at = newest->ike->now;
    addr_print(&who, &newest->path.remote.addr);
    ike_log(newest->ike, NULL, ADIT_LOG_INFO, "NET",
            "memory for %s is full: %s%s %zu octets of %zu (%zu addresses%s%s); what has waited longest for its next piece "
            "is forgotten",
            u->what, of_share ? who.p : "all peers", of_share ? " has its share," : " have",
            of_share ? share->octets : u->octets, u->max, u->by_ip.n, u->setting ? "; " : "",
            u->setting ? u->setting : "");
}

/* The one that has just got something is the last in both lists, and fits into either bound by itself: it goes only if
 * what is being worked on leaves no room. */
static void keep_bounds(struct ike_sa *newest)
{
    struct unproven_share *share = newest->share;
    struct unproven *u = share->of;
    struct ike_sa *other;
    size_t most = u->max / IKE_UNPROVEN_SHARE + IKE_UNPROVEN_FEW;
    if (share->octets > most || u->octets > u->max)
        tell(newest, u->octets <= u->max);
    while (share->octets > most && (other = oldest(&share->holders, true, newest)))
        shed(other);
    while (u->octets > u->max && (other = oldest(&u->holders, false, newest)))
        shed(other);
    if (u->octets > u->max && !in_work(newest))
        shed(newest);
}

static void follow_ceiling(struct ike_sa *sa, struct unproven *u)
{
    for (unsigned i = 0; u == &sa->ike->longer && i < EXT_COUNT; i++)
        if (ike_exts[i]->on.held_max && ike_exts[i]->on.held_max(sa, &u->setting))
            u->max = ike_exts[i]->on.held_max(sa, &u->setting);
}

void unproven_update(struct ike_sa *sa)
{
    size_t now = held(sa), before;
    struct unproven *u = budget_for(sa, now);
    if (sa->share && sa->share->of != u)
        unproven_del(sa);
    if (!u || now == sa->held_octets)
        return;
    before = sa->held_octets;
    if (!sa->share && !(sa->share = share_of(u, sa))) {
        shed(sa); /* what cannot be counted is not kept */
        return;
    }
    set_held(sa, now);
    if (now <= before)
        return;
    list_remove(&sa->held);
    list_remove(&sa->held_of_share);
    list_append(&u->holders, &sa->held);
    list_append(&sa->share->holders, &sa->held_of_share);
    follow_ceiling(sa, u);
    keep_bounds(sa);
}

static void init(struct unproven *u, const char *what, uint64_t seed)
{
    u->what = what;
    u->max = IKE_UNPROVEN_OCTETS;
    list_init(&u->holders);
    map_init(&u->by_ip, seed);
}

void unproven_init(struct ike *ike)
{
    init(&ike->unproven, "strangers", ike->seed ^ 8);
    init(&ike->longer, "long messages", ike->seed ^ 8);
}

void unproven_fini(struct ike *ike)
{
    map_fini(&ike->unproven.by_ip); /* all SAs are gone, and with the last one of an address its share */
    map_fini(&ike->longer.by_ip);
}
