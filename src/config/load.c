/* load.c - from the main file to a snapshot. Any error in any part, and nothing comes out. */
#include "config/load.h"
#include "config/settings.h"
#include "config/text.h"

static void check_top(struct load *l, const struct config_node *root)
{
    size_t n;
    const struct config_section *sections = schema_sections(&n);
    for (const struct config_node *node = root->first; node; node = node->next) {
        bool known = false;
        for (size_t i = 0; i < n; i++)
            known |= !sections[i].inside && !strcmp(sections[i].name, node->name);
        if (node->kind != CONFIG_SECTION) {
            if (node->value.p)
                report_error(l->report, node, "key '%s' stands outside of all sections", node->name);
        } else if (!known && !settings_is_template(node)) {
            report_unknown(l, node, 0, "section");
        }
    }
}

/* "FILE: reason" as the reason alone: the place says which file. */
static const char *without_path(const char *text, const char *path)
{
    size_t n = strlen(path);
    return has_prefix(text, path) && has_prefix(text + n, ": ") ? text + n + 2 : text;
}

bool load_tree(struct load *l, const char *path, struct config_node **root)
{
    struct adit_why why = { 0 };
    unsigned errors = l->report->errors;
    enum adit_rc rc = settings_read(l->src->io, path, l->arena, l->report, root, &why);
    l->no_memory |= rc == ADIT_ERR_MEMORY;
    if (rc != ADIT_OK)
        report_at(l->report, false, ((struct place){ .file = path }), "%s", without_path(why.text, path));
    if (l->report->errors != errors)
        return false; /* a broken file's contents would only give more and misleading errors */
    l->dir = path_directory(l->arena, path);
    l->no_memory |= !l->dir;
    check_top(l, *root);
    if (!l->no_memory)
        tunnels_expand(l, *root);
    return !l->no_memory;
}

/* Not an error: the secret may come by VICI. */
static void check_secret(struct load *l, const struct config_node *section, const struct adit_conn *conn,
                         bool has_secrets)
{
    bool psk = conn->local && conn->n_local && conn->local[0].class == ADIT_AUTH_PSK;
    if (psk && !has_secrets)
        report_warning(l->report, section,
                       "connection '%s' has auth = psk, but `secrets` holds no ike section", section->name);
}

static void load_connections(struct load *l, const struct config_node *connections, struct adit_config *cfg)
{
    const struct adit_shared *const *shared;
    bool has_secrets = false;
    size_t n = adit_config_shared(cfg, &shared);
    for (size_t i = 0; i < n; i++)
        has_secrets |= shared[i]->type == ADIT_SHARED_IKE;
    for (const struct config_node *node = connections ? connections->first : NULL; node; node = node->next) {
        struct adit_conn conn;
        if (node->kind == CONFIG_SECTION) {
            connection_load(l, node, &conn);
            check_secret(l, node, &conn, has_secrets);
            if (!l->report->errors && !l->no_memory)
                load_check(l, adit_config_add_conn(cfg, &conn));
        } else if (node->kind == CONFIG_LIST || node->value.p) {
            report_error(l->report, node, "'%s' stands in `connections`, which holds sections only",
                         node->name);
        }
    }
}

static void load_all(struct load *l, struct adit_config *cfg)
{
    struct config_node *root;
    if (!load_tree(l, l->src->swanctl_conf, &root))
        return;
    const struct config_node *secrets = config_tree_get(root, CONFIG_SECTION, "secrets");
    secrets_load(l, secrets, cfg);
    load_connections(l, config_tree_get(root, CONFIG_SECTION, "connections"), cfg);
    credentials_load(l, secrets, cfg);
    authorities_load(l, config_tree_get(root, CONFIG_SECTION, "authorities"), cfg);
    pools_load(l, config_tree_get(root, CONFIG_SECTION, "pools"), cfg);
}

static enum adit_rc result(const struct load *l, unsigned errors_before)
{
    if (l->no_memory) {
        report_put(l->report, false, (struct place){ 0 }, "out of memory");
        return ADIT_ERR_MEMORY;
    }
    return l->report->errors == errors_before ? ADIT_OK : ADIT_ERR_CONFIG;
}

enum adit_rc config_load(const struct config_source *src, struct adit_config **out,
                         struct config_report *report)
{
    struct arena arena = { 0 };
    struct load l = { .src = src, .report = report, .arena = &arena };
    struct adit_config *cfg = adit_config_new();
    unsigned errors = report->errors;
    l.no_memory = !cfg;
    if (cfg)
        load_all(&l, cfg);
    arena_fini(&arena); /* wiped: there were secrets in it */
    enum adit_rc rc = result(&l, errors);
    if (rc == ADIT_OK && out)
        *out = cfg;
    else
        adit_config_unref(cfg);
    return rc;
}

enum adit_rc config_pool_from_tree(const struct config_source *src, const struct config_node *section,
                                   struct adit_config *cfg, struct config_report *report)
{
    struct arena arena = { 0 };
    struct load l = { .src = src, .report = report, .arena = &arena, .dir = ".", .vici = true };
    unsigned errors = report->errors;
    pool_load(&l, section, cfg);
    enum adit_rc rc = result(&l, errors);
    arena_fini(&arena);
    return rc;
}

enum adit_rc config_conn_from_tree(const struct config_source *src, const struct config_node *section,
                                   struct adit_config *cfg, struct config_report *report)
{
    struct arena arena = { 0 };
    struct load l = { .src = src, .report = report, .arena = &arena, .dir = ".", .vici = true };
    struct adit_conn conn;
    unsigned errors = report->errors;
    connection_load(&l, section, &conn);
    enum adit_rc rc = result(&l, errors);
    if (rc == ADIT_OK)
        rc = adit_config_add_conn(cfg, &conn);
    arena_fini(&arena);
    return rc;
}
