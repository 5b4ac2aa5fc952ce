/* test_child_mode.c - transport mode of two peers behind one translator: packets to them must be told apart. */
#include "core.h"

/* Who the peer of B's first SA is, is rewritten: what A does next is done by another peer behind the same translator. */
static void another_peer(struct sim *s)
{
    struct ike_sa *sa = core_newest(s, B);
    expect(s, sa && buf_set(&sa->id_remote, SPAN_LIT("\2\0\0\0other.example")) == ADIT_OK);
}

static enum adit_rc once_more(struct sim *s)
{
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true);
    return sim_wait(s, A, cookie, 120000000000);
}

static void meet_behind_nat(struct sim *s, const char *local, const char *remote)
{
    sim_configure(s, .transport = true, .local_ts = local, .remote_ts = remote, .unique = ADIT_UNIQUE_NEVER);
    sim_nat(s, A);
    sim_establish(s);
}

SIM_TEST(equal_selectors)
{
    meet_behind_nat(s, NULL, NULL);
    another_peer(s);
    expect(s, once_more(s) == ADIT_ERR_TS);
}

SIM_TEST(the_same_peer_may_come_again)
{
    meet_behind_nat(s, NULL, NULL);
    expect(s, once_more(s) == ADIT_OK);
}

SIM_TEST(ports_of_their_own)
{
    meet_behind_nat(s, "192.0.2.1/32[udp/1701]", "dynamic[udp/1701]");
    another_peer(s);
    struct ike_child *c = list_entry(core_newest(s, B)->children.next, struct ike_child, link);
    c->ts[c->n_local].port_lo = c->ts[c->n_local].port_hi = 1702; /* the other one's */
    expect(s, once_more(s) == ADIT_OK);
}

SIM_TEST(without_a_translator)
{
    sim_configure(s, .transport = true, .unique = ADIT_UNIQUE_NEVER);
    sim_establish(s);
    another_peer(s);
    expect(s, once_more(s) == ADIT_OK);
}

static void test_equal_selectors(void **state) { core_scenario(equal_selectors); }
static void test_same_peer(void **state) { core_scenario(the_same_peer_may_come_again); }
static void test_ports(void **state) { core_scenario(ports_of_their_own); }
static void test_without(void **state) { core_scenario(without_a_translator); }

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_selectors),
        cmocka_unit_test(test_same_peer),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
