/* opening.c - IKE_SESSION_RESUME (RFC 5723 s4.3.2): a ticket in the place of proposals and key exchange. Whatever is wrong
 * with it, the answer is TICKET_NACK, and the initiator begins anew with IKE_SA_INIT. */
#include "ike/ext/resumption/resumption.h"

#define COOKIE_ROUNDS 4

struct resume {
    struct adit_span ours, theirs, cookie; /* nonces */
    unsigned cookies;
    struct ticket ticket;
    struct ike_keys keys;
};

/* --- as initiator ---------------------------------------------------------------------------------------------------- */

static bool is_ripe(const struct stored *s, uint64_t now)
{
    return s && s->lost && !s->user && s->expires > now;
}

static bool wants(struct ike_sa *sa)
{
    struct vault *v = vault_of(sa);
    struct stored *s = v ? store_find(v->store, sa_conn(sa)) : NULL;
    struct adit_why why = { 0 };
    if (!is_ripe(s, sa_now(sa)) || resumption_is(sa, "no"))
        return false;
    if (s->pause) {
        s->pause = false;
        return false;
    }
    if (sa_memo_take(sa, secret_span(&s->memo), &why) != ADIT_OK) {
        sa_log(sa, ADIT_LOG_INFO, "IKE", "not resuming: %s", why.text);
        store_drop(&v->store, s);
        return false;
    }
    struct state *st = ext_sa(sa, EXT_resumption);
    if (!st)
        return false;
    st->client = st->resumed = true;
    s->user = sa_id(sa);
    sa_log(sa, ADIT_LOG_INFO, "IKE", "resuming the IKE_SA with a ticket of %zu octets", s->ticket.n);
    return true;
}

/* Nobody answered: the ticket was not used (s4.3.1), and may do after the network is back. Refused: it is worthless. */
static void failed(struct ike_sa *sa, enum adit_rc rc)
{
    struct vault *v = vault_of(sa);
    struct stored *s = v ? store_find(v->store, sa_conn(sa)) : NULL;
    if (!s || s->user != sa_id(sa))
        return;
    s->user = 0;
    s->pause = true;
    if (rc != ADIT_ERR_TIMEOUT || sa_is_keyed(sa))
        store_drop(&v->store, s);
}

static enum adit_rc req_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct resume *r = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct vault *v = vault_of(sa);
    struct stored *s = v ? store_find(v->store, sa_conn(sa)) : NULL;
    if (!s || s->user != sa_id(sa))
        return why_set(why, ADIT_ERR_NO_STATE, "the ticket is gone");
    if (!r->ours.n)
        TRY(opening_nonce(x, &r->ours));
    if (r->cookie.n)
        notify_put(w, N_COOKIE, r->cookie); /* first payload, RFC 7296 s2.6 */
    nonce_put(w, r->ours);
    notify_put(w, N_TICKET_OPAQUE, buf_span(&s->ticket));
    return ADIT_OK;
}

static enum adit_rc take_cookie(struct ike_xchg *x, struct resume *r, const struct notify *n, struct adit_why *why)
{
    if (r->cookie.n && span_equal(r->cookie, n->data))
        return opening_is_stale(x, why);
    if (n->data.n < 1 || n->data.n > 64 || r->cookies++ >= COOKIE_ROUNDS)
        return why_set(why, ADIT_ERR_LIMIT, "peer keeps asking for cookies");
    r->cookie = arena_span(xchg_arena(x), n->data);
    opening_repeat(x);
    return r->cookie.p ? ADIT_OK : ADIT_ERR_MEMORY;
}

static enum adit_rc read_nonce(const struct ike_msg *msg, struct adit_span *out, struct adit_why *why)
{
    const struct payload *p = msg_find(msg, PLD_NONCE);
    struct rd in = rd_init(p ? p->body : SPAN_NONE);
    if (p && nonce_get(&in, out))
        return ADIT_OK;
    return why_set(why, ADIT_ERR_MALFORMED, "Nonce payload: %s", p ? in.fail : "missing");
}

