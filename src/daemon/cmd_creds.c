/* cmd_creds.c - certificates, keys and shared secrets by VICI. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/why.h"
#include "crypto/crypto.h"
#include "daemon/cmd.h"
#include "model/model.h"
#include "pki/pki.h"

/* Puts one item, built into `holder`, and applies; the call is answered unless everything is fine. */
static bool put_item(struct daemon *d, struct vici_call *call, enum source_kind kind, const char *id,
                     struct adit_config *holder)
{
    struct adit_why why = { .text = "out of memory" };
    struct sources next;
    enum adit_rc rc = sources_copy(&next, &d->sources);
    if (rc == ADIT_OK)
        rc = sources_put(&next, kind, id, holder);
    if (rc == ADIT_OK)
        rc = load_apply(d, &next, &why);
    sources_fini(&next);
    if (rc != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    return rc == ADIT_OK;
}

/* Applies a copy without these items; the call is answered unless everything is fine. */
static bool drop_items(struct daemon *d, struct vici_call *call, const enum source_kind *kinds, size_t n,
                       const char *id)
{
    struct adit_why why = { .text = "out of memory" };
    struct sources next;
    enum adit_rc rc = sources_copy(&next, &d->sources);
    for (size_t i = 0; rc == ADIT_OK && i < n; i++) {
        if (id)
            sources_del(&next, kinds[i], id);
        else
            sources_clear(&next, kinds[i]);
    }
    if (rc == ADIT_OK)
        rc = load_apply(d, &next, &why);
    sources_fini(&next);
    if (rc != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    return rc == ADIT_OK;
}

static struct adit_span data_of(const struct vici_call *call)
{
    const struct vici_node *n = vici_child(vici_call_args(call), "data");
    return n && n->kind == VICI_VALUE ? n->value : SPAN_NONE;
}

static bool is_word(const char *s, const char *a, const char *b)
{
    return s && (!strcasecmp(s, a) || (b && !strcasecmp(s, b)));
}

/* --- certificates ---------------------------------------------------------------------------------------------------------- */

/* A certificate with the CA constraint is always a CA; flag=CA without it is refused. */
static enum adit_rc classify(const struct daemon *d, const char *type, const char *flag,
                             struct adit_span data, struct adit_cert *out, struct adit_why *why)
{
    struct pki_cert *cert;
    bool wants_ca = is_word(flag, "CA", NULL) || is_word(type, "x509ca", NULL);
    *out = (struct adit_cert){ .data = data, .source = "vici" };
    if (is_word(type, "X509_CRL", "x509crl")) {
        out->use = ADIT_CERT_CRL;
        return ADIT_OK;
    }
    if (!is_word(type, "X509", "x509ca"))
        return why_set(why, ADIT_ERR_CONFIG, "certificates of type '%s' are not supported by this version",
                       type ? type : "(none)");
    TRY(pki_cert_parse(d->crypto, data, &cert, why));
    bool is_ca = pki_cert_is_ca(cert);
    pki_cert_free(cert);
    if (wants_ca && !is_ca)
        return why_set(why, ADIT_ERR_CONFIG, "flag=CA, but the certificate has no CA basic constraint");
    out->use = is_ca ? ADIT_CERT_CA : ADIT_CERT_END_ENTITY;
    return ADIT_OK;
}

void cmd_load_cert(void *arg, struct vici_call *call)
{
    struct adit_why why = { 0 };
    struct adit_cert cert;
    struct adit_config *holder = adit_config_new();
    enum adit_rc rc = classify(arg, cmd_text(call, "type"), cmd_text(call, "flag"), data_of(call), &cert,
                               &why);
    if (rc == ADIT_OK)
        rc = holder ? adit_config_add_cert(holder, &cert) : why_set(&why, ADIT_ERR_MEMORY, "out of memory");
    if (rc != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else if (put_item(arg, call, SOURCE_CERT, "", holder))
        vici_call_ok(call);
    adit_config_unref(holder);
}

void cmd_flush_certs(void *arg, struct vici_call *call)
{
    vici_call_ok(call); /* nothing is cached */
}

/* --- keys ---------------------------------------------------------------------------------------------------------------------- */

static void print_id(const uint8_t sha1[20], char out[41])
{
    for (int i = 0; i < 20; i++)
        snprintf(out + 2 * i, 3, "%02x", sha1[i]);
}

static void answer_id(struct vici_call *call, const char *id)
{
    struct reply r;
    reply_begin(&r);
    vici_str(&r.b, "success", "yes");
    vici_str(&r.b, "id", id);
    reply_answer(&r, call);
}

void cmd_load_key(void *arg, struct vici_call *call)
{
    struct daemon *d = arg;
    struct adit_why why = { 0 };
    struct crypto_key *key;
    uint8_t sha1[20];
    char id[41] = "";
    struct adit_key item = { .data = data_of(call), .source = "vici" };
    if (key_parse_private(d->crypto, item.data, SPAN_NONE, &key, &why) != ADIT_OK) {
        vici_call_fail(call, "private key: %s", why.text);
        return;
    }
    if (key_id_sha1(key, sha1))
        print_id(sha1, id);
    key_free(key);
    struct adit_config *holder = adit_config_new();
    if (!holder || adit_config_add_key(holder, &item) != ADIT_OK)
        vici_call_fail(call, "out of memory");
    else if (put_item(d, call, SOURCE_KEY, id, holder))
        answer_id(call, id);
    adit_config_unref(holder);
}

void cmd_load_token(void *arg, struct vici_call *call)
{
    vici_call_fail(call, "keys on tokens are not supported by this version");
}

static void list_ids(struct daemon *d, struct vici_call *call, enum source_kind kind)
{
    struct reply r;
    reply_begin(&r);
    vici_list(&r.b, "keys");
    for (size_t i = 0; i < d->sources.n; i++)
        if (d->sources.v[i].kind == kind && *d->sources.v[i].id)
            vici_item_str(&r.b, d->sources.v[i].id);
    vici_list_end(&r.b);
    reply_answer(&r, call);
}

void cmd_get_keys(void *arg, struct vici_call *call)
{
    list_ids(arg, call, SOURCE_KEY);
}

static void unload_id(struct daemon *d, struct vici_call *call, enum source_kind kind, bool must_exist)
{
    const char *id = cmd_text(call, "id");
    if (!id)
        vici_call_fail(call, "%s needs id", vici_call_name(call));
    else if (must_exist && !sources_find(&d->sources, kind, id))
        vici_call_fail(call, "no key '%s' was loaded by VICI", id);
    else if (drop_items(d, call, &kind, 1, id))
        vici_call_ok(call);
}

void cmd_unload_key(void *arg, struct vici_call *call)
{
    unload_id(arg, call, SOURCE_KEY, true);
}

/* --- shared secrets ---------------------------------------------------------------------------------------------------------------- */

static enum adit_rc shared_type(const char *type, enum adit_shared_type *out, struct adit_why *why)
{
    bool known = true;
    if (is_word(type, "IKE", NULL))
        *out = ADIT_SHARED_IKE;
    else if (is_word(type, "PPK", NULL)) /* RFC 8784 */
        *out = ADIT_SHARED_PPK;
    else
        known = false;
    if (known)
        return ADIT_OK;
    return why_set(why, ADIT_ERR_CONFIG, "shared secrets of type '%s' are not supported by this version",
                   type ? type : "(none)");
}

#define OWNERS_MAX 256
static enum adit_rc read_owners(struct vici_call *call, struct adit_id *owners, struct adit_shared *out,
                                struct adit_why *why)
{
    const struct vici_node *list = vici_child(vici_call_args(call), "owners");
    vici_for_each(it, list)
    {
        if (out->n_owners == OWNERS_MAX)
            return why_set(why, ADIT_ERR_LIMIT, "more than %d owners", OWNERS_MAX);
        TRY(id_parse((const char *)it->value.p, vici_call_arena(call), pki_dn_encode, NULL,
                     &owners[out->n_owners], why));
        out->n_owners++;
    }
    out->owners = owners;
    return ADIT_OK;
}

void cmd_load_shared(void *arg, struct vici_call *call)
{
    struct adit_why why = { .text = "out of memory" };
    struct adit_id owners[OWNERS_MAX];
    const char *id = cmd_text(call, "id");
    struct adit_shared item = { .id = id, .secret = data_of(call) };
    struct adit_config *holder = adit_config_new();
    enum adit_rc rc = shared_type(cmd_text(call, "type"), &item.type, &why);
    if (rc == ADIT_OK && !item.secret.n)
        rc = why_set(&why, ADIT_ERR_CONFIG, "the shared secret is empty");
    if (rc == ADIT_OK)
        rc = read_owners(call, owners, &item, &why);
    if (rc == ADIT_OK)
        rc = holder ? adit_config_add_shared(holder, &item) : ADIT_ERR_MEMORY;
    if (rc != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else if (put_item(arg, call, SOURCE_SHARED, id ? id : "", holder))
        vici_call_ok(call);
    adit_config_unref(holder);
}

void cmd_unload_shared(void *arg, struct vici_call *call)
{
    unload_id(arg, call, SOURCE_SHARED, false);
}

void cmd_get_shared(void *arg, struct vici_call *call)
{
    list_ids(arg, call, SOURCE_SHARED);
}

void cmd_clear_creds(void *arg, struct vici_call *call)
{
    static const enum source_kind kinds[] = { SOURCE_CERT, SOURCE_KEY, SOURCE_SHARED };
    if (drop_items(arg, call, kinds, ARRAY_LEN(kinds), NULL))
        vici_call_ok(call);
}
