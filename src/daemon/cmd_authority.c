/* cmd_authority.c - load-authority, unload-authority, get-authorities, list-authorities: CA certificates with a name.
 * Nothing is fetched: URIs are refused. */
#include <string.h>
#include "base/why.h"
#include "daemon/cmd.h"
#include "model/model.h"
#include "pki/pki.h"

/* The one section of the message. */
static const struct vici_node *authority(const struct vici_call *call)
{
    const struct vici_node *n = vici_call_args(call)->first;
    return n && n->kind == VICI_SECTION && !n->next ? n : NULL;
}

static enum adit_rc check_keys(const struct vici_node *section, struct adit_why *why)
{
    vici_for_each(it, section)
    {
        if (!strcmp(it->name, "cacert") || !strcmp(it->name, "file"))
            continue;
        if (!strcmp(it->name, "crl_uris") || !strcmp(it->name, "ocsp_uris") ||
            !strcmp(it->name, "cert_uri_base"))
            return why_set(why, ADIT_ERR_CONFIG,
                           "authority %s: %s: this version fetches nothing; load CRLs as files",
                           section->name, it->name);
        return why_set(why, ADIT_ERR_CONFIG, "authority %s: unknown option '%s'", section->name, it->name);
    }
    return ADIT_OK;
}

static enum adit_rc read_cert(const struct vici_node *section, struct adit_buf *file, struct adit_span *out,
                              struct adit_why *why)
{
    const struct vici_node *cacert = vici_child(section, "cacert");
    const char *path = vici_text(section, "file");
    if (cacert && cacert->kind == VICI_VALUE) {
        *out = cacert->value;
        return ADIT_OK;
    }
    if (!path)
        return why_set(why, ADIT_ERR_CONFIG, "authority %s has no cacert", section->name);
    TRY(config_posix_io.read(config_posix_io.arg, path, file, why));
    *out = buf_span(file);
    return ADIT_OK;
}

static enum adit_rc check_ca(const struct daemon *d, const char *name, struct adit_span data,
                             struct adit_why *why)
{
    struct pki_cert *cert;
    TRY(pki_cert_parse(d->crypto, data, &cert, why));
    bool is_ca = pki_cert_is_ca(cert);
    pki_cert_free(cert);
    return is_ca ? ADIT_OK
                 : why_set(why, ADIT_ERR_CONFIG, "authority %s: its certificate has no CA basic constraint",
                           name);
}

static enum adit_rc apply(struct daemon *d, const char *name, struct adit_config *holder,
                          struct adit_why *why)
{
    struct sources next;
    TRY(sources_copy(&next, &d->sources));
    enum adit_rc rc = ADIT_OK;
    if (holder)
        rc = sources_put(&next, SOURCE_AUTHORITY, name, holder);
    else if (!sources_del(&next, SOURCE_AUTHORITY, name))
        rc = why_set(why, ADIT_ERR_NOT_FOUND, "no authority '%s' was loaded by VICI", name);
    if (rc == ADIT_OK)
        rc = load_apply(d, &next, why);
    sources_fini(&next);
    return rc;
}

static enum adit_rc load(struct daemon *d, const struct vici_node *section, struct adit_buf *file,
                         struct adit_why *why)
{
    struct adit_cert cert = { .use = ADIT_CERT_CA, .source = "vici" };
    TRY(check_keys(section, why));
    TRY(read_cert(section, file, &cert.data, why));
    TRY(check_ca(d, section->name, cert.data, why));
    struct adit_config *holder = adit_config_new();
    enum adit_rc rc = holder ? adit_config_add_cert(holder, &cert) : ADIT_ERR_MEMORY;
    if (rc == ADIT_OK)
        rc = apply(d, section->name, holder, why);
    adit_config_unref(holder);
    return rc;
}

void cmd_load_authority(void *arg, struct vici_call *call)
{
    struct adit_why why = { .text = "out of memory" };
    struct adit_buf file = { 0 };
    const struct vici_node *section = authority(call);
    if (!section)
        vici_call_fail(call, "load-authority wants one section");
    else if (load(arg, section, &file, &why) != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else
        vici_call_ok(call);
    buf_fini(&file);
}

void cmd_unload_authority(void *arg, struct vici_call *call)
{
    struct adit_why why = { .text = "out of memory" };
    const char *name = cmd_text(call, "name");
    if (!name)
        vici_call_fail(call, "unload-authority needs name");
    else if (apply(arg, name, NULL, &why) != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else
        vici_call_ok(call);
}

void cmd_get_authorities(void *arg, struct vici_call *call)
{
    const struct daemon *d = arg;
    struct reply r;
    reply_begin(&r);
    vici_list(&r.b, "authorities");
    for (size_t i = 0; i < d->sources.n; i++)
        if (d->sources.v[i].kind == SOURCE_AUTHORITY)
            vici_item_str(&r.b, d->sources.v[i].id);
    vici_list_end(&r.b);
    reply_answer(&r, call);
}

static void emit(struct daemon *d, struct vici_call *call, const struct source_item *it)
{
    const struct adit_cert *const *certs;
    struct pki_cert *cert;
    struct reply r;
    STRBUF(subject, 512);
    if (adit_config_certs(it->holder, &certs) != 1 ||
        pki_cert_parse(d->crypto, certs[0]->data, &cert, NULL) != ADIT_OK)
        return;
    pki_cert_subject(cert, &subject);
    pki_cert_free(cert);
    reply_begin(&r);
    vici_section(&r.b, it->id);
    vici_str(&r.b, "cacert", subject.p);
    vici_section_end(&r.b);
    reply_event(&r, call, "list-authority");
}

void cmd_list_authorities(void *arg, struct vici_call *call)
{
    struct daemon *d = arg;
    const char *name = cmd_text(call, "name");
    for (size_t i = 0; i < d->sources.n; i++) {
        const struct source_item *it = &d->sources.v[i];
        if (it->kind == SOURCE_AUTHORITY && (!name || !strcmp(name, it->id)))
            emit(d, call, it);
    }
    vici_call_answer(call, SPAN_NONE);
}
