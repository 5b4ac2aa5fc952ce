/* nonce.c - Nonce payload, RFC 7296 s3.9. */
#include "wire/payload.h"

#define NONCE_MIN 16
#define NONCE_MAX 256

bool nonce_get(struct rd *in, struct adit_span *out)
{
    *out = rd_rest(in);
    return rd_require(in, out->n >= NONCE_MIN && out->n <= NONCE_MAX, "nonce not of 16 to 256 octets");
}

void nonce_put(struct wr *w, struct adit_span nonce)
{
    struct wr_mark p = wr_payload(w, PLD_NONCE);
    wr_span(w, nonce);
    wr_payload_end(w, p);
}
