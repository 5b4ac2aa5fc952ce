/* ike_hdr.c - the IKE header, RFC 7296 s3.1. */
#include "wire/ike_hdr.h"

bool ike_hdr_get(struct rd *in, struct ike_hdr *out)
{
    out->spi_i = rd_u64(in);
    out->spi_r = rd_u64(in);
    out->next = rd_u8(in);
    out->version = rd_u8(in);
    out->exchange = rd_u8(in);
    out->flags = rd_u8(in);
    out->msgid = rd_u32(in);
    out->length = rd_u32(in);
    return rd_ok(in);
}

void ike_hdr_put(struct wr *w, const struct ike_hdr *hdr)
{
    w->next_at = w->n + IKE_HDR_NEXT_AT;
    wr_u64(w, hdr->spi_i);
    wr_u64(w, hdr->spi_r);
    wr_u8(w, hdr->next);
    wr_u8(w, hdr->version);
    wr_u8(w, hdr->exchange);
    wr_u8(w, hdr->flags);
    wr_u32(w, hdr->msgid);
    wr_u32(w, hdr->length);
}

void ike_hdr_close(struct wr *w, size_t at)
{
    wr_set_u32(w, at + IKE_HDR_LENGTH_AT, (uint32_t)(w->n - at));
}
