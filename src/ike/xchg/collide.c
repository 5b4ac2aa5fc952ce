/* collide.c - crossing exchanges (RFC 7296 s2.8.1, s2.8.2, s2.25; RFC 9370 s2.2.4), one table: what the peer asks for
 * while we are doing something ourselves. */
#include "ike/sa.h"

/* What we are doing to an SA, as far as it matters for the peer's request. */
enum doing { IDLE, CREATING, REKEYING_CHILD, REKEYING_CHILD_MORE /* its further key exchanges run */, DELETING_CHILD,
             REKEYING_IKE, REKEYING_IKE_MORE, DELETING_IKE, DOINGS };

static enum doing doing_by_task(const struct ike_task *t, uint32_t target)
{
    switch (t ? t->kind : TASK_KINDS) {
    case TASK_DELETE_IKE: return DELETING_IKE;
    case TASK_REKEY_IKE: return REKEYING_IKE;
    case TASK_DELETE_CHILD: return !target || t->child_id == target ? DELETING_CHILD : IDLE;
    case TASK_REKEY_CHILD: return !target || t->child_id == target ? REKEYING_CHILD : IDLE;
    case TASK_NEW_CHILD: return target ? IDLE : CREATING;
    default: return IDLE;
    }
}

static enum doing doing_by_pending(const struct ike_sa *sa, uint32_t target)
{
    list_for_each(it, &sa->pendings) {
        const struct ike_pending *p = list_entry(it, struct ike_pending, link);
        if (!p->requester)
            continue;
        if (p->kind == PENDING_REKEY_IKE)
            return REKEYING_IKE_MORE;
        if (p->kind == PENDING_REKEY_CHILD && (!target || p->old_child == target))
            return REKEYING_CHILD_MORE;
        if (!target)
            return CREATING;
    }
    return IDLE;
}

/* Of several that are under way the one that lets the peer do least: their order is that of the table's columns, and the
 * only exception from it, rekeying the IKE SA, runs alone. */
static enum doing the_more(enum doing a, enum doing b)
{
    return a > b ? a : b;
}

