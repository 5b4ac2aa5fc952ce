/* auth_peer.c - checking who the peer is: certificates, identity, AUTH (RFC 7296 s2.15, RFC 4945). The reason of a
 * failure goes to our log; the peer only learns that it failed. */
#include "ike/xchg/auth_own.h"

bool auth_is_psk(uint8_t method)
{
    return method == AUTH_SHARED_KEY_MIC;
}

void certs_add(struct ike_certs *out, struct adit_span der)
{
    struct adit_why why;
    if (out->n == IKE_CERTS_MAX)
        return;
    if (pki_cert_parse(out->x->ike->host.crypto, der, &out->v[out->n], &why) == ADIT_OK)
        out->n++;
    else
        sa_log(out->x->sa, ADIT_LOG_INFO, "IKE", "passed over a certificate of the peer: %s", why.text);
}

static enum adit_rc other_cert(struct ike_xchg *x, struct peer_auth *a, const struct cert_payload *c)
{
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        struct adit_why why = { 0 };
        enum adit_rc rc = ike_exts[i]->on.cert_get ? ike_exts[i]->on.cert_get(x, c, &a->fetch, &a->certs, &why) : ADIT_OK;
        if (rc == ADIT_WAIT)
            return rc;
        if (rc != ADIT_OK)
            sa_log(x->sa, ADIT_LOG_INFO, "IKE", "passed over a certificate of the peer: %s",
                   why.text[0] ? why.text : adit_rc_name(rc));
    }
    a->fetch = (struct ike_fetch){ 0 };
    return ADIT_OK;
}

/* The first CERT has to be the signer's; others may be anything, and what does not parse is passed over. */
static enum adit_rc get_certs(struct ike_xchg *x, struct peer_auth *a)
{
    const struct ike_msg *msg = &x->msg;
    a->certs.x = x;
    for (; a->cert_at < msg->n && a->certs.n < IKE_CERTS_MAX; a->cert_at++) {
        struct rd in = rd_init(msg->v[a->cert_at].body);
        struct cert_payload c;
        if (msg->v[a->cert_at].type != PLD_CERT || !cert_get(&in, &c))
            continue;
        if (c.encoding == CERTENC_X509_SIGNATURE)
            certs_add(&a->certs, c.data);
        else if (other_cert(x, a, &c) == ADIT_WAIT)
            return ADIT_WAIT;
    }
    return ADIT_OK;
}

enum adit_rc peer_parse(struct ike_xchg *x, struct peer_auth *a, uint8_t id_payload, const struct ike_msg *msg,
                        struct adit_why *why)
{
    const struct payload *id = msg_find(msg, id_payload), *auth = msg_find(msg, PLD_AUTH);
    struct rd in = rd_init(id ? id->body : SPAN_NONE), in2 = rd_init(auth ? auth->body : SPAN_NONE);
    if (a->parsed)
        return ADIT_OK;
    if (!id || !id_get(&in, &a->id, &a->id_whole))
        return why_set(why, ADIT_ERR_MALFORMED, "%s payload: %s", iana_name(IANA_PLD, id_payload),
                       id ? in.fail : "missing");
    if (!auth)
        return why_set(why, ADIT_ERR_AUTH, "no AUTH payload: the peer wants EAP, which is not configured");
    if (!auth_get(&in2, &a->auth))
        return why_set(why, ADIT_ERR_MALFORMED, "AUTH payload: %s", in2.fail);
    x->peer_id = a->id_whole;
    a->parsed = true;
    return ADIT_OK;
}

enum adit_rc peer_claimed(struct ike_xchg *x, struct peer_auth *a, const struct ike_msg *msg,
                          struct adit_why *why)
{
    for (unsigned i = 0; i < EXT_COUNT && !a->asked; i++)
        if (ike_exts[i]->on.claimed)
            TRY(ike_exts[i]->on.claimed(x->sa, msg, &a->auth.data, why));
    a->asked = true;
    return ADIT_OK;
}

