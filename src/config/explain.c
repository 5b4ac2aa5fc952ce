/* explain.c - what the files mean: every key of every connection with its effective value and where it comes from. */
#include "config/load.h"
#include "config/settings.h"
#include "config/text.h"

struct explain {
    struct load *l;
    struct adit_buf *out;
    enum adit_rc rc; /* first failure; sticky */
};

#define SAY(e, ...)                                                                                          \
    do {                                                                                                     \
        if ((e)->rc == ADIT_OK)                                                                              \
            (e)->rc = text_addf((e)->out, __VA_ARGS__);                                                      \
    } while (0)

static const struct config_node *node_of(const struct config_node *section, const char *key)
{
    const struct config_node *node = config_tree_get(section, CONFIG_VALUE, key);
    return node ? node : config_tree_get(section, CONFIG_LIST, key);
}

/* "   # swanctl.conf:12" or "   # default". */
static void say_origin(struct explain *e, const struct config_node *node)
{
    if (node && node->line)
        SAY(e, "   # %s:%u\n", node->file, node->line);
    else
        SAY(e, "   # %s\n", node ? node->file : "default");
}

static void say_key(struct explain *e, const struct config_key *key, const struct config_node *section,
                    const void *base, const char *indent)
{
    size_t before = e->out->n;
    SAY(e, "%s%s = ", indent, key->name);
    size_t start = e->out->n;
    if (e->rc == ADIT_OK)
        e->rc = key->type == F_NONE ? text_addf(e->out, "%s", key->deflt ? key->deflt : "")
                                    : field_print(key, base, e->out);
    if (e->out->n == start && !node_of(section, key->name))
        e->out->n = before; /* nothing set, nothing by default */
    else
        say_origin(e, node_of(section, key->name));
}

static void say_keys(struct explain *e, unsigned scope, const struct config_node *section, const void *base,
                     const char *indent)
{
    size_t n;
    const struct config_key *keys = schema_keys(&n);
    for (size_t i = 0; i < n; i++) {
        if ((keys[i].scopes & scope) && keys[i].verdict == V_HAVE && keys[i].type != F_SPECIAL)
            say_key(e, &keys[i], section, base, indent);
    }
}

static void say_options(struct explain *e, enum config_option_scope scope, const struct config_node *section,
                        const struct adit_option *options, uint16_t n_options, const char *indent)
{
    const struct config_source *src = e->l->src;
    for (size_t i = 0; i < src->n_options; i++) {
        const struct config_option *o = &src->options[i];
        const char *value = adit_option_get(options, n_options, o->key);
        if (o->scope != scope)
            continue;
        SAY(e, "%s%s = %s", indent, o->key, value ? value : o->deflt ? o->deflt : "");
        say_origin(e, node_of(section, o->key));
    }
}

static void say_rounds(struct explain *e, const char *side, unsigned scope, const struct config_node *conn,
                       const struct adit_auth_cfg *auths, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++) {
        SAY(e, n > 1 ? "  %s-%u {\n" : "  %s {\n", side, i + 1u);
        say_keys(e, scope, round_section(conn, side, i), &auths[i], "    ");
        SAY(e, "  }\n");
    }
}

static void say_children(struct explain *e, const struct config_node *section, const struct adit_conn *conn)
{
    const struct config_node *children = config_tree_get(section, CONFIG_SECTION, "children");
    for (uint16_t i = 0; i < conn->n_children; i++) {
        const struct adit_child_cfg *child = &conn->children[i];
        const struct config_node *node = config_tree_get(children, CONFIG_SECTION, child->name);
        SAY(e, "  child %s {\n", child->name);
        say_keys(e, SCOPE_CHILD, node, child, "    ");
        say_options(e, CONFIG_OPT_CHILD, node, child->options, child->n_options, "    ");
        SAY(e, "  }\n");
    }
}

static void say_connection(struct explain *e, const struct config_node *section, const struct adit_conn *conn)
{
    SAY(e, "connection %s {   # %s\n", conn->name, conn->source);
    say_keys(e, SCOPE_CONN, section, conn, "  ");
    say_options(e, CONFIG_OPT_CONN, section, conn->options, conn->n_options, "  ");
    say_rounds(e, "local", SCOPE_LOCAL, section, conn->local, conn->n_local);
    say_rounds(e, "remote", SCOPE_REMOTE, section, conn->remote, conn->n_remote);
    say_children(e, section, conn);
    SAY(e, "}\n");
}

static unsigned explain_all(struct explain *e, const struct config_node *connections, const char *name)
{
    unsigned n = 0;
    for (const struct config_node *node = connections ? connections->first : NULL; node; node = node->next) {
        struct adit_conn conn;
        unsigned errors = e->l->report->errors;
        if (node->kind != CONFIG_SECTION || (name && strcmp(name, node->name)))
            continue;
        connection_load(e->l, node, &conn);
        if (e->l->report->errors == errors && !e->l->no_memory)
            say_connection(e, node, &conn);
        n++;
    }
    return n;
}

enum adit_rc config_explain(const struct config_source *src, const char *name, struct adit_buf *out,
                            struct config_report *report)
{
    struct arena arena = { 0 };
    struct load l = { .src = src, .report = report, .arena = &arena };
    struct explain e = { &l, out, ADIT_OK };
    struct config_node *root;
    unsigned errors = report->errors;
    if (load_tree(&l, src->swanctl_conf, &root) &&
        !explain_all(&e, config_tree_get(root, CONFIG_SECTION, "connections"), name) && name)
        report_at(report, false, ((struct place){ .file = src->swanctl_conf }), "there is no connection '%s'",
                  name);
    arena_fini(&arena);
    if (l.no_memory || e.rc != ADIT_OK)
        return ADIT_ERR_MEMORY;
    return report->errors == errors ? ADIT_OK : ADIT_ERR_CONFIG;
}
