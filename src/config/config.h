/* config.h - from files and VICI sections to an immutable snapshot (adit/config.h), with every error and warning at its
 * place. The grammar is that of swanctl.conf and strongswan.conf. No I/O: files come through struct config_io. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "adit/config.h"
#include "base/arena.h"
#include "base/buf.h"
#include "model/model.h"

#define CONFIG_PROBLEMS_MAX 50 /* errors and warnings that are kept; all are counted */
#define CONFIG_NODES_MAX 1000000

/* --- files -------------------------------------------------------------------------------------------------------- */

typedef void config_path_fn(void *arg, const char *path);
struct config_io {
    void *arg;
    /* The whole file replaces out's contents. ADIT_ERR_NOT_FOUND, ADIT_ERR_IO, ADIT_ERR_LIMIT with *why. */
    enum adit_rc (*read)(void *arg, const char *path, struct adit_buf *out, struct adit_why *why);
    /* Names the regular files that match, sorted; none is no error. */
    enum adit_rc (*glob)(void *arg, const char *pattern, config_path_fn *found, void *found_arg,
                         struct adit_why *why);
    /* Names the regular files (also hidden ones) of a directory, sorted; a missing directory has none. */
    enum adit_rc (*list)(void *arg, const char *dir, config_path_fn *found, void *found_arg,
                         struct adit_why *why);
};
/* posix_io.c: the system's files. Files above 16 MiB are refused. */
extern const struct config_io config_posix_io;

/* --- report.c: what was found ---------------------------------------------------------------------------------------- */

struct config_problem {
    bool warning;
    const char *file;      /* "vici" for what came by VICI */
    unsigned line, column; /* from 1; 0 = the file as a whole */
    const char *text;      /* what is wrong, the nearest known word, what to do; one line */
};
struct config_report {
    struct arena arena;
    unsigned errors, warnings; /* all of them */
    unsigned n;                /* kept here */
    struct config_problem v[CONFIG_PROBLEMS_MAX];
};
/* { 0 } is an empty report. */
void config_report_fini(struct config_report *r);
/* "file:line:column: error: text"; without line and column for a file as a whole. */
void config_problem_print(struct strbuf *out, const struct config_problem *p);
/* config_problem_print() of each, one a line, errors and warnings in the order in which they were found. */
ADIT_MUST_USE enum adit_rc config_report_print(const struct config_report *r, struct adit_buf *out);
/* The first error as a reason (ADIT_ERR_CONFIG), with the number of the others. */
enum adit_rc config_report_why(const struct config_report *r, struct adit_why *why);

/* --- tree.c: sections, keys and lists; files and VICI alike ------------------------------------------------------------ */

enum config_kind { CONFIG_SECTION, CONFIG_VALUE, CONFIG_LIST };
struct config_node {
    enum config_kind kind;
    const char *name;       /* "" for the root and for items of lists */
    struct adit_span value; /* CONFIG_VALUE; a NUL that is not counted follows; p = NULL: unset by "key =" */
    struct config_node *first, *last, *next;
    const char *file;
    unsigned line, column;
    struct config_node *parent; /* this and what follows: private to settings.c */
    struct config_ref *refs;
    uint8_t resolved;
};
/* For VICI: a tree whose nodes come from `file` ("vici"). NULL when memory is out; NULL parent: NULL. */
struct config_node *config_tree_new(struct arena *arena, const char *file);
struct config_node *config_tree_add(struct arena *arena, struct config_node *parent, enum config_kind kind,
                                    const char *name, struct adit_span value);
/* A direct child of this kind, or NULL. Unset keys are not found. */
const struct config_node *config_tree_get(const struct config_node *section, enum config_kind kind,
                                          const char *name);

/* --- options of extensions ---------------------------------------------------------------------------------------------- */

enum config_option_scope { CONFIG_OPT_CONN, CONFIG_OPT_CHILD, CONFIG_OPT_DAEMON };
enum config_option_type {
    CONFIG_OPT_BOOL,
    CONFIG_OPT_WORD,
    CONFIG_OPT_UINT,
    CONFIG_OPT_TIME,
    CONFIG_OPT_TEXT,
    CONFIG_OPT_ADDRS, /* lists; items are joined by commas */
    CONFIG_OPT_TEXTS
};
/* The engine's rows (adit_ike_options()), handed in. Values land in the snapshot's options normalised: "yes" or "no",
 * the word as in `words`, decimal numbers, seconds. Only those that are set; the owner knows its default. */
struct config_option {
    const char *key;
    enum config_option_scope scope;
    enum config_option_type type;
    const char *words; /* WORD: "yes|accept|no|force" */
    const char *deflt; /* as it would be written */
    const char *doc;   /* one line */
    const char *owner; /* extension's name */
};

/* --- loading ---------------------------------------------------------------------------------------------------------------- */

