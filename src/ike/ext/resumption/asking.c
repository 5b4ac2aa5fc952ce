/* asking.c - asking for tickets and granting them (RFC 5723 s4.1, s4.2): in IKE_AUTH, and later in an INFORMATIONAL of the
 * client's, since rekeying makes a ticket worthless and time does too. */
#include "ike/ext/resumption/resumption.h"

#define NS_PER_S 1000000000ull
#define ASK_AGAIN_S 600 /* after TICKET_ACK in an INFORMATIONAL */

/* --- granting -------------------------------------------------------------------------------------------------------- */

/* Keys change by age; the one before still opens what it has sealed. */
static bool renew_key(struct ike_sa *sa, struct vault *v)
{
    struct ticket_key *k = &v->key[0];
    uint64_t now = sa_unix_time(sa);
    struct ticket_key fresh = { .made_at = now };
    if (k->secret.n && now < k->made_at + TICKET_KEY_LIFE)
        return true;
    if (secret_alloc(&fresh.secret, 32) != ADIT_OK || !sa_random(sa, fresh.secret.p, fresh.secret.n) ||
        !sa_random(sa, fresh.id, sizeof(fresh.id))) {
        secret_fini(&fresh.secret);
        return false;
    }
    secret_fini(&v->key[1].secret);
    v->key[1] = *k;
    *k = fresh;
    ext_engine_changed(sa);
    return true;
}

/* Never longer than the IKE SA, nor than the peer's proof of who it is (s6.2). */
static uint64_t life_of(const struct ike_sa *sa)
{
    uint64_t life = sa_option_number(sa, "ticket_lifetime"), left = sa_life_left(sa);
    life = life < left ? life : left;
    return life < TICKET_KEY_LIFE ? life : TICKET_KEY_LIFE;
}

static enum adit_rc make_ticket(struct ike_sa *sa, uint64_t life, struct state *s, struct adit_buf *out)
{
    struct vault *v = vault_of(sa);
    struct adit_secret memo = { 0 };
    uint8_t salt[SALT_SIZE];
    if (!v || !renew_key(sa, v) || !sa_random(sa, salt, sizeof(salt)))
        return ADIT_ERR_MEMORY;
    TRY(sa_memo_make(sa, &memo));
    s->granted = ticket_id(salt);
    s->granted_expires = sa_unix_time(sa) + life;
    enum adit_rc rc = ticket_seal(sa_crypto(sa), &v->key[0], salt, s->granted_expires, secret_span(&memo), out);
    secret_fini(&memo);
    return rc;
}

static void put_ticket(struct wr *w, uint64_t life, const struct adit_buf *ticket)
{
    uint8_t mem[4 + TICKET_MAX];
    struct wr data;
    wr_init(&data, mem, sizeof(mem));
    wr_u32(&data, (uint32_t)life);
    wr_span(&data, buf_span(ticket));
    notify_put(w, N_TICKET_LT_OPAQUE, wr_written(&data));
}

/* As if we could not, if we are not to (s4.1 asks for an answer of who supports it only). */
static enum adit_rc grant(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct ike_sa *sa = xchg_sa(x);
    struct state *s = ext_sa(sa, EXT_resumption);
    struct adit_buf ticket = { 0 };
    uint64_t life = life_of(sa);
    if (!s || resumption_is(sa, "no"))
        return ADIT_OK;
    if (life >= TICKET_LIFE_MIN && make_ticket(sa, life, s, &ticket) == ADIT_OK)
        put_ticket(w, life, &ticket);
    else
        notify_put(w, N_TICKET_NACK, SPAN_NONE);
    buf_fini(&ticket);
    return ADIT_OK;
}

static bool asks(const struct ike_msg *msg)
{
    struct notify n;
    return msg && msg_notify(msg, N_TICKET_REQUEST, &n);
}

static enum want grant_auth_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return asks(msg) && sa_is_keyed(sa) && !sa_is_established(sa) ? WANT_RIDE : WANT_NO;
}

static enum want grant_later_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return asks(msg) && sa_is_established(sa) && !resumption_is(sa, "no") ? WANT_RIDE : WANT_NO;
}

/* Rekeying: the new SA is not there yet. The client asks again in it (s4.1). */
static enum adit_rc later(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    notify_put(w, N_TICKET_ACK, SPAN_NONE);
    return ADIT_OK;
}

/* --- asking ---------------------------------------------------------------------------------------------------------- */

struct ask {
    struct adit_buf ticket;
    uint64_t life; /* s */
    bool later, never;
};

