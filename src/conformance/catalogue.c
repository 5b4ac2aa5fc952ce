/* catalogue.c - the rows of the folder catalogue as functions and as a table, and the few words that only rows use. */
#include "base/mem.h"
#include "conformance/puppet.h"

#define UNKNOWN 200 /* a payload type that nobody has assigned */
#define I CONFORMANCE_INITIATOR
#define R CONFORMANCE_RESPONDER
#define EARLY STAGE_BEFORE_AUTH
#define BEHIND STAGE_BEHIND_KEYS
#define MUST LEVEL_MUST
#define SHOULD LEVEL_SHOULD
#define CHOICE LEVEL_CHOICE
#define TEXT(s) SPAN_LIT(s)

static const uint8_t zeros[2000];

/* hello, said as it is drafted. */
static void says_hello(struct puppet *p, uint8_t version, uint8_t flags)
{
    hello(p);
    p->draft.hdr.version = version;
    p->draft.hdr.flags = flags;
    say(p);
}

static void flood(struct puppet *p, unsigned n)
{
    for (unsigned i = 0; i < n && !p->over; i++) {
        hello(p);
        say(p);
    }
}

static void repeat(struct puppet *p, unsigned n)
{
    for (unsigned i = 0; i < n && !p->over; i++)
        say_again(p);
}

static void many(struct puppet *p, uint8_t type, unsigned n, struct adit_span body)
{
    for (unsigned i = 0; i < n && !p->over; i++)
        add(p, type, body);
}

/* Only this transform of its type stays in the offer, changed to `id` and `bits`. */
static void change(struct proposal *v, uint8_t type, uint16_t id, uint16_t bits)
{
    for (uint8_t i = 0; i < v->n; i++)
        if (v->t[i].type == type) {
            v->t[i].id = id;
            v->t[i].bits = bits;
        }
}

static void strike(struct proposal *v, uint8_t type)
{
    uint8_t k = 0;
    for (uint8_t i = 0; i < v->n; i++)
        if (v->t[i].type != type)
            v->t[k++] = v->t[i];
    v->n = k;
}

static void append(struct proposal *v, uint8_t type, uint16_t id, uint16_t bits)
{
    if (v->n < PROPOSAL_TRANSFORMS_MAX)
        v->t[v->n++] = (struct transform){ .type = type, .id = id, .bits = bits };
}

/* The first transform with one more attribute, which nobody knows: octets of an SA payload's body. */
static void strange_attribute(struct puppet *p, const struct proposal *v)
{
    uint8_t mem[600];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    sa_proposal_put(&w, v, true);
    size_t first = 8u + v->spi_n, n = (size_t)mem[first + 2] << 8 | mem[first + 3];
    uint8_t out[640], *to = span_copy(out, span(mem, first + n));
    to = span_copy(to, TEXT("\x9c\x40\x00\x01")); /* type 7232 */
    span_copy(to, span(mem + first + n, w.n - first - n));
    out[first + 3] = (uint8_t)(n + 4);
    out[2] = (uint8_t)((w.n + 4) >> 8);
    out[3] = (uint8_t)(w.n + 4);
    replace(p, PLD_SA, span(out, w.n + 4));
}

static struct adit_ts outside(void)
{
    struct adit_ts ts = ts_any(4);
    span_copy(ts.lo, TEXT("\xcb\x00\x71\x10"));
    span_copy(ts.hi, TEXT("\xcb\x00\x71\x1f"));
    return ts;
}

static struct adit_ts inverted(const struct adit_ts *of)
{
    struct adit_ts ts = *of;
    span_copy(ts.lo, SPAN_ARRAY(of->hi));
    span_copy(ts.hi, SPAN_ARRAY(of->lo));
    ts.lo[0] |= 0x80;
    return ts;
}

