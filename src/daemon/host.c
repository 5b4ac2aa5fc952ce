/* host.c - the only file that translates between the engine and the world: its events become datagrams, data plane
 * calls, work, VICI events and log lines; datagrams, data plane events and time become its inputs. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "base/why.h"
#include "daemon/assigned.h"
#include "daemon/daemon.h"
#include "daemon/ikesock.h"
#include "daemon/kept.h"
#include "daemon/keeper.h"
#include "daemon/notice.h"
#include "daemon/streams.h"
#include "daemon/tundev.h"
#include "dp/dp.h"
#include "model/model.h"

/* A Child SA in the data plane: what CHILD_REMOVE, which names only the id, has to know. */
struct installed {
    struct list node;
    uint32_t id, ike_id;
    char *conn, *child;
};

uint64_t daemon_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* --- datagrams ------------------------------------------------------------------------------------------------------ */

static void report_send(struct daemon *d, const struct adit_event *ev, int error)
{
    STRBUF(to, 80);
    endpoint_print(&to, &ev->path.remote);
    log_say(&d->log, ADIT_LOG_MORE, "NET", "sending to %s: %s", to.p, strerror(-error));
}

/* One that is no more: the engine knows, or hears of it in a moment. */
static void send_on_stream(struct daemon *d, const struct adit_event *ev)
{
    int error = streams_send(d->streams, &ev->path, ev->datagrams, ev->n_datagrams);
    if (error && error != -ENOTCONN)
        report_send(d, ev, error);
}

static void send_datagrams(struct daemon *d, const struct adit_event *ev)
{
    if (ev->path.tcp) {
        send_on_stream(d, ev);
        return;
    }
    if (!d->dp || ev->path.local.port != d->set.ike.port_nat_t) {
        int error = ikesock_send(d->sock, &ev->path, ev->datagrams, ev->n_datagrams);
        if (error)
            report_send(d, ev, error);
        return;
    }
    for (unsigned i = 0; i < ev->n_datagrams; i++)
        if (dp_send_nat_t(d->dp, &ev->path, ev->datagrams[i]) != ADIT_OK)
            report_send(d, ev, -EHOSTUNREACH);
}

static void send_keepalive(struct daemon *d, struct adit_event *ev)
{
    static const uint8_t octet[] = { 0xff }; /* RFC 3948 s2.3 */
    ev->datagrams[0] = SPAN_ARRAY(octet);
    ev->n_datagrams = 1;
    send_datagrams(d, ev);
}

/* --- Child SAs ------------------------------------------------------------------------------------------------------- */

static struct installed *find_installed(const struct daemon *d, uint32_t id)
{
    list_for_each (it, &d->children) {
        struct installed *c = list_entry(it, struct installed, node);
        if (c->id == id)
            return c;
    }
    return NULL;
}

static void forget(struct installed *c)
{
    list_remove(&c->node);
    mem_del(c->conn);
    mem_del(c->child);
    mem_del(c);
}

static bool remember(struct daemon *d, const struct adit_child_spec *spec)
{
    struct installed *c = mem_new(sizeof(*c));
    if (!c)
        return false;
    c->id = spec->id;
    c->ike_id = spec->ike_id;
    list_init(&c->node);
    c->conn = mem_strdup(spec->conn ? spec->conn : "");
    c->child = mem_strdup(spec->child ? spec->child : "");
    if (!c->conn || !c->child) {
        forget(c);
        return false;
    }
    list_append(&d->children, &c->node);
    return true;
}

/* Tells the engine what the data plane found out. */
static void command(struct daemon *d, const struct adit_command *cmd)
{
    struct adit_why why = { 0 };
    if (adit_ike_command(d->ike, cmd, daemon_now(), NULL, &why) != ADIT_OK)
        log_say(&d->log, ADIT_LOG_MORE, "KNL", "%s", why.text);
}

