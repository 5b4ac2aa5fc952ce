/* exchanges.c - what an honest initiator does: IKE_SA_INIT, IKE_INTERMEDIATE, IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL. */
#include "conformance/puppet.h"

#define NONCE_SIZE 32

static void check(struct puppet *p, enum adit_rc rc, const char *what)
{
    if (rc != ADIT_OK)
        fail(p, "the puppet cannot %s", what);
}

void sa_begin_ke(struct puppet *p, const struct ke_alg *alg)
{
    if (p->over)
        return;
    if (p->ke_state)
        p->ke_state_of->ops->free(p->ke_state);
    p->ke_state = NULL;
    p->ke_state_of = alg;
    check(p, alg->ops->init(p->params->crypto, alg, &p->ke_state, &p->pub), "make a key exchange value");
}

/* The peer's value: p->shared. */
static void finish_ke(struct puppet *p)
{
    const struct payload *ke = heard_payload(p, PLD_KE);
    struct ke_payload v = { 0 };
    struct rd in = rd_init(ke ? ke->body : SPAN_NONE);
    const struct ke_alg *alg = p->ke_state_of;
    if (p->over)
        return;
    if (!ke || !ke_get(&in, &v) || v.method != alg->id || v.data.n != alg->resp_size || !p->ke_state)
        fail(p, "the peer's KE payload does not fit");
    else
        check(p, alg->ops->finish(p->params->crypto, alg, p->ke_state, v.data, &p->shared), "finish a key exchange");
}

/* --- payloads -------------------------------------------------------------------------------------------------------- */

static void put_proposal(struct puppet *p, const struct proposal *v)
{
    struct wr w;
    bool has = false;
    wr_init(&w, p->scratch, sizeof(p->scratch));
    sa_proposal_put(&w, v, true);
    for (uint16_t i = 0; i < p->draft.n; i++)
        has |= p->draft.part[i].type == PLD_SA;
    if (has)
        replace(p, PLD_SA, wr_written(&w));
    else
        add(p, PLD_SA, wr_written(&w));
}

void put_offer(struct puppet *p)
{
    put_proposal(p, &p->offer);
}

void put_pick(struct puppet *p)
{
    put_proposal(p, &p->pick);
}

static void add_ke(struct puppet *p, uint16_t method, struct adit_span data)
{
    struct wr w;
    wr_init(&w, p->scratch, sizeof(p->scratch));
    wr_u16(&w, method);
    wr_u16(&w, 0);
    wr_span(&w, data);
    add(p, PLD_KE, wr_written(&w));
}

void put_ke(struct puppet *p, uint16_t method, struct adit_span data)
{
    leave_out(p, PLD_KE);
    add_ke(p, method, data);
}

static void add_nonce(struct puppet *p, struct adit_buf *nonce, size_t n)
{
    check(p, buf_resize(nonce, n), "make a nonce");
    if (p->over)
        return;
    random_octets(p, nonce->p, n);
    add(p, PLD_NONCE, buf_span(nonce));
}

void put_nonce(struct puppet *p, size_t n)
{
    struct adit_buf *nonce = p->draft.hdr.exchange != XCHG_IKE_SA_INIT      ? &p->nonce
                             : p->draft.hdr.flags & IKE_FLAG_RESPONSE ? &p->sa.nr
                                                                      : &p->sa.ni;
    leave_out(p, PLD_NONCE);
    add_nonce(p, nonce, n);
}

void set_selectors(struct puppet *p, uint8_t type, const struct adit_ts *ts, unsigned count)
{
    struct wr w;
    size_t n = ts->family == 6 ? 16 : 4;
    wr_init(&w, p->scratch, sizeof(p->scratch));
    wr_u8(&w, (uint8_t)count);
    wr_zero(&w, 3);
    for (unsigned i = 0; i < count; i++) {
        wr_u8(&w, ts->family == 6 ? TS_IPV6_ADDR_RANGE : TS_IPV4_ADDR_RANGE);
        wr_u8(&w, ts->proto);
        wr_u16(&w, (uint16_t)(8 + 2 * n));
        wr_u16(&w, ts->port_lo);
        wr_u16(&w, ts->port_hi);
        wr_span(&w, span(ts->lo, n));
        wr_span(&w, span(ts->hi, n));
    }
    leave_out(p, type);
    add(p, type, wr_written(&w));
}

