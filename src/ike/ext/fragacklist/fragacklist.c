/* fragacklist.c - reports of missing fragments as a list of ranges
 * (draft-antony-ipsecme-ikev2-fragment-acknowledgment-03): a notify in an SK payload with the message ID of the fragments
 * that it is about. Negotiated; numbers for private use, with peers that show our Vendor ID. */
#include "ike/ext/fragacklist/fragacklist.h"

#define FIXED (IKE_HDR_SIZE + PAYLOAD_HDR_SIZE) /* up to the IV */
#define RANGES 110                              /* in one report: fits into 576 octets */

static bool may_use(struct ike_sa *sa)
{
    return span_equal(span_str(sa_option(sa, "fragacklist")), SPAN_LIT("auto")) && sa_shares_private(sa);
}

static bool in_force(struct ike_sa *sa)
{
    return ext_agreed(sa, EXT_fragacklist) && ext_agreed(sa, EXT_frag) && may_use(sa);
}

static bool has(const struct ike_report *r, unsigned number)
{
    unsigned i = number - r->first;
    return r->got[i / 8] & (0x80 >> i % 8);
}

/* Inclusive, ascending. If there are too many, the last one stretches to the end: what arrived there may come again. */
static void put_missing(struct wr *w, const struct ike_report *r)
{
    unsigned n = 0;
    for (unsigned i = r->first; i <= r->last; i++) {
        if (has(r, i))
            continue;
        wr_u16(w, (uint16_t)i);
        n++;
        while (i < r->last && (n == RANGES || !has(r, i + 1)))
            i++;
        wr_u16(w, (uint16_t)i);
    }
}

static uint16_t notify_of(const struct ike_hdr *hdr)
{
    return hdr->flags & IKE_FLAG_RESPONSE ? N_FRAGMENT_ACK_REQ : N_FRAGMENT_ACK_RES;
}

static enum adit_rc seal(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span plain, struct ike_wire *wire)
{
    size_t size = FIXED + plain.n + sa_seal_overhead(sa, plain.n);
    struct ike_hdr h = *hdr;
    struct wr w;
    uint8_t *mem = wire_next(wire, size);
    if (!mem)
        return ADIT_ERR_BUG;
    h.next = PLD_SK;
    h.length = (uint32_t)size;
    wr_init(&w, mem, size);
    ike_hdr_put(&w, &h);
    payload_hdr_put(&w, PAYLOAD_RFC7296, (struct payload_hdr){ .next = PLD_NOTIFY, .n = (uint32_t)(size - IKE_HDR_SIZE) });
    TRY(sa_seal(sa, &w, 0, plain));
    wire_close(wire, size);
    return ADIT_OK;
}

static enum adit_rc put(struct ike_sa *sa, const struct ike_hdr *hdr, const struct ike_report *r, struct ike_wire **out)
{
    uint8_t mem[1 + 8 + 4 * RANGES], list[4 * RANGES];
    struct wr ranges, w;
    wr_init(&ranges, list, sizeof(list));
    put_missing(&ranges, r);
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    notify_put(&w, notify_of(hdr), wr_written(&ranges));
    if (!wr_ok(&ranges) || !wr_ok(&w))
        return ADIT_ERR_BUG;
    struct adit_span plain = span_from(wr_written(&w), 1);
    struct ike_wire *wire = wire_new(1, FIXED + plain.n + sa_seal_overhead(sa, plain.n));
    enum adit_rc rc = wire ? seal(sa, hdr, plain, wire) : ADIT_ERR_MEMORY;
    if (rc == ADIT_OK)
        *out = wire;
    else
        wire_unref(wire);
    return rc;
}

static bool is(const struct ike_hdr *hdr, struct adit_span datagram)
{
    return hdr->next == PLD_SK && datagram.n > FIXED && datagram.p[IKE_HDR_SIZE] == PLD_NOTIFY;
}

static void clear(uint8_t *bits, unsigned first, unsigned last)
{
    for (unsigned i = first - 1; i < last; i++)
        bits[i / 8] &= (uint8_t)~(0x80 >> i % 8);
}

/* All that is not listed has arrived. */
enum adit_rc fragacklist_read(struct adit_span data, uint16_t total, uint8_t *bits, struct ike_report *out)
{
    struct rd in = rd_init(data);
    unsigned after = 0;
    for (unsigned i = 0; i < (total + 7u) / 8; i++)
        bits[i] = 0xff;
    while (rd_more(&in)) {
        unsigned first = rd_u16(&in), last = rd_u16(&in);
        if (!rd_ok(&in) || first <= after || last < first || last > total)
            return ADIT_ERR_DROP;
        clear(bits, first, last);
        after = last;
    }
    *out = (struct ike_report){ .total = total, .first = 1, .last = total, .got = bits };
    return after ? ADIT_OK : ADIT_ERR_DROP;
}

static enum adit_rc get(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t *datagram, size_t n, uint16_t total,
                        uint8_t *bits, struct ike_report *out)
{
    struct rd in = rd_init(span_from(span(datagram, n), IKE_HDR_SIZE));
    struct payload_hdr h;
    struct adit_span plain;
    struct payload_list list;
    struct notify notify;
    if (!payload_hdr_get(&in, PAYLOAD_RFC7296, &h) || h.n != n - IKE_HDR_SIZE)
        return ADIT_ERR_DROP;
    TRY(sa_open_beside(sa, hdr, datagram, n, FIXED, &plain));
    struct rd inner = rd_init(plain);
    if (!payloads_get(&inner, PLD_NOTIFY, &list, NULL) || list.n != 1)
        return ADIT_ERR_DROP;
    struct rd body = rd_init(list.v[0].body);
    if (!notify_get(&body, &notify) || notify.type != notify_of(hdr))
        return ADIT_ERR_DROP;
    return fragacklist_read(notify.data, total, bits, out);
}

static const struct ike_reports reports = { .in_force = in_force, .is = is, .put = put, .get = get };

static const struct ike_announce announcements[] = {
    { .notify = N_FRAGMENT_ACK_SUPPORTED, .exchange = XCHG_IKE_SA_INIT, .rule = BOTH_SENT, .in_each_opening = true },
};

static const struct adit_option_def options[] = {
    { .key = "fragacklist",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "auto|no",
      .deflt = "auto",
      .owner = "fragacklist",
      .doc = "report missing fragments by a list, with peers that show Adit's Vendor ID and can, too" },
};

const struct ike_ext ext_fragacklist = {
    .id = EXT_fragacklist,
    .name = "fragacklist",
    .spec = "draft-antony-ipsecme-ikev2-fragment-acknowledgment",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .reports = &reports,
    .on = { .may_use = may_use },
};
