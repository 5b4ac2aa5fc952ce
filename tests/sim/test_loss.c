/* test_loss.c - bad networks: each datagram lost once, loss, duplicates, reordering, small datagrams. */
#include "support/sim.h"

#define HYBRID .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768", .esp = "aes256gcm16-x25519-ke1_mlkem768"

static void settle(struct sim *s)
{
    sim_link(s, .delay_ms = 10);
    sim_run(s, MINUTES(4));
    expect_same_keys(s);
    expect_flows(s);
    expect_no_garbage(s);
}

/* The seed says which of the first datagrams are lost. */
SIM_TEST(any_two_datagrams_are_lost)
{
    sim_configure(s, HYBRID);
    sim_link(s, .delay_ms = 20, .drop_mask = 1ull << (s->seed % 12) | 1ull << (s->seed / 12 % 12));
    sim_establish(s);
    settle(s);
    expect_children(s, 1);
}

SIM_TEST(the_first_half_is_lost)
{
    sim_link(s, .delay_ms = 20, .drop_mask = 0x1f);
    sim_establish(s);
    settle(s);
}

static void bad_link(struct sim *s, double loss, double dup, double reorder)
{
    sim_link(s, .delay_ms = 30, .jitter_ms = 40, .loss = loss, .dup = dup, .reorder = reorder);
    sim_establish(s);
    sim_run(s, MINUTES(2));
    settle(s);
}

SIM_TEST(a_third_is_lost)
{
    bad_link(s, 0.33, 0, 0);
}

SIM_TEST(everything_arrives_twice)
{
    bad_link(s, 0, 1, 0);
    expect_children(s, 1);
    expect(s, sim_counter(s, B, ADIT_C_DUPLICATES) > 0, "B has counted none");
}

SIM_TEST(late_and_twice)
{
    bad_link(s, 0.05, 0.3, 0.4);
}

SIM_TEST(hybrid_over_a_bad_link)
{
    sim_configure(s, HYBRID, .cert = "ecdsa");
    bad_link(s, 0.2, 0.2, 0.2);
}

/* Nothing above 1280 octets passes, ML-KEM-1024 needs several fragments (RFC 7383). */
SIM_TEST(small_datagrams)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem1024",
                  .esp = "aes256gcm16-x25519-ke1_mlkem1024", .cert = "rsa",
                  .daemon_option = { { "fragment_size", "576" } });
    sim_link(s, .delay_ms = 20, .mtu = 576);
    sim_establish(s);
    expect_children(s, 1);
    expect_no_gap(s);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, B, cookie, MINUTES(4)) == ADIT_OK);
    settle(s);
}

SIM_TEST(small_datagrams_over_a_bad_link)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem1024", .esp = "aes256gcm16-x25519",
                  .cert = "rsa", .daemon_option = { { "fragment_size", "600" } });
    sim_link(s, .delay_ms = 20, .jitter_ms = 30, .loss = 0.1, .dup = 0.2, .reorder = 0.3, .mtu = 600);
    sim_establish(s);
    settle(s);
}

static bool cuts_to(struct sim *s, int host, const char *size)
{
    struct adit_ike_info sa;
    expect(s, sim_info(s, host, &sa));
    for (unsigned i = 0; i < sa.n_marks; i++)
        if (!strcmp(sa.marks[i].key, "fragment-size"))
            return !strcmp(sa.marks[i].value, size);
    return false;
}