/* The configured proposal without key exchanges, as IKE_AUTH wants it, or with the first one only. */
static void esp_offer(struct puppet *p, bool with_ke)
{
    p->offer = *p->esp;
    p->offer.num = 1;
    p->offer.n = 0;
    for (uint8_t i = 0; i < p->esp->n; i++)
        if (p->esp->t[i].type < TT_KE || p->esp->t[i].type == TT_SN || (with_ke && p->esp->t[i].type == TT_KE))
            p->offer.t[p->offer.n++] = p->esp->t[i];
    p->offer.spi_n = 4;
    random_octets(p, p->offer.spi, 4);
    p->offer.spi[0] |= 1;
}

static uint32_t number(const uint8_t *spi)
{
    return (uint32_t)spi[0] << 24 | (uint32_t)spi[1] << 16 | (uint32_t)spi[2] << 8 | spi[3];
}

static bool heard_proposal(struct puppet *p)
{
    const struct payload *sa = heard_payload(p, PLD_SA);
    struct rd in = rd_init(sa ? sa->body : SPAN_NONE);
    return sa && sa_payload_get(&in, &p->proposals) && p->proposals.n == 1;
}

/* --- IKE_SA_INIT ------------------------------------------------------------------------------------------------------ */

static uint64_t new_spi(struct puppet *p)
{
    uint8_t o[8];
    struct rd in = rd_init(SPAN_ARRAY(o));
    random_octets(p, o, sizeof(o));
    return rd_u64(&in) | 1;
}

void put_announcements(struct puppet *p)
{
    if (p->n_add)
        add_notify(p, N_INTERMEDIATE_EXCHANGE_SUPPORTED, SPAN_NONE);
    if (p->fragments)
        add_notify(p, N_IKEV2_FRAGMENTATION_SUPPORTED, SPAN_NONE);
    if (p->private_points) {
        add(p, PLD_VENDOR, SPAN_LIT("\x73\x92\x67\x65\xf0\x75\xaa\xb8\x53\x06\xdf\xa6\xe2\x1a\x2f\xcf"));
        add_notify(p, N_FRAGMENT_ACK_SUPPORTED, SPAN_NONE);
        add_notify(p, N_BIG_PAYLOAD_SUPPORTED, SPAN_NONE);
    }
    announce_hashes(p);
}

void hello(struct puppet *p)
{
    association_fini(&p->sa);
    p->sa.initiator = true;
    p->sa.spi_i = new_spi(p);
    draft_begin(p, XCHG_IKE_SA_INIT, false);
    p->offer = *p->ike;
    p->offer.num = 1;
    sa_begin_ke(p, p->ke);
    put_offer(p);
    add_ke(p, p->ke ? p->ke->id : 0, buf_span(&p->pub));
    add_nonce(p, &p->sa.ni, NONCE_SIZE);
    put_announcements(p);
}

void offer_ke(struct puppet *p, uint16_t method)
{
    const struct ke_alg *alg = crypto_ke(p->params->crypto, method);
    if (!alg) {
        skip(p, "this build lacks the key exchange method");
        return;
    }
    for (uint8_t i = 0; i < p->offer.n; i++)
        if (p->offer.t[i].type == TT_KE)
            p->offer.t[i].id = method;
    while (p->offer.n && p->offer.t[p->offer.n - 1].type >= TT_ADDKE1)
        p->offer.n--;
    put_offer(p);
    sa_begin_ke(p, alg);
    put_ke(p, method, buf_span(&p->pub));
}

static struct sk_seed seed(const struct association *a)
{
    return (struct sk_seed){ buf_span(&a->ni), buf_span(&a->nr), a->spi_i, a->spi_r };
}

void derive_first(struct puppet *p)
{
    struct association *a = &p->sa;
    struct sk_seed s = seed(a);
    if (p->over)
        return;
    sk_fini(&a->keys);
    crypt_free(a->sealer);
    crypt_free(a->opener);
    a->sealer = a->opener = NULL;
    check(p, sk_first(&p->rows, &s, secret_span(&p->shared), &a->keys), "compute keys");
    a->keyed = !p->over;
}

