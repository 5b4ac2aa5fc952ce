/* schema.c - the rows of every section (management.md s4.3 has the same in prose). Look-ups first, tables at the end.
 * Keys that belong to an extension are not here: the engine hands them in. */
#include "config/schema.h"

static const struct config_key keys[];
static const struct config_bad_value bad_values[];
static const struct config_section sections[];
static const size_t num_keys, num_bad_values, num_sections;

const struct config_key *schema_keys(size_t *n)
{
    *n = num_keys;
    return keys;
}

const struct config_key *schema_find(unsigned scope, const char *name)
{
    for (size_t i = 0; i < num_keys; i++) {
        if ((keys[i].scopes & scope) && !strcmp(keys[i].name, name))
            return &keys[i];
    }
    return NULL;
}

const struct config_bad_value *schema_bad_values(size_t *n)
{
    *n = num_bad_values;
    return bad_values;
}

const struct config_bad_value *schema_bad_value(unsigned scope, const char *key, const char *value)
{
    for (size_t i = 0; i < num_bad_values; i++) {
        const struct config_bad_value *b = &bad_values[i];
        if ((b->scopes & scope) && !strcmp(b->key, key) && !strcmp(b->value, value))
            return b;
    }
    return NULL;
}

const struct config_section *schema_sections(size_t *n)
{
    *n = num_sections;
    return sections;
}

const char *verdict_text(enum verdict v)
{
    static const char *const texts[] = {
        [V_HAVE] = "supported",
        [V_LATER] = "not supported by this version",
        [V_KERNEL] = "for a kernel data plane only",
        [V_REFUSED] = "refused",
        [V_IGNORED] = "ignored",
    };
    return texts[v];
}

#define CONN(m) .offset = offsetof(struct adit_conn, m)
#define CONNS(m) .offset = offsetof(struct adit_conn, m), .n_offset = offsetof(struct adit_conn, n_##m)
#define AUTH(m) .offset = offsetof(struct adit_auth_cfg, m)
#define AUTHS(m)                                                                                             \
    .offset = offsetof(struct adit_auth_cfg, m), .n_offset = offsetof(struct adit_auth_cfg, n_##m)
#define CHILD(m) .offset = offsetof(struct adit_child_cfg, m)
#define CHILDS(m)                                                                                            \
    .offset = offsetof(struct adit_child_cfg, m), .n_offset = offsetof(struct adit_child_cfg, n_##m)
#define DAEMON(m) .offset = offsetof(struct config_daemon, m)
#define DAEMONS(m)                                                                                           \
    .offset = offsetof(struct config_daemon, m), .n_offset = offsetof(struct config_daemon, n_##m)
#define BOTH_SIDES (SCOPE_LOCAL | SCOPE_REMOTE)

static const struct config_key keys[] = {
#define HAVE(scope, name_, type_, ...) { .scopes = scope, .name = name_, .type = type_, __VA_ARGS__ },
#define NOT(scope, name_, verdict_, neutral_, reason_, doc_)                                                 \
    { .scopes = scope,                                                                                       \
      .name = name_,                                                                                         \
      .verdict = verdict_,                                                                                   \
      .neutral = neutral_,                                                                                   \
      .reason = reason_,                                                                                     \
      .doc = doc_ },
#define NOT_BUT(scope, name_, verdict_, neutral_, warned_, reason_, doc_)                                    \
    { .scopes = scope,                                                                                       \
      .name = name_,                                                                                         \
      .verdict = verdict_,                                                                                   \
      .neutral = neutral_,                                                                                   \
      .warned = warned_,                                                                                     \
      .reason = reason_,                                                                                     \
      .doc = doc_ },
#include "config/keys.def"
#undef HAVE
#undef NOT
#undef NOT_BUT
};
static const size_t num_keys = ARRAY_LEN(keys);

static const struct config_bad_value bad_values[] = {
    { SCOPE_CONN, "version", "1", V_REFUSED, "Adit does not speak IKEv1" },
    { SCOPE_CHILD, "mode", "beet", V_LATER, "no BEET mode yet" },
    { SCOPE_CHILD, "mode", "transport_proxy", V_REFUSED, "a mode of Mobile IPv6 in the kernel" },
    { BOTH_SIDES, "auth", "eap", V_LATER, "no EAP yet" },
    { BOTH_SIDES, "auth", "xauth", V_REFUSED, "Adit does not speak IKEv1" },
};
static const size_t num_bad_values = ARRAY_LEN(bad_values);

static const struct config_section sections[] = {
    { 0, "connections", false, "one section a connection" },
    { 0, "secrets", false, "pre-shared keys and passphrases of private keys" },
    { 0, "authorities", false, "certificate authorities" },
    { 0, "pools", false, "virtual addresses to lease to peers" },
    { 0, "tunnels", false, "the short form: one section makes a connection and its child" },
    { SCOPE_CONN, "local", true, "a round of authentication of our side; several: local-1, local-2" },
    { SCOPE_CONN, "remote", true, "a round of authentication of the peer" },
    { SCOPE_CONN, "children", false, "one section a Child SA" },
    { SCOPE_LOCAL | SCOPE_REMOTE, "cert", true,
      "a certificate (to send; on the remote side: the one to expect)" },
    { SCOPE_REMOTE, "cacert", true, "a CA certificate that must be in the peer's chain" },
#define SECRET(name, type, doc) { SCOPE_SECRETS, name, true, doc },
#include "config/secrets.def"
#undef SECRET
    { SCOPE_SECRETS, "private", true, "passphrase of a private key in `private`" },
    { SCOPE_SECRETS, "rsa", true, "passphrase of a private key in `rsa`" },
    { SCOPE_SECRETS, "ecdsa", true, "passphrase of a private key in `ecdsa`" },
    { SCOPE_SECRETS, "pkcs8", true, "passphrase of a private key in `pkcs8`" },
    { SCOPE_DAEMON, "vici", false, "the control socket" },
};
static const size_t num_sections = ARRAY_LEN(sections);
