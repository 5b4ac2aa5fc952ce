/* sim_confpay.c - a client that asks for virtual addresses and a gateway with pools (RFC 7296 s2.19, s3.15): who gets which,
 * for how long, and what becomes of the Child SA when there is none. A is the client. */
#include "model/model.h"
#include "support/sim.h"

#define POOL "10.9.0.1-10.9.0.9"
#define ASKS(...) .option = { { "vips", "0.0.0.0" }, ##__VA_ARGS__ }

static bool is(const struct adit_addr *a, const char *text)
{
    struct adit_addr want;
    return addr_parse(text, &want) && addr_equal(a, &want);
}

static void client(struct sim *s)
{
    sim_configure_host(s, A, .local_ts = "dynamic", ASKS());
}

static void gateway(struct sim *s, const char *pool)
{
    sim_configure_host(s, B, .local_ts = "dynamic", .pool4 = pool, .option = { { "pools", "pool4" } });
}

static struct adit_pool_info pool(struct sim *s)
{
    struct adit_pool_info info = { 0 };
    expect(s, adit_ike_pool_info(s->host[B].ike, 0, &info));
    return info;
}

static void leased(struct sim *s, unsigned online, unsigned offline)
{
    struct adit_pool_info p = pool(s);
    expect(s, p.online == online && p.offline == offline, "%u online, %u offline", p.online, p.offline);
}

/* The newest SA of both hosts has this address, and so have the selectors. */
static void has(struct sim *s, const char *address)
{
    struct adit_ike_info a, b;
    STRBUF(got, 64);
    expect(s, sim_info(s, A, &a) && sim_info(s, B, &b));
    expect(s, a.n_local_vips >= 1 && a.n_remote_vips == 0);
    addr_print(&got, &a.local_vips[0]);
    expect(s, is(&a.local_vips[0], address), "%s", got.p);
    expect(s, b.n_remote_vips == a.n_local_vips && is(&b.remote_vips[0], address));
    const struct simchild *c = simhost_sender(&s->host[A]);
    struct adit_ts want = ts_from_addr(&a.local_vips[0]);
    expect(s, c && c->n_local == a.n_local_vips && ts_equal(&c->local[0], &want));
}

static enum adit_rc attempt(struct sim *s)
{
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true);
    return sim_wait(s, A, cookie, MINUTES(10));
}

SIM_TEST(an_address_and_what_comes_with_it)
{
    client(s);
    gateway(s, POOL);
    sim_establish(s);
    has(s, "10.9.0.1");
    leased(s, 1, 0);
    expect_same_keys(s);
    expect_no_garbage(s);
    const struct adit_assigned *got = &s->host[A].assigned;
    expect(s, s->host[A].events[ADIT_EV_ASSIGNED] == 1 && s->host[B].events[ADIT_EV_ASSIGNED] == 0);
    expect(s, got->n_addrs == 1 && got->n_dns == 1 && is(&got->dns[0], "10.2.0.53"));
    expect(s, got->n_nets == 1 && !got->domains[0] && !got->anchors[0]);
}

SIM_TEST(both_families)
{
    sim_configure_host(s, A, .local_ts = "dynamic", .option = { { "vips", "0.0.0.0, ::" } });
    sim_configure_host(s, B, .local_ts = "dynamic", .pool4 = POOL, .pool6 = "fd09::1-fd09::ffff",
                       .option = { { "pools", "pool4,pool6" } });
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    struct adit_ike_info a;
    expect(s, sim_info(s, A, &a) && a.n_local_vips == 2);
    expect(s, is(&a.local_vips[0], "10.9.0.1") && is(&a.local_vips[1], "fd09::1"));
    expect(s, s->host[A].assigned.n_dns == 1); /* both pools tell the same one */
    /* remote_ts is IPv4's: IPv6 has no place in this Child SA */
    expect(s, simhost_sender(&s->host[A])->n_local == 1);
}

/* The family that the gateway does not have is left out (RFC 7296 s3.15.4). */
SIM_TEST(one_family_of_two)
{
    sim_configure_host(s, A, .local_ts = "dynamic", .option = { { "vips", "::, 0.0.0.0" } });
    gateway(s, POOL);
    sim_establish(s);
    has(s, "10.9.0.1");
}

SIM_TEST(a_certain_one)
{
    sim_configure_host(s, A, .local_ts = "dynamic", .option = { { "vips", "10.9.0.7" } });
    gateway(s, POOL);
    sim_establish(s);
    has(s, "10.9.0.7");
}

SIM_TEST(one_outside_of_the_pool_is_no_wish)
{
    sim_configure_host(s, A, .local_ts = "dynamic", .option = { { "vips", "192.168.1.1" } });
    gateway(s, POOL);
    sim_establish(s);
    has(s, "10.9.0.1");
}