static enum adit_rc wrong_id(const struct peer_auth *a, struct adit_why *why)
{
    STRBUF(id, 160);
    id_print(&id, &a->id);
    return why_set(why, ADIT_ERR_AUTH, "peer's identity '%s' is not the configured '%s'", id.p,
                   a->cfg->cfg->id_text ? a->cfg->cfg->id_text : "%any");
}

static enum adit_rc verify_psk(struct ike_xchg *x, struct peer_auth *a, const struct adit_id *our_id,
                               struct adit_why *why)
{
    const struct adit_shared *psk = policy_psk(x->policy, our_id, &a->id);
    const struct prf_alg *prf = sa_prf(x->sa);
    uint8_t expected[PRF_OUT_MAX];
    struct octets o;
    STRBUF(id, 160);
    TRY(auth_octets(x, NULL, !x->sa->is_initiator, a->id_whole, &o));
    /* An unknown peer costs the same computation: nobody learns by time which names exist. */
    TRY(auth_psk(prf, psk ? psk->secret : SPAN_LIT("no such peer"), &o, expected, why));
    bool equal = secret_equal(a->auth.data, span(expected, prf->out));
    mem_wipe(expected, sizeof(expected));
    id_print(&id, &a->id);
    if (!psk)
        return why_set(why, ADIT_ERR_AUTH, "no shared key found for peer '%s'", id.p);
    if (!equal)
        return why_set(why, ADIT_ERR_AUTH, "shared key of '%s' does not match: is the secret the same on both sides?", id.p);
    return ADIT_OK;
}

/* The peer of the earlier SA holds its keys, and shows it by SK_p of this one (RFC 5723 s4.3.3). */
static enum adit_rc verify_known(struct ike_xchg *x, struct peer_auth *a, struct adit_why *why)
{
    const struct prf_alg *prf = sa_prf(x->sa);
    uint8_t expected[PRF_OUT_MAX];
    struct octets o;
    if (!span_equal(a->id_whole, buf_span(&x->sa->known->id_remote)))
        return why_set(why, ADIT_ERR_AUTH, "peer's identity is not that of the earlier IKE SA");
    if (!auth_is_psk(a->auth.method))
        return why_set(why, ADIT_ERR_AUTH, "peer authenticates by %s, not by the keys of the earlier IKE SA",
                       iana_name(IANA_AUTH, a->auth.method));
    TRY(auth_octets(x, NULL, !x->sa->is_initiator, a->id_whole, &o));
    TRY(auth_by_known_keys(x->sa, !x->sa->is_initiator, &o, expected));
    bool equal = secret_equal(a->auth.data, span(expected, prf->out));
    mem_wipe(expected, sizeof(expected));
    return equal ? ADIT_OK : why_set(why, ADIT_ERR_AUTH, "peer does not hold the keys of the earlier IKE SA");
}

/* Path, identity, signature: one job, pure. */
static enum adit_rc job_verify(void *arg)
{
    struct peer_auth *a = arg;
    if (!a->cfg->n_pinned)
        TRY(pki_verify(a->store, a->leaf, a->certs.v, a->certs.n, &a->cfg->pki, a->unix_now, &a->why));
    TRY(pki_cert_proves(a->leaf, &a->id, &a->why) ? ADIT_OK : ADIT_ERR_AUTH);
    return auth_sig_verify(a->auth.method, a->auth.data, pki_cert_key(a->leaf), a->our_hashes,
                           &a->cfg->constraints, buf_span(&a->octets), &a->used, &a->why);
}

static const struct pki_cert *pinned(const struct peer_auth *a)
{
    for (size_t i = 0; i < a->cfg->n_pinned; i++)
        if (!a->certs.n || span_equal(pki_cert_der(a->cfg->pinned[i]), pki_cert_der(a->certs.v[0])))
            return a->cfg->pinned[i];
    return NULL;
}

