/* sim_septransport.c - IKE by TCP and ESP not, between two hosts: agreement, places, connections that break under ESP. */
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"

#define ASKS .option = { { "ike_transport", "tcp" }, { "septransport", "yes" } }

static bool says(struct sim *s, int host)
{
    struct adit_ike_info info;
    expect(s, sim_info(s, host, &info) && info.path.tcp);
    for (unsigned i = 0; i < info.n_marks; i++)
        if (!strcmp(info.marks[i].key, "separate-transports"))
            return true;
    return false;
}

static void expect_apart(struct sim *s, bool udp)
{
    for (int i = A; i <= B; i++) {
        const struct simchild *c = simhost_sender(&s->host[i]);
        expect(s, says(s, i) && c && !c->path.tcp && c->udp_encap == udp && c->path.local.port == 4500);
    }
}

static void expect_in_tcp(struct sim *s)
{
    const struct simchild *c = simhost_sender(&s->host[A]);
    expect(s, c && c->path.tcp && !says(s, A) && !says(s, B));
}

SIM_TEST(both_agree)
{
    sim_configure_host(s, A, ASKS);
    sim_establish(s);
    expect_apart(s, false);
    sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, SECONDS(5));
    sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, SECONDS(5));
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, SECONDS(5));
    expect_apart(s, false);
    expect_children(s, 1);
    expect_no_gap(s);
}

SIM_TEST(the_responder_does_not_want_to)
{
    sim_configure_host(s, A, ASKS);
    sim_configure_host(s, B, .option = { { "septransport", "no" } });
    sim_establish(s);
    expect_in_tcp(s);
}

SIM_TEST(nobody_asks)
{
    sim_configure(s, .option = { { "ike_transport", "tcp" } });
    sim_establish(s);
    expect_in_tcp(s);
}

SIM_TEST(not_after_a_fall_back)
{
    sim_configure_host(s, A, .option = { { "ike_transport", "auto" }, { "septransport", "yes" } });
    sim_start(s);
    s->net.no_udp = true;
    sim_establish(s);
    expect_in_tcp(s);
}

SIM_TEST(by_udp_there_is_nothing_to_separate)
{
    struct adit_ike_info info;
    sim_configure(s, .option = { { "septransport", "yes" } });
    sim_establish(s);
    expect(s, sim_info(s, A, &info) && !info.path.tcp && !simhost_sender(&s->host[A])->path.tcp);
}

/* ESP does not notice that the connection is gone. */
SIM_TEST(esp_goes_on_without_the_connection)
{
    sim_configure_host(s, A, ASKS);
    sim_establish(s);
    sim_traffic(s, MILLIS(20));
    sim_run(s, SECONDS(1));
    s->no_tcp = true;
    simstream_reset(s);
    uint64_t before[2] = { s->host[A].received, s->host[B].received };
    sim_run(s, SECONDS(10));
    expect(s, s->host[A].received - before[A] > 490 && s->host[B].received - before[B] > 490);
    s->no_tcp = false;
    sim_run(s, MINUTES(2));
    expect_apart(s, false);
    expect(s, simstream_count(s) == 1);
    sim_traffic(s, 0);
    expect_no_gap(s);
}

/* Who is behind it speaks first; the other one waits for that, and then knows the port. */
SIM_TEST(through_a_translator)
{
    struct adit_command path = { .type = ADIT_CMD_PATH };
    sim_configure_host(s, A, ASKS);
    sim_nat(s, A);
    sim_traffic(s, MILLIS(100));
    sim_establish(s);
    expect_apart(s, true);
    const struct simchild *a = simhost_sender(&s->host[A]), *b = simhost_sender(&s->host[B]);
    expect(s, a->shape.dummies == 1 && b->shape.dummies == 0);
    path.child_id = b->id;
    path.path = b->path;
    path.path.remote.port = 20001; /* what the data plane saw */
    struct adit_why why;
    expect(s, simhost_command(&s->host[B], &path, &why) == ADIT_OK);
    expect(s, simhost_sender(&s->host[B])->path.remote.port == 20001);
    sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, SECONDS(5));
    sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, SECONDS(5));
    expect(s, simhost_sender(&s->host[B])->path.remote.port == 20001, "what was learned is inherited");
    expect(s, says(s, B));
}

SIM_TEST(moves_with_the_connection)
{
    sim_configure_host(s, A, ASKS, .roams = true);
    sim_configure_host(s, B, .roams = true);
    sim_establish(s);
    sim_address(s, A, "192.0.2.11", SIM_THERE);
    sim_address(s, A, "192.0.2.1", SIM_GONE);
    sim_tell_addresses(s, A);
    sim_run(s, SECONDS(5));
    expect_apart(s, false);
    expect(s, simhost_sender(&s->host[A])->path.local.addr.ip[3] == 11 &&
                  simhost_sender(&s->host[B])->path.remote.addr.ip[3] == 11);
    expect_flows(s);
}

