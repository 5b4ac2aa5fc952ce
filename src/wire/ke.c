/* ke.c - Key Exchange payload, RFC 7296 s3.4. */
#include "wire/payload.h"

bool ke_get(struct rd *in, struct ke_payload *out)
{
    out->method = rd_u16(in);
    rd_skip(in, 2); /* RESERVED: ignored on receipt */
    out->data = rd_rest(in);
    return rd_require(in, out->data.n > 0, "KE payload without key exchange data");
}

void ke_put(struct wr *w, uint16_t method, struct adit_span data)
{
    struct wr_mark p = wr_payload(w, PLD_KE);
    wr_u16(w, method);
    wr_u16(w, 0);
    wr_span(w, data);
    wr_payload_end(w, p);
}
