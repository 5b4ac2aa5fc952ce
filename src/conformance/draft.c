/* draft.c - a message as a list of parts that can be spoiled one by one, and made into octets. */
#include "conformance/puppet.h"

#define CRITICAL 0x80

void draft_begin(struct puppet *p, uint8_t exchange, bool response)
{
    const struct association *a = &p->sa;
    struct draft *d = &p->draft;
    d->hdr = (struct ike_hdr){ .spi_i = a->spi_i, .spi_r = a->spi_r, .version = IKE_VERSION, .exchange = exchange,
                               .flags = (uint8_t)((a->initiator ? IKE_FLAG_INITIATOR : 0) |
                                                  (response ? IKE_FLAG_RESPONSE : 0)),
                               .msgid = response ? p->heard.hdr.msgid : a->next_send };
    d->clear = exchange == XCHG_IKE_SA_INIT;
    d->first = d->pad_lie = -1;
    d->length_lie = 0;
    d->n = 0;
    d->body_n = 0;
    d->bad_icv = d->bad_iv = false;
    d->pad = d->sk_flags = 0;
    d->sk_lie = 0;
    d->junk = d->beyond = 0;
}

struct part *find(struct puppet *p, uint8_t type)
{
    static struct part dummy;
    for (uint16_t i = 0; i < p->draft.n; i++)
        if (p->draft.part[i].type == type)
            return &p->draft.part[i];
    if (!p->over)
        fail(p, "the script spoils a payload that its message does not have: %s", iana_name(IANA_PLD, type));
    dummy = (struct part){ 0 };
    return &dummy;
}

/* Room for n octets of body. */
static uint8_t *reserve(struct puppet *p, size_t n, uint32_t *at)
{
    struct draft *d = &p->draft;
    if (n > BODY_MAX - d->body_n) {
        fail(p, "the script's message is too long");
        return NULL;
    }
    *at = d->body_n;
    d->body_n += (uint32_t)n;
    return d->body + *at;
}

void add(struct puppet *p, uint8_t type, struct adit_span body)
{
    struct draft *d = &p->draft;
    struct part part = { .type = type, .next = -1, .n = (uint32_t)body.n };
    uint8_t *to = d->n < PARTS_MAX ? reserve(p, body.n, &part.at) : NULL;
    if (!to || p->over)
        return;
    span_copy(to, body);
    d->part[d->n++] = part;
}

void add_zero(struct puppet *p, uint8_t type, size_t n)
{
    struct draft *d = &p->draft;
    struct part part = { .type = type, .next = -1, .n = (uint32_t)n };
    uint8_t *to = d->n < PARTS_MAX ? reserve(p, n, &part.at) : NULL;
    if (!to || p->over)
        return;
    for (size_t i = 0; i < n; i++)
        to[i] = 0;
    d->part[d->n++] = part;
}

void add_first(struct puppet *p, uint8_t type, struct adit_span body)
{
    struct draft *d = &p->draft;
    uint16_t before = d->n;
    add(p, type, body);
    if (d->n == before)
        return;
    struct part last = d->part[before];
    for (uint16_t i = before; i > 0; i--)
        d->part[i] = d->part[i - 1];
    d->part[0] = last;
}

static struct adit_span notify_body(uint8_t *mem, size_t cap, uint8_t proto, struct adit_span spi, uint16_t type,
                                    struct adit_span data)
{
    struct wr w;
    wr_init(&w, mem, cap);
    wr_u8(&w, proto);
    wr_u8(&w, (uint8_t)spi.n);
    wr_u16(&w, type);
    wr_span(&w, spi);
    wr_span(&w, data);
    return wr_written(&w);
}

void add_notify(struct puppet *p, uint16_t type, struct adit_span data)
{
    struct adit_span body = notify_body(p->scratch, sizeof(p->scratch), 0, SPAN_NONE, type, data);
    if (type == N_COOKIE)
        add_first(p, PLD_NOTIFY, body);
    else
        add(p, PLD_NOTIFY, body);
}

void add_notify_spi(struct puppet *p, uint8_t proto, uint32_t spi, uint16_t type)
{
    uint8_t octets[4] = { (uint8_t)(spi >> 24), (uint8_t)(spi >> 16), (uint8_t)(spi >> 8), (uint8_t)spi };
    uint8_t mem[32];
    add(p, PLD_NOTIFY, notify_body(mem, sizeof(mem), proto, SPAN_ARRAY(octets), type, SPAN_NONE));
}

