/* auth_own.c - proving who we are: identity, certificates, AUTH (RFC 7296 s2.15, RFC 7427). */
#include "ike/xchg/auth_own.h"

static enum adit_rc ask_exts(struct ike_xchg *x, struct octets *o)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.octets)
            TRY(ike_exts[i]->on.octets(x->sa, o, x->msgid));
    return ADIT_OK;
}

enum adit_rc auth_new_keys(struct ike_sa *sa, struct ike_keys **out)
{
    *out = NULL;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.auth_keys)
            TRY(ike_exts[i]->on.auth_keys(sa, out));
    return ADIT_OK;
}

bool auth_withholds_child(struct ike_sa *sa, const struct ike_msg *msg)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.withholds_child && ike_exts[i]->on.withholds_child(sa, msg))
            return true;
    return false;
}

void auth_take_keys(struct ike_sa *sa)
{
    struct ike_keys *keys;
    if (auth_new_keys(sa, &keys) == ADIT_OK && keys) /* no news: AUTH was computed with them */
        sa_keys_replace(sa, keys);
}

enum adit_rc auth_octets(struct ike_xchg *x, const struct ike_keys *keys, bool of_initiator,
                         struct adit_span id_whole, struct octets *out)
{
    struct ike_sa *sa = x->sa;
    struct ike_keys *fresh = NULL;
    if (!keys)
        TRY(auth_new_keys(sa, &fresh));
    keys = keys ? keys : fresh ? fresh : &sa->keys;
    TRY(octets_init(out, sa_prf(sa), keys_p(keys, of_initiator),
                    buf_span(of_initiator ? &sa->init_req : &sa->init_resp),
                    buf_span(of_initiator ? &sa->nonce_r : &sa->nonce_i), id_whole));
    out->of_initiator = of_initiator;
    return ask_exts(x, out);
}

/* --- which way ------------------------------------------------------------------------------------------------- */

struct choice {
    struct ike_xchg *x;
    const struct policy_auth *cfg;
    const struct policy_cert *cert; /* the best so far */
    const struct sig_alg *alg;
    unsigned best, seen;
};

static void weigh(struct choice *c, const struct policy_cert *cert, const struct sig_alg *alg)
{
    struct auth_way way = { alg ? alg->auth_method : AUTH_SHARED_KEY_MIC, alg, c->x->policy, cert ? cert->cert : NULL };
    unsigned rank = 0;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.rank) {
            unsigned r = ike_exts[i]->on.rank(c->x->sa, &way);
            rank = r > rank ? r : rank;
        }
    c->seen++;
    if (rank >= c->best)
        return;
    c->best = rank;
    c->cert = cert;
    c->alg = alg;
}

/* The signature that we would choose by ourselves comes first: it wins among equals. */
static void weigh_cert(struct choice *c, const struct policy_cert *cert)
{
    uint32_t hashes = c->x->sa->peer_hashes;
    const struct sig_alg *alg = auth_sig_choose(cert->key, hashes, &c->cfg->constraints, NULL);
    if (alg)
        weigh(c, cert, alg);
    for (size_t i = 0; (alg = auth_sig_next(cert->key, hashes, &c->cfg->constraints, &i));)
        weigh(c, cert, alg);
}

/* One that the peer cannot verify is no alternative to one that it can: its CERTREQ says so. */
static bool may_replace(const struct choice *c, const struct policy_cert *first, const struct policy_cert *other)
{
    struct adit_span asked = buf_span(&c->x->sa->certreq);
    const struct policy *p = c->x->policy;
    return other != first && (policy_cert_leads_to(p, other->cert, asked) || !policy_cert_leads_to(p, first->cert, asked));
}

