/* sim_tcpencap.c - IKE over TCP between two hosts (RFC 9329): who connects, what is not repeated, connections that break
 * anywhere, rekeyings, falling back from UDP, translators, what somebody else sends. */
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"

#define TCP .option = { { "ike_transport", "tcp" } }
#define AUTO .option = { { "ike_transport", "auto" } }

static bool by_tcp(struct sim *s, int host)
{
    struct adit_ike_info info;
    return sim_info(s, host, &info) && info.path.tcp;
}

static void expect_tcp(struct sim *s)
{
    expect(s, by_tcp(s, A) && by_tcp(s, B));
    for (int i = A; i <= B; i++) {
        const struct simchild *c = simhost_sender(&s->host[i]);
        expect(s, c && c->path.tcp && !c->udp_encap && simstream_alive(s, i, &c->path));
    }
    expect(s, simstream_count(s) == 1, "%u", simstream_count(s));
}

static void expect_traffic(struct sim *s)
{
    uint64_t before[2] = { s->host[A].received, s->host[B].received };
    sim_traffic(s, MILLIS(100));
    sim_run(s, SECONDS(2));
    sim_traffic(s, 0);
    expect(s, s->host[A].received > before[A] + 10 && s->host[B].received > before[B] + 10);
}

SIM_TEST(comes_up_and_goes)
{
    sim_configure(s, TCP);
    sim_establish(s);
    expect_tcp(s);
    expect_traffic(s);
    expect(s, sim_counter(s, A, ADIT_C_RETRANSMITS) == 0);
    expect(s, s->host[A].events[ADIT_EV_STREAM_OPEN] == 1 && s->host[B].events[ADIT_EV_STREAM_OPEN] == 0);
    expect(s, s->host[B].events[ADIT_EV_STREAM_USED] == 1);
    sim_tear_down(s);
    expect(s, simstream_count(s) == 0, "who opened the connection closes it");
}

/* Half a minute each way: UDP would have repeated everything several times. */
SIM_TEST(a_slow_stream_is_waited_for)
{
    sim_configure(s, TCP, .half_open_s = 300);
    sim_link(s, .delay_ms = 20000);
    sim_establish(s);
    expect_tcp(s);
    expect(s, sim_counter(s, A, ADIT_C_RETRANSMITS) == 0 && sim_counter(s, B, ADIT_C_DUPLICATES) == 0);
}

SIM_TEST(nobody_listens)
{
    sim_configure(s, TCP);
    sim_start(s);
    s->no_tcp = true;
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(5)) == ADIT_ERR_TIMEOUT);
    expect(s, strstr(simhost_done(&s->host[A], cookie)->text, "TCP connection"));
}

static void terminate_and_expect(struct sim *s, int host)
{
    uint64_t cookie = sim_command(s, host, ADIT_CMD_TERMINATE, .conn = "peer");
    expect(s, sim_wait(s, host, cookie, SECONDS(20)) == ADIT_OK);
    sim_run(s, SECONDS(15));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0 && simstream_count(s) == 0);
}

SIM_TEST(either_side_ends_it)
{
    sim_configure(s, TCP);
    for (int i = A; i <= B; i++) {
        sim_establish(s);
        terminate_and_expect(s, i);
    }
}

/* B has the new IKE SA with its answer, A only when it has computed its keys: what B says on it before that is said again. */
SIM_TEST(a_request_that_comes_too_early)
{
    sim_configure(s, TCP, .ike = "aes256gcm16-prfsha384-modp2048");
    sim_establish(s);
    sim_slow_jobs(s, 400);
    sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    for (int i = 0; i < 300 && sim_sas(s, B) < 2; i++)
        sim_run(s, MILLIS(10));
    expect(s, sim_sas(s, B) == 2);
    if (s->seed & 1) {
        terminate_and_expect(s, B);
        return;
    }
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, B, cookie, SECONDS(20)) == ADIT_OK);
    sim_run(s, SECONDS(30));
    expect_tcp(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
}

