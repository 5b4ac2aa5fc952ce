/* adit/ike.h - the IKEv2 engine, sans I/O: datagrams, commands and time go in; datagrams, events and a deadline come
 * out. No sockets, clock, threads or randomness of its own. An engine belongs to one thread; several engines share
 * nothing. Same inputs, same random octets => same outputs.
 *
 *     adit_ike_input(ike, &path, data, n, now);
 *     while (adit_ike_poll(ike, &ev))
 *         handle(&ev);
 *     arm_timer(adit_ike_deadline(ike));
 */
#ifndef ADIT_IKE_H
#define ADIT_IKE_H

#include "adit/config.h"
#include "adit/crypto.h"

#pragma GCC visibility push(default) /* what follows is the library's interface */

struct adit_ike;

struct adit_host {
    struct adit_crypto *crypto;
    adit_random_fn *random; /* nonces, SPIs, cookies' secrets, jitter */
    void *random_arg;
    uint64_t (*unix_time)(void *arg, uint64_t now); /* wall clock in s for certificates; NULL: now / 1e9 */
    void *unix_arg;
    unsigned resources; /* workers of the data plane that can have Child SAs of their own; 0, 1: none */
    bool keylog; /* emit ADIT_EV_KEYLOG (Wireshark's ikev2_decryption_table and esp_sa): secrets leave the engine */
};

/* host is copied. NULL: memory is out. */
struct adit_ike *adit_ike_new(const struct adit_host *host, uint64_t now);
void adit_ike_free(struct adit_ike *ike);

/* Swaps the configuration; takes its own reference. Existing SAs keep the snapshot they were made with. Certificates
 * and keys are parsed here: a bad one is named in *why and nothing changes. A pool with addresses in use keeps its range. */
ADIT_MUST_USE enum adit_rc adit_ike_config(struct adit_ike *ike, struct adit_config *cfg, uint64_t now,
                                           struct adit_why *why);
const struct adit_config *adit_ike_get_config(const struct adit_ike *ike);

/* What should outlive the engine: secrets that peers rely on after a restart, if options ask for that. The count grows
 * whenever it has changed: save it again. save: octets written, 0 = more than `room` (8192 is plenty). load: before any
 * datagram; false: not ours, or damaged, and what could be read of it is taken. */
unsigned adit_ike_changes(const struct adit_ike *ike);
size_t adit_ike_save(const struct adit_ike *ike, uint8_t *out, size_t room);
bool adit_ike_load(struct adit_ike *ike, const uint8_t *data, size_t n);

/* One datagram without the non-ESP marker; path->local.port tells whether it came to the NAT-T port. Or, with path->tcp, one
 * message of a TCP connection (RFC 9329). Never fails: what is wrong with it becomes an event and a counter. */
void adit_ike_input(struct adit_ike *ike, const struct adit_path *path, const uint8_t *data, size_t n, uint64_t now);
void adit_ike_tick(struct adit_ike *ike, uint64_t now);
/* ns; UINT64_MAX = never. Call adit_ike_tick() then. */
uint64_t adit_ike_deadline(const struct adit_ike *ike);