/* All sixteen kinds of garbage that extensions might read in an INFORMATIONAL. */
static void garbage_notifies(struct puppet *p)
{
    static const uint16_t types[] = { N_SET_WINDOW_SIZE, N_ADDITIONAL_IP4_ADDRESS, N_ADDITIONAL_IP6_ADDRESS,
                                      N_NAT_DETECTION_SOURCE_IP, N_NAT_DETECTION_DESTINATION_IP, N_COOKIE2,
                                      N_AUTH_LIFETIME, N_REDIRECT, N_TICKET_OPAQUE, N_QUICK_CRASH_DETECTION,
                                      N_SIGNATURE_HASH_ALGORITHMS, N_IPCOMP_SUPPORTED, N_LINK_ID };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        add_notify(p, types[i], SPAN_NONE);
        add_notify(p, types[i], TEXT("abc"));
        add_notify(p, types[i], span(zeros, 300));
    }
}

/* A request so far ahead of the next one; silence, unless the peer has room for it. */
static void ask_ahead(struct puppet *p, uint32_t ahead)
{
    info_request(p);
    p->draft.hdr.msgid += ahead;
    say(p);
    if (ahead < peer_window(p))
        accepted(p);
    else
        silence(p);
}

/* As many requests as the peer keeps answers of; then the oldest of them again. */
static void oldest_kept_again(struct puppet *p)
{
    struct adit_buf asked = { 0 }, told = { 0 };
    uint32_t window = peer_window(p), msgid = p->sa.next_send;
    info_request(p);
    say(p);
    accepted(p);
    must(p, buf_set(&asked, buf_span(&p->said)) == ADIT_OK &&
                buf_set(&told, span(p->heard.datagram, p->heard.n)) == ADIT_OK, "out of memory");
    for (uint32_t i = 1; i < window; i++)
        alive(p);
    p->draft.hdr.msgid = msgid;
    say_raw(p, buf_span(&asked));
    if (!p->over && !hear_response(p, p->params->answer_ms))
        fail(p, "the peer does not keep as many answers as it has promised");
    must(p, span_equal(buf_span(&told), span(p->heard.datagram, p->heard.n)),
         "the answer to a repeated request differs from the first one");
    buf_fini(&asked);
    buf_fini(&told);
}

/* What a stranger may be refused with before authentication: anything but a Child SA. */
static void nothing_made(struct puppet *p)
{
    refused(p);
    must(p, !heard_payload(p, PLD_SA), "the peer made an SA with a stranger");
}

static void refused_then_gone(struct puppet *p, uint16_t notify)
{
    refused_with(p, notify);
    gone(p);
}

static void auth_fails(struct puppet *p)
{
    say(p);
    refused_with(p, N_AUTHENTICATION_FAILED);
    gone(p);
}

/* The IKE SA is there, the Child SA is refused (RFC 7296 s1.2). */
static void child_fails(struct puppet *p, uint16_t notify)
{
    say(p);
    refused_with(p, notify);
    finish_auth(p);
    alive(p);
}

/* IKE_AUTH is taken, and then there is a Child SA that works, or it is refused, and then there is no IKE SA (RFC 7296 s2.21.2). */
static void all_or_nothing(struct puppet *p)
{
    struct notify n;
    say(p);
    answered(p);
    if (!p->over && heard_any_error(p, &n) && !heard_payload(p, PLD_AUTH)) {
        gone(p);
        return;
    }
    finish_auth(p);
    alive(p);
}

static void lie_not_believed(struct puppet *p)
{
    say(p);
    still_waits(p);
}

/* An IKE_SA_INIT response with a notify alone, as anybody may forge it. */
static void forged(struct puppet *p, uint16_t type, struct adit_span data)
{
    called(p);
    p->draft.n = 0;
    p->draft.hdr.spi_r = 0;
    add_notify(p, type, data);
}

/* The peer asks again with what it was told: it is to stop sometime. */
static void loop(struct puppet *p, uint16_t type, struct adit_span data, unsigned rounds)
{
    for (unsigned i = 0; i < rounds && !p->over; i++) {
        say(p);
        if (!hear_request(p, XCHG_IKE_SA_INIT, p->params->quiet_ms))
            return;
        draft_begin(p, XCHG_IKE_SA_INIT, true);
        p->draft.hdr.spi_i = p->heard.hdr.spi_i;
        p->draft.hdr.spi_r = 0;
        add_notify(p, type, data);
    }
    fail(p, "the peer goes round and round");
}

