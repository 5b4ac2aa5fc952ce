/* sim_bigpayload.c - two hosts with key exchanges that need payloads longer than 65,535 octets: in every exchange that can
 * have them, at the edges of the old header, with peers that cannot, and under attack. */
#include "support/sim.h"

#define SUITE(method) "aes128gcm16-prfsha256-x25519+" #method
#define ESP(method) "aes128gcm16-x25519+" #method

static void comes_up(struct sim *s)
{
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_garbage(s);
}

static void with(struct sim *s, const char *ike)
{
    sim_configure(s, .ike = ike);
    sim_link(s, .delay_ms = 10);
    comes_up(s);
}

/* AUTH covers the exchange (RFC 9242), whatever its length. */
SIM_TEST(payload_of_65531_octets) { with(s, SUITE(64001)); }
SIM_TEST(payload_of_65532_octets) { with(s, SUITE(64002)); }
SIM_TEST(payload_of_65535_octets) { with(s, SUITE(64003)); }
SIM_TEST(payload_of_65536_octets) { with(s, SUITE(64004)); }
SIM_TEST(a_quarter_of_a_megabyte) { with(s, SUITE(64005)); }
SIM_TEST(a_megabyte) { with(s, SUITE(64006)); }
SIM_TEST(both_directions) { with(s, SUITE(64008)); }

SIM_TEST(the_longest_that_the_header_can_say) { with(s, SUITE(64009)); }

/* Nobody has more of an exchange in memory than three times the octets of its messages; what an engine holds anyway is
 * not of the exchange. */
SIM_TEST(memory_is_within_three_times_the_messages)
{
    sim_configure(s, .ike = SUITE(64007));
    sim_start(s);
    for (int i = A; i <= B; i++)
        s->host[i].peak = s->host[i].octets;
    size_t before[] = { s->host[A].peak, s->host[B].peak };
    comes_up(s);
    uint64_t messages = sim_counter(s, A, ADIT_C_BYTES_OUT) + sim_counter(s, A, ADIT_C_BYTES_IN);
    expect(s, messages > 1357824);
    for (int i = A; i <= B; i++) {
        sim_note(s, i, "%zu octets at most for %llu of messages", s->host[i].peak - before[i],
                 (unsigned long long)messages);
        expect(s, s->host[i].peak - before[i] <= 3 * messages, "host %d: %zu for %llu", i,
               s->host[i].peak - before[i], (unsigned long long)messages);
        expect(s, s->host[i].octets - before[i] < 300000, "host %d keeps %zu", i, s->host[i].octets - before[i]);
    }
}

static void rekey(struct sim *s, const char *child)
{
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = child);
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    expect_children(s, 1);
    expect_same_keys(s);
}

SIM_TEST(in_create_child_sa)
{
    sim_configure(s, .ike = SUITE(64005), .esp = "aes128gcm16*64006");
    sim_establish(s);
    rekey(s, "net");
    expect_no_garbage(s);
}

SIM_TEST(in_followup_ke)
{
    sim_configure(s, .ike = SUITE(64005), .esp = "aes128gcm16-x25519+64006");
    sim_establish(s);
    rekey(s, "net");
    rekey(s, NULL);
    rekey(s, "net"); /* the dialect goes over to the new IKE SA */
    expect_no_garbage(s);
}

SIM_TEST(over_a_bad_link)
{
    sim_configure(s, .ike = SUITE(64005));
    sim_link(s, .delay_ms = 20, .jitter_ms = 5, .loss = 0.05, .dup = 0.02, .reorder = 0.05);
    sim_establish(s);
    expect_same_keys(s);
}

/* The long method is optional: with a peer that cannot, the SA comes up without it, and nothing long is ever sent. */
SIM_TEST(a_peer_that_cannot)
{
    sim_configure(s, .ike = SUITE(64006));
    sim_configure_host(s, B, .ike = SUITE(64006), .option = { { "bigpayload", "no" } });
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(4)) != ADIT_OK);
    expect(s, sim_counter(s, A, ADIT_C_BYTES_OUT) < 5000);
}

