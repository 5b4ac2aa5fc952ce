/* sim_redir.c - three hosts: A is sent from B to C (RFC 5685), before, while and after it authenticates; and what is not
 * followed. */
#include "ike/ext/redir/redir.h"
#include "support/sim.h"
#include "wire/ike_hdr.h"

#define AT_B "192.0.2.2"
#define AT_C "192.0.2.3"
#define SENDS(to) .option = { { "redirect_to", to } }
#define SENDS_IN_AUTH(to) .option = { { "redirect_to", to }, { "redirect_in", "auth" } }

static bool is_at(const struct adit_addr *addr, const char *text)
{
    struct adit_addr a;
    return addr_parse(text, &a) && addr_equal(&a, addr);
}

static const char *mark(const struct adit_ike_info *i, const char *key)
{
    const char *v = adit_option_get(i->marks, (uint16_t)i->n_marks, key);
    return v ? v : "";
}

static uint64_t initiate(struct sim *s)
{
    if (!s->started)
        sim_start(s);
    return sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
}

/* One IKE SA, with C, and with its Child SA; nothing is left at B. */
static void expect_at_c(struct sim *s)
{
    struct adit_ike_info a, c;
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 0 && sim_sas(s, C) == 1, "A %u, B %u, C %u SAs", sim_sas(s, A),
           sim_sas(s, B), sim_sas(s, C));
    expect(s, sim_info(s, A, &a) && is_at(&a.path.remote.addr, AT_C), "A is not at C");
    expect(s, sim_info(s, C, &c) && a.spi_r == c.spi_r);
    expect(s, a.n_children == 1 && c.n_children == 1 && sim_flows_to(s, C), "no Child SA");
    expect(s, simhost_children(&s->host[A]) == 1 && simhost_children(&s->host[B]) == 0);
    expect(s, adit_ike_half_open(s->host[B].ike) == 0);
}

static void expect_from_b(struct sim *s)
{
    struct adit_ike_info a, c;
    expect(s, sim_info(s, A, &a) && !strcmp(mark(&a, "redirected-from"), AT_B), "A: %s", mark(&a, "redirected-from"));
    expect(s, sim_info(s, C, &c) && !strcmp(mark(&c, "redirected-from"), AT_B), "C: %s", mark(&c, "redirected-from"));
}

static void expect_at_b(struct sim *s)
{
    struct adit_ike_info a;
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1 && sim_sas(s, C) == 0);
    expect(s, sim_info(s, A, &a) && is_at(&a.path.remote.addr, AT_B) && a.n_children == 1 && sim_flows_to(s, B));
}

/* --- IKE_SA_INIT ------------------------------------------------------------------------------------------------------ */

SIM_TEST(at_once)
{
    sim_third(s);
    sim_configure_host(s, B, SENDS(AT_C));
    uint64_t cookie = initiate(s);
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(2));
    expect_at_c(s);
    expect_from_b(s);
    expect(s, s->tape[B].n == 1, "one answer, no state: %u", s->tape[B].n);
}

SIM_TEST(by_name)
{
    sim_third(s);
    sim_configure_host(s, B, SENDS("c.example"));
    uint64_t cookie = initiate(s);
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(2));
    expect_at_c(s);
    expect_from_b(s);
}

/* Somebody who does not follow redirects, and never goes on. */
static void half_open_at_b(struct sim *s)
{
    static const uint8_t supported[] = { 0, 8, 0, 0, N_REDIRECT_SUPPORTED >> 8, N_REDIRECT_SUPPORTED & 0xff };
    static uint8_t copy[4096];
    struct adit_span d = buf_span(&s->tape[A].datagram[0]);
    span_copy(copy, d);
    for (size_t i = 0; i + sizeof(supported) <= d.n; i++)
        if (span_equal(span(copy + i, sizeof(supported)), SPAN_ARRAY(supported)))
            copy[i + 5] ^= 1;
    sim_inject(s, B, "192.0.2.50", 500, span(copy, d.n));
    expect(s, adit_ike_half_open(s->host[B].ike) == 1);
}

SIM_TEST(after_the_cookie)
{
    sim_third(s);
    sim_configure_host(s, B, SENDS(AT_C), .cookie_threshold = 1, .any_peer = true);
    sim_start(s);
    sim_link_from(s, A, .delay_ms = 10, .drop_mask = 1);
    uint64_t cookie = initiate(s);
    half_open_at_b(s);
    expect(s, sim_wait(s, A, cookie, SECONDS(20)) == ADIT_OK);
    expect(s, sim_counter(s, B, ADIT_C_COOKIES) == 1);
    sim_run(s, MINUTES(1));
    expect_at_c(s);
}