static void rekey_storm(struct puppet *p, unsigned n)
{
    for (unsigned i = 0; i < n && !p->over; i++) {
        uint32_t before = p->sa.spi_in;
        child_rekey(p, before);
        say(p);
        answered(p);
        take_child(p);
        delete_child(p, before);
        say(p);
        accepted(p);
    }
}

static void rekeys(struct puppet *p)
{
    ike_rekey(p);
    say(p);
    answered(p);
    take_ike(p);
}

static void leaves_former(struct puppet *p)
{
    former_self(p);
    delete_ike(p);
    say(p);
    accepted(p);
    p->sa.up = false;
    former_self(p);
}

/* Rekeys the IKE SA and deletes the old one. */
static void moves_on(struct puppet *p)
{
    rekeys(p);
    leaves_former(p);
}

/* The IKE SA is being rekeyed, the first IKE_FOLLOWUP_KE is drafted. */
static void series(struct puppet *p)
{
    if (!p->n_add) {
        skip(p, "needs a suite with an additional key exchange");
        return;
    }
    up(p);
    ike_rekey_series(p);
    say(p);
    accepted(p);
    followup(p);
}

/* The first IKE_FOLLOWUP_KE anew: another message, with the link that was given last. */
static void same_link(struct puppet *p)
{
    if (p->over)
        return;
    draft_begin(p, XCHG_IKE_FOLLOWUP_KE, false);
    sa_begin_ke(p, p->add[0]);
    put_ke(p, p->add[0]->id, buf_span(&p->pub));
    add_notify(p, N_ADDITIONAL_KEY_EXCHANGE, buf_span(&p->series.link));
}

/* An IKE_FOLLOWUP_KE was answered; all after it: the new IKE SA. */
static void ends_rounds(struct puppet *p)
{
    while (!p->over && p->series.n < p->n_add) {
        followup(p);
        say(p);
        accepted(p);
    }
    take_series(p);
}

static void ends_series(struct puppet *p)
{
    ends_rounds(p);
    alive(p);
    leaves_former(p);
    alive(p);
}

/* Does the first selector hold all IPv4 addresses? */
static bool is_everything(const struct payload *ts)
{
    return ts && ts->body.n >= 20 && span_equal(span_first(span_from(ts->body, 12), 8), TEXT("\0\0\0\0\xff\xff\xff\xff"));
}

static void pieces(struct puppet *p)
{
    struct notify n;
    p->fragments = true;
    keyed(p);
    if (!p->over && p->sa.init_resp.n) {
        struct rd in = rd_init(span_from(buf_span(&p->sa.init_resp), IKE_HDR_SIZE));
        if (payloads_get(&in, p->sa.init_resp.p[IKE_HDR_NEXT_AT], &p->heard.list, NULL) &&
            !heard_notify(p, N_IKEV2_FRAGMENTATION_SUPPORTED, &n))
            skip(p, "the peer does not announce fragmentation");
    }
    auth_request(p);
}

/* Up to the request of an additional key exchange that the suite does not have, drafted. What private numbers need is shown,
 * and `ability` wanted in return. */
static void agree_on(struct puppet *p, uint16_t method, uint16_t ability)
{
    struct notify n;
    const struct ke_alg *alg = crypto_ke(p->params->crypto, method);
    if (p->n_add || !alg) {
        skip(p, p->n_add ? "needs a suite without additional key exchanges" : "this build lacks the key exchange method");
        return;
    }
    p->fragments = p->private_points = true;
    p->add[p->n_add++] = alg;
    hello(p);
    append(&p->offer, TT_ADDKE1, method, 0);
    put_offer(p);
    say(p);
    answered(p);
    if (!p->over && (heard_any_error(p, &n) || !heard_notify(p, ability, &n))) {
        skip(p, heard_any_error(p, &n) ? "the peer does not agree on that method" : "the peer cannot do this");
        return;
    }
    accept_response(p);
    draft_begin(p, XCHG_IKE_INTERMEDIATE, false);
    sa_begin_ke(p, alg);
}