enum adit_command_type {
    ADIT_CMD_INITIATE,  /* conn and/or child by name; done when INSTALLED (or ESTABLISHED without child) */
    ADIT_CMD_TERMINATE, /* selected IKE SAs or Child SAs */
    ADIT_CMD_REKEY,     /* selected; `reauth` for IKE SAs */
    ADIT_CMD_REDIRECT,  /* selected IKE SAs: their peers are told to go to `gateway` */
    ADIT_CMD_ACQUIRE,   /* from the data plane: reqid (policy of an installed trap); or child_id and resource: a worker
                           sends on that one for want of its own */
    ADIT_CMD_EXPIRE_SOFT, ADIT_CMD_EXPIRE_HARD, /* child_id: from the data plane */
    ADIT_CMD_TRAFFIC,   /* child_id: first packet on a new inbound SA */
    ADIT_CMD_PATH,      /* child_id: the data plane saw the peer at another address (path) */
    ADIT_CMD_INACTIVE,  /* child_id */
    ADIT_CMD_LIVE,      /* child_id: authentic ESP arrived (proof of life for DPD) */
    ADIT_CMD_STREAM_UP,   /* ike_id, path: the TCP connection that STREAM_OPEN asked for is there, with the addresses and ports
                             that it got (path.tcp) */
    ADIT_CMD_STREAM_DOWN, /* ike_id, path: it did not come about (path.local.port 0), or it is no more */
    ADIT_CMD_ADDRESSES, /* addresses: those of the host that peers may reach it at, all of them; again when they or its routes change */
};
struct adit_command {
    enum adit_command_type type;
    uint64_t cookie; /* handed back in ADIT_EV_DONE; 0 = no answer wanted */
    const char *conn, *child; /* by name; NULL = any */
    uint32_t ike_id, child_id, reqid; /* by unique id; 0 = any */
    unsigned resource;
    bool reauth, force;
    bool fresh; /* INITIATE: a new IKE SA even if the connection has one (load tests) */
    struct adit_path path;
    const struct adit_addr *addresses; /* ADDRESSES: best ones first; copied */
    unsigned n_addresses;
    struct adit_ts packet_local, packet_remote; /* INITIATE, ACQUIRE: the packet that wants out, as selectors; family 0: none */
    struct adit_addr local, remote; /* INITIATE: addresses that the host resolved; family 0 = take the configuration's */
    const char *gateway; /* REDIRECT: an address or a DNS name; copied */
};
/* Starts it. ADIT_ERR_NOT_FOUND: nothing matches. *matches (may be NULL): SAs selected. */
ADIT_MUST_USE enum adit_rc adit_ike_command(struct adit_ike *ike, const struct adit_command *cmd, uint64_t now,
                                            unsigned *matches, struct adit_why *why);

/* A pure computation: run() it in any thread, hand it back with adit_ike_work_done(). It touches nothing of the engine. */
struct adit_job;
void adit_job_run(struct adit_job *job);
const char *adit_job_name(const struct adit_job *job); /* "sign ECDSA", "key exchange ML_KEM_768" */
bool adit_job_is_slow(const struct adit_job *job); /* milliseconds to seconds */
bool adit_job_is_idle(const struct adit_job *job); /* nobody waits for it: when there is nothing else to do */
void adit_job_refuse(struct adit_job *job); /* instead of running it, if too much waits already: what needs it fails */
void adit_ike_work_done(struct adit_ike *ike, struct adit_job *job, uint64_t now); /* takes the job back */

/* The answer to ADIT_EV_FETCH, by its cookie: n octets, copied; or error (not NULL), in words for the log. One that nobody
 * waits for any more is ignored. */
void adit_ike_fetched(struct adit_ike *ike, uint64_t cookie, const uint8_t *data, size_t n, const char *error, uint64_t now);

enum adit_event_type {
    ADIT_EV_SEND,         /* datagrams to path.remote from path.local (port 4500: add the marker); path.tcp: frames on that
                             TCP connection, or nowhere if it is no more */
    ADIT_EV_CHILD_ADD,    /* install: spec */
    ADIT_EV_CHILD_UPDATE, /* spec: id, path, udp_encap, outbound are new, the rest unchanged; keys absent */
    ADIT_EV_CHILD_REMOVE, /* id; grace_ns for the inbound half */
    ADIT_EV_WORK,         /* job: run it, inline or on a pool; must come back through adit_ike_work_done() */
    ADIT_EV_DONE,         /* a command with a cookie has ended: rc, text */
    ADIT_EV_IKE_UP, ADIT_EV_IKE_DOWN, ADIT_EV_IKE_REKEYED,         /* ike_id (new), old_ike_id, conn */
    ADIT_EV_CHILD_UP, ADIT_EV_CHILD_DOWN, ADIT_EV_CHILD_REKEYED,   /* child_id (new), old_child_id, spec. DOWN: rc, text:
                             TIMEOUT: the peer is dead; CLOSED: the peer closed it; OK: closed by us, or replaced */
    ADIT_EV_LOG,          /* one line for people: level, group, text */
    ADIT_EV_KEYLOG,       /* one line of key log: text; `group` "ike" or "esp" */
    ADIT_EV_RESOLVE,      /* text: a DNS name that conn needs; answer with INITIATE local/remote set (cookie given).
                             With ike_id: a name or an address, asked for by that IKE SA alone; the answer names ike_id,
                             and without a remote address it says that there is none */
    ADIT_EV_KEEPALIVE,    /* send one 0xff octet on path */
    ADIT_EV_ASSIGNED,     /* assigned: the peer gave us addresses; before the Child SAs that use them. By IKE SA */
    ADIT_EV_RELEASED,     /* assigned: the same again; it holds no more. What others of the same were told stays */
    ADIT_EV_FETCH,        /* text: an http:// URL; what is there is wanted, `most` octets of it at most: answer with
                             adit_ike_fetched(cookie). Peers can choose it within what the configuration allows: the host
                             follows no redirection and bounds time and size. Without an answer the engine goes on alone */
    ADIT_EV_STREAM_OPEN,  /* ike_id, path: connect by TCP to path.remote (from path.local.addr if set) and send the prefix;
                             answer with STREAM_UP or STREAM_DOWN */
    ADIT_EV_STREAM_USED,  /* ike_id, path: the TCP connection carries an IKE SA whose peer is authentic */
    ADIT_EV_STREAM_CLOSE, /* path: no IKE SA uses it any more. Who opened it closes it, when all is sent */
};
enum adit_level { ADIT_LOG_AUDIT = 0, ADIT_LOG_INFO = 1, ADIT_LOG_MORE = 2, ADIT_LOG_DEBUG = 3 };

