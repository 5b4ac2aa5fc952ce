/* create_child.c - CREATE_CHILD_SA for a new Child SA and for rekeying one (RFC 7296 s1.3.1, s1.3.3). */
#include "ike/xchg/child_nego.h"

struct create {
    struct ike_pending *p;
    struct ike_ke ke;
    uint16_t method;
    bool begun;
};

/* --- requester ----------------------------------------------------------------------------------------------------- */

static enum adit_rc target(struct ike_xchg *x, struct ike_pending *p, struct adit_why *why)
{
    struct ike_child *old = child_by_id(x->ike, x->task->child_id);
    if (!old || old->sa != x->sa || old->state == ADIT_CHILD_REKEYED || old->state == ADIT_CHILD_DELETING)
        return why_set(why, ADIT_ERR_NOT_FOUND, "the Child SA was rekeyed or closed meanwhile");
    old->state = ADIT_CHILD_REKEYING;
    p->cfg = old->cfg;
    p->reqid = old->reqid;
    p->old_child = old->id;
    p->resource = old->resource;
    p->shares = old->shares;
    if (!old->reselect)
        child_old_selectors(p, old);
    p->form = x->task->regular ? NULL : rekey_form_for(p);
    return ADIT_OK;
}

/* One more, the same but for keys and the resource (RFC 9611). */
static enum adit_rc one_more(struct ike_xchg *x, struct ike_pending *p, struct adit_why *why)
{
    const struct ike_child *like = child_by_id(x->ike, x->task->child_id);
    if (!like || like->sa != x->sa)
        return why_set(why, ADIT_ERR_NOT_FOUND, "the Child SA that it was to be like was closed meanwhile");
    p->like = like->id;
    p->resource = x->task->resource;
    p->shares = true;
    child_old_selectors(p, like);
    return ADIT_OK;
}

static enum adit_rc begin(struct ike_xchg *x, struct create *s, bool rekey, struct adit_why *why)
{
    sa_take_newest(x->sa, x);
    if (!(s->p = pending_new(x->sa, rekey ? PENDING_REKEY_CHILD : PENDING_NEW_CHILD, true)))
        return ADIT_ERR_MEMORY;
    s->p->cookie = x->task->cookie;
    s->p->reqid = x->task->reqid;
    s->p->cfg = x->task->cfg;
    if (rekey)
        TRY(target(x, s->p, why));
    else
        TRY(child_may(x->sa, why));
    if (x->task->resource)
        TRY(one_more(x, s->p, why));
    TRY(child_offer(x, s->p, false, why));
    if (!rekey)
        child_offer_packet(s->p, x->task);
    TRY(nego_fresh_nonce(x->sa, &s->p->nonce_i));
    if (s->p->form)
        s->method = s->p->suite.ke[0];
    else
        s->method = x->task->ke_method ? x->task->ke_method : negotiate_first_ke(s->p->offer);
    s->begun = true;
    return ADIT_OK;
}

static enum adit_rc put_request(struct ike_xchg *x, struct create *s, bool rekey, struct wr *w, struct adit_why *why)
{
    if (!s->begun)
        TRY(begin(x, s, rekey, why));
    if (s->method)
        TRY(ke_init(x, &s->ke, s->method));
    struct ike_child *old = rekey ? child_by_id(x->ike, s->p->old_child) : NULL;
    if (rekey && !old)
        return why_set(why, ADIT_ERR_NOT_FOUND, "the Child SA was rekeyed or closed meanwhile");
    if (rekey)
        notify_put_spi(w, PROTO_ESP, old->spi_in, N_REKEY_SA, SPAN_NONE);
    child_put_sa(w, s->p);
    nonce_put(w, buf_span(&s->p->nonce_i));
    if (s->method)
        ke_put(w, s->method, buf_span(&s->ke.ours));
    child_put_ts(w, s->p);
    return ADIT_OK;
}

static enum adit_rc new_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    return put_request(x, scratch, false, w, why);
}

static enum adit_rc rekey_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    return put_request(x, scratch, true, w, why);
}

static enum adit_rc req_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct create *s = scratch;
    TRY(child_check(x, s->p, msg, false, why));
    TRY(nego_get_nonce(msg, &s->p->nonce_r, why));
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.more_get)
            TRY(ike_exts[i]->on.more_get(s->p, msg, why));
    if (!s->p->suite.ke[0])
        return ADIT_OK;
    if (s->p->suite.ke[0] != s->method)
        return why_set(why, ADIT_ERR_MALFORMED, "peer chose another KE method than our KE payload's");
    return ke_finish(x, &s->ke, msg, why);
}

