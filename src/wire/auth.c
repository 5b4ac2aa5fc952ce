/* auth.c - Authentication payload, RFC 7296 s3.8. */
#include "wire/payload.h"

bool auth_get(struct rd *in, struct auth_payload *out)
{
    out->method = rd_u8(in);
    rd_skip(in, 3); /* RESERVED */
    out->data = rd_rest(in);
    return rd_ok(in);
}

void auth_put(struct wr *w, uint8_t method, struct adit_span data)
{
    struct wr_mark p = wr_payload(w, PLD_AUTH);
    wr_u8(w, method);
    wr_zero(w, 3);
    wr_span(w, data);
    wr_payload_end(w, p);
}