void derive_round(struct puppet *p)
{
    struct association *a = &p->sa;
    struct sk_seed s = seed(a);
    struct sk_keys keys = { 0 };
    if (p->over)
        return;
    check(p, sk_next(&p->rows, &s, &a->keys, secret_span(&p->shared), &keys), "compute keys");
    sk_fini(&a->keys);
    a->keys = keys;
    crypt_free(a->sealer);
    crypt_free(a->opener);
    a->sealer = a->opener = NULL;
    a->iv = 0;
    a->rounds++;
}

void accept_response(struct puppet *p)
{
    const struct payload *nonce = heard_payload(p, PLD_NONCE);
    struct association *a = &p->sa;
    struct notify n;
    if (p->over)
        return;
    if (heard_any_error(p, &n)) {
        fail(p, "the peer answers IKE_SA_INIT with %s", iana_name(IANA_N, n.type));
        return;
    }
    if (!nonce || !heard_proposal(p) || !p->heard.hdr.spi_r) {
        fail(p, "the peer's IKE_SA_INIT response is incomplete");
        return;
    }
    a->spi_r = p->heard.hdr.spi_r;
    hear_hashes(p);
    check(p, buf_set(&a->nr, nonce->body), "keep a nonce");
    check(p, buf_set(&a->init_req, buf_span(&p->said)), "keep the request");
    check(p, buf_set(&a->init_resp, span(p->heard.datagram, p->heard.n)), "keep the response");
    finish_ke(p);
    derive_first(p);
    a->next_send = 1;
}

/* Says the draft until it is answered by more than a COOKIE. */
static void exchange_init(struct puppet *p)
{
    struct notify n;
    for (int tries = 0; !p->over && tries < 4; tries++) {
        say(p);
        if (!hear_response(p, p->params->answer_ms)) {
            say_again(p);
            if (!hear_response(p, p->params->answer_ms)) {
                fail(p, "the peer does not answer IKE_SA_INIT");
                return;
            }
        }
        if (!heard_notify(p, N_COOKIE, &n))
            break;
        if (tries)
            leave_out(p, PLD_NOTIFY); /* the former cookie; the other notifies come again */
        add_notify(p, N_COOKIE, n.data);
        if (tries)
            put_announcements(p);
    }
    accept_response(p);
}

static void draft_round(struct puppet *p, unsigned i)
{
    draft_begin(p, XCHG_IKE_INTERMEDIATE, false);
    sa_begin_ke(p, p->add[i]);
    add_ke(p, p->add[i] ? p->add[i]->id : 0, buf_span(&p->pub));
}

void took_round(struct puppet *p)
{
    uint8_t first, mem[8192];
    size_t n = draft_chain(p, mem, sizeof(mem), &first);
    if (!p->over && n == SIZE_MAX)
        fail(p, "the script's message is too long");
    if (p->over)
        return;
    int_auth(p, true, &p->draft.hdr, first, 0, span(mem, n));
    int_auth(p, false, &p->heard.hdr, p->heard.list.n ? p->heard.list.v[0].type : PLD_NONE,
             p->heard.datagram[IKE_HDR_SIZE + 1], p->heard.plain);
    finish_ke(p);
    derive_round(p);
}

static void round_trip(struct puppet *p)
{
    say(p);
    if (!p->over && !hear_response(p, p->params->answer_ms))
        fail(p, "the peer does not answer IKE_INTERMEDIATE");
    took_round(p);
}

void keyed(struct puppet *p)
{
    hello(p);
    exchange_init(p);
    for (unsigned i = 0; i < p->n_add && !p->over; i++) {
        draft_round(p, i);
        round_trip(p);
    }
}

void keyed_but_round(struct puppet *p)
{
    if (!p->n_add) {
        skip(p, "needs a suite with an additional key exchange");
        return;
    }
    hello(p);
    exchange_init(p);
    draft_round(p, 0);
}

/* --- IKE_AUTH ---------------------------------------------------------------------------------------------------------- */

static void add_id(struct puppet *p, uint8_t type, const struct adit_id *id)
{
    struct wr w;
    wr_init(&w, p->scratch, sizeof(p->scratch));
    wr_u8(&w, id->type);
    wr_zero(&w, 3);
    wr_span(&w, id->data);
    add(p, type, wr_written(&w));
}

