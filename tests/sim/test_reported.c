/* test_reported.c - what users of other implementations have reported of rekeyings that cross, as stories of two hosts.
 * docs/collisions.md says which report is which story. */
#include "support/sim.h"

#define REGULAR .option = { { "optrekey", "no" } }

static void reload(struct sim *s, int host)
{
    struct adit_why why = { 0 };
    struct adit_config *cfg = sim_conf_build(s, host);
    expect(s, adit_ike_config(s->host[host].ike, cfg, s->now, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
}

/* The cable is out when the rekeying begins, and in again for the repetition: the new IKE SA stays. */
SIM_TEST(a_link_bounces_while_the_ike_sa_is_rekeyed)
{
    struct adit_ike_info before, after;
    sim_establish(s);
    expect(s, sim_info(s, A, &before));
    int who = (int)(s->seed % 2);
    sim_cut(s, who, true);
    uint64_t cookie = sim_command(s, who, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MILLIS(500 + 700 * (s->seed % 20)));
    sim_cut(s, who, false);
    expect(s, sim_wait(s, who, cookie, MINUTES(3)) == ADIT_OK);
    sim_run(s, MINUTES(10));
    expect(s, sim_info(s, A, &after) && after.id != before.id && sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_garbage(s);
}

/* Several Child SAs are rekeyed by both sides at once: message IDs stay in step, and liveness checks are answered. */
SIM_TEST(both_rekey_all_children_at_once)
{
    sim_configure(s, .two_children = true, .dpd_s = 30);
    sim_establish(s);
    expect(s, sim_wait(s, A, sim_command(s, A, ADIT_CMD_INITIATE, .child = "net2"), MINUTES(1)) == ADIT_OK);
    for (int round = 0; round < 3; round++) {
        sim_link(s, .delay_ms = 10, .jitter_ms = 20, .loss = s->seed % 3 ? 0.1 : 0);
        sim_both(s, ADIT_CMD_REKEY, .child = "net");
        sim_both(s, ADIT_CMD_REKEY, .child = "net2");
        sim_run(s, MINUTES(3));
    }
    sim_link(s, .delay_ms = 10);
    sim_run(s, MINUTES(10));
    expect_children(s, 2);
    expect_same_keys(s);
    expect_no_garbage(s);
}

/* B has loaded other selectors by now: a Child SA is rekeyed with those that it has, and neither side's is refused. */
SIM_TEST(crossing_rekeyings_keep_the_selectors)
{
    sim_configure(s, REGULAR);
    sim_establish(s);
    sim_configure_host(s, B, REGULAR, .local_ts = "10.1.0.0/16", .remote_ts = "10.3.0.0/16");
    reload(s, B);
    sim_traffic(s, MILLIS(100));
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(5));
    sim_traffic(s, 0);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_flows(s);
    expect_no_garbage(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(a_link_bounces_while_the_ike_sa_is_rekeyed),
    SIM_CASE(both_rekey_all_children_at_once),
    SIM_CASE(crossing_rekeyings_keep_the_selectors),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 60);
}
