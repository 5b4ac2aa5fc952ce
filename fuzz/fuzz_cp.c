/* fuzz_cp.c - Configuration payloads: read, written again, the same. */
#include "fuzz_wire.h"

static void check_values(const struct cp_attr *a)
{
    struct adit_addr addr;
    struct adit_ts ts;
    if ((a->type == CPATTR_INTERNAL_IP4_ADDRESS || a->type == CPATTR_INTERNAL_IP6_ADDRESS) && cp_addr_get(a, &addr))
        must(addr.family == (a->type == CPATTR_INTERNAL_IP4_ADDRESS ? 4 : 6));
    if ((a->type == CPATTR_INTERNAL_IP4_SUBNET || a->type == CPATTR_INTERNAL_IP6_SUBNET) && cp_subnet_get(a, &ts))
        must(span_compare(span(ts.lo, 16), span(ts.hi, 16)) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rd in = rd_init(span(data, n)), attrs, again;
    struct cp_attr a, b;
    struct wr w;
    uint8_t type, type2;
    if (!cp_get(&in, &type, &attrs))
        return 0;
    struct rd walk = attrs;
    begin_message(&w);
    struct wr_mark p = cp_put(&w, type);
    while (cp_next(&walk, &a)) {
        check_values(&a);
        cp_put_attr(&w, a.type, a.value);
    }
    wr_payload_end(&w, p);
    if (n > 65000)
        return 0;
    in = rd_init(only_body(&w, PLD_CP));
    must(cp_get(&in, &type2, &again) && type2 == type);
    while (cp_next(&attrs, &a))
        must(cp_next(&again, &b) && a.type == b.type && span_equal(a.value, b.value));
    must(!cp_next(&again, &b));
    return 0;
}