/* The same after IKE_AUTH: A has not checked B's signature yet. */
SIM_TEST(a_request_right_behind_ike_auth)
{
    sim_configure(s, TCP, .cert = "rsa");
    sim_slow_jobs(s, 400);
    sim_start(s);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    for (int i = 0; i < 600 && simhost_children(&s->host[B]) < 1; i++)
        sim_run(s, MILLIS(10));
    expect(s, simhost_children(&s->host[B]) == 1 && simhost_children(&s->host[A]) == 0);
    terminate_and_expect(s, B);
}

/* The n-th message breaks it, for each n of a whole life: establishment, rekeyings, a liveness check. */
static unsigned break_at;
static size_t breaker(struct sim *s, int from, uint8_t *d, size_t n)
{
    if (break_at && --break_at == 0)
        simstream_reset(s);
    return n;
}

static void live(struct sim *s)
{
    sim_establish(s);
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, SECONDS(5));
    sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, SECONDS(5));
    sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, SECONDS(5));
    sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, SECONDS(30));
}

SIM_TEST(breaks_at_any_message)
{
    sim_configure(s, TCP);
    s->tamper = breaker;
    break_at = 1 + (unsigned)(s->seed % 22);
    live(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_tcp(s);
    expect_traffic(s);
    expect_no_gap(s);
}

/* Frames of a message of a megabyte are lost with their connection; the whole of it goes out again on the next one, in
 * IKE_INTERMEDIATE and, rekeying, in IKE_FOLLOWUP_KE. */
SIM_TEST(breaks_in_the_middle_of_a_megabyte)
{
    sim_configure(s, TCP, .ike = "aes128gcm16-prfsha256-x25519+64006");
    sim_link(s, .delay_ms = 20, .jitter_ms = s->seed & 1 ? 1000 : 0); /* what comes slowly is reported */
    s->tamper = breaker;
    break_at = 3 + (unsigned)(s->seed % 16);
    sim_start(s);
    uint64_t began = s->now;
    sim_establish(s);
    expect(s, s->now - began < SECONDS(60), "it took %llu s", (unsigned long long)((s->now - began) / SECONDS(1)));
    expect(s, break_at == 0 && s->host[A].events[ADIT_EV_STREAM_OPEN] >= 2, "it has been cut");
    sim_run(s, SECONDS(10));
    break_at = 4 + (unsigned)(s->seed % 15);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, MINUTES(2)) == ADIT_OK);
    expect(s, break_at == 0);
    s->tamper = NULL;
    sim_run(s, SECONDS(30));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_tcp(s);
    expect_no_garbage(s);
}

SIM_TEST(breaks_again_and_again)
{
    sim_configure(s, TCP, .dpd_s = 5);
    sim_establish(s);
    for (int i = 0; i < 10; i++) {
        simstream_reset(s);
        sim_run(s, MILLIS(prng_below(&s->prng, 3000)));
    }
    sim_run(s, SECONDS(70));
    expect_tcp(s);
    expect_children(s, 1);
    expect_traffic(s);
}

/* Whoever closes each connection as soon as something is said on it is not dialled without end. */
static size_t hang_up(struct sim *s, int from, uint8_t *d, size_t n)
{
    simstream_reset(s);
    return n;
}

SIM_TEST(a_peer_that_hangs_up_is_not_dialled_without_end)
{
    sim_configure(s, TCP);
    sim_start(s);
    s->tamper = hang_up;
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(10)) == ADIT_ERR_TIMEOUT);
    expect(s, s->host[A].events[ADIT_EV_STREAM_OPEN] < 12, "%u", s->host[A].events[ADIT_EV_STREAM_OPEN]);
    s->tamper = NULL;
}

