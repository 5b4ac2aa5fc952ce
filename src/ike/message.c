/* message.c - between datagrams and payloads: protection (RFC 7296 s3.14, RFC 5282) and the index of payloads. */
#include "ike/sa.h"

const struct encr_alg *sa_encr(const struct ike_sa *sa)
{
    return crypto_encr(sa->ike->host.crypto, sa->suite.encr);
}

const struct integ_alg *sa_integ(const struct ike_sa *sa)
{
    return sa->suite.integ ? crypto_integ(sa->ike->host.crypto, sa->suite.integ) : NULL;
}

void sa_drop_crypts_before(struct ike_sa *sa)
{
    crypt_free(sa->opener_before);
    crypt_free(sa->sealer_before);
    crypt_free(sa->own_before);
    sa->opener_before = sa->sealer_before = sa->own_before = NULL;
}

void sa_drop_crypts(struct ike_sa *sa)
{
    crypt_free(sa->sealer);
    crypt_free(sa->opener);
    sa->sealer = sa->opener = NULL;
    sa_drop_crypts_before(sa);
}

void sa_keep_crypts(struct ike_sa *sa)
{
    sa_drop_crypts_before(sa);
    if (!sa->keyed || sa_new_own_opener(sa, &sa->own_before) != ADIT_OK)
        sa->own_before = NULL;
    sa->opener_before = sa->opener;
    sa->sealer_before = sa->sealer;
    sa->opener = sa->sealer = NULL;
}

static enum adit_rc need_crypt(struct ike_sa *sa, bool seal, struct crypt **x)
{
    bool of_initiator = sa->is_initiator == seal; /* SK_ei/SK_ai: sent by the original initiator */
    if (*x)
        return ADIT_OK;
    return crypt_new(sa->ike->host.crypto, sa_encr(sa), sa->suite.encr_bits, keys_e(&sa->keys, of_initiator),
                     sa_integ(sa), keys_a(&sa->keys, of_initiator), seal, x);
}

static size_t pad_length(const struct encr_alg *a, size_t plain)
{
    size_t over = (plain + 1) % a->block;
    return over ? a->block - over : 0;
}

static size_t icv_length(const struct ike_sa *sa)
{
    const struct integ_alg *integ = sa_integ(sa);
    return integ ? integ->icv : sa_encr(sa)->icv;
}

size_t sa_seal_overhead(const struct ike_sa *sa, size_t plain)
{
    const struct encr_alg *a = sa_encr(sa);
    return a->iv + pad_length(a, plain) + 1 + icv_length(sa);
}

enum adit_rc sa_seal(struct ike_sa *sa, struct wr *w, size_t aad_at, struct adit_span plain)
{
    const struct encr_alg *a = sa_encr(sa);
    size_t pad = pad_length(a, plain.n), header_end = w->n;
    TRY(need_crypt(sa, true, &sa->sealer));
    uint8_t *iv = wr_space(w, a->iv);
    uint8_t *text = wr_space(w, plain.n + pad + 1);
    uint8_t *icv = wr_space(w, icv_length(sa));
    if (!wr_ok(w))
        return ADIT_ERR_LIMIT;
    crypt_iv(sa->sealer, sa->iv++, iv);
    uint8_t *end = span_copy(text, plain);
    for (size_t i = 0; i < pad; i++)
        *end++ = 0;
    *end = (uint8_t)pad;
    struct crypt_job job = { .data = text, .n = (uint32_t)(plain.n + pad + 1), .iv = iv, .aad = w->p + aad_at,
                             .aad_n = (uint16_t)(header_end - aad_at), .icv = icv };
    crypt_seal_many(sa->sealer, &job, 1);
    return job.ok ? ADIT_OK : ADIT_ERR_CRYPTO;
}

static enum adit_rc open_by(const struct ike_sa *sa, struct crypt *opener, uint8_t *d, size_t n, size_t at,
                            struct adit_span *plain)
{
    const struct encr_alg *a = sa_encr(sa);
    size_t icv = icv_length(sa), len = n - at - a->iv - icv;
    struct crypt_job job = { .data = d + at + a->iv, .n = (uint32_t)len, .iv = d + at, .aad = d, .aad_n = (uint16_t)at,
                             .icv = d + n - icv };
    crypt_open_many(opener, &job, 1);
    if (!job.ok)
        return ADIT_ERR_INTEGRITY;
    size_t pad = job.data[len - 1];
    if (pad + 1 > len)
        return ADIT_ERR_MALFORMED;
    *plain = span(job.data, len - 1 - pad);
    return ADIT_OK;
}

