/* server.c - sending clients elsewhere: strangers without keeping anything of them, authenticated ones instead of their
 * Child SA, and those that are up by a command (RFC 5685 s3, s5, s6). Only clients that said that they follow. */
#include "ike/ext/redir/redir.h"

static bool is(const char *value, const char *word)
{
    return span_equal(span_str(value), span_str(word));
}

static bool is_at(const char *where, const struct adit_addr *addr)
{
    struct adit_addr a;
    return addr_parse(where, &a) && addr_equal(&a, addr);
}

/* --- IKE_SA_INIT ------------------------------------------------------------------------------------------------------ */

/* Who comes from the very gateway is served: nobody is sent to and fro. */
static bool can_go(const struct ike_msg *msg, const char *to)
{
    struct redir_gateway from;
    struct notify n;
    if (msg_notify(msg, N_REDIRECTED_FROM, &n))
        return !(redir_gateway_get(n.data, &from) && is_at(to, &from.addr));
    return msg_notify(msg, N_REDIRECT_SUPPORTED, &n);
}

static uint64_t above(const char *text)
{
    uint64_t n = 0;
    for (; *text >= '0' && *text <= '9' && n < UINT32_MAX; text++)
        n = n * 10 + (uint64_t)(*text - '0');
    return n;
}

/* To its own address: whoever came to another one of it (anycast, RFC 5685 s4). */
uint16_t redir_turn_away(const struct ike_stranger *s, struct wr *w)
{
    const char *to = stranger_option(s, "redirect_to");
    const struct payload *p = msg_find(&s->msg, PLD_NONCE);
    struct rd in = rd_init(p ? p->body : SPAN_NONE);
    struct adit_span nonce;
    if (!*to || !is(stranger_option(s, "redirect_in"), "init") || s->n_sas < above(stranger_option(s, "redirect_above")))
        return 0;
    if (is_at(to, &s->path->local.addr) || !can_go(&s->msg, to) || !p || !nonce_get(&in, &nonce))
        return 0;
    return redir_gateway_put(w, to, nonce) ? N_REDIRECT : 0;
}

void redir_heard_from(struct ike_sa *sa, const struct ike_msg *msg, const struct notify *n)
{
    struct redir_gateway from;
    struct redir_state *s = !sa_is_initiator(sa) && redir_gateway_get(n->data, &from) ? ext_sa(sa, EXT_redir) : NULL;
    if (s && from.addr.family)
        span_copy((uint8_t *)s->from, SPAN_ARRAY(from.where));
}

/* --- IKE_AUTH ----------------------------------------------------------------------------------------------------------- */

static bool sends_away(const struct ike_sa *sa)
{
    const char *to = sa_option(sa, "redirect_to");
    const struct redir_state *s = ext_peek(sa, EXT_redir);
    uint8_t mem[REDIR_WHERE_SIZE + 2];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    return *to && is(sa_option(sa, "redirect_in"), "auth") && !sa_is_initiator(sa) && ext_peer_announced(sa, EXT_redir) &&
           sa_engine_sas(sa) > sa_option_number(sa, "redirect_above") && !is_at(to, &sa_path(sa)->local.addr) &&
           !(s && s->from[0] && is(to, s->from)) && redir_gateway_put(&w, to, SPAN_NONE);
}

bool redir_server_withholds(struct ike_sa *sa)
{
    return sends_away(sa);
}

static enum want auth_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return msg && ext_peer_announced(sa, EXT_redir) ? WANT_RIDE : WANT_NO;
}

static enum adit_rc auth_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct ike_sa *sa = xchg_sa(x);
    bool *sent = scratch;
    *sent = sends_away(sa);
    if (*sent)
        redir_put(w, N_REDIRECT, sa_option(sa, "redirect_to"), SPAN_NONE);
    return ADIT_OK;
}

static void wait_for_it_to_leave(struct ike_sa *sa, struct redir_state *s)
{
    uint64_t seconds = sa_option_number(sa, "redirect_time");
    s->leave_by = seconds ? sa_now(sa) + seconds * UINT64_C(1000000000) : 0;
    sa_log(sa, ADIT_LOG_AUDIT, "IKE", "the client is sent to %s", s->to);
}

static void note_target(struct redir_state *s, const char *to)
{
    struct strbuf text = { s->to, 0, sizeof(s->to) };
    s->to[0] = 0;
    strbuf_add(&text, to);
}

static void auth_commit(struct ike_xchg *x, void *scratch)
{
    struct ike_sa *sa = xchg_sa(x);
    const bool *sent = scratch;
    struct redir_state *s = *sent && sa_is_established(sa) ? ext_sa(sa, EXT_redir) : NULL;
    if (!s)
        return;
    note_target(s, sa_option(sa, "redirect_to"));
    wait_for_it_to_leave(sa, s);
}

const struct ike_step redir_auth_resp = {
    .name = "IKE_REDIRECT", .exchange = XCHG_IKE_AUTH, .role = XCHG_RESPONDER, .scratch = sizeof(bool),
    .want = auth_want, .build = auth_build, .commit = auth_commit,
};

/* --- during a session ------------------------------------------------------------------------------------------------- */

static enum adit_rc info_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    const struct redir_state *s = ext_peek(xchg_sa(x), EXT_redir);
    if (!s || !s->to[0])
        return why_set(why, ADIT_ERR_NO_STATE, "nowhere to send the client");
    redir_put(w, N_REDIRECT, s->to, SPAN_NONE);
    return ADIT_OK;
}

static void info_commit(struct ike_xchg *x, void *scratch)
{
    wait_for_it_to_leave(xchg_sa(x), ext_sa(xchg_sa(x), EXT_redir));
}

static const struct ike_step info_req = {
    .name = "IKE_REDIRECT", .exchange = XCHG_INFORMATIONAL, .role = XCHG_REQUESTER, .build = info_build,
    .commit = info_commit,
};

enum adit_rc redir_send_away(struct ike_sa *sa, const char *gateway, struct adit_why *why)
{
    uint8_t mem[REDIR_WHERE_SIZE + 2];
    struct redir_state *s;
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    if (!redir_gateway_put(&w, gateway, SPAN_NONE))
        return why_set(why, ADIT_ERR_CONFIG, "gateway = %s is neither an address nor a DNS name", gateway);
    if (sa_is_initiator(sa))
        return why_set(why, ADIT_ERR_POLICY, "we began this IKE SA: only a responder sends its clients elsewhere");
    if (!ext_peer_announced(sa, EXT_redir))
        return why_set(why, ADIT_ERR_POLICY, "the client does not follow redirects (RFC 5685)");
    if (!(s = ext_sa(sa, EXT_redir)))
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    note_target(s, gateway);
    return sa_open_exchange(sa, &info_req, 0);
}

uint64_t redir_deadline(struct ike_sa *sa)
{
    const struct redir_state *s = ext_peek(sa, EXT_redir);
    return s ? s->leave_by : 0;
}

/* RFC 5685 s5: the client has had time enough. */
void redir_timer(struct ike_sa *sa, uint64_t now)
{
    struct redir_state *s = ext_peek(sa, EXT_redir);
    if (!s || !s->leave_by || now < s->leave_by)
        return;
    s->leave_by = 0;
    sa_delete(sa, "the client was sent elsewhere and stayed");
}
