/* fuzz_ike_input.c - before the keys: datagrams of anybody, at an engine that is idle, half-open or established. An input
 * octet says whether SPIs and message ID are made to fit, so that the fuzzer gets past the look-up.
 * Input: stage, then datagrams: fit (8 bits), length (16 bits), octets. */
#include "fuzz_ike_sim.h"

static struct adit_span input;

static void fit(struct sim *s, uint8_t *d, size_t n, uint8_t how)
{
    struct ike_sa *sa = fuzz_sa(s, B);
    struct wr w;
    if (!sa || n < IKE_HDR_SIZE || !(how & 1))
        return;
    wr_init(&w, d, 16);
    wr_u64(&w, sa->spi_i);
    wr_u64(&w, sa->spi_r);
    wr_init(&w, d + 20, 8);
    wr_u32(&w, sa->next_expect);
    wr_u32(&w, (uint32_t)n);
}

static void datagram(struct sim *s, struct rd *in)
{
    static uint8_t mem[65536];
    uint8_t how = rd_u8(in);
    uint16_t n = rd_u16(in);
    struct adit_span d = rd_take(in, n < in->n ? n : in->n);
    span_copy(mem, d);
    fit(s, mem, d.n, how);
    sim_inject(s, B, how & 2 ? "192.0.2.1" : "198.51.100.7", how & 4 ? 4500 : 500, span(mem, d.n));
}

SIM_TEST(anybody)
{
    struct rd in = rd_init(input);
    fuzz_reach(s, rd_u8(&in) % STAGES);
    for (int i = 0; i < 16 && in.n; i++) {
        datagram(s, &in);
        sim_run(s, MILLIS(5));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sim_case test = SIM_CASE(anybody);
    struct sim s = { 0 };
    input = span(data, size);
    sim_once(&s, &test, 1, false);
    sim_free(&s);
    return 0;
}