/* The way to a gateway with certificates and a key exchange that takes several messages. */
SIM_TEST(hybrid_with_certificates)
{
    sim_third(s);
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768", .cert = "ecdsa");
    sim_configure_host(s, B, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768", .cert = "ecdsa",
                       SENDS(s->seed & 1 ? AT_C : "c.example"));
    sim_slow_jobs(s, 20);
    uint64_t cookie = initiate(s);
    expect(s, sim_wait(s, A, cookie, SECONDS(20)) == ADIT_OK);
    sim_run(s, SECONDS(2));
    expect_at_c(s);
}

/* --- IKE_AUTH ----------------------------------------------------------------------------------------------------------- */

SIM_TEST(when_authenticated)
{
    sim_third(s);
    sim_configure_host(s, B, SENDS_IN_AUTH(AT_C));
    uint64_t cookie = initiate(s);
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    expect_at_c(s);
    expect_from_b(s);
    expect(s, sim_counter(s, B, ADIT_C_IKE_UP) == 1 && sim_counter(s, B, ADIT_C_CHILD_UP) == 0, "B authenticated it");
    expect(s, s->host[A].events[ADIT_EV_CHILD_ADD] == 1);
}

SIM_TEST(without_a_child)
{
    sim_third(s);
    sim_configure(s, .no_child = true);
    sim_configure_host(s, B, .no_child = true, SENDS_IN_AUTH(AT_C));
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 0 && sim_sas(s, C) == 1);
}

static void bad_link(struct sim *s)
{
    sim_link(s, .delay_ms = 20, .jitter_ms = 20, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
}

/* Wherever a message is lost or comes twice: A ends up at C. */
SIM_TEST(over_a_bad_link)
{
    sim_third(s);
    if (s->seed & 1)
        sim_configure_host(s, B, SENDS(AT_C));
    else
        sim_configure_host(s, B, SENDS_IN_AUTH(AT_C));
    sim_start(s);
    bad_link(s);
    for (int tries = 0; tries < 12; tries++)
        if (sim_wait(s, A, initiate(s), MINUTES(10)) == ADIT_OK)
            break;
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(15));
    expect_at_c(s);
}

/* --- during a session ------------------------------------------------------------------------------------------------- */

static void up_at_b(struct sim *s)
{
    sim_establish(s);
    expect(s, sim_flows_to(s, B));
}

static void send_to_c(struct sim *s, const char *where)
{
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REDIRECT, .conn = "peer", .gateway = where);
    expect(s, sim_wait(s, B, cookie, SECONDS(1)) == ADIT_OK, "%s", simhost_done(&s->host[B], cookie)->text);
}

/* The tunnel to B stays until that to C is up: there is always one. */
SIM_TEST(in_a_session)
{
    sim_third(s);
    up_at_b(s);
    send_to_c(s, s->seed & 1 ? AT_C : "c.example");
    for (int i = 0; i < 1000; i++) {
        sim_run(s, MILLIS(5));
        expect(s, sim_flows_to(s, B) || sim_flows_to(s, C), "no tunnel to anybody");
    }
    expect_at_c(s);
    expect_from_b(s);
}

SIM_TEST(in_a_session_over_a_bad_link)
{
    sim_third(s);
    sim_configure(s, .option = { { "redirect_time", "600" } });
    up_at_b(s);
    bad_link(s);
    send_to_c(s, AT_C);
    sim_run(s, MINUTES(3));
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(15));
    struct adit_ike_info a;
    expect(s, !sim_info(s, A, &a) || sim_sas(s, A) == 1);
    if (sim_info(s, A, &a) && is_at(&a.path.remote.addr, AT_C))
        expect_at_c(s);
    else /* a whole exchange was lost: the old tunnel is closed when its time is over */
        expect(s, sim_sas(s, B) == 0);
}

SIM_TEST(while_both_rekey)
{
    sim_third(s);
    up_at_b(s);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MILLIS(s->seed * 7 % 60));
    sim_command(s, B, ADIT_CMD_REDIRECT, .conn = "peer", .gateway = AT_C);
    sim_run(s, MINUTES(2));
    struct adit_ike_info a;
    expect(s, sim_info(s, A, &a) && sim_sas(s, A) == 1);
    if (is_at(&a.path.remote.addr, AT_C)) /* the command may have met none that was up */
        expect_at_c(s);
    else
        expect_at_b(s);
}

