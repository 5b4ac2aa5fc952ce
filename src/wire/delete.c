/* delete.c - Delete payload, RFC 7296 s3.11. */
#include "wire/payload.h"

static bool is_right_size(const struct delete_payload *d)
{
    switch (d->proto) {
    case PROTO_IKE: return d->spis.n == 0; /* the SA is the one that carries the message */
    case PROTO_AH:
    case PROTO_ESP: return d->spi_n == 4;
    default: return true; /* not ours: the caller passes over it */
    }
}

bool delete_get(struct rd *in, struct delete_payload *out)
{
    out->proto = rd_u8(in);
    out->spi_n = rd_u8(in);
    out->n = rd_u16(in);
    out->spis = rd_take(in, (size_t)out->n * out->spi_n);
    return rd_end(in) && rd_require(in, is_right_size(out), "Delete with a wrong SPI size");
}

void delete_put_ike(struct wr *w)
{
    struct wr_mark p = wr_payload(w, PLD_DELETE);
    wr_u8(w, PROTO_IKE);
    wr_u8(w, 0);
    wr_u16(w, 0);
    wr_payload_end(w, p);
}

void delete_put_child(struct wr *w, uint8_t proto, const uint32_t *spis, uint16_t n)
{
    struct wr_mark p = wr_payload(w, PLD_DELETE);
    wr_u8(w, proto);
    wr_u8(w, sizeof(*spis));
    wr_u16(w, n);
    for (uint16_t i = 0; i < n; i++)
        wr_u32(w, spis[i]);
    wr_payload_end(w, p);
}
