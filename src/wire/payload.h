/* payload.h - the chain of payloads (RFC 7296 s3.2) and every payload's body, both directions side by side.
 * Readers: `struct rd` over one body; spans borrowed from the datagram. Writers: between wr_payload() and
 * wr_payload_end(), which closes the length and the previous payload's Next Payload. */
#ifndef WIRE_PAYLOAD_H
#define WIRE_PAYLOAD_H

#include "adit/model.h"
#include "base/rd.h"
#include "base/wr.h"
#include "wire/iana.h"
#include "wire/ike_hdr.h"

#define PAYLOADS_MAX 256

/* The dialect of two peers: how the header of a payload says how long it is. payload_hdr_get() and payload_hdr_put() are
 * the only ones who know; all others ask for the longest payload at most. */
enum payload_format {
    PAYLOAD_RFC7296,   /* s3.2: 16 bits */
    PAYLOAD_RESERVED23 /* the 7 RESERVED bits above them, too; the same octets for what fits into 16 bits */
};
struct payload_hdr {
    uint8_t next, flags; /* C and those RESERVED bits that are not part of the length, as received */
    uint32_t n;          /* octets, the header's 4 included */
};
#define PAYLOAD_HDR_SIZE 4
size_t payload_max(enum payload_format f); /* octets of one payload, header included */
bool payload_hdr_get(struct rd *in, enum payload_format f, struct payload_hdr *out); /* fails: length below 4 */
void payload_hdr_put(struct wr *w, enum payload_format f, struct payload_hdr h);     /* fails: too long */

struct payload {
    uint8_t type;
    bool critical;
    struct adit_span body;
};
struct payload_list {
    uint16_t n;
    struct payload v[PAYLOADS_MAX];
};

/* Reads the chain whose first type is `first` up to its end. An SK or SKF ends the chain (its Next Payload is the
 * first inner one and is given in *inner; may be NULL). Fails: length < 4, beyond the end, octets left over, too many. */
bool payloads_get(struct rd *in, uint8_t first, struct payload_list *out, uint8_t *inner);
/* The same for inner payloads of peers with a dialect. More than 16 bits of length is only for types that can need it: KE,
 * CERT, AUTH, and those for private use. */
bool payloads_get_as(struct rd *in, enum payload_format f, uint8_t first, struct payload_list *out, uint8_t *inner);
/* The nth (0-based) payload of a type, or NULL. */
const struct payload *payloads_find(const struct payload_list *list, uint8_t type, unsigned nth);

struct wr_mark {
    size_t at;
};
/* Begins a payload: links it to the one before (w->next_at) and reserves its header. */
struct wr_mark wr_payload(struct wr *w, uint8_t type);
void wr_payload_end(struct wr *w, struct wr_mark mark);
/* A chain of inner payloads without a header before it (the plaintext of SK): reserves one octet at the very start of
 * w that takes the first payload's type; the chain itself begins at octet 1. */
void wr_chain(struct wr *w);
void wr_format(struct wr *w, enum payload_format f); /* of the payloads that follow; until then RFC 7296's */

/* --- sa_payload.c (s3.3) ------------------------------------------------------------------------------------ */
struct proposals { /* scratch for any received SA payload: 25 KiB, keep it off deep stacks */
    uint16_t n;
    struct proposal v[PROPOSALS_MAX];
};
/* `out` has room for PROPOSALS_MAX, or is of sa_payload_room() octets for this payload. */
bool sa_payload_get(struct rd *in, struct proposals *out);
size_t sa_payload_room(struct adit_span payload);
/* One proposal of an SA payload under way. `last` closes the list. */
void sa_proposal_put(struct wr *w, const struct proposal *p, bool last);

/* --- ke.c (s3.4) -------------------------------------------------------------------------------------------- */
struct ke_payload {
    uint16_t method;
    struct adit_span data;
};
bool ke_get(struct rd *in, struct ke_payload *out);
void ke_put(struct wr *w, uint16_t method, struct adit_span data); /* whole payload */

