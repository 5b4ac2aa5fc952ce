/* seal.c - SK and SKF (RFC 7296 s3.14, RFC 5282, RFC 7383 s2.5), with the lies that a draft asks for. */
#include "conformance/puppet.h"

static enum adit_rc need(struct puppet *p, bool seal_it, struct crypt **x)
{
    const struct association *a = &p->sa;
    bool of_initiator = a->initiator == seal_it;
    if (*x)
        return ADIT_OK;
    return crypt_new(p->params->crypto, p->rows.encr, p->rows.bits, sk_part(&a->keys, of_initiator ? SK_EI : SK_ER),
                     p->rows.integ, sk_part(&a->keys, of_initiator ? SK_AI : SK_AR), seal_it, x);
}

static size_t icv_size(const struct puppet *p)
{
    return p->rows.integ ? p->rows.integ->icv : p->rows.encr->icv;
}

static size_t padding(const struct puppet *p, size_t plain)
{
    size_t over = (plain + 1) % p->rows.encr->block;
    return (over ? p->rows.encr->block - over : 0) + p->draft.pad;
}

static void put_headers(struct puppet *p, struct wr *w, uint8_t first, size_t whole, unsigned number, unsigned total)
{
    struct draft *d = &p->draft;
    struct ike_hdr h = d->hdr;
    h.next = total ? PLD_SKF : PLD_SK;
    h.length = (uint32_t)((int64_t)(whole + d->junk) + d->length_lie);
    ike_hdr_put(w, &h);
    wr_u8(w, first);
    wr_u8(w, d->sk_flags);
    wr_u16(w, (uint16_t)((int)(whole - IKE_HDR_SIZE) + d->sk_lie));
    if (total) {
        wr_u16(w, (uint16_t)number);
        wr_u16(w, (uint16_t)total);
    }
}

static bool encrypt(struct puppet *p, struct wr *w, struct adit_span plain, size_t pad)
{
    struct draft *d = &p->draft;
    size_t header_end = w->n;
    uint8_t *iv = wr_space(w, p->rows.encr->iv), *text = wr_space(w, plain.n), *tail = wr_space(w, pad + 1),
            *icv = wr_space(w, icv_size(p));
    if (!wr_ok(w) || need(p, true, &p->sa.sealer) != ADIT_OK)
        return false;
    crypt_iv(p->sa.sealer, p->sa.iv++, iv);
    span_copy(text, plain);
    for (size_t i = 0; i < pad; i++)
        tail[i] = 0;
    tail[pad] = (uint8_t)(d->pad_lie >= 0 ? d->pad_lie : (int)pad);
    struct crypt_job job = { .data = text, .n = (uint32_t)(plain.n + pad + 1), .iv = iv, .aad = w->p,
                             .aad_n = (uint16_t)header_end, .icv = icv };
    crypt_seal_many(p->sa.sealer, &job, 1);
    if (d->bad_icv)
        icv[0] ^= 1;
    if (d->bad_iv)
        iv[0] ^= 1;
    return job.ok;
}

size_t seal(struct puppet *p, uint8_t first, struct adit_span plain, unsigned number, unsigned total)
{
    struct wr w;
    size_t pad = padding(p, plain.n);
    size_t whole = IKE_HDR_SIZE + 4 + (total ? 4 : 0) + p->rows.encr->iv + plain.n + pad + 1 + icv_size(p);
    wr_init(&w, p->out_mem, sizeof(p->out_mem));
    put_headers(p, &w, first, whole, number, total);
    if (!p->sa.keyed || !encrypt(p, &w, plain, pad))
        return 0;
    wr_zero(&w, (size_t)p->draft.junk + p->draft.beyond);
    return wr_ok(&w) ? w.n : 0;
}

static void say_report(struct puppet *p, uint8_t first, struct adit_span plain, unsigned total)
{
    struct ike_hdr saved = p->draft.hdr;
    uint8_t asked = p->heard.hdr.flags & IKE_FLAG_RESPONSE;
    p->draft.hdr.exchange = p->heard.hdr.exchange;
    p->draft.hdr.flags = (uint8_t)((p->sa.initiator ? IKE_FLAG_INITIATOR : 0) | (asked ? 0 : IKE_FLAG_RESPONSE));
    size_t n = p->over ? 0 : seal(p, first, plain, 0, total);
    if (n)
        say_raw(p, span(p->out_mem, n));
    p->draft.hdr = saved;
}

