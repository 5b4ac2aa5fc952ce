/* test_attack.c - strangers: floods, replays, noise, memory that runs out. An established SA must not notice. */
#include <stdio.h>
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"
#include "wire/payload.h"

/* A's first request again and again, with other SPIs, from many or from one address. */
static unsigned flood(struct sim *s, unsigned n, bool one_address)
{
    uint8_t copy[4096];
    struct adit_span first = buf_span(&s->tape[A].datagram[0]);
    unsigned most = 0;
    expect(s, first.n > 28 && first.n <= sizeof(copy));
    for (unsigned i = 0; i < n; i++) {
        char from[32];
        span_copy(copy, first);
        prng_fill(&s->prng, copy, 8);
        snprintf(from, sizeof(from), "198.51.%u.%u", one_address ? 100 : (i >> 8) & 255,
                 one_address ? 1 : i & 255);
        sim_inject(s, B, from, 500, span(copy, first.n));
        unsigned half_open = adit_ike_half_open(s->host[B].ike);
        most = half_open > most ? half_open : most;
    }
    return most;
}

SIM_TEST(flood_is_answered_with_cookies)
{
    sim_configure_host(s, B, .any_peer = true);
    sim_establish(s);
    unsigned most = flood(s, 1500, false);
    expect(s, most <= 100, "%u half-open SAs", most);
    expect(s, sim_counter(s, B, ADIT_C_COOKIES) >= 1000, "%llu cookies",
           (unsigned long long)sim_counter(s, B, ADIT_C_COOKIES));
    expect_flows(s);
    sim_run(s, MINUTES(2));
    expect_no_garbage(s);
}

SIM_TEST(flood_from_one_address)
{
    sim_configure_host(s, B, .any_peer = true);
    sim_establish(s);
    unsigned most = flood(s, 500, true);
    expect(s, most <= 20, "%u half-open SAs", most);
    sim_run(s, MINUTES(2));
    expect_no_garbage(s);
}

/* Answers that nobody has proven to be B's: who makes them up gets no request a datagram out of A, and A is let in after. */
static void answer(struct sim *s, uint16_t notify, struct adit_span data)
{
    uint8_t mem[200];
    struct wr w;
    struct ike_hdr h;
    struct rd in = rd_init(buf_span(&s->tape[A].datagram[0]));
    expect(s, ike_hdr_get(&in, &h));
    h.flags = IKE_FLAG_RESPONSE;
    wr_init(&w, mem, sizeof(mem));
    ike_hdr_put(&w, &h);
    notify_put(&w, notify, data);
    ike_hdr_close(&w, 0);
    sim_inject(s, A, "192.0.2.2", 500, wr_written(&w));
}

SIM_TEST(made_up_answers_are_not_a_pump)
{
    sim_configure(s, .ike = "aes128gcm16-prfsha256-x25519-ecp256-ecp384-modp2048");
    sim_start(s);
    sim_cut(s, B, true);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    static const uint8_t methods[] = { KE_ECP_256, KE_ECP_384, KE_MODP_2048, KE_CURVE_25519 };
    for (uint8_t i = 0; i < 200; i++) {
        uint8_t method[] = { 0, methods[i % 4] };
        sim_run(s, MILLIS(1));
        answer(s, N_COOKIE, SPAN_ARRAY(((uint8_t[]){ 1, i / 2 }))); /* each twice */
        answer(s, N_INVALID_KE_PAYLOAD, SPAN_ARRAY(method));
    }
    expect(s, sim_counter(s, A, ADIT_C_INIT_OUT_REQ) <= 4, "%llu requests",
           (unsigned long long)sim_counter(s, A, ADIT_C_INIT_OUT_REQ));
    expect(s, sim_counter(s, A, ADIT_C_DUPLICATES) > 0);
    sim_cut(s, B, false);
    expect(s, sim_wait(s, A, cookie, MINUTES(2)) == ADIT_OK, "%s", simhost_done(&s->host[A], cookie)->text);
}

