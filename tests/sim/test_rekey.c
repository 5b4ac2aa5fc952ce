/* test_rekey.c - new keys while traffic flows: either side, both at once, over bad links (RFC 7296 s2.8). */
#include "support/sim.h"

#define HYBRID .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768", .esp = "aes256gcm16-x25519-ke1_mlkem768"

static void start(struct sim *s)
{
    sim_establish(s);
    sim_traffic(s, MILLIS(50));
    sim_run(s, SECONDS(1));
}

/* One child on one IKE SA, other keys than before, and traffic never stopped. */
static void all_is_new(struct sim *s, uint32_t old_spi, uint64_t old_ike)
{
    struct adit_ike_info sa;
    expect_children(s, 1);
    expect_same_keys(s);
    expect_flows(s);
    expect_no_garbage(s);
    expect_no_gap(s);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A),
           sim_sas(s, B));
    expect(s, !old_spi || simhost_sender(&s->host[A])->spi_out != old_spi,
           "the Child SA is still the old one");
    expect(s, sim_info(s, A, &sa) && (!old_ike || sa.spi_i != old_ike), "the IKE SA is still the old one");
}

static uint32_t child_spi(struct sim *s)
{
    return simhost_sender(&s->host[A])->spi_out;
}

static uint64_t ike_spi(struct sim *s)
{
    struct adit_ike_info sa = { 0 };
    expect(s, sim_info(s, A, &sa));
    return sa.spi_i;
}

static void rekey_child(struct sim *s, int host)
{
    uint32_t old = child_spi(s);
    uint64_t cookie = sim_command(s, host, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    all_is_new(s, old, 0);
}

SIM_TEST(child_by_either_side)
{
    start(s);
    for (int i = 0; i < 4; i++)
        rekey_child(s, i & 1);
}

SIM_TEST(child_with_mlkem)
{
    sim_configure(s, HYBRID);
    start(s);
    rekey_child(s, A);
    rekey_child(s, B);
}

static void rekey_ike(struct sim *s, int host)
{
    uint64_t old = ike_spi(s), cookie = sim_command(s, host, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    all_is_new(s, 0, old);
}

SIM_TEST(ike_by_either_side)
{
    start(s);
    for (int i = 0; i < 4; i++)
        rekey_ike(s, i & 1);
    rekey_child(s, A);
    rekey_child(s, B);
}

SIM_TEST(ike_with_mlkem)
{
    sim_configure(s, HYBRID);
    start(s);
    rekey_ike(s, A);
    rekey_ike(s, B);
    rekey_child(s, A);
}

/* RFC 7296 s2.8.1: crossing requests leave one Child SA; the seed varies delays, so that they cross in many ways. */
SIM_TEST(both_rekey_the_child)
{
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    start(s);
    uint32_t old = child_spi(s);
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(4));
    all_is_new(s, old, 0);
}

SIM_TEST(both_rekey_the_child_with_loss)
{
    sim_link(s, .delay_ms = 20, .jitter_ms = 5, .drop_mask = 0);
    start(s);
    uint32_t old = child_spi(s);
    sim_link(s, .delay_ms = 20, .jitter_ms = 5, .drop_mask = 1ull << s->seed % 8);
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(4));
    all_is_new(s, old, 0);
}

SIM_TEST(both_rekey_the_child_with_mlkem)
{
    sim_configure(s, HYBRID);
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    start(s);
    uint32_t old = child_spi(s);
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(4));
    all_is_new(s, old, 0);
}

/* RFC 7296 s2.8.2 */
SIM_TEST(both_rekey_the_ike_sa)
{
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    start(s);
    uint64_t old = ike_spi(s);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(4));
    all_is_new(s, 0, old);
}

SIM_TEST(both_rekey_the_ike_sa_with_loss)
{
    start(s);
    uint64_t old = ike_spi(s);
    sim_link(s, .delay_ms = 20, .jitter_ms = 5, .drop_mask = 1ull << s->seed % 8);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(8)); /* a redundant SA that the peer never learned of lives on for a while */
    all_is_new(s, 0, old);
}

SIM_TEST(both_rekey_the_ike_sa_with_mlkem)
{
    sim_configure(s, HYBRID);
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    start(s);
    uint64_t old = ike_spi(s);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(4));
    all_is_new(s, 0, old);
}

/* RFC 7296 s2.25.2: one side rekeys the child, the other the IKE SA that carries it. */
SIM_TEST(child_and_ike_sa_cross)
{
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    start(s);
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(4));
    all_is_new(s, 0, 0);
}

SIM_TEST(over_a_bad_link)
{
    sim_configure(s, HYBRID);
    start(s);
    sim_link(s, .delay_ms = 20, .jitter_ms = 30, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(1));
    sim_command(s, (int)(s->seed & 1), ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(4));
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    all_is_new(s, 0, 0);
}

/* By the clock, as in a long life: an hour with lifetimes of minutes. */
SIM_TEST(by_lifetime)
{
    sim_configure(s, .rekey_s = 600, .child_rekey_s = 200);
    start(s);
    uint32_t spi = child_spi(s);
    uint64_t ike = ike_spi(s);
    sim_traffic(s, SECONDS(1));
    sim_run(s, MINUTES(60));
    expect(s, s->host[A].events[ADIT_EV_CHILD_REKEYED] >= 12, "%u", s->host[A].events[ADIT_EV_CHILD_REKEYED]);
    expect(s, s->host[A].events[ADIT_EV_IKE_REKEYED] >= 4, "%u", s->host[A].events[ADIT_EV_IKE_REKEYED]);
    sim_traffic(s, 0);
    for (int i = 0; i < 60 && simhost_children(&s->host[A]) + simhost_children(&s->host[B]) != 2; i++)
        sim_run(s, SECONDS(1));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_gap(s);
    expect(s, child_spi(s) != spi && ike_spi(s) != ike);
}

/* The data plane asks when its limits come near. */
SIM_TEST(when_the_data_plane_asks)
{
    start(s);
    uint32_t old = child_spi(s);
    sim_command(s, A, ADIT_CMD_EXPIRE_SOFT, .child_id = simhost_sender(&s->host[A])->id);
    sim_run(s, SECONDS(20));
    all_is_new(s, old, 0);
}

static const struct sim_case cases[] = {
    SIM_CASE(child_by_either_side),
    SIM_CASE(child_with_mlkem),
    SIM_CASE(ike_by_either_side),
    SIM_CASE(ike_with_mlkem),
    SIM_CASE(both_rekey_the_child),
    SIM_CASE(both_rekey_the_child_with_loss),
    SIM_CASE(both_rekey_the_child_with_mlkem),
    SIM_CASE(both_rekey_the_ike_sa),
    SIM_CASE(both_rekey_the_ike_sa_with_loss),
    SIM_CASE(both_rekey_the_ike_sa_with_mlkem),
    SIM_CASE(child_and_ike_sa_cross),
    SIM_CASE(over_a_bad_link),
    SIM_CASE(by_lifetime),
    SIM_CASE(when_the_data_plane_asks),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 30);
}
