/* cmd_adit_status.c - adit-status: one event for every configured connection: up or not, since when, why not. */
#include <inttypes.h>
#include <string.h>
#include "base/mem.h"
#include "daemon/cmd.h"
#include "daemon/keeper.h"
#include "daemon/show.h"

static uint64_t age_s(uint64_t at)
{
    uint64_t now = daemon_now();
    return at && now > at ? (now - at) / 1000000000 : 0;
}

/* What is being done about a child that is configured to be up and is not. */
static void show_kept(struct vici_build *b, struct daemon *d, const char *conn, const char *child)
{
    struct keeper_info k;
    uint64_t now = daemon_now();
    if (!keeper_look(d, conn, child, &k))
        return;
    vici_str(b, "kept-up", k.held ? "held" : k.next_at ? "waiting" : "trying");
    vici_strf(b, "down", "%" PRIu64, age_s(k.down_at));
    if (*k.why)
        vici_str(b, "why", k.why);
    vici_strf(b, "failures", "%u", k.failures);
    if (k.next_at)
        vici_strf(b, "next-try", "%" PRIu64, k.next_at > now ? (k.next_at - now + 999999999) / 1000000000 : 0);
}

static void show_child_status(struct vici_build *b, struct daemon *d, const struct adit_conn *conn,
                              const struct adit_child_cfg *child)
{
    const struct journal_entry *e = journal_find(&d->journal, conn->name, child->name);
    struct adit_child_stats s;
    host_total_stats(d, conn->name, child->name, &s);
    vici_section(b, child->name);
    vici_bool(b, "up", e && e->live);
    show_kept(b, d, conn->name, child->name);
    if (trap_find(d, conn->name, child->name))
        vici_str(b, "policy", "installed");
    if (e && e->changed_at)
        vici_strf(b, "since", "%" PRIu64, age_s(e->changed_at));
    vici_strf(b, "ups", "%" PRIu64, e ? e->ups : 0);
    vici_strf(b, "rekeys", "%" PRIu64, e ? e->rekeys : 0);
    vici_strf(b, "recoveries", "%" PRIu64, e ? e->recoveries : 0);
    vici_strf(b, "outage-ms", "%" PRIu64, e ? e->outage_ms : 0);
    vici_strf(b, "bytes-in", "%" PRIu64, s.bytes_in);
    vici_strf(b, "bytes-out", "%" PRIu64, s.bytes_out);
    vici_strf(b, "packets-in", "%" PRIu64, s.packets_in);
    vici_strf(b, "packets-out", "%" PRIu64, s.packets_out);
    vici_section_end(b);
}

/* CONNECTING if an SA of it is under way. */
static const char *connecting(const struct daemon *d, const char *conn)
{
    struct adit_ike_info ike;
    for (uint32_t cursor = 0; adit_ike_sa_next(d->ike, &cursor, &ike);)
        if (ike.conn && !strcmp(ike.conn, conn) && ike.state <= ADIT_IKE_AUTHENTICATING)
            return "CONNECTING";
    return "DOWN";
}

static void show_status(struct vici_build *b, struct daemon *d, const struct adit_conn *conn)
{
    const struct journal_entry *e = journal_find(&d->journal, conn->name, "");
    bool up = e && e->live;
    uint64_t since = e ? e->changed_at : 0;
    const char *why = NULL;
    const char *state = up ? "ESTABLISHED" : connecting(d, conn->name);
    if (!up)
        adit_ike_conn_down(d->ike, conn->name, &since, &why);
    if (!why || !*why)
        why = *state == 'C' ? "first attempt" : "never tried";
    vici_section(b, conn->name);
    vici_bool(b, "up", up);
    vici_str(b, "state", state);
    if (since)
        vici_strf(b, "since", "%" PRIu64, age_s(since));
    if (!up)
        vici_str(b, "why", why);
    vici_strf(b, "ups", "%" PRIu64, e ? e->ups : 0);
    vici_strf(b, "rekeys", "%" PRIu64, e ? e->rekeys : 0);
    vici_str(b, "source", conn->source);
    vici_section(b, "children");
    for (unsigned i = 0; i < conn->n_children; i++)
        show_child_status(b, d, conn, &conn->children[i]);
    vici_section_end(b);
    vici_section_end(b);
}

struct listing {
    struct daemon *d;
    size_t at;
};

static bool next(void *state, struct vici_call *call)
{
    struct listing *l = state;
    const struct adit_config *cfg = adit_ike_get_config(l->d->ike);
    const struct adit_conn *const *conns;
    struct reply r;
    if (l->at >= (cfg ? adit_config_conns(cfg, &conns) : 0)) {
        vici_call_ok(call);
        return false;
    }
    reply_begin(&r);
    show_status(&r.b, l->d, conns[l->at++]);
    reply_event(&r, call, "adit-status");
    return true;
}

void cmd_adit_status(void *arg, struct vici_call *call)
{
    struct listing *l = mem_new(sizeof(*l));
    if (!l) {
        vici_call_fail(call, "out of memory");
        return;
    }
    l->d = arg;
    vici_call_stream(call, next, l, mem_del);
}
