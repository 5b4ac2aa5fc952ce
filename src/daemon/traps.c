/* traps.c - trap, pass and drop policies in the data plane. */
#include "daemon/show.h"
#include "base/mem.h"
#include "base/why.h"
#include "daemon/daemon.h"
#include "daemon/route.h"
#include "dp/dp.h"
#include "model/model.h"
#include <string.h>

const struct trap *trap_find(const struct daemon *d, const char *conn, const char *child)
{
    list_for_each (it, &d->traps) {
        const struct trap *t = list_entry(it, struct trap, node);
        if ((!conn || !strcmp(t->conn, conn)) && !strcmp(t->child, child))
            return t;
    }
    return NULL;
}

const struct trap *trap_by_reqid(const struct daemon *d, uint32_t reqid)
{
    list_for_each (it, &d->traps) {
        const struct trap *t = list_entry(it, struct trap, node);
        if (t->reqid == reqid)
            return t;
    }
    return NULL;
}

static void trap_free(struct trap *t)
{
    list_remove(&t->node);
    mem_del(t->conn);
    mem_del(t->child);
    mem_del(t);
}

static const struct adit_addr *single(const struct adit_addr_spec *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (v[i].single && v[i].lo.family)
            return &v[i].lo;
    return NULL;
}

/* `dynamic` is the IKE SA's outer address: known before there is one only if a single address is configured (ours may
 * also follow from the route to the peer). */
static enum adit_rc resolve_ts(const struct adit_ts_cfg *v, unsigned n, const struct adit_addr *own,
                               const char *side, struct adit_ts *out, struct adit_why *why)
{
    for (unsigned i = 0; i < n; i++) {
        out[i] = v[i].ts;
        if (!v[i].dynamic)
            continue;
        if (!own || !own->family)
            return why_set(why, ADIT_ERR_CONFIG,
                           "%s_ts = dynamic, but %s_addrs is not one address: name the network in %s_ts",
                           side, side, side);
        struct adit_ts host = ts_from_addr(own);
        host.proto = v[i].ts.proto;
        if (v[i].ts.proto || v[i].ts.port_lo || v[i].ts.port_hi) {
            host.port_lo = v[i].ts.port_lo;
            host.port_hi = v[i].ts.port_hi;
        }
        out[i] = host;
    }
    return ADIT_OK;
}

static enum adit_rc add_policy(struct daemon *d, const struct trap *t, const struct adit_conn *conn,
                               const struct adit_child_cfg *child, struct adit_why *why)
{
    static struct adit_ts local[ADIT_TS_MAX], remote[ADIT_TS_MAX];
    const struct adit_addr *peer = single(conn->remote_addrs, conn->n_remote_addrs);
    const struct adit_addr *me = single(conn->local_addrs, conn->n_local_addrs);
    struct adit_addr routed;
    if (!me && peer) {
        route_source(peer, d->set.fwmark, &routed);
        me = &routed;
    }
    if (child->n_local_ts > ADIT_TS_MAX || child->n_remote_ts > ADIT_TS_MAX)
        return why_set(why, ADIT_ERR_LIMIT, "more than %d traffic selectors", ADIT_TS_MAX);
    TRY(resolve_ts(child->local_ts, child->n_local_ts, me, "local", local, why));
    TRY(resolve_ts(child->remote_ts, child->n_remote_ts, peer, "remote", remote, why));
    struct dp_policy policy = { .reqid = t->reqid,
                                .mode = child->mode,
                                .priority = child->priority,
                                .trap = show_is_sa(child->mode),
                                .n_local_ts = child->n_local_ts,
                                .n_remote_ts = child->n_remote_ts,
                                .local_ts = local,
                                .remote_ts = remote };
    if (policy.trap)
        policy.mode = ADIT_MODE_TUNNEL;
    return d->dp ? dp_policy_add(d->dp, &policy, why) : ADIT_OK;
}

enum adit_rc trap_install(struct daemon *d, const struct adit_conn *conn, const struct adit_child_cfg *child,
                          struct adit_why *why)
{
    if (trap_find(d, conn->name, child->name))
        return ADIT_OK;
    struct trap *t = mem_new(sizeof(*t));
    if (!t)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    list_init(&t->node);
    t->conn = mem_strdup(conn->name);
    t->child = mem_strdup(child->name);
    t->reqid = child->reqid;
    t->mode = child->mode;
    enum adit_rc rc = t->conn && t->child ? add_policy(d, t, conn, child, why)
                                          : why_set(why, ADIT_ERR_MEMORY, "out of memory");
    if (rc == ADIT_OK)
        list_append(&d->traps, &t->node);
    else
        trap_free(t);
    return rc;
}

enum adit_rc trap_uninstall(struct daemon *d, const char *conn, const char *child, struct adit_why *why)
{
    const struct trap *known = trap_find(d, conn, child);
    if (!known)
        return why_set(why, ADIT_ERR_NOT_FOUND, "no policy of child '%s' is installed", child);
    struct trap *t = list_entry(known->node.next->prev, struct trap, node);
    if (d->dp)
        dp_policy_del(d->dp, t->reqid);
    trap_free(t);
    return ADIT_OK;
}

void traps_free(struct daemon *d)
{
    list_for_each_safe (it, &d->traps)
        trap_free(list_entry(it, struct trap, node));
}
