/* test_packets.c - what is agreed on about the looks of packets: padding, dummies, and a peer that takes none. */
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"
#include "wire/be.h"

static struct ike_sa *newest(struct sim *s, int host)
{
    struct list *sas = &((struct ike *)s->host[host].ike)->sas;
    return list_empty(sas) ? NULL : list_entry(sas->prev, struct ike_sa, link);
}

/* --- a peer that says more than ours would: its messages are opened and sealed again with its own keys ----------------- */

static struct {
    int from;
    unsigned n;
} refusing;

static size_t seal_again(struct sim *s, struct ike_sa *sa, uint8_t *d, struct adit_span plain)
{
    struct wr w;
    size_t whole = IKE_HDR_SIZE + 4 + plain.n + sa_seal_overhead(sa, plain.n);
    be32_put(d + 24, (uint32_t)whole);
    be16_put(d + IKE_HDR_SIZE + 2, (uint16_t)(whole - IKE_HDR_SIZE));
    wr_init(&w, d, 65535);
    (void)wr_space(&w, IKE_HDR_SIZE + 4); /* it stands there */
    expect(s, sa_seal(sa, &w, 0, plain) == ADIT_OK);
    return whole;
}

static size_t refuse_padding(struct sim *s, int from, uint8_t *d, size_t n)
{
    static uint8_t copy[65535], more[65535];
    struct ike_sa *sa = newest(s, from), *peer = newest(s, !from);
    struct adit_span plain;
    if (from != refusing.from || d[18] != XCHG_CREATE_CHILD_SA || d[16] != PLD_SK || !sa || !peer)
        return n;
    span_copy(copy, span(d, n));
    if (sa_open(peer, copy, n, IKE_HDR_SIZE + 4, &plain) != ADIT_OK)
        return n;
    uint8_t notify[8] = { d[IKE_HDR_SIZE], 0, 0, 8, 0, 0, 0, 0 };
    be16_put(notify + 6, N_ESP_TFC_PADDING_NOT_SUPPORTED);
    d[IKE_HDR_SIZE] = PLD_NOTIFY;
    span_copy(span_copy(more, SPAN_ARRAY(notify)), plain);
    refusing.n++;
    return seal_again(s, sa, d, span(more, plain.n + sizeof(notify)));
}

/* --- scenarios --------------------------------------------------------------------------------------------------------- */

static const struct adit_shape *shape(struct sim *s, int host)
{
    return &simhost_sender(&s->host[host])->shape;
}

static void rekey(struct sim *s, int host)
{
    uint64_t cookie = sim_command(s, host, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    expect_children(s, 1);
    expect_same_keys(s);
}

/* Each side shapes its own packets, as it is told. */
SIM_TEST(each_side_for_itself)
{
    sim_configure_host(s, A, .tfc_padding = 500, .tfc_dummies = 7);
    sim_configure_host(s, B, .tfc_padding = ADIT_TFC_MTU);
    sim_establish(s);
    for (int i = 0; i < 3; i++) {
        expect(s, shape(s, A)->tfc_padding == 500 && shape(s, A)->dummies == 7);
        expect(s, shape(s, B)->tfc_padding == ADIT_TFC_MTU && shape(s, B)->dummies == 0);
        rekey(s, i & 1); /* in both forms of rekeying */
    }
}

SIM_TEST(no_padding_in_transport_mode)
{
    sim_configure(s, .transport = true, .tfc_padding = 500, .tfc_dummies = 7);
    sim_establish(s);
    expect(s, !shape(s, A)->tfc_padding && shape(s, A)->dummies == 7 && !shape(s, B)->tfc_padding);
}

/* RFC 7296 s1.3.1: as initiator, as responder; the next SA may be another matter. */
static void refused(struct sim *s, int by, int initiator)
{
    sim_configure(s, .tfc_padding = 500, .tfc_dummies = 7);
    sim_establish(s);
    refusing = (typeof(refusing)){ .from = by };
    s->tamper = refuse_padding;
    rekey(s, initiator);
    expect(s, refusing.n == 1);
    expect(s, !shape(s, !by)->tfc_padding && shape(s, !by)->dummies == 7, "the peer takes dummies, but no padding");
    expect(s, shape(s, by)->tfc_padding == 500);
}

SIM_TEST(refused_by_the_responder)
{
    refused(s, B, A);
}

SIM_TEST(refused_by_the_initiator)
{
    refused(s, A, A);
}

/* RFC 4543, RFC 2410: nothing is hidden, everything is authenticated. */
SIM_TEST(authenticated_only)
{
    static const char *const esp[] = { "aes128gmac", "aes256gmac-x25519", "null-sha256", "null-sha512-x25519" };
    sim_configure(s, .esp = esp[s->seed % ARRAY_LEN(esp)]);
    sim_establish(s);
    expect_same_keys(s);
    uint16_t encr = simhost_sender(&s->host[A])->suite.encr;
    expect(s, encr == (s->seed % 4 < 2 ? ENCR_NULL_AES_GMAC : ENCR_NULL));
    rekey(s, A);
}

static const struct sim_case cases[] = { SIM_CASE(authenticated_only),
                                          SIM_CASE(each_side_for_itself), SIM_CASE(no_padding_in_transport_mode),
                                         SIM_CASE(refused_by_the_responder), SIM_CASE(refused_by_the_initiator) };

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 4);
}