/* Each answer comes twice and late: the second one has been acted upon, and says nothing about what is sent now. */
SIM_TEST(answers_that_cross)
{
    sim_configure_host(s, A, .ike = "aes128gcm16-prfsha256-x25519-ecp256");
    sim_configure_host(s, B, .ike = "aes128gcm16-prfsha256-ecp256");
    sim_link(s, .delay_ms = 20, .jitter_ms = 500, .dup = 1);
    sim_establish(s);
    expect(s, sim_counter(s, A, ADIT_C_INIT_OUT_REQ) == 2, "%llu requests",
           (unsigned long long)sim_counter(s, A, ADIT_C_INIT_OUT_REQ));
}

/* RFC 7296 s2.6: A gets a cookie, returns it, and is let in. */
SIM_TEST(an_honest_peer_gets_through_the_flood)
{
    sim_configure_host(s, B, .any_peer = true);
    sim_establish(s);
    sim_wait(s, A, sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer"), MINUTES(1));
    flood(s, 300, false);
    expect(s, adit_ike_half_open(s->host[B].ike) > 0);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(1));
    expect_flows(s);
    expect(s, sim_counter(s, A, ADIT_C_INIT_OUT_REQ) == 3, "%llu requests, wanted one more with the cookie",
           (unsigned long long)sim_counter(s, A, ADIT_C_INIT_OUT_REQ));
}

/* A listener sends everything again, to both hosts, later: retransmissions are answered, but nothing changes. */
SIM_TEST(old_datagrams_again)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768");
    sim_establish(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(1 + s->seed * 3));
    const struct simchild before[2] = { *simhost_sender(&s->host[A]), *simhost_sender(&s->host[B]) };
    for (int from = 0; from < 2; from++)
        for (unsigned i = s->tape[from].n; i-- > 0;)
            sim_inject(s, !from, from == A ? "192.0.2.1" : "192.0.2.2", 500,
                       buf_span(&s->tape[from].datagram[i]));
    sim_run(s, MINUTES(4));
    expect_same_keys(s);
    expect_no_gap(s);
    expect_no_garbage(s);
    for (int i = 0; i < 2; i++)
        expect(s, simhost_sender(&s->host[i])->spi_in == before[i].spi_in, "%s has other keys",
               s->host[i].name);
}

SIM_TEST(noise)
{
    uint8_t noise[600];
    sim_establish(s);
    sim_run(s, SECONDS(1));
    for (int i = 0; i < 300; i++) {
        size_t n = prng_below(&s->prng, sizeof(noise));
        struct adit_span real = buf_span(&s->tape[A].datagram[i % s->tape[A].n]);
        prng_fill(&s->prng, noise, n);
        if (i & 1)
            span_copy(noise, span_first(real, prng_below(&s->prng, sizeof(noise))));
        sim_inject(s, B, i & 2 ? "192.0.2.1" : "198.51.100.9", i & 4 ? 500 : 4500, span(noise, n));
    }
    expect_flows(s);
    sim_run(s, MINUTES(2));
    expect_same_keys(s);
    expect_no_garbage(s);
}

/* Errors that anybody can forge don't end an exchange (RFC 7296 s2.21.1): the honest answer still counts. */
SIM_TEST(forged_refusal_of_the_first_request)
{
    uint8_t forged[36] = { 0 };
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    span_copy(forged, span_first(buf_span(&s->tape[A].datagram[0]), 8));
    forged[16] = 41; /* N(NO_PROPOSAL_CHOSEN) */
    forged[17] = 0x20;
    forged[18] = 34;
    forged[19] = 0x20;
    forged[27] = sizeof(forged);
    forged[31] = 8;
    forged[35] = 14;
    sim_inject(s, A, "192.0.2.2", 500, SPAN_ARRAY(forged));
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(1));
    expect_flows(s);
}

#define HYBRID .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768", .esp = "aes256gcm16-x25519-ke1_mlkem768"

static void recover(struct sim *s)
{
    sim_starve(s, 0);
    sim_run(s, MINUTES(10));
    for (int host = 0; host < 2; host++)
        if (sim_sas(s, host))
            sim_wait(s, host, sim_command(s, host, ADIT_CMD_TERMINATE, .conn = "peer"), MINUTES(15));
    sim_run(s, MINUTES(5));
    sim_establish(s);
    expect_same_keys(s);
}

