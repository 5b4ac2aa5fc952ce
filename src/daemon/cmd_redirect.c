/* cmd_redirect.c - redirect (RFC 5685): clients are told to go to another gateway. The answer says how many were told, not
 * that they have gone. */
#include <string.h>
#include "base/why.h"
#include "daemon/cmd.h"
#include "model/model.h"
#include "pki/pki.h"
#include "wire/iana.h"

struct wanted {
    const char *ike, *peer_ip, *peer_id;
    uint32_t ike_id;
    struct adit_addr_spec addr;
    struct adit_id id; /* type 0: any */
};

static bool is_any(const char *text)
{
    return !strcmp(text, "*") || !strcmp(text, "%any");
}

static bool read_selectors(struct vici_call *call, struct wanted *w)
{
    struct adit_why why = { 0 };
    int64_t ike_id = 0;
    if (!cmd_int(call, "ike-id", 0, UINT32_MAX, &ike_id))
        return false;
    w->ike = cmd_text(call, "ike");
    w->ike_id = (uint32_t)ike_id;
    w->peer_ip = cmd_text(call, "peer-ip");
    w->peer_id = cmd_text(call, "peer-id");
    enum adit_rc rc = ADIT_OK;
    if (!w->ike && !ike_id && !w->peer_ip && !w->peer_id)
        rc = why_set(&why, ADIT_ERR_CONFIG, "redirect needs ike, ike-id, peer-ip or peer-id");
    if (rc == ADIT_OK && w->peer_ip)
        rc = addr_spec_parse(w->peer_ip, &w->addr, &why);
    if (rc == ADIT_OK && w->peer_ip && !w->addr.any && !w->addr.lo.family)
        rc = why_set(&why, ADIT_ERR_CONFIG, "peer-ip = %s: an address, a network or a range is expected", w->peer_ip);
    if (rc == ADIT_OK && w->peer_id && !is_any(w->peer_id))
        rc = id_parse(w->peer_id, vici_call_arena(call), pki_dn_encode, NULL, &w->id, &why);
    if (rc != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    return rc == ADIT_OK;
}

static bool id_fits(const struct wanted *w, const struct adit_id *id)
{
    if (w->id.type == ID_DER_ASN1_DN && id->type == ID_DER_ASN1_DN)
        return pki_dn_match(w->id.data, id->data);
    return id_match(&w->id, id);
}

static bool fits(const struct wanted *w, const struct adit_ike_info *i)
{
    return (!w->ike || (i->conn && !strcmp(i->conn, w->ike))) && (!w->ike_id || i->id == w->ike_id) &&
           (!w->peer_ip || addr_spec_match(&w->addr, &i->path.remote.addr)) &&
           (!w->peer_id || id_fits(w, &i->remote_id));
}

/* SAs that come or go while this goes on do not matter: the next one is looked for by its number. */
static unsigned tell_all(struct daemon *d, const struct wanted *w, const char *gateway, struct adit_why *why)
{
    struct adit_ike_info info;
    unsigned n = 0;
    for (uint32_t cursor = 0; adit_ike_sa_next(d->ike, &cursor, &info);) {
        struct adit_command cmd = { .type = ADIT_CMD_REDIRECT, .ike_id = info.id, .gateway = gateway };
        struct adit_why one = { 0 };
        if (info.state != ADIT_IKE_ESTABLISHED || !fits(w, &info))
            continue;
        if (adit_ike_command(d->ike, &cmd, daemon_now(), NULL, &one) == ADIT_OK)
            n++;
        else
            *why = one;
    }
    return n;
}

void cmd_redirect(void *arg, struct vici_call *call)
{
    struct daemon *d = arg;
    const char *gateway = cmd_text(call, "gateway");
    struct wanted w = { 0 };
    struct adit_why why = { 0 };
    struct reply r;
    if (!gateway) {
        vici_call_fail(call, "redirect needs gateway, an address or a DNS name");
        return;
    }
    if (!read_selectors(call, &w))
        return;
    unsigned matches = tell_all(d, &w, gateway, &why);
    reply_begin(&r);
    vici_bool(&r.b, "success", matches > 0);
    vici_strf(&r.b, "matches", "%u", matches);
    if (!matches)
        vici_str(&r.b, "errmsg", why.text[0] ? why.text : "no matching SAs to redirect found");
    reply_answer(&r, call);
    host_run(d);
}
