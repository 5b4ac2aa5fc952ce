/* esp_hdr.h - the ESP header (RFC 4303 s2): SPI and the low half of the sequence number. */
#ifndef WIRE_ESP_HDR_H
#define WIRE_ESP_HDR_H

#include "base/rd.h"
#include "wire/be.h"

#define ESP_HDR_SIZE 8
#define ESP_SPI_MIN 256 /* 1-255 are reserved, 0 is never sent (s2.1) */

struct esp_hdr {
    uint32_t spi, seq;
};
static inline bool esp_hdr_get(struct rd *in, struct esp_hdr *out)
{
    out->spi = rd_u32(in);
    out->seq = rd_u32(in);
    return rd_ok(in);
}
static inline void esp_hdr_put(uint8_t out[ESP_HDR_SIZE], uint32_t spi, uint32_t seq)
{
    be32_put(out, spi);
    be32_put(out + 4, seq);
}

#endif