SIM_TEST(told_twice_goes_once)
{
    sim_third(s);
    up_at_b(s);
    send_to_c(s, AT_C);
    send_to_c(s, AT_C);
    sim_run(s, SECONDS(10));
    expect_at_c(s);
    expect(s, sim_counter(s, C, ADIT_C_IKE_UP) == 1);
}

/* C does not answer: the tunnel to B is kept as long as B lets it. */
SIM_TEST(to_a_gateway_that_is_down)
{
    bool for_ever = s->seed & 1;
    sim_third(s);
    sim_configure_host(s, B, .option = { { "redirect_time", for_ever ? "0" : "60" } });
    up_at_b(s);
    sim_cut(s, C, true);
    send_to_c(s, AT_C);
    sim_run(s, SECONDS(50));
    expect(s, sim_flows_to(s, B));
    sim_run(s, MINUTES(10));
    expect(s, sim_sas(s, B) == for_ever && sim_sas(s, A) == for_ever && sim_flows_to(s, B) == for_ever);
}

SIM_TEST(rekeyed_and_told_again)
{
    struct adit_ike_info a;
    sim_third(s);
    up_at_b(s);
    send_to_c(s, AT_C);
    sim_run(s, SECONDS(10));
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(10));
    expect_at_c(s);
    expect_from_b(s); /* inherited */
    cookie = sim_command(s, C, ADIT_CMD_REDIRECT, .conn = "peer", .gateway = AT_B);
    expect(s, sim_wait(s, C, cookie, SECONDS(1)) == ADIT_OK);
    sim_run(s, SECONDS(10));
    expect_at_b(s);
    expect(s, sim_info(s, A, &a) && !strcmp(mark(&a, "redirected-from"), AT_C));
}

/* --- what is not followed, or not sent -------------------------------------------------------------------------------- */

SIM_TEST(a_client_that_does_not_follow)
{
    sim_third(s);
    sim_configure_host(s, A, .option = { { "follow_redirects", "no" } });
    if (s->seed & 1)
        sim_configure_host(s, B, SENDS(AT_C));
    else
        sim_configure_host(s, B, SENDS_IN_AUTH(AT_C));
    up_at_b(s);
    expect_at_b(s);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REDIRECT, .conn = "peer", .gateway = AT_C);
    expect(s, sim_wait(s, B, cookie, SECONDS(1)) == ADIT_ERR_POLICY);
}

SIM_TEST(bad_commands)
{
    sim_third(s);
    up_at_b(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REDIRECT, .conn = "peer", .gateway = AT_C);
    expect(s, sim_wait(s, A, cookie, SECONDS(1)) == ADIT_ERR_POLICY, "an initiator");
    cookie = sim_command(s, B, ADIT_CMD_REDIRECT, .conn = "peer", .gateway = "not a name");
    expect(s, sim_wait(s, B, cookie, SECONDS(1)) == ADIT_ERR_CONFIG);
    cookie = sim_command(s, B, ADIT_CMD_REDIRECT, .conn = "peer");
    expect(s, sim_wait(s, B, cookie, SECONDS(1)) == ADIT_ERR_CONFIG);
    cookie = sim_command(s, B, ADIT_CMD_REDIRECT, .conn = "nobody", .gateway = AT_C);
    expect(s, sim_wait(s, B, cookie, SECONDS(1)) == ADIT_ERR_NOT_FOUND);
    expect_at_b(s);
}

/* By names, which servers do not compare: B to C to B ... */
static void in_a_circle(struct sim *s, const char *when)
{
    sim_third(s);
    sim_configure_host(s, B, .option = { { "redirect_to", "c.example" }, { "redirect_in", when } });
    sim_configure_host(s, C, .option = { { "redirect_to", "b.example" }, { "redirect_in", when } });
    uint64_t cookie = initiate(s), start = s->now;
    enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(2));
    expect(s, rc != ADIT_OK && s->now - start < SECONDS(10), "rc %d", rc);
    sim_run(s, SECONDS(20));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0 && sim_sas(s, C) == 0);
    expect(s, s->host[A].events[ADIT_EV_RESOLVE] == REDIR_MAX, "%u followed", s->host[A].events[ADIT_EV_RESOLVE]);
}

SIM_TEST(in_a_circle_at_once)
{
    in_a_circle(s, "init");
}

SIM_TEST(in_a_circle_when_authenticated)
{
    in_a_circle(s, "auth");
}