/* Both ends want something while there is no connection: it is done when there is one again. */
SIM_TEST(requests_wait_for_the_next_connection)
{
    sim_configure(s, TCP);
    sim_establish(s);
    s->no_tcp = true;
    simstream_reset(s);
    sim_run(s, SECONDS(5));
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, SECONDS(20));
    expect(s, simstream_count(s) == 0 && sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
    s->no_tcp = false;
    sim_run(s, SECONDS(70));
    expect_tcp(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_traffic(s);
}

/* The peer has gone for good: after the patience of all repetitions the SA ends, as by UDP. */
SIM_TEST(a_dead_peer_is_given_up)
{
    sim_configure(s, TCP, .dpd_s = 10);
    sim_establish(s);
    sim_cut(s, B, true);
    sim_run(s, MINUTES(8));
    expect(s, sim_sas(s, A) == 0 && s->host[A].n_children == 0);
}

SIM_TEST(a_restarted_responder_is_left)
{
    sim_configure(s, TCP, .dpd_s = 10);
    sim_establish(s);
    simstream_reset(s);
    sim_restart(s, B);
    sim_run(s, MINUTES(8));
    expect(s, sim_sas(s, A) == 0);
    sim_establish(s);
    expect_tcp(s);
}

SIM_TEST(rekeyings_stay_on_it_and_cross)
{
    sim_configure(s, TCP, .rekey_s = 120, .child_rekey_s = 60, .dpd_s = 20);
    sim_establish(s);
    for (int i = 0; i < 5; i++) {
        sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
        sim_run(s, SECONDS(20));
        expect_tcp(s);
    }
    expect(s, s->host[A].events[ADIT_EV_STREAM_OPEN] == 1);
    simstream_reset(s);
    sim_run(s, SECONDS(10));
    expect_tcp(s);
    expect(s, s->host[A].events[ADIT_EV_STREAM_OPEN] == 2, "%u", s->host[A].events[ADIT_EV_STREAM_OPEN]);
    sim_run(s, MINUTES(20));
    expect_children(s, 1);
    expect_traffic(s);
}

/* Make before break: the new IKE SA has a connection of its own (RFC 9329 s6.1). */
SIM_TEST(reauthentication_opens_another_one)
{
    sim_configure(s, TCP);
    sim_establish(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer", .reauth = true);
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(30));
    expect(s, s->host[A].events[ADIT_EV_STREAM_OPEN] == 2 && sim_sas(s, A) == 1);
    expect_tcp(s);
}

/* --- falling back ----------------------------------------------------------------------------------------------- */

static uint64_t spi_of_first(struct sim *s)
{
    uint64_t spi = 0;
    expect(s, s->tape[A].n > 0);
    memcpy(&spi, s->tape[A].datagram[0].p, 8);
    return spi;
}

SIM_TEST(falls_back_when_udp_is_blocked)
{
    struct adit_ike_info info;
    sim_configure(s, AUTO);
    sim_start(s);
    s->net.no_udp = true;
    uint64_t began = s->now;
    sim_establish(s);
    expect(s, s->now - began < SECONDS(30));
    expect_tcp(s);
    expect(s, sim_info(s, A, &info) && info.spi_i != __builtin_bswap64(spi_of_first(s)), "RFC 9329 s5.1: another SPI");
    expect(s, s->tape[A].n >= 4, "UDP was asked three times");
}

SIM_TEST(does_not_when_udp_works)
{
    sim_configure(s, AUTO);
    sim_link(s, .delay_ms = 20, .drop_mask = 3);
    sim_establish(s);
    expect(s, !by_tcp(s, A) && s->host[A].events[ADIT_EV_STREAM_OPEN] == 0);
}

SIM_TEST(udp_alone_stays_with_udp)
{
    sim_start(s);
    s->net.no_udp = true;
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(10)) == ADIT_ERR_TIMEOUT);
    expect(s, s->host[A].events[ADIT_EV_STREAM_OPEN] == 0);
}

/* --- places ------------------------------------------------------------------------------------------------------- */

SIM_TEST(through_a_translator)
{
    struct adit_ike_info info;
    sim_configure(s, TCP, .dpd_s = 30);
    sim_nat(s, A);
    sim_establish(s);
    expect_tcp(s);
    expect(s, sim_info(s, A, &info) && info.nat_local && info.path.remote.port == 4500);
    sim_run(s, MINUTES(3));
    expect(s, s->host[A].events[ADIT_EV_KEEPALIVE] == 0, "a connection needs none");
    sim_nat_rebind(s, A);
    simstream_reset(s);
    sim_run(s, SECONDS(10));
    expect_tcp(s);
    expect_traffic(s);
}

