/* daemon.c - puts the pieces together, in order, and takes them apart again. */
#include "daemon/daemon.h"
#include "daemon/ke_numbers.h"
#include "daemon/kept.h"
#include "daemon/keeper.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/why.h"
#include "daemon/addresses.h"
#include "daemon/assigned.h"
#include "daemon/caps.h"
#include "daemon/ikesock.h"
#include "daemon/notice.h"
#include "daemon/reply.h"
#include "daemon/sdnotify.h"
#include "daemon/streams.h"
#include "crypto/crypto.h"
#include "dp/dp.h"
#include "net/net.h"

#define STOP_POLL_MS 50
#define STOP_LIMIT_MS 5000 /* for the peers' answers to our deletes and for updown scripts */
#define CLOSE_LIMIT_NS UINT64_C(1000000000)
#define WORK_QUEUE 4096

const char *daemon_tun(const struct daemon *d)
{
    return d->dp ? dp_tun(d->dp) : "";
}

/* --- log ----------------------------------------------------------------------------------------------------------------- */

/* VICI's log event has strongSwan's levels 0 and 1. */
static void log_to_vici(struct log_sink *self, const struct log_line *line)
{
    struct daemon *d = (struct daemon *)(void *)((char *)self - offsetof(struct daemon, vici_log));
    struct reply r;
    if (!d->vici)
        return;
    waiting_log(d, line);
    if (line->level > ADIT_LOG_INFO || !vici_server_wanted(d->vici, "log"))
        return;
    reply_begin(&r);
    vici_str(&r.b, "group", line->group);
    vici_strf(&r.b, "level", "%d", line->level);
    vici_str(&r.b, "thread", "1");
    vici_str(&r.b, "ikesa-name", line->conn ? line->conn : "");
    vici_strf(&r.b, "ikesa-uniqueid", "%u", line->ike_id);
    vici_str(&r.b, "msg", line->text);
    reply_broadcast(&r, d->vici, "log");
}

static void log_report(struct daemon *d, const struct config_report *report)
{
    for (unsigned i = 0; i < report->n; i++) {
        STRBUF(line, 1000);
        config_problem_print(&line, &report->v[i]);
        log_say(&d->log, ADIT_LOG_AUDIT, "CFG", "%s", line.p);
    }
}

/* --- signals ---------------------------------------------------------------------------------------------------------------- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    struct config_report report = { 0 };
    struct adit_why why = { 0 };
    if (number != SIGHUP) {
        log_say(&d->log, ADIT_LOG_AUDIT, "DMN", "signal %d: shutting down", number);
        notice_alert(d, "shutdown-signal", NULL, 0);
        daemon_stop(d);
        return;
    }
    sdnotify("RELOADING=1");
    enum adit_rc rc = load_files(d, false, &report, &why);
    log_report(d, &report);
    log_say(&d->log, ADIT_LOG_AUDIT, "CFG", "reload: %s", rc == ADIT_OK ? "done" : why.text);
    config_report_fini(&report);
    sdnotify("READY=1");
}

static void watch_signal(struct daemon *d, uv_signal_t *handle, int number)
{
    uv_signal_init(&d->loop, handle);
    handle->data = d;
    uv_signal_start(handle, on_signal, number);
}

/* --- start -------------------------------------------------------------------------------------------------------------------- */

enum adit_rc daemon_copy_options(struct daemon *d, struct adit_why *why)
{
    const struct adit_option_def *from = adit_ike_options(&d->n_options);
    d->options = mem_new_array(d->n_options + 1, sizeof(*d->options));
    if (!d->options)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < d->n_options; i++)
        d->options[i] = (struct config_option){ from[i].key,
                                                (enum config_option_scope)from[i].scope,
                                                (enum config_option_type)from[i].type,
                                                from[i].words,
                                                from[i].deflt,
                                                from[i].doc,
                                                from[i].owner };
    return ADIT_OK;
}

static enum adit_rc start_settings(struct daemon *d, struct adit_why *why)
{
    struct config_report report = { 0 };
    TRY(daemon_copy_options(d, why));
    enum adit_rc rc = load_settings(d, &report);
    if (rc != ADIT_OK)
        rc = config_report_why(&report, why);
    else
        rc = ke_numbers_read(d->set.ke_numbers, why); /* names follow before connections are read */
    log_report(d, &report);
    config_report_fini(&report);
    return rc;
}

