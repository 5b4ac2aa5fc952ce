/* room.c - how long a message and a KE payload in it may be: an RFC 7296 payload takes 65,535 octets; with an extension
 * that has longer ones, what the key exchanges of this SA need, and no more. */
#include "ike/sa.h"

enum payload_format sa_payload_format(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        enum payload_format f = ike_exts[i]->on.payload_format ? ike_exts[i]->on.payload_format(sa) : PAYLOAD_RFC7296;
        if (f != PAYLOAD_RFC7296)
            return f;
    }
    return PAYLOAD_RFC7296;
}

/* --- what key exchanges need ------------------------------------------------------------------------------------ */

struct need {
    const struct adit_crypto *crypto;
    size_t request, response; /* octets of Key Exchange Data */
};

static void need_method(struct need *n, uint16_t method)
{
    const struct ke_alg *a = method ? crypto_ke(n->crypto, method) : NULL;
    if (a && a->init_size > n->request)
        n->request = a->init_size;
    if (a && a->resp_size > n->response)
        n->response = a->resp_size;
}

static void need_list(struct need *n, const struct proposal_list *list)
{
    for (uint16_t i = 0; list && i < list->n; i++)
        for (uint8_t k = 0; k < list->v[i].n; k++)
            if (list->v[i].t[k].type == TT_KE || list->v[i].t[k].type >= TT_ADDKE1)
                need_method(n, list->v[i].t[k].id);
}

static void need_conn(struct need *n, const struct adit_conn *c)
{
    need_list(n, c->proposals);
    for (size_t i = 0; i < c->n_children; i++)
        need_list(n, c->children[i].proposals);
}

bool sa_wants_long_ke(const struct ike_sa *sa)
{
    struct need n = { .crypto = sa->ike->host.crypto };
    if (sa->conn)
        need_conn(&n, sa->conn->cfg);
    return n.request > IKE_KE_MAX || n.response > IKE_KE_MAX;
}

/* Before authentication only what is agreed on counts; a peer that has proven who it is may agree on all that its
 * connection offers. */
static size_t ke_octets(struct ike_sa *sa, bool response)
{
    struct need n = { .crypto = sa->ike->host.crypto };
    for (unsigned i = 0; i < ARRAY_LEN(sa->suite.ke); i++)
        need_method(&n, sa->suite.ke[i]);
    if (sa_is_established(sa) && sa->conn)
        need_conn(&n, sa->conn->cfg);
    return response ? n.response : n.request;
}

static bool has_ke(uint8_t exchange)
{
    return exchange == XCHG_IKE_INTERMEDIATE || exchange == XCHG_CREATE_CHILD_SA || exchange == XCHG_IKE_FOLLOWUP_KE;
}

/* 0: no key exchange here is longer than an RFC 7296 payload. */
static size_t long_ke(struct ike_sa *sa, uint8_t exchange, bool response)
{
    size_t n = has_ke(exchange) && sa->keyed ? ke_octets(sa, response) : 0;
    return n > IKE_KE_MAX && sa_may_carry_ke(sa, exchange, NULL, n) ? n : 0;
}

size_t sa_message_max(struct ike_sa *sa, uint8_t exchange, bool response)
{
    size_t n = long_ke(sa, exchange, response);
    return n ? n + n / 4 + IKE_MARGIN : IKE_MESSAGE_MAX;
}

size_t sa_message_room(struct ike_sa *sa, uint8_t exchange, bool response)
{
    size_t n = long_ke(sa, exchange, response);
    return n ? n + IKE_BESIDE_KE : IKE_MESSAGE_MAX;
}
