/* responses.c - what an honest responder does when the peer initiates. */
#include "conformance/puppet.h"

#define NONCE_SIZE 32
#define PATIENCE 12 /* answer times that the peer has for a request of its own */

static unsigned patience(const struct puppet *p)
{
    return PATIENCE * p->params->answer_ms;
}

static bool contains(const struct proposal *offer, const struct transform *t)
{
    for (uint8_t i = 0; i < offer->n; i++)
        if (offer->t[i].type == t->type && offer->t[i].id == t->id && offer->t[i].bits == t->bits)
            return true;
    return false;
}

/* The offered proposal that holds all of `want`, KE only if it is offered: p->pick. */
static void choose(struct puppet *p, const struct proposal *want, uint8_t spi_n)
{
    const struct payload *sa = heard_payload(p, PLD_SA);
    struct rd in = rd_init(sa ? sa->body : SPAN_NONE);
    if (p->over)
        return;
    if (!sa || !sa_payload_get(&in, &p->proposals)) {
        fail(p, "the peer's SA payload cannot be read");
        return;
    }
    for (uint16_t i = 0; i < p->proposals.n; i++) {
        const struct proposal *o = &p->proposals.v[i];
        bool all = true;
        p->pick = (struct proposal){ .num = o->num, .proto = want->proto, .spi_n = spi_n };
        for (uint8_t k = 0; k < want->n; k++) {
            bool in_offer = contains(o, &want->t[k]), may_lack = want->proto == PROTO_ESP && want->t[k].type == TT_KE;
            all = all && (in_offer || may_lack);
            if (in_offer)
                p->pick.t[p->pick.n++] = want->t[k];
        }
        if (all) {
            p->peer_spi = (uint32_t)o->spi[0] << 24 | (uint32_t)o->spi[1] << 16 | (uint32_t)o->spi[2] << 8 | o->spi[3];
            random_octets(p, p->pick.spi, spi_n);
            p->pick.spi[0] |= 1;
            return;
        }
    }
    skip(p, "the peer does not offer what the puppet was told to take");
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

/* Our half for the peer's KE payload: p->pub, p->shared. */
static void respond_ke(struct puppet *p, const struct ke_alg *alg)
{
    const struct payload *ke = heard_payload(p, PLD_KE);
    struct rd in = rd_init(ke ? ke->body : SPAN_NONE);
    struct ke_payload v = { 0 };
    if (p->over)
        return;
    if (!ke || !ke_get(&in, &v) || v.method != alg->id || v.data.n != alg->init_size ||
        alg->ops->respond(p->params->crypto, alg, v.data, &p->pub, &p->shared) != ADIT_OK)
        fail(p, "the peer's KE payload does not fit");
}

static void keep(struct puppet *p, struct adit_buf *to, struct adit_span from)
{
    if (!p->over && buf_set(to, from) != ADIT_OK)
        fail(p, "out of memory");
}

/* Another key exchange than ours in the KE payload: the peer is told, and comes again. */
static bool wrong_method(struct puppet *p)
{
    const struct payload *ke = heard_payload(p, PLD_KE);
    uint8_t want[2] = { (uint8_t)(p->ke->id >> 8), (uint8_t)p->ke->id };
    struct rd in = rd_init(ke ? ke->body : SPAN_NONE);
    if (!ke || rd_u16(&in) == p->ke->id)
        return false;
    draft_begin(p, XCHG_IKE_SA_INIT, true);
    p->draft.hdr.spi_i = p->heard.hdr.spi_i;
    add_notify(p, N_INVALID_KE_PAYLOAD, SPAN_ARRAY(want));
    say(p);
    return true;
}

/* --- IKE_SA_INIT ------------------------------------------------------------------------------------------------------ */

/* The honest response, with a nonce and keys of its own; the key exchange's value stays. */
static void draft_init(struct puppet *p)
{
    p->heard.hdr.msgid = 0;
    draft_begin(p, XCHG_IKE_SA_INIT, true);
    put_pick(p);
    add_ke(p, p->ke ? p->ke->id : 0, buf_span(&p->pub));
    put_nonce(p, NONCE_SIZE);
    put_certreq(p);
    put_announcements(p);
}

void called(struct puppet *p)
{
    struct association *a = &p->sa;
    if (p->over)
        return;
    association_fini(a);
    if (!p->port.wish || !p->port.wish(p->port.arg, WISH_INITIATE)) {
        skip(p, "the peer was not brought to initiate");
        return;
    }
    for (int tries = 0; tries < 4 && !p->over; tries++) {
        if (!hear_request(p, XCHG_IKE_SA_INIT, patience(p))) {
            skip(p, "the peer does not initiate");
            return;
        }
        if (!wrong_method(p))
            break;
    }
    const struct payload *nonce = heard_payload(p, PLD_NONCE);
    a->spi_i = p->heard.hdr.spi_i;
    random_octets(p, (uint8_t *)&a->spi_r, sizeof(a->spi_r));
    a->spi_r |= 1;
    a->next_expect = 1;
    hear_hashes(p);
    keep(p, &a->init_req, span(p->heard.datagram, p->heard.n));
    keep(p, &a->ni, nonce ? nonce->body : SPAN_NONE);
    choose(p, p->ike, 0);
    respond_ke(p, p->ke);
    draft_init(p);
}

/* What was said last is what AUTH signs; the keys follow from it. */
static void said_init(struct puppet *p)
{
    keep(p, &p->sa.init_resp, buf_span(&p->said));
    derive_first(p);
}

static void answer_round(struct puppet *p, unsigned i)
{
    uint8_t first, mem[8192];
    if (p->over)
        return;
    if (!hear_request(p, XCHG_IKE_INTERMEDIATE, patience(p))) {
        fail(p, "the peer does not go on with IKE_INTERMEDIATE");
        return;
    }
    int_auth(p, true, &p->heard.hdr, p->heard.list.n ? p->heard.list.v[0].type : PLD_NONE,
             p->heard.datagram[IKE_HDR_SIZE + 1], p->heard.plain);
    respond_ke(p, p->add[i]);
    draft_begin(p, XCHG_IKE_INTERMEDIATE, true);
    add_ke(p, p->add[i]->id, buf_span(&p->pub));
    say(p);
    size_t n = draft_chain(p, mem, sizeof(mem), &first);
    int_auth(p, false, &p->draft.hdr, first, 0, span(mem, n));
    derive_round(p);
}

/* --- IKE_AUTH ---------------------------------------------------------------------------------------------------------- */

static void draft_auth(struct puppet *p)
{
    const struct payload *tsi = heard_payload(p, PLD_TSi), *tsr = heard_payload(p, PLD_TSr);
    struct wr w;
    uint8_t mem[300];
    choose(p, p->esp, 4);
    if (p->over)
        return;
    draft_begin(p, XCHG_IKE_AUTH, true);
    struct adit_id any = { ID_FQDN, SPAN_LIT("puppet.example") }, *id = &any;
    if (p->params->id.type)
        any = p->params->id;
    wr_init(&w, mem, sizeof(mem));
    wr_u8(&w, id->type);
    wr_zero(&w, 3);
    wr_span(&w, id->data);
    add(p, PLD_IDr, wr_written(&w));
    put_cert(p);
    set_auth(p, SK_PR);
    put_pick(p);
    if (tsi && tsr) {
        add(p, PLD_TSi, tsi->body);
        add(p, PLD_TSr, tsr->body);
    }
}

void called_keyed(struct puppet *p)
{
    called(p);
    say(p);
    said_init(p);
    for (unsigned i = 0; i < p->n_add && !p->over; i++)
        answer_round(p, i);
    if (p->over)
        return;
    if (!hear_request(p, XCHG_IKE_AUTH, patience(p))) {
        fail(p, "the peer does not go on with IKE_AUTH");
        return;
    }
    verify_peer(p);
    draft_auth(p);
}

void called_up(struct puppet *p)
{
    called_keyed(p);
    say(p);
    p->sa.up = !p->over;
    p->sa.spi_in = (uint32_t)p->pick.spi[0] << 24 | (uint32_t)p->pick.spi[1] << 16 | (uint32_t)p->pick.spi[2] << 8 |
                   p->pick.spi[3];
    alive(p);
}

void still_waits(struct puppet *p)
{
    if (p->over)
        return;
    draft_init(p);
    say(p);
    said_init(p);
    if (!p->over && !hear_request(p, p->n_add ? XCHG_IKE_INTERMEDIATE : XCHG_IKE_AUTH, patience(p)))
        fail(p, "the peer believed the lie: an honest answer after it is not taken");
}

void answer(struct puppet *p)
{
    draft_begin(p, p->heard.hdr.exchange, true);
}

/* --- CREATE_CHILD_SA ------------------------------------------------------------------------------------------------------ */

static bool rekey_heard(struct puppet *p, enum conformance_wish w)
{
    if (p->over)
        return false;
    if (!p->port.wish || !p->port.wish(p->port.arg, w) || !hear_request(p, XCHG_CREATE_CHILD_SA, patience(p)))
        skip(p, "the peer was not brought to rekey");
    return !p->over;
}

static void draft_child(struct puppet *p, const struct proposal *want, const struct ke_alg *ke, uint8_t spi_n)
{
    choose(p, want, spi_n);
    bool with_ke = heard_payload(p, PLD_KE) && ke;
    if (with_ke)
        respond_ke(p, ke);
    answer(p);
    put_pick(p);
    put_nonce(p, NONCE_SIZE);
    if (with_ke)
        add_ke(p, ke->id, buf_span(&p->pub));
}

void called_child(struct puppet *p)
{
    if (!rekey_heard(p, WISH_REKEY_CHILD))
        return;
    const struct payload *tsi = heard_payload(p, PLD_TSi), *tsr = heard_payload(p, PLD_TSr);
    p->peer_old_spi = p->peer_spi;
    draft_child(p, p->esp, p->child_ke, 4);
    if (tsi && tsr) {
        add(p, PLD_TSi, tsi->body);
        add(p, PLD_TSr, tsr->body);
    }
}

void called_rekey(struct puppet *p)
{
    if (!rekey_heard(p, WISH_REKEY_IKE))
        return;
    draft_child(p, p->ike, p->ke, 8);
    if (p->n_add)
        add_notify(p, N_ADDITIONAL_KEY_EXCHANGE, SPAN_LIT("link"));
}
