/* intermediate.c - IKE_INTERMEDIATE (RFC 9242): the exchange between IKE_SA_INIT and IKE_AUTH. What travels in it belongs
 * to other extensions, which bring their own steps for exchange 43; here are its negotiation and IntAuth, by which AUTH
 * covers every octet of it. */
#include "ike/ext.h"

struct state {
    uint8_t i[PRF_OUT_MAX], r[PRF_OUT_MAX]; /* IntAuth of the requests and of the responses so far */
    bool has_i, has_r;
    uint8_t tail[2 * PRF_OUT_MAX + 4];
};

/* A of RFC 9242 s3.3.2: IKE header and SK's generic header as if there were neither IV nor padding nor ICV. */
static void put_header(struct ike_sa *sa, struct wr *w, const struct raw_msg *raw)
{
    struct payload_hdr sk = { raw->first, raw->sk_flags, (uint32_t)(PAYLOAD_HDR_SIZE + raw->plain.n) };
    struct ike_hdr h = raw->hdr;
    h.next = PLD_SK;
    h.length = (uint32_t)(IKE_HDR_SIZE + 4 + raw->plain.n);
    ike_hdr_put(w, &h);
    payload_hdr_put(w, sa_payload_format(sa), sk); /* the Adjusted Payload Length, however long it is */
}

/* IntAuth_k = prf(SK_p(k), IntAuth_(k-1) | A | P), with the keys that protect exchange k. */
static enum adit_rc message(struct ike_sa *sa, enum msg_dir dir, const struct raw_msg *raw)
{
    uint8_t header[IKE_HDR_SIZE + 4];
    struct wr w;
    struct state *s = ext_sa(sa, EXT_intermediate);
    const struct prf_alg *prf = sa_prf(sa);
    bool of_initiator = !(raw->hdr.flags & IKE_FLAG_RESPONSE); /* before AUTH only the initiator asks */
    (void)dir;
    if (!s)
        return ADIT_ERR_MEMORY;
    uint8_t *chain = of_initiator ? s->i : s->r;
    bool *has = of_initiator ? &s->has_i : &s->has_r;
    wr_init(&w, header, sizeof(header));
    put_header(sa, &w, raw);
    if (!wr_ok(&w))
        return ADIT_ERR_LIMIT;
    struct adit_span parts[] = { span(chain, *has ? prf->out : 0), wr_written(&w), raw->plain };
    uint8_t out[PRF_OUT_MAX];
    TRY(prf_compute(prf, keys_p(sa_keys(sa), of_initiator), parts, ARRAY_LEN(parts), out));
    span_copy(chain, span(out, prf->out));
    *has = true;
    return ADIT_OK;
}

/* IntAuth = IntAuth_i | IntAuth_r | IKE_AUTH's message ID, in this order for both sides. */
static enum adit_rc octets(struct ike_sa *sa, struct octets *o, uint32_t auth_msgid)
{
    struct state *s = ext_peek(sa, EXT_intermediate);
    const struct prf_alg *prf = sa_prf(sa);
    struct wr w;
    if (!s || !s->has_i || !s->has_r)
        return ADIT_OK; /* no such exchange took place */
    wr_init(&w, s->tail, sizeof(s->tail));
    wr_span(&w, span(s->i, prf->out));
    wr_span(&w, span(s->r, prf->out));
    wr_u32(&w, auth_msgid);
    o->part[OCTETS_TAIL] = wr_written(&w);
    return ADIT_OK;
}

static const struct ike_announce announce[] = {
    { .notify = N_INTERMEDIATE_EXCHANGE_SUPPORTED, .exchange = XCHG_IKE_SA_INIT, .rule = BOTH_SENT },
};

const struct ike_ext ext_intermediate = {
    .id = EXT_intermediate,
    .name = "intermediate",
    .spec = "RFC 9242",
    .sa_size = sizeof(struct state),
    .announce = announce,
    .n_announce = ARRAY_LEN(announce),
    .on = { .message = message, .octets = octets },
};