static void child_add(struct daemon *d, const struct adit_event *ev)
{
    struct adit_why why = { 0 };
    enum adit_rc rc = remember(d, ev->spec) ? ADIT_OK : why_set(&why, ADIT_ERR_MEMORY, "out of memory");
    if (rc == ADIT_OK && d->dp)
        rc = dp_child_add(d->dp, ev->spec, &why);
    if (rc == ADIT_OK)
        return;
    log_line(&d->log, &(struct log_line){ .level = ADIT_LOG_AUDIT,
                                          .group = "KNL",
                                          .conn = ev->spec->conn,
                                          .ike_id = ev->spec->ike_id,
                                          .text = why.text });
    command(d, &(struct adit_command){ .type = ADIT_CMD_EXPIRE_HARD, .child_id = ev->spec->id });
}

static void child_update(struct daemon *d, const struct adit_event *ev)
{
    if (!d->dp)
        return;
    dp_child_path(d->dp, ev->spec->id, &ev->spec->path, ev->spec->udp_encap);
    if (ev->spec->outbound == ADIT_OUT_ACTIVE)
        dp_child_activate(d->dp, ev->spec->id);
    else if (ev->spec->outbound == ADIT_OUT_LAST)
        dp_child_leave(d->dp, ev->spec->id);
}

static void child_remove(struct daemon *d, const struct adit_event *ev)
{
    uint32_t id = ev->child_id ? ev->child_id : ev->spec ? ev->spec->id : 0;
    struct installed *c = find_installed(d, id);
    struct adit_child_stats last = { 0 };
    if (d->dp)
        dp_child_del(d->dp, id, ev->grace_ns, &last);
    if (!c)
        return;
    journal_finished(&d->journal, c->conn, c->child, &last);
    forget(c);
}

void host_child_stats(struct daemon *d, uint32_t child_id, struct adit_child_stats *out)
{
    *out = (struct adit_child_stats){ 0 };
    if (d->dp && !dp_child_stats(d->dp, child_id, out))
        *out = (struct adit_child_stats){ 0 };
}

void host_total_stats(struct daemon *d, const char *conn, const char *child, struct adit_child_stats *sum)
{
    const struct journal_entry *past = journal_find(&d->journal, conn, child);
    struct adit_child_stats live;
    *sum = past ? past->finished : (struct adit_child_stats){ 0 };
    list_for_each (it, &d->children) {
        const struct installed *c = list_entry(it, struct installed, node);
        if (strcmp(c->conn, conn) || strcmp(c->child, child))
            continue;
        host_child_stats(d, c->id, &live);
        journal_add_stats(sum, &live);
    }
}

/* --- work -------------------------------------------------------------------------------------------------------------- */

static void do_work(struct daemon *d, struct adit_job *job)
{
    enum workpool_class class = adit_job_is_idle(job) ? WORKPOOL_IDLE : adit_job_is_slow(job) ? WORKPOOL_SLOW : WORKPOOL_FAST;
    if (workpool_submit(d->pool, job, class))
        return;
    /* The pool is full: whoever asks for more waits; but not everybody for something slow. */
    if (class == WORKPOOL_FAST)
        adit_job_run(job);
    else
        adit_job_refuse(job);
    adit_ike_work_done(d->ike, job, daemon_now());
}

void host_work_done(void *daemon, void *job)
{
    struct daemon *d = daemon;
    adit_ike_work_done(d->ike, job, daemon_now());
    host_run(d);
}

void host_fetched(void *daemon, uint64_t cookie, const uint8_t *data, size_t n, const char *error)
{
    struct daemon *d = daemon;
    adit_ike_fetched(d->ike, cookie, data, n, error, daemon_now());
    host_run(d);
}

/* --- draining ------------------------------------------------------------------------------------------------------------ */

/* Of attempts that are repeated for the same reason only those who follow closely want to read. */
static enum adit_level level_of(struct daemon *d, const struct adit_event *ev)
{
    bool again = ev->level == ADIT_LOG_INFO && ev->conn && keeper_repeats(d, ev->conn) && !waiting_called(d, ev->conn);
    return again ? ADIT_LOG_MORE : ev->level;
}

