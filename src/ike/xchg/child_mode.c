/* child_mode.c - transport mode: who asks for it, who agrees, and what address translators do to its selectors
 * (RFC 7296 s1.3.1, s2.23.1). Selectors name the hosts as each of them sees itself; what the peer's view of them was is
 * kept, since its checksums cover that. */
#include "ike/xchg/child_nego.h"

static void set_address(struct adit_ts_list *list, const struct adit_addr *a)
{
    struct adit_ts host = ts_from_addr(a);
    for (uint16_t i = 0; i < list->n; i++) {
        struct adit_ts ts = host;
        ts.proto = list->v[i].proto;
        ts.port_lo = list->v[i].port_lo;
        ts.port_hi = list->v[i].port_hi;
        list->v[i] = ts;
    }
}

static struct adit_addr first_addr(const struct adit_ts *ts)
{
    return addr_from(span(ts->lo, ts->family == 6 ? 16 : 4));
}

/* The one address that all selectors of the list name. */
static bool one_host(const struct adit_ts_list *list, struct adit_addr *out)
{
    const struct adit_ts *first = &list->v[0];
    size_t n = list->n && first->family == 6 ? 16 : 4;
    for (uint16_t i = 0; i < list->n; i++) {
        const struct adit_ts *ts = &list->v[i];
        if (ts->family != first->family || !span_equal(span(ts->lo, n), span(first->lo, n)) ||
            !span_equal(span(ts->hi, n), span(first->lo, n)))
            return false;
    }
    *out = list->n ? first_addr(first) : (struct adit_addr){ 0 };
    return list->n > 0;
}

static bool is_host(const struct adit_ts_list *list, const struct adit_addr *a)
{
    struct adit_addr found;
    return one_host(list, &found) && addr_equal(&found, a);
}

bool child_mode_is_at(const struct ike_child *c, const struct adit_path *path)
{
    struct adit_addr local = first_addr(&c->ts[0]), remote = first_addr(&c->ts[c->n_local]);
    return addr_equal(&local, &path->local.addr) && addr_equal(&remote, &path->remote.addr);
}

void child_mode_readdress(struct ike_pending *p)
{
    set_address(p->local, &p->sa->path.local.addr);
    set_address(p->remote, &p->sa->path.remote.addr);
}

enum adit_rc child_mode_offer(struct ike_pending *p, struct adit_why *why)
{
    STRBUF(local, 100);
    STRBUF(remote, 100);
    p->mode = p->cfg->mode;
    if (p->mode != ADIT_MODE_TRANSPORT || (is_host(p->local, &p->sa->path.local.addr) &&
                                           is_host(p->remote, &p->sa->path.remote.addr)))
        return ADIT_OK;
    if (p->old_child) { /* the peer has wanted tunnel mode when it was made */
        p->mode = ADIT_MODE_TUNNEL;
        return ADIT_OK;
    }
    narrow_print(&local, p->local);
    narrow_print(&remote, p->remote);
    return why_set(why, ADIT_ERR_CONFIG,
                   "child %.40s: transport mode is for the two hosts' own addresses, not for %s === %s: leave local_ts "
                   "and remote_ts out", p->cfg->name, local.p, remote.p);
}

void child_mode_put(struct wr *w, enum adit_mode mode)
{
    if (mode == ADIT_MODE_TRANSPORT)
        notify_put(w, N_USE_TRANSPORT_MODE, SPAN_NONE);
}

bool child_mode_asked(const struct ike_msg *msg)
{
    struct notify n;
    return msg_notify(msg, N_USE_TRANSPORT_MODE, &n);
}

/* Behind a translator we are not where the peer thinks, and a peer behind one is not where it thinks itself. */
bool child_mode_see(struct ike_pending *p, struct adit_ts_list *local, struct adit_ts_list *remote)
{
    const struct adit_path *path = &p->sa->path;
    struct ike_nat_view nat = { 0 };
    if (!one_host(local, &p->local_seen) || !one_host(remote, &p->remote_seen))
        return false;
    ike_nat()->now(p->sa, &nat);
    if (nat.local)
        set_address(local, &path->local.addr);
    if (nat.remote)
        set_address(remote, &path->remote.addr);
    return true;
}

void child_mode_forget(struct ike_pending *p)
{
    p->mode = ADIT_MODE_TUNNEL;
    p->local_seen = p->remote_seen = (struct adit_addr){ 0 };
}

enum adit_rc child_mode_check(struct ike_pending *p, const struct ike_msg *msg, struct adit_ts_list *local,
                              struct adit_ts_list *remote, struct adit_why *why)
{
    if (p->mode != ADIT_MODE_TRANSPORT)
        return ADIT_OK;
    if (!child_mode_asked(msg)) {
        sa_log(p->sa, ADIT_LOG_INFO, "CHD", "peer does not agree to transport mode: CHILD_SA %s uses tunnel mode",
               p->cfg->name);
        child_mode_forget(p);
        return ADIT_OK;
    }
    return child_mode_see(p, local, remote)
               ? ADIT_OK
               : why_set(why, ADIT_ERR_TS, "peer answered with more than one address a side in transport mode");
}

static bool any_meet(const struct adit_ts *a, uint16_t n_a, const struct adit_ts *b, uint16_t n_b)
{
    struct adit_ts common;
    for (uint16_t i = 0; i < n_a; i++)
        for (uint16_t j = 0; j < n_b; j++)
            if (ts_intersect(&a[i], &b[j], &common))
                return true;
    return false;
}

static bool meets(const struct ike_child *c, const struct ike_pending *p)
{
    return c->mode == ADIT_MODE_TRANSPORT && any_meet(c->ts, c->n_local, p->local->v, p->local->n) &&
           any_meet(c->ts + c->n_local, c->n_remote, p->remote->v, p->remote->n);
}

static const struct ike_child *twin_of(const struct ike_pending *p, struct adit_span peer_id)
{
    list_for_each(it, &p->ike->sas) {
        const struct ike_sa *sa = list_entry(it, struct ike_sa, link);
        if (sa == p->sa || sa->cut || span_equal(buf_span(&sa->id_remote), peer_id))
            continue;
        list_for_each(at, &sa->children)
            if (meets(list_entry(at, struct ike_child, link), p))
                return list_entry(at, struct ike_child, link);
    }
    return NULL;
}

enum adit_rc child_mode_alone(struct ike_xchg *x, struct ike_pending *p, struct adit_why *why)
{
    struct ike_nat_view nat = { 0 };
    ike_nat()->now(x->sa, &nat);
    if (p->mode != ADIT_MODE_TRANSPORT || !nat.remote)
        return ADIT_OK;
    const struct ike_child *twin = twin_of(p, x->peer_id.n ? x->peer_id : buf_span(&x->sa->id_remote));
    if (!twin)
        return ADIT_OK;
    ike_count(x->ike, x->sa, ADIT_C_TS_MISMATCH);
    return why_set(why, ADIT_ERR_TS,
                   "another peer behind the same NAT has these selectors in transport mode (%.40s{%u}): packets to the "
                   "two could not be told apart; give them ports of their own, or use tunnel mode", twin->cfg->name,
                   twin->id);
}
