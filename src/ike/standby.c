/* standby.c - the one that sends goes: which Child SA on standby takes its place.
 * The responder of a rekeying or reauthentication keeps the new Child SA on standby until the peer uses it, or closes the
 * one that it replaces: that much the data plane does by itself. Here is what it cannot know: that what it still sends on
 * is in an IKE SA that is being deleted, so that the peer has closed it already, or is about to (RFC 7296 s2.8, s2.25.2). */
#include "ike/sa.h"

static bool is_leaving(const struct ike_child *c)
{
    const struct ike_sa *sa = c->sa;
    return sa->cut || sa->state == SA_DELETING || sa->state == SA_DEAD || c->state == ADIT_CHILD_DELETING;
}

/* Rekeyed already, by one that the peer may not have yet: with windows above 1 the next rekeying can overtake the deletion
 * of the one before. The redundant one of two is none of these: what it gave way to has replaced another. */
static bool is_rekeyed_early(const struct ike_child *c)
{
    const struct ike_child *next = c->rekeyed_to ? child_by_id(c->sa->ike, c->rekeyed_to) : NULL;
    return c->state == ADIT_CHILD_REKEYED && next && next->standby && next->replaces == c->id;
}

static bool may_begin(const struct ike_child *c)
{
    return c->state == ADIT_CHILD_INSTALLED || c->state == ADIT_CHILD_REKEYING || is_rekeyed_early(c);
}

static bool is_better(const struct ike_child *c, const struct ike_child *best, const struct ike_child *gone)
{
    if (!c->standby || !best)
        return !c->standby || may_begin(c);
    bool successor = c->replaces == gone->id, before = best->replaces == gone->id;
    return best->standby && may_begin(c) && (successor != before ? successor : c->id < best->id);
}

/* An IKE SA with the same peer, which is known. */
static bool is_same_peer(const struct ike_sa *a, const struct ike_sa *b)
{
    return a->of_peer.key && a->of_peer.key == b->of_peer.key &&
           span_equal(buf_span(&a->id_local), buf_span(&b->id_local)) &&
           span_equal(buf_span(&a->id_remote), buf_span(&b->id_remote));
}

/* The best for what `gone` has sent: one that sends already, else what has replaced it, else the oldest, which the
 * peer has heard of first. */
static struct ike_child *find(const struct ike_child *gone)
{
    const struct map *all = &gone->sa->ike->by_reqid;
    struct ike_child *best = NULL;
    for (struct ike_ring *r = NULL; (!best || best->standby) && (r = ring_next(all, gone->reqid, r));) {
        struct ike_child *c = list_entry(r, struct ike_child, of_reqid);
        bool same = c != gone && c->resource == gone->resource && is_same_peer(c->sa, gone->sa);
        if (same && !is_leaving(c) && is_better(c, best, gone))
            best = c;
    }
    return best;
}

bool standby_relieve(const struct ike_child *gone)
{
    struct ike_child *c = find(gone);
    if (!c || !c->standby || gone->standby)
        return c;
    if (c->replaces == gone->id && !is_leaving(gone))
        c->standby = false; /* the data plane does it, as it removes the other */
    else
        child_activate(c);
    return true;
}

void standby_relieve_all(const struct ike_sa *sa)
{
    list_for_each(it, &sa->children) {
        struct ike_child *c = list_entry(it, struct ike_child, link);
        if (standby_relieve(c))
            child_leave(c); /* newer than the other, perhaps, which is what data planes go by */
    }
}
