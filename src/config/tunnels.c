/* tunnels.c - the short form (management.md s5): each section of `tunnels` becomes a connection with one child of the same
 * name, and a pre-shared key if it has one. Works on the tree, so that everything after it is common. */
#include "config/load.h"
#include "config/text.h"

struct tunnel {
    struct load *l;
    struct config_node *root;
    const struct config_node *section;
    const char *name;
};

static struct config_node *add(struct tunnel *t, struct config_node *parent, enum config_kind kind,
                               const char *name, const char *text, const struct config_node *at)
{
    struct config_node *node = config_tree_add(t->l->arena, parent, kind, name, span_str(text));
    t->l->no_memory |= !node;
    if (node) {
        node->file = at->file;
        node->line = at->line;
        node->column = at->column;
    }
    return node;
}

static struct config_node *add_section(struct tunnel *t, struct config_node *parent, const char *name)
{
    return add(t, parent, CONFIG_SECTION, name, NULL, t->section);
}

static struct config_node *top_section(struct tunnel *t, const char *name)
{
    for (struct config_node *node = t->root->first; node; node = node->next) {
        if (node->kind == CONFIG_SECTION && !strcmp(node->name, name))
            return node;
    }
    return add_section(t, t->root, name);
}

static const struct config_node *get(const struct tunnel *t, const char *key)
{
    return config_tree_get(t->section, CONFIG_VALUE, key);
}

static void copy(struct tunnel *t, struct config_node *to, const char *name, const char *from)
{
    const struct config_node *value = get(t, from);
    if (value)
        add(t, to, CONFIG_VALUE, name, (const char *)value->value.p, value);
}

/* --- psk ---------------------------------------------------------------------------------------------------------------- */

/* The trimmed first line of a file, as text: 0x and 0s mean the same as in the main file. */
static const char *psk_of_file(struct tunnel *t, const struct config_node *psk, const char *name)
{
    struct adit_span data;
    if (!load_file(t->l, psk, NULL, name, &data))
        return NULL;
    while (data.n && strchr(" \t\r\n", data.p[data.n - 1]))
        data.n--;
    char *text = load_new(t->l, data.n + 1);
    if (text)
        span_copy((uint8_t *)text, data);
    if (text && strlen(text) != data.n) {
        report_error(t->l->report, psk, "psk: %s holds a NUL octet; write the key as 0x.. or 0s..", name);
        return NULL;
    }
    return text;
}

static void add_psk(struct tunnel *t, const struct config_node *psk, const struct config_node *peer)
{
    STRBUF(name, 160);
    const char *text = (const char *)psk->value.p;
    if (has_prefix(text, "file:"))
        text = psk_of_file(t, psk, text + 5);
    if (!text)
        return;
    strbuf_addf(&name, "ike-%s", t->name);
    struct config_node *secret = add_section(t, top_section(t, "secrets"), name.p);
    add(t, secret, CONFIG_VALUE, "secret", text, psk);
    if (peer && strcmp((const char *)peer->value.p, "%any"))
        add(t, secret, CONFIG_VALUE, "id-peer", (const char *)peer->value.p, peer);
}

/* --- nets --------------------------------------------------------------------------------------------------------------- */

/* Both sides of "==". */
static void add_nets(struct tunnel *t, struct config_node *child)
{
    const struct config_node *nets = get(t, "nets");
    const char *text = nets ? (const char *)nets->value.p : NULL, *sep = text ? strstr(text, "==") : NULL;
    if (!nets)
        return;
    if (!sep || strstr(sep + 2, "==")) {
        report_error(t->l->report, nets, "nets: our networks == the peer's networks is expected");
        return;
    }
    char *ours = arena_str(t->l->arena, text);
    t->l->no_memory |= !ours;
    if (!ours)
        return;
    ours[sep - text] = 0;
    add(t, child, CONFIG_VALUE, "local_ts", ours, nets);
    add(t, child, CONFIG_VALUE, "remote_ts", sep + 2, nets);
}

static void add_start(struct tunnel *t, struct config_node *child)
{
    static const char *const actions[] = { "none", "trap", "trap|start" };
    const struct config_node *start = get(t, "start");
    int i = start ? word_index("no|on-demand|yes", start->value) : -1;
    if (i >= 0)
        add(t, child, CONFIG_VALUE, "start_action", actions[i], start);
    if (i > 0) /* it is meant to stay up */
        add(t, child, CONFIG_VALUE, "dpd_action", i == 1 ? "trap" : "restart", start);
}

/* A dead peer is noticed without any key for it. */
static void add_dpd(struct tunnel *t, struct config_node *conn)
{
    const struct config_node *start = get(t, "start");
    if (start && word_index("on-demand|yes", start->value) >= 0)
        add(t, conn, CONFIG_VALUE, "dpd_delay", "30s", start);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------ */

static void check(struct tunnel *t)
{
    static const char *const pairs[][2] = { { "psk", "cert" }, { "psk", "ca" } };
    const struct config_node *psk = get(t, "psk");
    if (!get(t, "peer"))
        report_error(t->l->report, t->section,
                     "tunnel '%s': peer is missing (an address or a name; %%any: anybody)", t->name);
    if (!psk && !get(t, "cert"))
        report_error(t->l->report, t->section, "tunnel '%s': cert (and ca) or psk is missing", t->name);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (psk && get(t, pairs[i][1]))
            report_error(t->l->report, psk, "tunnel '%s' has both psk and %s", t->name, pairs[i][1]);
    }
    for (const struct config_node *node = t->section->first; node; node = node->next) {
        if (node->kind == CONFIG_LIST)
            report_error(t->l->report, node, "%s is one value, not a list", node->name);
    }
}

static void expand(struct tunnel *t)
{
    const struct config_node *psk = get(t, "psk"), *peer = get(t, "peer");
    struct config_node *connections = top_section(t, "connections");
    if (config_tree_get(connections, CONFIG_SECTION, t->name)) {
        report_error(t->l->report, t->section, "there is a connection '%s' already", t->name);
        return;
    }
    section_load(t->l, t->section, SCOPE_TUNNEL, t, NULL, NULL);
    check(t);
    struct config_node *conn = add_section(t, connections, t->name);
    copy(t, conn, "remote_addrs", "peer");
    add_dpd(t, conn);
    struct config_node *local = add_section(t, conn, "local"), *remote = add_section(t, conn, "remote");
    add(t, local, CONFIG_VALUE, "auth", psk ? "psk" : "pubkey", psk ? psk : t->section);
    copy(t, local, "id", "me");
    copy(t, local, "certs", "cert");
    add(t, remote, CONFIG_VALUE, "auth", psk ? "psk" : "pubkey", psk ? psk : t->section);
    copy(t, remote, "id", "peer");
    copy(t, remote, "cacerts", "ca");
    struct config_node *child = add_section(t, add_section(t, conn, "children"), t->name);
    add_nets(t, child);
    add_start(t, child);
    if (psk)
        add_psk(t, psk, peer);
}

void tunnels_expand(struct load *l, struct config_node *root)
{
    const struct config_node *tunnels = config_tree_get(root, CONFIG_SECTION, "tunnels");
    for (const struct config_node *node = tunnels ? tunnels->first : NULL; node && !l->no_memory;
         node = node->next) {
        struct tunnel t = { l, root, node, node->name };
        if (node->kind == CONFIG_SECTION)
            expand(&t);
        else if (node->kind == CONFIG_LIST || node->value.p)
            report_error(l->report, node, "'%s' stands in `tunnels`, which holds sections only", node->name);
    }
}
