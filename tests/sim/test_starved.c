/* test_starved.c - one allocation fails, each of a whole life in turn: fragmented handshake with certificates, additional
 * key exchanges, a PPK and virtual addresses, rekeyings in both forms, a move, resumption, the end; and lives over TCP, with
 * messages of megabytes and reports of fragments, with Child SAs for each worker, with IP-TFS and windows. Whatever came to
 * nothing, the next attempt works and nothing is left. The seed says which allocation; ADIT_SIM_SEEDS=1600: all of them. */
#include <stdio.h>
#include <stdlib.h>
#include "support/sim.h"

#define SEEDS 40
#define HYBRID .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768", .esp = "aes256gcm16-x25519-ke1_mlkem768"

static void configure(struct sim *s)
{
    sim_configure_host(s, A, HYBRID, .cert = "ecdsa", .roams = true, .local_ts = "dynamic", .ppk_name = "ppk.example",
                       .ppk = "a key that both ends know beforehand", .daemon_option = { { "fragment_size", "576" } },
                       .option = { { "resumption", "yes" }, { "vips", "0.0.0.0" }, { "ppk_id", "ppk.example" } });
    sim_configure_host(s, B, HYBRID, .cert = "ecdsa", .roams = true, .local_ts = "dynamic", .ppk_name = "ppk.example",
                       .ppk = "a key that both ends know beforehand", .daemon_option = { { "fragment_size", "576" } },
                       .pool4 = "10.9.0.1-10.9.0.9",
                       .option = { { "resumption", "yes" }, { "pools", "pool4" }, { "ppk_id", "ppk.example" } });
}

/* A command that may fail, and whose answer itself may be what there was no memory for. */
static void try(struct sim *s, int host, enum adit_command_type type, const char *child, const char *conn)
{
    sim_command(s, host, type, .conn = conn, .child = child);
    sim_run(s, MINUTES(4));
}

static void move(struct sim *s, const char *from, const char *to)
{
    sim_address(s, A, to, SIM_THERE);
    sim_address(s, A, from, SIM_GONE);
    sim_tell_addresses(s, A);
    sim_run(s, MINUTES(2));
}

/* By a ticket: the link is dead until A has given its SA up. */
static void resume(struct sim *s)
{
    sim_cut(s, B, true);
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(4));
    sim_cut(s, B, false);
    try(s, A, ADIT_CMD_INITIATE, "net", "peer");
}

static void life(struct sim *s)
{
    try(s, A, ADIT_CMD_INITIATE, "net", "peer");
    try(s, A, ADIT_CMD_REKEY, "net", NULL);  /* regular: the key exchange is settled */
    try(s, B, ADIT_CMD_REKEY, "net", NULL);  /* short */
    try(s, A, ADIT_CMD_REKEY, NULL, "peer");
    try(s, B, ADIT_CMD_REKEY, NULL, "peer");
    move(s, "192.0.2.1", "192.0.2.11");
    move(s, "192.0.2.11", "192.0.2.1");
    resume(s);
    try(s, B, ADIT_CMD_TERMINATE, "net", NULL);
    try(s, A, ADIT_CMD_TERMINATE, NULL, "peer");
}

/* Of the suite's runs, spread over a life of so many allocations; none in the first run. */
static void starve(struct sim *s, unsigned allocations)
{
    unsigned each = getenv("ADIT_SIM_SEEDS") ? 1 : 1 + allocations / SEEDS;
    sim_starve(s, (unsigned)s->seed * each);
}

static void then_all_is_well(struct sim *s)
{
    sim_note(s, -1, "%u more allocations would have passed", s->starve_in);
    sim_starve(s, 0);
    try(s, A, ADIT_CMD_TERMINATE, NULL, "peer");
    sim_run(s, MINUTES(12));
    sim_establish(s);
    expect_same_keys(s);
    expect_no_garbage(s);
}

static void start(struct sim *s)
{
    configure(s);
    sim_start(s);
    sim_tell_addresses(s, A);
    sim_tell_addresses(s, B);
}

SIM_TEST(a_whole_life)
{
    start(s);
    starve(s, 1110);
    life(s);
    then_all_is_well(s);
}

static void rekey_and_end(struct sim *s)
{
    try(s, A, ADIT_CMD_INITIATE, "net", "peer");
    try(s, A, ADIT_CMD_REKEY, "net", NULL);
    try(s, B, ADIT_CMD_REKEY, NULL, "peer");
    try(s, B, ADIT_CMD_REKEY, "net", NULL);
    try(s, A, ADIT_CMD_TERMINATE, NULL, "peer");
}

/* With ESP beside it or in it; the connection breaks in between. */
SIM_TEST(over_tcp)
{
    sim_configure(s, .option = { { "ike_transport", s->seed & 1 ? "tcp" : "auto" }, { "septransport", s->seed & 2 ? "yes" : "no" } });
    sim_start(s);
    starve(s, 560);
    try(s, A, ADIT_CMD_INITIATE, "net", "peer");
    simstream_reset(s);
    sim_run(s, MINUTES(2));
    rekey_and_end(s);
    then_all_is_well(s);
}

/* Longer than a payload of RFC 7296, in IKE_INTERMEDIATE and IKE_FOLLOWUP_KE; what is lost is reported, in either form. */
SIM_TEST(long_messages)
{
    const char *list = s->seed & 1 ? "yes" : "no", *bitmap = s->seed & 1 ? "no" : "yes";
    sim_configure(s, .ike = "aes128gcm16-prfsha256-x25519+64005", .esp = "aes128gcm16-x25519+64005",
                  .option = { { "fragacklist", list }, { "fragackbitmap", bitmap } });
    sim_link(s, .delay_ms = 10, .loss = 0.03);
    sim_start(s);
    starve(s, 1520);
    rekey_and_end(s);
    sim_link(s, .delay_ms = 10);
    then_all_is_well(s);
}

SIM_TEST(a_child_sa_for_each_worker)
{
    sim_configure(s, .resources = 4, .window = s->seed & 1 ? 4 : 1,
                  .child_option = { { "per_cpu_sas", "yes" }, { "per_cpu_start", "yes" } });
    sim_start(s);
    starve(s, 1200);
    rekey_and_end(s);
    sim_starve(s, 0);
    try(s, A, ADIT_CMD_TERMINATE, NULL, "peer");
    sim_run(s, MINUTES(12));
    sim_establish(s);
    sim_run(s, SECONDS(20));
    expect_children(s, 5);
    expect_same_keys(s);
    expect_no_garbage(s);
}

SIM_TEST(streams_and_windows)
{
    sim_configure(s, .mode = ADIT_MODE_AGGFRAG, .n_children = 4, .window = 4);
    sim_start(s);
    starve(s, 600);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net2");
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net3");
    rekey_and_end(s);
    then_all_is_well(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(a_whole_life), SIM_CASE(over_tcp), SIM_CASE(long_messages), SIM_CASE(a_child_sa_for_each_worker),
    SIM_CASE(streams_and_windows),
};

int main(int argc, char **argv)
{
    static struct sim s;
    bool good = true;
    for (size_t i = 0; good && i < ARRAY_LEN(cases); i++) { /* what the process allocates once must not count in the first run only */
        if ((good = sim_once(&s, &cases[i], 0, false)))
            sim_free(&s);
        else
            printf("not ok - %s without any want: %s\n", cases[i].name, s.failure);
    }
    return !good || sim_main(argc, argv, cases, ARRAY_LEN(cases), SEEDS);
}
