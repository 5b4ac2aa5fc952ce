/* sa_payload.c - proposals, transforms, attributes (RFC 7296 s3.3). The numbering of proposals and what they must
 * contain is judged by negotiation, not here. */
#include "wire/payload.h"

#define PROPOSAL_MORE 2
#define TRANSFORM_MORE 3
#define TRANSFORM_SIZE 8 /* without attributes */
#define ATTR_TV 0x8000

static bool is_known_type(uint8_t type)
{
    return type >= TT_ENCR && type <= TT_ADDKE7;
}

/* s3.3.5. A Key Length in any other form than one non-zero TV is as good as an attribute that we don't know. */
static void get_attribute(struct rd *in, struct transform *t)
{
    uint16_t head = rd_u16(in), value = rd_u16(in);
    if (!(head & ATTR_TV))
        rd_skip(in, value); /* TLV: it is the length */
    if (head == (ATTR_TV | ATTR_KEY_LENGTH) && value != 0 && t->bits == 0)
        t->bits = value;
    else
        t->unusable = true;
}

/* "Last Substruc": `more` while others follow, 0 in the last one. */
static bool get_more(struct rd *in, uint8_t more, bool *last)
{
    uint8_t v = rd_u8(in);
    *last = v == 0;
    return rd_require(in, v == 0 || v == more, "last-substructure octet");
}

static bool get_transform(struct rd *in, struct transform *t, bool *last)
{
    *t = (struct transform){ 0 };
    get_more(in, TRANSFORM_MORE, last);
    rd_skip(in, 1);
    uint16_t n = rd_u16(in);
    if (!rd_require(in, n >= TRANSFORM_SIZE, "transform length below 8"))
        return false;
    struct rd body = rd_sub(in, (size_t)n - 4);
    t->type = rd_u8(&body);
    rd_skip(&body, 1);
    t->id = rd_u16(&body);
    while (rd_more(&body))
        get_attribute(&body, t);
    return rd_join(in, &body);
}

static bool get_transforms(struct rd *in, uint8_t n, struct proposal *p)
{
    if (!rd_require(in, n <= PROPOSAL_TRANSFORMS_MAX, "too many transforms in a proposal"))
        return false;
    for (p->n = 0; p->n < n; p->n++) {
        bool last;
        if (!get_transform(in, &p->t[p->n], &last))
            return false;
        if (!rd_require(in, last == (p->n + 1 == n), "number of transforms"))
            return false;
        p->unknown |= !is_known_type(p->t[p->n].type);
    }
    return rd_end(in);
}

static void get_spi(struct rd *in, uint8_t n, struct proposal *p)
{
    struct adit_span spi = rd_take(in, n);
    if (spi.n > sizeof(p->spi)) {
        p->unknown = true; /* no protocol that we speak has one this long */
        return;
    }
    span_copy(p->spi, spi);
    p->spi_n = (uint8_t)spi.n;
}

/* Field by field: clearing all 64 transforms for each proposal would cost more than reading them. */
static void clear(struct proposal *p)
{
    p->spi_n = p->n = 0;
    p->unknown = false;
    memset(p->spi, 0, sizeof(p->spi));
}

static bool get_proposal(struct rd *in, struct proposal *p, bool *last)
{
    clear(p);
    get_more(in, PROPOSAL_MORE, last);
    rd_skip(in, 1);
    uint16_t n = rd_u16(in);
    if (!rd_require(in, n >= 8, "proposal length below 8"))
        return false;
    struct rd body = rd_sub(in, (size_t)n - 4);
    p->num = rd_u8(&body);
    p->proto = rd_u8(&body);
    uint8_t spi_n = rd_u8(&body), transforms = rd_u8(&body);
    get_spi(&body, spi_n, p);
    get_transforms(&body, transforms, p);
    return rd_join(in, &body);
}

/* One more than can be read: the last one may be cut short, and what is beyond the maximum is refused unread. */
size_t sa_payload_room(struct adit_span payload)
{
    size_t proposals = 1;
    for (struct rd in = rd_init(payload); in.n >= 8 && proposals < PROPOSALS_MAX; proposals++) {
        rd_skip(&in, 2);
        uint16_t n = rd_u16(&in);
        if (n < 8 || n - 4u > in.n)
            break;
        rd_skip(&in, n - 4u);
    }
    return offsetof(struct proposals, v) + proposals * sizeof(struct proposal);
}

bool sa_payload_get(struct rd *in, struct proposals *out)
{
    bool last = false;
    for (out->n = 0; !last; out->n++) {
        if (!rd_require(in, out->n < PROPOSALS_MAX, "too many proposals"))
            return false;
        if (!get_proposal(in, &out->v[out->n], &last))
            return false;
    }
    return rd_end(in);
}

static void put_transform(struct wr *w, const struct transform *t, bool last)
{
    wr_u8(w, last ? 0 : TRANSFORM_MORE);
    wr_u8(w, 0);
    wr_u16(w, t->bits ? TRANSFORM_SIZE + 4 : TRANSFORM_SIZE);
    wr_u8(w, t->type);
    wr_u8(w, 0);
    wr_u16(w, t->id);
    if (t->bits) {
        wr_u16(w, ATTR_TV | ATTR_KEY_LENGTH);
        wr_u16(w, t->bits);
    }
}

void sa_proposal_put(struct wr *w, const struct proposal *p, bool last)
{
    size_t at = w->n;
    wr_u8(w, last ? 0 : PROPOSAL_MORE);
    wr_u8(w, 0);
    wr_u16(w, 0); /* length: below */
    wr_u8(w, p->num);
    wr_u8(w, p->proto);
    wr_u8(w, p->spi_n);
    wr_u8(w, p->n);
    wr_span(w, span(p->spi, p->spi_n));
    for (uint8_t i = 0; i < p->n; i++)
        put_transform(w, &p->t[i], i + 1 == p->n);
    wr_set_u16(w, at + 2, (uint16_t)(w->n - at)); /* at most 16 + 64 * 12 octets */
}
