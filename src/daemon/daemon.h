/* daemon.h - the pieces of aditd and what they offer each other; private to this room. One thread: the loop's. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <uv.h>
#include "adit/ike.h"
#include "config/config.h"
#include "daemon/fetch.h"
#include "daemon/journal.h"
#include "daemon/keylog.h"
#include "daemon/log.h"
#include "daemon/sources.h"
#include "daemon/updown.h"
#include "daemon/vici_server.h"
#include "daemon/workpool.h"

struct addresses;
struct dp;
struct ikesock;
struct streams;

/* From the command line; NULL = what adit.conf says, or its default. */
struct daemon_options {
    const char *config, *swanctl_conf, *socket;
    int debug; /* -1 = not given */
    bool no_dataplane;
};
struct daemon {
    uv_loop_t loop;
    struct daemon_options opt;
    struct config_daemon set;
    struct arena set_arena;
    struct config_option *options; /* the engine's, as the loader wants them */
    size_t n_options;
    struct log log;
    struct log_sink vici_log;
    struct adit_crypto *crypto;
    struct adit_ike *ike;
    struct dp *dp; /* NULL: dataplane = none */
    int steer;     /* program that keeps flows on their worker; -1: the kernel takes none */
    struct ikesock *sock;
    struct streams *streams; /* TCP */
    struct addresses *addresses; /* NULL: the kernel does not tell */
    struct workpool *pool;
    struct vici_server *vici;
    struct updown *updown;
    struct fetcher *fetch;
    struct keylog keylog;
    unsigned kept; /* adit_ike_changes() when state_file was written last */
    struct journal journal;
    struct sources sources;
    struct reqids reqids;
    struct list waiting;   /* waiting.c: commands that wait for the engine */
    struct list traps;     /* traps.c */
    struct list baselines; /* cmd_counters.c */
    struct list held_addrs, held_servers; /* assigned.c */
    struct list keepers;   /* keeper.c */
    struct list children;  /* host.c: what is installed in the data plane */
    uint64_t last_cookie;
    uv_timer_t engine_timer, stop_timer, tun_timer;
    uv_poll_t dp_poll;
    uv_signal_t sig_term, sig_int, sig_hup;
    uint64_t started_at; /* ns */
    int64_t started_unix;
    bool draining; /* inside host_run() */
    bool stopping;
    uint64_t stopping_at;
    bool abandoned; /* by daemon_free(): a thread still looks a name up; leave by _exit() */
};

/* --- host.c: engine <-> world; the only file that translates ------------------------------------------------------ */
/* CLOCK_MONOTONIC in ns: the engine's, the data plane's and our clock. */
uint64_t daemon_now(void);
/* Drains the engine's events and sets its timer. Call it after every call into the engine. */
void host_run(struct daemon *d);
/* Everything that the data plane has to say. */
void host_dp_ready(struct daemon *d);
/* A datagram for the engine, without marker. */
void host_input(struct daemon *d, const struct adit_path *path, struct adit_span datagram);
/* TCP connections for the engine, and what becomes of them. */
enum adit_rc host_start_streams(struct daemon *d, struct adit_why *why);
/* Current counts of one Child SA; zeros if there is no data plane. */
void host_child_stats(struct daemon *d, uint32_t child_id, struct adit_child_stats *out);
/* All SAs that this connection's child ever had: never falls. */
void host_total_stats(struct daemon *d, const char *conn, const char *child, struct adit_child_stats *sum);
void host_work_done(void *daemon, void *job);
/* What the engine asked for by URL has come, or not. */
void host_fetched(void *daemon, uint64_t cookie, const uint8_t *data, size_t n, const char *error);
/* The host's addresses, or its routes, have changed. */
void host_addresses(struct daemon *d, const struct adit_addr *v, unsigned n);
void host_free(struct daemon *d);

/* --- waiting.c: commands that wait for ADIT_EV_DONE ----------------------------------------------------------------- */
struct waiting;
/* Starts an engine command for a VICI call (NULL: for ourselves) and answers the call when it ends or timeout_ms is
 * over (0 = wait for ever; < 0 = answer at once). Log lines of its connection go out as control-log up to loglevel. */
