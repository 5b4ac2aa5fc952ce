/* cmd_list_conns.c - list-conns: the configuration in force, from files and from VICI. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "daemon/cmd.h"
#include "daemon/show.h"
#include "model/model.h"
#include "pki/pki.h"
#include "wire/iana.h"

struct listing {
    struct daemon *d;
    const char *ike;
    size_t at;
};

static void show_addrs(struct vici_build *b, const char *name, const struct adit_addr_spec *v, unsigned n)
{
    vici_list(b, name);
    for (unsigned i = 0; i < n; i++)
        vici_item_str(b, v[i].text);
    vici_list_end(b);
}

static const char *unique_name(enum adit_unique u)
{
    static const char *const names[] = { "UNIQUE_NO", "UNIQUE_NEVER", "UNIQUE_KEEP", "UNIQUE_REPLACE" };
    return names[u];
}

/* One list a kind of transform: encr, integ, prf, ke, ake1..7, sn, with NAME[_BITS]. */
static void show_transforms(struct vici_build *b, const struct proposal *p, uint8_t type, const char *name)
{
    bool open = false;
    for (unsigned i = 0; i < p->n; i++) {
        const struct transform *t = &p->t[i];
        char text[80];
        if (t->type != type)
            continue;
        if (!open)
            vici_list(b, name);
        open = true;
        snprintf(text, sizeof(text), t->bits ? "%s_%u" : "%s", iana_name(iana_of_transform(type), t->id),
                 t->bits);
        vici_item_str(b, text);
    }
    if (open)
        vici_list_end(b);
}

static void show_proposals(struct vici_build *b, const char *name, const struct proposal_list *list)
{
    static const struct {
        uint8_t type;
        const char *name;
    } kinds[] = {
        { TT_ENCR, "encr" },   { TT_INTEG, "integ" }, { TT_PRF, "prf" },     { TT_KE, "ke" },
        { TT_ADDKE1, "ake1" }, { TT_ADDKE2, "ake2" }, { TT_ADDKE3, "ake3" }, { TT_ADDKE4, "ake4" },
        { TT_ADDKE5, "ake5" }, { TT_ADDKE6, "ake6" }, { TT_ADDKE7, "ake7" }, { TT_SN, "sn" },
    };
    vici_section(b, name);
    for (unsigned i = 0; list && i < list->n; i++) {
        char number[8];
        snprintf(number, sizeof(number), "%u", i);
        vici_section(b, number);
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
            show_transforms(b, &list->v[i], kinds[k].type, kinds[k].name);
        vici_section_end(b);
    }
    vici_section_end(b);
}

static void show_certs(struct vici_build *b, const struct daemon *d, const char *name,
                       const struct adit_span *v, unsigned n)
{
    if (!n)
        return;
    vici_list(b, name);
    for (unsigned i = 0; i < n; i++) {
        struct pki_cert *cert;
        STRBUF(subject, 512);
        if (pki_cert_parse(d->crypto, v[i], &cert, NULL) != ADIT_OK)
            continue;
        pki_cert_subject(cert, &subject);
        vici_item_str(b, subject.p);
        pki_cert_free(cert);
    }
    vici_list_end(b);
}

static void show_round(struct vici_build *b, const struct daemon *d, const char *side, unsigned i,
                       const struct adit_auth_cfg *a)
{
    static const char *const classes[] = { "any", "public key", "pre-shared key", "EAP" };
    static const char *const revocation[] = { "relaxed", "ifuri", "strict" };
    char name[16];
    snprintf(name, sizeof(name), "%s-%u", side, i + 1);
    vici_section(b, name);
    vici_str(b, "class", classes[a->class]);
    if (a->revocation != ADIT_REVOKE_RELAXED)
        vici_str(b, "revocation", revocation[a->revocation]);
    vici_str(b, "id", a->id_text);
    show_certs(b, d, "certs", a->certs, a->n_certs);
    show_certs(b, d, "cacerts", a->cacerts, a->n_cacerts);
    vici_section_end(b);
}

static const char *action_name(unsigned bits)
{
    static const char *const names[] = { "none", "trap", "start", "trap|start" };
    return names[bits & 3];
}

