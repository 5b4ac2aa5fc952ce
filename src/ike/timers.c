/* timers.c - one timer an SA: the earliest of everything that it waits for. */
#include "ike/sa.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return b && b < a ? b : a;
}

static uint64_t dpd_at(const struct ike_sa *sa)
{
    uint64_t delay = sa->conn ? sa->conn->cfg->dpd_delay_s : 0;
    if (!delay || sa->state != SA_ESTABLISHED || sa_out(sa))
        return 0;
    return sa->heard_at + SECONDS(delay);
}

static uint64_t retransmit_at(const struct ike_sa *sa)
{
    uint64_t at = UINT64_MAX;
    for (struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (x->phase == PHASE_SENT)
            at = earlier(at, x->retransmit_at);
    return at;
}

static uint64_t children_deadline(const struct ike_sa *sa)
{
    uint64_t at = UINT64_MAX;
    list_for_each(it, &sa->children) {
        const struct ike_child *c = list_entry(it, struct ike_child, link);
        at = earlier(earlier(at, c->rekey_at), c->expire_at);
    }
    return at;
}

static uint64_t pendings_deadline(const struct ike_sa *sa)
{
    uint64_t at = UINT64_MAX;
    list_for_each(it, &sa->pendings)
        at = earlier(at, list_entry(it, struct ike_pending, link)->deadline);
    return at;
}

static uint64_t ext_deadline(struct ike_sa *sa)
{
    uint64_t at = UINT64_MAX;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.deadline)
            at = earlier(at, ike_exts[i]->on.deadline(sa));
    return at;
}

uint64_t sa_next_deadline(struct ike_sa *sa)
{
    uint64_t at = earlier(UINT64_MAX, sa->die_at);
    if (sa->placeless)
        return at;
    if (sa->streamless)
        return earlier(at, ext_deadline(sa));
    if (sa->is_initiator && sa->state < SA_ESTABLISHED && !sa_out(sa))
        return 1; /* just made: it has not begun yet */
    at = earlier(at, retransmit_at(sa));
    at = earlier(at, fetch_deadline(sa));
    at = earlier(at, flights_deadline(sa));
    at = earlier(at, sa->expire_at);
    if (sa->state == SA_ESTABLISHED) {
        at = earlier(at, sa->rekey_at);
        at = earlier(at, sa->reauth_at);
        at = earlier(at, sa->retire_at);
        at = earlier(at, dpd_at(sa));
        at = earlier(at, children_deadline(sa));
    }
    at = earlier(at, pendings_deadline(sa));
    at = earlier(at, agenda_deadline(sa));
    return earlier(at, ext_deadline(sa));
}

void sa_arm(struct ike_sa *sa)
{
    struct ike *ike = sa->ike;
    uint64_t at = sa->cut ? UINT64_MAX : sa_next_deadline(sa);
    if (sa->cut)
        timer_stop(&ike->timers, &sa->timer);
    else if (!sa->timer.pos || sa->timer.at != at)
        (void)!timer_set(&ike->timers, &sa->timer, at); /* it has its place since sa_new(): that needs no memory */
}

static bool due(const struct ike_sa *sa, uint64_t at)
{
    return at && at <= sa->ike->now;
}

/* Its rekeying could not even begin in all that time (the window was closed by a bad link): the SA has to go, but the
 * tunnel is still wanted. A rekeying under way brings its successor itself. */
static void start_anew(struct ike_child *c)
{
    bool wanted = c->cfg->rekey_s && c->state == ADIT_CHILD_INSTALLED && !c->resource;
    struct ike_task *t = wanted ? agenda_add(c->sa, TASK_NEW_CHILD, &step_new_child_req) : NULL;
    if (!t)
        return;
    t->cfg = c->cfg;
    t->reqid = c->reqid;
}

static void want_rekey(struct ike_child *c)
{
    struct ike_task *t = agenda_find(c->sa, TASK_REKEY_CHILD, c->id);
    if (!t && c->state == ADIT_CHILD_INSTALLED && (t = agenda_add(c->sa, TASK_REKEY_CHILD, &step_rekey_child_req)))
        t->child_id = c->id;
    c->rekey_at = 0;
}

/* Either side may hold a successor that the other does not know of yet: deleting now would leave them without a common
 * SA. The data plane still watches octets and packets. */
