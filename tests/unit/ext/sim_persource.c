/* sim_persource.c - further Child SAs with the same selectors (RFC 9611): at once and on demand, from both sides, limits,
 * rekeying, deletion, peers without it. */
#include "support/sim.h"

#define YES .child_option = { { "per_cpu_sas", "yes" } }
#define EAGER .child_option = { { "per_cpu_sas", "yes" }, { "per_cpu_start", "yes" } }

/* The installed one for that resource (0: for all); the newest of several. */
static const struct simchild *bound(const struct sim *s, int host, unsigned resource)
{
    const struct simchild *best = NULL;
    const struct simhost *h = &s->host[host];
    for (unsigned i = 0; i < h->n_children; i++)
        if (h->child[i].resource == resource && !h->child[i].forget_at && (!best || h->child[i].id > best->id))
            best = &h->child[i];
    return best;
}

/* One for all, and for each of n resources at least one, with SPIs that lead to it; all of one policy. */
static void expect_set(struct sim *s, int host, unsigned n)
{
    const struct simchild *all = bound(s, host, 0);
    expect(s, all && all->shares, "%s: none for all", s->host[host].name);
    for (unsigned r = 1; r <= n; r++) {
        const struct simchild *c = bound(s, host, r);
        expect(s, c && c->reqid == all->reqid && !c->shares, "%s: none for %u", s->host[host].name, r);
        expect(s, c->spi_in % s->conf[host].resources == r - 1, "%s: SPI %08x for %u", s->host[host].name, c->spi_in, r);
    }
}

static uint64_t wants(struct sim *s, int host, unsigned resource)
{
    const struct simchild *all = bound(s, host, 0);
    expect(s, all, "none for all");
    return sim_command(s, host, ADIT_CMD_ACQUIRE, .child_id = all->id, .resource = resource);
}

SIM_TEST(at_once)
{
    sim_configure(s, EAGER, .resources = 4);
    sim_establish(s);
    sim_run(s, SECONDS(10));
    expect_children(s, 5);
    expect_set(s, A, 4);
    expect_set(s, B, 4);
    expect_same_keys(s);
    expect_no_garbage(s);
}

SIM_TEST(at_once_over_a_bad_link)
{
    sim_configure(s, EAGER, .resources = 3);
    sim_start(s);
    sim_link(s, .delay_ms = 20, .jitter_ms = 20, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    sim_establish(s);
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(10));
    expect_children(s, 4);
    expect_set(s, A, 3);
    expect_set(s, B, 3);
    expect_same_keys(s);
}

SIM_TEST(on_demand)
{
    sim_configure(s, YES, .resources = 4);
    sim_establish(s);
    expect_children(s, 1);
    for (int i = 0; i < 3; i++) /* asked again while it is under way, and when it is there */
        wants(s, A, 3);
    sim_run(s, SECONDS(5));
    wants(s, A, 3);
    sim_run(s, SECONDS(5));
    expect_children(s, 2);
    expect(s, bound(s, A, 3) && bound(s, B, 1), "A's third, B's first");
    expect_same_keys(s);
    wants(s, A, 9);
    wants(s, A, 0);
    sim_run(s, SECONDS(5));
    expect_children(s, 2);
}

/* The side with fewer spreads them; all are there. */
SIM_TEST(unlike_numbers)
{
    sim_configure_host(s, A, EAGER, .resources = 4);
    sim_configure_host(s, B, YES, .resources = 2);
    sim_establish(s);
    sim_run(s, SECONDS(10));
    expect_children(s, 5);
    expect_set(s, A, 4);
    expect_set(s, B, 2);
    unsigned n[3] = { 0 };
    for (unsigned i = 0; i < s->host[B].n_children; i++)
        n[s->host[B].child[i].resource]++;
    expect(s, n[0] == 1 && n[1] == 2 && n[2] == 2, "%u %u %u", n[0], n[1], n[2]);
}

/* Both at the same moment: more than needed, and no harm. */
SIM_TEST(from_both_sides_at_once)
{
    sim_configure(s, YES, .resources = 2);
    sim_establish(s);
    for (unsigned r = 1; r <= 2; r++) {
        wants(s, A, r);
        wants(s, B, r);
    }
    sim_run(s, SECONDS(20));
    expect_set(s, A, 2);
    expect_set(s, B, 2);
    expect(s, simhost_children(&s->host[A]) <= 5 && simhost_children(&s->host[A]) == simhost_children(&s->host[B]));
    expect_same_keys(s);
    expect_no_garbage(s);
}

