/* ike_auth.c - IKE_AUTH as its initiator, with the first Child SA (RFC 7296 s1.2, s2.15). A Child SA that fails here does
 * not fail the IKE SA. */
#include "ike/xchg/auth_own.h"
#include "ike/xchg/child_nego.h"

struct auth_req {
    struct own_auth own, besides;
    struct peer_auth peer;
};

/* The identity we expect, if it is one and not a pattern: IDr in the request tells the peer whom we want. */
static struct adit_id wanted_peer(const struct ike_sa *sa)
{
    const struct policy_auth *r = &sa->conn->remote[0];
    struct adit_span known = sa->known ? buf_span(&sa->known->id_remote) : SPAN_NONE;
    if (known.n > 4)
        return (struct adit_id){ .type = known.p[0], .data = span_from(known, 4) };
    bool pattern = r->cfg->id_text && strchr(r->cfg->id_text, '*');
    return pattern ? (struct adit_id){ 0 } : r->id;
}

/* INITIAL_CONTACT makes the peer forget everything else between these two identities (RFC 7296 s2.4): of several
 * connections to one peer only the first may say it, also when they are set up at the same time. */
static bool is_first_with_peer(const struct ike_sa *sa, const struct adit_id *peer)
{
    if (sa->reauth_of || sa->conn->cfg->unique == ADIT_UNIQUE_NEVER)
        return false;
    return !peers_known(sa, peer);
}

static void put_certreq(struct ike_sa *sa, struct wr *w)
{
    uint8_t mem[1200];
    struct wr list;
    if (sa->known || !sa->conn->cfg->send_certreq || sa->conn->cfg->remote[0].class == ADIT_AUTH_PSK)
        return;
    wr_init(&list, mem, sizeof(mem));
    policy_certreq(sa->policy, sa->conn, &list);
    if (wr_ok(&list) && list.n)
        cert_put(w, PLD_CERTREQ, CERTENC_X509_SIGNATURE, wr_written(&list));
}

static uint16_t besides(struct ike_sa *sa)
{
    uint16_t notify = 0;
    for (unsigned i = 0; i < EXT_COUNT && !notify; i++)
        if (ike_exts[i]->on.auth_besides)
            notify = ike_exts[i]->on.auth_besides(sa);
    return notify;
}

/* The same proof by the present keys, for a responder that cannot follow to those that AUTH is computed with. */
static enum adit_rc sign_besides(struct ike_xchg *x, struct auth_req *s, const struct adit_id *peer,
                                 struct adit_why *why)
{
    if (!besides(x->sa))
        return ADIT_OK;
    TRY(own_choose(x, &s->besides, &x->sa->conn->local[0], why));
    s->besides.keys = &x->sa->keys;
    return own_sign(x, &s->besides, peer, why);
}

static enum adit_rc build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct auth_req *s = scratch;
    struct ike_sa *sa = x->sa;
    struct adit_id peer = wanted_peer(sa);
    TRY(own_choose(x, &s->own, &sa->conn->local[0], why));
    TRY(own_sign(x, &s->own, &peer, why));
    TRY(sign_besides(x, s, &peer, why));
    own_put_id(w, &s->own, PLD_IDi);
    own_put_certs(w, sa, &s->own);
    if (is_first_with_peer(sa, &peer))
        notify_put(w, N_INITIAL_CONTACT, SPAN_NONE);
    put_certreq(sa, w);
    if (peer.type)
        id_put(w, PLD_IDr, &peer);
    auth_put(w, s->own.method, buf_span(&s->own.data));
    if (s->besides.ready)
        notify_put(w, besides(sa), buf_span(&s->besides.data));
    return ADIT_OK;
}

/* An error beside or instead of AUTH. Those about the Child SA only do not count here. */
static enum adit_rc refused(const struct ike_msg *msg, struct adit_why *why)
{
    uint16_t type = 0;
    if (msg_find(msg, PLD_AUTH))
        return ADIT_OK;
    TRY(reply_read(msg, &type, why));
    return why_set(why, ADIT_ERR_MALFORMED, "response without AUTH");
}

static enum adit_rc consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct auth_req *s = scratch;
    x->fatal = true;
    TRY(refused(msg, why));
    TRY(peer_parse(x, &s->peer, PLD_IDr, msg, why));
    s->peer.cfg = &x->sa->conn->remote[0];
    TRY(peer_claimed(x, &s->peer, msg, why));
    enum adit_rc rc = peer_verify(x, &s->peer, &s->own.id, why);
    if (rc == ADIT_ERR_AUTH)
        ike_count(x->ike, x->sa, ADIT_C_AUTH_FAILED);
    return rc;
}

static void commit(struct ike_xchg *x, void *scratch)
{
    struct auth_req *s = scratch;
    struct ike_sa *sa = x->sa;
    if (!auth_remember(sa, &s->own, &s->peer))
        return;
    auth_take_keys(sa);
    sa_established(sa);
}

