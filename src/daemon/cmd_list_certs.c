/* cmd_list_certs.c - list-certs: the certificates and CRLs of the configuration in force. */
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "crypto/crypto.h"
#include "daemon/cmd.h"
#include "model/model.h"
#include "pki/pki.h"

#define CERTS_MAX 4096

struct listing {
    struct daemon *d;
    const char *type, *flag, *subject;
    const struct adit_config *cfg; /* holds what the spans below borrow */
    struct adit_span *v;
    size_t n, at;
};

static bool wanted(const char *filter, const char *value)
{
    return !filter || !strcasecmp(filter, "ANY") || !strcasecmp(filter, value);
}

static void add(struct listing *l, struct adit_span data)
{
    for (size_t i = 0; i < l->n; i++)
        if (span_equal(l->v[i], data))
            return;
    if (l->n < CERTS_MAX)
        l->v[l->n++] = data;
}

static void add_rounds(struct listing *l, const struct adit_auth_cfg *a, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < a[i].n_certs; k++)
            add(l, a[i].certs[k]);
        for (unsigned k = 0; k < a[i].n_cacerts; k++)
            add(l, a[i].cacerts[k]);
    }
}

static void collect(struct listing *l)
{
    const struct adit_cert *const *certs;
    const struct adit_conn *const *conns;
    size_t n = adit_config_certs(l->cfg, &certs);
    for (size_t i = 0; i < n; i++)
        add(l, certs[i]->data);
    n = adit_config_conns(l->cfg, &conns);
    for (size_t i = 0; i < n; i++) {
        add_rounds(l, conns[i]->local, conns[i]->n_local);
        add_rounds(l, conns[i]->remote, conns[i]->n_remote);
    }
}

static bool has_private_key(const struct listing *l, const struct pki_cert *cert)
{
    const struct adit_key *const *keys;
    size_t n = adit_config_keys(l->cfg, &keys);
    bool found = false;
    for (size_t i = 0; i < n && !found; i++) {
        struct crypto_key *key;
        if (key_parse_private(l->d->crypto, keys[i]->data, keys[i]->pass, &key, NULL) != ADIT_OK)
            continue;
        found = key_same_public(key, pki_cert_key(cert));
        key_free(key);
    }
    return found;
}

static bool subject_fits(const struct listing *l, const struct pki_cert *cert)
{
    STRBUF(subject, 512);
    pki_cert_subject(cert, &subject);
    return !l->subject || !strcmp(l->subject, subject.p);
}

static void emit_cert(const struct listing *l, struct vici_call *call, const struct pki_cert *cert)
{
    const char *flag = pki_cert_is_ca(cert) ? "CA" : "NONE";
    struct reply r;
    if (!wanted(l->type, "X509") || !wanted(l->flag, flag) || !subject_fits(l, cert))
        return;
    reply_begin(&r);
    vici_str(&r.b, "type", "X509");
    vici_str(&r.b, "flag", flag);
    if (has_private_key(l, cert))
        vici_str(&r.b, "has_privkey", "yes");
    vici_value(&r.b, "data", pki_cert_der(cert));
    reply_event(&r, call, "list-cert");
}

/* A CRL; DER is a SEQUENCE, everything else would need decoding that clients do themselves for files. */
static void emit_crl(const struct listing *l, struct vici_call *call, struct adit_span data)
{
    struct reply r;
    if (!wanted(l->type, "X509_CRL") || l->subject || !data.n || data.p[0] != 0x30)
        return;
    reply_begin(&r);
    vici_str(&r.b, "type", "X509_CRL");
    vici_value(&r.b, "data", data);
    reply_event(&r, call, "list-cert");
}

static bool next(void *state, struct vici_call *call)
{
    struct listing *l = state;
    struct pki_cert *cert;
    if (l->at >= l->n) {
        vici_call_answer(call, SPAN_NONE);
        return false;
    }
    struct adit_span data = l->v[l->at++];
    if (pki_cert_parse(l->d->crypto, data, &cert, NULL) != ADIT_OK) {
        emit_crl(l, call, data);
        return true;
    }
    emit_cert(l, call, cert);
    pki_cert_free(cert);
    return true;
}

static void listing_free(void *state)
{
    struct listing *l = state;
    adit_config_unref((struct adit_config *)(uintptr_t)l->cfg);
    mem_del(l->v);
    mem_del(l);
}

void cmd_list_certs(void *arg, struct vici_call *call)
{
    struct daemon *d = arg;
    const struct adit_config *cfg = adit_ike_get_config(d->ike);
    struct listing *l = mem_new(sizeof(*l));
    struct adit_span *v = mem_new_array(CERTS_MAX, sizeof(*v));
    if (!l || !v || !cfg) {
        mem_del(l);
        mem_del(v);
        vici_call_answer(call, SPAN_NONE);
        return;
    }
    *l = (struct listing){ .d = d,
                           .type = cmd_text(call, "type"),
                           .flag = cmd_text(call, "flag"),
                           .subject = cmd_text(call, "subject"),
                           .v = v,
                           .cfg = adit_config_ref((struct adit_config *)(uintptr_t)cfg) };
    collect(l);
    vici_call_stream(call, next, l, listing_free);
}