static bool lives_on(struct ike_child *c)
{
    if (!c->cfg->rekey_s || c->overtime || c->state == ADIT_CHILD_DELETING)
        return false;
    sa_log(c->sa, ADIT_LOG_INFO, "CHD", "CHILD_SA %s{%u} lives on until it is rekeyed", c->cfg->name, c->id);
    c->overtime = true;
    c->expire_at = c->sa->ike->now + IKE_CHILD_OVER;
    want_rekey(c);
    return true;
}

static void expire(struct ike_child *c)
{
    struct ike_task *t = agenda_find(c->sa, TASK_DELETE_CHILD, c->id);
    sa_log(c->sa, ADIT_LOG_INFO, "CHD", "CHILD_SA %s{%u} reached its end of life", c->cfg->name, c->id);
    if (lives_on(c))
        return;
    start_anew(c);
    if (!t && (t = agenda_add(c->sa, TASK_DELETE_CHILD, &step_delete_child_req)))
        t->child_id = c->id;
    c->expire_at = t ? 0 : c->sa->ike->now + SECONDS(10); /* no room, no memory: it must not live for ever */
}

static void child_timers(struct ike_sa *sa)
{
    list_for_each_safe(it, &sa->children) {
        struct ike_child *c = list_entry(it, struct ike_child, link);
        if (due(sa, c->rekey_at))
            want_rekey(c);
        if (due(sa, c->expire_at))
            expire(c);
    }
}

static void pending_timers(struct ike_sa *sa)
{
    list_for_each_safe(it, &sa->pendings) {
        struct ike_pending *p = list_entry(it, struct ike_pending, link);
        if (due(sa, p->deadline))
            pending_fail(p, ADIT_ERR_TIMEOUT, "the peer did not go on with its key exchanges");
    }
}

static void established_timers(struct ike_sa *sa)
{
    if (due(sa, sa->reauth_at)) {
        sa->reauth_at = 0;
        sa_log(sa, ADIT_LOG_INFO, "IKE", "reauthenticating IKE_SA %s[%u]", sa_conn_name(sa), sa->id);
        sa_reauthenticate(sa, 0);
    }
    if (due(sa, sa->retire_at))
        peers_retire(sa);
    if (due(sa, sa->rekey_at)) {
        sa->rekey_at = 0;
        if (!agenda_find(sa, TASK_REKEY_IKE, 0))
            agenda_add(sa, TASK_REKEY_IKE, &step_rekey_ike_req);
    }
    if (due(sa, dpd_at(sa)) && !agenda_find(sa, TASK_LIVENESS, 0))
        agenda_add(sa, TASK_LIVENESS, &step_liveness_req);
    child_timers(sa);
}

/* From this message ID on: a repetition may end any of them. */
static struct ike_xchg *repetition_due(const struct ike_sa *sa, uint32_t from)
{
    for (struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (x->phase == PHASE_SENT && x->msgid >= from && due(sa, x->retransmit_at))
            return x;
    return NULL;
}

static void request_timers(struct ike_sa *sa)
{
    uint32_t from = 0;
    for (struct ike_xchg *x; !sa->cut && (x = repetition_due(sa, from));) {
        from = x->msgid + 1;
        xchg_retransmit(x);
    }
}

/* Everything whose time has come. What a timer does may end the SA: ask each time. */
void sa_timer(struct ike_sa *sa)
{
    if (due(sa, sa->die_at)) {
        if (sa->half_open)
            ike_count(sa->ike, sa, ADIT_C_HALF_OPEN_TIMEOUT);
        sa_end(sa, ADIT_ERR_TIMEOUT, sa->placeless                  ? "the gateway's name was not resolved"
                                     : sa->state < SA_ESTABLISHED ? "the peer did not finish the handshake"
                                                                  : "closed");
        return;
    }
    if (due(sa, sa->expire_at)) {
        sa->expire_at = 0;
        sa_delete(sa, "its lifetime is over and rekeying failed");
    }
    flights_timer(sa);
    request_timers(sa);
    fetch_timer(sa);
    if (!sa->cut && sa->state == SA_ESTABLISHED)
        established_timers(sa);
    pending_timers(sa);
    for (unsigned i = 0; i < EXT_COUNT && !sa->cut; i++)
        if (ike_exts[i]->on.timer)
            ike_exts[i]->on.timer(sa, sa->ike->now);
    unproven_update(sa);
    sa_advance(sa);
}
