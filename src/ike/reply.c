/* reply.c - the one place that decides what a peer is told when something is wrong (RFC 7296 s2.21, s3.10.1). */
#include "ike/sa.h"

uint16_t reply_notify(enum adit_rc rc)
{
    switch (rc) {
    case ADIT_ERR_MALFORMED: return N_INVALID_SYNTAX;
    case ADIT_ERR_PUBLIC: return N_INVALID_SYNTAX; /* RFC 6989 s2.5, ML-KEM draft s2 */
    case ADIT_ERR_PATH: return N_UNEXPECTED_NAT_DETECTED; /* RFC 4555 s3.9 */
    case ADIT_ERR_CRITICAL: return N_UNSUPPORTED_CRITICAL_PAYLOAD;
    case ADIT_ERR_VERSION: return N_INVALID_MAJOR_VERSION;
    case ADIT_ERR_NO_ADDRESS: return N_INTERNAL_ADDRESS_FAILURE; /* RFC 7296 s3.15.4 */
    case ADIT_ERR_NO_REQUEST: return N_FAILED_CP_REQUIRED;       /* RFC 7296 s2.19 */
    case ADIT_ERR_PROPOSAL: return N_NO_PROPOSAL_CHOSEN;
    case ADIT_ERR_KE_METHOD: return N_INVALID_KE_PAYLOAD;
    case ADIT_ERR_TS: return N_TS_UNACCEPTABLE;
    case ADIT_ERR_AUTH: return N_AUTHENTICATION_FAILED;
    case ADIT_ERR_POLICY: return N_NO_PROPOSAL_CHOSEN;
    case ADIT_ERR_NO_ADDITIONAL: return N_NO_ADDITIONAL_SAS;
    case ADIT_ERR_QUEUE: return N_TS_MAX_QUEUE; /* RFC 9611 */
    case ADIT_ERR_NO_CHILD: return N_CHILD_SA_NOT_FOUND;
    case ADIT_ERR_NO_STATE: return N_STATE_NOT_FOUND;
    case ADIT_ERR_DROP: case ADIT_ERR_INTEGRITY: return 0;
    default: return N_TEMPORARY_FAILURE; /* memory, limits, a library that refuses: may be better later */
    }
}

static uint16_t notify_for(const struct ike_xchg *x, enum adit_rc rc)
{
    uint16_t type = reply_notify(rc);
    if (x->exchange == XCHG_IKE_SA_INIT && rc == ADIT_ERR_MALFORMED)
        return 0; /* INVALID_SYNTAX is for protected answers only, RFC 7296 s3.10.1 */
    if (opening_of(x->exchange))
        return opening_of(x->exchange)->refusal;
    bool auth = x->exchange == XCHG_IKE_AUTH;
    if (auth && type && rc != ADIT_ERR_MALFORMED && rc != ADIT_ERR_CRITICAL && rc != ADIT_ERR_PATH)
        return N_AUTHENTICATION_FAILED; /* for any reason: never tell which, RFC 7296 s2.21.2 */
    return type;
}

bool reply_is_fatal(const struct ike_sa *sa, uint8_t exchange, enum adit_rc rc)
{
    if (sa->state < SA_ESTABLISHED)
        return true;
    return rc == ADIT_ERR_MALFORMED || rc == ADIT_ERR_PUBLIC; /* RFC 7296 s2.21.3: both sides forget the IKE SA */
}

static void protected_error(struct ike_xchg *x, uint16_t type)
{
    struct ike_sa *sa = x->sa;
    uint8_t mem[256];
    struct wr w;
    struct ike_hdr hdr = { .spi_i = sa->spi_i, .spi_r = sa->spi_r, .version = IKE_VERSION, .exchange = x->exchange,
                           .flags = (uint8_t)(IKE_FLAG_RESPONSE | (sa->is_initiator ? IKE_FLAG_INITIATOR : 0)),
                           .msgid = x->msgid };
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    if (type == N_CHILD_SA_NOT_FOUND)
        notify_put_spi(&w, PROTO_ESP, x->reply_spi, type, SPAN_NONE);
    else
        notify_put(&w, type, x->reply_data);
    wire_unref(x->wire);
    x->wire = NULL;
    if (msg_protect(sa, &hdr, w.p[0], span_from(wr_written(&w), 1), &x->wire) != ADIT_OK)
        x->wire = NULL;
}

