/* sim_mobike.c - two hosts, one of which moves: what happens to the IKE SA and its Child SA (RFC 4555). */
#include "support/sim.h"

#define OLD "192.0.2.1" /* A's at first; B is at 192.0.2.2 */
#define NEW "192.0.2.11"
#define OTHER "192.0.2.12"
#define B_OLD "192.0.2.2"
#define B_NEW "192.0.2.22"

static bool is_at(const struct adit_endpoint *e, const char *address)
{
    struct adit_addr a;
    return addr_parse(address, &a) && addr_equal(&a, &e->addr);
}

/* Both ends agree that A and B are there, and so do their data planes. */
static void expect_at(struct sim *s, const char *a, const char *b)
{
    for (int i = 0; i < 2; i++) {
        struct adit_ike_info sa;
        expect(s, sim_info(s, i, &sa), "%s has no SA", s->host[i].name);
        const struct adit_path *child = &simhost_sender(&s->host[i])->path;
        expect(s, is_at(&sa.path.local, i ? b : a), "%s: IKE, own", s->host[i].name);
        expect(s, is_at(&sa.path.remote, i ? a : b), "%s: IKE, peer's", s->host[i].name);
        expect(s, is_at(&child->local, i ? b : a), "%s: ESP, own", s->host[i].name);
        expect(s, is_at(&child->remote, i ? a : b), "%s: ESP, peer's", s->host[i].name);
    }
    expect_children(s, 1);
    expect_same_keys(s);
}

static void up(struct sim *s)
{
    sim_start(s);
    sim_tell_addresses(s, A);
    sim_tell_addresses(s, B);
    sim_establish(s);
}

static void roaming(struct sim *s)
{
    sim_configure(s, .roams = true);
    up(s);
}

/* A's address is replaced by another one. */
static void replace_address(struct sim *s, const char *from, const char *to)
{
    sim_address(s, A, from, SIM_GONE);
    sim_address(s, A, to, SIM_THERE);
    sim_tell_addresses(s, A);
}

SIM_TEST(both_use_port_4500_at_once)
{
    struct adit_ike_info sa;
    sim_establish(s);
    for (int i = 0; i < 2; i++) {
        expect(s, sim_info(s, i, &sa) && sa.path.local.port == 4500 && sa.path.remote.port == 4500, "host %d", i);
        expect(s, !simhost_sender(&s->host[i])->udp_encap, "no NAT: ESP is not in UDP");
    }
}

SIM_TEST(a_new_address_is_followed)
{
    roaming(s);
    sim_traffic(s, MILLIS(100));
    replace_address(s, OLD, NEW);
    sim_run(s, SECONDS(2));
    expect_at(s, NEW, B_OLD);
    expect_no_garbage(s);
    uint64_t got = s->host[A].received;
    sim_run(s, SECONDS(2));
    expect(s, s->host[A].received > got + 10, "traffic goes on");
}

SIM_TEST(a_new_address_over_a_bad_link)
{
    sim_configure(s, .roams = true, .dpd_s = 20);
    up(s);
    sim_link(s, .delay_ms = 20, .jitter_ms = 40, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    replace_address(s, OLD, NEW);
    sim_run(s, SECONDS(3));
    replace_address(s, NEW, OTHER);
    sim_run(s, MINUTES(1));
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(6));
    expect_at(s, OTHER, B_OLD);
}

/* Several to choose from: the first one is in vain, and the peer's answer tells which is not. */
SIM_TEST(the_way_that_works_is_found)
{
    roaming(s);
    sim_address(s, A, OLD, SIM_GONE);
    sim_address(s, A, OTHER, SIM_DEAD);
    sim_address(s, A, NEW, SIM_THERE);
    sim_tell_addresses(s, A);
    sim_run(s, SECONDS(20));
    expect_at(s, NEW, B_OLD);
    expect_no_garbage(s);
}

/* Nobody says a word: unanswered requests do. */
SIM_TEST(a_dead_path_is_left)
{
    sim_configure(s, .roams = true, .dpd_s = 10);
    sim_address(s, A, NEW, SIM_THERE);
    up(s);
    sim_address(s, A, OLD, SIM_DEAD);
    sim_run(s, MINUTES(2));
    expect_at(s, NEW, B_OLD);
}

