/* hear.c - datagrams out and in. Requests of the peer that no script waits for are answered as an honest peer would. */
#include "conformance/puppet.h"

void say_raw(struct puppet *p, struct adit_span datagram)
{
    if (p->over)
        return;
    if (!p->port.send(p->port.arg, datagram))
        fail(p, "cannot send");
}

void say(struct puppet *p)
{
    size_t n = p->over ? 0 : compile(p);
    if (p->over)
        return;
    if (!n) {
        fail(p, "cannot make the message");
        return;
    }
    if (buf_set(&p->said, span(p->out_mem, n)) != ADIT_OK)
        fail(p, "out of memory");
    say_raw(p, buf_span(&p->said));
}

void say_again(struct puppet *p)
{
    say_raw(p, buf_span(&p->said));
}

void say_part(struct puppet *p, size_t n)
{
    size_t whole = p->over ? 0 : compile(p);
    say_raw(p, span_first(span(p->out_mem, whole), n));
}

void say_fragment(struct puppet *p, unsigned number, unsigned total, unsigned as, unsigned of)
{
    static uint8_t none;
    struct draft *d = &p->draft;
    uint8_t *plain = p->scratch, first = (uint8_t)(d->n ? d->part[0].type : PLD_NONE);
    struct wr w;
    wr_init(&w, plain, DATAGRAM_MAX);
    for (uint16_t i = 0; i < d->n; i++) {
        wr_u8(&w, (uint8_t)(i + 1 < d->n ? d->part[i + 1].type : PLD_NONE));
        wr_u8(&w, d->part[i].flags);
        wr_u16(&w, (uint16_t)(d->part[i].n + 4));
        wr_span(&w, span(d->body + d->part[i].at, d->part[i].n));
    }
    size_t each = w.n / total + 1, from = each * (number - 1);
    struct adit_span piece = span_first(span_from(span(w.n ? plain : &none, w.n), from), each);
    size_t n = p->over ? 0 : seal(p, as == 1 ? first : PLD_NONE, piece, as, of);
    if (n && buf_set(&p->said, span(p->out_mem, n)) == ADIT_OK)
        say_raw(p, buf_span(&p->said));
}

static bool read_clear(struct puppet *p)
{
    struct heard *h = &p->heard;
    struct rd in = rd_init(span_from(span(h->datagram, h->n), IKE_HDR_SIZE));
    h->clear = true;
    h->plain = span_from(span(h->datagram, h->n), IKE_HDR_SIZE);
    return payloads_get(&in, h->hdr.next, &h->list, NULL);
}

static bool take(struct puppet *p)
{
    struct heard *h = &p->heard;
    struct rd in = rd_init(span(h->datagram, h->n));
    if (!ike_hdr_get(&in, &h->hdr) || h->hdr.length != h->n)
        return false;
    h->clear = h->hdr.next != PLD_SK && h->hdr.next != PLD_SKF;
    return h->clear ? read_clear(p) : unseal(p);
}

/* The next message that can be read; false: the time is over. */
static bool next(struct puppet *p, uint64_t end)
{
    uint64_t now;
    while (!p->over && (now = p->port.now_ms(p->port.arg)) < end) {
        p->heard.n = p->port.receive(p->port.arg, p->heard.datagram, DATAGRAM_MAX, (unsigned)(end - now));
        if (p->heard.n && take(p))
            return true;
    }
    return false;
}

/* An honest answer to a request that is not the script's business: INFORMATIONAL empty, others not now. */
static void oblige(struct puppet *p)
{
    uint8_t mem[8], first = PLD_NONE;
    struct wr w;
    if (p->heard.clear || !p->sa.keyed)
        return;
    struct ike_hdr saved = p->draft.hdr;
    bool icv = p->draft.bad_icv, iv = p->draft.bad_iv;
    wr_init(&w, mem, sizeof(mem));
    if (p->heard.hdr.exchange == XCHG_CREATE_CHILD_SA) {
        first = PLD_NOTIFY;
        wr_u32(&w, 8);
        wr_u32(&w, N_TEMPORARY_FAILURE);
    }
    for (uint16_t i = 0; i < p->heard.list.n; i++)
        if (p->heard.list.v[i].type == PLD_DELETE && p->heard.list.v[i].body.n && p->heard.list.v[i].body.p[0] == PROTO_IKE)
            p->sa.over = true;
    p->draft.hdr = p->heard.hdr;
    p->draft.hdr.flags = (uint8_t)(IKE_FLAG_RESPONSE | (p->sa.initiator ? IKE_FLAG_INITIATOR : 0));
    p->draft.bad_icv = p->draft.bad_iv = false;
    size_t n = seal(p, first, wr_written(&w), 0, 0);
    if (n)
        say_raw(p, span(p->out_mem, n));
    p->draft.hdr = saved;
    p->draft.bad_icv = icv;
    p->draft.bad_iv = iv;
}

/* Errors outside an SA carry the SPIs of the request. Reports about our fragments look like responses, too. */
static bool is_response(struct puppet *p)
{
    const struct ike_hdr *in = &p->heard.hdr, *out = &p->draft.hdr;
    struct notify n;
    if (heard_notify(p, N_FRAGMENT_ACK_REQ, &n))
        return false;
    return in->flags & IKE_FLAG_RESPONSE && in->msgid == out->msgid && in->spi_i == out->spi_i;
}

unsigned count_datagrams(struct puppet *p, unsigned ms)
{
    uint64_t now, end = p->port.now_ms(p->port.arg) + ms;
    unsigned n = 0;
    while (!p->over && (now = p->port.now_ms(p->port.arg)) < end)
        n += p->port.receive(p->port.arg, p->scratch, DATAGRAM_MAX, (unsigned)(end - now)) > 0;
    return n;
}

bool hear_response(struct puppet *p, unsigned ms)
{
    uint64_t start = p->port.now_ms(p->port.arg), end = start + ms;
    while (next(p, end)) {
        if (is_response(p)) {
            p->sa.next_send += !p->heard.clear && p->heard.hdr.msgid == p->sa.next_send;
            return true;
        }
        if (!(p->heard.hdr.flags & IKE_FLAG_RESPONSE))
            oblige(p);
    }
    p->heard.list.n = 0;
    return false;
}

bool hear_request(struct puppet *p, uint8_t exchange, unsigned ms)
{
    uint64_t end = p->port.now_ms(p->port.arg) + ms;
    while (next(p, end)) {
        if (p->heard.hdr.flags & IKE_FLAG_RESPONSE)
            continue;
        if (p->heard.hdr.exchange == exchange)
            return true;
        oblige(p);
    }
    return false;
}

bool heard_notify(struct puppet *p, uint16_t type, struct notify *out)
{
    for (uint16_t i = 0; i < p->heard.list.n; i++) {
        struct rd in = rd_init(p->heard.list.v[i].body);
        if (p->heard.list.v[i].type == PLD_NOTIFY && notify_get(&in, out) && out->type == type)
            return true;
    }
    return false;
}

bool heard_any_error(struct puppet *p, struct notify *out)
{
    for (uint16_t i = 0; i < p->heard.list.n; i++) {
        struct rd in = rd_init(p->heard.list.v[i].body);
        if (p->heard.list.v[i].type == PLD_NOTIFY && notify_get(&in, out) && notify_is_error(out->type))
            return true;
    }
    return false;
}

const struct payload *heard_payload(struct puppet *p, uint8_t type)
{
    return payloads_find(&p->heard.list, type, 0);
}