/* In a session it stays with the last one; later it may go again (RFC 5685 s7). */
SIM_TEST(to_and_fro)
{
    struct adit_ike_info a;
    sim_third(s);
    up_at_b(s);
    for (int i = 0; i < REDIR_MAX + 2; i++) {
        sim_command(s, B, ADIT_CMD_REDIRECT, .conn = "peer", .gateway = AT_C);
        sim_command(s, C, ADIT_CMD_REDIRECT, .conn = "peer", .gateway = AT_B);
        sim_run(s, SECONDS(5));
    }
    expect(s, s->host[A].events[ADIT_EV_RESOLVE] == REDIR_MAX, "%u followed", s->host[A].events[ADIT_EV_RESOLVE]);
    expect(s, sim_info(s, A, &a) && is_at(&a.path.remote.addr, AT_C) && sim_flows_to(s, C));
}

SIM_TEST(nobody_is_sent_back)
{
    sim_third(s);
    sim_configure_host(s, B, .option = { { "redirect_to", AT_C }, { "redirect_in", s->seed & 1 ? "init" : "auth" } });
    sim_configure_host(s, C, .option = { { "redirect_to", AT_B }, { "redirect_in", s->seed & 2 ? "init" : "auth" } });
    uint64_t cookie = initiate(s);
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(10));
    expect_at_c(s);
}

SIM_TEST(only_under_load)
{
    sim_third(s);
    sim_configure_host(s, B, .option = { { "redirect_to", AT_C },
                                         { "redirect_above", "1" },
                                         { "redirect_in", s->seed & 1 ? "init" : "auth" } });
    up_at_b(s);
    expect_at_b(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true);
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(5));
    expect(s, sim_sas(s, C) == 1 && sim_flows_to(s, C));
}

/* One host at two addresses: who comes to the common one is sent to the host's own (RFC 5685 s4). */
SIM_TEST(anycast)
{
    struct adit_ike_info a;
    struct adit_addr common;
    sim_third(s);
    sim_configure_host(s, A, .any_peer = true);
    sim_configure_host(s, B, .roams = true, SENDS(AT_B));
    sim_address(s, B, "192.0.2.99", SIM_THERE);
    expect(s, addr_parse("192.0.2.99", &common));
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .remote = common);
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    expect(s, sim_info(s, A, &a) && is_at(&a.path.remote.addr, AT_B));
    expect(s, !strcmp(mark(&a, "redirected-from"), "192.0.2.99"), "%s", mark(&a, "redirected-from"));
    expect_children(s, 1);
}

/* Whoever is at the other gateway has to be who the connection is configured for. */
SIM_TEST(the_identity_stays)
{
    const char *when = s->seed & 1 ? "init" : "auth";
    sim_third(s);
    sim_configure_host(s, B, .option = { { "redirect_to", AT_C }, { "redirect_in", when } });
    sim_configure_host(s, C, .id = "other.example");
    uint64_t cookie = initiate(s);
    expect(s, sim_wait(s, A, cookie, MINUTES(5)) == ADIT_ERR_AUTH);
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == 0 && simhost_children(&s->host[A]) == 0);
}

SIM_TEST(a_name_that_nobody_has)
{
    sim_third(s);
    sim_configure_host(s, B, SENDS("nowhere.example"));
    uint64_t cookie = initiate(s), start = s->now;
    expect(s, sim_wait(s, A, cookie, MINUTES(5)) == ADIT_ERR_TIMEOUT);
    expect(s, s->now - start < SECONDS(5) && sim_sas(s, A) == 0);
}

/* --- forgeries -------------------------------------------------------------------------------------------------------- */

/* An answer to A's IKE_SA_INIT request that sends it to C; `nonce`: which one it bears. */
static void forge(struct sim *s, struct adit_span nonce, uint64_t spi_r)
{
    struct ike_hdr hdr;
    struct rd in = rd_init(buf_span(&s->tape[A].datagram[0]));
    uint8_t mem[400];
    struct wr w;
    expect(s, ike_hdr_get(&in, &hdr));
    hdr.flags = IKE_FLAG_RESPONSE;
    hdr.spi_r = spi_r;
    hdr.next = 0;
    wr_init(&w, mem, sizeof(mem));
    ike_hdr_put(&w, &hdr);
    redir_put(&w, N_REDIRECT, AT_C, nonce);
    ike_hdr_close(&w, 0);
    sim_inject(s, A, AT_B, 500, wr_written(&w));
}