/* The responder's other address is known since IKE_AUTH. */
SIM_TEST(the_responders_path_is_dead)
{
    sim_configure(s, .roams = true, .dpd_s = 10);
    sim_address(s, B, B_NEW, SIM_THERE);
    up(s);
    sim_address(s, B, B_OLD, SIM_DEAD);
    sim_run(s, MINUTES(2));
    expect_at(s, OLD, B_NEW);
}

SIM_TEST(the_responder_moves)
{
    roaming(s);
    sim_address(s, B, B_OLD, SIM_GONE);
    sim_address(s, B, B_NEW, SIM_THERE);
    sim_tell_addresses(s, B);
    sim_run(s, MINUTES(1));
    expect_at(s, OLD, B_NEW);
    expect_no_garbage(s);
}

/* After rekeyings the first initiator still decides, whoever rekeyed. */
SIM_TEST(moves_after_rekeyings)
{
    roaming(s);
    for (int i = 0; i < 2; i++) {
        uint64_t cookie = sim_command(s, i ? A : B, ADIT_CMD_REKEY, .conn = "peer");
        expect(s, sim_wait(s, i ? A : B, cookie, MINUTES(1)) == ADIT_OK);
        replace_address(s, i ? NEW : OLD, i ? OTHER : NEW);
        sim_run(s, MINUTES(1));
        expect_at(s, i ? OTHER : NEW, B_OLD);
        expect_no_garbage(s);
    }
}

SIM_TEST(a_move_meets_rekeyings)
{
    roaming(s);
    sim_link(s, .delay_ms = 30, .jitter_ms = 30);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MILLIS(20));
    replace_address(s, OLD, NEW);
    sim_run(s, MILLIS(40));
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(5));
    expect_at(s, NEW, B_OLD);
    expect_no_garbage(s);
}

/* A moves behind a NAT, and out again: ESP goes in UDP only there. */
SIM_TEST(into_a_nat_and_out)
{
    struct adit_ike_info sa;
    roaming(s);
    sim_nat(s, A);
    replace_address(s, OLD, NEW);
    sim_run(s, SECONDS(20));
    for (int i = 0; i < 2; i++) {
        expect(s, sim_info(s, i, &sa) && (i ? sa.nat_remote : sa.nat_local), "host %d has not noticed", i);
        expect(s, simhost_sender(&s->host[i])->udp_encap, "host %d does not encapsulate", i);
    }
    s->net.host[A].nat.on = false;
    replace_address(s, NEW, OTHER);
    sim_run(s, SECONDS(20));
    expect_at(s, OTHER, B_OLD);
    expect_no_garbage(s);
    for (int i = 0; i < 2; i++) {
        expect(s, sim_info(s, i, &sa) && !sa.nat_remote && !sa.nat_local, "host %d still sees a NAT", i);
        expect(s, !simhost_sender(&s->host[i])->udp_encap, "host %d still encapsulates", i);
    }
}

/* RFC 4555 s3.8: liveness checks of an initiator behind a NAT tell it, and the responder does not follow by itself. */
static void nat_forgets(struct sim *s)
{
    struct adit_ike_info sa;
    expect(s, sim_info(s, B, &sa));
    uint16_t before = sa.path.remote.port;
    sim_nat_rebind(s, A);
    sim_run(s, MINUTES(1));
    expect(s, sim_info(s, B, &sa) && sa.path.remote.port != before, "B still sends to port %u", before);
    expect(s, simhost_sender(&s->host[B])->path.remote.port == sa.path.remote.port, "the Child SA has not followed");
}

SIM_TEST(another_mapping_is_told)
{
    sim_configure(s, .dpd_s = 20, .roams = true);
    sim_nat(s, A);
    sim_establish(s);
    nat_forgets(s);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, B, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, MINUTES(1));
    nat_forgets(s);
    expect_no_garbage(s);
}

