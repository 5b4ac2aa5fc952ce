/* test_transport.c - transport mode: who agrees to it, and the selectors of hosts behind translators (RFC 7296
 * s1.3.1, s2.23.1). A is 192.0.2.1, outside 203.0.113.1; B 192.0.2.2, outside 203.0.113.2. */
#include "support/sim.h"

#define A_IN "192.0.2.1"
#define A_OUT "203.0.113.1"
#define B_IN "192.0.2.2"
#define B_OUT "203.0.113.2"

static bool is_addr(const struct adit_addr *a, const char *text)
{
    struct adit_addr want;
    return addr_parse(text, &want) && addr_equal(a, &want);
}

static bool is_only(const struct adit_ts *v, uint16_t n, const char *text)
{
    struct adit_addr lo = addr_from(span(v[0].lo, 4)), hi = addr_from(span(v[0].hi, 4));
    return n == 1 && is_addr(&lo, text) && is_addr(&hi, text);
}

/* The responder's translator lets IKE in. */
static void forward_to_b(struct sim *s)
{
    struct simnat *nat = &s->net.host[B].nat;
    static const uint16_t ports[] = { 500, 4500 };
    sim_nat(s, B);
    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        nat->map[i] = (struct simnat_map){ { .port = ports[i] }, ports[i] };
        addr_parse(B_IN, &nat->map[i].inner.addr);
    }
    nat->n = ARRAY_LEN(ports);
}

static void connect(struct sim *s, bool nat_a, bool nat_b)
{
    struct adit_addr b;
    addr_parse(nat_b ? B_OUT : B_IN, &b);
    if (nat_a)
        sim_nat(s, A);
    if (nat_b)
        forward_to_b(s);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .remote = b);
    enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(3));
    expect(s, rc == ADIT_OK, "%s", simhost_done(&s->host[A], cookie)->text);
    sim_run(s, SECONDS(1));
}

/* Each has selectors of the addresses that it sees, and knows what the other one's checksums cover. */
static void expect_view(struct sim *s, int host, const char *local, const char *remote, const char *local_seen,
                        const char *remote_seen)
{
    const struct simchild *c = simhost_sender(&s->host[host]);
    expect(s, c && c->mode == ADIT_MODE_TRANSPORT, "%s", s->host[host].name);
    expect(s, is_only(c->local, c->n_local, local), "%s: local selector", s->host[host].name);
    expect(s, is_only(c->remote, c->n_remote, remote), "%s: remote selector", s->host[host].name);
    expect(s, is_addr(&c->local_seen, local_seen), "%s: itself as the peer sees it", s->host[host].name);
    expect(s, is_addr(&c->remote_seen, remote_seen), "%s: the peer as it sees itself", s->host[host].name);
}

static void expect_views(struct sim *s, bool nat_a, bool nat_b)
{
    expect_view(s, A, A_IN, nat_b ? B_OUT : B_IN, nat_a ? A_OUT : A_IN, B_IN);
    expect_view(s, B, B_IN, nat_a ? A_OUT : A_IN, nat_b ? B_OUT : B_IN, A_IN);
    expect_children(s, 1);
    expect_flows(s);
}

static void rekeyed(struct sim *s, int host, const char *child)
{
    uint64_t cookie = sim_command(s, host, ADIT_CMD_REKEY, .conn = child ? NULL : "peer", .child = child);
    enum adit_rc rc = sim_wait(s, host, cookie, MINUTES(4));
    expect(s, rc == ADIT_OK, "%s", simhost_done(&s->host[host], cookie)->text);
    sim_run(s, SECONDS(20));
}

static void whole_life(struct sim *s, bool nat_a, bool nat_b)
{
    sim_configure(s, .transport = true);
    connect(s, nat_a, nat_b);
    expect_views(s, nat_a, nat_b);
    rekeyed(s, A, "net");
    expect_views(s, nat_a, nat_b);
    rekeyed(s, B, "net");
    expect_views(s, nat_a, nat_b);
    rekeyed(s, B, NULL);
    rekeyed(s, A, "net");
    expect_views(s, nat_a, nat_b);
    expect_no_garbage(s);
}

