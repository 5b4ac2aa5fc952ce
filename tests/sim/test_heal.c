/* test_heal.c - what an engine does by itself when a peer, the clock or memory lets it down. The host's part, calling
 * again after attempts that failed, is in tests/netns/heal.sh. */
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/sim.h"

static struct adit_child_cfg *child_cfg(struct sim *s, int host)
{
    struct ike *ike = (struct ike *)s->host[host].ike;
    const struct policy_conn *conn = policy_conn_by_name(ike->policy, "peer");
    return (struct adit_child_cfg *)(uintptr_t)&conn->cfg->children[0];
}

static void keep_up(struct sim *s, int host, bool on)
{
    struct adit_child_cfg *cfg = child_cfg(s, host);
    cfg->close_action = cfg->dpd_action = on ? ADIT_ACTION_START : ADIT_ACTION_NONE;
}

static void one_tunnel(struct sim *s)
{
    expect_children(s, 1);
    expect_same_keys(s);
    expect_flows(s);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A), sim_sas(s, B));
    expect_no_garbage(s);
}

static uint64_t requests(const struct sim *s)
{
    return sim_counter(s, A, ADIT_C_INIT_OUT_REQ) + sim_counter(s, B, ADIT_C_INIT_OUT_REQ);
}

/* Both lose the other at once, and both call again: one tunnel. */
SIM_TEST(both_call_again)
{
    sim_configure(s, .dpd_s = 20, .unique = ADIT_UNIQUE_REPLACE);
    sim_establish(s);
    keep_up(s, A, true);
    keep_up(s, B, true);
    sim_link(s, .delay_ms = 1 + s->seed % 60, .jitter_ms = s->seed % 40);
    sim_cut(s, B, true);
    sim_run(s, MINUTES(4) + SECONDS(s->seed % 30));
    sim_cut(s, B, false);
    sim_run(s, MINUTES(6));
    one_tunnel(s);
    keep_up(s, A, false);
    keep_up(s, B, false);
}

/* The machine slept for hours: what is due is done, once, and the peer, awake all the time, is asked whether it lives. */
SIM_TEST(a_night_asleep)
{
    sim_configure(s, .dpd_s = 20, .rekey_s = 3600, .child_rekey_s = 1800, .unique = ADIT_UNIQUE_REPLACE);
    sim_establish(s);
    keep_up(s, A, true);
    sim_run(s, MINUTES(1));
    uint64_t before = requests(s), sent = sim_counter(s, A, ADIT_C_BYTES_OUT);
    s->now += MINUTES(8 * 60); /* both clocks jump; nothing ran meanwhile */
    sim_run(s, MINUTES(15));
    one_tunnel(s);
    expect(s, requests(s) - before <= 6, "%llu initiations", (unsigned long long)(requests(s) - before));
    expect(s, sim_counter(s, A, ADIT_C_BYTES_OUT) - sent < 60000, "a storm");
    keep_up(s, A, false);
}

/* Who slept alone finds a peer that has given it up. */
SIM_TEST(asleep_alone)
{
    sim_configure(s, .dpd_s = 20, .child_rekey_s = 1800, .unique = ADIT_UNIQUE_REPLACE);
    sim_establish(s);
    keep_up(s, A, true);
    sim_cut(s, A, true);
    sim_restart(s, B);
    s->now += MINUTES(8 * 60);
    sim_cut(s, A, false);
    sim_run(s, MINUTES(8));
    one_tunnel(s);
    keep_up(s, A, false);
}

/* A command for what is being made already waits for it, instead of making it twice. */
SIM_TEST(wanted_twice_made_once)
{
    sim_link(s, .delay_ms = 50);
    sim_start(s);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    (void)!adit_ike_command(s->host[A].ike, &(struct adit_command){ .type = ADIT_CMD_INITIATE, .conn = "peer", .child = "net" },
                            s->now, NULL, NULL);
    sim_run(s, MILLIS(s->seed * 7));
    struct adit_command acquire = { .type = ADIT_CMD_ACQUIRE, .conn = "peer", .child = "net" };
    if (sim_sas(s, A) && !simhost_children(&s->host[A]))
        (void)!adit_ike_command(s->host[A].ike, &acquire, s->now, NULL, NULL);
    sim_run(s, MINUTES(1));
    one_tunnel(s);
}

/* The peer closes what we are just rekeying: it is gone on both sides, whoever was first, and nothing hangs. */
SIM_TEST(closed_while_we_rekey_it)
{
    sim_configure(s, .unique = ADIT_UNIQUE_REPLACE);
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    sim_establish(s);
    keep_up(s, A, true);
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MILLIS(s->seed % 80));
    sim_command(s, B, ADIT_CMD_TERMINATE, .child = "net");
    sim_run(s, MINUTES(4));
    one_tunnel(s);
    keep_up(s, A, false);
}

/* One allocation of the whole way back fails, each in turn: calling again (as the host does) brings it up; twice, since the
 * first call may join the attempt that has starved. */
SIM_TEST(memory_is_out_when_it_is_lost)
{
    sim_configure(s, .dpd_s = 20, .unique = ADIT_UNIQUE_REPLACE);
    sim_establish(s);
    keep_up(s, A, true);
    sim_restart(s, B);
    sim_starve(s, (unsigned)s->seed * 3);
    sim_run(s, MINUTES(6));
    sim_starve(s, 0);
    for (int i = 0; i < 2; i++) {
        if (!simhost_children(&s->host[A]) || !simhost_children(&s->host[B]))
            sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
        sim_run(s, MINUTES(6));
    }
    one_tunnel(s);
    keep_up(s, A, false);
}

static const struct sim_case cases[] = {
    SIM_CASE(both_call_again),          SIM_CASE(a_night_asleep),           SIM_CASE(asleep_alone),
    SIM_CASE(wanted_twice_made_once),   SIM_CASE(closed_while_we_rekey_it), SIM_CASE(memory_is_out_when_it_is_lost),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 30);
}
