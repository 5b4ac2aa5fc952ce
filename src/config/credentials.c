/* credentials.c - certificates, CRLs and private keys: what lies in the directories beside the main file, the passphrases
 * of `secrets`, and `authorities`. Only raw octets are carried: what they are, pki finds out. */
#include "config/load.h"
#include "config/settings.h"
#include "config/text.h"

/* A directory under way. */
struct dir {
    struct load *l;
    struct adit_config *cfg;
    const struct config_node *secrets;
    const struct place *at;
    const struct dir_kind *kind;
};
static const struct dir_kind {
    const char *name;
    enum adit_cert_use use;
    bool keys, ignored;
} kinds[];
static const size_t num_kinds;

static struct place file_place(const char *path)
{
    return (struct place){ .file = path };
}

/* Reads a whole file into the arena. Private keys pass through here: the buffer is wiped. */
static bool read_octets(struct load *l, struct place at, const char *path, struct adit_span *out)
{
    struct adit_buf text = { 0 };
    struct adit_why why = { 0 };
    bool good = l->src->io->read(l->src->io->arg, path, &text, &why) == ADIT_OK;
    uint8_t *p = good ? load_new(l, text.n + 1) : NULL;
    if (!good)
        report_at(l->report, false, at, "%s", why.text);
    else if (text.n == 0)
        report_at(l->report, false, at, "%s is empty", path);
    if (p)
        span_copy(p, buf_span(&text));
    *out = span(p, p ? text.n : 0);
    good = p && text.n;
    buf_wipe(&text);
    return good;
}