static bool can_be_opened(const struct ike_sa *sa, size_t n, size_t at)
{
    const struct encr_alg *a = sa_encr(sa);
    size_t icv = icv_length(sa);
    return n >= at + a->iv + 1 + icv && (a->block == 1 || (n - at - a->iv - icv) % a->block == 0);
}

enum adit_rc sa_open(struct ike_sa *sa, uint8_t *d, size_t n, size_t at, struct adit_span *plain)
{
    if (!can_be_opened(sa, n, at))
        return ADIT_ERR_DROP;
    TRY(need_crypt(sa, false, &sa->opener));
    return open_by(sa, sa->opener, d, n, at, plain);
}

enum adit_rc sa_new_own_opener(struct ike_sa *sa, struct crypt **out)
{
    return crypt_new(sa->ike->host.crypto, sa_encr(sa), sa->suite.encr_bits, keys_e(&sa->keys, sa->is_initiator), sa_integ(sa),
                     keys_a(&sa->keys, sa->is_initiator), false, out);
}

enum adit_rc sa_open_with(const struct ike_sa *sa, struct crypt *opener, uint8_t *d, size_t n, size_t at, struct adit_span *plain)
{
    return can_be_opened(sa, n, at) ? open_by(sa, opener, d, n, at, plain) : ADIT_ERR_DROP;
}

/* Reports about our answer are made with the keys of its exchange, which may be those before (RFC 9370 s2.2.2). */
enum adit_rc sa_open_beside(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t *d, size_t n, size_t at,
                            struct adit_span *plain)
{
    if (hdr->flags & IKE_FLAG_RESPONSE || !sa->opener_before)
        return sa_open(sa, d, n, at, plain);
    return can_be_opened(sa, n, at) ? open_by(sa, sa->opener_before, d, n, at, plain) : ADIT_ERR_DROP;
}

void msg_digest(struct adit_span datagram, uint8_t out[16])
{
    uint8_t full[64] = { 0 };
    crypto_hash(HASH_SHA2_256, &datagram, 1, full);
    span_copy(out, span(full, 16));
}

static void put_sk_header(struct wr *w, uint8_t first, size_t body)
{
    wr_u8(w, first);
    wr_u8(w, 0);
    wr_u16(w, (uint16_t)(4 + body));
}

static enum adit_rc protect_whole(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t first, struct adit_span plain,
                                  struct ike_wire **out)
{
    size_t body = plain.n + sa_seal_overhead(sa, plain.n), whole = IKE_HDR_SIZE + 4 + body;
    struct ike_hdr h = *hdr;
    struct wr w;
    if (whole > IKE_MESSAGE_MAX)
        return ADIT_ERR_LIMIT;
    struct ike_wire *wire = wire_new(1, whole);
    if (!wire)
        return ADIT_ERR_MEMORY;
    h.next = PLD_SK;
    h.length = (uint32_t)whole;
    wr_init(&w, wire_next(wire, whole), whole);
    ike_hdr_put(&w, &h);
    put_sk_header(&w, first, body);
    enum adit_rc rc = sa_seal(sa, &w, 0, plain);
    wire_close(wire, whole);
    if (rc == ADIT_OK)
        *out = wire;
    else
        wire_unref(wire);
    return rc;
}

static const struct ike_ext *segmenter_for(struct ike_sa *sa, uint8_t exchange, size_t whole)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->segmenter && ike_exts[i]->segmenter->wants(sa, exchange, whole))
            return ike_exts[i];
    return NULL;
}

enum adit_rc msg_protect(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t first, struct adit_span plain,
                         struct ike_wire **out)
{
    size_t whole = IKE_HDR_SIZE + 4 + plain.n + sa_seal_overhead(sa, plain.n);
    const struct ike_ext *cutter = segmenter_for(sa, hdr->exchange, whole);
    if (cutter)
        return cutter->segmenter->split(sa, hdr, first, plain, out);
    return protect_whole(sa, hdr, first, plain, out);
}