void auth_request(struct puppet *p)
{
    draft_begin(p, XCHG_IKE_AUTH, false);
    add_id(p, PLD_IDi, &p->params->id);
    put_cert(p);
    put_certreq(p);
    if (p->params->peer_id.type)
        add_id(p, PLD_IDr, &p->params->peer_id);
    set_auth(p, SK_PI);
    esp_offer(p, false);
    put_offer(p);
    set_selectors(p, PLD_TSi, &p->params->ts, 1);
    set_selectors(p, PLD_TSr, &p->params->peer_ts, 1);
}

static void note_window(struct puppet *p)
{
    struct notify n;
    struct rd in = rd_init(heard_notify(p, N_SET_WINDOW_SIZE, &n) ? n.data : SPAN_NONE);
    uint32_t size = rd_u32(&in);
    p->sa.window = rd_end(&in) ? size : 0;
}

void finish_auth(struct puppet *p)
{
    struct notify n;
    if (p->over)
        return;
    if (heard_any_error(p, &n) && !heard_payload(p, PLD_AUTH)) {
        fail(p, "the peer answers IKE_AUTH with %s", iana_name(IANA_N, n.type));
        return;
    }
    verify_peer(p);
    p->sa.up = !p->over;
    note_window(p);
    p->sa.spi_in = number(p->offer.spi);
    p->sa.spi_out = heard_proposal(p) ? number(p->proposals.v[0].spi) : 0;
}

void up(struct puppet *p)
{
    keyed(p);
    auth_request(p);
    say(p);
    if (!p->over && !hear_response(p, p->params->answer_ms))
        fail(p, "the peer does not answer IKE_AUTH");
    finish_auth(p);
    if (!p->over && !p->sa.spi_out)
        fail(p, "the peer makes no Child SA");
}

/* --- behind the keys ----------------------------------------------------------------------------------------------------- */

uint32_t peer_window(const struct puppet *p)
{
    return p->sa.window < 1 ? 1 : p->sa.window > 16 ? 16 : p->sa.window;
}

void info_request(struct puppet *p)
{
    draft_begin(p, XCHG_INFORMATIONAL, false);
}

void child_request(struct puppet *p)
{
    draft_begin(p, XCHG_CREATE_CHILD_SA, false);
    esp_offer(p, true);
    put_offer(p);
    add_nonce(p, &p->nonce, NONCE_SIZE);
    if (p->child_ke) {
        sa_begin_ke(p, p->child_ke);
        add_ke(p, p->child_ke->id, buf_span(&p->pub));
    }
    set_selectors(p, PLD_TSi, &p->params->ts, 1);
    set_selectors(p, PLD_TSr, &p->params->peer_ts, 1);
}

void child_rekey(struct puppet *p, uint32_t spi)
{
    child_request(p);
    add_notify_spi(p, PROTO_ESP, spi, N_REKEY_SA);
}

void take_child(struct puppet *p)
{
    struct notify n;
    if (p->over)
        return;
    if (heard_any_error(p, &n) || !heard_proposal(p)) {
        fail(p, "the peer makes no Child SA: %s", heard_any_error(p, &n) ? iana_name(IANA_N, n.type) : "no SA payload");
        return;
    }
    p->sa.spi_in = number(p->offer.spi);
    p->sa.spi_out = number(p->proposals.v[0].spi);
}

static void draft_rekey(struct puppet *p)
{
    struct wr w;
    if (p->over)
        return;
    draft_begin(p, XCHG_CREATE_CHILD_SA, false);
    p->offer = *p->ike;
    p->offer.num = 1;
    p->offer.spi_n = 8;
    wr_init(&w, p->offer.spi, 8);
    wr_u64(&w, new_spi(p));
    put_offer(p);
    add_nonce(p, &p->nonce, NONCE_SIZE);
    sa_begin_ke(p, p->ke);
    add_ke(p, p->ke->id, buf_span(&p->pub));
}

void ike_rekey(struct puppet *p)
{
    if (p->n_add)
        skip(p, "needs a suite without an additional key exchange");
    draft_rekey(p);
}

static uint64_t long_number(const uint8_t *spi)
{
    struct rd in = rd_init(span(spi, 8));
    return rd_u64(&in);
}

/* The new IKE SA takes over the Child SA; the former one is kept aside. */
static void move_on(struct puppet *p, struct association *next)
{
    next->keyed = !p->over;
    next->spi_in = p->sa.spi_in;
    next->spi_out = p->sa.spi_out;
    association_fini(&p->old);
    p->old = p->sa;
    p->sa = *next;
}

