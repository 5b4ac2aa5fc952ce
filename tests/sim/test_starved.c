/* test_starved.c - one allocation fails, each of a whole life in turn: fragmented handshake with certificates, additional
 * key exchanges, a PPK and virtual addresses, rekeyings in both forms, a move, resumption, the end. Whatever came to
 * nothing, the next attempt works and nothing is left. The seed says which allocation; ADIT_SIM_SEEDS=1200: all of them. */
#include <stdio.h>
#include <stdlib.h>
#include "support/sim.h"

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

static unsigned each(void)
{
    const char *seeds = getenv("ADIT_SIM_SEEDS");
    return seeds ? 1 : 29; /* of the suite's runs, spread over the life: some 1,110 allocations */
}

static void start(struct sim *s)
{
    configure(s);
    sim_start(s);
    sim_tell_addresses(s, A);
    sim_tell_addresses(s, B);
}

/* What the process allocates once and keeps must not count in the first run only. */
static void without_want(struct sim *s)
{
    start(s);
    life(s);
}

SIM_TEST(a_whole_life)
{
    start(s);
    sim_starve(s, (unsigned)s->seed * each());
    life(s);
    sim_note(s, -1, "%u more allocations would have passed", s->starve_in);
    sim_starve(s, 0);
    try(s, A, ADIT_CMD_TERMINATE, NULL, "peer");
    sim_run(s, MINUTES(12));
    sim_establish(s);
    expect_same_keys(s);
    expect_no_garbage(s);
}

static const struct sim_case cases[] = { SIM_CASE(a_whole_life) };

int main(int argc, char **argv)
{
    static struct sim s;
    static const struct sim_case first = { "without_want", without_want };
    bool good = sim_once(&s, &first, 1, false);
    sim_free(&s);
    if (!good)
        printf("not ok - without any want: %s\n", s.failure);
    return !good || sim_main(argc, argv, cases, ARRAY_LEN(cases), 40);
}