static enum adit_rc start_vici(struct daemon *d, struct adit_why *why)
{
    struct vici_server_ops ops = { d, daemon_commands, daemon_events };
    d->vici = vici_server_new(&d->loop, &ops);
    if (!d->vici)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    if (d->opt.socket)
        return vici_server_listen(d->vici, d->opt.socket, why);
    for (unsigned i = 0; i < d->set.n_vici_sockets; i++)
        TRY(vici_server_listen(d->vici, d->set.vici_sockets[i], why));
    return ADIT_OK;
}

static enum adit_rc start_engine(struct daemon *d, struct adit_why *why)
{
    d->crypto = ke_numbers_crypto(why);
    if (!d->crypto)
        return why->rc ? why->rc : ADIT_ERR_CRYPTO;
    crypto_openssl_only(d->crypto, d->set.packet_crypto == CONFIG_PACKETS_OPENSSL);
    TRY(keylog_open(&d->keylog, d->set.ike_keylog, d->set.esp_keylog, why));
    struct adit_host host = { .crypto = d->crypto,
                              .unix_time = daemon_unix_time,
                              .resources = d->set.dataplane == CONFIG_DP_NONE ? 0 : dp_workers(d->set.workers),
                              .keylog = d->keylog.ike || d->keylog.esp };
    d->ike = adit_ike_new(&host, daemon_now());
    if (!d->ike)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    return kept_load(d->ike, d->set.state_file, why);
}

static void on_dp(uv_poll_t *poll, int status, int events)
{
    host_dp_ready(poll->data);
}

static enum adit_rc start_dataplane(struct daemon *d, struct adit_why *why)
{
    static const enum dp_kernel kernel[] = { [CONFIG_DP_AUTO] = DP_KERNEL_AUTO, [CONFIG_DP_KERNEL] = DP_KERNEL_ONLY,
                                             [CONFIG_DP_USER] = DP_KERNEL_NO, [CONFIG_DP_NONE] = DP_KERNEL_NO };
    struct dp_settings s = { .crypto = d->crypto,
                             .kernel = kernel[d->set.dataplane],
                             .tun_name = d->set.tun_name,
                             .steer = d->steer,
                             .port_nat_t = d->set.ike.port_nat_t,
                             .workers = d->set.workers,
                             .install_routes = d->set.install_routes,
                             .no_mss_clamp = !d->set.mss_clamp,
                             .mtu = (uint16_t)d->set.mtu,
                             .raw_esp = d->set.raw_esp,
                             .fwmark = (uint16_t)d->set.fwmark,
                             .route_table = d->set.route_table };
    if (d->set.dataplane == CONFIG_DP_NONE)
        return ADIT_OK;
    enum adit_rc rc = dp_new(&s, &d->dp, why);
    if (rc != ADIT_OK) {
        char reason[400];
        snprintf(reason, sizeof(reason), "%.399s", why->text);
        return why_set(why, rc, "data plane: %s; --no-dataplane only negotiates", reason);
    }
    if (d->steer <= 0 && dp_workers(d->set.workers) > 1)
        log_say(&d->log, ADIT_LOG_MORE, "DMN", "no right to load a program (CAP_BPF): workers take flows as the kernel gives them");
    if (*dp_kernel_missing(d->dp))
        log_say(&d->log, ADIT_LOG_MORE, "KNL", "Child SAs stay in user space: %s", dp_kernel_missing(d->dp));
    d->dp_poll.data = d;
    uv_poll_init(&d->loop, &d->dp_poll, dp_event_fd(d->dp));
    uv_poll_start(&d->dp_poll, UV_READABLE, on_dp);
    return ADIT_OK;
}

static void ike_datagram(void *arg, const struct adit_path *path, struct adit_span data)
{
    host_input(arg, path, data);
}