SIM_TEST(no_translator) { whole_life(s, false, false); }
SIM_TEST(client_behind_one) { whole_life(s, true, false); }
SIM_TEST(server_behind_one) { whole_life(s, false, true); }
SIM_TEST(both_behind_one) { whole_life(s, true, true); }

SIM_TEST(over_a_bad_link)
{
    sim_configure(s, .transport = true);
    sim_nat(s, A);
    sim_link(s, .delay_ms = 20, .jitter_ms = 40, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    sim_establish(s);
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    expect_views(s, true, false);
}

/* The server has no transport mode for the client: it looks again with the client's own view, for tunnel mode. */
SIM_TEST(tunnel_mode_by_the_original_addresses)
{
    sim_configure_host(s, A, .transport = true);
    sim_configure_host(s, B, .local_ts = A_IN "/32", .remote_ts = B_IN "/32");
    connect(s, true, false);
    for (int i = 0; i < 2; i++) {
        const struct simchild *c = simhost_sender(&s->host[i]);
        expect(s, c->mode == ADIT_MODE_TUNNEL && !c->local_seen.family && !c->remote_seen.family);
    }
    expect_same_keys(s);
    rekeyed(s, A, "net");
    rekeyed(s, B, "net");
    expect_same_keys(s);
    expect_children(s, 1);
}

/* Translated, the selectors would fit; as they came they don't, and there is no transport mode. */
SIM_TEST(no_substitution_for_tunnel_mode)
{
    sim_configure_host(s, A, .transport = true);
    sim_configure_host(s, B, .local_ts = A_OUT "/32", .remote_ts = B_IN "/32");
    sim_nat(s, A);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(3)) == ADIT_ERR_TS);
}

SIM_TEST(a_peer_that_wants_tunnel_mode)
{
    sim_configure_host(s, A, .local_ts = A_IN "/32", .remote_ts = B_IN "/32");
    sim_configure_host(s, B, .transport = true);
    connect(s, false, false);
    expect(s, simhost_sender(&s->host[B])->mode == ADIT_MODE_TUNNEL);
    expect_same_keys(s);
    rekeyed(s, B, "net");
    expect_same_keys(s);
    expect(s, simhost_sender(&s->host[A])->mode == ADIT_MODE_TUNNEL);
}

/* What is no host's own address is not for transport mode, and said so before anything is sent. */
SIM_TEST(networks_are_refused)
{
    sim_configure(s, .transport = true, .local_ts = "10.1.0.0/16", .remote_ts = B_IN "/32");
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(3)) == ADIT_ERR_CONFIG);
    expect(s, strstr(simhost_done(&s->host[A], cookie)->text, "transport mode"));
}

/* The client moves: the Child SA that fits its new address is made without being asked for. */
SIM_TEST(moving)
{
    sim_configure(s, .transport = true, .roams = true);
    sim_start(s);
    sim_tell_addresses(s, A);
    sim_tell_addresses(s, B);
    sim_establish(s);
    sim_address(s, A, A_IN, SIM_GONE);
    sim_address(s, A, "192.0.2.11", SIM_THERE);
    sim_tell_addresses(s, A);
    sim_run(s, SECONDS(20));
    expect_view(s, A, "192.0.2.11", B_IN, "192.0.2.11", B_IN);
    expect_view(s, B, B_IN, "192.0.2.11", B_IN, "192.0.2.11");
    expect_children(s, 1);
    expect_same_keys(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(no_translator),
    SIM_CASE(client_behind_one),
    SIM_CASE(server_behind_one),
    SIM_CASE(both_behind_one),
    SIM_CASE(over_a_bad_link),
    SIM_CASE(tunnel_mode_by_the_original_addresses),
    SIM_CASE(no_substitution_for_tunnel_mode),
    SIM_CASE(a_peer_that_wants_tunnel_mode),
    SIM_CASE(networks_are_refused),
    SIM_CASE(moving),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 10);
}
