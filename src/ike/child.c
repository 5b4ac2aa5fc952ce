/* child.c - Child SAs as the control plane sees them: no keys are kept, they go to the data plane with the event. */
#include "ike/sa.h"

struct ike_child *child_by_id(const struct ike *ike, uint32_t id)
{
    return id ? map_get(&ike->by_child, id) : NULL;
}

struct ike_child *child_by_spi(struct ike_sa *sa, uint32_t spi, bool inbound)
{
    list_for_each(it, &sa->children) {
        struct ike_child *c = list_entry(it, struct ike_child, link);
        if ((inbound ? c->spi_in : c->spi_out) == spi)
            return c;
    }
    return NULL;
}

/* Random, unique, not reserved (RFC 4303 s2.1); the top bit is free: a node may tell EESP by it. */
uint32_t child_new_spi(struct ike *ike, unsigned resource)
{
    uint32_t spi, n = ike->host.resources;
    for (int tries = 0; tries < 16; tries++) {
        if (!ike_random(ike, &spi, sizeof(spi)))
            return 0;
        spi &= 0x7fffffff;
        if (resource && n) /* the data plane spreads inbound packets by it */
            spi = spi - spi % n + (resource - 1) % n;
        if (spi > 255 && !map_get(&ike->spi_in, spi) && map_put(&ike->spi_in, spi, ike) == ADIT_OK)
            return spi;
    }
    return 0;
}

/* Everything but the keys. */
void child_spec(const struct ike_child *c, struct adit_child_spec *spec)
{
    const struct adit_child_cfg *cfg = c->cfg;
    *spec = (struct adit_child_spec){
        .id = c->id, .ike_id = c->sa->id, .reqid = c->reqid, .replaces = c->replaces,
        .conn = sa_conn_name(c->sa), .child = cfg->name, .proto = PROTO_ESP, .mode = c->mode,
        .initiator = c->initiator, .suite = c->suite, .in.spi = c->spi_in, .out.spi = c->spi_out, .path = c->sa->path,
        .outbound = ADIT_OUT_ACTIVE, .n_local_ts = c->n_local, .n_remote_ts = c->n_remote, .local_ts = c->ts,
        .remote_ts = c->ts + c->n_local, .replay_window = cfg->replay_window, .df = cfg->df,
        .fragment = cfg->fragment, .shape = c->shape, .copy_ecn = cfg->copy_ecn, .copy_dscp = cfg->copy_dscp,
        .inactivity_ns = SECONDS(cfg->inactivity_s),
        .local_seen_by_peer = c->local_seen, .remote_seen_by_peer = c->remote_seen,
        .resource = c->resource, .shares = c->shares && !c->resource,
    };
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.child_spec)
            ike_exts[i]->on.child_spec(c->sa, spec);
}

static uint64_t soft_limit(struct ike *ike, uint64_t limit, uint64_t spread)
{
    uint64_t off = limit ? ike_jitter(ike, spread + 1) : 0;
    return off < limit ? limit - off : limit;
}

/* Time is watched here; bytes and packets by the data plane, with time as its backstop. */
static void start_lifetimes(struct ike_child *c, struct adit_child_spec *spec)
{
    const struct adit_child_cfg *cfg = c->cfg;
    struct ike *ike = c->sa->ike;
    uint64_t rekey = soft_limit(ike, SECONDS(cfg->rekey_s), SECONDS(cfg->rand_s));
    c->installed_at = ike->now;
    c->rekey_at = cfg->rekey_s ? ike->now + rekey : 0;
    c->expire_at = cfg->life_s ? ike->now + SECONDS(cfg->life_s) : 0;
    spec->life.hard_ns = cfg->life_s ? SECONDS(cfg->life_s + 60) + (cfg->rekey_s ? IKE_CHILD_OVER : 0) : 0;
    spec->life.soft_bytes = soft_limit(ike, cfg->rekey_bytes, cfg->rand_bytes);
    spec->life.hard_bytes = cfg->life_bytes;
    spec->life.soft_packets = soft_limit(ike, cfg->rekey_packets, cfg->rand_packets);
    spec->life.hard_packets = cfg->life_packets;
}