/* What a peer told by its Configuration payload (RFC 7296 s3.15), as far as the configuration allows it. */
#define ADIT_ASSIGNED_ADDRS 8
#define ADIT_ASSIGNED_NETS 32
struct adit_assigned {
    uint16_t n_addrs, n_dns, n_nbns, n_nets;
    struct adit_addr addrs[ADIT_ASSIGNED_ADDRS]; /* ours */
    struct adit_addr dns[ADIT_ASSIGNED_ADDRS], nbns[ADIT_ASSIGNED_ADDRS]; /* name servers */
    struct adit_ts nets[ADIT_ASSIGNED_NETS];     /* INTERNAL_IPx_SUBNET: what the gateway says that it protects */
    char domains[1024]; /* split DNS (RFC 8598): only these are for the servers, with spaces; empty: all are */
    char anchors[2048]; /* INTERNAL_DNSSEC_TA, one a line: "corp.example 43547 8 1 B6225A.." */
};

#define ADIT_SEND_MAX 64
struct adit_event {
    enum adit_event_type type;
    struct adit_path path;
    struct adit_span datagrams[ADIT_SEND_MAX]; /* SEND; more of them come as further SEND events */
    uint16_t n_datagrams;
    const struct adit_child_spec *spec;
    uint32_t ike_id, old_ike_id, child_id, old_child_id;
    uint64_t grace_ns;
    struct adit_job *job;
    uint64_t cookie;
    size_t most;
    enum adit_rc rc;
    enum adit_level level;
    const char *group; /* LOG: "IKE", "CHD", "NET", "CFG", "ENC" as strongSwan's; KEYLOG: "ike"|"esp" */
    const char *conn, *child, *text;
    const struct adit_assigned *assigned;
};
/* Next event; false: none. What it points to lives until the next call of adit_ike_poll(). */
bool adit_ike_poll(struct adit_ike *ike, struct adit_event *out);

/* --- looking at it ---------------------------------------------------------------------------------------------- */
enum adit_ike_state { ADIT_IKE_CONNECTING, ADIT_IKE_AUTHENTICATING, ADIT_IKE_ESTABLISHED, ADIT_IKE_REKEYED,
                      ADIT_IKE_DELETING };
enum adit_child_state { ADIT_CHILD_CREATED, ADIT_CHILD_INSTALLING, ADIT_CHILD_INSTALLED, ADIT_CHILD_REKEYING,
                        ADIT_CHILD_REKEYED, ADIT_CHILD_DELETING };

