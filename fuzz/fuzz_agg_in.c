/* fuzz_agg_in.c - payloads of a stream, whatever they hold and in whatever order: the memory that is kept stays bounded, and
 * each packet that comes out is as long as it says.
 * Input: window, then steps: distance of the number from the expected one (1), time that passes (1), octets (2), payload. */
#include <stdlib.h>
#include "base/rd.h"
#include "esp/agg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

#define STEPS 1000
#define TICK UINT64_C(10000000)
#define DROP_NS UINT64_C(100000000)

static void came(void *arg, uint8_t *p, uint32_t n)
{
    must(agg_inner_size(p, n) == n && (p[0] >> 4 == 4 || p[0] >> 4 == 6));
    *(uint64_t *)arg += n;
    for (uint32_t i = 0; i < n; i++)
        p[i] ^= 0xff; /* it may be changed, to the last octet */
}

static void bounds(const struct agg_in *in, uint64_t fed, uint64_t out)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < AGG_WINDOW_MAX; i++) {
        const struct agg_held *h = &in->held[i];
        held += h->p != NULL;
        must(!h->p || (i < in->window && h->seq > in->next && h->seq - in->next <= in->window));
    }
    must(held == in->n_held && in->have <= in->cap && in->cap <= AGG_INNER_MAX + 40);
    must(!in->need || in->have < in->need || !in->have);
    must(out <= fed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rd in = rd_init(span(data, n));
    struct agg_in agg;
    uint64_t now = 0, fed = 0, out = 0;
    struct agg_sink to = { came, &out };
    uint8_t how = rd_u8(&in);
    agg_in_init(&agg, how & 0x7f, DROP_NS, how & 0x80);
    for (unsigned i = 0; i < STEPS && in.n >= 4; i++) {
        uint64_t seq = agg.next + rd_u8(&in);
        now += rd_u8(&in) * TICK;
        uint16_t want = rd_u16(&in);
        struct adit_span s = rd_take(&in, want < in.n ? want : in.n);
        uint8_t *copy = malloc(s.n + !s.n);
        must(copy);
        span_copy(copy, s);
        agg_in_put(&agg, seq >= 16 ? seq - 16 : 0, copy, (uint32_t)s.n, now, &to);
        free(copy);
        fed += s.n;
        bounds(&agg, fed, out);
        if (agg_in_due(&agg) <= now)
            agg_in_expire(&agg, now, &to);
        must(agg_in_due(&agg) > now);
        bounds(&agg, fed, out);
    }
    agg_in_fini(&agg);
    return 0;
}
