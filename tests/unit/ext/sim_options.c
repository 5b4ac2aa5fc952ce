/* sim_options.c - options of extensions that change how two hosts come together, and what must not change by them. */
#include "support/sim.h"

#define LONG_MESSAGES .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem1024", .cert = "rsa"

static void option(struct sim *s, int host, const char *key, const char *value)
{
    if (host < 0)
        sim_configure(s, .option = { { key, value } });
    else
        sim_configure_host(s, host, .option = { { key, value } });
}

static void comes_up(struct sim *s)
{
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_garbage(s);
}

/* RFC 6023: the Child SA follows in CREATE_CHILD_SA. */
SIM_TEST(first_child_later)
{
    option(s, -1, "childless", "prefer");
    comes_up(s);
    expect(s, sim_counter(s, A, ADIT_C_CHILD_OUT_REQ) == 1);
}

SIM_TEST(first_child_at_once)
{
    option(s, A, "childless", "prefer");
    option(s, B, "childless", "never");
    comes_up(s);
    expect(s, sim_counter(s, A, ADIT_C_CHILD_OUT_REQ) == 0);
}

SIM_TEST(first_child_later_over_a_bad_link)
{
    option(s, -1, "childless", "force");
    sim_link(s, .delay_ms = 20, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    sim_establish(s);
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    expect_same_keys(s);
    expect_no_garbage(s);
}

SIM_TEST(peer_without_childless_fails_at_once)
{
    option(s, A, "childless", "force");
    option(s, B, "childless", "never");
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(5)) == ADIT_ERR_POLICY);
    expect(s, sim_sas(s, A) == 0 && sim_counter(s, A, ADIT_C_AUTH_OUT_REQ) == 0);
}

static void expect_udp(struct sim *s)
{
    for (int i = 0; i < 2; i++)
        expect(s, simhost_sender(&s->host[i])->udp_encap, "%s does not encapsulate", s->host[i].name);
}

static void faked_by(struct sim *s, int host)
{
    option(s, host, "encap", "yes");
    comes_up(s);
    expect_udp(s);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, B, cookie, MINUTES(4)) == ADIT_OK);
    cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(4)) == ADIT_OK);
    expect_same_keys(s);
    expect_udp(s); /* inherited */
}

SIM_TEST(initiator_fakes_a_nat)
{
    faked_by(s, A);
}

SIM_TEST(responder_fakes_a_nat)
{
    faked_by(s, B);
}

/* Who announces nothing gets nothing in pieces, and who only accepts sends none. */
SIM_TEST(long_messages_uncut)
{
    sim_configure_host(s, A, LONG_MESSAGES, .option = { { "fragmentation", "no" } });
    sim_configure_host(s, B, LONG_MESSAGES);
    comes_up(s);
}

SIM_TEST(long_messages_cut_one_way)
{
    sim_configure_host(s, A, LONG_MESSAGES, .option = { { "fragmentation", "accept" } });
    sim_configure_host(s, B, LONG_MESSAGES);
    sim_link_from(s, B, .delay_ms = 5, .mtu = 1280);
    comes_up(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(first_child_later),
    SIM_CASE(first_child_at_once),
    SIM_CASE(first_child_later_over_a_bad_link),
    SIM_CASE(peer_without_childless_fails_at_once),
    SIM_CASE(initiator_fakes_a_nat),
    SIM_CASE(responder_fakes_a_nat),
    SIM_CASE(long_messages_uncut),
    SIM_CASE(long_messages_cut_one_way),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 20);
}