static struct ike_child *child_from(const struct ike_pending *p)
{
    struct ike *ike = p->sa->ike;
    size_t n = (size_t)p->local->n + p->remote->n;
    struct ike_child *c = mem_new(sizeof(*c) + n * sizeof(struct adit_ts));
    if (!c)
        return NULL;
    c->ts = (struct adit_ts *)(c + 1);
    span_copy((uint8_t *)c->ts, span(p->local->v, p->local->n * sizeof(struct adit_ts)));
    span_copy((uint8_t *)(c->ts + p->local->n), span(p->remote->v, p->remote->n * sizeof(struct adit_ts)));
    c->n_local = p->local->n;
    c->n_remote = p->remote->n;
    c->sa = p->sa;
    c->cfg = p->cfg;
    c->mode = p->mode;
    c->local_seen = p->local_seen;
    c->remote_seen = p->remote_seen;
    c->shape = p->shape;
    c->id = ike->next_child_id++;
    c->reqid = p->reqid ? p->reqid : ike->next_reqid++;
    c->initiator = p->requester;
    c->ke_open = p->kind == PENDING_FIRST_CHILD;
    c->made_before = p->requester ? 0 : window_after(p->sa);
    c->suite = p->suite;
    c->resource = p->resource;
    c->shares = p->shares;
    c->spi_in = p->spi_in;
    c->spi_out = p->spi_out;
    c->state = ADIT_CHILD_INSTALLED;
    return c;
}

static void tell_exts(const struct ike_child *c)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.child_made)
            ike_exts[i]->on.child_made(c->sa, c->id);
}

static void log_up(struct ike_child *c)
{
    STRBUF(local, 160);
    STRBUF(remote, 160);
    STRBUF(suite, 160);
    for (unsigned i = 0; i < c->n_local; i++) {
        strbuf_add(&local, i ? " " : "");
        ts_print(&local, &c->ts[i]);
    }
    for (unsigned i = 0; i < c->n_remote; i++) {
        strbuf_add(&remote, i ? " " : "");
        ts_print(&remote, &c->ts[c->n_local + i]);
    }
    suite_print(&suite, &c->suite);
    sa_log(c->sa, ADIT_LOG_AUDIT, "IKE", "CHILD_SA %s{%u} established with SPIs %08x_i %08x_o and TS %s === %s, %s",
           c->cfg->name, c->id, c->spi_in, c->spi_out, local.p, remote.p, suite.p);
}

static bool list(struct ike *ike, struct ike_child *c)
{
    if (map_put(&ike->by_child, c->id, c) != ADIT_OK)
        return false;
    if (ring_add(&ike->by_reqid, &c->of_reqid, c->reqid) == ADIT_OK)
        return true;
    map_del(&ike->by_child, c->id);
    return false;
}

static void unlist(struct ike *ike, struct ike_child *c)
{
    ring_del(&ike->by_reqid, &c->of_reqid);
    map_del(&ike->by_child, c->id);
    list_remove(&c->link);
    mem_del(c);
}

struct ike_child *child_install(struct ike_pending *p, const struct adit_secret *keymat, uint32_t replaces)
{
    struct ike *ike = p->sa->ike;
    struct adit_child_spec spec;
    struct ike_child *c = child_from(p);
    if (!c || !list(ike, c)) {
        mem_del(c);
        return NULL;
    }
    c->replaces = replaces;
    list_append(&p->sa->children, &c->link);
    child_spec(c, &spec);
    start_lifetimes(c, &spec);
    keymat_child_slice(ike->host.crypto, &c->suite, keymat, p->requester, &spec.out.encr, &spec.out.integ);
    keymat_child_slice(ike->host.crypto, &c->suite, keymat, !p->requester, &spec.in.encr, &spec.in.integ);
    if (replaces && !p->requester)
        spec.outbound = ADIT_OUT_STANDBY; /* RFC 7296 s2.8: the responder sends on it once it has seen traffic on it */
    if (p->requester && collide_lost(p)) { /* redundant, and about to be deleted: never to be sent on */
        spec.outbound = ADIT_OUT_STANDBY;
        spec.replaces = 0;
    }
    c->standby = spec.outbound == ADIT_OUT_STANDBY;
    if (!event_child(c, ADIT_EV_CHILD_ADD, &spec)) { /* what the data plane does not know of is not there */
        unlist(ike, c);
        return NULL;
    }
    keylog_child(p->sa, &spec);
    log_up(c);
    ike_count(ike, p->sa, replaces ? ADIT_C_CHILD_REKEY : ADIT_C_CHILD_UP);
    spec.in.encr = spec.in.integ = spec.out.encr = spec.out.integ = SPAN_NONE;
    event_child(c, replaces ? ADIT_EV_CHILD_REKEYED : ADIT_EV_CHILD_UP, &spec);
    if (!replaces)
        tell_exts(c);
    return c;
}

