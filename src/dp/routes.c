/* routes.c - routes into the TUN, counted by their users, and the way around it for peers. */
#include "dp/routes.h"
#include <errno.h>
#include <string.h>
#include "base/list.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/why.h"
#include "model/model.h"

#define PREFIXES_MAX 64
#define RULE_PRIORITY 220 /* before main (32766) */

struct entry {
    struct list node;
    uint64_t owner;
    struct net_route route;
};
struct routes {
    struct routes_cfg cfg;
    struct list entries;
    bool rules;
};

struct routes *routes_new(const struct routes_cfg *cfg)
{
    struct routes *r = mem_new(sizeof(*r));
    if (!r)
        return NULL;
    r->cfg = *cfg;
    list_init(&r->entries);
    if (cfg->mark && cfg->table) {
        int e4 = net_rule_add(cfg->nl, 4, cfg->mark, cfg->table, RULE_PRIORITY);
        int e6 = net_rule_add(cfg->nl, 6, cfg->mark, cfg->table, RULE_PRIORITY);
        r->rules = e4 == 0 || e6 == 0;
    }
    return r;
}

static bool same_route(const struct net_route *a, const struct net_route *b)
{
    return addr_equal(&a->dst, &b->dst) && a->prefix == b->prefix && a->oif == b->oif;
}

static bool in_use(const struct routes *r, const struct net_route *route)
{
    list_for_each (it, &r->entries)
        if (same_route(&list_entry(it, struct entry, node)->route, route))
            return true;
    return false;
}

static void entry_del(struct routes *r, struct entry *e)
{
    list_remove(&e->node);
    if (!in_use(r, &e->route))
        (void)net_route_del(r->cfg.nl, &e->route); /* gone already: fine */
    mem_del(e);
}

void routes_del(struct routes *r, uint64_t owner)
{
    list_for_each_safe (it, &r->entries) {
        struct entry *e = list_entry(it, struct entry, node);
        if (e->owner == owner)
            entry_del(r, e);
    }
}

void routes_free(struct routes *r)
{
    if (!r)
        return;
    list_for_each_safe (it, &r->entries)
        entry_del(r, list_entry(it, struct entry, node));
    if (r->rules) {
        (void)net_rule_del(r->cfg.nl, 4, r->cfg.mark, r->cfg.table, RULE_PRIORITY);
        (void)net_rule_del(r->cfg.nl, 6, r->cfg.mark, r->cfg.table, RULE_PRIORITY);
    }
    mem_del(r);
}

static enum adit_rc refused(const struct net_route *route, int e, struct adit_why *why)
{
    STRBUF(text, 80);
    addr_print(&text, &route->dst);
    return why_set(why, ADIT_ERR_IO, "route to %s/%u: %s", text.p, route->prefix, strerror(-e));
}

static enum adit_rc remember(struct routes *r, uint64_t owner, const struct net_route *route)
{
    struct entry *e = mem_new(sizeof(*e));
    if (!e)
        return ADIT_ERR_MEMORY;
    e->owner = owner;
    e->route = *route;
    list_append(&r->entries, &e->node);
    return ADIT_OK;
}

static enum adit_rc put(struct routes *r, uint64_t owner, struct net_route route, struct adit_why *why);

/* One address has no halves; mostly it is the peer's own, which is to be reached outside of the TUN, too. */
static enum adit_rc no_halves(const struct net_route *route, struct adit_why *why)
{
    STRBUF(text, 80);
    addr_print(&text, &route->dst);
    return why_set(why, ADIT_ERR_IO,
                   "there is a route to %s already; a tunnel to the peer's own address (transport mode, too) needs "
                   "fwmark and route_table in section adit", text.p);
}

/* Somebody else's route to the same prefix stays; ours become its two halves, which win. */
static enum adit_rc put_halves(struct routes *r, uint64_t owner, struct net_route route, struct adit_why *why)
{
    if (route.prefix >= (route.dst.family == 4 ? 32 : 128))
        return no_halves(&route, why);
    route.prefix++;
    TRY(put(r, owner, route, why));
    route.dst.ip[(route.prefix - 1) / 8] |= (uint8_t)(0x80 >> (route.prefix - 1) % 8);
    return put(r, owner, route, why);
}

/* The source address may have gone, or belong to a link that is down: it is only a hint. */
static int add_hinted(struct routes *r, struct net_route *route)
{
    int e = net_route_add(r->cfg.nl, route);
    if (!e || e == -EEXIST || !route->src.family)
        return e;
    route->src = (struct adit_addr){ 0 };
    return net_route_add(r->cfg.nl, route);
}

