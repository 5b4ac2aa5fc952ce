/* test_memory.c - one allocation fails, each of a whole life in turn: what was under way may come to nothing, but no
 * octet is lost, nothing hangs, and the next attempt works. The seed says which one. */
#include <stdio.h>
#include "support/sim.h"

/* A command that may fail, and whose answer itself may be what there was no memory for. */
static void try(struct sim *s, enum adit_command_type type, const char *child)
{
    sim_command(s, A, type, .conn = child ? NULL : "peer", .child = child);
    sim_run(s, MINUTES(4));
}

/* All is forgotten, and after what is still under way has ended it can be made anew. */
static void then_all_is_well(struct sim *s)
{
    sim_note(s, -1, "%u more allocations would have passed", s->starve_in);
    sim_starve(s, 0);
    try(s, ADIT_CMD_TERMINATE, NULL);
    sim_run(s, MINUTES(12));
    sim_establish(s);
    expect_same_keys(s);
    expect_no_garbage(s);
}

static void starved(struct sim *s, enum adit_command_type type, const char *child)
{
    sim_starve(s, (unsigned)s->seed);
    try(s, type, child);
    then_all_is_well(s);
}

SIM_TEST(handshake)
{
    sim_configure(s, .ike = "aes128gcm16-prfsha256-x25519-ke1_mlkem512");
    sim_start(s);
    sim_starve(s, (unsigned)s->seed);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MINUTES(4));
    then_all_is_well(s);
}

SIM_TEST(handshake_with_a_window)
{
    sim_configure(s, .window = 5);
    sim_start(s);
    sim_starve(s, (unsigned)s->seed);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MINUTES(4));
    then_all_is_well(s);
}

SIM_TEST(handshake_with_certificates)
{
    sim_configure(s, .cert = "ecdsa");
    sim_start(s);
    sim_starve(s, (unsigned)s->seed);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MINUTES(4));
    then_all_is_well(s);
}

SIM_TEST(rekeying_the_child)
{
    sim_configure(s, .esp = "aes128gcm16-x25519-ke1_mlkem512");
    sim_establish(s);
    starved(s, ADIT_CMD_REKEY, "net");
}

SIM_TEST(rekeying_the_ike_sa)
{
    sim_establish(s);
    starved(s, ADIT_CMD_REKEY, NULL);
}

SIM_TEST(deleting_the_child)
{
    sim_establish(s);
    starved(s, ADIT_CMD_TERMINATE, "net");
}

SIM_TEST(deleting_the_ike_sa)
{
    sim_establish(s);
    starved(s, ADIT_CMD_TERMINATE, NULL);
}

SIM_TEST(several_at_once)
{
    static const char *const nets[] = { "net2", "net3", "net4", "net5" };
    sim_configure(s, .n_children = 5, .window = 4);
    sim_establish(s);
    sim_starve(s, (unsigned)s->seed * 2);
    for (size_t i = 0; i < ARRAY_LEN(nets); i++)
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = nets[i]);
    sim_run(s, MINUTES(4));
    then_all_is_well(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(handshake),           SIM_CASE(handshake_with_certificates), SIM_CASE(rekeying_the_child),
    SIM_CASE(rekeying_the_ike_sa), SIM_CASE(deleting_the_child),          SIM_CASE(deleting_the_ike_sa),
    SIM_CASE(handshake_with_a_window), SIM_CASE(several_at_once),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 160); /* a handshake allocates some 155 times */
}
