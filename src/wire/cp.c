/* cp.c - Configuration payload, RFC 7296 s3.15. */
#include "wire/be.h"
#include "wire/payload.h"

bool cp_get(struct rd *in, uint8_t *type, struct rd *attrs)
{
    struct cp_attr each;
    *type = rd_u8(in);
    rd_skip(in, 3);
    *attrs = rd_init(rd_rest(in));
    struct rd walk = *attrs;
    while (cp_next(&walk, &each))
        ;
    return rd_join(in, &walk);
}

bool cp_next(struct rd *attrs, struct cp_attr *out)
{
    if (!rd_more(attrs))
        return false;
    out->type = rd_u16(attrs) & 0x7fff; /* the R bit is to be ignored */
    uint16_t n = rd_u16(attrs);
    out->value = rd_take(attrs, n);
    return rd_ok(attrs);
}

struct wr_mark cp_put(struct wr *w, uint8_t type)
{
    struct wr_mark p = wr_payload(w, PLD_CP);
    wr_u8(w, type);
    wr_zero(w, 3);
    return p;
}

void cp_put_attr(struct wr *w, uint16_t type, struct adit_span value)
{
    wr_u16(w, type);
    wr_u16(w, (uint16_t)value.n);
    wr_span(w, value);
}

static void take(struct adit_addr *out, uint8_t family, struct adit_span ip)
{
    *out = (struct adit_addr){ .family = family };
    span_copy(out->ip, ip);
}

bool cp_addr_get(const struct cp_attr *attr, struct adit_addr *out)
{
    bool v6 = attr->type == CPATTR_INTERNAL_IP6_ADDRESS;
    size_t n = attr->value.n;
    if (v6 ? n != 17 && n != 16 : n != 4)
        return false;
    take(out, v6 ? 6 : 4, span(attr->value.p, v6 ? 16 : 4));
    return true;
}

void cp_addr_put(struct wr *w, const struct adit_addr *a, uint8_t prefix)
{
    bool v6 = a->family == 6;
    wr_u16(w, v6 ? CPATTR_INTERNAL_IP6_ADDRESS : CPATTR_INTERNAL_IP4_ADDRESS);
    wr_u16(w, v6 ? 17 : 4);
    wr_span(w, span(a->ip, v6 ? 16 : 4));
    if (v6)
        wr_u8(w, prefix);
}

/* Of a mask; -1: it has holes. */
static int mask_bits(uint32_t mask)
{
    int n = 0;
    while (n < 32 && mask >> (31 - n) & 1)
        n++;
    return n == 32 || !(mask << n) ? n : -1;
}

bool cp_subnet_get(const struct cp_attr *attr, struct adit_ts *out)
{
    bool v6 = attr->type == CPATTR_INTERNAL_IP6_SUBNET;
    size_t n = v6 ? 16 : 4;
    if (attr->value.n != (v6 ? 17u : 8u))
        return false;
    int bits = v6 ? attr->value.p[16] : mask_bits(be32_get(attr->value.p + 4));
    if (bits < 0 || bits > (int)n * 8)
        return false;
    *out = (struct adit_ts){ .family = v6 ? 6 : 4, .port_hi = 65535 };
    for (size_t i = 0; i < n; i++) {
        int here = bits - (int)i * 8;
        uint8_t host = here >= 8 ? 0 : here <= 0 ? 0xff : (uint8_t)(0xff >> here);
        out->lo[i] = attr->value.p[i] & (uint8_t)~host;
        out->hi[i] = attr->value.p[i] | host;
    }
    return true;
}
