/* id_payload.c - Identification payloads, RFC 7296 s3.5. */
#include "wire/payload.h"

static bool is_right_length(const struct adit_id *id)
{
    switch (id->type) {
    case ID_IPV4_ADDR: return id->data.n == 4;
    case ID_IPV6_ADDR: return id->data.n == 16;
    default: return true;
    }
}

bool id_get(struct rd *in, struct adit_id *out, struct adit_span *whole)
{
    /* The RESERVED octets as they came: the peer signs what it sent (RFC 7296 s2.15, RestOfIDPayload). */
    *whole = span(in->p, in->n);
    out->type = rd_u8(in);
    rd_skip(in, 3);
    out->data = rd_rest(in);
    if (out->type == ID_NULL)
        out->data = SPAN_NONE; /* RFC 7619 s2.2: ignored if present */
    /* 0 is reserved on the wire; inside it would stand for "any identity". */
    return rd_require(in, out->type != 0, "identity type 0") &&
           rd_require(in, is_right_length(out), "address identity of a wrong length");
}

void id_put(struct wr *w, uint8_t payload_type, const struct adit_id *id)
{
    struct wr_mark p = wr_payload(w, payload_type);
    wr_u8(w, id->type);
    wr_zero(w, 3);
    wr_span(w, id->data);
    wr_payload_end(w, p);
}
