/* ike_hdr.h - the IKE header (RFC 7296 s3.1), 28 octets. */
#ifndef WIRE_IKE_HDR_H
#define WIRE_IKE_HDR_H

#include "base/rd.h"
#include "base/wr.h"

#define IKE_HDR_SIZE 28
#define IKE_HDR_NEXT_AT 16   /* offset of Next Payload */
#define IKE_HDR_LENGTH_AT 24 /* offset of Length */
#define IKE_VERSION 0x20
#define IKE_FLAG_INITIATOR 0x08
#define IKE_FLAG_VERSION 0x10
#define IKE_FLAG_RESPONSE 0x20

struct ike_hdr {
    uint64_t spi_i, spi_r; /* as numbers: first octet on the wire is the highest */
    uint8_t next;
    uint8_t version;
    uint8_t exchange;
    uint8_t flags;
    uint32_t msgid;
    uint32_t length; /* whole message, as the header says */
};

/* Fails only if fewer than 28 octets are there: what the fields mean is judged by the caller. */
bool ike_hdr_get(struct rd *in, struct ike_hdr *out);
/* Length is written as given; ike_hdr_close() sets it (and w->next_at is ready for wr_payload). */
void ike_hdr_put(struct wr *w, const struct ike_hdr *hdr);
/* Sets Length to everything written since `at` (the header's place in w). */
void ike_hdr_close(struct wr *w, size_t at);

#endif