/* The peer's answer has come in two fragments, and may be reported about. */
static void cut_answer(struct puppet *p)
{
    agree_on(p, KE_ML_KEM_1024, N_FRAGMENT_ACK_SUPPORTED);
    put_ke(p, p->over ? 0 : p->add[0]->id, buf_span(&p->pub));
    say(p);
    answered(p);
    if (!p->over && p->heard.pieces.total != 2)
        skip(p, "the peer's answer does not come in two fragments");
}

/* At most so many fragments were sent again because of what was said, and the handshake goes on. */
static void repeated(struct puppet *p, unsigned most)
{
    unsigned n = count_datagrams(p, p->params->quiet_ms);
    if (n > most)
        fail(p, "%u datagrams came because of reports that lie, at most %u may", n, most);
    took_round(p);
    works(p);
}

/* A KE payload of n octets, with this length in its header, in a message that is cut into fragments. */
#define LONG_PIECE 1200
static void say_long(struct puppet *p, uint8_t type, size_t n, uint32_t claimed)
{
    size_t whole = PAYLOAD_HDR_SIZE + n;
    uint8_t *plain = p->over ? NULL : mem_new(whole);
    struct wr w;
    wr_init(&w, plain, plain ? whole : 0);
    payload_hdr_put(&w, PAYLOAD_RESERVED23, (struct payload_hdr){ .n = claimed });
    wr_u16(&w, p->over ? 0 : p->add[0]->id);
    wr_u16(&w, 0);
    wr_span(&w, span_first(buf_span(&p->pub), n - 4));
    unsigned total = (unsigned)((whole + LONG_PIECE - 1) / LONG_PIECE);
    for (unsigned i = 0; plain && i < total; i++) {
        struct adit_span piece = span_first(span_from(span(plain, whole), (size_t)i * LONG_PIECE), LONG_PIECE);
        size_t sealed = seal(p, i ? PLD_NONE : type, piece, i + 1, total);
        say_raw(p, span(p->out_mem, sealed));
    }
    mem_del(plain);
}

/* As far as a key of a quarter of a megabyte, which p->pub has. */
static void long_round(struct puppet *p)
{
    agree_on(p, KE_MCELIECE_348864F, N_BIG_PAYLOAD_SUPPORTED);
}

#define ROW(name, section, role, stage, level, what, expected, ...) \
    static void row_##name(struct puppet *p) __VA_ARGS__
#include "conformance/catalogue/header.def"
#include "conformance/catalogue/payloads.def"
#include "conformance/catalogue/proposals.def"
#include "conformance/catalogue/strangers.def"
#include "conformance/catalogue/reports.def"
#include "conformance/catalogue/longer.def"
#include "conformance/catalogue/authentication.def"
#include "conformance/catalogue/established.def"
#include "conformance/catalogue/followup.def"
#include "conformance/catalogue/responder.def"
#undef ROW

static const struct behaviour rows[] = {
#define ROW(name, section, role, stage, level, what, expected, ...) \
    { #name, section, role, stage, level, what, expected, row_##name },
#include "conformance/catalogue/header.def"
#include "conformance/catalogue/payloads.def"
#include "conformance/catalogue/proposals.def"
#include "conformance/catalogue/strangers.def"
#include "conformance/catalogue/reports.def"
#include "conformance/catalogue/longer.def"
#include "conformance/catalogue/authentication.def"
#include "conformance/catalogue/established.def"
#include "conformance/catalogue/followup.def"
#include "conformance/catalogue/responder.def"
#undef ROW
};

const struct behaviour *conformance_rows(size_t *n)
{
    *n = ARRAY_LEN(rows);
    return rows;
}
