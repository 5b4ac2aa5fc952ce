/* fuzz_ike_keys.c - behind the keys: the fuzzer's octets are the plaintext of messages that the harness protects with the
 * peer's own keys, so that every payload parser and every exchange is reached by an "authenticated" attacker.
 * Input: stage, then messages: exchange type, first payload type, length (16 bits), payloads. */
#include "fuzz_ike_sim.h"

static struct adit_span input;

static uint8_t exchange_of(uint8_t n)
{
    static const uint8_t known[] = { XCHG_IKE_AUTH, XCHG_CREATE_CHILD_SA, XCHG_INFORMATIONAL, XCHG_IKE_INTERMEDIATE,
                                     XCHG_IKE_FOLLOWUP_KE };
    return n < 250 ? known[n % sizeof(known)] : n;
}

/* A message from A as A itself would protect it; for ASKING it is the answer that B waits for. */
static void forge(struct sim *s, struct rd *in, enum stage stage)
{
    struct ike_sa *from = fuzz_sa(s, A), *to = fuzz_sa(s, B);
    struct ike_wire *wire = NULL;
    uint8_t exchange = exchange_of(rd_u8(in)), first = rd_u8(in);
    uint16_t n = rd_u16(in);
    struct adit_span plain = rd_take(in, n < in->n ? n : in->n);
    bool answer = stage == ASKING && to && to->out;
    if (!from || !to)
        return;
    struct ike_hdr hdr = { .spi_i = to->spi_i, .spi_r = to->spi_r, .version = IKE_VERSION,
                           .exchange = answer ? to->out->exchange : exchange,
                           .flags = (uint8_t)((from->is_initiator ? IKE_FLAG_INITIATOR : 0) |
                                              (answer ? IKE_FLAG_RESPONSE : 0)),
                           .msgid = answer ? to->out->msgid : to->next_expect };
    if (plain.n > 60000 || msg_protect(from, &hdr, first, plain, &wire) != ADIT_OK)
        return;
    sim_inject(s, B, "192.0.2.1", 500, wire->datagrams[0]);
    wire_unref(wire);
}

SIM_TEST(behind_keys)
{
    struct rd in = rd_init(input);
    enum stage stage = rd_u8(&in) % STAGES;
    fuzz_reach(s, stage);
    for (int i = 0; i < 8 && in.n; i++) {
        forge(s, &in, stage);
        sim_run(s, MILLIS(30));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sim_case test = SIM_CASE(behind_keys);
    struct sim s = { 0 };
    input = span(data, size);
    sim_once(&s, &test, 1, false); /* whether the pair can still be taken down tidily is not the question here */
    sim_free(&s);
    return 0;
}
