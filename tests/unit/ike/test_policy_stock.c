/* test_policy_stock.c - of which methods keys are made ahead: what is configured, or what is slow in the proposals. */
#include "policy_fixture.h"

static struct adit_config *config_of(const char *ke_pool, const char *ike, const char *esp)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_auth_cfg auth = { .class = ADIT_AUTH_PSK };
    struct adit_child_cfg child = { .name = "net", .proposals = list_of(esp, PROTO_ESP) };
    struct adit_conn conn = { .name = "peer", .proposals = list_of(ike, PROTO_IKE), .n_local = 1, .n_remote = 1,
                              .local = &auth, .remote = &auth, .n_children = 1, .children = &child };
    assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
    assert_int_equal(adit_config_settings(cfg, &(struct adit_ike_settings){ .ke_pool = ke_pool }), ADIT_OK);
    return cfg;
}

static void slow_methods_or_named_ones(void **state)
{
    static const struct {
        const char *what, *ke_pool, *ike, *esp;
        size_t n;
        struct ke_pool_item v[2];
    } rows[] = {
        { "nothing slow", NULL, "aes256gcm16-prfsha384-x25519-modp3072", "aes256gcm16", 0 },
        { "slow in IKE", "auto", "aes256gcm16-prfsha384-x25519-ke1_modp4096", "aes256gcm16", 1, { { KE_MODP_4096, 1 } } },
        { "slow in a child, and again", NULL, "aes256gcm16-prfsha384-modp4096", "aes256gcm16-modp4096", 1,
          { { KE_MODP_4096, 1 } } },
        { "switched off", "no", "aes256gcm16-prfsha384-modp4096", "aes256gcm16", 0 },
        { "named", "modp3072:3, modp4096", "aes256gcm16-prfsha384-x25519", "aes256gcm16", 2,
          { { KE_MODP_3072, 3 }, { KE_MODP_4096, 1 } } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct policy *p = policy_of(config_of(rows[i].ke_pool, rows[i].ike, rows[i].esp));
        assert_row(rows[i].what, p->n_stock == rows[i].n);
        for (size_t k = 0; k < p->n_stock; k++)
            assert_row(rows[i].what, p->stock[k].method == rows[i].v[k].method && p->stock[k].keys == rows[i].v[k].keys);
        policy_unref(p);
    }
}

static void methods_that_do_not_fit_are_refused(void **state)
{
    static const struct {
        const char *ke_pool, *says;
    } rows[] = {
        { "x25519", "CURVE_25519 is made as fast as it is found" },
        { "mlkem768:2", "ML_KEM_768 is made as fast as it is found" },
        { "nothing", "'nothing' is no key exchange method" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_config *cfg = config_of(rows[i].ke_pool, "aes256gcm16-prfsha384-x25519", "aes256gcm16");
        struct policy *p = NULL;
        struct adit_why why = { 0 };
        assert_row(rows[i].ke_pool, policy_new(crypto(), cfg, &p, &why) == ADIT_ERR_CONFIG);
        if (!strstr(why.text, rows[i].says))
            fail_msg("%s: %s", rows[i].ke_pool, why.text);
        adit_config_unref(cfg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_methods_or_named_ones),
        cmocka_unit_test(methods_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
