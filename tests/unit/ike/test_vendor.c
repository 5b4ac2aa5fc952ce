/* test_vendor.c - the Vendor ID by which peers know each other's private numbers, and when they may be used. */
#include "core.h"

static void vendor_id_is_a_digest(void **state)
{
    struct adit_span name = SPAN_LIT("Adit IKEv2 private code points 1");
    uint8_t digest[64], mem[64];
    struct wr w;
    assert_true(crypto_hash(HASH_SHA2_256, &name, 1, digest));
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    vendor_id_put(&w);
    assert_int_equal(mem[0], PLD_VENDOR);
    assert_int_equal(w.n, 1 + 4 + 16);
    assert_memory_equal(mem + 5, digest, 16);
    struct payload p[] = { { .type = PLD_VENDOR, .body = SPAN_LIT("another's") },
                           { .type = PLD_VENDOR, .body = span(digest, 16) } };
    assert_true(vendor_id_is_in(&(struct ike_msg){ .n = 2, .v = p }));
    assert_false(vendor_id_is_in(&(struct ike_msg){ .n = 1, .v = p }));
}

static void private_numbers_are_for_kin(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    assert_false(sa_shares_private(sa));
    sa->peer_private = true;
    assert_true(sa_shares_private(sa));
    sa->peer_private = false;
    sa->keyed = false; /* an initiator's first request */
    assert_true(sa_shares_private(sa));
    sa->is_initiator = false;
    assert_false(sa_shares_private(sa));
    sa->is_initiator = sa->keyed = true;
    core_free(ike);
}

/* Two hosts show it to each other; a rekeyed IKE SA still knows. */
static void hosts_show_it(struct sim *s)
{
    sim_establish(s);
    assert_true(core_newest(s, 0)->peer_private && core_newest(s, 1)->peer_private);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, SECONDS(60)) == ADIT_OK);
    assert_true(core_newest(s, 0)->peer_private && core_newest(s, 1)->peer_private);
}

static void both_show_it(void **state)
{
    core_scenario(hosts_show_it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vendor_id_is_a_digest),
        cmocka_unit_test(private_numbers_are_for_kin),
        cmocka_unit_test(both_show_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