static void req_commit(struct ike_xchg *x, void *scratch)
{
    struct create *s = scratch;
    struct ike_pending *p = s->p;
    s->p = NULL;
    if (p->suite.ke[0])
        (void)!pending_add_secret(p, &s->ke.secret);
    p->crossing_id = x->task->crossing_id;
    buf_move(&p->crossing_nonce, &x->task->crossing_nonce);
    x->task->cookie = 0; /* answered when the Child SA is there */
    pending_commit(p);
}

static bool retry_with_method(struct ike_xchg *x, struct ike_task *t, enum adit_rc rc)
{
    struct notify n;
    if (rc != ADIT_ERR_KE_METHOD || t->tries >= IKE_KE_RETRIES || !msg_notify(&x->msg, N_INVALID_KE_PAYLOAD, &n) ||
        n.data.n != 2)
        return false;
    t->ke_method = (uint16_t)(n.data.p[0] << 8 | n.data.p[1]);
    agenda_again(x->sa, t, 0);
    return true;
}

/* The peer does not know the Child SA any more: it is gone on both sides, and made anew if it is still wanted. */
static void forget_old(struct ike_sa *sa, struct ike_child *old)
{
    const struct adit_child_cfg *cfg = old->cfg;
    uint32_t reqid = old->reqid;
    bool bound = old->resource != 0;
    child_remove(old, IKE_CHILD_GRACE, "the peer does not know it any more");
    if (bound) /* made anew when its worker asks for it */
        return;
    struct ike_task *t = agenda_add(sa, TASK_NEW_CHILD, &step_new_child_req);
    if (!t)
        return;
    t->cfg = cfg;
    t->reqid = reqid;
}

/* Made on the peer's request, and nothing has shown yet that our answer reached it: it still repeats that request. That it
 * asks for something one window later would show it. */
static bool may_be_news(const struct ike_child *c)
{
    return c->made_before && (int32_t)(c->sa->next_expect - c->made_before) < c->sa->window &&
           c->sa->ike->now < c->installed_at + IKE_REKEYED_LIFE;
}

static void child_failed(struct ike_sa *sa, struct ike_task *t, struct ike_child *old, enum adit_rc rc)
{
    if (t->resource || !old || old->state == ADIT_CHILD_REKEYED || old->state == ADIT_CHILD_DELETING)
        return; /* its fate is decided already */
    if (old->state == ADIT_CHILD_REKEYING)
        old->state = ADIT_CHILD_INSTALLED;
    if (rc == ADIT_ERR_NO_CHILD && !t->crossing_id && !may_be_news(old))
        forget_old(sa, old);
    else if (!t->crossing_id) /* once more before it expires */
        old->rekey_at = sa->ike->now + SECONDS(10) + ike_jitter(sa->ike, SECONDS(10));
    else {
        old->state = ADIT_CHILD_REKEYED; /* the peer's rekeying of it counts */
        old->rekeyed_to = t->crossing_id;
    }
}

static void tell_exts(struct ike_sa *sa, uint32_t like, enum adit_rc rc)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.child_refused)
            ike_exts[i]->on.child_refused(sa, like, rc);
}

static void req_failed(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    struct ike_sa *sa = x->sa;
    struct ike_task *t = x->task;
    struct ike_child *old = t ? child_by_id(x->ike, t->child_id) : NULL;
    struct create *s = scratch;
    if (!t || sa->state != SA_ESTABLISHED)
        return;
    if (s->p)
        child_disown(s->p);
    if (old && old->state == ADIT_CHILD_REKEYING && !t->resource)
        old->state = ADIT_CHILD_INSTALLED;
    x->task = NULL;
    if (retry_with_method(x, t, rc) || rekey_again_regular(sa, t, s->p, rc))
        return;
    if (rc == ADIT_ERR_TEMPORARY && !t->crossing_id && t->tries < IKE_TEMPORARY_TRIES) {
        agenda_again(sa, t, IKE_TEMPORARY_RETRY_MIN + ike_jitter(sa->ike, 2 * IKE_TEMPORARY_RETRY_MIN));
        return;
    }
    child_failed(sa, t, old, rc);
    if (rc == ADIT_ERR_NO_ADDITIONAL && t->kind == TASK_REKEY_CHILD && old)
        sa_renew(sa, t);
    if (t->resource)
        tell_exts(sa, t->child_id, rc);
    if (t->kind == TASK_REKEY_CHILD && !old && t->cfg)
        child_lost(sa, t->cfg, t->cfg->close_action);
    task_end(sa, t, rc, why->text);
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct create *s = scratch;
    ke_fini(&s->ke);
    pending_free(s->p);
    s->p = NULL;
}

