/* exchange.c - the driver: the only place where messages meet state. A request is built by the steps that take part,
 * protected, sent and repeated; its response is consumed and then committed. A request of the peer is consumed, answered
 * and committed. Any step may wait for work; the driver then returns and comes back to that very step. */
#include "ike/sa.h"

static struct ike_xchg *xchg_new(struct ike_sa *sa, enum xchg_role role, uint8_t exchange)
{
    struct ike_xchg *x = mem_new(sizeof(*x));
    if (!x)
        return NULL;
    list_init(&x->link);
    x->ike = sa->ike;
    x->sa = sa;
    x->policy = policy_ref(sa->policy);
    x->role = role;
    x->exchange = exchange;
    x->path = sa->path;
    return x;
}

void xchg_free(struct ike_xchg *x)
{
    if (!x)
        return;
    list_remove(&x->link);
    fetch_forget(x);
    if (x->jobs_out) { /* a thread still works on its memory */
        x->sa = NULL;
        list_append(&x->ike->orphans, &x->link);
        return;
    }
    for (unsigned i = 0; i < x->n_parts; i++)
        if (x->parts[i].step->fini)
            x->parts[i].step->fini(x, x->parts[i].scratch);
    if (x->task)
        task_free(x->task);
    if (x->role == XCHG_REQUESTER)
        flight_stop(x->wire);
    wire_unref(x->wire);
    policy_unref(x->policy);
    arena_fini(&x->arena);
    mem_del(x);
}

static enum adit_rc add_part(struct ike_xchg *x, const struct ike_step *step)
{
    struct part *p = &x->parts[x->n_parts];
    if (x->n_parts == XCHG_PARTS_MAX)
        return ADIT_ERR_BUG;
    p->step = step;
    p->scratch = step->scratch ? arena_new(&x->arena, step->scratch) : NULL;
    if (step->scratch && !p->scratch)
        return ADIT_ERR_MEMORY;
    x->n_parts++;
    return ADIT_OK;
}

static bool takes_part(struct ike_xchg *x, const struct ike_step *s, const struct ike_step *main)
{
    if (s == main)
        return true;
    if (s->exchange != x->exchange || s->role != x->role || !s->want)
        return false;
    return s->want(x->sa, x->role == XCHG_RESPONDER ? &x->msg : NULL) != WANT_NO;
}

static enum adit_rc enroll_core(struct ike_xchg *x, const struct ike_step *const *steps, const struct ike_step *main)
{
    for (; *steps; steps++)
        if (takes_part(x, *steps, main))
            TRY(add_part(x, *steps));
    return ADIT_OK;
}

static enum adit_rc enroll_exts(struct ike_xchg *x, bool before_child, const struct ike_step *main)
{
    for (unsigned e = 0; e < EXT_COUNT; e++)
        for (const struct ike_step *const *s = ike_exts[e]->steps; s && *s; s++)
            if ((*s)->before_child == before_child && takes_part(x, *s, main))
                TRY(add_part(x, *s));
    return ADIT_OK;
}

/* Registry order, so that payloads always stand in the same order. `main` may be a step in no list. */
static enum adit_rc enroll(struct ike_xchg *x, const struct ike_step *main)
{
    TRY(enroll_core(x, core_steps, main));
    TRY(enroll_exts(x, true, main));
    TRY(enroll_core(x, core_child_steps, main));
    TRY(enroll_exts(x, false, main));
    bool seen = !main;
    for (unsigned i = 0; i < x->n_parts; i++)
        seen |= x->parts[i].step == main;
    return seen ? ADIT_OK : add_part(x, main);
}

static struct ike_hdr header(const struct ike_xchg *x)
{
    const struct ike_sa *sa = x->sa;
    return (struct ike_hdr){
        .spi_i = sa->spi_i,
        .spi_r = sa->spi_r,
        .version = IKE_VERSION,
        .exchange = x->exchange,
        .flags = (uint8_t)((sa->is_initiator ? IKE_FLAG_INITIATOR : 0) |
                           (x->role == XCHG_RESPONDER ? IKE_FLAG_RESPONSE : 0)),
        .msgid = x->msgid,
    };
}