/* Where configuration comes from and what it needs from other rooms. */
struct config_source {
    const struct config_io *io;
    const char *swanctl_conf; /* "/etc/swanctl/swanctl.conf"; its directory holds x509, x509ca, private ... */
    const struct config_option *options;
    size_t n_options;
    id_dn_fn *dn; /* pki_dn_encode(); NULL: identities that are DNs are errors */
    void *dn_arg;
};

/* load.c. The main file with all that it includes, and the directories beside it. ADIT_OK: *out is a new snapshot (if out
 * is not NULL); the report may hold warnings. ADIT_ERR_CONFIG: the report says why, *out is untouched. A missing main
 * file is an error. Settings of the engine are not set: see config_daemon_load(). */
ADIT_MUST_USE enum adit_rc config_load(const struct config_source *src, struct adit_config **out,
                                       struct config_report *report);
/* One connection of a load-conn message: `section` is the section `<name>`; certs, cacerts are contents then. Added to
 * cfg (an equal name is replaced in place). Nothing is added on errors. */
ADIT_MUST_USE enum adit_rc config_conn_from_tree(const struct config_source *src,
                                                 const struct config_node *section, struct adit_config *cfg,
                                                 struct config_report *report);

/* One pool of a load-pool message, likewise. */
ADIT_MUST_USE enum adit_rc config_pool_from_tree(const struct config_source *src,
                                                 const struct config_node *section, struct adit_config *cfg,
                                                 struct config_report *report);

/* explain.c. What each connection (name NULL: all) will do, for people: every key with its effective value, where it was
 * set or that it is the default; proposals expanded. Appended to out. */
ADIT_MUST_USE enum adit_rc config_explain(const struct config_source *src, const char *name,
                                          struct adit_buf *out, struct config_report *report);

/* --- daemon.c: adit.conf ------------------------------------------------------------------------------------------------------ */

enum config_dataplane { CONFIG_DP_AUTO, CONFIG_DP_USER, CONFIG_DP_KERNEL, CONFIG_DP_NONE };
enum config_packet_crypto { CONFIG_PACKETS_AUTO, CONFIG_PACKETS_OPENSSL };
struct config_daemon {
    struct adit_ike_settings ike; /* everything filled in; options of extensions too */
    uint16_t n_vici_sockets;
    const char *const *vici_sockets; /* paths */
    uint16_t n_tcp_ports;
    const char *const *tcp_ports; /* as text, checked: numbers, or a single "none" */
    const char *swanctl_conf;
    int log;                             /* enum adit_level of adit/ike.h */
    const char *ke_numbers; /* "frodoa3=1190, .."; NULL = as iana.def has them */
    const char *ike_keylog, *esp_keylog; /* paths; NULL = off */
    const char *state_file;              /* path; NULL = nothing is kept */
    enum config_packet_crypto packet_crypto;
    enum config_dataplane dataplane;
    uint32_t workers; /* 0 = one a core */
    bool install_routes, mss_clamp, raw_esp;
    bool install_virtual_ip;
    const char *install_virtual_ip_on; /* NULL = the TUN */
    const char *resolv;                /* command for name servers; NULL or "" = none */
    const char *tun_name;         /* NULL = default */
    uint32_t mtu;                 /* of the TUN; 0 = derive */
    uint32_t fwmark, route_table; /* 0 = none, main */
};
/* Reads section `adit` of `path` (NULL or a file that does not exist: all defaults). Strings live in the arena. */
ADIT_MUST_USE enum adit_rc config_daemon_load(const struct config_source *src, const char *path,
                                              struct arena *arena, struct config_daemon *out,
                                              struct config_report *report);

/* --- diff.c ----------------------------------------------------------------------------------------------------------------------- */

enum config_change_kind {
    CONFIG_CONN_ADDED,
    CONFIG_CONN_REMOVED,
    CONFIG_CONN_CHANGED,
    CONFIG_CHILD_ADDED,
    CONFIG_CHILD_REMOVED,
    CONFIG_CHILD_CHANGED
};
struct config_change {
    enum config_change_kind kind;
    const struct adit_conn *before, *after;                  /* NULL: added, removed */
    const struct adit_child_cfg *child_before, *child_after; /* of the CHILD_ kinds */
    const char *key;                                         /* CHANGED: the first key that differs */
};
typedef void config_change_fn(void *arg, const struct config_change *change);
/* Calls changed() for each difference of two snapshots (NULL = empty). CONN_CHANGED is about everything but the children;
 * those of a connection that stays are reported one by one. What counts is the value, not how or where it was written. */
void config_diff(const struct adit_config *before, const struct adit_config *after, config_change_fn *changed,
                 void *arg);

/* --- reference.c ------------------------------------------------------------------------------------------------------------------- */

/* docs/reference/options.md: every key with type, default and meaning, and those that are refused with the reason. */
ADIT_MUST_USE enum adit_rc config_print_reference(const struct config_option *options, size_t n,
                                                  struct adit_buf *out);

#endif