SIM_TEST(the_peer_does_not_do_it)
{
    int without = s->seed & 1;
    sim_configure(s, EAGER, .resources = 4);
    sim_configure_host(s, without, .resources = 4);
    sim_establish(s);
    wants(s, A, 2);
    wants(s, B, 2);
    sim_run(s, SECONDS(10));
    expect_children(s, 1);
    expect(s, !bound(s, A, 0)->shares && !bound(s, B, 0)->shares);
}

/* TS_MAX_QUEUE ends it: one request was too many, and no more follow, until one of them is gone. */
SIM_TEST(the_peer_has_enough)
{
    sim_configure_host(s, A, EAGER, .resources = 8);
    sim_configure_host(s, B, .child_option = { { "per_cpu_sas", "yes" }, { "per_cpu_max", "3" } }, .resources = 2);
    sim_establish(s);
    sim_run(s, SECONDS(10));
    expect_children(s, 3);
    uint64_t asked = sim_counter(s, A, ADIT_C_CHILD_OUT_REQ);
    expect(s, asked == 3, "%llu requests", (unsigned long long)asked);
    for (unsigned r = 1; r <= 8; r++)
        wants(s, A, r);
    sim_run(s, SECONDS(10));
    expect(s, sim_counter(s, A, ADIT_C_CHILD_OUT_REQ) == asked, "no storm");
    sim_command(s, A, ADIT_CMD_EXPIRE_HARD, .child_id = bound(s, A, 1)->id);
    sim_run(s, SECONDS(10));
    expect_children(s, 2);
    wants(s, A, 5);
    sim_run(s, SECONDS(10));
    expect_children(s, 3);
    expect(s, bound(s, A, 5) != NULL);
}

/* Other selectors are not touched by it. */
SIM_TEST(another_child_is_another_set)
{
    sim_configure(s, EAGER, .resources = 2, .two_children = true);
    sim_establish(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net2");
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(10));
    expect_children(s, 6);
    expect_same_keys(s);
}

SIM_TEST(rekeyed_one_by_one)
{
    sim_configure(s, EAGER, .resources = 3, .child_rekey_s = 600);
    sim_establish(s);
    sim_run(s, SECONDS(10));
    uint32_t before = bound(s, A, 2)->spi_in;
    sim_command(s, s->seed & 1, ADIT_CMD_EXPIRE_SOFT, .child_id = bound(s, s->seed & 1, 2)->id);
    sim_run(s, SECONDS(10));
    expect_children(s, 4);
    expect_set(s, A, 3);
    expect_set(s, B, 3);
    sim_run(s, MINUTES(31));
    expect_children(s, 4);
    expect_set(s, A, 3);
    expect_set(s, B, 3);
    expect(s, bound(s, A, 2)->spi_in != before);
    expect_same_keys(s);
}

SIM_TEST(the_ike_sa_is_rekeyed)
{
    sim_configure(s, YES, .resources = 2);
    sim_establish(s);
    wants(s, A, 1);
    sim_run(s, SECONDS(5));
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    sim_run(s, SECONDS(5));
    wants(s, A, 2);
    sim_run(s, SECONDS(5));
    expect_children(s, 3);
    expect_set(s, A, 2);
    expect_set(s, B, 2);
}

/* Traffic goes on through the one for all; the other end does not make it anew by itself. */
SIM_TEST(one_is_deleted)
{
    int by = s->seed & 1;
    sim_configure(s, EAGER, .resources = 2);
    sim_establish(s);
    sim_run(s, SECONDS(5));
    sim_command(s, by, ADIT_CMD_INACTIVE, .child_id = bound(s, by, 1)->id);
    sim_run(s, SECONDS(20));
    expect_children(s, 2);
    expect(s, bound(s, A, 0) && !bound(s, by, 1));
    wants(s, A, 1);
    wants(s, A, 2);
    sim_run(s, SECONDS(20));
    expect_children(s, 3);
    expect_set(s, A, 2);
}

static const struct sim_case cases[] = {
    SIM_CASE(at_once),
    SIM_CASE(at_once_over_a_bad_link),
    SIM_CASE(on_demand),
    SIM_CASE(unlike_numbers),
    SIM_CASE(from_both_sides_at_once),
    SIM_CASE(the_peer_does_not_do_it),
    SIM_CASE(the_peer_has_enough),
    SIM_CASE(another_child_is_another_set),
    SIM_CASE(rekeyed_one_by_one),
    SIM_CASE(the_ike_sa_is_rekeyed),
    SIM_CASE(one_is_deleted),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 20);
}
