/* secrets.c - pre-shared keys of `secrets`, and the sections' names that are refused. Secrets are never part of a
 * message. Private keys and their passphrases: credentials.c. */
#include "config/load.h"
#include "config/text.h"

#define OWNERS_MAX 64

void load_check(struct load *l, enum adit_rc rc)
{
    l->no_memory |= rc == ADIT_ERR_MEMORY;
}

static bool is_id_key(const struct config_node *node)
{
    return node->kind != CONFIG_SECTION && has_prefix(node->name, "id") && node->value.p;
}

static void add_owner(struct load *l, const struct config_node *node, struct adit_shared *secret,
                      struct adit_id *owners)
{
    struct adit_why why;
    struct adit_id *id = &owners[secret->n_owners];
    if (secret->n_owners == OWNERS_MAX) {
        report_error(l->report, node, "more than %d identities", OWNERS_MAX);
        return;
    }
    enum adit_rc rc = id_parse((const char *)node->value.p, l->arena, l->src->dn, l->src->dn_arg, id, &why);
    load_check(l, rc);
    if (rc != ADIT_OK)
        report_error(l->report, node, "%s: %s", node->name, why.text);
    else
        secret->n_owners++;
}

/* Keys other than `secret` and id<s>. */
static void check_keys(struct load *l, const struct config_node *section)
{
    for (const struct config_node *node = section->first; node; node = node->next) {
        if (node->kind == CONFIG_SECTION)
            report_unknown(l, node, SCOPE_SHARED, "section");
        else if (node->value.p && strcmp(node->name, "secret") && !is_id_key(node))
            report_unknown(l, node, SCOPE_SHARED, "key");
    }
}

static void load_shared(struct load *l, const struct config_node *section, enum adit_shared_type type,
                        struct adit_config *cfg)
{
    struct adit_id *owners = load_new(l, OWNERS_MAX * sizeof(*owners));
    struct adit_shared secret = { .id = section->name, .type = type, .owners = owners };
    const struct config_node *value = config_tree_get(section, CONFIG_VALUE, "secret");
    check_keys(l, section);
    if (!value) {
        report_error(l->report, section, "'%s' has no secret", section->name);
        return;
    }
    for (const struct config_node *node = section->first; node && owners; node = node->next) {
        if (is_id_key(node))
            add_owner(l, node, &secret, owners);
    }
    if (!value_octets((const char *)value->value.p, l->arena, &secret.secret))
        report_error(l->report, value, "secret: broken hex (0x) or base64 (0s)");
    else if (secret.secret.n == 0)
        report_error(l->report, value, "the secret is empty");
    else
        load_check(l, adit_config_add_shared(cfg, &secret));
}

static const struct kind {
    const char *name;
    enum adit_shared_type type;
} kinds[] = {
#define SECRET(name, type, doc) { name, type },
#include "config/secrets.def"
#undef SECRET
};

static const struct kind *shared_kind(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (has_prefix(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

/* The row of kinds that are refused: "eap-alice" is of kind "eap". */
static const struct config_key *refused_kind(const char *name)
{
    size_t n;
    const struct config_key *keys = schema_keys(&n);
    for (size_t i = 0; i < n; i++) {
        if (keys[i].scopes == SCOPE_SECRETS && keys[i].verdict != V_HAVE && has_prefix(name, keys[i].name))
            return &keys[i];
    }
    return NULL;
}

static bool is_key_kind(const char *name)
{
    return has_prefix(name, "private") || has_prefix(name, "rsa") || has_prefix(name, "ecdsa") ||
           has_prefix(name, "pkcs8");
}

void secrets_load(struct load *l, const struct config_node *secrets, struct adit_config *cfg)
{
    for (const struct config_node *node = secrets ? secrets->first : NULL; node; node = node->next) {
        const struct config_key *no = refused_kind(node->name);
        const struct kind *shared = shared_kind(node->name);
        if (node->kind != CONFIG_SECTION) {
            if (node->kind == CONFIG_LIST || node->value.p)
                report_error(l->report, node, "'%s' stands in `secrets`, which holds sections only",
                             node->name);
        } else if (shared) {
            load_shared(l, node, shared->type, cfg);
        } else if (no) {
            report_error(l->report, node, "%s is %s: %s", no->name, verdict_text(no->verdict), no->reason);
        } else if (!is_key_kind(node->name)) {
            report_unknown(l, node, SCOPE_SECRETS, "section");
        }
    }
}