static enum adit_rc build_parts(struct ike_xchg *x, struct wr *w, struct adit_why *why)
{
    for (unsigned i = 0; i < x->n_parts; i++)
        if (x->parts[i].step->build)
            TRY(x->parts[i].step->build(x, x->parts[i].scratch, w, why));
    announce_put(x, w);
    return wr_ok(w) ? ADIT_OK : why_set(why, ADIT_ERR_LIMIT, "message is longer than %zu octets", w->max);
}

static enum adit_rc consume_parts(struct ike_xchg *x, struct adit_why *why)
{
    for (unsigned i = 0; i < x->n_parts; i++) {
        struct part *p = &x->parts[i];
        if (p->done || !p->step->consume)
            continue;
        TRY(p->step->consume(x, p->scratch, &x->msg, why));
        p->done = true;
    }
    return ADIT_OK;
}

static void commit_parts(struct ike_xchg *x)
{
    for (unsigned i = 0; i < x->n_parts; i++)
        if (x->parts[i].step->commit)
            x->parts[i].step->commit(x, x->parts[i].scratch);
}

/* Hooks that watch the conversation before authentication (RFC 9242 s3.3.2). */
static enum adit_rc watch(struct ike_xchg *x, enum msg_dir dir, const struct raw_msg *raw)
{
    if (sa_is_established(x->sa) || x->exchange == XCHG_IKE_AUTH || opens_sa(x->exchange))
        return ADIT_OK;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.message)
            TRY(ike_exts[i]->on.message(x->sa, dir, raw));
    return ADIT_OK;
}

/* What opens an SA goes in clear, and its octets are kept: AUTH signs them. */
static enum adit_rc compose_init(struct ike_xchg *x, struct adit_why *why)
{
    struct ike_sa *sa = x->sa;
    struct ike_hdr h = header(x);
    struct wr w;
    wr_init(&w, sa->ike->scratch, IKE_MESSAGE_MAX);
    ike_hdr_put(&w, &h);
    TRY(build_parts(x, &w, why));
    ike_hdr_close(&w, 0);
    TRY(buf_set(x->role == XCHG_REQUESTER ? &sa->init_req : &sa->init_resp, wr_written(&w)));
    struct ike_wire *wire = wire_new(1, w.n);
    if (!wire)
        return ADIT_ERR_MEMORY;
    span_copy(wire_next(wire, w.n), wr_written(&w));
    wire_close(wire, w.n);
    wire_unref(x->wire);
    x->wire = wire;
    return ADIT_OK;
}

static enum adit_rc protect_parts(struct ike_xchg *x, struct wr *w, struct adit_why *why)
{
    wr_chain(w);
    wr_format(w, sa_payload_format(x->sa));
    TRY(build_parts(x, w, why));
    x->out_raw = (struct raw_msg){ .hdr = header(x), .first = w->p[0], .plain = span_from(wr_written(w), 1) };
    x->out_raw.hdr.next = PLD_SK;
    if (x->role == XCHG_RESPONDER)
        TRY(watch(x, MSG_RECEIVED, &x->in_raw));
    TRY(watch(x, MSG_SENT, &x->out_raw));
    return msg_protect(x->sa, &x->out_raw.hdr, x->out_raw.first, x->out_raw.plain, &x->wire);
}

/* A message that may be longer than others is built in memory of its own, which lives no longer than this. */
static enum adit_rc compose_protected(struct ike_xchg *x, struct adit_why *why)
{
    size_t room = sa_message_room(x->sa, x->exchange, x->role == XCHG_RESPONDER);
    struct adit_buf own = { 0 };
    struct wr w;
    if (room > IKE_MESSAGE_MAX)
        wr_init_buf(&w, &own, room);
    else
        wr_init(&w, x->ike->scratch, room);
    enum adit_rc rc = protect_parts(x, &w, why);
    mem_wipe(w.p, w.n);
    buf_wipe(&own);
    x->out_raw.plain = SPAN_NONE;
    return rc;
}

static enum adit_rc compose(struct ike_xchg *x, struct adit_why *why)
{
    return opens_sa(x->exchange) ? compose_init(x, why) : compose_protected(x, why);
}

