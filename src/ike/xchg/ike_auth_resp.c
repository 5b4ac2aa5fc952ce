/* ike_auth_resp.c - IKE_AUTH as its responder: whose connection it is, who the peer is, who we are, and the first Child
 * SA (auth-base order: identity, connection, certificates, AUTH, own AUTH, child). */
#include "ike/xchg/auth_own.h"
#include "ike/xchg/child_nego.h"
#include "ike/xchg/init.h"

struct auth_resp {
    struct own_auth own;
    struct peer_auth peer;
    struct adit_id wanted; /* IDr of the request */
    const struct policy_conn *conn;
    bool initial_contact, verified;
};

static enum want want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return msg && sa->keyed && !sa->is_initiator && sa->state < SA_ESTABLISHED ? WANT_OPEN : WANT_NO;
}

/* A connection that is chosen later must not weaken what IKE_SA_INIT agreed on: its own proposals have to hold it. */
static bool holds_suite(const struct ike_sa *sa, const struct policy_conn *c)
{
    return c == sa->conn || conn_holds_suite(sa->ike, c, &sa->suite);
}

static bool method_fits(const struct policy_conn *c, uint8_t method)
{
    enum adit_auth_class class = c->remote[0].cfg->class;
    return class == ADIT_AUTH_ANY || (class == ADIT_AUTH_PSK) == auth_is_psk(method);
}

#define SUITS_MOST 4
/* How well a connection suits a peer: by how it authenticates, then by its very name rather than by a pattern. */
static int suits(const struct policy_conn *c, const struct auth_resp *s)
{
    int method = method_fits(c, s->peer.auth.method) ? 2 : 0; /* none: peer_verify says what is wrong with it */
    return 1 + method + (id_equal(&c->remote[0].id, &s->peer.id) ? 1 : 0);
}

/* Among equals the one with the narrower addresses, then the first configured. */
static const struct policy_conn *find_conn(struct ike_xchg *x, struct auth_resp *s)
{
    const struct policy_conn *c = NULL, *best = NULL;
    int most = 0;
    while (most < SUITS_MOST && (c = policy_conn_by_path(x->policy, &x->sa->reply_path, c))) {
        if (!policy_conn_fits(c, &x->sa->reply_path, &s->peer.id, &s->wanted) || suits(c, s) <= most ||
            !holds_suite(x->sa, c))
            continue;
        best = c;
        most = suits(c, s);
    }
    return best;
}

static enum adit_rc no_conn(const struct auth_resp *s, struct adit_why *why)
{
    STRBUF(i, 160);
    STRBUF(r, 160);
    id_print(&i, &s->peer.id);
    id_print(&r, &s->wanted);
    return why_set(why, ADIT_ERR_AUTH, "no connection for peer '%s' that asks for '%s'", i.p, s->wanted.type ? r.p : "%any");
}

static bool twin_exists(const struct ike_sa *sa, const struct auth_resp *s)
{
    struct ike_sa *other = NULL;
    while ((other = peers_find(sa->ike, s->own.id_whole, s->peer.id_whole, other)))
        if (other != sa && other->state == SA_ESTABLISHED && !known_is_of(sa, other))
            return true;
    return false;
}

static enum adit_rc identify(struct ike_xchg *x, struct auth_resp *s, const struct ike_msg *msg, struct adit_why *why)
{
    const struct payload *idr = msg_find(msg, PLD_IDr);
    const struct ike_step *due = sa_before_auth(x->sa, XCHG_RESPONDER, msg);
    struct adit_span whole;
    struct notify n;
    struct rd in = rd_init(idr ? idr->body : SPAN_NONE);
    if (due) /* agreed on, and the keys would be weaker than the suite says */
        return why_set(why, ADIT_ERR_MALFORMED, "IKE_AUTH although %s is still due", due->name);
    TRY(peer_parse(x, &s->peer, PLD_IDi, msg, why));
    if (idr && !id_get(&in, &s->wanted, &whole))
        return why_set(why, ADIT_ERR_MALFORMED, "IDr payload: %s", in.fail);
    if (x->sa->known && idr && !span_equal(whole, buf_span(&x->sa->known->id_local)))
        return why_set(why, ADIT_ERR_AUTH, "peer asks for another identity than in the earlier IKE SA");
    s->conn = x->sa->known ? x->sa->conn : find_conn(x, s);
    if (!s->conn)
        return no_conn(s, why);
    x->sa->conn = s->conn; /* half-open: nothing depends on the one before */
    s->peer.cfg = &s->conn->remote[0];
    s->initial_contact = msg_notify(msg, N_INITIAL_CONTACT, &n);
    take_certreq(x->sa, msg);
    return own_choose(x, &s->own, &s->conn->local[0], why);
}

