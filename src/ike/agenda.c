/* agenda.c - what an established SA wants next, in one list with one order (RFC 7296 s2.25 prefers deletes). */
#include "ike/sa.h"

static bool before(const struct ike_task *a, const struct ike_task *b)
{
    return a->kind < b->kind;
}

/* Ending the SA always finds a place. */
static bool is_full(const struct ike_sa *sa, enum task_kind kind)
{
    unsigned n = 0;
    list_for_each(it, &sa->tasks)
        n++;
    return n >= IKE_TASKS_MAX && kind != TASK_DELETE_IKE;
}

struct ike_task *agenda_add(struct ike_sa *sa, enum task_kind kind, const struct ike_step *step)
{
    struct ike_task *t = is_full(sa, kind) ? NULL : mem_new(sizeof(*t));
    if (!t)
        return NULL;
    t->kind = kind;
    t->step = step;
    list_append(&sa->tasks, &t->link);
    return t;
}

struct ike_task *agenda_find(struct ike_sa *sa, enum task_kind kind, uint32_t child_id)
{
    list_for_each(it, &sa->tasks) {
        struct ike_task *t = list_entry(it, struct ike_task, link);
        if (t->kind == kind && t->child_id == child_id)
            return t;
    }
    return sa_out_task(sa, kind, child_id);
}

static bool ike_rekeying_goes_on(const struct ike_sa *sa)
{
    list_for_each(it, &sa->pendings)
        if (list_entry(it, struct ike_pending, link)->kind == PENDING_REKEY_IKE)
            return true;
    return false;
}

/* A series of key exchanges for this Child SA is on its way. The peer's: it would refuse ours, or both would come to their
 * end. Ours, which in a larger window this one need not come after: the Child SA would be replaced twice. */
static bool child_is_rekeyed(const struct ike_sa *sa, uint32_t child_id, bool by_us)
{
    list_for_each(it, &sa->pendings) {
        const struct ike_pending *p = list_entry(it, struct ike_pending, link);
        if (p->requester == by_us && p->kind == PENDING_REKEY_CHILD && p->old_child == child_id)
            return true;
    }
    return false;
}

/* RFC 7296 s2.25.2: once either side has asked to rekey the IKE SA, nothing more is created in it; with further key
 * exchanges that takes several exchanges (RFC 9370 s2.2.4). */
static bool held_back(const struct ike_sa *sa, const struct ike_task *t)
{
    bool creates = t->kind == TASK_REKEY_IKE || t->kind == TASK_REKEY_CHILD || t->kind == TASK_NEW_CHILD;
    if (t->kind == TASK_REKEY_CHILD && child_is_rekeyed(sa, t->child_id, false))
        return true;
    if ((t->kind == TASK_REKEY_CHILD || t->kind == TASK_DELETE_CHILD) && t->child_id && child_is_rekeyed(sa, t->child_id, true))
        return true;
    return creates && ike_rekeying_goes_on(sa);
}

static bool same_child(const struct ike_task *a, const struct ike_task *b)
{
    return a->child_id && a->child_id == b->child_id && !(a->kind == TASK_NEW_CHILD && b->kind == TASK_NEW_CHILD);
}

/* A request of ours is under way that this one must not overtake, or that must not be overtaken by anything: in the peer's
 * window requests arrive in any order. What is about the IKE SA as a whole goes alone (ike_step.beside), what is about one
 * Child SA one after the other. While a request is not answered, more of them are no help. */
static bool waits_for(const struct ike_sa *sa, const struct ike_xchg *x, const struct ike_task *t)
{
    return x->alone || !t->step->beside || x->tries >= IKE_WINDOW_PATIENCE || ike_rekeying_goes_on(sa) ||
           (x->task && same_child(x->task, t));
}

/* Is it only the Child SA's turn that it waits for? Then others may go first. */
static bool lets_others(const struct ike_sa *sa, const struct ike_task *t)
{
    return t->step->beside && !ike_rekeying_goes_on(sa);
}

static bool may_begin(const struct ike_sa *sa, const struct ike_task *t)
{
    for (const struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (waits_for(sa, x, t))
            return false;
    return true;
}

/* The first in line. What has to go alone waits until nothing else is under way, and nothing that comes after it in line
 * begins meanwhile. */
static struct ike_task *next_task(const struct ike_sa *sa)
{
    struct ike_task *best = NULL;
    list_for_each(it, &sa->tasks) {
        struct ike_task *t = list_entry(it, struct ike_task, link);
        if (t->not_before > sa->ike->now || (best && !before(t, best)) || held_back(sa, t))
            continue;
        if (may_begin(sa, t) || !lets_others(sa, t))
            best = t;
    }
    return best && may_begin(sa, best) ? best : NULL;
}

struct ike_task *agenda_take(struct ike_sa *sa)
{
    struct ike_task *best = next_task(sa);
    if (best)
        list_remove(&best->link);
    return best;
}

uint64_t agenda_deadline(const struct ike_sa *sa)
{
    uint64_t at = UINT64_MAX;
    if (!window_has_room(sa))
        return at; /* it is closed: an answer or the end of a request wakes us */
    list_for_each(it, &sa->tasks) {
        const struct ike_task *t = list_entry(it, struct ike_task, link);
        if (t->not_before <= sa->ike->now || held_back(sa, t))
            continue; /* next_task() knows better; the end of the rekeying wakes it */
        at = t->not_before < at ? t->not_before : at;
    }
    return next_task(sa) ? 1 : at; /* 0 would mean "never" to the timers */
}

void agenda_again(struct ike_sa *sa, struct ike_task *t, uint64_t delay)
{
    t->tries++;
    t->not_before = sa->ike->now + delay;
    list_append(&sa->tasks, &t->link);
}

void task_free(struct ike_task *t)
{
    if (t)
        buf_fini(&t->crossing_nonce);
    mem_del(t);
}

void task_end(struct ike_sa *sa, struct ike_task *t, enum adit_rc rc, const char *text)
{
    event_done(sa->ike, t->cookie, rc, text);
    task_free(t);
}

/* strongSwan's words: tools show them. */
const char *task_name(const struct ike_task *t)
{
    static const char *const names[TASK_KINDS] = {
        [TASK_DELETE_IKE] = "IKE_DELETE", [TASK_NOTIFY] = "IKE_NOTIFY", [TASK_EXCHANGE] = NULL,
        [TASK_REKEY_IKE] = "IKE_REKEY", [TASK_DELETE_CHILD] = "CHILD_DELETE", [TASK_REKEY_CHILD] = "CHILD_REKEY",
        [TASK_NEW_CHILD] = "CHILD_CREATE", [TASK_LIVENESS] = "IKE_DPD",
    };
    return names[t->kind] ? names[t->kind] : t->step->name;
}