void replace(struct puppet *p, uint8_t type, struct adit_span body)
{
    struct part *part = find(p, type);
    uint8_t *to = reserve(p, body.n, &part->at);
    part->n = to ? (uint32_t)body.n : 0;
    if (to)
        span_copy(to, body);
}

void leave_out(struct puppet *p, uint8_t type)
{
    struct draft *d = &p->draft;
    uint16_t k = 0;
    for (uint16_t i = 0; i < d->n; i++)
        if (d->part[i].type != type)
            d->part[k++] = d->part[i];
    d->n = k;
}

void twice(struct puppet *p, uint8_t type)
{
    struct part part = *find(p, type);
    if (p->draft.n < PARTS_MAX)
        p->draft.part[p->draft.n++] = part;
}

void critical(struct puppet *p, uint8_t type)
{
    find(p, type)->flags |= CRITICAL;
}

void resize(struct puppet *p, uint8_t type, size_t n)
{
    struct part *part = find(p, type), old = *part;
    uint8_t *to = reserve(p, n, &part->at);
    part->n = to ? (uint32_t)n : 0;
    for (size_t i = 0; to && i < n; i++)
        to[i] = i < old.n ? p->draft.body[old.at + i] : 0;
}

static uint8_t *octet(struct puppet *p, uint8_t type, size_t at)
{
    static uint8_t dummy;
    struct part *part = find(p, type);
    if (at == LAST_OCTET)
        at = part->n - 1;
    return part->n && at < part->n ? &p->draft.body[part->at + at] : &dummy;
}

void set_octet(struct puppet *p, uint8_t type, size_t at, uint8_t value)
{
    *octet(p, type, at) = value;
}

void flip(struct puppet *p, uint8_t type, size_t at)
{
    *octet(p, type, at) ^= 0xff;
}

void fill_body(struct puppet *p, uint8_t type, size_t from, uint8_t value)
{
    struct part *part = find(p, type);
    for (size_t i = from; i < part->n; i++)
        p->draft.body[part->at + i] = value;
}

void reverse_order(struct puppet *p)
{
    struct draft *d = &p->draft;
    for (uint16_t i = 0; i < d->n / 2; i++) {
        struct part t = d->part[i];
        d->part[i] = d->part[d->n - 1 - i];
        d->part[d->n - 1 - i] = t;
    }
}

size_t draft_chain(struct puppet *p, uint8_t *mem, size_t cap, uint8_t *first)
{
    struct draft *d = &p->draft;
    struct wr w;
    wr_init(&w, mem, cap);
    for (uint16_t i = 0; i < d->n; i++) {
        const struct part *t = &d->part[i];
        int truth = i + 1 < d->n ? d->part[i + 1].type : PLD_NONE;
        wr_u8(&w, (uint8_t)(t->next >= 0 ? t->next : truth));
        wr_u8(&w, t->flags);
        wr_u16(&w, (uint16_t)((int)t->n + 4 + t->length_lie));
        wr_span(&w, span(d->body + t->at, t->n));
    }
    *first = (uint8_t)(d->first >= 0 ? d->first : d->n ? d->part[0].type : PLD_NONE);
    return wr_ok(&w) ? w.n : SIZE_MAX;
}

static size_t compile_clear(struct puppet *p)
{
    struct draft *d = &p->draft;
    struct ike_hdr h = d->hdr;
    struct wr w;
    size_t n = draft_chain(p, p->out_mem + IKE_HDR_SIZE, DATAGRAM_MAX - IKE_HDR_SIZE - d->junk - d->beyond, &h.next);
    if (n == SIZE_MAX)
        return 0;
    n += IKE_HDR_SIZE;
    h.length = (uint32_t)((int64_t)(n + d->junk) + d->length_lie);
    wr_init(&w, p->out_mem, IKE_HDR_SIZE);
    ike_hdr_put(&w, &h);
    wr_init(&w, p->out_mem + n, DATAGRAM_MAX - n);
    wr_zero(&w, (size_t)d->junk + d->beyond);
    return n + d->junk + d->beyond;
}

size_t compile(struct puppet *p)
{
    uint8_t first;
    if (p->draft.clear)
        return compile_clear(p);
    size_t n = draft_chain(p, p->scratch, DATAGRAM_MAX - 200, &first);
    return n == SIZE_MAX ? 0 : seal(p, first, span(p->scratch, n), 0, 0);
}
