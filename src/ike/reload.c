/* reload.c - an SA from an older configuration takes the newest one over when its keys are renewed, or when something new
 * is made in it. Until then it goes on as it was made. */
#include "ike/sa.h"

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_rounds(const struct adit_auth_cfg *a, uint16_t n_a, const struct adit_auth_cfg *b, uint16_t n_b)
{
    for (uint16_t i = 0; i < n_a && n_a == n_b; i++)
        if (a[i].class != b[i].class || !same_text(a[i].auth, b[i].auth) || !same_text(a[i].id_text, b[i].id_text))
            return false;
    return n_a == n_b;
}

/* Who is who was settled by the old one's rules; other rules take an authentication anew. */
static bool same_auth(const struct adit_conn *a, const struct adit_conn *b)
{
    return same_rounds(a->local, a->n_local, b->local, b->n_local) &&
           same_rounds(a->remote, a->n_remote, b->remote, b->n_remote);
}

static bool same_ts(const struct adit_ts_cfg *a, uint16_t n_a, const struct adit_ts_cfg *b, uint16_t n_b)
{
    for (uint16_t i = 0; i < n_a && n_a == n_b; i++)
        if (a[i].dynamic != b[i].dynamic || !ts_equal(&a[i].ts, &b[i].ts))
            return false;
    return n_a == n_b;
}

static bool same_selectors(const struct adit_child_cfg *a, const struct adit_child_cfg *b)
{
    return same_ts(a->local_ts, a->n_local_ts, b->local_ts, b->n_local_ts) &&
           same_ts(a->remote_ts, a->n_remote_ts, b->remote_ts, b->n_remote_ts);
}

static bool same_sa(const struct adit_child_cfg *a, const struct adit_child_cfg *b)
{
    return a->mode == b->mode && !a->replay_window == !b->replay_window && negotiate_same(a->proposals, b->proposals);
}

static bool is_alone(const struct list *xchgs, const struct ike_xchg *x)
{
    list_for_each(it, xchgs)
        if (list_entry(it, struct ike_xchg, link) != x)
            return false;
    return true;
}

/* Nothing else is being made that still points to the old one. */
static bool is_quiet(const struct ike_sa *sa, const struct ike_xchg *x)
{
    if (sa->state != SA_ESTABLISHED || sa->successor || !is_alone(&sa->out, x) || !is_alone(&sa->in, x) ||
        !list_empty(&sa->pendings))
        return false;
    list_for_each(it, &sa->ike->sas) { /* whose Child SAs are still to come to this one */
        const struct ike_sa *other = list_entry(it, struct ike_sa, link);
        if (other->successor == sa->id && !list_empty(&other->children))
            return false;
    }
    return true;
}

static bool has_all(const struct adit_conn *now, const struct ike_sa *sa, const struct ike_xchg *x)
{
    list_for_each(it, &sa->children)
        if (!conn_child(now, list_entry(it, struct ike_child, link)->cfg->name))
            return false;
    list_for_each(it, &sa->tasks) {
        const struct ike_task *t = list_entry(it, struct ike_task, link);
        if (t->cfg && !conn_child(now, t->cfg->name))
            return false;
    }
    return !x || !x->task || !x->task->cfg || conn_child(now, x->task->cfg->name);
}

static void renew_task(struct ike_task *t, const struct adit_conn *now)
{
    if (t && t->cfg)
        t->cfg = conn_child(now, t->cfg->name);
}

static void take(struct ike_sa *sa, struct ike_xchg *x, const struct adit_conn *now)
{
    sa->changed |= !negotiate_same(now->proposals, sa->conn->cfg->proposals);
    list_for_each(it, &sa->children) {
        struct ike_child *c = list_entry(it, struct ike_child, link);
        const struct adit_child_cfg *fresh = conn_child(now, c->cfg->name);
        c->changed |= !same_sa(fresh, c->cfg);
        c->reselect |= !same_selectors(fresh, c->cfg);
        c->cfg = fresh;
    }
    list_for_each(it, &sa->tasks)
        renew_task(list_entry(it, struct ike_task, link), now);
    renew_task(x ? x->task : NULL, now);
}

void sa_take_newest(struct ike_sa *sa, struct ike_xchg *x)
{
    struct ike *ike = sa->ike;
    if (sa->policy == ike->policy || !is_quiet(sa, x))
        return;
    const struct policy_conn *now = policy_conn_by_name(ike->policy, sa_conn_name(sa));
    if (!now || !same_auth(now->cfg, sa->conn->cfg) || !has_all(now->cfg, sa, x))
        return;
    take(sa, x, now->cfg);
    sa->conn = now;
    policy_unref(sa->policy);
    sa->policy = policy_ref(ike->policy);
    sa_log(sa, ADIT_LOG_MORE, "CFG", "the newest configuration of %s counts from now on", sa_conn_name(sa));
}