/* One allocation fails, each seed another one: the attempt may fail, but nothing is left and the next one works. */
SIM_TEST(memory_runs_out_once)
{
    sim_configure(s, HYBRID, .cert = "ecdsa");
    sim_start(s);
    sim_starve(s, (unsigned)s->seed);
    sim_wait(s, A, sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net"), MINUTES(15));
    recover(s);
}

SIM_TEST(memory_runs_out_while_rekeying)
{
    sim_configure(s, HYBRID);
    sim_establish(s);
    sim_starve(s, (unsigned)s->seed);
    sim_command(s, (int)(s->seed & 1), ADIT_CMD_REKEY, .child = "net");
    sim_run(s, SECONDS(20));
    sim_command(s, (int)(s->seed >> 1 & 1), ADIT_CMD_REKEY, .conn = "peer");
    recover(s);
}

/* --- unfinished messages ------------------------------------------------------------------------------------------- */

static uint8_t honest_spi[8];

/* The last fragment of each message arrives falsified, but for the honest initiator's. */
static size_t spoil_last_fragment(struct sim *s, int from, uint8_t *datagram, size_t n)
{
    bool cut = from == A && n > 36 && datagram[16] == PLD_SKF && span_equal(span(datagram + 32, 2), span(datagram + 34, 2));
    if (cut && !span_equal(span(datagram, 8), SPAN_ARRAY(honest_spi)))
        datagram[n - 1] ^= 1;
    return n;
}

static void keep_half_of_a_message(struct sim *s, unsigned handshakes, size_t bound)
{
    const struct unproven *u = &((struct ike *)s->host[B].ike)->unproven;
    size_t most = 0;
    for (unsigned i = 0; i < handshakes; i++) {
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true);
        sim_run(s, MILLIS(5));
        most = u->octets > most ? u->octets : most;
        expect(s, u->octets <= bound, "%zu octets", u->octets);
    }
    expect(s, most > bound - 2000, "at most %zu octets were held: the bound was not met", most);
}

/* Strangers may have us hold no more than one address's share, and an honest peer behind the same address comes up. */
SIM_TEST(unfinished_messages_of_strangers)
{
    if (s->seed > 1)
        return;
    sim_configure(s, .cert = "ecdsa", .cookie_threshold = UINT32_MAX, .daemon_option = { { "fragment_size", "576" } });
    sim_link(s, .delay_ms = 1);
    sim_start(s);
    struct unproven *u = &((struct ike *)s->host[B].ike)->unproven;
    u->max = 2u << 20;
    mem_wipe(honest_spi, sizeof(honest_spi));
    s->tamper = spoil_last_fragment;
    keep_half_of_a_message(s, 2000, u->max / IKE_UNPROVEN_SHARE + IKE_UNPROVEN_FEW);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true);
    const struct ike *a = (struct ike *)s->host[A].ike;
    uint64_t spi = list_entry(a->sas.prev, struct ike_sa, link)->spi_i;
    for (int i = 0; i < 8; i++)
        honest_spi[i] = (uint8_t)(spi >> (56 - 8 * i));
    expect(s, sim_wait(s, A, cookie, SECONDS(2)) == ADIT_OK);
    expect(s, u->octets > 0);
    sim_run(s, MINUTES(4));
    expect(s, u->octets == 0 && u->by_ip.n == 0, "%zu octets are left", u->octets);
    s->tamper = NULL;
    expect_same_keys(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(unfinished_messages_of_strangers),
    SIM_CASE(flood_is_answered_with_cookies),
    SIM_CASE(flood_from_one_address),
    SIM_CASE(made_up_answers_are_not_a_pump), SIM_CASE(answers_that_cross), SIM_CASE(an_honest_peer_gets_through_the_flood),
    SIM_CASE(old_datagrams_again),
    SIM_CASE(noise),
    SIM_CASE(forged_refusal_of_the_first_request),
    SIM_CASE(memory_runs_out_once),
    SIM_CASE(memory_runs_out_while_rekeying),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 150);
}