static void note_sent(struct ike_xchg *x)
{
    x->sa->sent_at = x->ike->now;
    count_message(x->ike, x->sa, x->exchange, false, x->role == XCHG_RESPONDER);
}

static void send_reply(struct ike_xchg *x)
{
    note_sent(x);
    flight_send(x->sa, &x->path, x->wire);
}

/* --- requester --------------------------------------------------------------------------------------------------- */

/* A connection repeats by itself what gets lost (RFC 9329 s6.2): there an answer is waited for as long as all repetitions
 * would take. */
static uint64_t retransmit_delay(struct ike_xchg *x)
{
    const struct adit_ike_settings *s = &x->ike->policy->settings;
    double d = s->retransmit_timeout_s, sum = d;
    for (unsigned i = 0; i < (x->last ? s->retransmit_tries : x->tries); i++)
        sum += d *= s->retransmit_base;
    uint64_t ns = (uint64_t)((x->last ? sum : d) * 1e9);
    return ns + ike_jitter(x->ike, ns / 16 + 1);
}

/* TCP loses nothing (RFC 9329 s7.3), but a peer that is still computing drops what it has no SA for: as responder we are ready before it
 * is, after IKE_AUTH and after the IKE SA's rekeying, until it says something. */
static bool arrives(const struct ike_sa *sa)
{
    return sa->path.tcp && (sa->is_initiator || sa->heard_at > sa->established_at);
}

/* On the SA's path, and where else somebody looks for a way. Datagrams among them are repeated. */
static void send_request(struct ike_xchg *x, unsigned tries)
{
    struct adit_path also[IKE_DETOURS_MAX];
    bool by_stream = arrives(x->sa);
    flight_send(x->sa, &x->sa->path, x->wire);
    for (unsigned i = 0; i < EXT_COUNT && sa_is_established(x->sa); i++) {
        unsigned n = ike_exts[i]->on.also_on ? ike_exts[i]->on.also_on(x->sa, tries, also, ARRAY_LEN(also)) : 0;
        for (unsigned k = 0; k < n; k++) {
            event_send(x->ike, &also[k], x->wire);
            by_stream &= also[k].tcp;
        }
    }
    x->last = by_stream;
    uint64_t delay = retransmit_delay(x), from = x->last ? x->sent_at : x->ike->now;
    x->retransmit_at = delay + (from + delay > x->ike->now ? from : x->ike->now); /* somebody may be patient */
}

static void request_failed(struct ike_xchg *x, enum adit_rc rc, const struct adit_why *why)
{
    struct ike_sa *sa = x->sa;
    list_remove(&x->link);
    x->phase = PHASE_OVER;
    sa_log(sa, ADIT_LOG_INFO, "IKE", "%s failed: %s", iana_name(IANA_XCHG, x->exchange), why->text);
    for (unsigned i = 0; i < x->n_parts && !sa->cut; i++)
        if (x->parts[i].step->failed)
            x->parts[i].step->failed(x, x->parts[i].scratch, rc, why);
    if (x->task) {
        task_end(sa, x->task, rc, why->text);
        x->task = NULL;
    }
    if (!sa->cut && sa->state < SA_ESTABLISHED)
        sa_end(sa, rc, why->text);
    else if (!sa->cut && sa->state == SA_ESTABLISHED && (rc == ADIT_ERR_MALFORMED || rc == ADIT_ERR_PUBLIC))
        sa_delete(sa, why->text);
    xchg_free(x);
    sa_advance(sa);
}

static void drive_request(struct ike_xchg *x)
{
    struct adit_why why = { 0 };
    if (!x->numbered)
        x->msgid = x->sa->next_send; /* what cannot be built leaves no gap, or the peer would wait for it */
    enum adit_rc rc = compose(x, &why);
    if (rc == ADIT_WAIT)
        return;
    if (rc != ADIT_OK) {
        if (!why.text[0])
            why_set(&why, rc, "cannot build the request: %s", adit_rc_name(rc));
        request_failed(x, rc, &why);
        return;
    }
    x->sa->next_send += !x->numbered;
    x->numbered = true;
    window_watch(x->sa);
    x->waiting = NULL;
    x->phase = PHASE_SENT;
    x->rebuild = false;
    x->tries = 0;
    x->sent_at = x->ike->now;
    note_sent(x);
    send_request(x, 0);
}

