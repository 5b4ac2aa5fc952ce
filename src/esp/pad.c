/* pad.c - RFC 4303 s2.4: the padding is 1, 2, 3, ...; s3.4.4.1: the receiver SHOULD look at it. Only after the ICV was
 * found right, so that comparing openly tells nobody anything. */
#include "esp/pad.h"

uint32_t pad_put(uint8_t *out, uint32_t pad_n, uint8_t next_header)
{
    for (uint32_t i = 0; i < pad_n; i++)
        out[i] = (uint8_t)(i + 1);
    out[pad_n] = (uint8_t)pad_n;
    out[pad_n + 1] = next_header;
    return pad_n + PAD_TRAILER_SIZE;
}

bool pad_get(struct adit_span plain, struct adit_span *payload, uint8_t *next_header)
{
    if (plain.n < PAD_TRAILER_SIZE)
        return false;
    size_t room = plain.n - PAD_TRAILER_SIZE;
    size_t pad_n = plain.p[room];
    if (pad_n > room)
        return false;
    const uint8_t *pad = plain.p + room - pad_n;
    for (size_t i = 0; i < pad_n; i++)
        if (pad[i] != i + 1)
            return false;
    *next_header = plain.p[room + 1];
    *payload = span(plain.p, room - pad_n);
    return true;
}