/* The datagram is opened in the engine's own copy: what a failed attempt garbles is nobody's. */
static enum adit_rc unprotect_whole(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span d,
                                    struct raw_msg *out, uint8_t digest[16])
{
    struct rd in = rd_init(span_from(d, IKE_HDR_SIZE));
    uint8_t *copy = sa->ike->opened;
    uint8_t first = rd_u8(&in), flags = rd_u8(&in);
    uint16_t length = rd_u16(&in);
    if (!rd_ok(&in) || length != d.n - IKE_HDR_SIZE)
        return ADIT_ERR_DROP; /* SK has to be the last payload */
    span_copy(copy, d);
    TRY(sa_open(sa, copy, d.n, IKE_HDR_SIZE + 4, &out->plain));
    out->hdr = *hdr;
    out->first = first;
    out->sk_flags = flags;
    msg_digest(d, digest);
    return ADIT_OK;
}

static const struct ike_segmenter *segmenter_of(uint8_t payload)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->segmenter && ike_exts[i]->segmenter->payload == payload)
            return ike_exts[i]->segmenter;
    return NULL;
}

enum adit_rc msg_unprotect(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span d, struct raw_msg *out,
                           uint8_t digest[16])
{
    if (hdr->next == PLD_SK)
        return unprotect_whole(sa, hdr, d, out, digest);
    const struct ike_segmenter *seg = segmenter_of(hdr->next);
    if (!seg)
        return ADIT_ERR_DROP; /* an established SA speaks in SK only */
    enum adit_rc rc = seg->join(sa, hdr, d, out, digest);
    unproven_update(sa);
    return rc;
}

static bool is_single(uint8_t type)
{
    switch (type) {
    case PLD_SA: case PLD_KE: case PLD_IDi: case PLD_IDr: case PLD_AUTH: case PLD_NONCE: case PLD_TSi: case PLD_TSr:
    case PLD_SK: return true;
    default: return false;
    }
}

static enum adit_rc check_payloads(struct ike_xchg *x, const struct payload_list *list, struct adit_why *why)
{
    for (uint16_t i = 0; i < list->n; i++) {
        const struct payload *p = &list->v[i];
        bool known = p->type >= PLD_SA && p->type <= PLD_PS;
        if (!known && p->critical) {
            uint8_t *type = arena_new(&x->arena, 1);
            if (type) {
                *type = p->type;
                x->reply_data = span(type, 1);
            }
            return why_set(why, ADIT_ERR_CRITICAL, "critical payload of unknown type %u", p->type);
        }
        struct rd body = rd_init(p->body);
        struct notify n;
        if (p->type == PLD_NOTIFY && !notify_get(&body, &n))
            return why_set(why, ADIT_ERR_MALFORMED, "notify: %s", body.fail);
        if (is_single(p->type) && payloads_find(list, p->type, 1))
            return why_set(why, ADIT_ERR_MALFORMED, "payload %s twice", iana_name(IANA_PLD, p->type));
    }
    return ADIT_OK;
}

enum adit_rc msg_index(struct ike_xchg *x, const struct ike_hdr *hdr, uint8_t first, struct adit_span payloads,
                       struct adit_why *why)
{
    struct payload_list list;
    struct adit_span kept = arena_span(&x->arena, payloads);
    struct rd in = rd_init(kept);
    if (payloads.n && !kept.p)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    x->in_raw.plain = kept;
    enum payload_format f = opens_sa(hdr->exchange) ? PAYLOAD_RFC7296 : sa_payload_format(x->sa);
    if (!payloads_get_as(&in, f, first, &list, NULL))
        return why_set(why, ADIT_ERR_MALFORMED, "payload chain: %s at octet %zu", in.fail, in.at);
    TRY(check_payloads(x, &list, why));
    struct adit_span v = arena_span(&x->arena, span(list.v, list.n * sizeof(list.v[0])));
    if (list.n && !v.p)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    x->msg = (struct ike_msg){ .hdr = *hdr, .n = list.n, .v = (const struct payload *)(const void *)v.p };
    return ADIT_OK;
}

const struct payload *msg_find(const struct ike_msg *msg, uint8_t type)
{
    for (uint16_t i = 0; i < msg->n; i++)
        if (msg->v[i].type == type)
            return &msg->v[i];
    return NULL;
}

bool msg_next_notify(const struct ike_msg *msg, uint16_t *i, struct notify *out)
{
    while (*i < msg->n) {
        const struct payload *p = &msg->v[(*i)++];
        struct rd in = rd_init(p->body);
        if (p->type == PLD_NOTIFY && notify_get(&in, out))
            return true;
    }
    return false;
}

bool msg_notify(const struct ike_msg *msg, uint16_t type, struct notify *out)
{
    uint16_t i = 0;
    while (msg_next_notify(msg, &i, out))
        if (out->type == type)
            return true;
    return false;
}