/* --- id_payload.c (s3.5): whole = type | RESERVED | data as on the wire, what AUTH signs ----------------------- */
bool id_get(struct rd *in, struct adit_id *out, struct adit_span *whole);
void id_put(struct wr *w, uint8_t payload_type, const struct adit_id *id);

/* --- cert.c (s3.6, s3.7) ------------------------------------------------------------------------------------ */
struct cert_payload {
    uint8_t encoding;
    struct adit_span data;
};
bool cert_get(struct rd *in, struct cert_payload *out);
void cert_put(struct wr *w, uint8_t payload_type, uint8_t encoding,
              struct adit_span data); /* CERT or CERTREQ */

/* --- auth.c (s3.8) ------------------------------------------------------------------------------------------ */
struct auth_payload {
    uint8_t method;
    struct adit_span data;
};
bool auth_get(struct rd *in, struct auth_payload *out);
void auth_put(struct wr *w, uint8_t method, struct adit_span data);

/* --- nonce.c (s3.9): 16..256 octets ------------------------------------------------------------------------- */
bool nonce_get(struct rd *in, struct adit_span *out);
void nonce_put(struct wr *w, struct adit_span nonce);

/* --- notify.c (s3.10) --------------------------------------------------------------------------------------- */
struct notify {
    uint8_t proto;
    uint16_t type;
    struct adit_span spi;
    struct adit_span data;
};
bool notify_get(struct rd *in, struct notify *out);
void notify_put(struct wr *w, uint16_t type, struct adit_span data); /* about the IKE SA or nothing */
void notify_put_spi(struct wr *w, uint8_t proto, uint32_t spi, uint16_t type,
                    struct adit_span data); /* ESP/AH */

/* --- delete.c (s3.11) --------------------------------------------------------------------------------------- */
struct delete_payload {
    uint8_t proto;
    uint8_t spi_n;
    uint16_t n;
    struct adit_span spis; /* n * spi_n octets */
};
bool delete_get(struct rd *in, struct delete_payload *out);
void delete_put_ike(struct wr *w);
void delete_put_child(struct wr *w, uint8_t proto, const uint32_t *spis, uint16_t n);

/* --- vendor.c ----------------------------------------------------------------------------------------------- */
void vendor_put(struct wr *w, struct adit_span id);

/* --- ts_payload.c (s3.13): unknown TS types are left out, and what is beyond ADIT_TS_MAX; *unknown counts them ---- */
bool ts_get(struct rd *in, struct adit_ts_list *out, unsigned *unknown);
void ts_put(struct wr *w, uint8_t payload_type, const struct adit_ts *ts, uint16_t n);

/* --- cp.c (s3.15): a type, then attributes; their values are judged where they mean something ------------------ */
struct cp_attr {
    uint16_t type;
    struct adit_span value;
};
/* Reads the type and checks the frame of all attributes; *attrs: a reader for cp_next(). */
bool cp_get(struct rd *in, uint8_t *type, struct rd *attrs);
bool cp_next(struct rd *attrs, struct cp_attr *out); /* false: none is left */
struct wr_mark cp_put(struct wr *w, uint8_t type);   /* then cp_put_attr()..., wr_payload_end() */
void cp_put_attr(struct wr *w, uint16_t type, struct adit_span value);
/* INTERNAL_IP4_ADDRESS (4), INTERNAL_IP6_ADDRESS (17 octets with the prefix's length; 16 are taken too: older peers). */
bool cp_addr_get(const struct cp_attr *attr, struct adit_addr *out);
void cp_addr_put(struct wr *w, const struct adit_addr *a, uint8_t prefix);
/* INTERNAL_IP4_SUBNET (network, mask), INTERNAL_IP6_SUBNET (network, length): the addresses in it. False: malformed. */
bool cp_subnet_get(const struct cp_attr *attr, struct adit_ts *out);

/* --- skf.c (RFC 7383 s2.5): the 4 octets in front of the IV --------------------------------------------------- */
struct skf {
    uint16_t number, total;
};
bool skf_get(struct rd *in, struct skf *out);
void skf_put(struct wr *w, struct skf f);

#endif