SIM_TEST(split_dns_of_listed_domains)
{
    sim_configure_host(s, A, .local_ts = "dynamic",
                       ASKS({ "split_dns", "other.example,corp.example" }, { "dnssec_ta", "corp.example" }));
    gateway(s, POOL);
    sim_establish(s);
    expect(s, !strcmp(s->host[A].assigned.domains, "corp.example"), "%s", s->host[A].assigned.domains);
    expect(s, !strcmp(s->host[A].assigned.anchors, "corp.example 258 8 2 ABCDEF\n"), "%s", s->host[A].assigned.anchors);
}

SIM_TEST(split_dns_not_of_others)
{
    sim_configure_host(s, A, .local_ts = "dynamic", ASKS({ "split_dns", "other.example" }, { "dnssec_ta", "corp.example" }));
    gateway(s, POOL);
    sim_establish(s);
    expect(s, !s->host[A].assigned.domains[0] && !s->host[A].assigned.anchors[0]);
}

/* All traffic goes through the tunnel: domains are to be ignored (RFC 8598 s2). */
SIM_TEST(split_dns_only_where_traffic_is_split)
{
    sim_configure_host(s, A, .local_ts = "dynamic", .remote_ts = "0.0.0.0/0", ASKS({ "split_dns", "%any" }));
    sim_configure_host(s, B, .local_ts = "dynamic", .remote_ts = "0.0.0.0/0", .pool4 = POOL,
                       .option = { { "pools", "pool4" } });
    sim_establish(s);
    expect(s, !s->host[A].assigned.domains[0] && s->host[A].assigned.n_dns == 1);
}

/* The IKE SA ends, and with it the client's hold on nothing. */
SIM_TEST(an_exhausted_pool)
{
    client(s);
    gateway(s, "10.9.0.1-10.9.0.1");
    sim_establish(s);
    enum adit_rc rc = attempt(s);
    expect(s, rc == ADIT_ERR_NO_ADDRESS, "rc %d", rc);
    sim_run(s, SECONDS(30));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
    has(s, "10.9.0.1");
    leased(s, 1, 0);
}

SIM_TEST(a_gateway_without_pools)
{
    client(s);
    sim_configure_host(s, B, .local_ts = "dynamic");
    sim_start(s);
    enum adit_rc rc = attempt(s);
    expect(s, rc == ADIT_ERR_NO_ADDRESS, "rc %d", rc);
    sim_run(s, SECONDS(30));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0);
}

SIM_TEST(a_pool_that_is_not_there)
{
    client(s);
    sim_configure_host(s, B, .local_ts = "dynamic", .option = { { "pools", "nosuch" } });
    sim_start(s);
    expect(s, attempt(s) == ADIT_ERR_NO_ADDRESS);
    sim_run(s, SECONDS(30));
}

/* RFC 7296 s2.19: the Child SA fails, the IKE SA stands; so does another attempt in it. */
SIM_TEST(a_client_that_does_not_ask)
{
    gateway(s, POOL);
    sim_start(s);
    enum adit_rc rc = attempt(s);
    expect(s, rc == ADIT_ERR_NO_REQUEST, "rc %d", rc);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    rc = sim_wait(s, A, cookie, MINUTES(1));
    expect(s, rc == ADIT_ERR_NO_REQUEST, "rc %d", rc);
    expect_children(s, 0);
    leased(s, 0, 0);
}

SIM_TEST(lost_responses_cost_no_second_address)
{
    client(s);
    gateway(s, POOL);
    sim_link_from(s, B, .drop_mask = 0x6);
    sim_establish(s);
    has(s, "10.9.0.1");
    leased(s, 1, 0);
}

SIM_TEST(over_a_bad_network)
{
    client(s);
    gateway(s, POOL);
    sim_link(s, .delay_ms = 20, .jitter_ms = 40, .loss = 0.2, .dup = 0.2);
    sim_establish(s);
    struct adit_pool_info p = pool(s);
    expect(s, p.online >= 1);
    expect(s, simhost_sender(&s->host[A]) != NULL);
}

SIM_TEST(rekeying_hands_it_on)
{
    client(s);
    gateway(s, POOL);
    sim_establish(s);
    for (int by = A; by <= B; by++) {
        uint64_t cookie = sim_command(s, by, ADIT_CMD_REKEY, .conn = "peer");
        expect(s, sim_wait(s, by, cookie, MINUTES(1)) == ADIT_OK);
        sim_run(s, MINUTES(1));
        has(s, "10.9.0.1");
        leased(s, 1, 0);
    }
    uint64_t child = sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, B, child, MINUTES(1)) == ADIT_OK);
    has(s, "10.9.0.1");
    expect(s, s->host[A].events[ADIT_EV_ASSIGNED] == 1 && s->host[A].events[ADIT_EV_RELEASED] == 0);
    expect_no_gap(s);
}

