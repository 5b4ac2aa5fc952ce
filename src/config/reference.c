/* reference.c - the options' reference as Markdown, from the rows that the loader reads. */
#include "config/load.h"
#include "config/text.h"

static const struct chapter {
    unsigned scope;
    int option_scope; /* -1: extensions have no options here */
    const char *title, *intro;
} chapters[];
static const size_t num_chapters;

static const char *type_name(const struct config_key *key)
{
    static const char *const names[] = {
        [F_BOOL] = "yes or no",
        [F_U16] = "number",
        [F_U32] = "number",
        [F_TIME] = "time",
        [F_TIME32] = "time",
        [F_SIZE] = "size",
        [F_COUNT] = "number",
        [F_REAL] = "number",
        [F_TFC] = "octets or mtu",
        [F_TEXT] = "text",
        [F_TEXTS] = "list",
        [F_ACTIONS] = "actions",
        [F_ADDRS] = "list of addresses",
        [F_TS] = "list of selectors",
        [F_IKE_PROPOSALS] = "list of proposals",
        [F_ESP_PROPOSALS] = "list of proposals",
        [F_AUTH] = "words",
        [F_ID] = "identity",
        [F_CERTS] = "list of files",
        [F_CACERTS] = "list of files",
    };
    const char *name = (size_t)key->type < ARRAY_LEN(names) ? names[key->type] : NULL;
    return name ? name : "text";
}

/* '|' would end the table's cell. */
static enum adit_rc add_cell(struct adit_buf *out, const char *text)
{
    for (const char *c = text ? text : ""; *c; c++)
        TRY(*c == '|' ? buf_append(out, SPAN_LIT("\\|")) : buf_append(out, span(c, 1)));
    return ADIT_OK;
}

static enum adit_rc add_row(struct adit_buf *out, const char *key, const char *type, const char *deflt,
                            const char *doc)
{
    TRY(text_addf(out, "| `%s` | ", key));
    TRY(add_cell(out, type));
    TRY(text_addf(out, " | "));
    TRY(add_cell(out, deflt));
    TRY(text_addf(out, " | "));
    TRY(add_cell(out, doc));
    return text_addf(out, " |\n");
}

static enum adit_rc add_supported(const struct chapter *c, struct adit_buf *out)
{
    size_t n;
    const struct config_key *keys = schema_keys(&n);
    TRY(text_addf(out, "| key | value | default | meaning |\n|---|---|---|---|\n"));
    for (size_t i = 0; i < n; i++) {
        if ((keys[i].scopes & c->scope) && keys[i].verdict == V_HAVE)
            TRY(add_row(out, keys[i].name, keys[i].words ? keys[i].words : type_name(&keys[i]), keys[i].deflt,
                        keys[i].doc));
    }
    return ADIT_OK;
}

static enum adit_rc add_options(const struct chapter *c, const struct config_option *options, size_t n,
                                struct adit_buf *out)
{
    static const char *const types[] = { "yes or no", "word", "number", "time", "text", "addresses",
                                          "list" };
    for (size_t i = 0; i < n; i++) {
        const struct config_option *o = &options[i];
        STRBUF(doc, 512);
        if ((int)o->scope != c->option_scope)
            continue;
        strbuf_addf(&doc, "%s (extension %s)", o->doc, o->owner);
        TRY(add_row(out, o->key, o->words ? o->words : types[o->type], o->deflt, doc.p));
    }
    return ADIT_OK;
}

static bool is_option(const struct chapter *c, const struct config_option *options, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if ((int)options[i].scope == c->option_scope && !strcmp(options[i].key, key))
            return true;
    }
    return false;
}

static enum adit_rc add_refused_row(const struct config_key *key, struct adit_buf *out)
{
    TRY(text_addf(out, "* `%s` (%s): %s", key->name, key->doc, verdict_text(key->verdict)));
    if (*key->reason)
        TRY(text_addf(out, ", %s", key->reason));
    if (key->neutral)
        TRY(text_addf(out, "; `%s` is accepted, since it changes nothing", key->neutral));
    return text_addf(out, "\n");
}