/* RFC 7383 s2.5.2: a hop that takes no more than 600 octets, and says nothing: on the way there, back, or both. */
SIM_TEST(smaller_fragments_are_found)
{
    bool there = s->seed % 3 != 1, back = s->seed % 3 != 2;
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem1024", .esp = "aes256gcm16-x25519-ke1_mlkem1024",
                  .window = s->seed & 1 ? 4 : 1);
    sim_link_from(s, A, .delay_ms = 20, .mtu = there ? 600 : 0);
    sim_link_from(s, B, .delay_ms = 20, .mtu = back ? 600 : 0);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(60)) == ADIT_OK, "%s", simhost_done(&s->host[A], cookie)->text);
    expect(s, cuts_to(s, A, "576"));
    sim_run(s, SECONDS(1));
    cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, SECONDS(60)) == ADIT_OK);
    sim_run(s, SECONDS(5));
    uint64_t repeated = sim_counter(s, A, ADIT_C_RETRANSMITS);
    cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(2)) == ADIT_OK, "what was found stays");
    expect(s, sim_counter(s, A, ADIT_C_RETRANSMITS) == repeated);
    cookie = sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, B, cookie, SECONDS(60)) == ADIT_OK);
    settle(s);
}

/* Below what every host takes there is nothing to be found; and who must not cut does not. */
SIM_TEST(fragments_are_never_too_small)
{
    bool off = s->seed & 1;
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem1024", .esp = "aes256gcm16-x25519",
                  .option = { { "fragmentation", off ? "accept" : "yes" } });
    sim_link(s, .delay_ms = 20, .mtu = off ? 1000 : 450);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(15)) == ADIT_ERR_TIMEOUT);
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(2));
}

/* Lost for another reason: smaller ones do no harm, and a short message unanswered is no reason. */
SIM_TEST(smaller_fragments_for_nothing)
{
    sim_configure(s, HYBRID, .cert = "rsa", .dpd_s = 10);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MILLIS(30 + 10 * s->seed));
    sim_cut(s, B, true);
    sim_run(s, SECONDS(15));
    sim_cut(s, B, false);
    expect(s, sim_wait(s, A, cookie, MINUTES(2)) == ADIT_OK);
    settle(s);
    sim_cut(s, B, true);
    sim_run(s, SECONDS(40));
    sim_cut(s, B, false);
    sim_run(s, MINUTES(1));
    settle(s);
}

SIM_TEST(falsified_copies_change_nothing)
{
    sim_configure(s, HYBRID);
    sim_link(s, .delay_ms = 10, .garble = 1);
    sim_establish(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, MINUTES(4)) == ADIT_OK);
    settle(s);
    expect_no_gap(s);
    expect(s, sim_counter(s, A, ADIT_C_INTEGRITY) > 0 && sim_counter(s, B, ADIT_C_INTEGRITY) > 0,
           "A has counted %llu, B %llu", (unsigned long long)sim_counter(s, A, ADIT_C_INTEGRITY),
           (unsigned long long)sim_counter(s, B, ADIT_C_INTEGRITY));
}

/* A peer that is not there: the initiator gives up after its retransmissions (RFC 7296 s2.4). */
SIM_TEST(nobody_answers)
{
    sim_start(s);
    sim_cut(s, B, true);
    uint64_t t0 = s->now, cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(15)) == ADIT_ERR_TIMEOUT);
    expect(s, s->now - t0 > SECONDS(100), "it tried for %llu s",
           (unsigned long long)((s->now - t0) / SECONDS(1)));
    sim_run(s, SECONDS(1));
    expect(s, sim_sas(s, A) == 0);
    expect(s, sim_counter(s, A, ADIT_C_RETRANSMITS) == 5, "%llu retransmissions",
           (unsigned long long)sim_counter(s, A, ADIT_C_RETRANSMITS));
}

static const struct sim_case cases[] = {
    SIM_CASE(any_two_datagrams_are_lost),
    SIM_CASE(the_first_half_is_lost),
    SIM_CASE(a_third_is_lost),
    SIM_CASE(everything_arrives_twice),
    SIM_CASE(late_and_twice),
    SIM_CASE(hybrid_over_a_bad_link),
    SIM_CASE(small_datagrams),
    SIM_CASE(small_datagrams_over_a_bad_link),
    SIM_CASE(smaller_fragments_are_found),
    SIM_CASE(fragments_are_never_too_small),
    SIM_CASE(smaller_fragments_for_nothing),
    SIM_CASE(falsified_copies_change_nothing),
    SIM_CASE(nobody_answers),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 30);
}
