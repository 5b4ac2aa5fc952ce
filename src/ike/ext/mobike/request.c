/* request.c - what we ask: IKE_AUTH's announcement of addresses (RFC 4555 s3.4), and one INFORMATIONAL exchange that says
 * whatever there is to say: new addresses (s3.5), other additional ones (s3.6), a check whether the peer is there (s3.7).
 * Each carries COOKIE2. NAT detection rides on liveness checks of an initiator behind a NAT (s3.8). */
#include "ike/ext/mobike/mobike.h"

#define NAT_RETRIES 5 /* after UNEXPECTED_NAT_DETECTED, s3.9: as many as repetitions of a request by default */

/* --- IKE_AUTH ---------------------------------------------------------------------------------------------------------- */

struct auth {
    bool theirs;
    struct mobike_list own, peer;
};

static enum want auth_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return mobike_may_use(sa) ? WANT_RIDE : WANT_NO;
}

static enum adit_rc auth_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct auth *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct ike_nat_view nat;
    mobike_list_own(sa, &a->own);
    mobike_list_put(w, &a->own);
    ike_nat()->now(sa, &nat);
    if (!nat.seen && !sa_path(sa)->tcp)
        mobike_nats_put(w, sa_path(sa));
    return ADIT_OK;
}

static enum adit_rc auth_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct auth *a = scratch;
    struct notify n;
    a->theirs = msg_notify(msg, N_MOBIKE_SUPPORTED, &n);
    mobike_list_get(msg, &a->peer);
    return ADIT_OK;
}

static void auth_commit(struct ike_xchg *x, void *scratch)
{
    struct auth *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct mobike_state *s = a->theirs ? ext_sa(sa, EXT_mobike) : NULL;
    if (!s)
        return;
    s->initiator = true;
    s->peer_first = sa_path(sa)->remote.addr;
    s->peer = a->peer;
    s->told = a->own;
    sa_log(sa, ADIT_LOG_INFO, "IKE", "peer can move to other addresses (MOBIKE), and has %u beside this one", s->peer.n);
}

/* --- INFORMATIONAL ---------------------------------------------------------------------------------------------------- */

struct ask {
    bool made, forged;
    uint8_t todo; /* what this one says */
    uint8_t cookie[MOBIKE_COOKIE];
    struct adit_path path; /* where it says it */
    struct mobike_list own;
    struct ike_nat_view nat, found;
};

/* While an initiator looks for its way, requests only ask who is there: none must tell the peer to move. */
static bool prepare(struct ike_sa *sa, const struct mobike_state *s, struct ask *a)
{
    if (a->made)
        return true;
    a->todo = s->lost && s->initiator ? 0 : s->todo;
    a->path = *sa_path(sa);
    mobike_list_own(sa, &a->own);
    ike_nat()->now(sa, &a->nat);
    return a->made = sa_random(sa, a->cookie, sizeof(a->cookie));
}

static enum adit_rc info_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct ask *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct mobike_state *s = mobike_of(sa);
    if (!s || !prepare(sa, s, a))
        return ADIT_ERR_CRYPTO;
    if (a->todo & MOBIKE_UPDATE)
        notify_put(w, N_UPDATE_SA_ADDRESSES, SPAN_NONE);
    if (a->todo & MOBIKE_UPDATE && a->nat.seen)
        ike_nat()->put(sa, &a->path, w);
    if (a->todo & MOBIKE_LIST && a->own.n)
        mobike_list_put(w, &a->own);
    else if (a->todo & MOBIKE_LIST)
        notify_put(w, N_NO_ADDITIONAL_ADDRESSES, SPAN_NONE);
    if (a->todo & (MOBIKE_UPDATE | MOBIKE_LIST) && !a->nat.seen && !a->path.tcp)
        mobike_nats_put(w, &a->path);
    notify_put(w, N_COOKIE2, SPAN_ARRAY(a->cookie));
    return ADIT_OK;
}

static enum adit_rc info_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct ask *a = scratch;
    struct notify n;
    if (!a->made)
        return ADIT_OK;
    a->forged = !msg_notify(msg, N_COOKIE2, &n) || !span_equal(n.data, SPAN_ARRAY(a->cookie));
    if (a->forged)
        return why_set(why, ADIT_ERR_PEER, "peer does not return our COOKIE2");
    if (a->todo & MOBIKE_UPDATE)
        ike_nat()->get(xchg_sa(x), msg, xchg_path(x), &a->found);
    return ADIT_OK;
}

/* Our search has an answer, on the path that we had put first. */
static void found_way(struct ike_sa *sa, struct mobike_state *s)
{
    s->lost = s->searching = false;
    s->todo |= s->initiator ? MOBIKE_UPDATE : MOBIKE_LIST;
}

static void info_done(struct ike_sa *sa, struct mobike_state *s, const struct ask *a)
{
    s->todo &= (uint8_t)~a->todo;
    if (a->todo & MOBIKE_LIST)
        s->told = a->own;
    if (a->todo & MOBIKE_UPDATE)
        s->later = a->found;
    s->refusals = s->nat_retries = 0;
    mobike_release(sa, s);
}

