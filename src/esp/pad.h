/* pad.h - padding and trailer of ESP's plaintext (RFC 4303 s2.4-2.6). */
#ifndef ESP_PAD_H
#define ESP_PAD_H

#include "base/span.h"

#define PAD_TRAILER_SIZE 2 /* Pad Length, Next Header */

/* Octets of padding that payload_n octets need, so that with the trailer they fill multiples of `align`
 * (a power of two <= 256). */
static inline uint32_t pad_size(uint32_t payload_n, uint32_t align)
{
    return (0u - (payload_n + PAD_TRAILER_SIZE)) & (align - 1);
}
/* Writes padding and trailer; returns the octets written (pad_n + 2). pad_n <= 255. */
uint32_t pad_put(uint8_t *out, uint32_t pad_n, uint8_t next_header);
/* Takes them off an authentic plaintext. False: they lie, or the padding is not 1, 2, 3 ... */
bool pad_get(struct adit_span plain, struct adit_span *payload, uint8_t *next_header);

#endif