/* We refuse the responder: tell it in an INFORMATIONAL of its own, then forget (RFC 7296 s2.21.2). */
static void failed(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    struct auth_req *s = scratch;
    struct ike_sa *sa = x->sa;
    if (!s->peer.parsed || rc != ADIT_ERR_AUTH)
        return;
    struct ike_task *t = agenda_add(sa, TASK_NOTIFY, &step_notify_req);
    if (!t)
        return;
    t->notify = N_AUTHENTICATION_FAILED;
    strbuf_add(&(struct strbuf){ sa->failure, 0, sizeof(sa->failure) }, why->text);
    sa_set_state(sa, SA_DELETING); /* the notify is the last thing that it does */
    sa->die_at = sa->ike->now + IKE_DELETED_LIFE;
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct auth_req *s = scratch;
    own_fini(&s->own);
    own_fini(&s->besides);
    peer_fini(&s->peer);
}

const struct ike_step step_auth_req = {
    .name = "IKE_AUTH", .exchange = XCHG_IKE_AUTH, .role = XCHG_REQUESTER, .scratch = sizeof(struct auth_req),
    .build = build, .consume = consume, .commit = commit, .failed = failed, .fini = fini,
};

/* --- the first Child SA ---------------------------------------------------------------------------------------------- */

struct first_child {
    struct ike_pending *p;
    struct ike_task *task; /* who wanted it; NULL: nobody by name */
    bool withheld;         /* the peer leaves it out on purpose: still to be done */
    enum adit_rc rc;       /* why there is none */
    struct adit_why why;
};

static bool may_omit(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.may_omit_child && ike_exts[i]->on.may_omit_child(sa))
            return true;
    return false;
}

static struct ike_task *first_wanted(struct ike_sa *sa)
{
    list_for_each(it, &sa->tasks) {
        struct ike_task *t = list_entry(it, struct ike_task, link);
        if (t->kind == TASK_NEW_CHILD)
            return t;
    }
    return NULL;
}

static enum want first_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    if (msg)
        return WANT_NO;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.first_child && !ike_exts[i]->on.first_child(sa))
            return WANT_NO;
    if (!first_wanted(sa) && (may_omit(sa) || !sa->conn->cfg->n_children))
        return WANT_NO;
    return WANT_RIDE;
}

static enum adit_rc begin_first(struct ike_xchg *x, struct first_child *s, struct adit_why *why)
{
    struct ike_sa *sa = x->sa;
    if (!(s->p = pending_new(sa, PENDING_FIRST_CHILD, true)))
        return ADIT_ERR_MEMORY;
    s->task = first_wanted(sa); /* stays in the agenda until it is done: the SA may end before */
    s->p->reqid = s->task ? s->task->reqid : 0;
    s->p->cfg = s->task ? s->task->cfg : sa->conn->cfg->n_children ? &sa->conn->cfg->children[0] : NULL;
    if (!s->p->cfg)
        return why_set(why, ADIT_ERR_CONFIG, "connection %s has no child", sa_conn_name(sa));
    TRY(buf_set(&s->p->nonce_i, buf_span(&sa->nonce_i)));
    TRY(buf_set(&s->p->nonce_r, buf_span(&sa->nonce_r)));
    TRY(child_offer(x, s->p, true, why));
    child_offer_packet(s->p, s->task);
    return ADIT_OK;
}

static enum adit_rc first_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct first_child *s = scratch;
    if (!s->p)
        TRY(begin_first(x, s, why));
    child_put_sa(w, s->p);
    child_put_ts(w, s->p);
    return ADIT_OK;
}

static enum adit_rc first_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct first_child *s = scratch;
    uint16_t type;
    s->withheld = !msg_find(msg, PLD_SA) && auth_withholds_child(x->sa, msg);
    if (msg_find(msg, PLD_SA))
        s->rc = child_may(x->sa, &s->why);
    else
        s->rc = reply_read(msg, &type, &s->why);
    if (s->rc == ADIT_OK && msg_find(msg, PLD_SA))
        s->rc = child_check(x, s->p, msg, true, &s->why);
    if (s->rc == ADIT_OK && !msg_find(msg, PLD_SA))
        s->rc = why_set(&s->why, ADIT_ERR_PEER, "peer made no Child SA and does not say why");
    return ADIT_OK; /* the IKE SA stands (RFC 7296 s1.2) */
}

/* The task is answered: by the child that came up, or by why it did not. */
static void first_commit(struct ike_xchg *x, void *scratch)
{
    struct first_child *s = scratch;
    struct ike_sa *sa = x->sa;
    struct ike_pending *p = s->p;
    if (sa->cut || s->withheld)
        return;
    if (s->task)
        list_remove(&s->task->link);
    if (s->rc != ADIT_OK) {
        sa_log(sa, ADIT_LOG_AUDIT, "CHD", "CHILD_SA %s failed: %s", p->cfg->name, s->why.text);
        child_disown(p);
        if (s->task)
            task_end(sa, s->task, s->rc, s->why.text);
        return;
    }
    s->p = NULL;
    p->cookie = s->task ? s->task->cookie : 0;
    task_free(s->task);
    pending_commit(p);
}

static void first_fini(struct ike_xchg *x, void *scratch)
{
    struct first_child *s = scratch;
    pending_free(s->p);
    s->p = NULL;
}

const struct ike_step step_first_child_req = {
    .name = "CHILD_CREATE", .exchange = XCHG_IKE_AUTH, .role = XCHG_REQUESTER, .scratch = sizeof(struct first_child),
    .want = first_want, .build = first_build, .consume = first_consume, .commit = first_commit, .fini = first_fini,
};