void waiting_start(struct daemon *d, struct vici_call *call, const struct adit_command *cmd,
                   int64_t timeout_ms, int loglevel);
/* One try to bring a child up; keeper_tried() hears how it went, perhaps before this returns. False: no memory. */
ADIT_MUST_USE bool waiting_attempt(struct daemon *d, const char *conn, const char *child);
/* Is an initiation of this child (NULL: of any) under way? */
bool waiting_wants(const struct daemon *d, const char *conn, const char *child);
/* Does somebody follow over VICI what becomes of that connection? */
bool waiting_called(const struct daemon *d, const char *conn);
/* ADIT_EV_DONE; ADIT_EV_RESOLVE. */
void waiting_done(struct daemon *d, const struct adit_event *ev);
void waiting_resolve(struct daemon *d, const struct adit_event *ev);
void waiting_log(struct daemon *d, const struct log_line *line);
/* Answers all that still wait with this reason. */
void waiting_fail_all(struct daemon *d, const char *reason);

/* --- traps.c: start actions and trap policies ------------------------------------------------------------------------ */
/* After a reload: undoes what old children's start actions did and does what new ones ask for. Both may be NULL. */
void actions_apply(struct daemon *d, const struct adit_config *before, const struct adit_config *after);
ADIT_MUST_USE enum adit_rc trap_install(struct daemon *d, const struct adit_conn *conn,
                                        const struct adit_child_cfg *child, struct adit_why *why);
ADIT_MUST_USE enum adit_rc trap_uninstall(struct daemon *d, const char *conn, const char *child,
                                          struct adit_why *why);
struct trap {
    struct list node;
    char *conn, *child;
    uint32_t reqid;
    enum adit_mode mode;
};
const struct trap *trap_by_reqid(const struct daemon *d, uint32_t reqid);
const struct trap *trap_find(const struct daemon *d, const char *conn, const char *child);
void traps_free(struct daemon *d);

/* --- commands.c ------------------------------------------------------------------------------------------------------- */
extern const struct vici_command daemon_commands[];
extern const char *const daemon_events[];

/* --- start and end: daemon.c -------------------------------------------------------------------------------------------- */
/* Opens everything that s asks for; on failure *why says what is missing and what to do. */
ADIT_MUST_USE enum adit_rc daemon_start(struct daemon *d, struct adit_why *why);
/* Runs until it is told to stop; returns the exit code. */
int daemon_run(struct daemon *d);
void daemon_stop(struct daemon *d);
void daemon_free(struct daemon *d);
/* The engine's options in the loader's words, into d->options. */
ADIT_MUST_USE enum adit_rc daemon_copy_options(struct daemon *d, struct adit_why *why);
/* struct adit_host's wall clock. */
uint64_t daemon_unix_time(void *arg, uint64_t now);
/* cmd_counters.c */
void counters_free(struct daemon *d);
/* The TUN's name; "" without a data plane. */
const char *daemon_tun(const struct daemon *d);

/* --- load.c: configuration ------------------------------------------------------------------------------------------------- */
/* Where files come from and what the loader needs of other rooms. */
void load_source(const struct daemon *d, struct config_source *out);
/* Reads adit.conf into d->set. On errors *report says why and d->set is as before. */
ADIT_MUST_USE enum adit_rc load_settings(struct daemon *d, struct config_report *report);
/* Reads the files again; running state changes only if all of them are good. An empty set is refused unless
 * allow_empty, since a forgotten file would close every tunnel. *report has errors and warnings. */
ADIT_MUST_USE enum adit_rc load_files(struct daemon *d, bool allow_empty, struct config_report *report,
                                      struct adit_why *why);
/* Makes `changed` the sources if the engine accepts the snapshot built of them (then it is moved), and does the start
 * actions that follow. */
ADIT_MUST_USE enum adit_rc load_apply(struct daemon *d, struct sources *changed, struct adit_why *why);

#endif