static enum adit_rc start_sockets(struct daemon *d, struct adit_why *why)
{
    struct ikesock_settings s = { .port = d->set.ike.port,
                                  .port_nat_t = d->dp ? 0 : d->set.ike.port_nat_t,
                                  .mark = d->set.fwmark,
                                  .bypass = d->set.dataplane == CONFIG_DP_AUTO || d->set.dataplane == CONFIG_DP_KERNEL,
                                  .input = ike_datagram,
                                  .arg = d };
    enum adit_rc rc = ikesock_new(&d->loop, &s, &d->sock, why);
    if (rc == ADIT_OK)
        return ADIT_OK;
    return s.port < 1024 && !caps_low_ports()
               ? why_context(
                     why, rc,
                     "CAP_NET_BIND_SERVICE is missing (run as root, or set port and port_nat_t above 1023)")
               : rc;
}

/* Without it addresses stay what they are; everything else works. */
static void start_addresses(struct daemon *d)
{
    struct adit_why why = { 0 };
    if (addresses_new(d, &d->addresses, &why) != ADIT_OK)
        log_say(&d->log, ADIT_LOG_AUDIT, "KNL", "changes of addresses are not seen: %s", why.text);
}

static void run_job(void *job)
{
    adit_job_run(job);
}

static enum adit_rc start_helpers(struct daemon *d, struct adit_why *why)
{
    struct workpool_ops ops = { run_job, host_work_done, d };
    d->pool = workpool_new(&d->loop, 0, WORK_QUEUE, &ops);
    d->updown = updown_new(&d->loop, &d->log);
    d->fetch = fetcher_new(&d->loop, d->set.fwmark, host_fetched, d);
    uv_timer_init(&d->loop, &d->engine_timer);
    uv_timer_init(&d->loop, &d->stop_timer);
    uv_timer_init(&d->loop, &d->tun_timer);
    d->engine_timer.data = d->stop_timer.data = d->tun_timer.data = d;
    watch_signal(d, &d->sig_term, SIGTERM);
    watch_signal(d, &d->sig_int, SIGINT);
    watch_signal(d, &d->sig_hup, SIGHUP);
    return d->pool && d->updown && d->fetch ? ADIT_OK : why_set(why, ADIT_ERR_MEMORY, "out of memory or threads");
}

/* Files that are wrong at start leave a daemon without connections that says so: it can be mended while it runs. */
static enum adit_rc start_config(struct daemon *d, struct adit_why *why)
{
    struct config_report report = { 0 };
    struct sources none = { 0 };
    TRY(load_apply(d, &none, why)); /* the engine's settings */
    sources_fini(&none);
    enum adit_rc rc = load_files(d, true, &report, why);
    log_report(d, &report);
    if (rc != ADIT_OK)
        log_say(&d->log, ADIT_LOG_AUDIT, "CFG", "no connections loaded: %s", why->text);
    config_report_fini(&report);
    return ADIT_OK;
}

uint64_t daemon_unix_time(void *arg, uint64_t now)
{
    return (uint64_t)time(NULL);
}

enum adit_rc daemon_start(struct daemon *d, struct adit_why *why)
{
    signal(SIGPIPE, SIG_IGN);
    list_init(&d->waiting);
    list_init(&d->traps);
    list_init(&d->baselines);
    list_init(&d->keepers);
    list_init(&d->children);
    list_init(&d->held_addrs);
    list_init(&d->held_servers);
    journal_init(&d->journal);
    reqids_init(&d->reqids);
    log_init(&d->log, d->opt.debug >= 0 ? (enum adit_level)d->opt.debug : ADIT_LOG_INFO);
    d->vici_log.line = log_to_vici;
    log_add(&d->log, &d->vici_log);
    d->started_at = daemon_now();
    d->started_unix = (int64_t)time(NULL);
    if (uv_loop_init(&d->loop) < 0)
        return why_set(why, ADIT_ERR_IO, "no event loop");
    TRY(start_settings(d, why));
    TRY(start_vici(d, why));
    d->steer = net_steer_load(); /* with rights that go now */
    TRY(caps_drop(why)); /* before the first thread */
    TRY(start_helpers(d, why));
    TRY(start_engine(d, why));
    TRY(start_dataplane(d, why));
    TRY(start_sockets(d, why));
    TRY(host_start_streams(d, why));
    TRY(start_config(d, why));
    start_addresses(d);
    log_say(&d->log, ADIT_LOG_AUDIT, "DMN", "aditd %s is ready: ports %u and %u, data plane %s%s%s",
            ADIT_VERSION, d->set.ike.port, d->set.ike.port_nat_t, d->dp ? dp_name(d->dp) : "none",
            d->dp ? " on " : "", daemon_tun(d));
    if (!sdnotify("READY=1"))
        log_say(&d->log, ADIT_LOG_AUDIT, "DMN", "the service manager's NOTIFY_SOCKET can't be reached");
    return ADIT_OK;
}

