/* diff.c - what a new snapshot changes, key by key of the schema. */
#include "config/load.h"

struct diff {
    config_change_fn *changed;
    void *arg;
};

/* The first key of a scope that differs, or NULL. */
static const char *keys_differ(unsigned scope, const void *a, const void *b)
{
    size_t n;
    const struct config_key *keys = schema_keys(&n);
    for (size_t i = 0; i < n; i++) {
        bool stored = keys[i].verdict == V_HAVE && keys[i].type != F_SPECIAL && keys[i].type != F_NONE;
        if ((keys[i].scopes & scope) && stored && !field_equal(&keys[i], a, b))
            return keys[i].name;
    }
    return NULL;
}

static const char *options_differ(const struct adit_option *a, uint16_t na, const struct adit_option *b,
                                  uint16_t nb)
{
    for (uint16_t i = 0; i < na; i++) {
        const char *other = adit_option_get(b, nb, a[i].key);
        if (!other || strcmp(other, a[i].value))
            return a[i].key;
    }
    for (uint16_t i = 0; i < nb; i++) {
        if (!adit_option_get(a, na, b[i].key))
            return b[i].key;
    }
    return NULL;
}

static const char *rounds_differ(unsigned scope, const struct adit_auth_cfg *a, uint16_t na,
                                 const struct adit_auth_cfg *b, uint16_t nb)
{
    if (na != nb)
        return scope == SCOPE_LOCAL ? "local" : "remote";
    for (uint16_t i = 0; i < na; i++) {
        const char *key = keys_differ(scope, &a[i], &b[i]);
        if (key)
            return key;
    }
    return NULL;
}

static const char *conns_differ(const struct adit_conn *a, const struct adit_conn *b)
{
    const char *key = keys_differ(SCOPE_CONN, a, b);
    if (!key)
        key = options_differ(a->options, a->n_options, b->options, b->n_options);
    if (!key)
        key = rounds_differ(SCOPE_LOCAL, a->local, a->n_local, b->local, b->n_local);
    return key ? key : rounds_differ(SCOPE_REMOTE, a->remote, a->n_remote, b->remote, b->n_remote);
}

static const char *children_differ(const struct adit_child_cfg *a, const struct adit_child_cfg *b)
{
    const char *key = keys_differ(SCOPE_CHILD, a, b);
    return key ? key : options_differ(a->options, a->n_options, b->options, b->n_options);
}

static void diff_children(struct diff *d, const struct adit_conn *before, const struct adit_conn *after)
{
    for (uint16_t i = 0; i < before->n_children; i++) {
        const struct adit_child_cfg *old = &before->children[i], *now = conn_child(after, old->name);
        struct config_change c = { CONFIG_CHILD_REMOVED, before, after, old, now, NULL };
        if (now) {
            c.kind = CONFIG_CHILD_CHANGED;
            c.key = children_differ(old, now);
        }
        if (!now || c.key)
            d->changed(d->arg, &c);
    }
    for (uint16_t i = 0; i < after->n_children; i++) {
        struct config_change c = { CONFIG_CHILD_ADDED, before, after, NULL, &after->children[i], NULL };
        if (!conn_child(before, after->children[i].name))
            d->changed(d->arg, &c);
    }
}

static void diff_conn(struct diff *d, const struct adit_conn *before, const struct adit_conn *after)
{
    struct config_change c = { CONFIG_CONN_REMOVED, before, after, NULL, NULL, NULL };
    if (after) {
        c.kind = CONFIG_CONN_CHANGED;
        c.key = conns_differ(before, after);
    }
    if (!after || c.key)
        d->changed(d->arg, &c);
    if (after)
        diff_children(d, before, after);
}

void config_diff(const struct adit_config *before, const struct adit_config *after, config_change_fn *changed,
                 void *arg)
{
    struct diff d = { changed, arg };
    const struct adit_conn *const *conns;
    size_t n = before ? adit_config_conns(before, &conns) : 0;
    for (size_t i = 0; i < n; i++)
        diff_conn(&d, conns[i], after ? adit_config_conn(after, conns[i]->name) : NULL);
    n = after ? adit_config_conns(after, &conns) : 0;
    for (size_t i = 0; i < n; i++) {
        struct config_change c = { CONFIG_CONN_ADDED, NULL, conns[i], NULL, NULL, NULL };
        if (!before || !adit_config_conn(before, conns[i]->name))
            changed(arg, &c);
    }
}
