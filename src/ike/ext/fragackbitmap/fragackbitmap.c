/* fragackbitmap.c - reports of received fragments as a bitmap (draft-smyslov-ipsecme-ikev2-fragm-large-msg, Receipt Status
 * Message): an SKF payload with fragment number 0, which RFC 7383 s2.6 has everybody else drop silently. Not negotiated. The
 * draft's octets were not at hand: the form is ours, and used with peers that show our Vendor ID. */
#include "ike/ext/fragackbitmap/fragackbitmap.h"

#define FIXED (IKE_HDR_SIZE + PAYLOAD_HDR_SIZE + 4) /* up to the IV */
#define PART 3840                                   /* fragments in one report: fits into 576 octets */

static bool option_is(const struct ike_sa *sa, const char *word)
{
    return span_equal(span_str(sa_option(sa, "fragackbitmap")), span_str(word));
}

static bool in_force(struct ike_sa *sa)
{
    if (!ext_agreed(sa, EXT_frag) || option_is(sa, "no"))
        return false;
    return option_is(sa, "always") || sa_shares_private(sa);
}

static size_t plain_size(uint16_t first, uint16_t last)
{
    return 4 + (last - first) / 8u + 1;
}

static uint16_t part_end(const struct ike_report *r, uint16_t first)
{
    return r->last - first < PART ? r->last : (uint16_t)(first + PART - 1);
}

/* A part begins at a multiple of 8 after r->first: its bits are whole octets. */
static enum adit_rc put_part(struct ike_sa *sa, const struct ike_hdr *hdr, const struct ike_report *r, uint16_t first,
                             struct ike_wire *wire)
{
    uint16_t last = part_end(r, first);
    uint8_t plain[4 + PART / 8];
    size_t n = plain_size(first, last), size = FIXED + n + sa_seal_overhead(sa, n);
    struct ike_hdr h = *hdr;
    struct wr body, w;
    uint8_t *mem = wire_next(wire, size);
    if (!mem)
        return ADIT_ERR_BUG;
    wr_init(&body, plain, sizeof(plain));
    wr_u16(&body, first);
    wr_u16(&body, last);
    wr_span(&body, span(r->got + (first - r->first) / 8, n - 4));
    h.next = PLD_SKF;
    h.length = (uint32_t)size;
    wr_init(&w, mem, size);
    ike_hdr_put(&w, &h);
    payload_hdr_put(&w, PAYLOAD_RFC7296, (struct payload_hdr){ .n = (uint32_t)(size - IKE_HDR_SIZE) });
    skf_put(&w, (struct skf){ 0, r->total });
    TRY(sa_seal(sa, &w, 0, wr_written(&body)));
    wire_close(wire, size);
    return ADIT_OK;
}

static enum adit_rc put(struct ike_sa *sa, const struct ike_hdr *hdr, const struct ike_report *r, struct ike_wire **out)
{
    uint16_t parts = (uint16_t)((r->last - r->first) / PART + 1);
    size_t most = FIXED + 4 + PART / 8 + sa_seal_overhead(sa, 4 + PART / 8) + 64;
    struct ike_wire *wire = wire_new(parts, parts * most);
    enum adit_rc rc = wire ? ADIT_OK : ADIT_ERR_MEMORY;
    for (uint16_t i = 0; rc == ADIT_OK && i < parts; i++)
        rc = put_part(sa, hdr, r, (uint16_t)(r->first + i * PART), wire);
    if (rc == ADIT_OK)
        *out = wire;
    else
        wire_unref(wire);
    return rc;
}

static bool is(const struct ike_hdr *hdr, struct adit_span datagram)
{
    struct rd in = rd_init(span_from(datagram, IKE_HDR_SIZE + PAYLOAD_HDR_SIZE));
    return hdr->next == PLD_SKF && rd_u16(&in) == 0 && rd_ok(&in);
}

enum adit_rc fragackbitmap_read(struct adit_span plain, uint16_t total, uint8_t *bits, struct ike_report *out)
{
    struct rd in = rd_init(plain);
    uint16_t first = rd_u16(&in), last = rd_u16(&in);
    struct adit_span map = rd_rest(&in);
    if (!rd_ok(&in) || first < 1 || first > last || last > total || map.n != (last - first) / 8u + 1)
        return ADIT_ERR_DROP;
    span_copy(bits, map);
    *out = (struct ike_report){ .total = total, .first = first, .last = last, .got = bits };
    return ADIT_OK;
}

static enum adit_rc get(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t *datagram, size_t n, uint16_t total,
                        uint8_t *bits, struct ike_report *out)
{
    struct rd in = rd_init(span_from(span(datagram, n), IKE_HDR_SIZE));
    struct payload_hdr h;
    struct adit_span plain;
    bool good = payload_hdr_get(&in, PAYLOAD_RFC7296, &h) && h.n == n - IKE_HDR_SIZE;
    if (!good || rd_u16(&in) != 0 || rd_u16(&in) != total || !rd_ok(&in))
        return ADIT_ERR_DROP; /* about another set than the last one that was sent */
    TRY(sa_open_beside(sa, hdr, datagram, n, FIXED, &plain));
    return fragackbitmap_read(plain, total, bits, out);
}

static const struct ike_reports reports = { .in_force = in_force, .is = is, .put = put, .get = get };

static const struct adit_option_def options[] = {
    { .key = "fragackbitmap",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "auto|always|no",
      .deflt = "auto",
      .owner = "fragackbitmap",
      .doc = "report received fragments by bitmaps: to peers that show Adit's Vendor ID, to all, or never" },
};

const struct ike_ext ext_fragackbitmap = {
    .id = EXT_fragackbitmap,
    .name = "fragackbitmap",
    .spec = "draft-smyslov-ipsecme-ikev2-fragm-large-msg",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .reports = &reports,
};
