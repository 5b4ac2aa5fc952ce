/* test_path.c - address translators: found, kept open, and followed when they change (RFC 7296 s2.23). */
#include "support/sim.h"

static void behind_nat(struct sim *s, int host)
{
    struct adit_ike_info sa;
    sim_nat(s, host);
    sim_establish(s);
    expect_same_keys(s);
    for (int i = 0; i < 2; i++) {
        expect(s, sim_info(s, i, &sa));
        expect(s, i == host ? sa.nat_local : sa.nat_remote, "%s has not noticed", s->host[i].name);
        expect(s, sa.path.local.port == 4500, "%s uses port %u", s->host[i].name, sa.path.local.port);
        expect(s, simhost_sender(&s->host[i])->udp_encap, "%s does not encapsulate", s->host[i].name);
    }
}

SIM_TEST(initiator_behind_nat)
{
    behind_nat(s, A);
    sim_run(s, MINUTES(3));
    expect(s, s->host[A].events[ADIT_EV_KEEPALIVE] >= 3, "%u keepalives",
           s->host[A].events[ADIT_EV_KEEPALIVE]);
    expect(s, s->host[B].events[ADIT_EV_KEEPALIVE] == 0, "B is not behind one");
    expect_no_gap(s);
}

SIM_TEST(without_nat_port_500_stays)
{
    struct adit_ike_info sa;
    sim_configure(s, .option = { { "mobike", "no" } });
    sim_establish(s);
    expect(s, sim_info(s, A, &sa));
    expect(s, !sa.nat_local && !sa.nat_remote && sa.path.local.port == 500, "port %u", sa.path.local.port);
    expect(s, !simhost_sender(&s->host[A])->udp_encap);
}

SIM_TEST(hybrid_behind_nat)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768", .cert = "ecdsa");
    behind_nat(s, A);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, B, cookie, MINUTES(4)) == ADIT_OK);
    cookie = sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, B, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    expect_same_keys(s);
    expect_no_garbage(s);
    expect_no_gap(s);
}

/* The translator reboots: the next authentic message from A tells B where A is now. */
SIM_TEST(ports_change)
{
    struct adit_ike_info sa;
    sim_configure(s, .dpd_s = 20);
    behind_nat(s, A);
    expect(s, sim_info(s, B, &sa));
    uint16_t before = sa.path.remote.port;
    sim_run(s, SECONDS(30));
    sim_nat_rebind(s, A);
    sim_run(s, MINUTES(2));
    expect(s, sim_info(s, B, &sa));
    expect(s, sa.path.remote.port != before, "B still sends to port %u", before);
    expect(s, simhost_sender(&s->host[B])->path.remote.port == sa.path.remote.port,
           "the Child SA has not followed");
    expect_children(s, 1);
    expect_no_garbage(s);
}

SIM_TEST(behind_nat_over_a_bad_link)
{
    sim_nat(s, A);
    sim_link(s, .delay_ms = 20, .jitter_ms = 40, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    sim_establish(s);
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    expect_same_keys(s);
    expect_no_garbage(s);
}

/* From 4500 to 4500 with the very first datagram: the translator sees no other port. */
static void from_4500(struct sim *s, bool nat)
{
    if (nat)
        sim_nat(s, A);
    sim_establish(s);
    for (int i = 0; i < 2; i++) {
        struct adit_ike_info sa;
        expect(s, sim_info(s, i, &sa) && sa.path.local.port == 4500, "%s", s->host[i].name);
        expect(s, simhost_sender(&s->host[i])->udp_encap == nat, "%s", s->host[i].name);
    }
    expect(s, !nat || (s->net.host[A].nat.n == 1 && s->net.host[A].nat.map[0].inner.port == 4500));
    sim_run(s, MINUTES(1));
    expect_no_gap(s);
}

SIM_TEST(starting_on_4500_by_remote_port)
{
    sim_configure_host(s, A, .remote_port = 4500, .option = { { "mobike", "no" } });
    from_4500(s, true);
}

SIM_TEST(starting_on_4500_by_local_port)
{
    sim_configure_host(s, A, .local_port = 4500);
    from_4500(s, true);
}

SIM_TEST(starting_on_4500_without_nat)
{
    sim_configure_host(s, A, .remote_port = 4500, .option = { { "mobike", "no" } });
    from_4500(s, false);
}

/* A responder cannot reach its peer behind a translator but at the port that it has now. */
SIM_TEST(the_responder_reauthenticates)
{
    struct adit_ike_info sa;
    behind_nat(s, A);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer", .reauth = true);
    expect(s, sim_wait(s, B, cookie, MINUTES(4)) == ADIT_OK, "%s", simhost_done(&s->host[B], cookie)->text);
    sim_run(s, SECONDS(20));
    expect_children(s, 1);
    expect_flows(s);
    expect(s, sim_info(s, B, &sa) && sa.initiator && sa.nat_remote && sa.path.remote.port > 4500, "%u", sa.path.remote.port);
    expect(s, simhost_sender(&s->host[B])->udp_encap && simhost_sender(&s->host[A])->udp_encap);
}

/* After a rekeying by the responder it is the new SA's initiator, but still who was dialled. */
SIM_TEST(the_responder_reauthenticates_after_a_rekeying)
{
    behind_nat(s, A);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, B, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    cookie = sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer", .reauth = true);
    expect(s, sim_wait(s, B, cookie, MINUTES(4)) == ADIT_OK, "%s", simhost_done(&s->host[B], cookie)->text);
    sim_run(s, SECONDS(20));
    expect_children(s, 1);
    expect_flows(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(starting_on_4500_by_remote_port), SIM_CASE(starting_on_4500_by_local_port),
    SIM_CASE(starting_on_4500_without_nat), SIM_CASE(the_responder_reauthenticates),
    SIM_CASE(the_responder_reauthenticates_after_a_rekeying),
    SIM_CASE(initiator_behind_nat), SIM_CASE(without_nat_port_500_stays), SIM_CASE(hybrid_behind_nat),
    SIM_CASE(ports_change),         SIM_CASE(behind_nat_over_a_bad_link),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 20);
}