static enum adit_rc put(struct routes *r, uint64_t owner, struct net_route route, struct adit_why *why)
{
    if (in_use(r, &route))
        return remember(r, owner, &route);
    int e = add_hinted(r, &route);
    if (e == -EEXIST)
        return put_halves(r, owner, route, why);
    return e ? refused(&route, e, why) : remember(r, owner, &route);
}

struct source {
    const struct adit_ts *ts;
    size_t n;
    uint8_t family;
    int tun;
    struct adit_addr found;
};

static bool source_fits(void *arg, const struct adit_addr *a, int ifindex)
{
    struct source *s = arg;
    for (size_t i = 0; i < s->n && a->family == s->family; i++) {
        const struct adit_ts *ts = &s->ts[i];
        size_t n = a->family == 6 ? 16 : 4;
        if (ts->family == a->family && span_compare(span(ts->lo, n), span(a->ip, n)) <= 0 &&
            span_compare(span(a->ip, n), span(ts->hi, n)) <= 0) {
            s->found = *a;
            return true;
        }
    }
    return false;
}

static struct adit_addr source_in(struct routes *r, const struct adit_ts *ts, size_t n, uint8_t family)
{
    struct source s = { .ts = ts, .n = n, .family = family, .tun = r->cfg.tun };
    net_addr_each(r->cfg.nl, source_fits, &s);
    return s.found;
}

static bool covers(const struct adit_ts *ts, size_t n_ts, const struct adit_addr *a)
{
    size_t n = a->family == 6 ? 16 : 4;
    for (size_t i = 0; i < n_ts; i++)
        if (ts[i].family == a->family && span_compare(span(ts[i].lo, n), span(a->ip, n)) <= 0 &&
            span_compare(span(a->ip, n), span(ts[i].hi, n)) <= 0)
            return true;
    return false;
}

/* The peer's own address keeps the way that it has now. */
static enum adit_rc keep_out(struct routes *r, uint64_t owner, const struct adit_addr *peer,
                             struct adit_why *why)
{
    struct net_route route;
    int e = net_route_get(r->cfg.nl, peer, 0, &route);
    route.src = (struct adit_addr){ 0 };
    if (in_use(r, &route))
        return remember(r, owner, &route);
    if (!e && route.oif == r->cfg.tun)
        e = -ELOOP;
    if (!e)
        e = net_route_add(r->cfg.nl, &route);
    if (e == -EEXIST)
        return ADIT_OK; /* somebody gave it a host route already */
    return e ? refused(&route, e, why) : remember(r, owner, &route);
}

static enum adit_rc add_remote(struct routes *r, uint64_t owner, const struct adit_ts *remote,
                               const struct adit_addr *src, struct adit_why *why)
{
    struct prefix p[PREFIXES_MAX];
    size_t n = prefixes_of(remote, p, PREFIXES_MAX);
    if (!n)
        return why_set(why, ADIT_ERR_LIMIT, "a remote selector needs more than %d routes", PREFIXES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct net_route route = {
            .dst = p[i].addr, .prefix = p[i].n, .src = *src, .oif = r->cfg.tun, .table = r->cfg.table
        };
        TRY(put(r, owner, route, why));
    }
    return ADIT_OK;
}

static enum adit_rc add_all(struct routes *r, uint64_t owner, const struct adit_ts *local, size_t n_local,
                            const struct adit_ts *remote, size_t n_remote, const struct adit_addr *peer,
                            struct adit_why *why)
{
    if (peer && !r->rules && covers(remote, n_remote, peer))
        TRY(keep_out(r, owner, peer, why));
    for (size_t i = 0; i < n_remote; i++) {
        struct adit_addr src = source_in(r, local, n_local, remote[i].family);
        TRY(add_remote(r, owner, &remote[i], &src, why));
    }
    return ADIT_OK;
}

enum adit_rc routes_renew(struct routes *r, int tun, struct adit_why *why)
{
    enum adit_rc rc = ADIT_OK;
    int old = r->cfg.tun;
    r->cfg.tun = tun;
    list_for_each (it, &r->entries) {
        struct entry *e = list_entry(it, struct entry, node);
        struct net_route route = e->route;
        if (route.oif != old)
            continue; /* a peer's own way */
        route.oif = tun;
        int error = add_hinted(r, &route);
        if (error && !(error == -EEXIST && in_use(r, &route))) /* is there: several want it, or it has stayed */
            rc = refused(&route, error, why);
        e->route = route;
    }
    return rc;
}

enum adit_rc routes_add(struct routes *r, uint64_t owner, const struct adit_ts *local, size_t n_local,
                        const struct adit_ts *remote, size_t n_remote, const struct adit_addr *peer,
                        struct adit_why *why)
{
    enum adit_rc rc = add_all(r, owner, local, n_local, remote, n_remote, peer, why);
    if (rc)
        routes_del(r, owner);
    return rc;
}