struct adit_child_info {
    uint32_t id, reqid;
    enum adit_child_state state;
    uint64_t installed_at, rekey_at, expire_at; /* ns; 0 = none */
    struct adit_child_spec spec; /* keys absent; strings and selectors borrowed */
};
struct adit_ike_info {
    uint32_t id;
    const char *conn;
    enum adit_ike_state state;
    bool initiator;
    uint64_t spi_i, spi_r;
    struct adit_path path;
    struct adit_id local_id, remote_id;
    const char *local_auth, *remote_auth; /* "pre-shared key", "ECDSA with SHA2-256"; NULL before authentication */
    struct adit_suite suite;
    bool nat_local, nat_remote;
    bool downgrade_proof; /* both sides sign both IKE_SA_INIT messages */
    bool short_rekeys;    /* both sides can rekey without SA and TS payloads */
    uint64_t created_at, established_at, rekey_at, reauth_at; /* ns; 0 = none */
    uint64_t last_heard_at;
    uint32_t retransmits;
    const char *waiting; /* what it waits for: "work: sign ECDSA", "IKE_AUTH response"; NULL = idle */
    const char *tasks_queued[8], *tasks_active[4], *tasks_passive[4]; /* NULL-ended; strongSwan's words */
    unsigned n_children;
    unsigned window_in, window_out; /* requests that may be under way at once: the peer's, ours */
    unsigned n_local_vips, n_remote_vips;
    struct adit_addr local_vips[ADIT_ASSIGNED_ADDRS], remote_vips[ADIT_ASSIGNED_ADDRS]; /* virtual addresses */
    unsigned n_marks; /* what extensions add to list-sas: NAME = VALUE */
    struct adit_option marks[8];
};
/* Walks all IKE SAs in order of birth: start with *cursor = 0; false at the end. Borrowed data lives until the engine
 * is called again with anything but these. */
bool adit_ike_sa_next(const struct adit_ike *ike, uint32_t *cursor, struct adit_ike_info *out);
bool adit_ike_child_info(const struct adit_ike *ike, uint32_t ike_id, unsigned index, struct adit_child_info *out);

/* Pools of the configuration and who has which address; false: no such one. Borrowed like the above. */
struct adit_pool_info {
    const char *name;
    struct adit_addr base;
    uint32_t size, online, offline; /* offline: kept for who had it, until it is needed */
};
struct adit_lease_info {
    struct adit_addr addr;
    struct adit_id owner;
    bool online;
};
bool adit_ike_pool_info(const struct adit_ike *ike, size_t index, struct adit_pool_info *out);
bool adit_ike_lease_info(const struct adit_ike *ike, size_t pool, size_t index, struct adit_lease_info *out);

/* Monotonic since start. Names: adit_ike_counter_name(). */
enum adit_ike_counter {
#define C(id, name) ADIT_C_##id,
#include "adit/counters.def"
#undef C
    ADIT_COUNTERS
};
const char *adit_ike_counter_name(unsigned i); /* "ike-init-in-req": strongSwan's names where it has them */
uint64_t adit_ike_counter(const struct adit_ike *ike, unsigned i);
/* The same for one connection; 0 if unknown. */
uint64_t adit_ike_conn_counter(const struct adit_ike *ike, const char *conn, unsigned i);
/* Key pairs made while nothing else is to do (`ke_pool`): one method each; false at the end. */
struct adit_ke_pool_info {
    uint16_t method; /* KE_* */
    unsigned wanted, ready;
};
bool adit_ike_ke_pool(const struct adit_ike *ike, size_t index, struct adit_ke_pool_info *out);
unsigned adit_ike_half_open(const struct adit_ike *ike);
/* Those that adit_ike_sa_next lists: an SA that is gone, and kept only to repeat its last answer, does not count. */
unsigned adit_ike_sa_count(const struct adit_ike *ike);
/* Why a configured connection is not up, and since when (ns); false: never tried or up. text borrowed. */
bool adit_ike_conn_down(const struct adit_ike *ike, const char *conn, uint64_t *since, const char **text);

/* --- extensions ------------------------------------------------------------------------------------------------- */
enum adit_option_scope { ADIT_OPT_CONN, ADIT_OPT_CHILD, ADIT_OPT_DAEMON };
enum adit_option_type { ADIT_OPT_BOOL, ADIT_OPT_WORD /* one of words */, ADIT_OPT_UINT, ADIT_OPT_TIME, ADIT_OPT_TEXT,
                        ADIT_OPT_ADDRS, /* a list of IP addresses */ ADIT_OPT_TEXTS /* a list; items joined by ',' */ };
struct adit_option_def {
    const char *key;
    enum adit_option_scope scope;
    enum adit_option_type type;
    const char *words; /* WORD: "yes|accept|no|force" */
    const char *deflt; /* as it would be written */
    const char *doc;   /* one line */
    const char *owner; /* extension's name */
};
/* All options that the compiled-in extensions own; n of them. */
const struct adit_option_def *adit_ike_options(size_t *n);
/* Name and document of extension i; false at the end. */
bool adit_ike_extension(size_t i, const char **name, const char **spec);

#pragma GCC visibility pop
#endif