SIM_TEST(it_is_not_offered_where_it_is_off)
{
    sim_configure(s, .ike = SUITE(64006), .option = { { "bigpayload", "no" } });
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(1)) == ADIT_ERR_PROPOSAL);
    expect(s, sim_counter(s, A, ADIT_C_BYTES_OUT) == 0);
}

/* Below what the method needs, the ceiling keeps it from being agreed on at all. */
SIM_TEST(a_ceiling_too_low_for_the_method)
{
    sim_configure(s, .ike = SUITE(64006));
    sim_configure_host(s, B, .ike = SUITE(64006), .daemon_option = { { "bigpayload_memory", "1" } });
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(4)) != ADIT_OK);
    expect(s, s->host[B].peak < 1000000);
}

static uint8_t honest_spi[8];
static bool honest;

/* Fragment 2 of each message is falsified: none is ever complete. But the next SA that begins after `honest` is. */
static size_t never_complete(struct sim *s, int from, uint8_t *d, size_t n)
{
    bool fragment = n > 36 && d[16] == 53 && d[33] == 2 && d[32] == 0;
    if (honest && from == A && n > 28 && d[18] == 34) {
        span_copy(honest_spi, span(d, 8));
        honest = false;
    }
    if (from == A && fragment && !span_equal(span(d, 8), SPAN_ARRAY(honest_spi)))
        d[n - 1] ^= 1;
    return n;
}

/* Peers that stop short of the end, each with a megabyte: what has waited longest goes, and who goes on comes up. */
SIM_TEST(many_half_a_megabyte)
{
    enum { ATTEMPTS = 14, CEILING = 4 << 20 };
    sim_configure(s, .ike = SUITE(64006), .daemon_option = { { "bigpayload_memory", "4" } });
    sim_start(s);
    size_t before = s->host[B].octets;
    s->tamper = never_complete;
    for (int i = 0; i < ATTEMPTS; i++) {
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true);
        sim_run(s, MILLIS(300));
    }
    expect(s, sim_counter(s, B, ADIT_C_MEMORY_FULL) > 0);
    expect(s, s->host[B].peak - before < CEILING + 3 * 1200000, "%zu", s->host[B].peak - before);
    sim_run(s, MINUTES(2)); /* what they repeat comes seldom */
    honest = true;
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true);
    expect(s, sim_wait(s, A, cookie, SECONDS(20)) == ADIT_OK);
    s->tamper = NULL;
    sim_command(s, A, ADIT_CMD_TERMINATE, .force = true);
    sim_run(s, MINUTES(5));
}

/* An established SA that ends while half of a long message is there is forgotten by the budget, too. */
SIM_TEST(an_sa_ends_in_the_middle)
{
    sim_configure(s, .ike = SUITE(64005), .esp = "aes128gcm16*64006");
    sim_establish(s);
    sim_link(s, .delay_ms = 10, .loss = 0.3);
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MILLIS(60));
    expect(s, sim_counter(s, A, ADIT_C_FRAGMENTS_OUT) > 300);
    sim_both(s, ADIT_CMD_TERMINATE, .conn = "peer", .force = true);
    sim_run(s, SECONDS(1));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0);
    sim_link(s, .delay_ms = 10);
    sim_establish(s);
    expect_same_keys(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(an_sa_ends_in_the_middle),
    SIM_CASE(payload_of_65531_octets), SIM_CASE(payload_of_65532_octets), SIM_CASE(payload_of_65535_octets),
    SIM_CASE(payload_of_65536_octets), SIM_CASE(a_quarter_of_a_megabyte), SIM_CASE(a_megabyte), SIM_CASE(both_directions),
    SIM_CASE(the_longest_that_the_header_can_say), SIM_CASE(memory_is_within_three_times_the_messages),
    SIM_CASE(in_create_child_sa), SIM_CASE(in_followup_ke), SIM_CASE(over_a_bad_link), SIM_CASE(a_peer_that_cannot),
    SIM_CASE(it_is_not_offered_where_it_is_off), SIM_CASE(a_ceiling_too_low_for_the_method), SIM_CASE(many_half_a_megabyte),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 2);
}
