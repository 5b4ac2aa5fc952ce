/* octets.c - what AUTH covers: the sender's first message, the other's nonce, the MACed identity (RFC 7296 s2.15). */
#include "ike/auth/auth.h"

/* The parts are spans: MACED_ID's points into *o itself, so *o is not to be copied. */
enum adit_rc octets_init(struct octets *o, const struct prf_alg *prf, struct adit_span sk_p,
                         struct adit_span message, struct adit_span nonce, struct adit_span id_whole)
{
    *o = (struct octets){ 0 };
    TRY(prf_compute(prf, sk_p, &id_whole, 1, o->maced_id));
    o->part[OCTETS_MESSAGES] = message;
    o->part[OCTETS_NONCE] = nonce;
    o->part[OCTETS_MACED_ID] = span(o->maced_id, prf->out);
    return ADIT_OK;
}

enum adit_rc octets_flat(const struct octets *o, struct adit_buf *out)
{
    TRY(buf_resize(out, 0));
    for (size_t i = 0; i < OCTETS_PARTS; i++)
        TRY(buf_append(out, o->part[i]));
    return ADIT_OK;
}
