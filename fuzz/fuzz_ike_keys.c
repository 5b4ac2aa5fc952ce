/* fuzz_ike_keys.c - behind the keys: the fuzzer's octets are the plaintext of messages that the harness protects with the
 * peer's own keys, so that every payload parser and every exchange is reached by an "authenticated" attacker.
 * Input: stage, then steps. A step is a message: exchange type, first payload type, length (16 bits), payloads; or, as
 * its first octet says, a command or time that goes by: see life(). */
#include "fuzz_ike_world.h"

#define STEPS 16

static uint8_t exchange_of(uint8_t n)
{
    static const uint8_t known[] = { XCHG_IKE_AUTH, XCHG_CREATE_CHILD_SA, XCHG_INFORMATIONAL, XCHG_IKE_INTERMEDIATE,
                                     XCHG_IKE_FOLLOWUP_KE };
    return n < 250 ? known[n % sizeof(known)] : n;
}

/* A message as the peer itself would protect it; where an answer is waited for, it is that answer. */
static void forge(struct world *w, uint8_t exchange, struct rd *in)
{
    struct ike_sa *to = world_sa(w);
    uint8_t first = rd_u8(in);
    uint16_t n = rd_u16(in);
    struct adit_span plain = rd_take(in, n < in->n ? n : in->n);
    if (!to || plain.n > 60000)
        return;
    bool answer = (w->stage == ASKING || w->stage == CALLING) && sa_out(to);
    struct ike_sa peer = *to; /* the other end of it */
    struct ike_wire *wire = NULL;
    peer.is_initiator = !to->is_initiator;
    peer.sealer = peer.opener = NULL;
    struct ike_hdr hdr = { .spi_i = to->spi_i, .spi_r = to->spi_r, .version = IKE_VERSION,
                           .exchange = answer ? sa_out(to)->exchange : exchange,
                           .flags = (uint8_t)((peer.is_initiator ? IKE_FLAG_INITIATOR : 0) |
                                              (answer ? IKE_FLAG_RESPONSE : 0)),
                           .msgid = answer ? sa_out(to)->msgid : to->next_expect };
    must(msg_protect(&peer, &hdr, first, plain, &wire) == ADIT_OK);
    sa_drop_crypts(&peer);
    struct adit_path path = path_of(w->me.host, w->me.host == A ? 2 : 1, 500);
    feed(w, &path, wire->datagrams[0]);
    wire_unref(wire);
}

/* What happens beside messages; false: what is next is one. */
static bool life(struct world *w, uint8_t what, struct rd *in)
{
    switch (what) {
    case 255: wait_for(w, rd_u8(in) * MILLIS(250)); return true;
    case 254: ask(w, ADIT_CMD_REKEY, "net", NULL); return true;
    case 253: ask(w, ADIT_CMD_REKEY, NULL, "peer"); return true;
    case 252: ask(w, ADIT_CMD_INITIATE, "net", NULL); return true;
    case 251: wait_for(w, rd_u8(in) * SECONDS(60)); return true;
    case 250: ask(w, ADIT_CMD_INITIATE, "net", "peer"); return true; /* another IKE SA */
    default: return false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd in = rd_init(span(data, size));
    struct world *w = world_at(rd_u8(&in) % STAGES);
    bool stranger = w->stage == HALF_OPEN || w->stage == CALLING;
    for (int i = 0; i < STEPS && in.n; i++) {
        uint8_t what = rd_u8(&in);
        if (!life(w, what, &in))
            forge(w, exchange_of(what), &in);
    }
    must(!(stranger && (w->up || w->n_children))); /* the keys alone do not let anybody in: AUTH needs the secret */
    world_leave(w);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    world_open();
    return 0;
}
