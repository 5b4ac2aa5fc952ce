/* test_childless.c - who may leave the first Child SA out, and who has to (RFC 6023). */
#include "fake_sa.h"

extern const struct ike_ext ext_childless;

static const struct {
    const char *what, *option;
    bool initiator, peer_announced;
    bool announces, first_child, may_omit, fails;
} rows[] = {
    { "initiator, allow", "allow", true, true, true, true, true, false },
    { "initiator, allow, old peer", "allow", true, false, true, true, false, false },
    { "initiator, prefer", "prefer", true, true, true, false, true, false },
    { "initiator, prefer, old peer", "prefer", true, false, true, true, false, false },
    { "initiator, force", "force", true, true, true, false, true, false },
    { "initiator, force, old peer", "force", true, false, true, true, false, true },
    { "initiator, never", "never", true, true, false, true, false, false },
    { "responder, allow", "allow", false, false, true, true, true, false },
    { "responder, prefer", "prefer", false, false, true, true, true, false },
    { "responder, force: it has no say", "force", false, false, true, true, true, false },
    { "responder, never", "never", false, false, false, true, false, false },
};

static void each_option_decides(void **state)
{
    const struct ike_hooks *on = &ext_childless.on;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa sa;
        fake_sa(&sa, &ext_childless);
        fake_set(&sa, "childless", rows[i].option);
        sa.initiator = rows[i].initiator;
        sa.peer_announced = rows[i].peer_announced;
        on->life(&sa, LIFE_KEYED, NULL);
        assert_row(rows[i].what, on->may_use(&sa) == rows[i].announces);
        assert_row(rows[i].what, on->first_child(&sa) == rows[i].first_child);
        assert_row(rows[i].what, on->may_omit_child(&sa) == rows[i].may_omit);
        assert_row(rows[i].what, sa.failed == rows[i].fails);
        assert_row(rows[i].what, !sa.failed || sa.failed_with == ADIT_ERR_POLICY);
    }
}

static void only_the_end_of_ike_sa_init_can_fail_it(void **state)
{
    struct ike_sa sa, other;
    fake_sa(&sa, &ext_childless);
    fake_sa(&other, &ext_childless);
    fake_set(&sa, "childless", "force");
    sa.peer_announced = false;
    ext_childless.on.life(&sa, LIFE_ESTABLISHED, NULL);
    ext_childless.on.life(&sa, LIFE_REKEYED, &other);
    assert_int_equal(sa.failed, 0);
}

static void only_responders_announce_it(void **state)
{
    assert_int_equal(ext_childless.n_announce, 1);
    assert_int_equal(ext_childless.announce[0].notify, N_CHILDLESS_IKEV2_SUPPORTED);
    assert_int_equal(ext_childless.announce[0].exchange, XCHG_IKE_SA_INIT);
    assert_int_equal(ext_childless.announce[0].rule, RESPONDER_ONLY);
    assert_string_equal(ext_childless.options[0].deflt, "allow");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_decides),
        cmocka_unit_test(only_the_end_of_ike_sa_init_can_fail_it),
        cmocka_unit_test(only_responders_announce_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
