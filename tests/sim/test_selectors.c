/* test_selectors.c - which child a request is for, and what becomes of its selectors (RFC 7296 s2.9): packets that come
 * first, children side by side, and peers that ask or answer for something else when they rekey. */
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/sim.h"

static struct ike_sa *only_sa(struct sim *s, int host)
{
    return list_entry(((struct ike *)s->host[host].ike)->sas.next, struct ike_sa, link);
}

static struct adit_ts packet(const char *text)
{
    struct adit_ts_cfg cfg = { 0 };
    return ts_parse(text, &cfg, NULL) == ADIT_OK ? cfg.ts : (struct adit_ts){ 0 };
}

static void expect_net(struct sim *s, int host, const char *local, const char *remote)
{
    const struct simchild *c = simhost_sender(&s->host[host]);
    struct adit_ts l = packet(local), r = packet(remote);
    expect(s, c && c->n_local == 1 && ts_equal(&c->local[0], &l), "%s: local selectors", s->host[host].name);
    expect(s, c->n_remote == 1 && ts_equal(&c->remote[0], &r), "%s: remote selectors", s->host[host].name);
}

/* A wants everything; B has two children for parts of it, and the packet says which one it has to be. */
static void ask_for_all(struct sim *s, const char *from, const char *to)
{
    sim_configure_host(s, A, .local_ts = "10.0.0.0/8", .remote_ts = "10.0.0.0/8");
    sim_configure_host(s, B, .two_children = true);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .packet_local = packet(from),
                                  .packet_remote = packet(to));
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(1));
    expect_same_keys(s);
}

SIM_TEST(the_packet_chooses_the_child)
{
    ask_for_all(s, "10.3.0.5[tcp/1234]", "10.4.0.7[tcp/80]");
    expect_net(s, A, "10.3.0.0/16", "10.4.0.0/16");
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(10));
    expect_net(s, A, "10.3.0.0/16", "10.4.0.0/16"); /* no packet in front any more, RFC 7296 s2.9.2 */
    expect_same_keys(s);
}

SIM_TEST(another_packet_another_child)
{
    ask_for_all(s, "10.1.0.5[udp/53]", "10.2.0.7[udp/53]");
    expect_net(s, A, "10.1.0.0/16", "10.2.0.0/16");
}

SIM_TEST(a_packet_that_no_child_takes)
{
    ask_for_all(s, "10.77.0.5", "10.78.0.7");
    expect_net(s, A, "10.1.0.0/16", "10.2.0.0/16");
}

SIM_TEST(nothing_in_common)
{
    sim_configure_host(s, A, .local_ts = "172.16.0.0/12");
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_ERR_TS);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "the IKE SA stands");
}

#define CHILDREN 9
SIM_TEST(nine_children_and_crossing_rekeys)
{
    static const char *const names[CHILDREN] = { "net", "net2", "net3", "net4", "net5", "net6", "net7", "net8", "net9" };
    sim_configure(s, .n_children = CHILDREN);
    sim_establish(s);
    for (unsigned i = 1; i < CHILDREN; i++)
        sim_command(s, (int)(i & 1), ADIT_CMD_INITIATE, .conn = "peer", .child = names[i]);
    sim_run(s, SECONDS(20));
    expect_children(s, CHILDREN);
    expect_same_keys(s);
    sim_link(s, .delay_ms = 20, .jitter_ms = 30, .loss = 0.1, .dup = 0.1, .reorder = 0.1);
    for (unsigned i = 0; i < CHILDREN; i++)
        sim_both(s, ADIT_CMD_REKEY, .child = names[i]);
    sim_run(s, MINUTES(6));
    sim_link(s, .delay_ms = 10);
    sim_run(s, MINUTES(6));
    expect_children(s, CHILDREN);
    expect_same_keys(s);
    expect_no_garbage(s);
}

/* While A's rekeying is on its way, A comes to think that it has asked for less: the answer has more, as from Windows. */
SIM_TEST(an_answer_with_more_to_a_rekeying)
{
    sim_link(s, .delay_ms = 20);
    sim_establish(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    struct ike_xchg *x = sa_out(only_sa(s, A));
    expect(s, x && x->phase == PHASE_SENT && x->exchange == XCHG_CREATE_CHILD_SA);
    struct ike_pending *p = *(struct ike_pending **)x->parts[0].scratch;
    p->form = NULL;
    p->local->v[0] = packet("10.1.128.0/17");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK, "%s", simhost_done(&s->host[A], cookie)->text);
    sim_run(s, SECONDS(10));
    expect_net(s, A, "10.1.128.0/17", "10.2.0.0/16");
    expect_net(s, B, "10.2.0.0/16", "10.1.0.0/16");
    expect_children(s, 1);
}

/* B's child shrinks to less than the SA has; A rekeys with other selectors than before, as Windows does: what is in use
 * stays allowed, and the answer is what both have. */
SIM_TEST(a_rekeying_with_other_selectors)
{
    sim_link(s, .delay_ms = 20);
    sim_establish(s);
    struct ike_child *c = list_entry(only_sa(s, A)->children.next, struct ike_child, link);
    c->ts[0] = packet("0.0.0.0/0");
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(10));
    expect_net(s, B, "10.2.0.0/16", "10.1.0.0/16");
    expect_net(s, A, "10.1.0.0/16", "10.2.0.0/16");
    expect_same_keys(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(the_packet_chooses_the_child),
    SIM_CASE(another_packet_another_child),
    SIM_CASE(a_packet_that_no_child_takes),
    SIM_CASE(nothing_in_common),
    SIM_CASE(nine_children_and_crossing_rekeys),
    SIM_CASE(an_answer_with_more_to_a_rekeying),
    SIM_CASE(a_rekeying_with_other_selectors),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 10);
}
