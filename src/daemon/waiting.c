/* waiting.c - commands that wait for the engine: the bridge between a VICI call with its timeout and control-log,
 * and ADIT_EV_DONE. Also finds the addresses that an initiation needs. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/why.h"
#include "daemon/daemon.h"
#include "daemon/keeper.h"
#include "daemon/reply.h"
#include "daemon/route.h"
#include "model/model.h"

struct waiting {
    struct list node;
    struct daemon *d;
    struct vici_call *call; /* NULL: our own (start_action), or already answered */
    struct adit_command cmd;
    char *conn, *child;
    uint64_t cookie, started_at;
    unsigned matches;
    int loglevel;
    bool answer_matches, kept; /* kept: the keeper wants to know how it went */
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    bool looking, ended, closed;
    char last[400]; /* what the engine said last about it */
};

static void run_command(struct waiting *p);
static void look_up(struct waiting *p, const char *name);

/* --- life -------------------------------------------------------------------------------------------------------- */

static void maybe_free(struct waiting *p)
{
    if (!p->closed || p->looking)
        return;
    mem_del(p->conn);
    mem_del(p->child);
    mem_del(p);
}

static void on_closed(uv_handle_t *handle)
{
    struct waiting *p = handle->data;
    p->closed = true;
    maybe_free(p);
}

static void end(struct waiting *p)
{
    if (p->ended)
        return;
    p->ended = true;
    list_remove(&p->node);
    if (p->looking)
        uv_cancel((uv_req_t *)&p->lookup);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

static void answer(struct waiting *p, bool ok, const char *reason)
{
    struct vici_call *call = p->call;
    struct reply r;
    p->call = NULL;
    if (!call)
        return;
    if (!p->answer_matches) {
        if (ok)
            vici_call_ok(call);
        else
            vici_call_fail(call, "%s", reason);
        return;
    }
    reply_begin(&r);
    vici_bool(&r.b, "success", ok);
    vici_strf(&r.b, "matches", "%u", p->matches);
    vici_strf(&r.b, "terminated", "%u", ok ? p->matches : 0);
    if (!ok)
        vici_str(&r.b, "errmsg", reason);
    reply_answer(&r, call);
}

static void finish(struct waiting *p, enum adit_rc rc, const char *reason)
{
    char conn[256], child[256];
    struct daemon *d = p->d;
    bool kept = p->kept && p->conn && p->child;
    if (kept) {
        snprintf(conn, sizeof(conn), "%s", p->conn);
        snprintf(child, sizeof(child), "%s", p->child);
    }
    end(p);
    if (kept)
        keeper_tried(d, conn, child, rc, reason);
}

static void fail(struct waiting *p, enum adit_rc rc, const char *reason)
{
    if (!p->call && !p->kept && p->cmd.type == ADIT_CMD_INITIATE)
        log_line(&p->d->log, &(struct log_line){
                                 .level = ADIT_LOG_AUDIT, .group = "CFG", .conn = p->conn, .text = reason });
    answer(p, false, reason);
    finish(p, rc, reason);
}

/* --- time ---------------------------------------------------------------------------------------------------------- */

static void on_timeout(uv_timer_t *timer)
{
    struct waiting *p = timer->data;
    char text[700];
    snprintf(text, sizeof(text), "'%s' not %s after %" PRIu64 " ms; it goes on in the background%s%s",
             p->child  ? p->child
             : p->conn ? p->conn
                       : "?",
             p->cmd.type == ADIT_CMD_INITIATE ? "up" : "done", (daemon_now() - p->started_at) / 1000000,
             p->last[0] ? "; last: " : "", p->last);
    answer(p, false, text); /* the engine's DONE will find nobody waiting */
    end(p);
}

/* --- addresses ------------------------------------------------------------------------------------------------------ */

static const struct adit_addr_spec *single(const struct adit_addr_spec *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (v[i].single || (!v[i].any && !v[i].lo.family))
            return &v[i];
    return NULL;
}

/* The connection that the command is about: by name, or the first that has the child. */
static const struct adit_conn *conn_of(const struct waiting *p)
{
    const struct adit_config *cfg = adit_ike_get_config(p->d->ike);
    const struct adit_conn *const *all;
    if (!cfg)
        return NULL;
    if (p->cmd.conn)
        return adit_config_conn(cfg, p->cmd.conn);
    size_t n = adit_config_conns(cfg, &all);
    for (size_t i = 0; i < n; i++)
        if (p->cmd.child && conn_child(all[i], p->cmd.child))
            return all[i];
    return NULL;
}

/* false: a name has to be looked up first. */
static bool have_addresses(struct waiting *p)
{
    const struct adit_conn *conn = conn_of(p);
    if (!conn || p->cmd.type != ADIT_CMD_INITIATE)
        return true; /* the engine says what is wrong */
    const struct adit_addr_spec *remote = single(conn->remote_addrs, conn->n_remote_addrs);
    const struct adit_addr_spec *local = single(conn->local_addrs, conn->n_local_addrs);
    if (!p->cmd.remote.family && remote && !remote->lo.family) {
        look_up(p, remote->text);
        return false;
    }
    if (!p->cmd.remote.family && remote)
        p->cmd.remote = remote->lo;
    if (local && local->lo.family == p->cmd.remote.family)
        p->cmd.local = local->lo;
    if (!p->cmd.local.family && p->cmd.remote.family)
        route_source(&p->cmd.remote, p->d->set.fwmark, &p->cmd.local);
    return true;
}

static void fail_lookup(struct waiting *p, int status)
{
    char text[320];
    snprintf(text, sizeof(text), "the remote address of '%s' does not resolve: %s", p->conn ? p->conn : "?",
             uv_strerror(status));
    if (p->cmd.ike_id && p->cmd.type == ADIT_CMD_INITIATE) /* one IKE SA waits for it: in vain */
        (void)!adit_ike_command(p->d->ike, &p->cmd, daemon_now(), NULL, NULL);
    fail(p, ADIT_ERR_IO, text);
}

static bool take_address(struct waiting *p, const struct addrinfo *list)
{
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        const void *raw = a->ai_addr;
        if (a->ai_family == AF_INET)
            p->cmd.remote = addr_from(span(&((const struct sockaddr_in *)raw)->sin_addr, 4));
        else if (a->ai_family == AF_INET6)
            p->cmd.remote = addr_from(span(&((const struct sockaddr_in6 *)raw)->sin6_addr, 16));
        if (p->cmd.remote.family)
            return true;
    }
    return false;
}

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct waiting *p = req->data;
    p->looking = false;
    if (p->ended) {
        uv_freeaddrinfo(list);
        maybe_free(p);
        return;
    }
    bool found = status == 0 && take_address(p, list);
    uv_freeaddrinfo(list);
    if (!found) {
        fail_lookup(p, status ? status : UV_EAI_NODATA);
        return;
    }
    run_command(p);
    host_run(p->d);
}