enum adit_rc xchg_open(struct ike_sa *sa, uint8_t exchange, const struct ike_step *main, struct ike_task *task)
{
    struct ike_xchg *x = xchg_new(sa, XCHG_REQUESTER, exchange);
    if (!x)
        return ADIT_ERR_MEMORY;
    enum adit_rc rc = enroll(x, main);
    if (rc != ADIT_OK) {
        xchg_free(x);
        return rc;
    }
    x->task = task;
    x->alone = !main->beside;
    list_append(&sa->out, &x->link);
    drive_request(x);
    return ADIT_OK;
}

/* The steps start afresh on the next response: an unauthenticated bad one changes nothing (RFC 7296 s2.21.1). */
static void wait_for_another(struct ike_xchg *x)
{
    x->phase = PHASE_SENT;
    x->peer_announced = 0;
    x->stale = false;
    for (unsigned i = 0; i < x->n_parts; i++)
        x->parts[i].done = false;
}

static void keep_waiting(struct ike_xchg *x, enum adit_rc rc, const struct adit_why *why)
{
    struct ike_sa *sa = x->sa;
    if (x->stale) {
        ike_count(sa->ike, sa, ADIT_C_DUPLICATES);
        wait_for_another(x);
        return;
    }
    wait_for_another(x);
    sa_log(sa, ADIT_LOG_INFO, "IKE", "%s response not accepted: %s; waiting for a better one",
           iana_name(IANA_XCHG, x->exchange), why->text);
    if (rc != ADIT_ERR_DROP) /* what cannot be the peer's is no reason to give up earlier */
        strbuf_add(&(struct strbuf){ sa->failure, 0, sizeof(sa->failure) }, why->text);
    ike_count(sa->ike, sa, ADIT_C_INVALID);
}

/* Of messages of one datagram that were sent once: what the peer computed meanwhile is in it, and does no harm. */
static void note_round_trip(const struct ike_xchg *x)
{
    uint64_t now = x->ike->now - x->sent_at, before = x->sa->round_trip;
    if (!x->tries && x->wire && x->wire->made == 1)
        x->sa->round_trip = before ? (7 * before + now) / 8 : now ? now : 1; /* 0: not known */
}

static void finish_request(struct ike_xchg *x)
{
    struct ike_sa *sa = x->sa;
    note_round_trip(x);
    if (watch(x, MSG_RECEIVED, &x->in_raw) != ADIT_OK) {
        struct adit_why why;
        why_set(&why, ADIT_ERR_CRYPTO, "out of memory while taking the response over");
        request_failed(x, ADIT_ERR_CRYPTO, &why);
        return;
    }
    x->phase = PHASE_OVER;
    list_remove(&x->link);
    announce_commit(x);
    commit_parts(x);
    if (x->task) {
        task_end(sa, x->task, ADIT_OK, "");
        x->task = NULL;
    }
    xchg_free(x);
    sa_advance(sa);
}

/* COOKIE, INVALID_KE_PAYLOAD: the same request again, changed as asked. Nobody has proven that it was the peer who asked:
 * who makes up such answers gets no request a datagram out of us. One of each kind is followed at once, since a peer may
 * want both; then the request changes when its next repetition is due. */
static void again(struct ike_xchg *x)
{
    for (unsigned i = 0; i < x->n_parts; i++)
        x->parts[i].done = false;
    x->phase = PHASE_BUILD;
    drive_request(x);
}

/* A connection that somebody else has got hold of brings no better answer than this (RFC 9329 s6.4). */
static bool answer_counts(const struct ike_xchg *x)
{
    return x->fatal || (x->path.tcp && !x->stale);
}

static void drive_response(struct ike_xchg *x)
{
    struct adit_why why = { 0 };
    enum adit_rc rc = consume_parts(x, &why);
    if (rc == ADIT_WAIT)
        return;
    x->waiting = NULL;
    if (rc != ADIT_OK && !why.text[0])
        why_set(&why, rc, "%s", adit_rc_name(rc));
    if (rc != ADIT_OK && opens_sa(x->exchange) && !answer_counts(x)) {
        keep_waiting(x, rc, &why);
    } else if (rc != ADIT_OK) {
        request_failed(x, rc, &why);
    } else if (x->rebuild && x->hurried) {
        wait_for_another(x);
    } else if (x->rebuild) {
        again(x);
    } else {
        finish_request(x);
    }
}

