/* options.c - the command line: long options from one table, each subcommand names the letters that it takes. */
#include <stddef.h>
#include <string.h>
#include "cli/cli.h"

struct option_row {
    char letter;
    const char *name, *value; /* value NULL = a switch */
    size_t offset;            /* in struct cli_args */
};

#define TEXT(field) offsetof(struct cli_args, field)
static const struct option_row rows[] = {
    { 'j', "json", NULL, TEXT(json) },        { 's', "socket", "PATH", TEXT(socket) },
    { 'i', "ike", "NAME", TEXT(ike) },        { 'c', "child", "NAME", TEXT(child) },
    { 'I', "ike-id", "ID", TEXT(ike_id) },    { 'X', "child-id", "ID", TEXT(child_id) },
    { 'n', "name", "NAME", TEXT(name) },      { 't', "timeout", "SECONDS", TEXT(timeout) },
    { 'l', "loglevel", "N", TEXT(loglevel) }, { 'C', "config", "FILE", TEXT(config) },
    { 'f', "force", NULL, TEXT(force) },      { 'r', "reauth", NULL, TEXT(reauth) },
    { 'a', "all", NULL, TEXT(all) },          { 'R', "reset", NULL, TEXT(reset) },
    { 'p', "peer-ip", "ADDRESS", TEXT(peer_ip) }, { 'P', "peer-id", "ID", TEXT(peer_id) },
    { 'O', "i-own-this", NULL, TEXT(own) },   { 'o', "port", "PORT", TEXT(port) },
    { 'k', "psk", "FILE", TEXT(psk) },        { 'd', "id", "ID", TEXT(id) },
    { 'D', "remote-id", "ID", TEXT(remote_id) }, { 'g', "proposal", "PROPOSAL", TEXT(proposal) },
    { 'G', "esp-proposal", "PROPOSAL", TEXT(esp) }, { 'S', "select", "NAME", TEXT(select) },
    { 'w', "section", "TEXT", TEXT(section) }, { 'E', "listen", NULL, TEXT(listen) },
    { 'T', "trigger", "COMMAND", TEXT(trigger) }, { 'U', "junit", "FILE", TEXT(junit) },
    { 'N', "list", NULL, TEXT(list) },        { 'y', "local-ts", "SELECTOR", TEXT(local_ts) },
    { 'Y', "remote-ts", "SELECTOR", TEXT(remote_ts) }, { 'b', "bind", "ADDRESS", TEXT(bind) },
    { 'B', "bind-port", "PORT", TEXT(bind_port) }, { 'q', "cert", "FILE", TEXT(cert) },
    { 'Q', "key", "FILE", TEXT(key) },        { 'A', "ca", "FILE", TEXT(ca) },
    { 'm', "methods", "LIST", TEXT(methods) }, { 'x', "tree", NULL, TEXT(tree) },
    { '1', "loss", "PERCENT,..", TEXT(loss) }, { 'F', "burst", "N", TEXT(burst) },
    { '2', "reports", "FORM,..", TEXT(reports) }, { 'M', "transport", "udp,tcp", TEXT(transport) },
    { 'W', "rtt", "MS", TEXT(rtt) },          { 'Z', "rate", "MBIT", TEXT(rate) },
    { 'v', "queue", "KIB", TEXT(queue) },
    { 'J', "fragment-size", "OCTETS", TEXT(packet) }, { '3', "stock", NULL, TEXT(stock) },
    { 'z', "still", NULL, TEXT(still) },      { 'K', "count", "N", TEXT(count) },
    { 'H', "seed", "N", TEXT(seed) },         { 'V', "svg", "FILE", TEXT(svg) },
    { 'e', "empty", NULL, TEXT(empty) },      { 'u', "up", NULL, TEXT(up_only) },
    { 'L', "leases", NULL, TEXT(leases) },
};

/* --socket is taken by all, since scripts put it in front of everything. */
static bool is_allowed(const struct option_row *row, const char *allowed)
{
    return strchr(allowed, row->letter) || row->letter == 's' || row->letter == 'j';
}

static const struct option_row *find(const char *name, size_t n, const char *allowed)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strlen(rows[i].name) == n && !strncmp(rows[i].name, name, n) && is_allowed(&rows[i], allowed))
            return &rows[i];
    return NULL;
}

static void *field(struct cli_args *args, const struct option_row *row)
{
    return (char *)args + row->offset;
}

/* Takes "--name", "--name=value" or "--name value"; returns how many words that was, 0 = *problem. */
static int take_option(int left, char **argv, const char *allowed, struct cli_args *out, char *problem,
                       size_t cap)
{
    const char *name = argv[0] + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = find(name, n, allowed);
    if (!row) {
        snprintf(problem, cap, "unknown option %s", argv[0]);
        return 0;
    }
    if (!row->value && equals) {
        snprintf(problem, cap, "--%s takes no value", row->name);
        return 0;
    }
    if (!row->value) {
        *(bool *)field(out, row) = true;
        return 1;
    }
    if (!equals && left < 2) {
        snprintf(problem, cap, "--%s needs %s", row->name, row->value);
        return 0;
    }
    *(const char **)field(out, row) = equals ? equals + 1 : argv[1];
    return equals ? 1 : 2;
}

bool cli_parse(int argc, char **argv, const char *allowed, struct cli_args *out, char *problem, size_t cap)
{
    *out = (struct cli_args){ .words = argv + 1 };
    for (int i = 1; i < argc;) {
        int used = 1;
        if (!strncmp(argv[i], "--", 2) && argv[i][2])
            used = take_option(argc - i, argv + i, allowed, out, problem, cap);
        else if (argv[i][0] == '-' && argv[i][1]) {
            snprintf(problem, cap, "unknown option %s", argv[i]);
            used = 0;
        } else
            out->words[out->n_words++] = argv[i]; /* never ahead of the place that is being read */
        if (!used)
            return false;
        i += used;
    }
    return true;
}

void cli_print_options(const char *allowed, FILE *to)
{
    for (const char *l = allowed; *l; l++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            if (rows[i].letter == *l)
                fprintf(to, " [--%s%s%s]", rows[i].name, rows[i].value ? " " : "",
                        rows[i].value ? rows[i].value : "");
}