static void look_up(struct waiting *p, const char *name)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG };
    p->lookup.data = p;
    int rc = uv_getaddrinfo(&p->d->loop, &p->lookup, on_looked_up, name, NULL, &hints);
    p->looking = rc == 0;
    if (rc)
        fail_lookup(p, rc);
}

/* --- the engine ------------------------------------------------------------------------------------------------------ */

static void run_command(struct waiting *p)
{
    struct adit_why why = { 0 };
    if (!have_addresses(p))
        return;
    if (adit_ike_command(p->d->ike, &p->cmd, daemon_now(), &p->matches, &why) != ADIT_OK)
        fail(p, why.rc ? why.rc : ADIT_ERR_BUG, why.text[0] ? why.text : "the engine refused without a reason");
}

static struct waiting *find(struct daemon *d, uint64_t cookie)
{
    list_for_each (it, &d->waiting) {
        struct waiting *p = list_entry(it, struct waiting, node);
        if (p->cookie == cookie)
            return p;
    }
    return NULL;
}

static struct waiting *waiting_new(struct daemon *d, const struct adit_command *cmd)
{
    struct waiting *p = mem_new(sizeof(*p));
    if (!p)
        return NULL;
    p->d = d;
    p->cmd = *cmd;
    p->conn = cmd->conn ? mem_strdup(cmd->conn) : NULL;
    p->child = cmd->child ? mem_strdup(cmd->child) : NULL;
    p->cmd.conn = p->conn;
    p->cmd.child = p->child;
    p->cookie = p->cmd.cookie = ++d->last_cookie;
    p->started_at = daemon_now();
    p->timer.data = p;
    uv_timer_init(&d->loop, &p->timer);
    list_append(&d->waiting, &p->node);
    return p;
}

/* Whose log lines belong to it: the SA's connection, found now because a terminated SA can't be asked later. */
static void find_conn_name(struct waiting *p)
{
    struct adit_ike_info ike;
    struct adit_child_info child;
    const struct adit_conn *conn = p->conn ? NULL : conn_of(p);
    if (conn)
        p->conn = mem_strdup(conn->name); /* cmd.conn stays as it was asked */
    for (uint32_t cursor = 0; !p->conn && adit_ike_sa_next(p->d->ike, &cursor, &ike);) {
        bool mine = ike.id == p->cmd.ike_id;
        for (unsigned i = 0; !mine && adit_ike_child_info(p->d->ike, ike.id, i, &child); i++)
            mine = child.id == p->cmd.child_id;
        if (mine)
            p->conn = mem_strdup(ike.conn);
    }
}