void xchg_response(struct ike_xchg *x, const struct ike_hdr *hdr, const struct adit_path *path, const struct raw_msg *raw,
                   struct adit_span datagram)
{
    struct adit_why why = { 0 };
    uint16_t type;
    x->phase = PHASE_CONSUME;
    x->round++;
    x->path = *path;
    x->in_raw = *raw;
    enum adit_rc rc = msg_index(x, hdr, raw->first, raw->plain, &why);
    if (rc == ADIT_OK && opens_sa(x->exchange)) {
        x->msg.raw = arena_span(&x->arena, datagram);
        rc = x->msg.raw.p ? ADIT_OK : ADIT_ERR_MEMORY;
    } else if (rc == ADIT_OK && x->exchange != XCHG_IKE_AUTH) {
        rc = reply_read(&x->msg, &type, &why);
    }
    if (rc != ADIT_OK && opens_sa(x->exchange) && !answer_counts(x)) {
        keep_waiting(x, rc, &why);
        return;
    }
    if (rc != ADIT_OK) {
        request_failed(x, rc, &why);
        return;
    }
    announce_get(x, &x->msg);
    drive_response(x);
}

static bool waits_on(struct ike_xchg *x)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.waits_on && ike_exts[i]->on.waits_on(x->sa, x->ike->now - x->sent_at))
            return true;
    return false;
}

/* Another way of opening the SA is given up soon: IKE_SA_INIT remains. */
static unsigned tries_of(const struct ike_xchg *x)
{
    unsigned all = x->ike->policy->settings.retransmit_tries;
    return opening_of(x->exchange) && all > IKE_OPENING_TRIES ? IKE_OPENING_TRIES : all;
}

/* RFC 7383 s2.5.2: with smaller fragments the timers start over. */
static void cut_smaller(struct ike_xchg *x)
{
    if (!opens_sa(x->exchange) && x->tries >= IKE_CUT_AFTER && msg_recut(x->sa, &x->wire, false))
        x->tries = 0;
}

static void repeat(struct ike_xchg *x)
{
    struct ike_sa *sa = x->sa;
    cut_smaller(x);
    x->tries += x->tries < sa->ike->policy->settings.retransmit_tries;
    sa->retransmits++;
    ike_count(sa->ike, sa, ADIT_C_RETRANSMITS);
    sa_log(sa, ADIT_LOG_INFO, "IKE", "retransmit %u of %s request, message ID %u", x->tries,
           iana_name(IANA_XCHG, x->exchange), x->msgid);
    send_request(x, x->tries);
}

void xchg_retransmit(struct ike_xchg *x)
{
    struct ike_sa *sa = x->sa;
    uint64_t later = flight_defers(sa, x->wire, retransmit_delay(x));
    if (later > sa->ike->now) {
        x->retransmit_at = later;
        return;
    }
    bool refused = opens_sa(x->exchange) && sa->failure[0] && x->tries >= 1;
    if (opens_sa(x->exchange) && !x->last && opening_unanswered(sa, x->tries))
        return;
    if (refused || ((x->last || x->tries >= tries_of(x)) && !waits_on(x))) {
        struct adit_why why;
        why_set(&why, ADIT_ERR_TIMEOUT, "%s", sa->failure[0] ? sa->failure : "peer does not answer");
        ike_count(sa->ike, sa, sa->state == SA_ESTABLISHED ? ADIT_C_DPD_FAILED : ADIT_C_IKE_FAILED);
        sa_log(sa, ADIT_LOG_INFO, "IKE", "%s: giving up after %u transmissions: %s",
               iana_name(IANA_XCHG, x->exchange), x->tries + 1, why.text);
        sa_end(sa, refused ? ADIT_ERR_PEER : ADIT_ERR_TIMEOUT, why.text);
        return;
    }
    if (x->rebuild)
        again(x);
    else
        repeat(x);
}

/* --- responder --------------------------------------------------------------------------------------------------- */