static enum adit_rc choose_way(struct ike_xchg *x, struct own_auth *a, struct adit_why *why)
{
    struct choice c = { .x = x, .cfg = a->cfg, .best = AUTH_RANK_NEVER };
    const struct policy_cert *other;
    if (a->cert)
        weigh_cert(&c, a->cert);
    else
        weigh(&c, NULL, NULL);
    for (size_t i = 0; a->cert && (other = policy_cert_next(x->policy, a->cfg, &i));)
        if (may_replace(&c, a->cert, other))
            weigh_cert(&c, other);
    if (c.seen && c.best == AUTH_RANK_NEVER)
        return why_set(why, ADIT_ERR_AUTH, "the peer has not announced any way to authenticate that we have");
    if (c.alg) {
        a->cert = c.cert;
        a->wanted = c.alg;
    }
    return ADIT_OK;
}

/* --- who we are ------------------------------------------------------------------------------------------------ */

static enum adit_rc id_body(struct ike_xchg *x, struct own_auth *a)
{
    uint8_t *p = arena_new(&x->arena, 4 + a->id.data.n);
    if (!p)
        return ADIT_ERR_MEMORY;
    p[0] = a->id.type;
    span_copy(p + 4, a->id.data);
    a->id_whole = span(p, 4 + a->id.data.n);
    return ADIT_OK;
}

/* No identity configured: our address (RFC 7296 s3.5). */
static struct adit_id own_address(struct ike_xchg *x)
{
    const struct adit_addr *a = &x->sa->path.local.addr;
    struct adit_id id = { .type = a->family == 6 ? ID_IPV6_ADDR : ID_IPV4_ADDR };
    id.data = arena_span(&x->arena, addr_span(a));
    return id;
}

/* RFC 5723 s4.3.3: the identity of the earlier SA, and no certificate. */
static enum adit_rc choose_known(struct ike_xchg *x, struct own_auth *a)
{
    a->known = x->sa->known;
    a->id_whole = buf_span(&a->known->id_local);
    a->id = (struct adit_id){ .type = a->id_whole.p[0], .data = span_from(a->id_whole, 4) };
    a->chosen = true;
    return ADIT_OK;
}

enum adit_rc own_choose(struct ike_xchg *x, struct own_auth *a, const struct policy_auth *cfg, struct adit_why *why)
{
    if (a->chosen)
        return ADIT_OK;
    a->cfg = cfg;
    if (x->sa->known)
        return choose_known(x, a);
    bool psk = cfg->cfg->class == ADIT_AUTH_PSK;
    if (!psk)
        a->cert = policy_cert_for(x->policy, cfg, buf_span(&x->sa->certreq));
    if (!psk && !a->cert)
        return why_set(why, ADIT_ERR_AUTH, "no certificate with a private key for %s",
                       cfg->cfg->id_text ? cfg->cfg->id_text : "this connection");
    TRY(choose_way(x, a, why));
    a->id = cfg->id.type ? cfg->id : psk ? own_address(x) : pki_cert_subject_id(a->cert->cert);
    TRY(id_body(x, a));
    if (a->cert)
        a->n_chain = pki_chain(x->policy->store, a->cert->cert, a->chain, CHAIN_MAX);
    a->chosen = true;
    return ADIT_OK;
}

static enum adit_rc sign_psk(struct ike_xchg *x, struct own_auth *a, const struct adit_id *peer, struct adit_why *why)
{
    const struct adit_shared *psk = policy_psk(x->policy, &a->id, peer);
    const struct prf_alg *prf = sa_prf(x->sa);
    struct octets o;
    STRBUF(me, 120);
    STRBUF(them, 120);
    if (!psk) {
        id_print(&me, &a->id);
        id_print(&them, peer);
        return why_set(why, ADIT_ERR_AUTH, "no shared key found for '%s' - '%s'", me.p, them.p);
    }
    a->method = AUTH_SHARED_KEY_MIC;
    TRY(auth_octets(x, a->keys, x->sa->is_initiator, a->id_whole, &o));
    TRY(buf_resize(&a->data, prf->out));
    TRY(auth_psk(prf, psk->secret, &o, a->data.p, why));
    a->ready = true;
    return ADIT_OK;
}

/* AUTH = prf(SK_p, octets), without key pad: RFC 5723 s4.3.3. Some peers take the message alone for the octets; SK_p
 * depends on both nonces, and whose it is the ticket says. */
