/* ecn.h - TOS octets between inner and outer headers: DSCP (RFC 2983, RFC 4301 s5.1.2) and ECN (RFC 6040). */
#ifndef ESP_ECN_H
#define ESP_ECN_H

#include "adit/model.h"

enum ecn { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };
#define ECN_MASK 3
#define DSCP_MASK 0xfc

/* The outer TOS octet at encapsulation. copy_ecn: normal mode of RFC 6040 s4.1, else compatibility mode (Not-ECT). */
uint8_t ecn_outer(uint8_t inner, enum adit_copy dscp, bool copy_ecn);
/* The inner TOS octet at decapsulation (RFC 6040 s4.2). False: drop (congestion that the inner flow can't be told). */
bool ecn_inner(uint8_t inner, uint8_t outer, enum adit_copy dscp, uint8_t *result);

#endif