static enum adit_rc req_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct resume *r = scratch;
    struct notify n;
    keys_fini(&r->keys); /* of an earlier response that was not accepted */
    if (msg_notify(msg, N_COOKIE, &n))
        return take_cookie(x, r, &n, why);
    if (msg_notify(msg, N_TICKET_NACK, &n)) {
        opening_is_refused(x);
        return why_set(why, ADIT_ERR_PEER, "peer does not take the ticket (TICKET_NACK)");
    }
    TRY(read_nonce(msg, &r->theirs, why));
    if (!msg->hdr.spi_r)
        return why_set(why, ADIT_ERR_MALFORMED, "response without a responder SPI");
    return opening_keys(x, r->ours, r->theirs, &r->keys);
}

/* --- as responder ---------------------------------------------------------------------------------------------------- */

static enum want resp_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return sa_is_keyed(sa) || sa_is_initiator(sa) ? WANT_NO : WANT_OPEN;
}

static enum adit_rc open_ticket(struct ike_sa *sa, struct resume *r, struct adit_span octets, struct adit_why *why)
{
    struct vault *v = vault_of(sa);
    if (!v)
        return ADIT_ERR_MEMORY;
    if (ticket_open(sa_crypto(sa), v->key, ARRAY_LEN(v->key), octets, &r->ticket) != ADIT_OK)
        return why_set(why, ADIT_ERR_POLICY, "the ticket is not ours, of a key that is gone, or damaged");
    if (r->ticket.expires <= sa_unix_time(sa))
        return why_set(why, ADIT_ERR_POLICY, "the ticket has expired");
    if (used_has(&v->used, r->ticket.id))
        return why_set(why, ADIT_ERR_POLICY, "the ticket was used before, or its IKE SA was closed or rekeyed");
    return ADIT_OK;
}

static enum adit_rc resp_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct resume *r = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct notify n;
    TRY(read_nonce(msg, &r->theirs, why));
    if (!msg_notify(msg, N_TICKET_OPAQUE, &n))
        return why_set(why, ADIT_ERR_MALFORMED, "no ticket");
    TRY(open_ticket(sa, r, n.data, why));
    TRY(sa_memo_take(sa, r->ticket.memo, why));
    if (resumption_is(sa, "no"))
        return why_set(why, ADIT_ERR_POLICY, "resumption = no");
    TRY(opening_nonce(x, &r->ours));
    return opening_keys(x, r->ours, r->theirs, &r->keys);
}

static enum adit_rc resp_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    const struct resume *r = scratch;
    nonce_put(w, r->ours);
    return ADIT_OK;
}

static void commit(struct ike_xchg *x, void *scratch)
{
    struct resume *r = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct state *s = ext_sa(sa, EXT_resumption);
    if (!s) {
        sa_fail(sa, ADIT_ERR_MEMORY, "out of memory");
        return;
    }
    s->resumed = true;
    s->ticket = r->ticket.id;
    s->ticket_expires = r->ticket.expires;
    opening_commit(x, r->ours, r->theirs, &r->keys);
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct resume *r = scratch;
    ticket_fini(&r->ticket);
    keys_fini(&r->keys);
}

static const struct ike_step resume_req = {
    .name = "IKE_RESUME",
    .exchange = XCHG_IKE_SESSION_RESUME,
    .role = XCHG_REQUESTER,
    .scratch = sizeof(struct resume),
    .build = req_build,
    .consume = req_consume,
    .commit = commit,
    .fini = fini,
};
const struct ike_step resume_resp = {
    .name = "IKE_RESUME",
    .exchange = XCHG_IKE_SESSION_RESUME,
    .role = XCHG_RESPONDER,
    .scratch = sizeof(struct resume),
    .want = resp_want,
    .consume = resp_consume,
    .build = resp_build,
    .commit = commit,
    .fini = fini,
};
const struct ike_opening resumption_opening = {
    .exchange = XCHG_IKE_SESSION_RESUME,
    .refusal = N_TICKET_NACK,
    .step = &resume_req,
    .wants = wants,
    .failed = failed,
};
