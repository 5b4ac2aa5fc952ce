/* test_peers.c - IKE SAs with the same peer: found by their identities, and which one stays. */
#include "core.h"

static void set_peer(struct ike_sa *sa, const char *local, const char *remote)
{
    peers_del(sa);
    assert_int_equal(buf_set(&sa->id_local, span_str(local)), ADIT_OK);
    assert_int_equal(buf_set(&sa->id_remote, span_str(remote)), ADIT_OK);
    assert_int_equal(peers_add(sa), ADIT_OK);
}

static unsigned found(struct ike *ike, const char *local, const char *remote)
{
    unsigned n = 0;
    struct ike_sa *at = NULL;
    while ((at = peers_find(ike, span_str(local), span_str(remote), at)))
        n++;
    return n;
}

static void they_are_found_by_both_identities(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *a = core_sa(ike, true), *b = core_sa(ike, false), *c = core_sa(ike, true);
    set_peer(a, "me..", "alice");
    set_peer(b, "me..", "alice");
    set_peer(c, "me..", "bob");
    assert_int_equal(found(ike, "me..", "alice"), 2);
    assert_int_equal(found(ike, "me..", "bob"), 1);
    assert_int_equal(found(ike, "me..", "carol"), 0);
    assert_int_equal(found(ike, "you.", "alice"), 0);
    peers_del(a); /* the one that stands for all of them */
    assert_int_equal(found(ike, "me..", "alice"), 1);
    assert_ptr_equal(peers_find(ike, span_str("me.."), span_str("alice"), NULL), b);
    peers_del(b);
    peers_del(b); /* twice does no harm */
    assert_int_equal(found(ike, "me..", "alice"), 0);
    core_free(ike);
}

static void a_connections_ones_are_found_by_its_name(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *a = core_sa(ike, true), *b = core_sa(ike, true);
    assert_null(peers_of_conn(ike, sa_conn_name(a), NULL)); /* nobody has said that it is known */
    assert_int_equal(peers_named(a), ADIT_OK);
    assert_int_equal(peers_named(a), ADIT_OK); /* twice does no harm */
    set_peer(b, "me..", "alice");
    assert_ptr_equal(peers_of_conn(ike, sa_conn_name(a), NULL), a);
    assert_ptr_equal(peers_of_conn(ike, sa_conn_name(a), a), b);
    assert_null(peers_of_conn(ike, sa_conn_name(a), b));
    assert_null(peers_of_conn(ike, "another", NULL));
    peers_del(a);
    assert_ptr_equal(peers_of_conn(ike, sa_conn_name(a), NULL), b);
    core_free(ike);
}

static void a_peer_is_known_by_identity_or_address(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *old = core_sa(ike, true), *fresh = core_sa(ike, true);
    const struct adit_id alice = { ID_FQDN, SPAN_LIT("alice") }, bob = { ID_FQDN, SPAN_LIT("bob") }, anybody = { 0 };
    fresh->path.remote.addr.ip[0] ^= 1;
    assert_false(peers_known(fresh, &alice)); /* the older one has not said who it is, and is elsewhere */
    fresh->path = old->path;
    assert_true(peers_known(fresh, &alice)); /* it may be she */
    assert_int_equal(buf_set(&old->id_local, SPAN_LIT("\2\0\0\0me")), ADIT_OK);
    assert_int_equal(buf_set(&old->id_remote, SPAN_LIT("\2\0\0\0alice")), ADIT_OK);
    assert_int_equal(peers_add(old), ADIT_OK);
    assert_true(peers_known(fresh, &alice));
    assert_false(peers_known(fresh, &bob)); /* same address, but it has said who it is */
    assert_true(peers_known(fresh, &anybody));
    old->state = SA_DEAD;
    assert_false(peers_known(fresh, &alice));
    core_free(ike);
}

/* Both sides connect in the same instant: one IKE SA stays, and it is the same one on both ends. */
static void both_connect(struct sim *s)
{
    static const enum adit_unique policies[] = { ADIT_UNIQUE_REPLACE, ADIT_UNIQUE_KEEP };
    struct adit_ike_info a, b;
    sim_configure(s, .unique = policies[s->seed & 1]);
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    sim_start(s);
    sim_both(s, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MINUTES(2));
    assert_int_equal(sim_sas(s, A), 1);
    assert_int_equal(sim_sas(s, B), 1);
    assert_true(sim_info(s, A, &a) && sim_info(s, B, &b));
    assert_true(a.spi_i == b.spi_i && a.spi_r == b.spi_r);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_garbage(s);
}

static void of_crossing_ones_the_same_stays_on_both_ends(void **state)
{
    core_scenario(both_connect);
}

/* `unique = never`: nothing is compared, also not by INITIAL_CONTACT. */
static void several_are_welcome(struct sim *s)
{
    sim_configure(s, .unique = ADIT_UNIQUE_NEVER);
    sim_establish(s);
    expect(s, sim_wait(s, A, sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .fresh = true), MINUTES(1)) == ADIT_OK);
    sim_run(s, MINUTES(1));
    assert_int_equal(sim_sas(s, A), 2);
    assert_int_equal(sim_sas(s, B), 2);
}

static void never_means_never(void **state)
{
    core_scenario(several_are_welcome);
}

/* A peer that restarted says so: what it has forgotten goes at once, and only that. */
static void restart(struct sim *s)
{
    sim_configure(s, .unique = ADIT_UNIQUE_NO);
    sim_establish(s);
    sim_restart(s, A);
    sim_establish(s);
    assert_int_equal(sim_sas(s, B), 1);
    expect_same_keys(s);
}

static void initial_contact_ends_what_was(void **state)
{
    core_scenario(restart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_found_by_both_identities),
        cmocka_unit_test(a_connections_ones_are_found_by_its_name),
        cmocka_unit_test(a_peer_is_known_by_identity_or_address),
        cmocka_unit_test(of_crossing_ones_the_same_stays_on_both_ends),
        cmocka_unit_test(never_means_never),
        cmocka_unit_test(initial_contact_ends_what_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