/* --- responder ----------------------------------------------------------------------------------------------------- */

static bool is_rekey(const struct ike_msg *msg, struct notify *n)
{
    return msg_notify(msg, N_REKEY_SA, n);
}

static enum want new_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    struct notify n;
    bool regular = msg && msg_find(msg, PLD_TSi) && !rekey_form_of(sa, msg);
    return sa_is_established(sa) && regular && !is_rekey(msg, &n) ? WANT_OPEN : WANT_NO;
}

static enum want rekey_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    struct notify n;
    bool known = msg && (msg_find(msg, PLD_TSi) || rekey_form_of(sa, msg));
    return sa_is_established(sa) && known && is_rekey(msg, &n) ? WANT_OPEN : WANT_NO;
}

/* REKEY_SA names the SA by the SPI that its sender receives on: our outbound one (RFC 7296 s1.3.3). */
static enum adit_rc rekey_target(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg,
                                 struct adit_why *why)
{
    struct notify n = { 0 };
    is_rekey(msg, &n);
    struct rd in = rd_init(n.spi);
    x->reply_spi = rd_u32(&in);
    if (n.proto != PROTO_ESP || !rd_end(&in)) /* RFC 7296 s3.10 */
        return why_set(why, ADIT_ERR_NO_CHILD, "REKEY_SA names no ESP SA");
    struct ike_child *old = child_by_spi(x->sa, x->reply_spi, false);
    if (!old && collide_unknown_child(x->sa))
        return why_set(why, ADIT_ERR_TEMPORARY, "SPI %08x is not known yet: an answer may be under way", x->reply_spi);
    if (!old)
        return why_set(why, ADIT_ERR_NO_CHILD, "no Child SA with SPI %08x", x->reply_spi);
    TRY(collide_request(x->sa, COLLIDE_REKEY_CHILD, old, why));
    p->cfg = old->cfg;
    p->reqid = old->reqid;
    p->old_child = old->id;
    p->resource = old->resource;
    p->shares = old->shares;
    p->form = rekey_form_of(x->sa, msg);
    return ADIT_OK;
}

static enum adit_rc kei_method(const struct ike_msg *msg, uint16_t *method, struct adit_why *why)
{
    const struct payload *p = msg_find(msg, PLD_KE);
    struct ke_payload ke;
    *method = 0;
    if (!p)
        return ADIT_OK;
    struct rd in = rd_init(p->body);
    if (!ke_get(&in, &ke))
        return why_set(why, ADIT_ERR_MALFORMED, "KE payload: %s", in.fail);
    *method = ke.method;
    return ADIT_OK;
}

static enum adit_rc want_method(struct ike_xchg *x, uint16_t method, struct adit_why *why)
{
    uint8_t *want = arena_new(&x->arena, 2);
    if (!want)
        return ADIT_ERR_MEMORY;
    want[0] = (uint8_t)(method >> 8);
    want[1] = (uint8_t)method;
    x->reply_data = span(want, 2);
    return why_set(why, ADIT_ERR_KE_METHOD, "KE payload is for another method than %s", iana_name(IANA_KE, method));
}

/* Rekeying replaces; only a further one may be one too many (RFC 7296 s1.3). But what is replaced has to be deleted sometime. */
static enum adit_rc has_room(const struct ike_sa *sa, bool rekey, struct adit_why *why)
{
    unsigned n = 0;
    list_for_each(it, &sa->children)
        n++;
    if (n < (rekey ? 2 : 1) * IKE_CHILDREN_MAX)
        return ADIT_OK;
    if (rekey)
        return why_set(why, ADIT_ERR_TEMPORARY, "the peer has not deleted what it has rekeyed: %u Child SAs", n);
    return why_set(why, ADIT_ERR_NO_ADDITIONAL, "the IKE SA has %u Child SAs already", n);
}