/* --- end ------------------------------------------------------------------------------------------------------------------------ */

static void close_handle(uv_handle_t *handle, void *arg)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* SAs whose peers we still wait for; those that were replaced by rekeying are the peer's to delete. */
static bool has_sas(const struct daemon *d)
{
    struct adit_ike_info ike;
    for (uint32_t cursor = 0; adit_ike_sa_next(d->ike, &cursor, &ike);)
        if (ike.state != ADIT_IKE_REKEYED)
            return true;
    return false;
}

static void on_stop_poll(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    uint64_t waited_ms = (daemon_now() - d->stopping_at) / 1000000;
    bool idle = !has_sas(d) && updown_pending(d->updown) == 0;
    if (idle || waited_ms >= STOP_LIMIT_MS)
        uv_stop(&d->loop);
}

static void terminate_all(struct daemon *d)
{
    struct adit_ike_info ike;
    uint32_t ids[1024];
    unsigned n = 0;
    for (uint32_t cursor = 0; n < ARRAY_LEN(ids) && adit_ike_sa_next(d->ike, &cursor, &ike);)
        ids[n++] = ike.id;
    for (unsigned i = 0; i < n; i++) {
        struct adit_command cmd = { .type = ADIT_CMD_TERMINATE, .ike_id = ids[i] };
        if (adit_ike_command(d->ike, &cmd, daemon_now(), NULL, NULL) == ADIT_OK)
            host_run(d);
    }
}

void daemon_stop(struct daemon *d)
{
    if (d->stopping) { /* asked twice: at once */
        uv_stop(&d->loop);
        return;
    }
    d->stopping = true;
    d->stopping_at = daemon_now();
    sdnotify("STOPPING=1");
    waiting_fail_all(d, "the daemon is shutting down");
    terminate_all(d);
    uv_timer_start(&d->stop_timer, on_stop_poll, 0, STOP_POLL_MS);
}

int daemon_run(struct daemon *d)
{
    uv_run(&d->loop, UV_RUN_DEFAULT);
    return 0;
}

/* Until all handles are closed. A name that is being looked up can't be called back and takes as long as dead name servers
 * do: then we go without it. */
static void close_loop(struct daemon *d)
{
    uint64_t end = daemon_now() + CLOSE_LIMIT_NS;
    uv_walk(&d->loop, close_handle, NULL);
    while (uv_run(&d->loop, UV_RUN_NOWAIT)) {
        if (daemon_now() > end) {
            d->abandoned = true;
            return;
        }
        usleep(1000);
    }
    uv_loop_close(&d->loop);
}

/* Order: nothing may call back into something that is gone. */
void daemon_free(struct daemon *d)
{
    if (d->ike)
        waiting_fail_all(d, "the daemon is shutting down");
    if (d->pool)
        workpool_stop(d->pool);
    fetcher_stop(d->fetch);
    ikesock_stop(d->sock);
    streams_stop(d->streams);
    addresses_stop(d->addresses);
    if (d->vici)
        vici_server_stop(d->vici);
    updown_free(d->updown);
    if (d->held_addrs.next)
        assigned_free(d);
    keepers_free(d);
    close_loop(d);
    if (d->dp)
        dp_free(d->dp);
    if (d->steer > 0)
        close(d->steer);
    adit_ike_free(d->ike);
    workpool_free(d->pool);
    fetcher_free(d->fetch);
    ikesock_free(d->sock);
    streams_free(d->streams);
    addresses_free(d->addresses);
    vici_server_free(d->vici);
    traps_free(d);
    host_free(d);
    counters_free(d);
    sources_fini(&d->sources);
    reqids_fini(&d->reqids);
    journal_fini(&d->journal);
    keylog_close(&d->keylog);
    adit_crypto_free(d->crypto);
    arena_fini(&d->set_arena);
    mem_del(d->options);
}