/* The responder's policy names one address: it refuses, and A goes back. */
SIM_TEST(an_unacceptable_address)
{
    sim_configure_host(s, A, .roams = true);
    sim_configure_host(s, B);
    up(s);
    sim_address(s, A, OLD, SIM_GONE);
    sim_address(s, A, NEW, SIM_THERE);
    sim_tell_addresses(s, A);
    sim_run(s, SECONDS(1));
    struct adit_ike_info sa;
    expect(s, sim_info(s, B, &sa) && is_at(&sa.path.remote, OLD), "B has followed");
    sim_address(s, A, OLD, SIM_THERE);
    sim_address(s, A, NEW, SIM_GONE);
    sim_tell_addresses(s, A);
    sim_run(s, SECONDS(5));
    expect_at(s, OLD, B_OLD);
    expect_no_garbage(s);
}

/* Without NAT traversal addresses are protected: NO_NATS_ALLOWED. */
SIM_TEST(no_nats_allowed)
{
    struct adit_ike_info sa;
    sim_configure(s, .roams = true, .option = { { "nat_traversal", "no" } });
    up(s);
    expect(s, sim_info(s, A, &sa) && sa.path.local.port == 500, "port %u", sa.path.local.port);
    replace_address(s, OLD, NEW);
    sim_run(s, SECONDS(5));
    expect_at(s, NEW, B_OLD);
    expect_no_garbage(s);
    sim_nat(s, A);
    replace_address(s, NEW, OTHER);
    sim_run(s, SECONDS(5));
    expect(s, sim_info(s, B, &sa) && is_at(&sa.path.remote, NEW), "B has followed through a NAT");
}

SIM_TEST(no_nats_allowed_in_the_first_exchange)
{
    sim_configure(s, .option = { { "nat_traversal", "no" } });
    sim_nat(s, A);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) != ADIT_OK, "a NAT was not allowed");
    expect(s, strstr(simhost_done(&s->host[A], cookie)->text, "UNEXPECTED_NAT_DETECTED"), "%s",
           simhost_done(&s->host[A], cookie)->text);
}

/* Who has it off stays where it is, and on port 500. */
SIM_TEST(off_means_off)
{
    struct adit_ike_info sa;
    sim_configure_host(s, A, .roams = true, .option = { { "mobike", "no" } });
    sim_configure_host(s, B, .roams = true);
    up(s);
    expect(s, sim_info(s, A, &sa) && sa.path.local.port == 500, "port %u", sa.path.local.port);
    sim_address(s, A, NEW, SIM_THERE);
    sim_tell_addresses(s, A);
    sim_run(s, SECONDS(5));
    expect_at(s, OLD, B_OLD);
    expect_no_garbage(s);
}

/* RFC 4555 s3.11: a responder gives its peer five minutes to come back. */
SIM_TEST(a_responder_is_patient)
{
    sim_configure_host(s, A, .roams = true);
    sim_configure_host(s, B, .roams = true, .dpd_s = 10);
    up(s);
    sim_address(s, A, OLD, SIM_GONE);
    sim_tell_addresses(s, A);
    sim_run(s, MINUTES(4));
    sim_address(s, A, NEW, SIM_THERE);
    sim_tell_addresses(s, A);
    sim_run(s, MINUTES(3));
    expect_at(s, NEW, B_OLD);
}

/* --- from datagrams to a connection, and back (RFC 9329 s7.1) --------------------------------------------------- */

#define TRANSPORT(word) .roams = true, .dpd_s = 10, .option = { { "ike_transport", word }, { "tcp_fallback_after", "1" } }

static void expect_transport(struct sim *s, bool tcp)
{
    struct adit_ike_info sa;
    for (int i = A; i <= B; i++) {
        const struct simchild *c = simhost_sender(&s->host[i]);
        expect(s, sim_info(s, i, &sa) && sa.path.tcp == tcp, "IKE of %s", s->host[i].name);
        expect(s, c && c->path.tcp == tcp, "ESP of %s", s->host[i].name);
    }
    expect(s, simstream_count(s) == tcp, "%u connections", simstream_count(s));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_flows(s);
}