/* target 0 = the IKE SA as a whole: any child's business counts. */
static enum doing what_we_do(const struct ike_sa *sa, uint32_t target)
{
    enum doing d = IDLE;
    if (sa->state == SA_REKEYED || sa->state == SA_DELETING)
        return DELETING_IKE;
    for (const struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        d = the_more(d, doing_by_task(x->task, target));
    return d != IDLE ? d : doing_by_pending(sa, target);
}

/* Rows: the peer's request; columns: enum doing. O = as usual, T = TEMPORARY_FAILURE. */
static enum adit_rc verdict(enum collide_kind kind, enum doing d)
{
    static const char table[][DOINGS + 1] = {
        /*                          idle create rekC rekC+ delC rekI rekI+ delI */
        [COLLIDE_NEW_CHILD] =      "OOOOOTTT",
        [COLLIDE_REKEY_CHILD] =    "OOOTTTTT",
        [COLLIDE_DELETE_CHILD] =   "OOOOOOOO",
        [COLLIDE_REKEY_IKE] =      "OTTTTOTT",
        [COLLIDE_DELETE_IKE] =     "OOOOOOOO",
    };
    return table[kind][d] == 'O' ? ADIT_OK : ADIT_ERR_TEMPORARY;
}

enum adit_rc collide_request(struct ike_sa *sa, enum collide_kind kind, struct ike_child *target, struct adit_why *why)
{
    bool about_child = kind == COLLIDE_REKEY_CHILD || kind == COLLIDE_DELETE_CHILD;
    enum doing d = what_we_do(sa, about_child && target ? target->id : 0);
    enum doing whole = what_we_do(sa, 0);
    if (about_child && whole >= REKEYING_IKE)
        d = whole;
    if (kind == COLLIDE_REKEY_CHILD && target->state == ADIT_CHILD_REKEYED)
        d = DELETING_CHILD;
    if (d != IDLE)
        ike_count(sa->ike, sa, ADIT_C_COLLISIONS);
    if (verdict(kind, d) == ADIT_OK)
        return ADIT_OK;
    return why_set(why, ADIT_ERR_TEMPORARY, "it crosses an exchange of ours");
}

bool collide_unknown_child(const struct ike_sa *sa)
{
    enum doing d = what_we_do(sa, 0);
    return d == CREATING || d == REKEYING_CHILD || d == REKEYING_CHILD_MORE;
}

static struct ike_task *our_rekey(struct ike_sa *sa, const struct ike_pending *p)
{
    if (p->kind == PENDING_REKEY_IKE)
        return sa_out_task(sa, TASK_REKEY_IKE, 0);
    return p->kind == PENDING_REKEY_CHILD ? sa_out_task(sa, TASK_REKEY_CHILD, p->old_child) : NULL;
}

bool collide_note(struct ike_pending *p, uint32_t made_id)
{
    struct ike_task *t = our_rekey(p->sa, p);
    if (!t || buf_set(&t->crossing_nonce, pending_lowest_nonce(p)) != ADIT_OK)
        return false;
    t->crossing_id = made_id;
    return true;
}

/* RFC 7296 s2.8.1: the SA made by the exchange with the lowest of the four nonces is closed by who initiated it. */
bool collide_lost(const struct ike_pending *p)
{
    if (!p->crossing_id)
        return false;
    return span_compare(pending_lowest_nonce(p), buf_span(&p->crossing_nonce)) < 0;
}

/* Where it is noted what the peer's crossing rekeying of the IKE SA has made: in our task, later in what is pending. */
static uint32_t *ike_crossing(const struct ike_sa *sa)
{
    struct ike_task *t = sa_out_task(sa, TASK_REKEY_IKE, 0);
    if (t)
        return &t->crossing_id;
    list_for_each(it, &sa->pendings) {
        struct ike_pending *p = list_entry(it, struct ike_pending, link);
        if (p->requester && p->kind == PENDING_REKEY_IKE)
            return &p->crossing_id;
    }
    return NULL;
}

uint32_t collide_ike_crossing(const struct ike_sa *sa)
{
    const uint32_t *id = ike_crossing(sa);
    return id ? *id : 0;
}

static void delete_child(struct ike_child *c)
{
    struct ike_task *t = agenda_find(c->sa, TASK_DELETE_CHILD, c->id);
    if (!t && (t = agenda_add(c->sa, TASK_DELETE_CHILD, &step_delete_child_req)))
        t->child_id = c->id;
}

static bool same_target(struct ike_pending *other, const void *arg)
{
    const struct ike_pending *p = arg;
    return other != p && !other->requester && other->kind == p->kind && other->old_child == p->old_child &&
           p->kind != PENDING_NEW_CHILD;
}

static bool ends_with(struct ike_pending *p, const void *arg)
{
    const uint32_t *child = arg;
    return !p->requester && (!*child || p->old_child == *child);
}

void collide_end_series(struct ike_sa *sa, uint32_t child_id)
{
    struct ike_pending *p;
    while ((p = pending_find(sa, ends_with, &child_id)))
        pending_free(p);
}

/* Series of the peer for the same SA that ours has won against: its next IKE_FOLLOWUP_KE finds nothing. */
void collide_drop_others(const struct ike_pending *p)
{
    struct ike_pending *other;
    while ((other = pending_find(p->sa, same_target, p)))
        pending_free(other);
}

void collide_child_done(struct ike_pending *p, struct ike_child *made)
{
    struct ike *ike = p->sa->ike;
    struct ike_child *old = child_by_id(ike, p->old_child), *crossing = child_by_id(ike, p->crossing_id);
    if (collide_lost(p)) { /* also when the peer's has been rekeyed again meanwhile */
        sa_log(p->sa, ADIT_LOG_MORE, "CHD", "rekey collision lost: closing the redundant CHILD_SA %s{%u}",
               made->cfg->name, made->id);
        child_supersede(made, p->crossing_id);
        delete_child(made);
        if (old)
            child_supersede(old, p->crossing_id); /* the peer deletes it */
        return;
    }
    collide_drop_others(p);
    if (crossing)
        child_supersede(crossing, made->id); /* redundant: the peer closes it */
    if (old) {
        child_supersede(old, made->id);
        delete_child(old);
    }
}

bool collide_before_more(struct ike_pending *p)
{
    struct adit_span lowest = pending_lowest_nonce(p);
    if (collide_lost(p))
        return false;
    list_for_each(it, &p->sa->pendings) { /* a peer that gave one up may have begun another */
        struct ike_pending *other = list_entry(it, struct ike_pending, link);
        if (same_target(other, p) && span_compare(lowest, pending_lowest_nonce(other)) < 0)
            return false; /* RFC 9370 s2.2.4: the loser just sends no IKE_FOLLOWUP_KE */
    }
    collide_drop_others(p);
    return true;
}

static bool deletes_ike(const struct ike_msg *msg)
{
    const struct payload *p = msg_find(msg, PLD_DELETE);
    return p && p->body.n > 0 && p->body.p[0] == PROTO_IKE;
}

struct ike_sa *collide_ike_crossed(const struct ike_sa *made)
{
    struct ike_sa *old = made->crosses ? sa_by_id(made->ike, made->crosses) : NULL;
    return old && old->state == SA_ESTABLISHED && collide_ike_crossing(old) == made->id ? old : NULL;
}

void collide_ike_renamed(struct ike_sa *old, struct ike_sa *to)
{
    uint32_t *id = ike_crossing(old);
    if (id)
        *id = to->id;
    to->crosses = old->id;
}

void collide_ike_used(struct ike_sa *fresh, const struct ike_msg *request)
{
    struct ike_sa *old = collide_ike_crossed(fresh);
    if (old && !deletes_ike(request)) /* by a Delete the peer shows that it has lost the collision and knows it */
        collide_ike_settle(old, fresh->id);
}

void collide_ike_settle(struct ike_sa *old, uint32_t crossing_id)
{
    struct ike_sa *crossing = crossing_id ? sa_by_id(old->ike, crossing_id) : NULL;
    if (crossing && !old->successor)
        sa_hand_over(old, crossing);
}

void collide_yield(struct ike_pending *p)
{
    struct ike_child *old = child_by_id(p->sa->ike, p->old_child), *crossing = child_by_id(p->sa->ike, p->crossing_id);
    if (p->kind == PENDING_REKEY_IKE)
        collide_ike_settle(p->sa, p->crossing_id);
    else if (old && crossing)
        child_supersede(old, crossing->id); /* the peer deletes it */
}