bool load_file(struct load *l, const struct config_node *at, const char *subdir, const char *name,
               struct adit_span *out)
{
    const char *dir = subdir ? path_join(l->arena, l->dir, subdir) : l->dir;
    const char *path = dir ? path_join(l->arena, dir, name) : NULL;
    l->no_memory |= !path;
    return path && read_octets(l, place_of(at), path, out);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The section of `secrets` that has this key file's passphrase: of the directory's kind, with its name or path. */
static const struct config_node *passphrase_of(const struct dir *d, const char *path)
{
    for (const struct config_node *node = d->secrets ? d->secrets->first : NULL; node; node = node->next) {
        const struct config_node *file = config_tree_get(node, CONFIG_VALUE, "file");
        if (node->kind != CONFIG_SECTION || !has_prefix(node->name, d->kind->name) || !file)
            continue;
        const char *name = (const char *)file->value.p;
        if (!strcmp(name, path) || !strcmp(name, base_name(path)))
            return config_tree_get(node, CONFIG_VALUE, "secret");
    }
    return NULL;
}

static bool passphrase(struct load *l, const struct config_node *secret, struct adit_span *out)
{
    *out = SPAN_NONE;
    if (!secret)
        return true;
    if (value_octets((const char *)secret->value.p, l->arena, out))
        return true;
    report_error(l->report, secret, "secret: broken hex (0x) or base64 (0s)");
    return false;
}

static void load_one(void *arg, const char *path)
{
    struct dir *d = arg;
    struct adit_span data, pass;
    if (d->kind->ignored) {
        report_at(d->l->report, true, file_place(path), "directory %s is %s: the file is ignored",
                  d->kind->name, verdict_text(V_LATER));
        return;
    }
    if (!read_octets(d->l, file_place(path), path, &data))
        return;
    if (!d->kind->keys) {
        struct adit_cert cert = { d->kind->use, data, path };
        load_check(d->l, adit_config_add_cert(d->cfg, &cert));
    } else if (passphrase(d->l, passphrase_of(d, path), &pass)) {
        struct adit_key key = { .data = data, .pass = pass, .source = path };
        load_check(d->l, adit_config_add_key(d->cfg, &key));
    }
}

static void load_dir(struct load *l, const struct dir_kind *kind, const struct config_node *secrets,
                     struct adit_config *cfg)
{
    struct dir d = { .l = l, .cfg = cfg, .secrets = secrets, .kind = kind };
    struct adit_why why = { 0 };
    const char *path = path_join(l->arena, l->dir, kind->name);
    l->no_memory |= !path;
    if (path && l->src->io->list(l->src->io->arg, path, load_one, &d, &why) != ADIT_OK)
        report_at(l->report, false, file_place(path), "%s", why.text);
}

/* The key lives on a token, in a TPM, with another process: the library finds it when the snapshot is made. */
static void load_key_uri(struct load *l, const struct config_node *section, const char *uri, struct adit_config *cfg)
{
    struct adit_key key = { .uri = uri, .source = uri };
    if (passphrase(l, config_tree_get(section, CONFIG_VALUE, "secret"), &key.pass))
        load_check(l, adit_config_add_key(cfg, &key));
}

/* A section with a passphrase wants its file: in the directory of its kind (then it's loaded with that) or elsewhere. */
static void load_keyfile(struct load *l, const struct config_node *section, const char *kind,
                         struct adit_config *cfg)
{
    const struct config_node *file = config_tree_get(section, CONFIG_VALUE, "file");
    const struct config_node *uri = config_tree_get(section, CONFIG_VALUE, "uri");
    struct adit_key key = { 0 };
    section_load(l, section, SCOPE_KEYFILE, NULL, NULL, NULL);
    if (!file == !uri) {
        report_error(l->report, section, uri ? "'%s' names a file and a uri" : "'%s' names no file", section->name);
        return;
    }
    if (uri) {
        load_key_uri(l, section, (const char *)uri->value.p, cfg);
        return;
    }
    if (!load_file(l, file, kind, (const char *)file->value.p, &key.data) ||
        !passphrase(l, config_tree_get(section, CONFIG_VALUE, "secret"), &key.pass))
        return;
    key.source = (const char *)file->value.p;
    if (strchr(key.source, '/'))
        load_check(l, adit_config_add_key(cfg, &key)); /* outside the directory */
}

void credentials_load(struct load *l, const struct config_node *secrets, struct adit_config *cfg)
{
    for (size_t i = 0; i < num_kinds; i++) {
        load_dir(l, &kinds[i], secrets, cfg);
        for (const struct config_node *node = secrets ? secrets->first : NULL; node && kinds[i].keys;
             node = node->next) {
            if (node->kind == CONFIG_SECTION && has_prefix(node->name, kinds[i].name))
                load_keyfile(l, node, kinds[i].name, cfg);
        }
    }
}

static void load_authority(struct load *l, const struct config_node *section, struct adit_config *cfg)
{
    const struct config_node *cacert = config_tree_get(section, CONFIG_VALUE, "cacert");
    const struct config_node *file = config_tree_get(section, CONFIG_VALUE, "file");
    struct adit_cert cert = { .use = ADIT_CERT_CA };
    section_load(l, section, SCOPE_AUTHORITY, NULL, NULL, NULL);
    if (!cacert == !file) {
        report_error(l->report, section, "authority '%s' wants one of cacert and file", section->name);
        return;
    }
    const struct config_node *node = cacert ? cacert : file;
    cert.source = (const char *)node->value.p;
    if (load_file(l, node, cacert ? "x509ca" : NULL, cert.source, &cert.data))
        load_check(l, adit_config_add_cert(cfg, &cert));
}

void authorities_load(struct load *l, const struct config_node *authorities, struct adit_config *cfg)
{
    for (const struct config_node *node = authorities ? authorities->first : NULL; node; node = node->next) {
        if (node->kind == CONFIG_SECTION)
            load_authority(l, node, cfg);
        else if (node->kind == CONFIG_LIST || node->value.p)
            report_error(l->report, node, "'%s' stands in `authorities`, which holds sections only",
                         node->name);
    }
}

static const struct dir_kind kinds[] = {
    { .name = "x509", .use = ADIT_CERT_END_ENTITY },
    { .name = "x509ca", .use = ADIT_CERT_CA },
    { .name = "x509crl", .use = ADIT_CERT_CRL },
    { .name = "private", .keys = true },
    { .name = "rsa", .keys = true },
    { .name = "ecdsa", .keys = true },
    { .name = "pkcs8", .keys = true },
    { .name = "x509ocsp", .ignored = true },
    { .name = "x509aa", .ignored = true },
    { .name = "x509ac", .ignored = true },
    { .name = "pubkey", .ignored = true },
    { .name = "pkcs12", .ignored = true },
};
static const size_t num_kinds = ARRAY_LEN(kinds);
