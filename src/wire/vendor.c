/* vendor.c - Vendor ID payload, RFC 7296 s3.12: opaque octets. */
#include "wire/payload.h"

void vendor_put(struct wr *w, struct adit_span id)
{
    struct wr_mark p = wr_payload(w, PLD_VENDOR);
    wr_span(w, id);
    wr_payload_end(w, p);
}
