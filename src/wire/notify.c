/* notify.c - Notify payload, RFC 7296 s3.10. */
#include "wire/payload.h"

bool notify_get(struct rd *in, struct notify *out)
{
    out->proto = rd_u8(in); /* without an SPI it is to be ignored; RFC 6023 and 6290 send 1 there */
    uint8_t spi_n = rd_u8(in);
    out->type = rd_u16(in);
    out->spi = rd_take(in, spi_n);
    out->data = rd_rest(in);
    return rd_ok(in);
}

void notify_put(struct wr *w, uint16_t type, struct adit_span data)
{
    struct wr_mark p = wr_payload(w, PLD_NOTIFY);
    wr_u8(w, PROTO_NONE);
    wr_u8(w, 0);
    wr_u16(w, type);
    wr_span(w, data);
    wr_payload_end(w, p);
}

void notify_put_spi(struct wr *w, uint8_t proto, uint32_t spi, uint16_t type, struct adit_span data)
{
    struct wr_mark p = wr_payload(w, PLD_NOTIFY);
    wr_u8(w, proto);
    wr_u8(w, sizeof(spi));
    wr_u16(w, type);
    wr_u32(w, spi);
    wr_span(w, data);
    wr_payload_end(w, p);
}
