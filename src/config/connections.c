/* connections.c - one section of `connections`, from a file or a load-conn message: rounds of authentication, children. */
#include <stdlib.h>
#include "config/load.h"
#include "config/text.h"

#define ROUNDS_MAX 8

/* One local<s> or remote<s> section under way. */
struct round {
    const struct config_node *node;
    uint64_t number;
    unsigned place;
};
struct connection {
    struct adit_conn *conn;
    struct round local[ROUNDS_MAX], remote[ROUNDS_MAX];
    const struct config_node *children;
};

/* --- rounds ------------------------------------------------------------------------------------------------------------ */

struct certs {
    struct adit_auth_cfg *auth;
    unsigned scope;
};

static void add_cert_file(struct load *l, const struct config_node *section, const struct config_node *file,
                          struct adit_auth_cfg *auth)
{
    bool ca = has_prefix(section->name, "ca");
    struct adit_span data = file->value, *list;
    uint16_t *n = ca ? &auth->n_cacerts : &auth->n_certs;
    const struct adit_span **to = ca ? &auth->cacerts : &auth->certs;
    if (!load_file(l, file, ca ? "x509ca" : "x509", (const char *)file->value.p, &data))
        return;
    list = load_new(l, (*n + 1u) * sizeof(*list));
    if (!list)
        return;
    span_copy((uint8_t *)list, span(*to, *n * sizeof(*list)));
    list[(*n)++] = data;
    *to = list;
}

static bool inside_round(struct load *l, const struct config_node *section, void *arg)
{
    struct certs *c = arg;
    bool known = has_prefix(section->name, "cert") ||
                 (c->scope == SCOPE_REMOTE && has_prefix(section->name, "cacert"));
    if (!known)
        return false;
    section_load(l, section, SCOPE_CERT, NULL, NULL, NULL);
    const struct config_node *file = config_tree_get(section, CONFIG_VALUE, "file");
    if (file && l->vici) /* the daemon opens no files that a client names */
        report_error(l->report, file, "send the certificate itself in `certs` or `cacerts`");
    else if (file)
        add_cert_file(l, section, file, c->auth);
    else if (!section->first)
        report_error(l->report, section, "the certificate's `file` is missing");
    return true;
}

static bool round_number(const struct config_node *section, uint64_t *out)
{
    const struct config_node *node = config_tree_get(section, CONFIG_VALUE, "round");
    *out = 0;
    return !node || value_number(node->value, 1000, out);
}

static void collect_round(struct load *l, struct round rounds[ROUNDS_MAX], uint16_t *n,
                          const struct config_node *section)
{
    if (*n == ROUNDS_MAX) {
        report_error(l->report, section, "more than %d rounds of authentication", ROUNDS_MAX);
        return;
    }
    rounds[*n] = (struct round){ .node = section, .place = *n };
    if (!round_number(section, &rounds[*n].number))
        report_error(l->report, section, "round: a number up to 1000 is expected");
    (*n)++;
}

static int by_number(const void *a, const void *b)
{
    const struct round *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

const struct config_node *round_section(const struct config_node *conn, const char *prefix, uint16_t nth)
{
    struct round rounds[ROUNDS_MAX];
    uint16_t n = 0;
    for (const struct config_node *node = conn->first; node && n < ROUNDS_MAX; node = node->next) {
        if (node->kind != CONFIG_SECTION || !has_prefix(node->name, prefix))
            continue;
        rounds[n] = (struct round){ .node = node, .place = n };
        round_number(node, &rounds[n++].number);
    }
    qsort(rounds, n, sizeof(*rounds), by_number);
    return nth < n ? rounds[nth].node : NULL;
}

/* The rounds in their order; a side without section gets one with all defaults. */
static const struct adit_auth_cfg *load_rounds(struct load *l, struct round *rounds, uint16_t *n,
                                               unsigned scope)
{
    qsort(rounds, *n, sizeof(*rounds), by_number);
    *n = *n ? *n : 1;
    struct adit_auth_cfg *auths = load_new(l, *n * sizeof(*auths));
    for (uint16_t i = 0; auths && i < *n; i++) {
        struct certs certs = { &auths[i], scope };
        section_load(l, rounds[i].node, scope, &auths[i], inside_round, &certs);
    }
    return auths;
}

/* --- the connection ------------------------------------------------------------------------------------------------------ */

static bool inside_connection(struct load *l, const struct config_node *section, void *arg)
{
    struct connection *c = arg;
    if (has_prefix(section->name, "local"))
        collect_round(l, c->local, &c->conn->n_local, section);
    else if (has_prefix(section->name, "remote"))
        collect_round(l, c->remote, &c->conn->n_remote, section);
    else if (!strcmp(section->name, "children"))
        c->children = section;
    else
        return false;
    return true;
}

static const char *source_of(struct load *l, const struct config_node *section)
{
    STRBUF(source, 1024);
    strbuf_add(&source, section->file);
    if (section->line)
        strbuf_addf(&source, ":%u", section->line);
    const char *copy = arena_str(l->arena, source.p);
    l->no_memory |= !copy;
    return copy;
}

/* Things that are allowed and surely not meant. */
static void check_connection(struct load *l, const struct config_node *section, const struct adit_conn *conn)
{
    const struct config_node *version = config_tree_get(section, CONFIG_VALUE, "version");
    if (version && !strcmp((const char *)version->value.p, "0"))
        report_warning(l->report, version, "version = 0: Adit speaks IKEv2 only");
    for (uint16_t i = 0; conn->remote && i < conn->n_remote; i++) {
        const struct adit_auth_cfg *auth = &conn->remote[i];
        if (auth->class == ADIT_AUTH_PSK && (auth->n_certs || auth->n_cacerts))
            report_warning(l->report, section, "remote: certificates mean nothing with auth = psk");
    }
    for (uint16_t i = 0; conn->local && i < conn->n_local; i++) {
        if (conn->local[i].class == ADIT_AUTH_PSK && conn->local[i].n_certs)
            report_warning(l->report, section, "local: certificates mean nothing with auth = psk");
    }
    if (!conn->n_children)
        report_warning(l->report, section, "connection '%s' has no children: no traffic is protected",
                       section->name);
}

void connection_load(struct load *l, const struct config_node *section, struct adit_conn *out)
{
    struct connection c = { .conn = out };
    *out = (struct adit_conn){ .name = section->name, .source = source_of(l, section) };
    check_name(l, section);
    section_load(l, section, SCOPE_CONN, out, inside_connection, &c);
    connection_lifetimes(l, section, out);
    out->local = load_rounds(l, c.local, &out->n_local, SCOPE_LOCAL);
    out->remote = load_rounds(l, c.remote, &out->n_remote, SCOPE_REMOTE);
    out->n_options = section_options(l, section, CONFIG_OPT_CONN, &out->options);
    children_load(l, c.children, out);
    check_connection(l, section, out);
}