SIM_TEST(crossing_rekeyings_hand_it_on)
{
    client(s);
    gateway(s, POOL);
    sim_establish(s);
    sim_link(s, .delay_ms = 50);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(6));
    has(s, "10.9.0.1");
    leased(s, 1, 0);
}

/* Make before break: the new SA asks for what the old one still holds. The host sees no moment without. */
SIM_TEST(reauthentication_keeps_it)
{
    sim_configure_host(s, A, .local_ts = "dynamic", .reauth_s = 600, ASKS());
    gateway(s, POOL);
    sim_establish(s);
    sim_run(s, MINUTES(35));
    expect(s, s->host[A].events[ADIT_EV_ASSIGNED] >= 3);
    expect(s, s->host[A].events[ADIT_EV_ASSIGNED] == s->host[A].events[ADIT_EV_RELEASED] + 1);
    has(s, "10.9.0.1");
    leased(s, 1, 0);
    expect_no_gap(s);
}

SIM_TEST(two_clients_of_one_identity)
{
    client(s);
    gateway(s, POOL);
    sim_establish(s);
    expect(s, attempt(s) == ADIT_OK);
    has(s, "10.9.0.2");
    leased(s, 2, 0);
}

SIM_TEST(gone_and_back)
{
    client(s);
    gateway(s, POOL);
    sim_establish(s);
    expect(s, attempt(s) == ADIT_OK);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(5));
    leased(s, 0, 2);
    expect(s, s->host[A].events[ADIT_EV_RELEASED] == 2);
    sim_establish(s);
    leased(s, 1, 1);
}

/* Its old SA is online when it asks: INITIAL_CONTACT says that it goes. */
SIM_TEST(a_client_that_starts_anew)
{
    client(s);
    gateway(s, POOL);
    sim_establish(s);
    sim_restart(s, A);
    sim_establish(s);
    has(s, "10.9.0.1");
    leased(s, 1, 0);
}

SIM_TEST(a_client_that_is_lost)
{
    client(s);
    sim_configure_host(s, B, .local_ts = "dynamic", .pool4 = POOL, .dpd_s = 30, .option = { { "pools", "pool4" } });
    sim_establish(s);
    sim_cut(s, A, true);
    sim_run(s, MINUTES(10));
    leased(s, 0, 1);
    sim_cut(s, A, false);
}

SIM_TEST(a_gateway_that_starts_anew)
{
    sim_configure_host(s, A, .local_ts = "dynamic", .dpd_s = 30, ASKS());
    gateway(s, POOL);
    sim_establish(s);
    sim_restart(s, B);
    sim_run(s, MINUTES(10));
    expect(s, s->host[A].events[ADIT_EV_RELEASED] == 1);
    sim_establish(s);
    has(s, "10.9.0.1");
}

/* `unique = replace`: whoever comes again gets what it had, although that is still online. */
SIM_TEST(replaced)
{
    client(s);
    sim_configure_host(s, B, .local_ts = "dynamic", .pool4 = POOL, .unique = ADIT_UNIQUE_REPLACE,
                       .option = { { "pools", "pool4" } });
    sim_establish(s);
    expect(s, attempt(s) == ADIT_OK);
    sim_run(s, SECONDS(10));
    has(s, "10.9.0.1");
    leased(s, 1, 0);
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = {
        SIM_CASE(an_address_and_what_comes_with_it),
        SIM_CASE(both_families),
        SIM_CASE(one_family_of_two),
        SIM_CASE(a_certain_one),
        SIM_CASE(one_outside_of_the_pool_is_no_wish),
        SIM_CASE(split_dns_of_listed_domains),
        SIM_CASE(split_dns_not_of_others),
        SIM_CASE(split_dns_only_where_traffic_is_split),
        SIM_CASE(an_exhausted_pool),
        SIM_CASE(a_gateway_without_pools),
        SIM_CASE(a_pool_that_is_not_there),
        SIM_CASE(a_client_that_does_not_ask),
        SIM_CASE(lost_responses_cost_no_second_address),
        SIM_CASE(over_a_bad_network),
        SIM_CASE(rekeying_hands_it_on),
        SIM_CASE(crossing_rekeyings_hand_it_on),
        SIM_CASE(reauthentication_keeps_it),
        SIM_CASE(two_clients_of_one_identity),
        SIM_CASE(gone_and_back),
        SIM_CASE(a_client_that_starts_anew),
        SIM_CASE(a_client_that_is_lost),
        SIM_CASE(a_gateway_that_starts_anew),
        SIM_CASE(replaced),
    };
    return sim_main(argc, argv, cases, sizeof(cases) / sizeof(*cases), 10);
}