void waiting_start(struct daemon *d, struct vici_call *call, const struct adit_command *cmd,
                   int64_t timeout_ms, int loglevel)
{
    struct waiting *p = waiting_new(d, cmd);
    if (!p) {
        if (call)
            vici_call_fail(call, "out of memory");
        return;
    }
    p->loglevel = loglevel;
    p->answer_matches = cmd->type == ADIT_CMD_TERMINATE;
    if (call && cmd->type == ADIT_CMD_TERMINATE)
        keeper_hold(d, cmd);
    find_conn_name(p);
    if (timeout_ms > 0)
        uv_timer_start(&p->timer, on_timeout, (uint64_t)timeout_ms, 0);
    p->call = call;
    uint64_t cookie = p->cookie;
    run_command(p);
    host_run(d);
    if (timeout_ms < 0 && (p = find(d, cookie))) {
        answer(p, true, "");
        p->loglevel = -1;
    }
}

void waiting_done(struct daemon *d, const struct adit_event *ev)
{
    struct waiting *p = find(d, ev->cookie);
    char text[512];
    if (!p)
        return;
    snprintf(text, sizeof(text), "%s", ev->text && *ev->text ? ev->text : adit_rc_name(ev->rc));
    answer(p, ev->rc == ADIT_OK, text);
    finish(p, ev->rc, text);
}

bool waiting_attempt(struct daemon *d, const char *conn, const char *child)
{
    struct adit_command cmd = { .type = ADIT_CMD_INITIATE, .conn = conn, .child = child };
    struct waiting *p = waiting_new(d, &cmd);
    if (!p)
        return false;
    p->kept = true;
    p->loglevel = -1;
    run_command(p);
    host_run(d);
    return true;
}

bool waiting_wants(const struct daemon *d, const char *conn, const char *child)
{
    list_for_each (it, &d->waiting) {
        const struct waiting *p = list_entry(it, struct waiting, node);
        if (p->cmd.type == ADIT_CMD_INITIATE && p->cmd.conn && !strcmp(p->cmd.conn, conn) &&
            (!child || (p->cmd.child && !strcmp(p->cmd.child, child))))
            return true;
    }
    return false;
}

bool waiting_called(const struct daemon *d, const char *conn)
{
    list_for_each (it, &d->waiting) {
        const struct waiting *p = list_entry(it, struct waiting, node);
        if (p->call && (!p->conn || (conn && !strcmp(p->conn, conn))))
            return true;
    }
    return false;
}

void waiting_resolve(struct daemon *d, const struct adit_event *ev)
{
    struct waiting *p = ev->cookie ? find(d, ev->cookie) : NULL;
    struct adit_command cmd = { .type = ADIT_CMD_INITIATE, .conn = ev->conn, .child = ev->child,
                                .ike_id = ev->ike_id };
    if (!p)
        p = waiting_new(d, &cmd); /* the engine wants it for itself */
    if (p && ev->text)
        look_up(p, ev->text);
}

void waiting_log(struct daemon *d, const struct log_line *line)
{
    list_for_each_safe (it, &d->waiting) {
        struct waiting *p = list_entry(it, struct waiting, node);
        bool mine = !p->conn || (line->conn && !strcmp(line->conn, p->conn));
        struct reply r;
        if (mine && line->level <= ADIT_LOG_INFO)
            snprintf(p->last, sizeof(p->last), "%s", line->text);
        if (!p->call || !mine || (int)line->level > p->loglevel || !vici_call_wants(p->call, "control-log"))
            continue;
        reply_begin(&r);
        vici_str(&r.b, "group", line->group);
        vici_strf(&r.b, "level", "%d", line->level);
        vici_str(&r.b, "ikesa-name", line->conn ? line->conn : "");
        vici_strf(&r.b, "ikesa-uniqueid", "%u", line->ike_id);
        vici_str(&r.b, "msg", line->text);
        reply_event(&r, p->call, "control-log");
    }
}

void waiting_fail_all(struct daemon *d, const char *reason)
{
    while (!list_empty(&d->waiting)) {
        struct waiting *p = list_entry(d->waiting.next, struct waiting, node);
        answer(p, false, reason);
        end(p);
    }
}
