/* fuzz_ts_payload.c - traffic selectors: what was read reads the same again. */
#include "fuzz_wire.h"

static void must_be_same(const struct adit_ts *a, const struct adit_ts *b)
{
    must(a->family == b->family && a->proto == b->proto && a->port_lo == b->port_lo &&
         a->port_hi == b->port_hi);
    must(span_equal(SPAN_ARRAY(a->lo), SPAN_ARRAY(b->lo)) &&
         span_equal(SPAN_ARRAY(a->hi), SPAN_ARRAY(b->hi)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct adit_ts_list got, again;
    unsigned unknown;
    struct wr w;
    struct rd in = rd_init(span(data, n));
    if (!ts_get(&in, &got, &unknown))
        return 0;
    must(got.n + unknown == data[0] && got.n <= ADIT_TS_MAX);
    if (got.n == 0)
        return 0;
    begin_message(&w);
    ts_put(&w, PLD_TSi, got.v, got.n);
    in = rd_init(only_body(&w, PLD_TSi));
    must(ts_get(&in, &again, &unknown) && again.n == got.n && unknown == 0);
    for (uint16_t i = 0; i < got.n; i++)
        must_be_same(&got.v[i], &again.v[i]);
    return 0;
}
