/* tcpencap.c - IKE, and ESP with it, over TCP (RFC 9329): when to use it instead of UDP, opening the connection again when
 * it is lost (initiator), and following the peer to the one that it uses (responder). */
#include "ike/ext/tcpencap/tcpencap.h"

#define NS_PER_S 1000000000ull

uint64_t tcpencap_back_off(unsigned tries)
{
    uint64_t s = tries == 0 ? 0 : tries > 6 ? TCPENCAP_BACK_OFF_MAX : 1ull << (tries - 1);
    return (s > TCPENCAP_BACK_OFF_MAX ? TCPENCAP_BACK_OFF_MAX : s) * NS_PER_S;
}

static bool option_is(const struct ike_sa *sa, const char *word)
{
    return span_equal(span_str(sa_option(sa, "ike_transport")), span_str(word));
}

/* NULL: the peer opens the connections, or there are none. */
static struct tcpencap_state *ours(const struct ike_sa *sa)
{
    struct tcpencap_state *s = ext_peek(sa, EXT_tcpencap);
    return s && s->originator ? s : NULL;
}

/* --- first connection ------------------------------------------------------------------------------------------- */

static void connect_to_peer(struct ike_sa *sa, struct tcpencap_state *s)
{
    s->to.local.port = 0;
    s->again_at = 0;
    sa_open_stream(sa, &s->to);
}

static void begins(struct ike_sa *sa)
{
    struct tcpencap_state *s = ext_peek(sa, EXT_tcpencap);
    if (!option_is(sa, "tcp") && !(s && s->wanted))
        return;
    if (!(s = ext_sa(sa, EXT_tcpencap))) {
        sa_fail(sa, ADIT_ERR_MEMORY, "out of memory");
        return;
    }
    s->originator = true;
    s->to = *sa_path(sa);
    s->to.tcp = true;
    s->to.local.port = 0;
    s->to.remote.port = (uint16_t)sa_option_number(sa, "tcp_port");
    sa_set_path(sa, &s->to);
    connect_to_peer(sa, s);
}

/* RFC 9329 s5.1: UDP is asked at least twice, and what follows is a new IKE_SA_INIT with another SPI. */
static bool unanswered(struct ike_sa *sa, unsigned tries)
{
    uint64_t after = sa_option_number(sa, "tcp_fallback_after");
    if (!option_is(sa, "auto") || sa_path(sa)->tcp || tries < (after ? after : 1))
        return false;
    struct ike_sa *fresh = sa_begin_anew(sa, "no answer by UDP: going on by TCP");
    struct tcpencap_state *s = fresh ? ext_sa(fresh, EXT_tcpencap) : NULL;
    if (s)
        s->wanted = true;
    return fresh;
}

/* --- connections come and go -------------------------------------------------------------------------------------- */

/* RFC 9329 s6.1: so that the peer learns where we are now; a request that waits for its answer does the same. */
static enum adit_rc say_nothing(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    return ADIT_OK;
}

static void greeted(struct ike_xchg *x, void *scratch)
{
    struct tcpencap_state *s = ours(xchg_sa(x));
    if (s)
        s->greets = false;
}

/* Only an answer shows that a connection is good for anything: it could be closed each time that it is there. */
static void welcomed(struct ike_xchg *x, void *scratch)
{
    struct tcpencap_state *s = ours(xchg_sa(x));
    greeted(x, scratch);
    if (s)
        s->tries = 0;
}

static void not_greeted(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    greeted(x, scratch);
}

static const struct ike_step hello = {
    .name = "IKE_STREAM",
    .exchange = XCHG_INFORMATIONAL,
    .role = XCHG_REQUESTER,
    .build = say_nothing,
    .commit = welcomed,
    .failed = not_greeted,
};

static void is_up(struct ike_sa *sa, struct tcpencap_state *s, const struct adit_path *path)
{
    bool again = s->up;
    s->up = true;
    s->again_at = 0;
    sa_set_path(sa, path);
    if (!again)
        return;
    sa_log(sa, ADIT_LOG_INFO, "NET", "the TCP connection to the peer is there again");
    sa_use_stream(sa);
    sa_repeat_request(sa);
    if (!s->greets && sa_is_established(sa))
        s->greets = sa_open_exchange(sa, &hello, 0) == ADIT_OK;
}

static void try_later(struct ike_sa *sa, struct tcpencap_state *s)
{
    if (s->retired)
        return;
    uint64_t wait = tcpencap_back_off(s->tries++);
    s->again_at = sa_now(sa) + wait + 1;
    sa_log(sa, s->tries > 1 ? ADIT_LOG_MORE : ADIT_LOG_INFO, "NET",
           "the TCP connection to the peer is not there: connecting again in %llu s",
           (unsigned long long)(wait / NS_PER_S));
}

