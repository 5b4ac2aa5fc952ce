/* fuzz_ike_input.c - before the keys: datagrams of anybody, at an engine that is half-open, established or waiting. An
 * input octet says whether SPIs and message ID are made to fit, so that the fuzzer gets past the look-up.
 * Input: stage, then datagrams: fit (8 bits), length (16 bits), octets. */
#include "fuzz_ike_world.h"

static void fit(struct world *w, uint8_t *d, size_t n, uint8_t how)
{
    struct ike_sa *sa = world_sa(w);
    struct wr out;
    if (!sa || n < IKE_HDR_SIZE || !(how & 1))
        return;
    wr_init(&out, d, 16);
    wr_u64(&out, sa->spi_i);
    wr_u64(&out, sa->spi_r);
    wr_init(&out, d + 20, 8);
    wr_u32(&out, d[19] & IKE_FLAG_RESPONSE && sa_out(sa) ? sa_out(sa)->msgid : sa->next_expect);
    wr_u32(&out, (uint32_t)n);
}

/* In memory of its own size, so that a sanitizer sees the first octet too many. */
static void datagram(struct world *w, struct rd *in)
{
    uint8_t how = rd_u8(in);
    uint16_t n = rd_u16(in);
    struct adit_span d = rd_take(in, n < in->n ? n : in->n);
    struct adit_path path = path_of(w->me.host, how & 2 ? (w->me.host == A ? 2 : 1) : 7, how & 4 ? 4500 : 500);
    uint8_t *mem = malloc(d.n + 1);
    must(mem);
    span_copy(mem + 1, d);
    fit(w, mem + 1, d.n, how);
    feed(w, &path, span(mem + 1, d.n));
    free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd in = rd_init(span(data, size));
    struct world *w = world_at(rd_u8(&in) % STAGES);
    unsigned children = w->n_children;
    for (int i = 0; i < 16 && in.n; i++)
        datagram(w, &in);
    must(!w->up && w->n_children == children); /* whoever has no key brings nothing up, and takes nothing down */
    must(!w->down || w->stage == HALF_OPEN || w->stage == CALLING);
    world_leave(w);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    world_open();
    return 0;
}