void take_ike(struct puppet *p)
{
    const struct payload *nonce = heard_payload(p, PLD_NONCE);
    struct association next = { .initiator = true, .up = true };
    struct notify n;
    if (p->over)
        return;
    if (heard_any_error(p, &n) || !heard_proposal(p) || !nonce) {
        fail(p, "the peer does not rekey: %s", heard_any_error(p, &n) ? iana_name(IANA_N, n.type) : "no SA payload");
        return;
    }
    finish_ke(p);
    next.spi_i = long_number(p->offer.spi);
    next.spi_r = long_number(p->proposals.v[0].spi);
    struct sk_seed s = { buf_span(&p->nonce), nonce->body, next.spi_i, next.spi_r };
    if (!p->over)
        check(p, sk_next(&p->rows, &s, &p->sa.keys, secret_span(&p->shared), &next.keys), "compute keys");
    move_on(p, &next);
}

/* --- IKE_FOLLOWUP_KE ----------------------------------------------------------------------------------------------------- */

void ike_rekey_series(struct puppet *p)
{
    if (!p->n_add)
        skip(p, "needs a suite with an additional key exchange");
    draft_rekey(p);
    p->series.n = 0;
}

static void begin_series(struct puppet *p)
{
    const struct payload *nonce = heard_payload(p, PLD_NONCE);
    if (!p->over && (!heard_proposal(p) || !nonce))
        fail(p, "the peer does not rekey");
    if (p->over)
        return;
    p->series.spi_r = long_number(p->proposals.v[0].spi);
    check(p, buf_set(&p->series.nr, nonce->body), "keep a nonce");
    check(p, buf_set(&p->series.more, SPAN_NONE), "begin a series");
    check(p, secret_set(&p->series.first, secret_span(&p->shared)), "keep a secret");
}

/* What was heard brings the next key of the series. */
static void take_round(struct puppet *p)
{
    struct notify n;
    if (!p->over && heard_any_error(p, &n))
        fail(p, "the peer does not rekey: %s", iana_name(IANA_N, n.type));
    finish_ke(p);
    if (p->series.n == 0)
        begin_series(p);
    else if (!p->over)
        check(p, buf_append(&p->series.more, secret_span(&p->shared)), "keep a secret");
    p->series.n++;
}

void followup(struct puppet *p)
{
    struct notify n;
    take_round(p);
    if (!p->over && !heard_notify(p, N_ADDITIONAL_KEY_EXCHANGE, &n))
        fail(p, "the peer gives no link to the next key exchange");
    if (p->over || p->series.n > p->n_add)
        return;
    check(p, buf_set(&p->series.link, n.data), "keep the link");
    draft_begin(p, XCHG_IKE_FOLLOWUP_KE, false);
    sa_begin_ke(p, p->add[p->series.n - 1]);
    add_ke(p, p->add[p->series.n - 1]->id, buf_span(&p->pub));
    add_notify(p, N_ADDITIONAL_KEY_EXCHANGE, buf_span(&p->series.link));
}

void take_series(struct puppet *p)
{
    struct association next = { .initiator = true, .up = true };
    take_round(p);
    if (p->over)
        return;
    next.spi_i = long_number(p->offer.spi);
    next.spi_r = p->series.spi_r;
    struct sk_seed s = { buf_span(&p->nonce), buf_span(&p->series.nr), next.spi_i, next.spi_r };
    check(p, sk_series(&p->rows, &s, &p->sa.keys, secret_span(&p->series.first), buf_span(&p->series.more), &next.keys),
          "compute keys");
    move_on(p, &next);
}

void delete_child(struct puppet *p, uint32_t spi)
{
    uint8_t body[8] = { PROTO_ESP, 4, 0, 1, (uint8_t)(spi >> 24), (uint8_t)(spi >> 16), (uint8_t)(spi >> 8), (uint8_t)spi };
    info_request(p);
    add(p, PLD_DELETE, SPAN_ARRAY(body));
}

void delete_ike(struct puppet *p)
{
    static const uint8_t body[4] = { PROTO_IKE };
    info_request(p);
    add(p, PLD_DELETE, SPAN_ARRAY(body));
}
