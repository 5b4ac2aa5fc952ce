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

/* NULL: the peer opens the connections, or the SA is not on one. */
static struct tcpencap_state *ours(const struct ike_sa *sa)
{
    struct tcpencap_state *s = ext_peek(sa, EXT_tcpencap);
    return s && s->originator && sa_path(sa)->tcp ? s : NULL;
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

/* --- beside datagrams (RFC 9329 s7.1) ------------------------------------------------------------------------------ */

static void drop_side(struct ike_sa *sa, struct tcpencap_state *s)
{
    if (s->side.tcp)
        sa_close_stream(sa, &s->side);
    s->side.tcp = s->asked = false;
}

static bool may_fall_back(struct ike_sa *sa)
{
    return option_is(sa, "auto") && sa_may_move(sa) && !sa_any_child_option(sa, "esp_transport", "raw") &&
           !sa_any_child_option(sa, "esp_transport", "udp");
}

static void connect_beside(struct ike_sa *sa, struct tcpencap_state *s)
{
    s->to = (struct adit_path){ .local.addr.family = sa_path(sa)->remote.addr.family, .remote = sa_path(sa)->remote,
                                .tcp = true };
    s->to.remote.port = (uint16_t)sa_option_number(sa, "tcp_port");
    s->asked = true;
    s->side_until = sa_now(sa) + TCPENCAP_SIDE * NS_PER_S;
    sa_log(sa, ADIT_LOG_INFO, "NET", "no answer by UDP: trying TCP, too");
    sa_open_stream(sa, &s->to);
}

/* Of an SA that is up: the same request goes out on both, and where it is answered is what the SA moves to. */
static unsigned also_on(struct ike_sa *sa, unsigned tries, struct adit_path *out, unsigned room)
{
    struct tcpencap_state *s = ext_peek(sa, EXT_tcpencap);
    uint64_t after = sa_option_number(sa, "tcp_fallback_after");
    if (sa_path(sa)->tcp || !room || !may_fall_back(sa))
        return 0;
    if (s && s->side.tcp) {
        out[0] = s->side;
        return 1;
    }
    bool is_due = tries >= (after ? after : 1) && (s = ext_sa(sa, EXT_tcpencap)) && !s->asked &&
                  (!s->tried_at || s->tried_at + TCPENCAP_SIDE_AGAIN * NS_PER_S < sa_now(sa));
    if (is_due)
        connect_beside(sa, s);
    return 0;
}

static void beside(struct ike_sa *sa, struct tcpencap_state *s, enum stream_news news, const struct adit_path *path)
{
    bool wanted = s->asked;
    s->asked = false;
    if (news != STREAM_IS_UP)
        return;
    if (!wanted) {
        sa_close_stream(sa, path);
        return;
    }
    s->side = *path;
    s->tried_at = sa_now(sa);
    sa_repeat_request(sa);
}

/* An answer came on it: from now on it is as if the SA had been opened there. */
static void take_side(struct tcpencap_state *s)
{
    s->originator = s->up = true;
    s->side.tcp = s->greets = s->asked = false;
    s->tries = 0;
    s->again_at = 0;
}

static void stream(struct ike_sa *sa, enum stream_news news, const struct adit_path *path)
{
    struct tcpencap_state *s = ext_peek(sa, EXT_tcpencap);
    STRBUF(where, 80);
    if (s && !sa_path(sa)->tcp)
        beside(sa, s, news, path);
    if (!s || !ours(sa))
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
    struct tcpencap_state *s = ext_peek(sa, EXT_tcpencap);
    if (!path->tcp && (!before.tcp || by == BY_ESP))
        return false; /* datagrams, or ESP that has been given another way */
    if (by == BY_IKE && s && path_equal(path, &s->side)) {
        take_side(s);
        return false;
    }
    if (by == BY_IKE && before.tcp != path->tcp && sa_may_move(sa))
        return false;
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
    if (option_is(sa, "auto") && sa_may_move(sa))
        s->again_at = sa_now(sa) + TCPENCAP_UDP_FIRST * NS_PER_S;
    else
        connect_to_peer(sa, s);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void inherit(struct ike_sa *from, struct ike_sa *to)
{
    struct tcpencap_state *old = ext_peek(from, EXT_tcpencap), *fresh = old ? ext_sa(to, EXT_tcpencap) : NULL;
    if (!fresh)
        return;
    drop_side(from, old);
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
    struct tcpencap_state *s = state;
    drop_side(sa, s);
    if (s->originator)
        sa_close_stream(sa, sa_path(sa));
}

static uint64_t deadline(struct ike_sa *sa)
{
    const struct tcpencap_state *s = ext_peek(sa, EXT_tcpencap);
    if (s && s->side.tcp && !sa_path(sa)->tcp)
        return s->side_until;
    return ours(sa) && s->again_at ? s->again_at : UINT64_MAX;
}

static void timer(struct ike_sa *sa, uint64_t now)
{
    struct tcpencap_state *s = ext_peek(sa, EXT_tcpencap);
    if (s && s->side.tcp && !sa_path(sa)->tcp && s->side_until <= now)
        drop_side(sa, s);
    if (ours(sa) && s->again_at && s->again_at <= now)
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
            .also_on = also_on,
            .addresses = addresses,
            .life = life,
            .deadline = deadline,
            .timer = timer,
            .status = status,
            .fini = fini },
};