static void log_event(struct daemon *d, const struct adit_event *ev)
{
    log_line(&d->log, &(struct log_line){ .level = level_of(d, ev),
                                          .group = ev->group,
                                          .conn = ev->conn,
                                          .ike_id = ev->ike_id,
                                          .text = ev->text });
}

static void handle(struct daemon *d, struct adit_event *ev)
{
    switch (ev->type) {
    case ADIT_EV_SEND: send_datagrams(d, ev); return;
    case ADIT_EV_KEEPALIVE: send_keepalive(d, ev); return;
    case ADIT_EV_CHILD_ADD: child_add(d, ev); return;
    case ADIT_EV_CHILD_UPDATE: child_update(d, ev); return;
    case ADIT_EV_CHILD_REMOVE: child_remove(d, ev); return;
    case ADIT_EV_WORK: do_work(d, ev->job); return;
    case ADIT_EV_DONE: waiting_done(d, ev); return;
    case ADIT_EV_RESOLVE: waiting_resolve(d, ev); return;
    case ADIT_EV_LOG: log_event(d, ev); return;
    case ADIT_EV_KEYLOG: keylog_line(&d->keylog, ev->group ? ev->group : "ike", ev->text); return;
    case ADIT_EV_FETCH: fetch_start(d->fetch, ev->cookie, ev->text, ev->most); return;
    case ADIT_EV_ASSIGNED: assigned_up(d, ev); return;
    case ADIT_EV_STREAM_OPEN: streams_open(d->streams, ev->ike_id, &ev->path); return;
    case ADIT_EV_STREAM_USED: streams_used(d->streams, &ev->path); return;
    case ADIT_EV_STREAM_CLOSE: streams_close(d->streams, &ev->path); return;
    case ADIT_EV_RELEASED: assigned_down(d, ev); return;
    case ADIT_EV_IKE_UP:
    case ADIT_EV_IKE_DOWN:
    case ADIT_EV_IKE_REKEYED:
    case ADIT_EV_CHILD_UP:
    case ADIT_EV_CHILD_DOWN:
    case ADIT_EV_CHILD_REKEYED: notice(d, ev); return;
    }
}

static void on_deadline(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    adit_ike_tick(d->ike, daemon_now());
    host_run(d);
}

static void arm_timer(struct daemon *d)
{
    uint64_t at = adit_ike_deadline(d->ike), now = daemon_now();
    if (at == UINT64_MAX) {
        uv_timer_stop(&d->engine_timer);
        return;
    }
    uv_update_time(&d->loop);
    uv_timer_start(&d->engine_timer, on_deadline, at > now ? (at - now + 999999) / 1000000 : 0, 0);
}

/* Before the answer that relies on it is the better, but a file system that fails must not stop IKE. */
static void keep(struct daemon *d)
{
    struct adit_why why;
    unsigned changes = adit_ike_changes(d->ike);
    if (changes == d->kept)
        return;
    d->kept = changes;
    if (kept_save(d->ike, d->set.state_file, &why) != ADIT_OK)
        log_line(&d->log, &(struct log_line){ .level = ADIT_LOG_AUDIT, .group = "CFG", .text = why.text });
}

void host_run(struct daemon *d)
{
    struct adit_event ev;
    if (d->draining || !d->ike)
        return; /* the loop below goes on with what was added */
    d->draining = true;
    keep(d);
    while (adit_ike_poll(d->ike, &ev))
        handle(d, &ev);
    d->draining = false;
    keep(d);
    arm_timer(d);
}

void host_input(struct daemon *d, const struct adit_path *path, struct adit_span datagram)
{
    adit_ike_input(d->ike, path, datagram.p, datagram.n, daemon_now());
    host_run(d);
}

void host_addresses(struct daemon *d, const struct adit_addr *v, unsigned n)
{
    command(d, &(struct adit_command){ .type = ADIT_CMD_ADDRESSES, .addresses = v, .n_addresses = n });
    keeper_retry_all(d, false);
    host_run(d);
}

/* --- TCP --------------------------------------------------------------------------------------------------------------- */