void reply_error(struct ike_xchg *x, enum adit_rc rc)
{
    uint16_t type = notify_for(x, rc);
    if (rc == ADIT_ERR_PROPOSAL)
        ike_count(x->ike, x->sa, ADIT_C_PROPOSAL_MISMATCH);
    if (rc == ADIT_ERR_AUTH)
        ike_count(x->ike, x->sa, ADIT_C_AUTH_FAILED);
    if (!type)
        return;
    if (opens_sa(x->exchange))
        reply_stray(x->ike, &x->in_raw.hdr, &x->path, type, x->reply_data);
    else
        protected_error(x, type);
}

void reply_stray(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path, uint16_t notify,
                 struct adit_span data)
{
    struct ike_hdr h = { .spi_i = hdr->spi_i, .spi_r = hdr->spi_r, .version = IKE_VERSION, .exchange = hdr->exchange,
                         .flags = (uint8_t)(IKE_FLAG_RESPONSE | (~hdr->flags & IKE_FLAG_INITIATOR)),
                         .msgid = hdr->msgid };
    uint8_t mem[700];
    struct wr w;
    bool wanted = !notify_is_error(notify) || notify == N_INVALID_KE_PAYLOAD; /* the handshake goes on by them */
    if (!wanted && !ike_may_answer_error(ike))
        return;
    wr_init(&w, mem, sizeof(mem));
    ike_hdr_put(&w, &h);
    notify_put(&w, notify, data);
    ike_hdr_close(&w, 0);
    struct ike_wire *wire = wire_new(1, w.n);
    if (!wire)
        return;
    span_copy(wire_next(wire, w.n), wr_written(&w));
    wire_close(wire, w.n);
    event_send(ike, path, wire);
    wire_unref(wire);
}

static enum adit_rc rc_of(uint16_t type)
{
    switch (type) {
    case N_NO_PROPOSAL_CHOSEN: return ADIT_ERR_PROPOSAL;
    case N_TS_UNACCEPTABLE: return ADIT_ERR_TS;
    case N_AUTHENTICATION_FAILED: return ADIT_ERR_AUTH;
    case N_TEMPORARY_FAILURE: return ADIT_ERR_TEMPORARY;
    case N_CHILD_SA_NOT_FOUND: return ADIT_ERR_NO_CHILD;
    case N_STATE_NOT_FOUND: return ADIT_ERR_NO_STATE;
    case N_NO_ADDITIONAL_SAS: return ADIT_ERR_NO_ADDITIONAL;
    case N_TS_MAX_QUEUE: return ADIT_ERR_QUEUE;
    case N_INVALID_KE_PAYLOAD: return ADIT_ERR_KE_METHOD;
    case N_UNEXPECTED_NAT_DETECTED: return ADIT_ERR_PATH;
    case N_INTERNAL_ADDRESS_FAILURE: return ADIT_ERR_NO_ADDRESS;
    case N_FAILED_CP_REQUIRED: return ADIT_ERR_NO_REQUEST;
    default: return ADIT_ERR_PEER;
    }
}

enum adit_rc reply_read(const struct ike_msg *msg, uint16_t *type, struct adit_why *why)
{
    struct notify n;
    uint16_t i = 0;
    while (msg_next_notify(msg, &i, &n)) {
        if (!notify_is_error(n.type))
            continue;
        *type = n.type;
        if (n.type == N_SINGLE_PAIR_REQUIRED)
            return why_set(why, ADIT_ERR_TS, "peer answers SINGLE_PAIR_REQUIRED: it makes Child SAs for single packets only; "
                                             "use start_action = trap, which asks with the packet's own addresses");
        return why_set(why, rc_of(n.type), "peer answers %s", iana_name(IANA_N, n.type));
    }
    return ADIT_OK;
}
