/* test_door.c - what extensions get to know of an SA, and where options come from. */
#include "core.h"

static void an_option_comes_from_the_nearest_place(void **state)
{
    const struct adit_option here = { "encap", "yes" }, daemon = { "encap", "no" },
                             other = { "keep_alive", "7" };
    const struct adit_option both[] = { other, here };
    const struct adit_conn with = { .name = "peer", .n_options = 2, .options = both },
                           without = { .name = "peer" };
    const struct policy_conn conn_with = { .cfg = &with }, conn_without = { .cfg = &without };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    const char *deflt = NULL;
    size_t n;
    const struct adit_option_def *all = adit_ike_options(&n);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(all[i].key, "encap"))
            deflt = all[i].deflt;
    assert_non_null(deflt);
    sa->conn = &conn_without;
    assert_string_equal(sa_option(sa, "encap"), deflt);
    ike->policy->settings.options = &daemon;
    ike->policy->settings.n_options = 1;
    assert_string_equal(sa_option(sa, "encap"), "no");
    sa->conn = &conn_with;
    assert_string_equal(sa_option(sa, "encap"), "yes");
    assert_true(sa_option_number(sa, "keep_alive") == 7);
    sa->conn = NULL; /* a responder that does not know yet */
    assert_string_equal(sa_option(sa, "encap"), "no");
    assert_string_equal(sa_option(sa, "nobody's"), "");
    assert_true(sa_option_number(sa, "nobody's") == 0);
    ike->policy->settings.n_options = 0;
    core_free(ike);
}

static void state_is_made_once_and_zeroed(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        if (!ike_exts[i]->sa_size)
            continue;
        assert_null(ext_peek(sa, (enum ike_ext_id)i));
        uint8_t *p = ext_sa(sa, (enum ike_ext_id)i);
        for (size_t k = 0; k < ike_exts[i]->sa_size; k++)
            assert_int_equal(p[k], 0);
        assert_ptr_equal(ext_sa(sa, (enum ike_ext_id)i), p);
        assert_ptr_equal(ext_peek(sa, (enum ike_ext_id)i), p);
    }
    core_free(ike);
}

/* No context of the old keys is left. IVs go on: the new ones may hold the same SK_e. */
static void new_keys_replace_all_of_the_old_ones(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true), *peer = core_sa(ike, false);
    struct ike_hdr h = {
        .spi_i = sa->spi_i, .spi_r = sa->spi_r, .version = IKE_VERSION, .exchange = XCHG_INFORMATIONAL
    };
    struct ike_wire *before = NULL, *after = NULL;
    struct ike_keys fresh = { 0 };
    struct keymat_in in;
    struct raw_msg raw;
    uint8_t digest[16];
    assert_int_equal(msg_protect(sa, &h, 0, SPAN_NONE, &before), ADIT_OK);
    assert_true(sa->iv == 1 && sa->sealer);
    sa_keymat_in(sa, &in);
    assert_int_equal(keymat_round(&in, &sa->keys, SPAN_LIT("another secret"), &fresh), ADIT_OK);
    sa_keys_replace(sa, &fresh);
    assert_true(!fresh.block.p && sa->iv == 1 && !sa->sealer && !sa->opener);
    assert_int_equal(msg_protect(sa, &h, 0, SPAN_NONE, &after), ADIT_OK);
    h.next = PLD_SK;
    assert_int_equal(msg_unprotect(peer, &h, before->datagrams[0], &raw, digest), ADIT_OK);
    assert_int_equal(msg_unprotect(peer, &h, after->datagrams[0], &raw, digest), ADIT_ERR_INTEGRITY);
    wire_unref(before);
    wire_unref(after);
    core_free(ike);
}

static void a_keepalive_counts_as_sent(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct adit_event ev;
    ike->now += SECONDS(20);
    sa_keepalive(sa);
    assert_true(sa_last_sent_at(sa) == ike->now);
    assert_true(core_event(ike, ADIT_EV_KEEPALIVE, &ev) && path_equal(&ev.path, sa_path(sa)) &&
                ev.ike_id == sa_id(sa));
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_option_comes_from_the_nearest_place),
        cmocka_unit_test(state_is_made_once_and_zeroed),
        cmocka_unit_test(new_keys_replace_all_of_the_old_ones),
        cmocka_unit_test(a_keepalive_counts_as_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