static void stream_ike(void *arg, const struct adit_path *path, struct adit_span message)
{
    host_input(arg, path, message);
}

static void stream_esp(void *arg, const struct adit_path *path, struct adit_span packet)
{
    struct daemon *d = arg;
    if (d->dp)
        (void)!dp_esp_in(d->dp, path, packet);
}

static void stream_news(struct daemon *d, enum adit_command_type type, uint32_t ike_id, const struct adit_path *path)
{
    command(d, &(struct adit_command){ .type = type, .ike_id = ike_id, .path = *path });
    host_run(d);
}

static void stream_up(void *arg, uint32_t ike_id, const struct adit_path *path)
{
    stream_news(arg, ADIT_CMD_STREAM_UP, ike_id, path);
}

static void stream_down(void *arg, uint32_t ike_id, const struct adit_path *path)
{
    stream_news(arg, ADIT_CMD_STREAM_DOWN, ike_id, path);
}

enum adit_rc host_start_streams(struct daemon *d, struct adit_why *why)
{
    struct streams_settings s = { .ports = d->set.tcp_ports, .n_ports = d->set.n_tcp_ports, .mark = d->set.fwmark,
                                  .log = &d->log, .ike = stream_ike, .esp = stream_esp, .up = stream_up,
                                  .down = stream_down, .arg = d };
    return streams_new(&d->loop, &s, &d->streams, why);
}

/* --- the data plane ---------------------------------------------------------------------------------------------------- */

static void acquire(struct daemon *d, const struct dp_event *ev)
{
    const struct trap *trap = trap_by_reqid(d, ev->reqid);
    struct adit_command cmd = { .type = ADIT_CMD_INITIATE };
    if (!trap || waiting_wants(d, trap->conn, trap->child))
        return;
    cmd.conn = trap->conn;
    cmd.child = trap->child;
    cmd.packet_local = ev->local;
    cmd.packet_remote = ev->remote;
    log_line(&d->log, &(struct log_line){ .level = ADIT_LOG_INFO,
                                          .group = "KNL",
                                          .conn = trap->conn,
                                          .text = "traffic matches the trap policy: initiating" });
    waiting_start(d, NULL, &cmd, 0, -1);
}

static void dp_event(struct daemon *d, const struct dp_event *ev)
{
    static const enum adit_command_type commands[] = {
        [DP_EV_SOFT] = ADIT_CMD_EXPIRE_SOFT,  [DP_EV_HARD] = ADIT_CMD_EXPIRE_HARD,
        [DP_EV_FIRST_IN] = ADIT_CMD_TRAFFIC,  [DP_EV_PATH] = ADIT_CMD_PATH,
        [DP_EV_INACTIVE] = ADIT_CMD_INACTIVE,
    };
    switch (ev->type) {
    case DP_EV_ACQUIRE: acquire(d, ev); return;
    case DP_EV_TUN: tundev_lost(d); return;
    case DP_EV_OWN:
        command(d, &(struct adit_command){ .type = ADIT_CMD_ACQUIRE, .child_id = ev->id, .resource = ev->resource });
        return;
    case DP_EV_IKE: adit_ike_input(d->ike, &ev->path, ev->data.p, ev->data.n, daemon_now()); return;
    default: break;
    }
    if (ev->type == DP_EV_INACTIVE) /* that it is idle is no outage */
        keeper_hold(d, &(struct adit_command){ .child_id = ev->id });
    command(d, &(struct adit_command){ .type = commands[ev->type], .child_id = ev->id, .path = ev->path });
}

void host_dp_ready(struct daemon *d)
{
    struct dp_event ev;
    while (dp_poll(d->dp, &ev)) {
        if (ev.type == DP_EV_ESP) {
            (void)!streams_send_esp(d->streams, &ev.path, ev.data); /* no room: dropped, and counted there */
            continue;
        }
        dp_event(d, &ev);
        host_run(d);
    }
    streams_flush(d->streams);
}

void host_free(struct daemon *d)
{
    list_for_each_safe (it, &d->children)
        forget(list_entry(it, struct installed, node));
}
