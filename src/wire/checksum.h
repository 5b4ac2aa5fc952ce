/* checksum.h - the Internet checksum (RFC 1071), its incremental update (RFC 1624), pseudo headers. Values are in
 * host order as numbers: store them with be16_put(). */
#ifndef WIRE_CHECKSUM_H
#define WIRE_CHECKSUM_H

#include "adit/model.h"
#include "base/span.h"

/* Adds octets to a running sum; start with 0. Only the last piece may have an odd length. */
uint64_t checksum_add(uint64_t sum, struct adit_span octets);
/* The checksum of a running sum: folded and inverted. Octets that include a right checksum give 0. */
uint16_t checksum_fold(uint64_t sum);
/* Running sum of the pseudo header of RFC 9293 s3.1 / RFC 8200 s8.1. Both addresses of one family. */
uint64_t checksum_pseudo(const struct adit_addr *src, const struct adit_addr *dst, uint8_t proto,
                         uint32_t upper_n);
/* RFC 1624 eqn. 3: `check` after a 16-bit word at an even place changed from `old` to `now`. */
uint16_t checksum_update(uint16_t check, uint16_t old, uint16_t now);
/* The same for octet strings of equal, even length at an even place (addresses). */
uint16_t checksum_update_span(uint16_t check, struct adit_span old, struct adit_span now);

#endif