static void show_ts(struct vici_build *b, const char *name, const struct adit_ts_cfg *ts, unsigned n)
{
    vici_list(b, name);
    for (unsigned i = 0; i < n; i++) {
        STRBUF(text, 160);
        ts_cfg_print(&text, &ts[i]);
        vici_item_str(b, text.p);
    }
    vici_list_end(b);
}

static void show_child_cfg(struct vici_build *b, const struct adit_child_cfg *c)
{
    vici_section(b, c->name);
    vici_str(b, "mode", show_mode(c->mode));
    vici_strf(b, "rekey_time", "%" PRIu64, c->rekey_s);
    vici_strf(b, "rekey_bytes", "%" PRIu64, c->rekey_bytes);
    vici_strf(b, "rekey_packets", "%" PRIu64, c->rekey_packets);
    vici_str(b, "dpd_action", c->dpd_action ? action_name(c->dpd_action) : "clear");
    vici_str(b, "close_action", action_name(c->close_action));
    vici_str(b, "start_action", action_name(c->start_action)); /* ours */
    if (show_is_sa(c->mode))
        show_proposals(b, "esp_proposals", c->proposals);
    show_ts(b, "local-ts", c->local_ts, c->n_local_ts);
    show_ts(b, "remote-ts", c->remote_ts, c->n_remote_ts);
    if (c->priority)
        vici_strf(b, "priority", "%u", c->priority);
    vici_section_end(b);
}

static void show_options(struct vici_build *b, const struct adit_option *options, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        vici_str(b, options[i].key, options[i].value);
}

static void show_conn(struct vici_build *b, const struct daemon *d, const struct adit_conn *c)
{
    vici_section(b, c->name);
    show_addrs(b, "local_addrs", c->local_addrs, c->n_local_addrs);
    show_addrs(b, "remote_addrs", c->remote_addrs, c->n_remote_addrs);
    vici_strf(b, "local_port", "%u", c->local_port);
    vici_strf(b, "remote_port", "%u", c->remote_port);
    vici_str(b, "version", "IKEv2");
    vici_strf(b, "reauth_time", "%" PRIu64, c->reauth_s);
    vici_strf(b, "rekey_time", "%" PRIu64, c->rekey_s);
    vici_str(b, "unique", unique_name(c->unique));
    show_proposals(b, "proposals", c->proposals);
    if (c->dpd_delay_s)
        vici_strf(b, "dpd_delay", "%" PRIu64, c->dpd_delay_s);
    if (c->window > 1)
        vici_strf(b, "window", "%u", c->window);
    show_options(b, c->options, c->n_options);
    vici_str(b, "source", c->source); /* ours: the file and line, or "vici" */
    for (unsigned i = 0; i < c->n_local; i++)
        show_round(b, d, "local", i, &c->local[i]);
    for (unsigned i = 0; i < c->n_remote; i++)
        show_round(b, d, "remote", i, &c->remote[i]);
    vici_section(b, "children");
    for (unsigned i = 0; i < c->n_children; i++)
        show_child_cfg(b, &c->children[i]);
    vici_section_end(b);
    vici_section_end(b);
}

static bool next(void *state, struct vici_call *call)
{
    struct listing *l = state;
    const struct adit_config *cfg = adit_ike_get_config(l->d->ike);
    const struct adit_conn *const *all;
    struct reply r;
    size_t n = cfg ? adit_config_conns(cfg, &all) : 0;
    if (l->at >= n) {
        vici_call_answer(call, SPAN_NONE);
        return false;
    }
    const struct adit_conn *conn = all[l->at++];
    if (l->ike && strcmp(l->ike, conn->name))
        return true;
    reply_begin(&r);
    show_conn(&r.b, l->d, conn);
    reply_event(&r, call, "list-conn");
    return true;
}

void cmd_list_conns(void *arg, struct vici_call *call)
{
    struct listing *l = mem_new(sizeof(*l));
    if (!l) {
        vici_call_fail(call, "out of memory");
        return;
    }
    l->d = arg;
    l->ike = cmd_text(call, "ike");
    vici_call_stream(call, next, l, mem_del);
}
