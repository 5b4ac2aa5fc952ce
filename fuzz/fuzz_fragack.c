/* fuzz_fragack.c - reports about fragments in both forms: whatever is accepted lies inside its message, and says only what
 * the octets say. Input: form (1 octet), total (2), body. */
#include <stdlib.h>
#include "ike/ext/fragackbitmap/fragackbitmap.h"
#include "ike/ext/fragacklist/fragacklist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

static bool listed(struct adit_span ranges, unsigned number)
{
    struct rd in = rd_init(ranges);
    while (rd_more(&in)) {
        unsigned first = rd_u16(&in), last = rd_u16(&in);
        if (rd_ok(&in) && number >= first && number <= last)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t bits[IKE_REPORT_ROOM];
    struct rd in = rd_init(span(data, n));
    bool list = rd_u8(&in) & 1;
    uint16_t total = rd_u16(&in);
    struct adit_span body = rd_rest(&in);
    struct ike_report r = { 0 };
    if (!rd_ok(&in))
        return 0;
    enum adit_rc rc = list ? fragacklist_read(body, total, bits, &r) : fragackbitmap_read(body, total, bits, &r);
    must(rc == ADIT_OK || rc == ADIT_ERR_DROP);
    if (rc != ADIT_OK)
        return 0;
    must(r.total == total && r.first >= 1 && r.first <= r.last && r.last <= total && r.got == bits);
    for (unsigned i = r.first; i <= r.last; i++) {
        bool got = bits[(i - r.first) / 8] & (0x80 >> (i - r.first) % 8);
        must(!list || got == !listed(body, i));
        must(list || got == !!(body.p[4 + (i - r.first) / 8] & (0x80 >> (i - r.first) % 8)));
    }
    return 0;
}
