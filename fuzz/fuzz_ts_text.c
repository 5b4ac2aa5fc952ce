/* fuzz_ts_text.c - traffic selectors as text: what is accepted is well-formed and meets itself. */
#include <stdlib.h>

#include "model/model.h"

static void check(const struct adit_ts *ts)
{
    struct adit_ts common;
    size_t octets = ts->family == 4 ? 4 : 16;
    if (span_compare(span(ts->lo, octets), span(ts->hi, octets)) > 0)
        abort();
    if (!ts_contains(ts, ts) || !ts_intersect(ts, ts, &common) || !ts_equal(ts, &common))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char text[512];
    struct adit_ts_cfg cfg;
    struct adit_addr_spec spec;
    struct adit_why why = { 0 };
    STRBUF(out, 64);
    if (n >= sizeof(text))
        return 0;
    *span_copy((uint8_t *)text, span(data, n)) = '\0';
    if (ts_parse(text, &cfg, &why) == ADIT_OK) {
        if (!cfg.dynamic)
            check(&cfg.ts);
        ts_cfg_print(&out, &cfg);
        if (!out.n)
            abort();
    }
    if (addr_spec_parse(text, &spec, &why) == ADIT_OK && !spec.any && spec.lo.family &&
        !addr_spec_match(&spec, &spec.lo))
        abort();
    return 0;
}