static enum adit_rc prepare(struct ike_xchg *x, struct peer_auth *a, struct adit_why *why)
{
    struct ike *ike = x->ike;
    struct octets o;
    a->leaf = a->cfg->n_pinned ? pinned(a) : a->certs.n ? a->certs.v[0] : NULL;
    if (!a->leaf)
        return why_set(why, ADIT_ERR_AUTH, "peer sent %s", a->certs.n ? "a certificate that is not the configured one"
                                                                       : "no certificate");
    a->store = x->policy->store;
    a->our_hashes = auth_hashes_ours(x->sa->peer_private ? auth_hashes_named(&a->cfg->constraints) : 0);
    a->unix_now = ike->host.unix_time ? ike->host.unix_time(ike->host.unix_arg, ike->now) : ike->now / SECONDS(1);
    TRY(auth_octets(x, NULL, !x->sa->is_initiator, a->id_whole, &o));
    return octets_flat(&o, &a->octets);
}

static enum adit_rc verify_signature(struct ike_xchg *x, struct peer_auth *a, struct adit_why *why)
{
    if (!a->octets.n) {
        TRY(get_certs(x, a));
        TRY(prepare(x, a, why));
    }
    enum adit_rc rc = xchg_work(x, &a->work, job_verify, a, CRYPTO_MEDIUM, "verify the peer's certificate and signature");
    if (rc < 0)
        return why_set(why, ADIT_ERR_AUTH, "%s", a->why.text[0] ? a->why.text : adit_rc_name(rc));
    return rc;
}

enum adit_rc peer_verify(struct ike_xchg *x, struct peer_auth *a, const struct adit_id *our_id, struct adit_why *why)
{
    enum adit_auth_class class = a->cfg->cfg->class;
    bool psk = auth_is_psk(a->auth.method);
    if (x->sa->known)
        return verify_known(x, a, why);
    if (!policy_remote_id_ok(a->cfg, &a->id))
        return wrong_id(a, why);
    if ((class == ADIT_AUTH_PSK && !psk) || (class == ADIT_AUTH_PUBKEY && psk) || class == ADIT_AUTH_EAP)
        return why_set(why, ADIT_ERR_AUTH, "peer authenticates by %s, configured is %s",
                       iana_name(IANA_AUTH, a->auth.method), a->cfg->cfg->auth ? a->cfg->cfg->auth : "pubkey");
    /* Both have announced hashes (we answer whenever the peer does): RFC 7427 s3 leaves no choice. */
    if (!psk && x->sa->peer_hashes && a->auth.method != AUTH_DIGITAL_SIGNATURE)
        return why_set(why, ADIT_ERR_AUTH, "peer signs by %s although both sides know Digital Signature (RFC 7427)",
                       iana_name(IANA_AUTH, a->auth.method));
    return psk ? verify_psk(x, a, our_id, why) : verify_signature(x, a, why);
}

const char *peer_name(const struct peer_auth *a)
{
    return a->used ? a->used->name : "pre-shared key";
}

void peer_fini(struct peer_auth *a)
{
    for (size_t i = 0; i < a->certs.n; i++)
        pki_cert_free(a->certs.v[i]);
    a->certs.n = 0;
    buf_fini(&a->octets);
}

enum adit_rc auth_note(struct ike_sa *sa, const struct own_auth *own, const struct peer_auth *peer)
{
    TRY(buf_set(&sa->id_local, own->id_whole));
    TRY(buf_set(&sa->id_remote, peer->id_whole));
    sa->local_auth = own_name(own);
    sa->remote_auth = sa->known ? sa->known->remote_auth : peer_name(peer);
    return ADIT_OK;
}

bool auth_remember(struct ike_sa *sa, const struct own_auth *own, const struct peer_auth *peer)
{
    STRBUF(id, 160);
    if (auth_note(sa, own, peer) != ADIT_OK || peers_add(sa) != ADIT_OK) {
        sa_end(sa, ADIT_ERR_MEMORY, "out of memory");
        return false;
    }
    id_print(&id, &peer->id);
    sa_log(sa, ADIT_LOG_INFO, "IKE", "authentication of '%s' with %s%s successful", id.p,
           sa->known ? "the keys of an earlier IKE SA, once with " : "", sa->remote_auth);
    return true;
}