void say_list(struct puppet *p, struct adit_span ranges)
{
    uint8_t mem[256];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_u16(&w, 0);
    wr_u16(&w, (uint16_t)(8 + ranges.n));
    wr_u16(&w, 0);
    wr_u16(&w, p->heard.hdr.flags & IKE_FLAG_RESPONSE ? N_FRAGMENT_ACK_RES : N_FRAGMENT_ACK_REQ);
    wr_span(&w, ranges);
    say_report(p, PLD_NOTIFY, wr_written(&w), 0);
}

void say_bitmap(struct puppet *p, unsigned total, struct adit_span body)
{
    say_report(p, PLD_NONE, body, total);
}

/* An SK, or a fragment. */
static size_t text_at(struct puppet *p, struct rd *in, struct skf *f)
{
    if (p->heard.hdr.next == PLD_SK)
        return IKE_HDR_SIZE + 4;
    return p->heard.hdr.next == PLD_SKF && skf_get(in, f) && f->number ? IKE_HDR_SIZE + 8 : 0;
}

/* The fragment is kept; true: it was the last one that was missing, and heard.plain is all of them. */
static bool join(struct puppet *p, struct skf f, uint8_t *first)
{
    struct heard *h = &p->heard;
    struct pieces *j = &h->pieces;
    struct wr w;
    if (f.total > PIECES_MAX || f.number > f.total || h->plain.n > PIECE_MAX)
        return false;
    if (j->total != f.total || j->hdr.msgid != h->hdr.msgid || j->hdr.flags != h->hdr.flags)
        *j = (struct pieces){ .hdr = h->hdr, .total = f.total };
    j->first = f.number == 1 ? *first : j->first;
    j->n[f.number - 1] = (uint16_t)h->plain.n;
    span_copy(j->octets[f.number - 1], h->plain);
    j->have |= (uint8_t)(1u << (f.number - 1));
    if (j->have != (1u << f.total) - 1)
        return false;
    wr_init(&w, h->opened, sizeof(h->opened));
    for (unsigned i = 0; i < f.total; i++)
        wr_span(&w, span(j->octets[i], j->n[i]));
    j->have = 0;
    *first = j->first;
    h->plain = wr_written(&w);
    return wr_ok(&w);
}

bool unseal(struct puppet *p)
{
    struct heard *h = &p->heard;
    struct rd in = rd_init(span_from(span(h->datagram, h->n), IKE_HDR_SIZE));
    uint8_t first = rd_u8(&in);
    rd_skip(&in, 3);
    struct skf f = { 0 };
    size_t at = text_at(p, &in, &f), iv = p->rows.encr->iv, icv = icv_size(p);
    if (!at || h->n < at + iv + 1 + icv || !p->sa.keyed || need(p, false, &p->sa.opener) != ADIT_OK)
        return false;
    span_copy(h->opened, span(h->datagram, h->n));
    struct crypt_job job = { .data = h->opened + at + iv, .n = (uint32_t)(h->n - at - iv - icv), .iv = h->opened + at,
                             .aad = h->opened, .aad_n = (uint16_t)at, .icv = h->opened + h->n - icv };
    if (job.n % p->rows.encr->block)
        return false;
    crypt_open_many(p->sa.opener, &job, 1);
    size_t pad = job.ok ? (size_t)job.data[job.n - 1] + 1 : SIZE_MAX;
    if (pad > job.n)
        return false;
    h->plain = span(job.data, job.n - pad);
    if (f.total > 1 && !join(p, f, &first))
        return false;
    h->pieces.total = f.total > 1 ? h->pieces.total : 0;
    struct rd inner = rd_init(h->plain);
    return payloads_get(&inner, first, &h->list, NULL);
}

void int_auth(struct puppet *p, bool from_initiator, const struct ike_hdr *hdr, uint8_t first, uint8_t flags,
              struct adit_span plain)
{
    uint8_t head[IKE_HDR_SIZE + 4], *chain = from_initiator ? p->sa.int_i : p->sa.int_r;
    struct ike_hdr h = *hdr;
    struct wr w;
    h.next = PLD_SK;
    h.length = (uint32_t)(sizeof(head) + plain.n);
    wr_init(&w, head, sizeof(head));
    ike_hdr_put(&w, &h);
    wr_u8(&w, first);
    wr_u8(&w, flags);
    wr_u16(&w, (uint16_t)(4 + plain.n));
    struct adit_span parts[] = { span(chain, p->sa.rounds ? p->rows.prf->out : 0), SPAN_ARRAY(head), plain };
    uint8_t out[PRF_OUT_MAX];
    if (prf_compute(p->rows.prf, sk_part(&p->sa.keys, from_initiator ? SK_PI : SK_PR), parts, ARRAY_LEN(parts), out) !=
        ADIT_OK)
        fail(p, "out of memory");
    span_copy(chain, span(out, p->rows.prf->out));
}