static enum adit_rc add_refused(const struct chapter *c, const struct config_option *options,
                                size_t n_options, struct adit_buf *out)
{
    size_t n, n_values;
    bool any = false;
    const struct config_key *keys = schema_keys(&n);
    const struct config_bad_value *values = schema_bad_values(&n_values);
    for (size_t i = 0; i < n; i++) {
        if (!(keys[i].scopes & c->scope) || keys[i].verdict == V_HAVE ||
            is_option(c, options, n_options, keys[i].name))
            continue;
        if (!any)
            TRY(text_addf(out, "\nNot accepted:\n\n"));
        any = true;
        TRY(add_refused_row(&keys[i], out));
    }
    for (size_t i = 0; i < n_values; i++) {
        if (values[i].scopes & c->scope)
            TRY(text_addf(out, "* `%s = %s`: %s, %s\n", values[i].key, values[i].value,
                          verdict_text(values[i].verdict), values[i].reason));
    }
    return ADIT_OK;
}

static enum adit_rc add_chapter(const struct chapter *c, const struct config_option *options, size_t n,
                                struct adit_buf *out)
{
    TRY(text_addf(out, "\n## %s\n\n%s\n\n", c->title, c->intro));
    TRY(add_supported(c, out));
    TRY(add_options(c, options, n, out));
    return add_refused(c, options, n, out);
}

enum adit_rc config_print_reference(const struct config_option *options, size_t n, struct adit_buf *out)
{
    TRY(text_addf(
        out,
        "# Options\n\n<!-- Generated from the configuration's schema: do not edit. -->\n\n"
        "Connections and credentials stand in `/etc/swanctl/swanctl.conf` (strongSwan's format), the daemon's "
        "settings in `/etc/adit/adit.conf`. Times are a number and one of s, m, h, d; sizes a number and one of "
        "k, m, g; lists are separated by commas. Unknown keys are errors. `adit check` reads the files without "
        "changing anything, `adit explain` shows what they mean.\n"));
    for (size_t i = 0; i < num_chapters; i++)
        TRY(add_chapter(&chapters[i], options, n, out));
    return ADIT_OK;
}

static const struct chapter chapters[] = {
    { SCOPE_TUNNEL, -1, "tunnels.NAME", "The short form: makes a connection and a child of this name." },
    { SCOPE_CONN, CONFIG_OPT_CONN, "connections.CONN", "One section a connection." },
    { SCOPE_LOCAL, -1, "connections.CONN.local",
      "A round of authentication of our side; several: `local-1`, `local-2`." },
    { SCOPE_REMOTE, -1, "connections.CONN.remote", "A round of authentication of the peer." },
    { SCOPE_CERT, -1, "connections.CONN.local.cert, remote.cert, remote.cacert", "Certificates one by one." },
    { SCOPE_CHILD, CONFIG_OPT_CHILD, "connections.CONN.children.CHILD", "One section a Child SA." },
    { SCOPE_SHARED, -1, "secrets.ike", "Pre-shared keys: `ike-1`, `ike-berlin` ..." },
    { SCOPE_KEYFILE, -1, "secrets.private, rsa, ecdsa, pkcs8",
      "Passphrases of private keys; keys without one need no section: every file of the directories `private`, `rsa`, "
      "`ecdsa` and `pkcs8` is loaded, and of `x509`, `x509ca` and `x509crl` too." },
    { SCOPE_SECRETS, -1, "other sections of secrets", "Further kinds of secrets." },
    { SCOPE_AUTHORITY, -1, "authorities.NAME", "CA certificates; those in `x509ca` need no section." },
    { SCOPE_POOL, -1, "pools.NAME",
      "Virtual addresses for the peers of connections that name the pool, and what these peers are told with them; values "
      "are lists. Attributes without a name here are written by their number (`25 = corp.example`): an address, a network, "
      "0x and hex, or a text." },
    { SCOPE_DAEMON, CONFIG_OPT_DAEMON, "adit", "In adit.conf." },
    { SCOPE_DAEMON_VICI, -1, "adit.vici", "In adit.conf." },
};
static const size_t num_chapters = ARRAY_LEN(chapters);
