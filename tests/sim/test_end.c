/* test_end.c - how SAs end: Delete by either side, crossing with other exchanges, a dead peer, a restarted peer. */
#include "support/sim.h"

static void nothing_left(struct sim *s)
{
    expect_children(s, 0);
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0, "A has %u IKE SAs, B %u", sim_sas(s, A),
           sim_sas(s, B));
}

SIM_TEST(ike_sa_by_either_side)
{
    int host = (int)(s->seed & 1);
    sim_establish(s);
    uint64_t cookie = sim_command(s, host, ADIT_CMD_TERMINATE, .conn = "peer");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(40));
    nothing_left(s);
}

SIM_TEST(ike_sa_by_both)
{
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 40);
    sim_establish(s);
    sim_both(s, ADIT_CMD_TERMINATE, .conn = "peer");
    sim_run(s, MINUTES(4));
    nothing_left(s);
}

SIM_TEST(ike_sa_over_a_bad_link)
{
    sim_establish(s);
    sim_link(s, .delay_ms = 20, .jitter_ms = 30, .loss = 0.4, .dup = 0.2);
    sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer");
    sim_run(s, MINUTES(6));
    expect(s, sim_sas(s, A) == 0);
}

SIM_TEST(child_by_either_side)
{
    int host = (int)(s->seed & 1);
    sim_configure(s, .two_children = true);
    sim_establish(s);
    expect(s, sim_wait(s, A, sim_command(s, A, ADIT_CMD_INITIATE, .child = "net2"), MINUTES(1)) == ADIT_OK);
    uint64_t cookie = sim_command(s, host, ADIT_CMD_TERMINATE, .child = "net");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(40));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_garbage(s);
}

SIM_TEST(child_by_both)
{
    sim_configure(s, .two_children = true);
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 40);
    sim_establish(s);
    expect(s, sim_wait(s, A, sim_command(s, A, ADIT_CMD_INITIATE, .child = "net2"), MINUTES(1)) == ADIT_OK);
    sim_both(s, ADIT_CMD_TERMINATE, .child = "net");
    sim_run(s, MINUTES(1));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_garbage(s);
}

/* RFC 7296 s2.25.1: one side deletes what the other rekeys. */
SIM_TEST(child_deleted_while_it_is_rekeyed)
{
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    sim_establish(s);
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MILLIS(s->seed % 50));
    sim_command(s, B, ADIT_CMD_TERMINATE, .child = "net");
    sim_run(s, MINUTES(4));
    expect_same_keys(s);
    expect(s, simhost_children(&s->host[A]) == simhost_children(&s->host[B]), "A has %u Child SAs, B %u",
           simhost_children(&s->host[A]), simhost_children(&s->host[B]));
}

/* RFC 7296 s2.25.2 */
SIM_TEST(ike_sa_deleted_while_it_is_rekeyed)
{
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    sim_establish(s);
    sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MILLIS(s->seed % 50));
    sim_command(s, B, ADIT_CMD_TERMINATE, .conn = "peer");
    sim_run(s, MINUTES(5));
    expect_same_keys(s);
    expect(s, sim_sas(s, A) == sim_sas(s, B), "A has %u IKE SAs, B %u", sim_sas(s, A), sim_sas(s, B));
}

/* Liveness checks find out (RFC 7296 s2.4). */
SIM_TEST(peer_vanishes)
{
    sim_configure(s, .dpd_s = 30);
    sim_establish(s);
    sim_run(s, MINUTES(5));
    expect_no_garbage(s);
    expect(s, sim_counter(s, A, ADIT_C_DPD_SENT) >= 3, "%llu",
           (unsigned long long)sim_counter(s, A, ADIT_C_DPD_SENT));
    sim_cut(s, B, true);
    sim_run(s, MINUTES(6));
    nothing_left(s);
}

/* Authentic traffic proves life: no check is needed. */
SIM_TEST(traffic_is_proof_of_life)
{
    sim_configure(s, .dpd_s = 30);
    sim_establish(s);
    sim_traffic(s, SECONDS(5));
    sim_run(s, MINUTES(5));
    sim_traffic(s, 0);
    expect(s, sim_counter(s, A, ADIT_C_DPD_SENT) <= 1, "%llu",
           (unsigned long long)sim_counter(s, A, ADIT_C_DPD_SENT));
    expect_no_garbage(s);
}

static void meet_again(struct sim *s, int who)
{
    uint64_t cookie = sim_command(s, who, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, who, cookie, MINUTES(5)) == ADIT_OK);
    sim_run(s, MINUTES(5));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_flows(s);
    expect_no_garbage(s);
}

/* INITIAL_CONTACT makes the peer drop what the restarted host forgot (RFC 7296 s2.4). */
SIM_TEST(initiator_restarts)
{
    sim_configure(s, .unique = ADIT_UNIQUE_REPLACE);
    sim_establish(s);
    sim_restart(s, A);
    meet_again(s, A);
}

SIM_TEST(responder_restarts)
{
    sim_configure(s, .unique = ADIT_UNIQUE_REPLACE, .dpd_s = 20);
    sim_establish(s);
    sim_restart(s, B);
    sim_run(s, MINUTES(6));
    expect(s, sim_sas(s, A) == 0, "A has not noticed");
    meet_again(s, A);
}

SIM_TEST(restart_in_the_middle)
{
    sim_configure(s, .unique = ADIT_UNIQUE_REPLACE);
    sim_link(s, .delay_ms = 20);
    sim_start(s);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MILLIS(10 * (s->seed % 12)));
    sim_restart(s, (int)(s->seed & 1));
    sim_run(s, MINUTES(6));
    if (sim_sas(s, A) == 0)
        meet_again(s, A);
}

/* Make before break by a whole new IKE SA. */
SIM_TEST(reauthentication)
{
    sim_configure(s, .reauth_s = 300, .unique = ADIT_UNIQUE_NEVER);
    sim_establish(s);
    sim_run(s, MINUTES(12));
    expect(s, s->host[A].events[ADIT_EV_IKE_UP] >= 3, "%u", s->host[A].events[ADIT_EV_IKE_UP]);
    expect_children(s, 1);
    expect_same_keys(s);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A),
           sim_sas(s, B));
}

static const struct sim_case cases[] = {
    SIM_CASE(ike_sa_by_either_side),
    SIM_CASE(ike_sa_by_both),
    SIM_CASE(ike_sa_over_a_bad_link),
    SIM_CASE(child_by_either_side),
    SIM_CASE(child_by_both),
    SIM_CASE(child_deleted_while_it_is_rekeyed),
    SIM_CASE(ike_sa_deleted_while_it_is_rekeyed),
    SIM_CASE(peer_vanishes),
    SIM_CASE(traffic_is_proof_of_life),
    SIM_CASE(initiator_restarts),
    SIM_CASE(responder_restarts),
    SIM_CASE(restart_in_the_middle),
    SIM_CASE(reauthentication),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 30);
}