/* s3.5: the answer counts if nothing has changed since. s3.7: that of a request which went to several addresses does not
 * show which of them the peer is at. */
static void info_commit(struct ike_xchg *x, void *scratch)
{
    struct ask *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct mobike_state *s = mobike_of(sa);
    if (!s)
        return;
    s->asked = false;
    bool same = a->made && path_equal(&a->path, sa_path(sa));
    if (s->lost)
        found_way(sa, s);
    else if (same && s->searching)
        s->todo |= MOBIKE_CHECK;
    else if (same)
        info_done(sa, s, a);
    s->searching = false;
    mobike_push(sa, s);
}

/* UNACCEPTABLE_ADDRESSES: the other pairs in turn, the one that we come from among them. */
static void try_next(struct ike_sa *sa, struct mobike_state *s)
{
    struct adit_path ways[16];
    unsigned n = mobike_ways(sa, s, ways, ARRAY_LEN(ways));
    if (s->refusals < n) {
        mobike_decide(sa, s, &ways[s->refusals++]);
        return;
    }
    sa_log(sa, ADIT_LOG_INFO, "IKE", "the peer accepts none of our addresses");
    s->todo = 0;
    s->refusals = 0;
}

static bool answered_with(const struct ike_xchg *x, uint16_t type)
{
    struct notify n;
    const struct ike_msg *msg = xchg_msg(x);
    return msg && msg_notify(msg, type, &n);
}

static void info_failed(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    struct ask *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct mobike_state *s = mobike_of(sa);
    if (!s)
        return;
    s->asked = false;
    if (a->forged)
        sa_delete(sa, why->text); /* s3.7: MUST */
    else if (answered_with(x, N_UNACCEPTABLE_ADDRESSES))
        try_next(sa, s);
    else if (rc == ADIT_ERR_PATH && s->nat_retries++ < NAT_RETRIES)
        mobike_push(sa, s);
    else
        s->todo &= (uint8_t)~a->todo;
}

const struct ike_step mobike_auth_req = {
    .name = "IKE_MOBIKE",
    .exchange = XCHG_IKE_AUTH,
    .role = XCHG_REQUESTER,
    .scratch = sizeof(struct auth),
    .want = auth_want,
    .build = auth_build,
    .consume = auth_consume,
    .commit = auth_commit,
};

/* In no list: it is opened, and rides on nothing. */
const struct ike_step mobike_info_req = {
    .name = "IKE_MOBIKE",
    .exchange = XCHG_INFORMATIONAL,
    .role = XCHG_REQUESTER,
    .scratch = sizeof(struct ask),
    .build = info_build,
    .consume = info_consume,
    .commit = info_commit,
    .failed = info_failed,
};

/* --- NAT detection in other requests ------------------------------------------------------------------------------------ */

struct nat_ask {
    struct adit_path path;
    struct ike_nat_view found;
};

static enum want nat_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    struct ike_nat_view nat;
    const struct mobike_state *s = mobike_of(sa);
    if (!s || !s->initiator || s->retired || s->asked || !sa_is_established(sa))
        return WANT_NO;
    ike_nat()->now(sa, &nat);
    return nat.seen && nat.local ? WANT_RIDE : WANT_NO;
}

/* Liveness checks only, as s3.8 has it: strongSwan takes a request with these notifies for one about addresses, and does
 * not look at a Delete beside them. */
static enum adit_rc nat_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct nat_ask *a = scratch;
    if (!xchg_is_check(x))
        return ADIT_OK;
    a->path = *sa_path(xchg_sa(x));
    ike_nat()->put(xchg_sa(x), &a->path, w);
    return ADIT_OK;
}

static enum adit_rc nat_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct nat_ask *a = scratch;
    ike_nat()->get(xchg_sa(x), msg, xchg_path(x), &a->found);
    return ADIT_OK;
}

/* Has the NAT given us another address or port? After a rekeying only its presence can be compared; after IKE_SA_INIT,
 * which came from port 500, one update too many is harmless. */
static void nat_commit(struct ike_xchg *x, void *scratch)
{
    const struct nat_ask *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct mobike_state *s = mobike_of(sa);
    struct ike_nat_view before;
    if (!s || !a->found.seen || !path_equal(&a->path, sa_path(sa)))
        return;
    ike_nat()->now(sa, &before);
    bool differs = !span_equal(SPAN_ARRAY(a->found.seen_as), SPAN_ARRAY(before.seen_as));
    if (a->found.local != before.local || (differs && !s->rebase)) {
        sa_log(sa, ADIT_LOG_INFO, "IKE", "the peer may see us at another address or port: telling it to look");
        s->todo |= MOBIKE_UPDATE;
        mobike_push(sa, s);
    } else if (s->rebase) {
        ike_nat()->set(sa, &a->found);
    }
    s->rebase = false;
}

const struct ike_step mobike_nat_req = {
    .name = "IKE_NATD",
    .exchange = XCHG_INFORMATIONAL,
    .role = XCHG_REQUESTER,
    .scratch = sizeof(struct nat_ask),
    .want = nat_want,
    .build = nat_build,
    .consume = nat_consume,
    .commit = nat_commit,
};
