/* cert.c - Certificate and Certificate Request payloads, RFC 7296 s3.6, s3.7. */
#include "wire/payload.h"

bool cert_get(struct rd *in, struct cert_payload *out)
{
    out->encoding = rd_u8(in);
    out->data = rd_rest(in);
    return rd_ok(in);
}

void cert_put(struct wr *w, uint8_t payload_type, uint8_t encoding, struct adit_span data)
{
    struct wr_mark p = wr_payload(w, payload_type);
    wr_u8(w, encoding);
    wr_span(w, data);
    wr_payload_end(w, p);
}