static enum adit_rc consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct auth_resp *s = scratch;
    if (!s->conn)
        TRY(identify(x, s, msg, why));
    TRY(peer_claimed(x, &s->peer, msg, why));
    if (!s->verified)
        TRY(peer_verify(x, &s->peer, &s->own.id, why));
    s->verified = true;
    /* A peer that has lost what it had with us (INITIAL_CONTACT) is no second one: it replaces that. */
    if (s->conn->cfg->unique == ADIT_UNIQUE_KEEP && !s->initial_contact && twin_exists(x->sa, s))
        return why_set(why, ADIT_ERR_AUTH, "the peer is connected already (unique = keep)");
    TRY(own_sign(x, &s->own, &s->peer.id, why));
    return auth_note(x->sa, &s->own, &s->peer); /* half-open: nobody has looked at it yet */
}

static enum adit_rc build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct auth_resp *s = scratch;
    own_put_id(w, &s->own, PLD_IDr);
    own_put_certs(w, x->sa, &s->own);
    auth_put(w, s->own.method, buf_span(&s->own.data));
    return ADIT_OK;
}

static void commit(struct ike_xchg *x, void *scratch)
{
    struct auth_resp *s = scratch;
    struct ike_sa *sa = x->sa;
    if (!auth_remember(sa, &s->own, &s->peer))
        return;
    if (s->initial_contact)
        peers_forget(sa);
    auth_take_keys(sa);
    sa_established(sa);
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct auth_resp *s = scratch;
    own_fini(&s->own);
    peer_fini(&s->peer);
}

const struct ike_step step_auth_resp = {
    .name = "IKE_AUTH", .exchange = XCHG_IKE_AUTH, .role = XCHG_RESPONDER, .scratch = sizeof(struct auth_resp),
    .want = want, .consume = consume, .build = build, .commit = commit, .fini = fini,
};

/* --- the first Child SA ---------------------------------------------------------------------------------------------- */

struct first_child {
    struct ike_pending *p;
    enum adit_rc rc;
    struct adit_why why;
};

static bool may_omit(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.may_omit_child && ike_exts[i]->on.may_omit_child(sa))
            return true;
    return false;
}

static enum want first_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return want(sa, msg);
}

static enum adit_rc first_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct first_child *s = scratch;
    bool has = msg_find(msg, PLD_SA) || msg_find(msg, PLD_TSi) || msg_find(msg, PLD_TSr);
    if (!has && !may_omit(x->sa))
        return why_set(why, ADIT_ERR_MALFORMED, "request without a Child SA, which was not offered"); /* RFC 6023 s3 */
    if (!has || auth_withholds_child(x->sa, msg))
        return ADIT_OK;
    if (!(s->p = pending_new(x->sa, PENDING_FIRST_CHILD, false)))
        return ADIT_ERR_MEMORY;
    s->rc = child_may(x->sa, &s->why);
    if (s->rc == ADIT_OK)
        s->rc = child_choose(x, s->p, msg, true, 0, &s->why);
    if (s->rc == ADIT_ERR_MALFORMED)
        return why_set(why, s->rc, "%s", s->why.text);
    return ADIT_OK; /* any other failure is the child's alone: the IKE SA comes up */
}

static enum adit_rc first_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct first_child *s = scratch;
    if (!s->p)
        return ADIT_OK;
    if (s->rc != ADIT_OK) {
        notify_put(w, reply_notify(s->rc), SPAN_NONE);
        return ADIT_OK;
    }
    child_put_answer(w, s->p);
    child_put_ts(w, s->p);
    return ADIT_OK;
}

static void first_commit(struct ike_xchg *x, void *scratch)
{
    struct first_child *s = scratch;
    struct ike_sa *sa = x->sa;
    struct ike_pending *p = s->p;
    if (!p || sa->cut)
        return;
    if (s->rc != ADIT_OK) {
        sa_log(sa, ADIT_LOG_AUDIT, "CHD", "the peer's CHILD_SA is refused: %s", s->why.text);
        return;
    }
    if (buf_set(&p->nonce_i, buf_span(&sa->nonce_i)) != ADIT_OK ||
        buf_set(&p->nonce_r, buf_span(&sa->nonce_r)) != ADIT_OK)
        return;
    s->p = NULL;
    pending_commit(p);
}

static void first_fini(struct ike_xchg *x, void *scratch)
{
    struct first_child *s = scratch;
    pending_free(s->p);
    s->p = NULL;
}

const struct ike_step step_first_child_resp = {
    .name = "CHILD_CREATE", .exchange = XCHG_IKE_AUTH, .role = XCHG_RESPONDER, .scratch = sizeof(struct first_child),
    .want = first_want, .consume = first_consume, .build = first_build, .commit = first_commit, .fini = first_fini,
};
