/* ecn.c - one table for ECN at decapsulation. */
#include "esp/ecn.h"

#define DROP 0xff
static const uint8_t decap[16]; /* at the end */

uint8_t ecn_outer(uint8_t inner, enum adit_copy dscp, bool copy_ecn)
{
    uint8_t tos = copy_ecn ? inner & ECN_MASK : ECN_NOT_ECT;
    if (dscp == ADIT_COPY_OUT || dscp == ADIT_COPY_BOTH)
        tos |= inner & DSCP_MASK;
    return tos;
}

bool ecn_inner(uint8_t inner, uint8_t outer, enum adit_copy dscp, uint8_t *result)
{
    uint8_t ecn = decap[(inner & ECN_MASK) << 2 | (outer & ECN_MASK)];
    bool from_outer = dscp == ADIT_COPY_IN || dscp == ADIT_COPY_BOTH;
    *result = (uint8_t)(((from_outer ? outer : inner) & DSCP_MASK) | (ecn & ECN_MASK));
    return ecn != DROP;
}

/* RFC 6040 figure 4; row = inner, column = outer: Not-ECT, ECT(1), ECT(0), CE. */
/* clang-format off */
static const uint8_t decap[16] = {
    ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, DROP,
    ECN_ECT1,    ECN_ECT1,    ECN_ECT1,    ECN_CE,
    ECN_ECT0,    ECN_ECT1,    ECN_ECT0,    ECN_CE,
    ECN_CE,      ECN_CE,      ECN_CE,      ECN_CE,
};