/* Nonce of A's request, as an eavesdropper has it. */
static struct adit_span nonce_of_a(struct sim *s, struct payload_list *list)
{
    struct adit_span d = buf_span(&s->tape[A].datagram[0]);
    struct rd in = rd_init(span_from(d, IKE_HDR_SIZE));
    expect(s, payloads_get(&in, d.p[16], list, NULL));
    return payloads_find(list, PLD_NONCE, 0)->body;
}

SIM_TEST(forged_without_the_nonce)
{
    static const uint8_t wrong[32] = { 1 };
    struct payload_list list;
    sim_third(s);
    sim_start(s);
    sim_cut(s, B, true);
    uint64_t cookie = initiate(s);
    for (int i = 0; i < 20; i++) { /* for a minute: the attempt must not even become shorter */
        forge(s, SPAN_ARRAY(wrong), 0);
        forge(s, SPAN_NONE, 0);
        forge(s, span_first(nonce_of_a(s, &list), 31), 0);
        sim_run(s, SECONDS(3));
    }
    expect(s, s->host[A].events[ADIT_EV_RESOLVE] == 0 && !simhost_done(&s->host[A], cookie));
    sim_cut(s, B, false);
    expect(s, sim_wait(s, A, cookie, MINUTES(3)) == ADIT_OK);
    expect_at_b(s);
}

/* Not asked for, or together with a responder's SPI: nothing comes of it. */
SIM_TEST(forged_with_the_nonce_but_in_vain)
{
    struct payload_list list;
    bool asked = s->seed & 1;
    sim_third(s);
    if (!asked)
        sim_configure_host(s, A, .option = { { "follow_redirects", "no" } });
    sim_start(s);
    sim_cut(s, B, true);
    uint64_t cookie = initiate(s);
    forge(s, nonce_of_a(s, &list), asked ? 77 : 0);
    sim_run(s, MILLIS(100));
    sim_cut(s, B, false);
    expect(s, sim_wait(s, A, cookie, MINUTES(3)) == ADIT_OK);
    expect_at_b(s);
}

/* Who hears A's nonce can send it on: C then has to prove that it is the peer. */
SIM_TEST(forged_by_an_eavesdropper)
{
    struct payload_list list;
    sim_third(s);
    sim_configure_host(s, C, .psk = "not the secret");
    sim_start(s);
    uint64_t cookie = initiate(s);
    forge(s, nonce_of_a(s, &list), 0);
    expect(s, sim_wait(s, A, cookie, MINUTES(5)) == ADIT_ERR_AUTH);
    expect(s, simhost_children(&s->host[A]) == 0 && simhost_children(&s->host[C]) == 0);
}

/* Memory runs out somewhere on the way: whatever comes of it, nothing is left and nothing hangs. */
SIM_TEST(memory_runs_out)
{
    sim_third(s);
    sim_configure(s, .dpd_s = 30);
    up_at_b(s);
    sim_starve(s, 1 + (unsigned)s->seed * 3);
    sim_command(s, B, ADIT_CMD_REDIRECT, .conn = "peer", .gateway = AT_C);
    sim_run(s, MINUTES(1));
    sim_starve(s, 0);
    sim_run(s, MINUTES(10));
}

static const struct sim_case cases[] = {
    SIM_CASE(at_once),
    SIM_CASE(by_name),
    SIM_CASE(after_the_cookie),
    SIM_CASE(hybrid_with_certificates),
    SIM_CASE(when_authenticated),
    SIM_CASE(without_a_child),
    SIM_CASE(over_a_bad_link),
    SIM_CASE(in_a_session),
    SIM_CASE(in_a_session_over_a_bad_link),
    SIM_CASE(while_both_rekey),
    SIM_CASE(told_twice_goes_once),
    SIM_CASE(to_a_gateway_that_is_down),
    SIM_CASE(rekeyed_and_told_again),
    SIM_CASE(a_client_that_does_not_follow),
    SIM_CASE(bad_commands),
    SIM_CASE(in_a_circle_at_once),
    SIM_CASE(in_a_circle_when_authenticated),
    SIM_CASE(to_and_fro),
    SIM_CASE(nobody_is_sent_back),
    SIM_CASE(only_under_load),
    SIM_CASE(anycast),
    SIM_CASE(the_identity_stays),
    SIM_CASE(a_name_that_nobody_has),
    SIM_CASE(forged_without_the_nonce),
    SIM_CASE(forged_with_the_nonce_but_in_vain),
    SIM_CASE(forged_by_an_eavesdropper),
    SIM_CASE(memory_runs_out),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 20);
}