static void log_down(struct ike_child *c, const char *why)
{
    sa_log(c->sa, ADIT_LOG_INFO, "CHD", "CHILD_SA %s{%u} closed: %s", c->cfg->name, c->id, why);
}

void child_remove(struct ike_child *c, uint64_t grace, const char *why)
{
    struct ike *ike = c->sa->ike;
    struct adit_child_spec spec;
    bool superseded = c->rekeyed_to != 0;
    standby_relieve(c);
    child_spec(c, &spec);
    struct adit_event *ev = event_add(ike, ADIT_EV_CHILD_REMOVE);
    if (ev) {
        ev->child_id = c->id;
        ev->ike_id = c->sa->id;
        ev->grace_ns = grace;
    }
    if (why && !superseded) {
        ike_count(ike, c->sa, ADIT_C_CHILD_DOWN);
        log_down(c, why);
        c->end_why = why;
        event_child(c, ADIT_EV_CHILD_DOWN, &spec);
    }
    map_del(&ike->spi_in, c->spi_in);
    unlist(ike, c);
}

void child_move(struct ike_child *c, struct ike_sa *to)
{
    list_remove(&c->link);
    c->sa = to;
    c->made_before = 0;
    list_append(&to->children, &c->link);
}

/* Transport mode carries the packets of the two addresses that were agreed on: at others a new one is needed, which the
 * side makes that moves SAs. */
static void renew_where_it_is(struct ike_child *c)
{
    bool usable = c->state == ADIT_CHILD_INSTALLED && c->sa->state == SA_ESTABLISHED;
    if (c->mode != ADIT_MODE_TRANSPORT || !c->sa->is_initiator || !usable || child_mode_is_at(c, &c->sa->path) ||
        agenda_find(c->sa, TASK_REKEY_CHILD, c->id))
        return;
    struct ike_task *t = agenda_add(c->sa, TASK_REKEY_CHILD, &step_rekey_child_req);
    if (!t)
        return;
    t->child_id = c->id;
    t->regular = true; /* the short form would keep what each side knew of the addresses before */
}

void child_update_path(struct ike_child *c)
{
    struct adit_child_spec spec;
    renew_where_it_is(c);
    child_spec(c, &spec);
    spec.outbound = c->standby ? ADIT_OUT_STANDBY : ADIT_OUT_ACTIVE;
    event_child(c, ADIT_EV_CHILD_UPDATE, &spec);
}

void child_activate(struct ike_child *c)
{
    c->standby = false;
    child_update_path(c);
}

void child_leave(struct ike_child *c)
{
    struct adit_child_spec spec;
    child_spec(c, &spec);
    spec.outbound = ADIT_OUT_LAST;
    event_child(c, ADIT_EV_CHILD_UPDATE, &spec);
}

/* A command to delete it that waits for its turn means the tunnel, not this one Child SA. Who has rekeyed it deletes it; should
 * the peer never do so, we do. */
void child_supersede(struct ike_child *old, uint32_t by)
{
    struct ike_task *t = agenda_find(old->sa, TASK_DELETE_CHILD, old->id), *also = NULL;
    uint64_t end = old->sa->ike->now + IKE_REKEYED_LIFE;
    if (!old->expire_at || old->expire_at > end)
        old->expire_at = end;
    old->state = ADIT_CHILD_REKEYED;
    old->rekeyed_to = by;
    old->rekey_at = 0;
    if (t && t->follow && (also = agenda_add(old->sa, TASK_DELETE_CHILD, &step_delete_child_req))) {
        also->child_id = by;
        also->follow = true;
    }
}

void child_lost(struct ike_sa *sa, const struct adit_child_cfg *cfg, uint8_t action)
{
    struct adit_why why;
    struct adit_path known = sa_home(sa);
    struct adit_command cmd = { .local = known.local.addr, .remote = known.remote.addr, .path = known };
    if (!(action & ADIT_ACTION_START) || peers_have(sa, cfg->name))
        return;
    const struct policy_conn *conn = policy_conn_by_name(sa->ike->policy, sa_conn_name(sa));
    const struct adit_child_cfg *fresh = conn ? conn_child(conn->cfg, cfg->name) : NULL;
    if (!fresh)
        return; /* no longer configured */
    if (conn_has_name(conn->cfg)) /* it may stand for another address by now */
        cmd.local = cmd.remote = (struct adit_addr){ 0 };
    if (ike_initiate(sa->ike, conn, fresh, &cmd, &why) != ADIT_OK)
        sa_log(sa, ADIT_LOG_INFO, "CHD", "cannot start CHILD_SA %s again: %s", cfg->name, why.text);
}
