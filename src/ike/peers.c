/* peers.c - IKE SAs with the same peer: found by the pair of identities, and which of them stays (RFC 7296 s2.4, s2.8).
 * A new one replaces what is there (`unique = replace`, reauthentication); of two that both sides have begun at the same
 * time one stays, the same on both ends. Nothing is closed before the peer is known to have what takes its place. */
#include "ike/sa.h"

static uint64_t hash(uint64_t h, struct adit_span octets)
{
    for (size_t i = 0; i < octets.n; i++)
        h = (h ^ octets.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t key_of(const struct ike *ike, struct adit_span one, struct adit_span other)
{
    uint64_t key = map_mix(hash(hash(ike->seed, one), other), ike->seed);
    return key ? key : 1;
}

/* --- who is there --------------------------------------------------------------------------------------------------- */

/* The ID payload's type and data: what is between them is reserved. */
static uint64_t remote_key(const struct ike *ike, uint8_t type, struct adit_span data)
{
    return key_of(ike, span(&type, 1), data);
}

enum adit_rc peers_named(struct ike_sa *sa)
{
    if (sa->of_conn.key)
        return ADIT_OK;
    return ring_add(&sa->ike->by_conn, &sa->of_conn, key_of(sa->ike, span_str(sa_conn_name(sa)), SPAN_NONE));
}

enum adit_rc peers_add(struct ike_sa *sa)
{
    struct ike *ike = sa->ike;
    struct adit_span local = buf_span(&sa->id_local), remote = buf_span(&sa->id_remote);
    uint8_t type = remote.n ? remote.p[0] : 0;
    TRY(peers_named(sa));
    TRY(ring_add(&ike->by_remote, &sa->of_remote, remote_key(ike, type, span_from(remote, remote.n < 4 ? remote.n : 4))));
    TRY(ring_add(&ike->by_peer, &sa->of_peer, key_of(ike, local, remote)));
    list_remove(&sa->unknown);
    return ADIT_OK;
}

void peers_del(struct ike_sa *sa)
{
    ring_del(&sa->ike->by_peer, &sa->of_peer);
    ring_del(&sa->ike->by_remote, &sa->of_remote);
    ring_del(&sa->ike->by_conn, &sa->of_conn);
    list_remove(&sa->unknown);
}

struct ike_sa *peers_of_conn(const struct ike *ike, const char *name, const struct ike_sa *after)
{
    uint64_t key = after ? after->of_conn.key : key_of(ike, span_str(name), SPAN_NONE);
    struct ike_ring *r = ring_next(&ike->by_conn, key, after ? &after->of_conn : NULL);
    for (; r; r = ring_next(&ike->by_conn, key, r)) {
        struct ike_sa *sa = list_entry(r, struct ike_sa, of_conn);
        if (!sa->cut && !strcmp(sa_conn_name(sa), name))
            return sa;
    }
    return NULL;
}

static bool is_of(const struct ike_sa *sa, struct adit_span local, struct adit_span remote)
{
    return !sa->cut && span_equal(buf_span(&sa->id_remote), remote) && span_equal(buf_span(&sa->id_local), local);
}

struct ike_sa *peers_find(const struct ike *ike, struct adit_span local, struct adit_span remote, const struct ike_sa *after)
{
    uint64_t key = after ? after->of_peer.key : key_of(ike, local, remote);
    struct ike_ring *r = ring_next(&ike->by_peer, key, after ? &after->of_peer : NULL);
    for (; r; r = ring_next(&ike->by_peer, key, r)) {
        struct ike_sa *sa = list_entry(r, struct ike_sa, of_peer);
        if (is_of(sa, local, remote))
            return sa;
    }
    return NULL;
}

/* The identity that we want, else its address. */
static bool may_be_same_peer(const struct ike_sa *other, const struct ike_sa *sa, const struct adit_id *peer)
{
    struct adit_span whole = buf_span(&other->id_remote);
    bool counts = other != sa && !other->cut && other->state < SA_DEAD &&
                  (other->state >= SA_AUTHENTICATING || other->id < sa->id);
    if (counts && peer->type && whole.n >= 4)
        return whole.p[0] == peer->type && span_equal(span_from(whole, 4), peer->data);
    return counts && addr_equal(&other->path.remote.addr, &sa->path.remote.addr);
}

static bool is_known_by_id(const struct ike_sa *sa, const struct adit_id *peer)
{
    const struct ike *ike = sa->ike;
    uint64_t key = remote_key(ike, peer->type, peer->data);
    for (struct ike_ring *r = NULL; (r = ring_next(&ike->by_remote, key, r));)
        if (may_be_same_peer(list_entry(r, struct ike_sa, of_remote), sa, peer))
            return true;
    list_for_each(it, &ike->unknown)
        if (may_be_same_peer(list_entry(it, struct ike_sa, unknown), sa, peer))
            return true;
    return false;
}

bool peers_known(const struct ike_sa *sa, const struct adit_id *peer)
{
    if (peer->type)
        return is_known_by_id(sa, peer);
    list_for_each(it, &sa->ike->sas)
        if (may_be_same_peer(list_entry(it, struct ike_sa, link), sa, peer))
            return true;
    return false;
}

static struct ike_sa *next_peer(const struct ike_sa *sa, const struct ike_sa *after)
{
    return peers_find(sa->ike, buf_span(&sa->id_local), buf_span(&sa->id_remote), after);
}

/* --- Child SAs ------------------------------------------------------------------------------------------------------ */

static bool is_up(const struct ike_child *c)
{
    return c->state == ADIT_CHILD_INSTALLED || c->state == ADIT_CHILD_REKEYING;
}

static bool same_ts(const struct ike_child *c, const struct ike_pending *p)
{
    if (c->n_local != p->local->n || c->n_remote != p->remote->n || c->mode != p->mode)
        return false;
    for (uint16_t i = 0; i < c->n_local; i++)
        if (!ts_equal(&c->ts[i], &p->local->v[i]))
            return false;
    for (uint16_t i = 0; i < c->n_remote; i++)
        if (!ts_equal(&c->ts[c->n_local + i], &p->remote->v[i]))
            return false;
    return true;
}

static struct ike_child *child_like(const struct ike_sa *sa, const struct ike_pending *p)
{
    list_for_each(it, &sa->children) {
        struct ike_child *c = list_entry(it, struct ike_child, link);
        if (is_up(c) && !c->resource && !strcmp(c->cfg->name, p->cfg->name) && same_ts(c, p))
            return c;
    }
    return NULL;
}

struct ike_child *peers_child(const struct ike_pending *p)
{
    struct ike_child *c = NULL;
    const struct ike_sa *other = NULL;
    while (!c && (other = next_peer(p->sa, other)))
        if (other != p->sa && other->state == SA_ESTABLISHED && !strcmp(sa_conn_name(other), sa_conn_name(p->sa)))
            c = child_like(other, p);
    return c;
}

static bool has_child(const struct ike_sa *sa, const char *name)
{
    list_for_each(it, &sa->children)
        if (!strcmp(list_entry(it, struct ike_child, link)->cfg->name, name))
            return true;
    return false;
}

static bool is_new_child(const struct ike_task *t, const char *name)
{
    return t && t->kind == TASK_NEW_CHILD && !strcmp(t->cfg->name, name);
}

static bool makes_child(const struct ike_sa *sa, const char *name)
{
    list_for_each(it, &sa->tasks)
        if (is_new_child(list_entry(it, struct ike_task, link), name))
            return true;
    for (const struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (is_new_child(x->task, name))
            return true;
    return false;
}

static void make_child(struct ike_sa *sa, const struct adit_child_cfg *cfg, uint32_t reqid)
{
    struct ike_task *t = agenda_add(sa, TASK_NEW_CHILD, &step_new_child_req);
    if (!t)
        return;
    t->cfg = cfg;
    t->reqid = reqid;
}

/* Child SAs of the old one that are not up in the new one yet; those that came up meanwhile are made there, too. */
static bool carry_over(struct ike_sa *old, struct ike_sa *to)
{
    bool any = false;
    list_for_each(it, &old->children) {
        const struct ike_child *c = list_entry(it, struct ike_child, link);
        const struct adit_child_cfg *cfg = conn_child(to->conn->cfg, c->cfg->name);
        if (!cfg || !is_up(c) || has_child(to, cfg->name))
            continue;
        if (!makes_child(to, cfg->name))
            make_child(to, cfg, c->reqid);
        any |= makes_child(to, cfg->name);
    }
    sa_arm(to);
    return any;
}

/* The old one still has something to do: what is up in it is made in the new one, what the peer or we are about to make
 * in it by several exchanges comes to its end first. */
static bool is_needed(struct ike_sa *old, struct ike_sa *to)
{
    bool carried = carry_over(old, to);
    return carried || !list_empty(&old->pendings);
}

/* --- which one stays ----------------------------------------------------------------------------------------------- */

static void retire(struct ike_sa *old, uint64_t delay)
{
    old->retire_at = old->ike->now + delay;
    old->retiring = 0;
    sa_arm(old);
}

static void close_old(struct ike_sa *old, const char *why)
{
    old->quiet = true;
    old->retire_at = 0;
    sa_delete(old, why);
}

/* The younger one was begun before the older one was up, and by the other side. Rekeyed ones are no beginnings. */
static bool crossed(const struct ike_sa *a, const struct ike_sa *b)
{
    return a->is_initiator != b->is_initiator && a->lineage == a->id && b->lineage == b->id &&
           a->established_at >= b->created_at && b->established_at >= a->created_at;
}

static struct adit_span lowest_nonce(const struct ike_sa *sa)
{
    struct adit_span i = buf_span(&sa->nonce_i), r = buf_span(&sa->nonce_r);
    return span_compare(i, r) < 0 ? i : r;
}

/* As for crossing rekeyings (RFC 7296 s2.8.1): the one with the lowest of the four nonces goes, and who began it closes
 * it. The other side waits longer, in case that it saw the two one after the other. */
static void settle_crossed(struct ike_sa *a, struct ike_sa *b)
{
    struct ike_sa *loser = span_compare(lowest_nonce(a), lowest_nonce(b)) < 0 ? a : b;
    sa_log(loser, ADIT_LOG_INFO, "IKE", "IKE_SA %s[%u]: both sides have connected at once, this one goes",
           sa_conn_name(loser), loser->id);
    retire(loser, loser->is_initiator ? IKE_RETIRE_OURS : IKE_RETIRE_THEIRS);
}

static void replace(struct ike_sa *sa, struct ike_sa *old, bool reauthenticated)
{
    if (!sa->is_initiator) /* the peer does not know yet that it is up */
        retire(old, IKE_RETIRE_THEIRS);
    else if (reauthenticated)
        retire(old, 0); /* once this exchange is over: its Child SA is up then, and it shows what is still to be made */
    else
        close_old(old, "replaced by a newer IKE SA of the same peer");
}

static void settle(struct ike_sa *sa, struct ike_sa *other)
{
    enum adit_unique unique = sa->conn->cfg->unique;
    bool reauthenticated = sa->reauth_of && other->lineage == sa->reauth_of;
    bool same_conn = !strcmp(sa_conn_name(other), sa_conn_name(sa)); /* perhaps of another configuration */
    if (reauthenticated)
        replace(sa, other, true);
    else if (!same_conn || unique == ADIT_UNIQUE_NEVER)
        return;
    else if (crossed(sa, other)) /* two daemons that start at once: nobody meant two */
        settle_crossed(sa, other);
    else if (unique == ADIT_UNIQUE_REPLACE)
        replace(sa, other, false);
}

void peers_established(struct ike_sa *sa)
{
    if (sa->conn->cfg->unique == ADIT_UNIQUE_NEVER && !sa->reauth_of)
        return; /* all of them stay: thousands may have the same identities */
    for (struct ike_sa *other = NULL; (other = next_peer(sa, other));)
        if (other != sa && other->state == SA_ESTABLISHED)
            settle(sa, other);
    struct ike_sa *old = sa->reauth_of ? sa_by_id(sa->ike, sa->reauth_of) : NULL;
    if (old && old->state == SA_ESTABLISHED && !old->retire_at && old->of_peer.key != sa->of_peer.key)
        close_old(old, "reauthenticated"); /* the peer has another identity now */
}

/* Another one that is up and stays. */
static struct ike_sa *heir_of(const struct ike_sa *sa)
{
    struct ike_sa *other = NULL;
    while ((other = next_peer(sa, other)))
        if (other != sa && other->state == SA_ESTABLISHED && !other->retire_at && !other->quiet &&
            !strcmp(sa_conn_name(other), sa_conn_name(sa)))
            return other;
    return NULL;
}

bool peers_replaced(const struct ike_sa *sa)
{
    return sa->retire_at && heir_of(sa);
}

bool peers_have(const struct ike_sa *sa, const char *child)
{
    const struct ike_sa *heir = sa->of_peer.key ? heir_of(sa) : NULL;
    if (!heir)
        return false;
    list_for_each(it, &heir->children) {
        const struct ike_child *c = list_entry(it, struct ike_child, link);
        if (is_up(c) && !strcmp(c->cfg->name, child))
            return true;
    }
    return false;
}

static void hand_on(struct ike_task *t, struct ike_sa *to)
{
    const struct adit_child_cfg *cfg = t->kind == TASK_NEW_CHILD ? conn_child(to->conn->cfg, t->cfg->name) : NULL;
    struct ike_task *again = cfg ? agenda_add(to, TASK_NEW_CHILD, &step_new_child_req) : NULL;
    if (!again)
        return;
    again->cfg = cfg;
    again->reqid = t->reqid;
    again->cookie = t->cookie;
    t->cookie = 0;
}

void peers_hand_on(struct ike_sa *sa)
{
    struct ike_sa *heir = sa->of_peer.key && sa->established_at && !sa->successor ? heir_of(sa) : NULL;
    if (!heir)
        return;
    for (struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (x->task)
            hand_on(x->task, heir);
    list_for_each(it, &sa->tasks)
        hand_on(list_entry(it, struct ike_task, link), heir);
    sa_arm(heir);
}

/* Does the peer have it, too? Our IKE_AUTH response may be lost; whoever is silent is asked. */
static bool is_shared(struct ike_sa *sa)
{
    if (sa->is_initiator || sa->lineage != sa->id || sa->heard_at > sa->established_at)
        return true;
    if (!sa_out(sa) && !agenda_find(sa, TASK_LIVENESS, 0) && agenda_add(sa, TASK_LIVENESS, &step_liveness_req))
        sa_arm(sa);
    return false;
}

void peers_retire(struct ike_sa *sa)
{
    struct ike_sa *heir = heir_of(sa);
    sa->retire_at = 0;
    if (!heir)
        return; /* what should have taken its place is gone itself */
    bool wait = !is_shared(heir);
    if (sa->retiring++ < IKE_RETIRE_ROUNDS && (is_needed(sa, heir) || wait)) {
        sa->retire_at = sa->ike->now + IKE_RETIRE_OURS;
        return;
    }
    close_old(sa, heir->reauth_of == sa->lineage ? "reauthenticated" : "replaced by a newer IKE SA of the same peer");
}

/* INITIAL_CONTACT: the peer has lost everything else that it had with us (RFC 7296 s2.4): no Delete is owed. What came
 * up on its answer while this one was on its way is none of that. */
void peers_forget(struct ike_sa *sa)
{
    if (sa->conn->cfg->unique == ADIT_UNIQUE_NEVER)
        return;
    for (struct ike_sa *other = NULL; (other = next_peer(sa, other));) {
        bool newer = other->is_initiator && other->lineage == other->id && other->established_at >= sa->created_at;
        if (other == sa || other->state < SA_ESTABLISHED || other->state == SA_DEAD || newer)
            continue;
        other->quiet = true;
        sa_end(other, ADIT_ERR_CLOSED, "the peer started anew (INITIAL_CONTACT)");
    }
}