/* `auto` goes on with what it has once begun; it begins nothing. */
static enum want ask_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    const struct state *s = ext_peek(sa, EXT_resumption);
    bool wanted = resumption_is(sa, "yes") || (resumption_is(sa, "auto") && s && s->resumed);
    return sa_is_initiator(sa) && !sa_is_established(sa) && sa_is_keyed(sa) && wanted ? WANT_RIDE : WANT_NO;
}

static enum adit_rc ask_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    notify_put(w, N_TICKET_REQUEST, SPAN_NONE);
    return ADIT_OK;
}

static enum adit_rc ask_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct ask *a = scratch;
    struct notify n;
    a->later = msg_notify(msg, N_TICKET_ACK, &n);
    a->never = msg_notify(msg, N_TICKET_NACK, &n);
    if (!msg_notify(msg, N_TICKET_LT_OPAQUE, &n))
        return ADIT_OK;
    struct rd in = rd_init(n.data);
    a->life = rd_u32(&in);
    if (!rd_ok(&in) || in.n < 1 || in.n > TICKET_MAX) {
        sa_log(xchg_sa(x), ADIT_LOG_INFO, "IKE", "the peer's ticket of %zu octets is not kept", n.data.n);
        a->life = 0;
        return ADIT_OK;
    }
    return buf_set(&a->ticket, rd_rest(&in));
}

static void keep(struct ike_sa *sa, struct state *s, struct ask *a)
{
    struct vault *v = vault_of(sa);
    struct adit_secret memo = { 0 };
    uint64_t mine = sa_option_number(sa, "ticket_lifetime"), now = sa_now(sa);
    uint64_t life = NS_PER_S * (a->life < mine ? a->life : mine);
    if (!v || sa_memo_make(sa, &memo) != ADIT_OK)
        return;
    store_expire(&v->store, now);
    store_put(&v->store, sa_conn(sa), sa_id(sa), now + life, &a->ticket, &memo);
    secret_fini(&memo);
    s->ask_at = now + life / 4 * 3;
    sa_log(sa, ADIT_LOG_INFO, "IKE", "got a ticket, good for %u s", (unsigned)(life / NS_PER_S));
}

static void ask_commit(struct ike_xchg *x, void *scratch)
{
    struct ask *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct state *s = ext_sa(sa, EXT_resumption);
    if (!s || !sa_is_established(sa))
        return;
    s->client = true;
    s->ask_at = 0;
    if (a->life && a->ticket.n)
        keep(sa, s, a);
    else if (a->later)
        s->ask_at = sa_now(sa) + ASK_AGAIN_S * NS_PER_S;
    else
        sa_log(sa, ADIT_LOG_INFO, "IKE", "the peer gives no ticket%s", a->never ? " (TICKET_NACK)" : "");
}

/* In IKE_AUTH TICKET_ACK means that its answer was too long already. */
static void ask_auth_commit(struct ike_xchg *x, void *scratch)
{
    const struct ask *a = scratch;
    struct state *s;
    ask_commit(x, scratch);
    if (a->later && (s = ext_peek(xchg_sa(x), EXT_resumption)))
        s->ask_at = sa_now(xchg_sa(x)) + NS_PER_S;
}

static void ask_fini(struct ike_xchg *x, void *scratch)
{
    struct ask *a = scratch;
    buf_fini(&a->ticket);
}

const struct ike_step ask_auth_req = {
    .name = "IKE_TICKET",
    .exchange = XCHG_IKE_AUTH,
    .role = XCHG_REQUESTER,
    .scratch = sizeof(struct ask),
    .want = ask_want,
    .build = ask_build,
    .consume = ask_consume,
    .commit = ask_auth_commit,
    .fini = ask_fini,
};
const struct ike_step ask_info_req = {
    .name = "IKE_TICKET",
    .exchange = XCHG_INFORMATIONAL,
    .role = XCHG_REQUESTER,
    .beside = true,
    .scratch = sizeof(struct ask),
    .build = ask_build,
    .consume = ask_consume,
    .commit = ask_commit,
    .fini = ask_fini,
};
const struct ike_step grant_auth_resp = {
    .name = "IKE_TICKET",
    .exchange = XCHG_IKE_AUTH,
    .role = XCHG_RESPONDER,
    .want = grant_auth_want,
    .build = grant,
};
const struct ike_step grant_info_resp = {
    .name = "IKE_TICKET",
    .exchange = XCHG_INFORMATIONAL,
    .role = XCHG_RESPONDER,
    .want = grant_later_want,
    .build = grant,
};
const struct ike_step later_child_resp = {
    .name = "IKE_TICKET",
    .exchange = XCHG_CREATE_CHILD_SA,
    .role = XCHG_RESPONDER,
    .want = grant_later_want,
    .build = later,
};
