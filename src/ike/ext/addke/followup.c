/* followup.c - IKE_FOLLOWUP_KE (RFC 9370 s2.2.4): the key exchanges after CREATE_CHILD_SA, tied together by link data that
 * the responder makes up and the requester repeats. Keys are made once, at the end. */
#include "ike/ext/addke/addke.h"

#define LINK_SIZE 16

struct link_state { /* in the pending SA's slot */
    uint8_t link[64]; /* responder: what we expect back; requester: what we have to repeat */
    uint8_t n;
};

struct follow {
    uint32_t pending; /* its id: the negotiation may come to its end while work is out */
    struct ike_ke ke;
    bool last;
};

static struct ike_pending *followed(struct ike_xchg *x, const struct follow *f)
{
    return f->pending ? pending_by_id(xchg_sa(x), f->pending) : NULL;
}

static enum adit_rc given_up(struct adit_why *why)
{
    return why_set(why, ADIT_ERR_NO_STATE, "the negotiation was given up");
}

/* Key exchanges done, type 4 among them, if there is one: RFC 9370 allows additional ones only beside it. */
static uint16_t next_method(const struct ike_pending *p)
{
    const struct adit_suite *s = pending_suite(p);
    return s->ke[0] && pending_done(p) ? addke_method(s, pending_done(p) - 1) : 0;
}

bool addke_more(struct ike_pending *p)
{
    return next_method(p) != 0;
}

/* --- link data ------------------------------------------------------------------------------------------------------- */

void addke_more_put(struct ike_pending *p, struct wr *w)
{
    struct link_state *l = pending_slot(p, sizeof(*l));
    if (!next_method(p) || !l)
        return;
    if (!sa_random(pending_sa(p), l->link, LINK_SIZE))
        return; /* no link data: the requester gives up */
    l->n = LINK_SIZE;
    notify_put(w, N_ADDITIONAL_KEY_EXCHANGE, span(l->link, l->n));
}

static enum adit_rc take_link(struct ike_pending *p, const struct ike_msg *msg, bool needed, struct adit_why *why)
{
    struct link_state *l = pending_slot(p, sizeof(*l));
    struct notify n;
    if (!needed)
        return ADIT_OK;
    if (!l)
        return ADIT_ERR_MEMORY;
    if (!msg_notify(msg, N_ADDITIONAL_KEY_EXCHANGE, &n))
        return why_set(why, ADIT_ERR_NO_STATE, "peer agreed on more key exchanges but gives no link to the next one");
    if (n.data.n == 0 || n.data.n > sizeof(l->link))
        return why_set(why, ADIT_ERR_MALFORMED, "link data of %zu octets", n.data.n);
    span_copy(l->link, n.data);
    l->n = (uint8_t)n.data.n;
    return ADIT_OK;
}

/* Asked while the first key exchange of the series is in hand: are there additional ones in the suite at all? */
enum adit_rc addke_more_get(struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why)
{
    const struct adit_suite *s = pending_suite(p);
    return take_link(p, msg, s->ke[0] && addke_method(s, 0), why);
}

/* --- requester --------------------------------------------------------------------------------------------------------- */

void addke_more_start(struct ike_pending *p)
{
    if (!next_method(p))
        return;
    if (sa_open_exchange(pending_sa(p), &addke_followup_req, pending_id(p)) != ADIT_OK)
        pending_fail(p, ADIT_ERR_MEMORY, "out of memory");
}

static enum adit_rc req_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct follow *f = scratch;
    f->pending = xchg_opened_for(x);
    struct ike_pending *p = followed(x, f);
    struct link_state *l = p ? pending_slot(p, sizeof(*l)) : NULL;
    if (!l)
        return given_up(why);
    TRY(ke_init(x, &f->ke, next_method(p)));
    ke_put(w, f->ke.alg->id, buf_span(&f->ke.ours));
    notify_put(w, N_ADDITIONAL_KEY_EXCHANGE, span(l->link, l->n));
    ke_ahead(x, addke_method(pending_suite(p), pending_done(p)));
    return ADIT_OK;
}

static bool is_last(const struct ike_pending *p)
{
    return addke_method(pending_suite(p), pending_done(p)) == 0;
}

static enum adit_rc req_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct follow *f = scratch;
    struct ike_pending *p = followed(x, f);
    if (!p)
        return given_up(why);
    TRY(take_link(p, msg, !is_last(p), why));
    return ke_finish(x, &f->ke, msg, why);
}

static void go_on(struct ike_pending *p, struct ike_ke *ke)
{
    if (pending_add_secret(p, &ke->secret) != ADIT_OK)
        pending_fail(p, ADIT_ERR_BUG, "too many key exchanges");
    else if (!next_method(p))
        pending_complete(p);
    else {
        pending_touch(p);
        if (pending_is_requester(p))
            addke_more_start(p);
    }
}

static void req_commit(struct ike_xchg *x, void *scratch)
{
    struct follow *f = scratch;
    struct ike_pending *p = followed(x, f);
    if (p)
        go_on(p, &f->ke);
}

static void req_failed(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    struct ike_pending *p = followed(x, scratch);
    if (p)
        pending_fail(p, rc, why->text);
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct follow *f = scratch;
    ke_fini(&f->ke);
}

/* --- responder --------------------------------------------------------------------------------------------------------- */

static enum want resp_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return msg && sa_is_established(sa) ? WANT_OPEN : WANT_NO;
}

static bool has_link(struct ike_pending *p, const void *arg)
{
    const struct adit_span *link = arg;
    struct link_state *l = pending_slot(p, sizeof(*l));
    return !pending_is_requester(p) && l && l->n && secret_equal(*link, span(l->link, l->n));
}

static enum adit_rc resp_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct follow *f = scratch;
    struct notify n;
    struct ike_pending *p = followed(x, f); /* it may have run out of time while work was out */
    if (!f->pending && msg_notify(msg, N_ADDITIONAL_KEY_EXCHANGE, &n))
        p = pending_find(xchg_sa(x), has_link, &n.data);
    if (!p)
        return why_set(why, ADIT_ERR_NO_STATE, "IKE_FOLLOWUP_KE that follows nothing");
    f->pending = pending_id(p);
    TRY(ke_respond(x, &f->ke, next_method(p), msg, why));
    f->last = is_last(p);
    return ADIT_OK;
}

static enum adit_rc resp_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct follow *f = scratch;
    struct ike_pending *p = followed(x, f);
    if (!p)
        return given_up(why);
    ke_put(w, f->ke.alg->id, buf_span(&f->ke.ours));
    if (!f->last)
        addke_more_put(p, w); /* a new link for the next one */
    return ADIT_OK;
}

static void resp_commit(struct ike_xchg *x, void *scratch)
{
    struct follow *f = scratch;
    struct ike_pending *p = followed(x, f);
    if (p)
        go_on(p, &f->ke);
}

const struct ike_step addke_followup_req = {
    .name = "CHILD_MULTI_KE", .exchange = XCHG_IKE_FOLLOWUP_KE, .role = XCHG_REQUESTER, .beside = true,
    .scratch = sizeof(struct follow),
    .build = req_build, .consume = req_consume, .commit = req_commit, .failed = req_failed, .fini = fini,
};
const struct ike_step addke_followup_resp = {
    .name = "CHILD_MULTI_KE", .exchange = XCHG_IKE_FOLLOWUP_KE, .role = XCHG_RESPONDER, .scratch = sizeof(struct follow),
    .want = resp_want, .consume = resp_consume, .build = resp_build, .commit = resp_commit, .fini = fini,
};
