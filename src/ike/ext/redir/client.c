/* client.c - being sent elsewhere: in IKE_SA_INIT by who bears our nonce, in IKE_AUTH and later by who is authenticated
 * (RFC 5685 s3, s5, s6). Connection, identities and selectors stay those of the gateway that we began with. */
#include "ike/ext/redir/redir.h"

static bool follows(const struct ike_sa *sa)
{
    return span_equal(span_str(sa_option(sa, "follow_redirects")), SPAN_LIT("yes"));
}

void redir_announce(struct ike_sa *sa, struct wr *w)
{
    const struct redir_state *s = ext_peek(sa, EXT_redir);
    if (follows(sa) && !(s && s->from[0]))
        notify_put(w, N_REDIRECT_SUPPORTED, SPAN_NONE);
}

/* Says that we can, too. */
void redir_announce_from(struct ike_sa *sa, struct wr *w)
{
    const struct redir_state *s = ext_peek(sa, EXT_redir);
    if (follows(sa) && s && s->from[0])
        redir_put(w, N_REDIRECTED_FROM, s->from, SPAN_NONE);
}

/* RFC 5685 s7. */
static bool too_often(const struct ike_sa *sa)
{
    const struct redir_state *s = ext_peek(sa, EXT_redir);
    uint64_t oldest = s ? s->followed_at[s->next % REDIR_MAX] : 0, now = sa_now(sa);
    return oldest && now - oldest < REDIR_PERIOD_S * UINT64_C(1000000000);
}

static bool go(struct ike_sa *sa, const char *where, bool keep_until_up)
{
    const struct redir_state *s = ext_peek(sa, EXT_redir);
    struct ike_sa *fresh = sa_start_elsewhere(sa, where, keep_until_up);
    struct redir_state *f = fresh ? ext_sa(fresh, EXT_redir) : NULL;
    if (!f) {
        sa_log(sa, ADIT_LOG_INFO, "IKE", "redirect to %s cannot be followed now", where);
        return false;
    }
    if (s)
        *f = *s;
    f->followed_at[f->next++ % REDIR_MAX] = sa_now(sa);
    struct strbuf from = { f->from, 0, sizeof(f->from) };
    addr_print(&from, &sa_path(sa)->remote.addr);
    sa_log(sa, ADIT_LOG_INFO, "IKE", "redirected from %s to %s", f->from, where);
    return true;
}

/* --- IKE_SA_INIT ------------------------------------------------------------------------------------------------------ */

struct redirect {
    bool found;
    struct redir_gateway to;
};

static enum want init_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return !msg && sa_is_initiator(sa) ? WANT_RIDE : WANT_NO;
}

/* Nobody has signed it. Our nonce shows that it comes from somebody on the path: whoever else sends such answers must not
 * even shorten the attempt. */
static enum adit_rc init_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct redirect *r = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct notify n;
    *r = (struct redirect){ 0 };
    if (msg->hdr.spi_r || !msg_notify(msg, N_REDIRECT, &n))
        return ADIT_OK;
    if (!follows(sa))
        return why_set(why, ADIT_ERR_DROP, "a redirect that was not asked for");
    if (!redir_gateway_get(n.data, &r->to) || !span_equal(r->to.nonce, redir_nonce_i(sa)))
        return why_set(why, ADIT_ERR_DROP, "a redirect without our nonce, or malformed");
    xchg_is_final(x);
    if (too_often(sa))
        return why_set(why, ADIT_ERR_LIMIT, "redirected more than %d times in %d s, now to %s", REDIR_MAX, REDIR_PERIOD_S,
                       r->to.where);
    r->found = true;
    return why_set(why, ADIT_ERR_CLOSED, "the gateway sends us to %s", r->to.where);
}

static void init_failed(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    const struct redirect *r = scratch;
    if (r->found)
        go(xchg_sa(x), r->to.where, false);
}

const struct ike_step redir_init_req = {
    .name = "IKE_REDIRECT", .exchange = XCHG_IKE_SA_INIT, .role = XCHG_REQUESTER, .scratch = sizeof(struct redirect),
    .want = init_want, .consume = init_consume, .failed = init_failed,
};

/* --- protected ---------------------------------------------------------------------------------------------------------- */

/* The sender is authenticated: a redirect that cannot be followed is no reason to end anything. No nonce, RFC 5685 s9.2. */
static bool read_protected(struct ike_sa *sa, const struct ike_msg *msg, struct redirect *r)
{
    struct notify n;
    if (!sa_is_initiator(sa) || !follows(sa) || !msg_notify(msg, N_REDIRECT, &n))
        return false;
    r->found = redir_gateway_get(n.data, &r->to) && !r->to.nonce.n;
    if (!r->found)
        sa_log(sa, ADIT_LOG_INFO, "IKE", "a malformed redirect is ignored");
    return r->found;
}

static bool instead_of_child(struct ike_sa *sa, const struct ike_msg *msg, struct redirect *r)
{
    return !msg_find(msg, PLD_SA) && read_protected(sa, msg, r);
}

bool redir_client_withholds(struct ike_sa *sa, const struct ike_msg *msg)
{
    struct redirect r = { 0 };
    return !too_often(sa) && instead_of_child(sa, msg, &r);
}

static enum adit_rc auth_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct redirect *r = scratch;
    instead_of_child(xchg_sa(x), msg, r); /* the step before this one has verified AUTH */
    return ADIT_OK;
}

static void auth_commit(struct ike_xchg *x, void *scratch)
{
    const struct redirect *r = scratch;
    struct ike_sa *sa = xchg_sa(x);
    if (!r->found || !sa_is_established(sa))
        return;
    if (too_often(sa))
        sa_log(sa, ADIT_LOG_INFO, "IKE", "redirected more than %d times in %d s: not to %s", REDIR_MAX, REDIR_PERIOD_S,
               r->to.where);
    else
        go(sa, r->to.where, false);
    sa_delete(sa, "the gateway sends us elsewhere");
}

const struct ike_step redir_auth_req = {
    .name = "IKE_REDIRECT", .exchange = XCHG_IKE_AUTH, .role = XCHG_REQUESTER, .scratch = sizeof(struct redirect),
    .want = init_want, .consume = auth_consume, .commit = auth_commit,
};

static enum want info_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    struct notify n;
    bool mine = msg && sa_is_initiator(sa) && sa_is_established(sa) && msg_notify(msg, N_REDIRECT, &n);
    return mine ? WANT_RIDE : WANT_NO;
}

static enum adit_rc info_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct redirect *r = scratch;
    if (!read_protected(xchg_sa(x), msg, r))
        sa_log(xchg_sa(x), ADIT_LOG_INFO, "IKE", "a redirect is not followed");
    return ADIT_OK;
}

/* The tunnel stays until that to the other gateway is up. */
static void info_commit(struct ike_xchg *x, void *scratch)
{
    const struct redirect *r = scratch;
    struct ike_sa *sa = xchg_sa(x);
    if (!r->found || !sa_is_established(sa))
        return;
    if (too_often(sa))
        sa_log(sa, ADIT_LOG_INFO, "IKE", "redirected more than %d times in %d s: we stay", REDIR_MAX, REDIR_PERIOD_S);
    else
        go(sa, r->to.where, true);
}

const struct ike_step redir_info_resp = {
    .name = "IKE_REDIRECT", .exchange = XCHG_INFORMATIONAL, .role = XCHG_RESPONDER, .scratch = sizeof(struct redirect),
    .want = info_want, .consume = info_consume, .commit = info_commit,
};
