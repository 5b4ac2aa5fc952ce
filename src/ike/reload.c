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

static bool same_data(const struct adit_span *a, uint16_t n_a, const struct adit_span *b, uint16_t n_b)
{
    for (uint16_t i = 0; i < n_a && n_a == n_b; i++)
        if (!span_equal(a[i], b[i]))
            return false;
    return n_a == n_b;
}

/* Whom the peer's certificates have to come from, and how revocation is looked at. */
static bool same_trust(const struct adit_conn *a, const struct adit_conn *b)
{
    for (uint16_t i = 0; i < a->n_remote && i < b->n_remote; i++) {
        const struct adit_auth_cfg *x = &a->remote[i], *y = &b->remote[i];
        if (x->revocation != y->revocation || !same_data(x->cacerts, x->n_cacerts, y->cacerts, y->n_cacerts) ||
            !same_data(x->certs, x->n_certs, y->certs, y->n_certs))
            return false;
    }
    return true;
}

/* All of the old one's CAs are trusted still. */
static bool has_cas(const struct policy *now, const struct policy *before)
{
    struct pki_cert *const *old, *const *new;
    size_t n_old = pki_store_cas(before->store, &old), n_new = pki_store_cas(now->store, &new), k;
    for (size_t i = 0; i < n_old; i++) {
        for (k = 0; k < n_new && !span_equal(pki_cert_der(old[i]), pki_cert_der(new[k])); k++)
            ;
        if (k == n_new)
            return false;
    }
    return true;
}

static bool id_of(const struct adit_buf *body, struct adit_id *out)
{
    struct adit_span whole;
    struct rd in = rd_init(buf_span(body));
    return id_get(&in, out, &whole);
}

/* What the two share is what they shared. */
static bool same_secret(const struct ike_sa *sa, const struct policy *now)
{
    struct adit_id local, remote;
    if (!id_of(&sa->id_local, &local) || !id_of(&sa->id_remote, &remote))
        return false;
    const struct adit_shared *before = policy_psk(sa->policy, &local, &remote), *then = policy_psk(now, &local, &remote);
    return !before || (then && secret_equal(before->secret, then->secret));
}

/* Can a round be of this class? */
static bool may_be(const struct adit_auth_cfg *v, uint16_t n, enum adit_auth_class class)
{
    for (uint16_t i = 0; i < n; i++)
        if (v[i].class == class || v[i].class == ADIT_AUTH_ANY)
            return true;
    return n == 0;
}

/* Who is who was settled by the old one's rules; other rules take an authentication anew. */
static bool same_auth(const struct ike_sa *sa, const struct policy *now, const struct adit_conn *a, const struct adit_conn *b)
{
    bool certs = may_be(a->remote, a->n_remote, ADIT_AUTH_PUBKEY);
    bool secrets = may_be(a->remote, a->n_remote, ADIT_AUTH_PSK) || may_be(a->local, a->n_local, ADIT_AUTH_PSK);
    return same_rounds(a->local, a->n_local, b->local, b->n_local) &&
           same_rounds(a->remote, a->n_remote, b->remote, b->n_remote) && same_trust(a, b) &&
           (!certs || has_cas(now, sa->policy)) && (!secrets || same_secret(sa, now));
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
    if (!now || !has_all(now->cfg, sa, x))
        return;
    if (!same_auth(sa, ike->policy, now->cfg, sa->conn->cfg)) {
        sa_log(sa, ADIT_LOG_INFO, "CFG", "goes on by its older configuration: by the new one the peer would have to "
                                          "authenticate otherwise");
        return;
    }
    take(sa, x, now->cfg);
    sa->conn = now;
    policy_unref(sa->policy);
    sa->policy = policy_ref(ike->policy);
    sa_log(sa, ADIT_LOG_MORE, "CFG", "the newest configuration of %s counts from now on", sa_conn_name(sa));
}