static enum adit_rc new_child_may(struct ike_xchg *x, struct adit_why *why)
{
    TRY(collide_request(x->sa, COLLIDE_NEW_CHILD, NULL, why));
    return child_may(x->sa, why);
}

static enum adit_rc resp_begin(struct ike_xchg *x, struct create *s, bool rekey, const struct ike_msg *msg,
                               struct adit_why *why)
{
    uint16_t kei;
    TRY(kei_method(msg, &kei, why));
    TRY(has_room(x->sa, rekey, why));
    sa_take_newest(x->sa, x);
    if (!(s->p = pending_new(x->sa, rekey ? PENDING_REKEY_CHILD : PENDING_NEW_CHILD, false)))
        return ADIT_ERR_MEMORY;
    if (rekey)
        TRY(rekey_target(x, s->p, msg, why));
    else
        TRY(new_child_may(x, why));
    TRY(child_choose(x, s->p, msg, false, kei, why));
    TRY(nego_get_nonce(msg, &s->p->nonce_i, why));
    TRY(nego_fresh_nonce(x->sa, &s->p->nonce_r));
    s->method = s->p->suite.ke[0];
    if (s->method && kei != s->method)
        return want_method(x, s->method, why);
    s->begun = true;
    return ADIT_OK;
}

/* Work was out: what the request is about may have been rekeyed or deleted by an exchange of ours that ended first. */
static enum adit_rc still_may(struct ike_xchg *x, struct create *s, bool rekey, struct adit_why *why)
{
    struct ike_child *old = rekey ? child_by_id(x->ike, s->p->old_child) : NULL;
    if (rekey && !old)
        return why_set(why, ADIT_ERR_NO_CHILD, "the Child SA was closed meanwhile");
    return collide_request(x->sa, rekey ? COLLIDE_REKEY_CHILD : COLLIDE_NEW_CHILD, old, why);
}

static enum adit_rc resp_consume(struct ike_xchg *x, struct create *s, bool rekey, const struct ike_msg *msg,
                                 struct adit_why *why)
{
    if (s->begun)
        TRY(still_may(x, s, rekey, why));
    else
        TRY(resp_begin(x, s, rekey, msg, why));
    if (!s->method)
        return ADIT_OK;
    TRY(ke_respond(x, &s->ke, s->method, msg, why));
    return s->p->n_secrets ? ADIT_OK : pending_add_secret(s->p, &s->ke.secret);
}

static enum adit_rc new_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    return resp_consume(x, scratch, false, msg, why);
}

static enum adit_rc rekey_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    return resp_consume(x, scratch, true, msg, why);
}

static enum adit_rc resp_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct create *s = scratch;
    child_put_answer(w, s->p);
    nonce_put(w, buf_span(&s->p->nonce_r));
    if (s->method)
        ke_put(w, s->method, buf_span(&s->ke.ours));
    child_put_ts(w, s->p);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.more_put)
            ike_exts[i]->on.more_put(s->p, w);
    return ADIT_OK;
}

static void resp_commit(struct ike_xchg *x, void *scratch)
{
    struct create *s = scratch;
    struct ike_pending *p = s->p;
    s->p = NULL;
    pending_commit(p);
}

#define CREATE_STEP(step_name, step_role)                                                                        \
    .name = step_name, .exchange = XCHG_CREATE_CHILD_SA, .role = step_role, .beside = true,             \
    .scratch = sizeof(struct create), .fini = fini

const struct ike_step step_new_child_req = { CREATE_STEP("CHILD_CREATE", XCHG_REQUESTER), .build = new_build,
                                             .consume = req_consume, .commit = req_commit, .failed = req_failed };
const struct ike_step step_rekey_child_req = { CREATE_STEP("CHILD_REKEY", XCHG_REQUESTER), .build = rekey_build,
                                               .consume = req_consume, .commit = req_commit, .failed = req_failed };
const struct ike_step step_new_child_resp = { CREATE_STEP("CHILD_CREATE", XCHG_RESPONDER), .want = new_want,
                                              .consume = new_consume, .build = resp_build, .commit = resp_commit };
const struct ike_step step_rekey_child_resp = { CREATE_STEP("CHILD_REKEY", XCHG_RESPONDER), .want = rekey_want,
                                                .consume = rekey_consume, .build = resp_build, .commit = resp_commit };
