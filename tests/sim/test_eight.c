/* test_eight.c - eight key exchanges for one IKE SA, the largest that there are: what they take of memory and of time beside
 * their own computations. Real public values: 2.4 MB of McEliece, two of FrodoKEM. */
#include <stdio.h>
#include "support/sim.h"

#define TREE "x25519-ke1_mlkem1024-ke2_frodoa5-ke3_frodos5-ke4_mceliece6688128f-ke5_mceliece8192128f-ke6_ecp521-ke7_x448"
#define PUBLIC_VALUES (1044992u + 1357824u)

static void configure(struct sim *s)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-" TREE, .esp = "aes256gcm16-x25519");
}

static void comes_up(struct sim *s)
{
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_garbage(s);
}

/* Nobody has more of it in memory than three times the octets of its messages; what an engine holds anyway is not of the
 * exchange. Of Botan's and OpenSSL's heaps docs/key-exchange.md tells. */
SIM_TEST(memory_is_within_three_times_the_messages)
{
    configure(s);
    sim_start(s);
    for (int i = A; i <= B; i++)
        s->host[i].peak = s->host[i].octets;
    size_t before[] = { s->host[A].peak, s->host[B].peak };
    comes_up(s);
    uint64_t messages = sim_counter(s, A, ADIT_C_BYTES_OUT) + sim_counter(s, A, ADIT_C_BYTES_IN);
    expect(s, messages > PUBLIC_VALUES);
    for (int i = A; i <= B; i++) {
        static bool told[2];
        size_t peak = s->host[i].peak - before[i], left = s->host[i].octets - before[i];
        if (!told[i])
            printf("# host %d: %zu octets at most, %.2f times the %llu of the messages; %zu afterwards\n", i, peak,
                   (double)peak / (double)messages, (unsigned long long)messages, left);
        told[i] = true;
        expect(s, peak <= 3 * messages, "host %d: %zu for %llu", i, peak, (unsigned long long)messages);
        expect(s, left < 300000, "host %d keeps %zu", i, left);
    }
}

/* Computations take no time here: what is left is what the protocol waits for. Nine round trips of 2 ms, and the pace at
 * which 2.4 MB leave. */
SIM_TEST(it_waits_for_little_but_its_computations)
{
    configure(s);
    sim_link(s, .delay_ms = 1);
    sim_start(s);
    uint64_t began = s->now;
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    expect(s, s->now - began < MILLIS(35), "%.1f ms", (double)(s->now - began) / 1e6);
}

static const struct sim_case cases[] = {
    SIM_CASE(memory_is_within_three_times_the_messages),
    SIM_CASE(it_waits_for_little_but_its_computations),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 1);
}