static void store_reply(struct ike_xchg *x)
{
    list_remove(&x->link);
    window_store(x->sa, x->msgid, x->wire, x->digest);
    window_watch(x->sa);
    x->phase = PHASE_OVER;
}

static void refuse(struct ike_xchg *x, enum adit_rc rc, struct adit_why *why)
{
    struct ike_sa *sa = x->sa;
    x->waiting = NULL;
    if (!why->text[0])
        why_set(why, rc, "%s", adit_rc_name(rc));
    sa_log(sa, ADIT_LOG_INFO, "IKE", "%s request refused: %s", iana_name(IANA_XCHG, x->exchange), why->text);
    bool fatal = reply_is_fatal(sa, x->exchange, rc);
    reply_error(x, rc);
    if (x->wire) {
        store_reply(x);
        send_reply(x);
    }
    xchg_free(x);
    if (fatal)
        sa_linger(sa, rc, why->text);
    else
        sa_advance(sa);
}

/* What was accepted becomes true before the answer leaves: the new inbound SA is there when the peer uses it. */
static void finish_reply(struct ike_xchg *x)
{
    struct ike_sa *sa = x->sa;
    store_reply(x);
    announce_commit(x);
    commit_parts(x);
    send_reply(x);
    xchg_free(x);
    sa_advance(sa);
}

static void drive_reply(struct ike_xchg *x)
{
    struct adit_why why = { 0 };
    enum adit_rc rc = ADIT_OK;
    if (x->phase == PHASE_CONSUME)
        rc = consume_parts(x, &why);
    if (rc == ADIT_OK) {
        x->phase = PHASE_BUILD;
        rc = compose(x, &why);
    }
    if (rc == ADIT_WAIT)
        return;
    x->waiting = NULL;
    if (rc != ADIT_OK)
        refuse(x, rc, &why);
    else
        finish_reply(x);
}

static enum adit_rc take_request(struct ike_xchg *x, const struct ike_hdr *hdr, const struct raw_msg *raw,
                                 struct adit_span datagram, struct adit_why *why)
{
    TRY(msg_index(x, hdr, raw->first, raw->plain, why));
    if (opens_sa(x->exchange)) {
        x->msg.raw = arena_span(&x->arena, datagram);
        if (!x->msg.raw.p)
            return ADIT_ERR_MEMORY;
    }
    collide_ike_used(x->sa, &x->msg);
    TRY(enroll(x, NULL));
    if (!x->n_parts)
        return why_set(why, ADIT_ERR_MALFORMED, "%s request is not expected now", iana_name(IANA_XCHG, x->exchange));
    announce_get(x, &x->msg);
    return ADIT_OK;
}

void xchg_request(struct ike_sa *sa, const struct ike_hdr *hdr, const struct adit_path *path, const struct raw_msg *raw,
                  struct adit_span datagram, const uint8_t digest[16])
{
    struct adit_why why = { 0 };
    struct ike_xchg *x = xchg_new(sa, XCHG_RESPONDER, hdr->exchange);
    if (!x)
        return; /* the peer repeats itself; memory may be there then */
    list_append(&sa->in, &x->link);
    x->phase = PHASE_CONSUME;
    x->msgid = hdr->msgid;
    x->path = *path;
    x->in_raw = *raw;
    span_copy(x->digest, span(digest, sizeof(x->digest)));
    enum adit_rc rc = take_request(x, hdr, raw, datagram, &why);
    if (rc != ADIT_OK)
        refuse(x, rc, &why);
    else
        drive_reply(x);
}

void xchg_resume(struct ike_xchg *x)
{
    if (x->sa->cut)
        return;
    if (x->role == XCHG_RESPONDER)
        drive_reply(x);
    else if (x->phase == PHASE_BUILD)
        drive_request(x);
    else if (x->phase == PHASE_CONSUME)
        drive_response(x);
}

const struct ike_step *const core_steps[] = { &step_init_resp, &step_auth_req, &step_auth_resp, NULL };
const struct ike_step *const core_child_steps[] = {
    &step_first_child_req, &step_first_child_resp, &step_new_child_resp, &step_rekey_child_resp, &step_rekey_ike_resp,
    &step_informational_resp, NULL,
};
