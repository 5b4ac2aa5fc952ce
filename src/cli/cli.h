/* cli.h - what the subcommands of adit share; private to this room. cmd_<subcommand>.c has one each. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>
#include "vici/vici.h"

/* Exit codes. */
enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NO_DAEMON = 3 };

#define CLI_SOCKET "/run/adit/vici"

/* What was said on the command line; NULL = not said. */
struct cli_args {
    const char *socket;
    const char *ike, *child, *ike_id, *child_id, *name, *timeout, *loglevel, *config, *peer_ip, *peer_id;
    bool json, force, reauth, all, reset, empty, up_only, leases;
    /* of conformance */
    const char *port, *psk, *id, *remote_id, *proposal, *esp, *select, *section, *trigger, *junit, *local_ts, *remote_ts,
        *bind, *bind_port, *cert, *key, *ca;
    bool own, list, listen;
    /* of bench */
    const char *methods, *loss, *burst, *reports, *transport, *rtt, *rate, *queue, *packet, *count, *seed, *svg;
    bool tree, stock, still;
    int n_words; /* what is left: file names and the like */
    char **words;
};
/* options.c. argv[0] is the subcommand. `allowed` = its option letters (options.c has the table). false: *problem says
 * why. */
bool cli_parse(int argc, char **argv, const char *allowed, struct cli_args *out, char *problem, size_t cap);
/* "--child NAME --timeout SECONDS" of these letters, for the help. */
void cli_print_options(const char *allowed, FILE *to);

struct cli_command {
    const char *name, *options, *words, *help;
    int min_words, max_words;
    int (*run)(const struct cli_args *args);
};
extern const struct cli_command cli_commands[]; /* name NULL ends */

/* --- client.c: one connection to the daemon ----------------------------------------------------------------------------- */
struct client {
    int fd;
    struct adit_buf in;
};
typedef void client_event_fn(void *arg, const char *event, const struct vici_node *message);
/* Says on standard error what is wrong and returns an exit code; 0 = connected. */
int client_open(struct client *c, const struct cli_args *args);
void client_close(struct client *c);
/* Listens to an event kind from now on; 0, or an exit code after saying why. */
int client_register(struct client *c, const char *event);
/* Sends a request and reads until its answer; events that come meanwhile go to `each` (may be NULL). wait_ms: how long
 * the daemon may be silent; < 0 = for ever. The answer lives in the arena. 0, or an exit code after saying why. */
int client_request(struct client *c, const char *command, struct adit_span message, int wait_ms,
                   client_event_fn *each, void *arg, struct arena *arena, struct vici_node **answer);
/* Reads events until the connection ends or a signal comes. */
int client_follow(struct client *c, client_event_fn *each, void *arg);

/* --- out.c: results -------------------------------------------------------------------------------------------------------- */
/* {"event":"...","data":{...}} and {"response":{...}}, one a line. */
void out_event_json(void *arg, const char *event, const struct vici_node *message);
void out_response_json(const struct vici_node *answer);
/* Prints the reason of success=no on standard error. EXIT_DONE or EXIT_REFUSED. */
int out_result(const struct vici_node *answer, const struct cli_args *args);
/* A whole simple command: connect, ask, print by `print` (or JSON), exit code. build fills the request (may be NULL). */
struct cli_simple {
    const char *command;
    const char *event; /* NULL = none */
    void (*build)(struct vici_build *b, const struct cli_args *args);
    client_event_fn *each;                                                      /* human form of an event */
    void (*print)(const struct vici_node *answer, const struct cli_args *args); /* human form of the answer */
    bool has_success; /* the answer says success=yes or no */
};
int out_simple(const struct cli_simple *cmd, const struct cli_args *args);

/* --- format.c ----------------------------------------------------------------------------------------------------------------- */
/* "12 s", "3 min", "2 h 5 min", "41 d 3 h" into out; returns it. */
char *format_age(char *out, size_t cap, long long seconds);
/* "812 B", "1.2 kB", "3.4 MB": powers of 1000. */
char *format_bytes(char *out, size_t cap, unsigned long long n);
/* Seconds of a decimal text; fallback if it is none. */
long long format_number(const char *text, long long fallback);
/* "unix:///run/x" and "/run/x" -> "/run/x". */
const char *format_socket(const char *uri);
/* VICI's list as "a, b, c". */
char *format_list(char *out, size_t cap, const struct vici_node *list, const char *between);

/* cmd_<subcommand>.c: each answers an exit code. */
int cmd_version(const struct cli_args *a), cmd_load(const struct cli_args *a), cmd_bench(const struct cli_args *a),
    cmd_check(const struct cli_args *a), cmd_explain(const struct cli_args *a),
    cmd_initiate(const struct cli_args *a), cmd_terminate(const struct cli_args *a),
    cmd_rekey(const struct cli_args *a), cmd_redirect(const struct cli_args *a), cmd_list_sas(const struct cli_args *a),
    cmd_list_conns(const struct cli_args *a), cmd_list_certs(const struct cli_args *a),
    cmd_list_pools(const struct cli_args *a), cmd_list_algs(const struct cli_args *a), cmd_log(const struct cli_args *a),
    cmd_stats(const struct cli_args *a), cmd_metrics(const struct cli_args *a),
    cmd_counters(const struct cli_args *a), cmd_conformance(const struct cli_args *a), cmd_help(const struct cli_args *a);

#endif