static void stream(struct ike_sa *sa, enum stream_news news, const struct adit_path *path)
{
    struct tcpencap_state *s = ours(sa);
    STRBUF(where, 80);
    if (!s)
        return;
    endpoint_print(&where, &s->to.remote);
    if (news == STREAM_IS_UP)
        is_up(sa, s, path);
    else if (!s->up)
        sa_fail(sa, ADIT_ERR_TIMEOUT, "no TCP connection to %s", where.p);
    else
        try_later(sa, s);
}

static void follow(struct ike_sa *sa, const struct adit_path *path)
{
    sa_set_path(sa, path);
    sa_use_stream(sa);
    sa_repeat_request(sa);
}

/* Responder. RFC 9329 s6.1: what is sent goes where the peer was heard last; authentic, and new, the caller has seen to
 * that. Only what was on TCP before moves to another connection, and what a rekeying has made of it with it. */
static bool moved(struct ike_sa *sa, const struct adit_path *path, enum heard_by by)
{
    struct adit_path before = *sa_path(sa);
    if (!path->tcp && (!before.tcp || by == BY_ESP))
        return false; /* datagrams, or ESP that has been given another way */
    if (!before.tcp || !path->tcp || ours(sa))
        return true;
    for (struct ike_sa *on = sa; on; on = sa_heir(on))
        if (path_equal(sa_path(on), &before))
            follow(on, path);
    sa_close_stream(sa, &before);
    return true;
}

static bool has_address(const struct ike_sa *sa, const struct adit_addr *mine)
{
    const struct adit_addr *v;
    unsigned n = sa_host_addresses(sa, &v);
    for (unsigned i = 0; i < n; i++)
        if (addr_equal(&v[i], mine))
            return true;
    return !n;
}

/* Its end would be noticed much later, if at all; the next one is from an address that we have. */
static void addresses(struct ike_sa *sa)
{
    struct tcpencap_state *s = ours(sa);
    struct adit_path before = *sa_path(sa);
    if (!s || s->retired || !before.tcp || has_address(sa, &before.local.addr))
        return;
    s->to.local.addr = (struct adit_addr){ .family = s->to.remote.addr.family };
    s->tries = 0;
    sa_log(sa, ADIT_LOG_INFO, "NET", "our address is gone: connecting from another one");
    sa_close_stream(sa, &before);
    connect_to_peer(sa, s);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void inherit(struct ike_sa *from, struct ike_sa *to)
{
    struct tcpencap_state *old = ext_peek(from, EXT_tcpencap), *fresh = old ? ext_sa(to, EXT_tcpencap) : NULL;
    if (!fresh)
        return;
    *fresh = *old;
    fresh->greets = fresh->retired = false; /* crossing rekeys: the old one may have been left before */
    old->retired = true;
    old->again_at = 0;
}

static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    if (what == LIFE_REKEYED)
        inherit(sa, other);
    else if (what == LIFE_ESTABLISHED)
        sa_use_stream(sa);
    else if (what == LIFE_ENDED && !ours(sa))
        sa_close_stream(sa, sa_path(sa)); /* the host gives the peer time for it */
}

/* Not before the last answer is no longer wanted. */
static void fini(struct ike_sa *sa, void *state)
{
    if (((struct tcpencap_state *)state)->originator)
        sa_close_stream(sa, sa_path(sa));
}

static uint64_t deadline(struct ike_sa *sa)
{
    const struct tcpencap_state *s = ours(sa);
    return s && s->again_at ? s->again_at : UINT64_MAX;
}

static void timer(struct ike_sa *sa, uint64_t now)
{
    struct tcpencap_state *s = ours(sa);
    if (s && s->again_at && s->again_at <= now)
        connect_to_peer(sa, s);
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    const struct tcpencap_state *s = ours(sa);
    if (!sa_path(sa)->tcp || out->n_marks == ARRAY_LEN(out->marks))
        return;
    out->marks[out->n_marks++] = (struct adit_option){ "transport", s && s->again_at ? "tcp (connecting)" : "tcp" };
}

static const struct adit_option_def options[] = {
    { .key = "ike_transport",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "udp|auto|tcp",
      .deflt = "udp",
      .owner = "tcpencap",
      .doc = "as initiator: UDP; UDP, and TCP if nobody answers; TCP. ESP goes the same way. A responder takes both" },
    { .key = "tcp_port",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_UINT,
      .deflt = "4500",
      .owner = "tcpencap",
      .doc = "the peer's TCP port" },
    { .key = "tcp_fallback_after",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_UINT,
      .deflt = "2",
      .owner = "tcpencap",
      .doc = "ike_transport = auto: repetitions of the first message by UDP, at least 1, before TCP is used" },
};

const struct ike_ext ext_tcpencap = {
    .id = EXT_tcpencap,
    .name = "tcpencap",
    .spec = "RFC 9329",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct tcpencap_state),
    .on = { .begins = begins,
            .unanswered = unanswered,
            .stream = stream,
            .moved = moved,
            .addresses = addresses,
            .life = life,
            .deadline = deadline,
            .timer = timer,
            .status = status,
            .fini = fini },
};
