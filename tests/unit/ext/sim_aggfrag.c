/* sim_aggfrag.c - who agrees to AGGFRAG with whom (RFC 9347 s5.1): both roles, flags of either side, rekeying in both forms,
 * peers that don't do it or ask for more than we have. */
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"
#include "wire/be.h"

#define STREAM .mode = ADIT_MODE_AGGFRAG

static struct ike_sa *newest(struct sim *s, int host)
{
    struct list *sas = &((struct ike *)s->host[host].ike)->sas;
    return list_empty(sas) ? NULL : list_entry(sas->prev, struct ike_sa, link);
}

static const struct simchild *sender(struct sim *s, int host)
{
    const struct simchild *c = simhost_sender(&s->host[host]);
    expect(s, c);
    return c;
}

static const struct adit_stream *stream(struct sim *s, int host)
{
    expect(s, sender(s, host)->mode == ADIT_MODE_AGGFRAG);
    return &sender(s, host)->shape.stream;
}

static void rekey(struct sim *s, int host)
{
    uint64_t cookie = sim_command(s, host, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    expect_children(s, 1);
    expect_same_keys(s);
}

SIM_TEST(agreed_and_kept_through_rekeyings)
{
    sim_configure_host(s, A, STREAM, .tfc_padding = 100, .tfc_dummies = 5,
                       .child_option = { { "iptfs_rate", "50" }, { "iptfs_packet_size", "900" } });
    sim_configure_host(s, B, STREAM, .child_option = { { "iptfs_accept_fragments", "no" }, { "iptfs_reorder_window", "9" } });
    sim_establish(s);
    for (int i = 0; i < 4; i++) {
        const struct adit_stream *a = stream(s, A), *b = stream(s, B);
        expect(s, a->rate == 50 && a->packet_size == 900 && a->whole && !a->refuse_fragments, "B wants whole packets");
        expect(s, !b->rate && !b->whole && b->refuse_fragments && b->reorder_window == 9);
        expect(s, a->queue_octets == 1048576 && a->drop_us == 1000000 && a->reorder_window == 3 && !a->delay_us);
        expect(s, !sender(s, A)->shape.tfc_padding && !sender(s, A)->shape.dummies);
        rekey(s, i & 1); /* the first one is regular, those that follow are short */
    }
}

SIM_TEST(a_second_child)
{
    sim_configure(s, STREAM, .two_children = true);
    sim_establish(s);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_INITIATE, .conn = "peer", .child = "net2");
    expect(s, sim_wait(s, B, cookie, MINUTES(3)) == ADIT_OK);
    sim_run(s, SECONDS(5));
    expect_children(s, 2);
    for (unsigned i = 0; i < 2; i++)
        expect(s, s->host[A].child[i].mode == ADIT_MODE_AGGFRAG && s->host[B].child[i].mode == ADIT_MODE_AGGFRAG);
}

/* Neither side is content with a plain tunnel if a stream is configured; the IKE SA stays. */
static void one_sided(struct sim *s, int host)
{
    sim_configure_host(s, host, STREAM);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(3)) != ADIT_OK);
    sim_run(s, SECONDS(20));
    expect_children(s, 0);
    expect(s, sim_sas(s, A) == sim_sas(s, B));
}

SIM_TEST(the_responder_does_not)
{
    one_sided(s, A);
}

SIM_TEST(the_initiator_does_not)
{
    one_sided(s, B);
}

/* --- flags that ours never sends: the peer's CREATE_CHILD_SA is opened, changed and sealed again --------------------------- */

static struct {
    int from;
    uint8_t flags;
    unsigned n;
} other;

static size_t other_flags(struct sim *s, int from, uint8_t *d, size_t n)
{
    static const uint8_t notify[] = { 0, 0, N_USE_AGGFRAG >> 8, N_USE_AGGFRAG & 0xff };
    static uint8_t copy[65535];
    struct ike_sa *sa = newest(s, from), *peer = newest(s, !from);
    struct adit_span plain;
    struct wr w;
    if (from != other.from || d[18] != XCHG_CREATE_CHILD_SA || d[16] != PLD_SK || !sa || !peer)
        return n;
    span_copy(copy, span(d, n));
    if (sa_open(peer, copy, n, IKE_HDR_SIZE + 4, &plain) != ADIT_OK)
        return n;
    for (size_t i = 0; i + 5 <= plain.n; i++)
        if (span_equal(span(plain.p + i, 4), SPAN_ARRAY(notify))) {
            copy[(size_t)(plain.p - copy) + i + 4] = other.flags;
            other.n++;
        }
    wr_init(&w, d, 65535);
    (void)wr_space(&w, IKE_HDR_SIZE + 4); /* it stands there, and stays as long */
    expect(s, sa_seal(sa, &w, 0, plain) == ADIT_OK && w.n == n);
    return n;
}

static void flagged(struct sim *s, uint8_t flags, int from, bool taken)
{
    sim_configure(s, STREAM);
    sim_establish(s);
    other = (typeof(other)){ .from = from, .flags = flags };
    s->tamper = other_flags;
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(4));
    expect(s, other.n == 1 && (rc == ADIT_OK) == taken);
    sim_run(s, SECONDS(2));
    if (taken)
        expect(s, stream(s, !from)->whole && !stream(s, from)->whole);
    else
        expect(s, !stream(s, A)->whole && !stream(s, B)->whole, "the old one goes on");
    s->tamper = NULL;
}

SIM_TEST(whole_packets_for_the_responder)
{
    flagged(s, 1, B, true);
}

SIM_TEST(whole_packets_for_the_initiator)
{
    flagged(s, 1, A, true);
}

SIM_TEST(congestion_control_for_the_responder)
{
    flagged(s, 2, B, false);
}

SIM_TEST(congestion_control_for_the_initiator)
{
    flagged(s, 3, A, false);
}

SIM_TEST(flags_of_later_times)
{
    flagged(s, 0x80, s->seed & 1, false);
}

static const struct sim_case cases[] = {
    SIM_CASE(agreed_and_kept_through_rekeyings),
    SIM_CASE(a_second_child),
    SIM_CASE(the_responder_does_not),
    SIM_CASE(the_initiator_does_not),
    SIM_CASE(whole_packets_for_the_responder),
    SIM_CASE(whole_packets_for_the_initiator),
    SIM_CASE(congestion_control_for_the_responder),
    SIM_CASE(congestion_control_for_the_initiator),
    SIM_CASE(flags_of_later_times),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 4);
}