static void expect_the_same_sa(struct sim *s)
{
    expect(s, s->host[A].events[ADIT_EV_IKE_UP] == 1 && sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
}

/* A filter comes into being, on the way of an SA that has long been up. */
SIM_TEST(udp_dies_in_mid_life)
{
    sim_configure(s, TRANSPORT("auto"));
    up(s);
    sim_traffic(s, MILLIS(100));
    sim_run(s, SECONDS(s->seed));
    s->net.no_udp = true;
    sim_run(s, MINUTES(2));
    expect_transport(s, true);
    expect_the_same_sa(s);
    uint64_t got[2] = { s->host[A].received, s->host[B].received };
    sim_run(s, SECONDS(2));
    expect(s, s->host[A].received > got[A] + 10 && s->host[B].received > got[B] + 10, "traffic goes on");
    sim_command(s, s->seed & 1, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, SECONDS(5));
    simstream_reset(s);
    sim_run(s, MINUTES(1));
    expect_transport(s, true);
    s->net.no_udp = false;
    replace_address(s, OLD, NEW);
    sim_run(s, SECONDS(20));
    expect_transport(s, false);
    expect_at(s, NEW, B_OLD);
    expect_no_garbage(s);
}

/* Its first network had no UDP, the next one has; and the other way round. */
SIM_TEST(each_network_has_its_transport)
{
    sim_configure(s, TRANSPORT("auto"));
    sim_start(s);
    sim_tell_addresses(s, A);
    sim_tell_addresses(s, B);
    s->net.no_udp = true;
    sim_establish(s);
    expect_transport(s, true);
    for (unsigned i = 0; i < 4; i++) {
        s->net.no_udp = i & 1;
        sim_link(s, .delay_ms = 20, .jitter_ms = 20, .loss = s->seed & 1 ? 0.1 : 0);
        replace_address(s, i ? i & 1 ? NEW : OTHER : OLD, i & 1 ? OTHER : NEW);
        sim_run(s, MINUTES(3));
        sim_link(s, .delay_ms = 20);
        sim_run(s, MINUTES(3));
        if (!(s->seed & 1)) /* what gets lost may make TCP look better */
            expect_transport(s, i & 1);
        expect_at(s, i & 1 ? OTHER : NEW, B_OLD);
        expect_the_same_sa(s);
        sim_command(s, i & 1, ADIT_CMD_REKEY, .child = "net");
        sim_run(s, SECONDS(10));
    }
}

/* Where UDP is answered within a moment no connection is opened; where it is not, the connection is there soon. */
SIM_TEST(udp_is_asked_first)
{
    sim_configure(s, TRANSPORT("auto"));
    sim_start(s);
    sim_tell_addresses(s, A);
    s->net.no_udp = true;
    sim_establish(s);
    unsigned opened = s->host[A].events[ADIT_EV_STREAM_OPEN];
    replace_address(s, OLD, NEW);
    sim_run(s, SECONDS(8));
    expect_transport(s, true);
    expect_at(s, NEW, B_OLD);
    expect(s, s->host[A].events[ADIT_EV_STREAM_OPEN] == opened + 1);
    s->net.no_udp = false;
    replace_address(s, NEW, OTHER);
    sim_run(s, SECONDS(2));
    expect_transport(s, false);
    sim_run(s, MINUTES(1));
    expect_transport(s, false);
    expect_at(s, OTHER, B_OLD);
    expect(s, s->host[A].events[ADIT_EV_STREAM_OPEN] == opened + 1);
    expect_no_garbage(s);
}

/* Who says TCP means it: there, and from where it is now. */
SIM_TEST(tcp_on_purpose_stays_tcp)
{
    bool by_child = s->seed & 1;
    sim_configure(s, .roams = true, .dpd_s = 10, .option = { { "ike_transport", by_child ? "auto" : "tcp" } },
                  .child_option = { { "esp_transport", "tcp" } });
    sim_start(s);
    sim_tell_addresses(s, A);
    s->net.no_udp = by_child;
    sim_establish(s);
    s->net.no_udp = false;
    replace_address(s, OLD, NEW);
    sim_run(s, SECONDS(20));
    expect_transport(s, true);
    expect_at(s, NEW, B_OLD);
    expect_no_garbage(s);
}

/* Nor is ESP put into TCP that must not be there; nor does a peer without MOBIKE understand. */
SIM_TEST(no_way_to_tcp)
{
    static const struct adit_option rows[][2] = {
        { { "ike_transport", "udp" }, { "mobike", "yes" } }, { { "ike_transport", "auto" }, { "mobike", "no" } },
        { { "ike_transport", "auto" }, { "mobike", "yes" } } };
    unsigned n = s->seed % ARRAY_LEN(rows);
    sim_configure_host(s, A, .roams = true, .dpd_s = 10, .option = { rows[n][0], rows[n][1] },
                       .child_option = { { "esp_transport", n == 2 ? "raw" : "any" } });
    sim_configure_host(s, B, .roams = true, .dpd_s = 10);
    up(s);
    s->net.no_udp = true;
    sim_run(s, MINUTES(10));
    expect(s, sim_sas(s, A) == 0 && s->host[A].events[ADIT_EV_STREAM_OPEN] == 0);
    s->net.no_udp = false;
}

/* A peer that is gone is given up, whether or not its host takes connections. */
SIM_TEST(a_dead_peer_is_given_up_on_both)
{
    sim_configure(s, TRANSPORT("auto"));
    up(s);
    s->net.no_udp = true;
    if (s->seed & 1)
        s->no_tcp = true;
    else
        sim_restart(s, B);
    sim_run(s, MINUTES(12));
    expect(s, sim_sas(s, A) == 0, "it is given up");
    expect(s, s->host[A].events[ADIT_EV_STREAM_OPEN] < 8, "%u", s->host[A].events[ADIT_EV_STREAM_OPEN]);
    s->no_tcp = s->net.no_udp = false;
    sim_run(s, MINUTES(2));
    expect(s, simstream_count(s) == 0);
}

/* Behind a translator, whose mappings of TCP and UDP differ: what is said of them on the one is not believed on the other. */
SIM_TEST(from_one_to_the_other_behind_a_translator)
{
    struct adit_ike_info sa;
    sim_configure(s, TRANSPORT("auto"));
    sim_nat(s, A);
    up(s);
    expect(s, simhost_sender(&s->host[A])->udp_encap);
    s->net.no_udp = true;
    sim_run(s, MINUTES(2));
    expect_transport(s, true);
    for (int i = A; i <= B; i++)
        expect(s, sim_info(s, i, &sa) && (i ? sa.nat_remote : sa.nat_local) && !simhost_sender(&s->host[i])->udp_encap);
    s->net.no_udp = false;
    replace_address(s, OLD, NEW);
    sim_run(s, MINUTES(1));
    for (int i = A; i <= B; i++)
        expect(s, sim_info(s, i, &sa) && !sa.path.tcp && simhost_sender(&s->host[i])->udp_encap, "host %d", i);
    expect_the_same_sa(s);
    expect_flows(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(both_use_port_4500_at_once),
    SIM_CASE(a_new_address_is_followed),
    SIM_CASE(a_new_address_over_a_bad_link),
    SIM_CASE(the_way_that_works_is_found),
    SIM_CASE(a_dead_path_is_left),
    SIM_CASE(the_responders_path_is_dead),
    SIM_CASE(the_responder_moves),
    SIM_CASE(moves_after_rekeyings),
    SIM_CASE(a_move_meets_rekeyings),
    SIM_CASE(into_a_nat_and_out),
    SIM_CASE(another_mapping_is_told),
    SIM_CASE(an_unacceptable_address),
    SIM_CASE(no_nats_allowed),
    SIM_CASE(no_nats_allowed_in_the_first_exchange),
    SIM_CASE(off_means_off),
    SIM_CASE(a_responder_is_patient),
    SIM_CASE(udp_dies_in_mid_life),
    SIM_CASE(each_network_has_its_transport),
    SIM_CASE(udp_is_asked_first),
    SIM_CASE(tcp_on_purpose_stays_tcp),
    SIM_CASE(no_way_to_tcp),
    SIM_CASE(a_dead_peer_is_given_up_on_both),
    SIM_CASE(from_one_to_the_other_behind_a_translator),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 20);
}