SIM_TEST(comes_back_from_another_address)
{
    struct adit_ike_info info;
    sim_configure(s, TCP, .roams = true);
    sim_establish(s);
    sim_address(s, A, "192.0.2.11", SIM_THERE);
    sim_address(s, A, "192.0.2.1", SIM_GONE);
    sim_tell_addresses(s, A);
    sim_run(s, SECONDS(5));
    expect_tcp(s);
    expect(s, sim_info(s, B, &info) && info.path.remote.addr.ip[3] == 11);
    expect_traffic(s);
}

/* --- messages ------------------------------------------------------------------------------------------------------ */

SIM_TEST(long_messages_are_not_cut)
{
    sim_configure(s, TCP, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem1024", .cert = "rsa");
    sim_establish(s);
    size_t longest = 0;
    for (unsigned i = 0; i < s->tape[A].n; i++) {
        longest = s->tape[A].datagram[i].n > longest ? s->tape[A].datagram[i].n : longest;
        expect(s, s->tape[A].datagram[i].p[16] != PLD_SKF, "RFC 9329 s7.5");
    }
    expect(s, longest > 1500);
}

SIM_TEST(a_refusal_counts_at_once)
{
    sim_configure_host(s, A, TCP, .ike = "aes128gcm16-prfsha256-x25519");
    sim_configure_host(s, B, TCP, .ike = "aes256gcm16-prfsha384-ecp384");
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(1)) != ADIT_OK, "RFC 9329 s6.4");
}

SIM_TEST(another_group_is_taken_at_once)
{
    sim_configure_host(s, A, TCP, .ike = "aes128gcm16-prfsha256-x25519-ecp256");
    sim_configure_host(s, B, TCP, .ike = "aes128gcm16-prfsha256-ecp256");
    sim_establish(s);
    expect_tcp(s);
}

SIM_TEST(no_cookies)
{
    sim_configure(s, TCP, .cookie_threshold = 1);
    sim_establish(s);
    expect_tcp(s);
    expect(s, sim_counter(s, B, ADIT_C_COOKIES) == 0, "RFC 9329 s6.3");
}

/* What was seen on the connection, sent again on another one, moves nobody. */
SIM_TEST(replays_on_another_connection_move_nobody)
{
    struct adit_ike_info before, after;
    sim_configure(s, TCP);
    sim_establish(s);
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, SECONDS(5));
    expect(s, sim_info(s, B, &before));
    for (unsigned i = 0; i < s->tape[A].n; i++) {
        struct adit_path path = before.path;
        path.remote.port = 6666;
        simhost_input(&s->host[B], &path, buf_span(&s->tape[A].datagram[i]));
        path.tcp = false;
        simhost_input(&s->host[B], &path, buf_span(&s->tape[A].datagram[i]));
    }
    expect(s, sim_info(s, B, &after));
    sim_run(s, MINUTES(2));
    expect(s, sim_info(s, B, &after) && path_equal(&after.path, &before.path));
    expect_tcp(s);
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = {
        SIM_CASE(comes_up_and_goes),
        SIM_CASE(a_slow_stream_is_waited_for),
        SIM_CASE(nobody_listens),
        SIM_CASE(either_side_ends_it),
        SIM_CASE(a_request_that_comes_too_early),
        SIM_CASE(a_request_right_behind_ike_auth),
        SIM_CASE(breaks_at_any_message),
        SIM_CASE(breaks_in_the_middle_of_a_megabyte),
        SIM_CASE(breaks_again_and_again),
        SIM_CASE(a_peer_that_hangs_up_is_not_dialled_without_end),
        SIM_CASE(requests_wait_for_the_next_connection),
        SIM_CASE(a_dead_peer_is_given_up),
        SIM_CASE(a_restarted_responder_is_left),
        SIM_CASE(rekeyings_stay_on_it_and_cross),
        SIM_CASE(reauthentication_opens_another_one),
        SIM_CASE(falls_back_when_udp_is_blocked),
        SIM_CASE(does_not_when_udp_works),
        SIM_CASE(udp_alone_stays_with_udp),
        SIM_CASE(through_a_translator),
        SIM_CASE(comes_back_from_another_address),
        SIM_CASE(long_messages_are_not_cut),
        SIM_CASE(a_refusal_counts_at_once),
        SIM_CASE(another_group_is_taken_at_once),
        SIM_CASE(no_cookies),
        SIM_CASE(replays_on_another_connection_move_nobody),
    };
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 22);
}