enum adit_rc auth_by_known_keys(const struct ike_sa *sa, bool initiators, const struct octets *o, uint8_t *out)
{
    struct adit_span sk_p = keys_p(&sa->keys, initiators);
    if (peer_has(sa, QUIRK_RESUMED_MESSAGE_ONLY))
        return prf_compute(sa_prf(sa), sk_p, &o->part[OCTETS_MESSAGES], 1, out);
    return prf_compute(sa_prf(sa), sk_p, o->part, OCTETS_PARTS, out);
}

static enum adit_rc sign_known(struct ike_xchg *x, struct own_auth *a)
{
    const struct prf_alg *prf = sa_prf(x->sa);
    struct octets o;
    a->method = AUTH_SHARED_KEY_MIC;
    TRY(auth_octets(x, a->keys, x->sa->is_initiator, a->id_whole, &o));
    TRY(buf_resize(&a->data, prf->out));
    TRY(auth_by_known_keys(x->sa, x->sa->is_initiator, &o, a->data.p));
    a->ready = true;
    return ADIT_OK;
}

static enum adit_rc job_sign(void *arg)
{
    struct own_auth *a = arg;
    return auth_sig_sign(a->alg, a->key, buf_span(&a->octets), &a->data);
}

static enum adit_rc prepare_signature(struct ike_xchg *x, struct own_auth *a, struct adit_why *why)
{
    struct octets o;
    a->key = a->cert->key;
    a->alg = a->wanted ? a->wanted : auth_sig_choose(a->key, x->sa->peer_hashes, &a->cfg->constraints, why);
    if (!a->alg)
        return ADIT_ERR_AUTH;
    a->method = a->alg->auth_method;
    TRY(auth_octets(x, a->keys, x->sa->is_initiator, a->id_whole, &o));
    return octets_flat(&o, &a->octets);
}

enum adit_rc own_sign(struct ike_xchg *x, struct own_auth *a, const struct adit_id *peer, struct adit_why *why)
{
    if (a->ready)
        return ADIT_OK;
    if (a->known)
        return sign_known(x, a);
    if (!a->cert)
        return sign_psk(x, a, peer, why);
    if (!a->alg)
        TRY(prepare_signature(x, a, why));
    enum adit_rc rc = xchg_work(x, &a->work, job_sign, a, a->alg->cost, a->alg->name);
    if (rc < 0)
        return why_set(why, rc, "signing with %s failed", a->alg->name);
    a->ready = rc == ADIT_OK;
    return rc;
}

void own_put_id(struct wr *w, const struct own_auth *a, uint8_t payload)
{
    id_put(w, payload, &a->id);
}

/* The signer's first, RFC 7296 s3.6. */
static void put_certs(struct wr *w, struct ike_sa *sa, const struct own_auth *a)
{
    const struct pki_cert *all[1 + CHAIN_MAX] = { a->cert->cert };
    for (size_t i = 0; i < a->n_chain; i++)
        all[1 + i] = a->chain[i];
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.cert_put && ike_exts[i]->on.cert_put(sa, all, 1 + a->n_chain, w))
            return;
    for (size_t i = 0; i < 1 + a->n_chain; i++)
        cert_put(w, PLD_CERT, CERTENC_X509_SIGNATURE, pki_cert_der(all[i]));
}

void own_put_certs(struct wr *w, struct ike_sa *sa, const struct own_auth *a)
{
    enum adit_send_cert how = sa->conn->cfg->send_cert;
    if (!a->cert || how == ADIT_CERT_NEVER || (how == ADIT_CERT_IF_ASKED && !sa->certreq.n))
        return;
    put_certs(w, sa, a);
}

const char *own_name(const struct own_auth *a)
{
    return a->known ? a->known->local_auth : a->alg ? a->alg->name : "pre-shared key";
}

void own_fini(struct own_auth *a)
{
    buf_fini(&a->octets);
    buf_fini(&a->data);
}
