/* ts_payload.c - Traffic Selector payloads, RFC 7296 s3.13. */
#include "wire/payload.h"

#define SELECTOR_HEAD 4 /* type, protocol, length */

static size_t addr_size(uint8_t family)
{
    return family == 4 ? 4 : 16;
}

/* An upside-down range selects nothing; 65535..0 is OPAQUE (s3.13.1). */
static bool is_meaningful(const struct adit_ts *ts)
{
    size_t n = addr_size(ts->family);
    bool opaque = ts->port_lo == UINT16_MAX && ts->port_hi == 0;
    return (opaque || ts->port_lo <= ts->port_hi) && span_compare(span(ts->lo, n), span(ts->hi, n)) <= 0;
}

static void get_range(struct rd *in, struct adit_ts *ts)
{
    size_t n = addr_size(ts->family);
    ts->port_lo = rd_u16(in);
    ts->port_hi = rd_u16(in);
    span_copy(ts->lo, rd_take(in, n));
    span_copy(ts->hi, rd_take(in, n));
    rd_end(in);
}

/* family 0: a type that we don't know, or a selector that can't match anything: passed over. */
static bool get_selector(struct rd *in, struct adit_ts *ts)
{
    *ts = (struct adit_ts){ 0 };
    uint8_t type = rd_u8(in);
    ts->proto = rd_u8(in);
    uint16_t n = rd_u16(in);
    if (!rd_require(in, n >= SELECTOR_HEAD, "traffic selector length below 4"))
        return false;
    struct rd body = rd_sub(in, (size_t)n - SELECTOR_HEAD);
    if (type == TS_IPV4_ADDR_RANGE || type == TS_IPV6_ADDR_RANGE) {
        ts->family = type == TS_IPV4_ADDR_RANGE ? 4 : 6;
        get_range(&body, ts);
        if (!is_meaningful(ts))
            ts->family = 0;
    }
    return rd_join(in, &body);
}

bool ts_get(struct rd *in, struct adit_ts_list *out, unsigned *unknown)
{
    out->n = 0;
    *unknown = 0;
    uint8_t count = rd_u8(in);
    rd_skip(in, 3); /* RESERVED */
    if (!rd_require(in, count > 0, "no traffic selectors"))
        return false;
    for (uint8_t i = 0; i < count; i++) {
        struct adit_ts ts;
        if (!get_selector(in, &ts))
            return false;
        if (ts.family && out->n < ADIT_TS_MAX)
            out->v[out->n++] = ts;
        else
            ++*unknown;
    }
    return rd_end(in);
}

static void put_selector(struct wr *w, const struct adit_ts *ts)
{
    size_t n = addr_size(ts->family);
    wr_u8(w, ts->family == 4 ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE);
    wr_u8(w, ts->proto);
    wr_u16(w, (uint16_t)(SELECTOR_HEAD + 4 + 2 * n));
    wr_u16(w, ts->port_lo);
    wr_u16(w, ts->port_hi);
    wr_span(w, span(ts->lo, n));
    wr_span(w, span(ts->hi, n));
}

void ts_put(struct wr *w, uint8_t payload_type, const struct adit_ts *ts, uint16_t n)
{
    if (n > UINT8_MAX) {
        w->fail = true;
        return;
    }
    struct wr_mark p = wr_payload(w, payload_type);
    wr_u8(w, (uint8_t)n);
    wr_zero(w, 3);
    for (uint16_t i = 0; i < n; i++)
        put_selector(w, &ts[i]);
    wr_payload_end(w, p);
}
