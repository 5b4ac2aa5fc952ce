/* vendor.c - numbers of the ranges for private use mean what both sides say they mean: this Vendor ID (RFC 7296 s3.12)
 * says that it is us who gave them out. Everything that uses such numbers asks sa_shares_private(). */
#include "ike/sa.h"

/* The first 16 octets of SHA-256("Adit IKEv2 private code points 1"). */
static const uint8_t private_points[16] = { 0x73, 0x92, 0x67, 0x65, 0xf0, 0x75, 0xaa, 0xb8,
                                            0x53, 0x06, 0xdf, 0xa6, 0xe2, 0x1a, 0x2f, 0xcf };

void vendor_id_put(struct wr *w)
{
    vendor_put(w, SPAN_ARRAY(private_points));
}

bool vendor_id_is_in(const struct ike_msg *msg)
{
    for (uint16_t i = 0; i < msg->n; i++)
        if (msg->v[i].type == PLD_VENDOR && span_equal(msg->v[i].body, SPAN_ARRAY(private_points)))
            return true;
    return false;
}

bool sa_shares_private(const struct ike_sa *sa)
{
    const struct ike_xchg *in = sa_in(sa);
    bool first_answer = in && opens_sa(in->exchange); /* nothing is committed yet */
    if (sa->is_initiator && !sa->keyed)
        return true;
    return sa->peer_private || (first_answer && in->peer_private);
}
