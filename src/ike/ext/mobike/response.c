/* response.c - what the peer asks: addresses in IKE_AUTH, and moves, lists and checks in INFORMATIONAL exchanges
 * (RFC 4555 s3.4 - s3.9). Only the initiator's moves count. */
#include "ike/ext/mobike/mobike.h"

/* --- IKE_AUTH ---------------------------------------------------------------------------------------------------------- */

struct auth {
    struct mobike_list own, peer;
};

static enum want auth_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    struct notify n;
    bool both = mobike_may_use(sa) && msg_notify(msg, N_MOBIKE_SUPPORTED, &n);
    return both ? WANT_RIDE : WANT_NO;
}

static enum adit_rc auth_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct auth *a = scratch;
    if (!mobike_nats_ok(msg, xchg_path(x)))
        return why_set(why, ADIT_ERR_PATH, "NO_NATS_ALLOWED names other addresses than the packet has");
    mobike_list_get(msg, &a->peer);
    return ADIT_OK;
}

static enum adit_rc auth_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct auth *a = scratch;
    mobike_list_own(xchg_sa(x), &a->own);
    mobike_list_put(w, &a->own);
    return ADIT_OK;
}

static void auth_commit(struct ike_xchg *x, void *scratch)
{
    const struct auth *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct mobike_state *s = ext_sa(sa, EXT_mobike);
    if (!s)
        return;
    s->peer_first = sa_path(sa)->remote.addr;
    s->peer = a->peer;
    s->told = a->own;
}

const struct ike_step mobike_auth_resp = {
    .name = "IKE_MOBIKE",
    .exchange = XCHG_IKE_AUTH,
    .role = XCHG_RESPONDER,
    .scratch = sizeof(struct auth),
    .want = auth_want,
    .consume = auth_consume,
    .build = auth_build,
    .commit = auth_commit,
};

/* --- INFORMATIONAL ----------------------------------------------------------------------------------------------------- */

struct answer {
    bool update, list, refused;
    struct mobike_list peer;
    struct adit_span cookie; /* in the message, which lives as long */
    struct ike_nat_view nat;
};

static enum want info_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return sa_is_established(sa) && mobike_of(sa) ? WANT_RIDE : WANT_NO;
}

/* s3.5, s3.6: within a window above 1 requests arrive in any order, and the newest one counts. */
static bool overtaken(const struct ike_xchg *x, uint32_t newest_after)
{
    return newest_after && (int32_t)(newest_after - xchg_msgid(x)) > 1;
}

static bool cookie_ok(struct adit_span data)
{
    return data.n >= 8 && data.n <= 64;
}

static enum adit_rc info_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct answer *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    const struct mobike_state *s = mobike_of(sa);
    struct notify n;
    a->cookie = msg_notify(msg, N_COOKIE2, &n) && cookie_ok(n.data) ? n.data : SPAN_NONE;
    a->update = msg_notify(msg, N_UPDATE_SA_ADDRESSES, &n) && s && !s->initiator && !overtaken(x, s->update_after);
    a->list = mobike_list_get(msg, &a->peer) && s && !overtaken(x, s->list_after);
    a->refused = a->update && !sa_may_be_at(sa, NULL, &xchg_path(x)->remote.addr);
    ike_nat()->get(sa, msg, xchg_path(x), &a->nat);
    if ((a->update || a->list) && !mobike_nats_ok(msg, xchg_path(x)))
        return why_set(why, ADIT_ERR_PATH, "NO_NATS_ALLOWED names other addresses than the packet has");
    return ADIT_OK;
}

static enum adit_rc info_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    const struct answer *a = scratch;
    struct ike_nat_view nat;
    ike_nat()->now(xchg_sa(x), &nat);
    if (a->refused)
        notify_put(w, N_UNACCEPTABLE_ADDRESSES, SPAN_NONE);
    if (a->nat.seen && nat.seen)
        ike_nat()->put(xchg_sa(x), xchg_path(x), w);
    if (a->cookie.n)
        notify_put(w, N_COOKIE2, a->cookie);
    return ADIT_OK;
}

/* s3.5. Child SAs wait for the check, unless it is the port alone that has changed. */
static void follow(struct ike_xchg *x, struct mobike_state *s, const struct answer *a)
{
    struct ike_sa *sa = xchg_sa(x);
    STRBUF(to, 80);
    endpoint_print(&to, &xchg_path(x)->remote);
    sa_log(sa, ADIT_LOG_INFO, "IKE", "peer moves to %s", to.p);
    s->later = a->nat;
    mobike_move(sa, s, xchg_path(x));
    if (s->held)
        s->todo |= MOBIKE_CHECK;
    else
        mobike_release(sa, s);
    mobike_push(sa, s);
}

/* s3.6. An initiator whose peer has left goes where it was heard from. */
static void renew_list(struct ike_xchg *x, struct mobike_state *s, const struct mobike_list *list)
{
    struct ike_sa *sa = xchg_sa(x);
    const struct adit_addr *now = &sa_path(sa)->remote.addr;
    s->peer = *list;
    s->peer_first = xchg_path(x)->remote.addr;
    sa_log(sa, ADIT_LOG_INFO, "IKE", "addresses that the peer has beside the one it told this from: %u", list->n);
    if (s->initiator && !addr_equal(now, &s->peer_first) && !mobike_list_has(list, now))
        mobike_decide(sa, s, xchg_path(x));
}

static void info_commit(struct ike_xchg *x, void *scratch)
{
    const struct answer *a = scratch;
    struct mobike_state *s = mobike_of(xchg_sa(x));
    if (s && a->update)
        s->update_after = xchg_msgid(x) + 1;
    if (s && a->list)
        s->list_after = xchg_msgid(x) + 1;
    if (!s || a->refused)
        return;
    if (a->update)
        follow(x, s, a);
    if (a->list)
        renew_list(x, s, &a->peer);
}

const struct ike_step mobike_info_resp = {
    .name = "IKE_MOBIKE",
    .exchange = XCHG_INFORMATIONAL,
    .role = XCHG_RESPONDER,
    .scratch = sizeof(struct answer),
    .want = info_want,
    .consume = info_consume,
    .build = info_build,
    .commit = info_commit,
};