/* --- esp_transport: the one that is wanted, or none ------------------------------------------------------------- */

static void comes_up(struct sim *s, const char *way)
{
    sim_traffic(s, MILLIS(100));
    sim_establish(s);
    sim_run(s, SECONDS(1));
    for (int i = A; i <= B; i++) {
        const struct simchild *c = simhost_sender(&s->host[i]);
        expect(s, c && !strcmp(c->path.tcp ? "tcp" : c->udp_encap ? "udp" : "raw", way), "%s", way);
    }
    sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, SECONDS(5));
    sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, SECONDS(5));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_flows(s);
    const struct simchild *c = simhost_sender(&s->host[A]);
    expect(s, c && !strcmp(c->path.tcp ? "tcp" : c->udp_encap ? "udp" : "raw", way), "rekeyed: %s", way);
}

/* Of the first message on: who wants it begins, or answers. */
SIM_TEST(wanted_and_had)
{
    static const struct {
        const char *way, *ike;
        int by; /* A, B, or both: 2 */
    } rows[] = {
        { "raw", "udp", A }, { "raw", "udp", B }, { "raw", "tcp", A }, { "raw", "tcp", 2 }, { "udp", "udp", A },
        { "udp", "udp", B }, { "udp", "tcp", A }, { "udp", "tcp", 2 }, { "tcp", "tcp", A }, { "tcp", "tcp", B },
    };
    unsigned n = s->seed % ARRAY_LEN(rows);
    for (int i = A; i <= B; i++) {
        bool wants = rows[n].by == 2 || rows[n].by == i;
        sim_configure_host(s, i, .option = { { "ike_transport", rows[n].ike } },
                           .child_option = { { "esp_transport", wants ? rows[n].way : "any" } });
    }
    comes_up(s, rows[n].way);
}

SIM_TEST(esp_by_tcp_leaves_the_transports_together)
{
    sim_configure_host(s, A, ASKS);
    sim_configure_host(s, B, .child_option = { { "esp_transport", "tcp" } });
    comes_up(s, "tcp");
}

/* No Child SA rather than one that goes another way; the IKE SA stands, and says why. */
SIM_TEST(wanted_and_not_to_be_had)
{
    static const struct {
        const char *way, *ike, *why;
        int by;
        bool nat, no_udp, peer_no;
    } rows[] = {
        { "raw", "udp", "there is a NAT", A, true, false, false },
        { "raw", "udp", "", B, true, false, false },
        { "tcp", "auto", "IKE goes by UDP", A, false, false, false },
        { "tcp", "udp", "", B, false, false, false },
        { "raw", "auto", "UDP is not answered", A, false, true, false },
        { "udp", "tcp", "does not separate", A, false, false, true },
        { "udp", "tcp", "", B, false, false, false },
        { "raw", "tcp", "there is a NAT", A, true, false, false },
    };
    unsigned n = s->seed % ARRAY_LEN(rows);
    for (int i = A; i <= B; i++)
        sim_configure_host(s, i, .option = { { "ike_transport", i == A ? rows[n].ike : "auto" },
                                             { "septransport", i == B && rows[n].peer_no ? "no" : "accept" } },
                           .child_option = { { "esp_transport", rows[n].by == i ? rows[n].way : "any" } });
    if (rows[n].nat)
        sim_nat(s, A);
    sim_start(s);
    s->net.no_udp = rows[n].no_udp;
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(2)) != ADIT_OK, "row %u", n);
    expect(s, strstr(simhost_done(&s->host[A], cookie)->text, rows[n].why), "%s",
           simhost_done(&s->host[A], cookie)->text);
    sim_run(s, SECONDS(10));
    expect(s, s->host[A].n_children == 0 && s->host[B].n_children == 0);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = {
        SIM_CASE(both_agree),
        SIM_CASE(the_responder_does_not_want_to),
        SIM_CASE(nobody_asks),
        SIM_CASE(not_after_a_fall_back),
        SIM_CASE(by_udp_there_is_nothing_to_separate),
        SIM_CASE(esp_goes_on_without_the_connection),
        SIM_CASE(through_a_translator),
        SIM_CASE(moves_with_the_connection),
        SIM_CASE(wanted_and_had),
        SIM_CASE(esp_by_tcp_leaves_the_transports_together),
        SIM_CASE(wanted_and_not_to_be_had),
    };
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 10);
}
