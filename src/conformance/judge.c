/* judge.c - what a peer has to answer, as sentences that end a script when they do not hold. */
#include "conformance/puppet.h"

/* "CREATE_CHILD_SA response with NO_PROPOSAL_CHOSEN" */
static const char *heard_text(struct puppet *p, struct strbuf *s)
{
    struct notify n;
    strbuf_addf(s, "%s%s %s", p->heard.clear ? "unprotected " : "", iana_name(IANA_XCHG, p->heard.hdr.exchange),
                p->heard.hdr.flags & IKE_FLAG_RESPONSE ? "response" : "request");
    if (heard_any_error(p, &n))
        strbuf_addf(s, " with %s", iana_name(IANA_N, n.type));
    else if (heard_notify(p, N_COOKIE, &n))
        strbuf_add(s, " with COOKIE");
    else if (heard_payload(p, PLD_SA))
        strbuf_add(s, " with an SA payload");
    return s->p;
}

static void unexpected(struct puppet *p, const char *wanted)
{
    STRBUF(text, 160);
    fail(p, "wanted %s, heard: %s", wanted, heard_text(p, &text));
}

/* A peer under load asks for a COOKIE first (RFC 7296 s2.6): it gets it, and then says what it thinks of the message. */
static bool hear_through_cookies(struct puppet *p, unsigned ms)
{
    struct notify n;
    if (p->over || !hear_response(p, ms))
        return false;
    if (!p->draft.clear || p->draft.hdr.exchange != XCHG_IKE_SA_INIT || !heard_notify(p, N_COOKIE, &n))
        return true;
    add_notify(p, N_COOKIE, n.data);
    say(p);
    return hear_response(p, ms);
}

/* Judged by this: it is noted for whoever wants to know more than that the row has passed. */
static bool hear(struct puppet *p, unsigned ms)
{
    struct strbuf heard = { p->out->heard, 0, sizeof(p->out->heard) };
    bool any = hear_through_cookies(p, ms);
    if (p->over)
        return any;
    p->out->heard[0] = 0;
    if (any)
        heard_text(p, &heard);
    else
        strbuf_add(&heard, "silence");
    return any;
}

static bool response(struct puppet *p)
{
    if (p->over)
        return false;
    if (hear(p, p->params->answer_ms))
        return true;
    fail(p, "wanted an answer, heard nothing");
    return false;
}

void must(struct puppet *p, bool cond, const char *what)
{
    if (!cond)
        fail(p, "%s", what);
}

void silence(struct puppet *p)
{
    if (hear(p, p->params->quiet_ms))
        unexpected(p, "silence");
}

void answered(struct puppet *p)
{
    response(p);
}

void whatever(struct puppet *p)
{
    hear(p, p->params->quiet_ms);
}

void accepted(struct puppet *p)
{
    struct notify n;
    if (response(p) && heard_any_error(p, &n))
        unexpected(p, "acceptance");
}

void refused_with(struct puppet *p, uint16_t notify)
{
    struct notify n;
    if (response(p) && !heard_notify(p, notify, &n))
        unexpected(p, iana_name(IANA_N, notify));
}

void refused_aloud(struct puppet *p)
{
    struct notify n;
    if (response(p) && !heard_any_error(p, &n))
        unexpected(p, "an error notify");
}

void refused(struct puppet *p)
{
    struct notify n;
    if (hear(p, p->params->quiet_ms) && !heard_any_error(p, &n))
        unexpected(p, "an error notify or silence");
}

void silence_or(struct puppet *p, uint16_t notify)
{
    struct notify n;
    if (hear(p, p->params->quiet_ms) && !heard_notify(p, notify, &n))
        unexpected(p, iana_name(IANA_N, notify));
}

void alive(struct puppet *p)
{
    struct notify n;
    info_request(p);
    say(p);
    if (!p->over && !hear_response(p, p->params->answer_ms))
        fail(p, "the IKE SA does not answer any more");
    else if (!p->over && (p->heard.clear || heard_any_error(p, &n)))
        unexpected(p, "an empty response: the IKE SA should live");
}

void gone(struct puppet *p)
{
    info_request(p);
    say(p);
    if (!p->over && hear_response(p, p->params->quiet_ms) && !p->heard.clear)
        fail(p, "the IKE SA still answers");
    p->sa.up = false;
}

void never_up(struct puppet *p)
{
    if (!p->over)
        hear_response(p, p->params->quiet_ms); /* lets it say its farewell */
    gone(p);
}

static bool heard_delete(struct puppet *p)
{
    while (hear_request(p, XCHG_INFORMATIONAL, p->params->answer_ms)) {
        bool is_delete = heard_payload(p, PLD_DELETE);
        answer(p);
        say(p);
        if (is_delete)
            return true;
    }
    return false;
}

void no_child(struct puppet *p)
{
    if (p->over || p->sa.over || heard_delete(p))
        return;
    info_request(p);
    say(p);
    if (!p->over && hear_response(p, p->params->quiet_ms) && !p->heard.clear)
        fail(p, "the peer neither deletes the Child SA nor the IKE SA");
}

static bool names(const struct payload *deleted, uint32_t spi)
{
    uint8_t text[4] = { (uint8_t)(spi >> 24), (uint8_t)(spi >> 16), (uint8_t)(spi >> 8), (uint8_t)spi };
    for (size_t at = 4; deleted && at + 4 <= deleted->body.n; at += 4)
        if (span_equal(span(deleted->body.p + at, 4), SPAN_ARRAY(text)))
            return true;
    return false;
}

/* Answers what the peer asks until it is quiet; which Child SA it must not give up; 0: any. */
static void attend(struct puppet *p, uint32_t keeps)
{
    while (!p->over && !p->sa.over && hear_request(p, XCHG_INFORMATIONAL, p->params->quiet_ms)) {
        const struct payload *d = heard_payload(p, PLD_DELETE);
        if (keeps && names(d, keeps))
            fail(p, "the peer gives the old Child SA up, as if the rekeying had been good");
        p->sa.over = d && d->body.n && d->body.p[0] == PROTO_IKE;
        answer(p);
        say(p);
    }
}

void old_child_stays(struct puppet *p)
{
    attend(p, p->peer_old_spi);
    if (!p->sa.over)
        alive(p);
}

void lives_or_goes(struct puppet *p)
{
    attend(p, 0);
    if (!p->sa.over)
        alive(p);
}

void works(struct puppet *p)
{
    auth_request(p);
    say(p);
    if (response(p))
        finish_auth(p);
    alive(p);
}

void same_answer(struct puppet *p)
{
    static uint8_t before[DATAGRAM_MAX];
    size_t n = p->heard.n;
    span_copy(before, span(p->heard.datagram, n));
    say_again(p);
    if (response(p) && !span_equal(span(before, n), span(p->heard.datagram, p->heard.n)))
        fail(p, "the answer to a repeated request differs from the first one");
}

void goodbye(struct puppet *p)
{
    bool over = p->over;
    p->over = false;
    if (p->sa.keyed && !p->sa.over) { /* also if we don't know what the peer thinks of it */
        delete_ike(p);
        say(p);
        if (p->sa.up)
            hear_response(p, p->params->quiet_ms);
    }
    p->sa.up = false;
    p->over = over;
}

void honest(struct puppet *p)
{
    up(p);
    alive(p);
    delete_ike(p);
    say(p);
    accepted(p);
    p->sa.up = false;
}
