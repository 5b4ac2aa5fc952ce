/* test_reload.c - a new configuration while SAs are up: they go on as they were made, and take it over when they are
 * rekeyed; children that are added go into the IKE SA that is there. */
#include "core.h"

static void reload(struct sim *s, int host)
{
    struct adit_why why = { 0 };
    struct adit_config *cfg = sim_conf_build(s, host);
    expect(s, adit_ike_config(s->host[host].ike, cfg, s->now, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
}

static void rekey(struct sim *s, int host, const char *child)
{
    uint64_t cookie = sim_command(s, host, ADIT_CMD_REKEY, .conn = child ? NULL : "peer", .child = child);
    expect(s, sim_wait(s, host, cookie, 120000000000) == ADIT_OK, "%s", simhost_done(&s->host[host], cookie)->text);
    sim_run(s, 20000000000);
}

static struct ike_child *child_of(struct sim *s, int host)
{
    return list_entry(core_newest(s, host)->children.next, struct ike_child, link);
}

/* Both have new proposals, selectors and lifetimes; nothing happens until the Child SA is rekeyed. */
SIM_TEST(a_child_takes_it_over)
{
    sim_configure(s, .child_rekey_s = 0);
    sim_establish(s);
    sim_configure(s, .esp = "aes256gcm16-x25519", .local_ts = "10.0.0.0/8", .child_rekey_s = 7200);
    reload(s, A);
    reload(s, B);
    sim_run(s, 60000000000);
    expect(s, child_of(s, A)->suite.encr_bits == 128 && !child_of(s, A)->rekey_at);
    rekey(s, s->seed & 1, "net");
    for (int i = 0; i < 2; i++) {
        struct ike_child *c = child_of(s, i);
        expect(s, c->suite.encr_bits == 256 && c->rekey_at, "%s: suite, lifetime", s->host[i].name);
        expect(s, c->ts[i ? c->n_local : 0].lo[0] == 10 && c->ts[i ? c->n_local : 0].lo[1] == 0, "selectors");
    }
    expect_children(s, 1);
    expect_same_keys(s);
    rekey(s, A, NULL);
    rekey(s, B, "net");
    expect_same_keys(s);
}

SIM_TEST(an_ike_sa_takes_it_over)
{
    sim_establish(s);
    sim_configure(s, .ike = "aes256gcm16-prfsha384-ecp256", .rekey_s = 7200);
    reload(s, A);
    reload(s, B);
    expect(s, core_newest(s, A)->suite.encr_bits == 128);
    rekey(s, s->seed & 1, NULL);
    for (int i = 0; i < 2; i++)
        expect(s, core_newest(s, i)->suite.encr_bits == 256 && core_newest(s, i)->rekey_at);
    rekey(s, A, "net");
    expect_children(s, 1);
    expect_same_keys(s);
}

/* Only one of them has a new one: what is left in common. */
SIM_TEST(one_side_alone)
{
    sim_configure(s, .esp = "aes128gcm16-x25519,aes256gcm16-x25519");
    sim_establish(s);
    sim_configure_host(s, B, .esp = "aes256gcm16-x25519");
    reload(s, B);
    rekey(s, s->seed & 1, "net");
    expect(s, child_of(s, A)->suite.encr_bits == 256);
    expect_same_keys(s);
}

SIM_TEST(a_child_that_is_added)
{
    sim_establish(s);
    sim_configure(s, .two_children = true);
    reload(s, A);
    reload(s, B);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net2");
    expect(s, sim_wait(s, A, cookie, 120000000000) == ADIT_OK);
    sim_run(s, 20000000000);
    expect_children(s, 2);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "both in one IKE SA");
    expect_same_keys(s);
}

/* It lives on, by the configuration that it was made with. */
SIM_TEST(a_child_that_is_removed)
{
    sim_configure(s, .two_children = true);
    sim_establish(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net2");
    expect(s, sim_wait(s, A, cookie, 120000000000) == ADIT_OK);
    sim_configure(s, .esp = "aes256gcm16-x25519");
    reload(s, A);
    reload(s, B);
    rekey(s, A, "net2");
    rekey(s, B, "net");
    expect_children(s, 2);
    expect_same_keys(s);
}

/* Other rules of who is who are not satisfied by an authentication by the old ones. */
SIM_TEST(other_authentication)
{
    sim_establish(s);
    sim_configure(s, .cert = "ecdsa", .esp = "aes256gcm16-x25519");
    reload(s, A);
    reload(s, B);
    rekey(s, A, "net");
    rekey(s, B, NULL);
    expect(s, child_of(s, A)->suite.encr_bits == 128);
    expect_same_keys(s);
}

/* Neither are another secret, other CAs, another way to look at revocation. What is new is for who authenticates by it. */
static void not_taken(struct sim *s)
{
    reload(s, A);
    reload(s, B);
    rekey(s, A, "net");
    rekey(s, B, NULL);
    rekey(s, B, "net");
    expect(s, child_of(s, A)->suite.encr_bits == 128 && child_of(s, B)->suite.encr_bits == 128);
    expect_same_keys(s);
    sim_wait(s, A, sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer"), 60000000000);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, 60000000000) == ADIT_OK && child_of(s, A)->suite.encr_bits == 256);
}

SIM_TEST(another_secret)
{
    sim_establish(s);
    sim_configure(s, .psk = "another one", .esp = "aes256gcm16-x25519");
    not_taken(s);
}

SIM_TEST(other_cas)
{
    sim_configure(s, .cert = "ecdsa");
    sim_establish(s);
    sim_configure(s, .cert = "listed", .esp = "aes256gcm16-x25519");
    not_taken(s);
}

SIM_TEST(stricter_about_revocation)
{
    sim_configure(s, .cert = "listed", .crl = "empty.crl");
    sim_establish(s);
    sim_configure(s, .cert = "listed", .crl = "empty.crl", .revocation = ADIT_REVOKE_STRICT, .esp = "aes256gcm16-x25519");
    not_taken(s);
}

/* The same CAs, a new certificate of one's own: nothing that the peer's authentication rests upon. */
SIM_TEST(another_certificate_of_ones_own)
{
    sim_configure(s, .cert = "ecdsa");
    sim_establish(s);
    sim_configure(s, .cert = "rsa", .esp = "aes256gcm16-x25519");
    reload(s, A);
    reload(s, B);
    rekey(s, s->seed & 1, "net");
    expect(s, child_of(s, A)->suite.encr_bits == 256);
    expect_same_keys(s);
}

SIM_TEST(crossing_rekeys)
{
    sim_establish(s);
    sim_configure(s, .esp = "aes256gcm16-x25519", .ike = "aes256gcm16-prfsha384-ecp256");
    reload(s, A);
    reload(s, B);
    sim_link(s, .delay_ms = 20, .jitter_ms = 20, .loss = 0.1, .dup = 0.1);
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, 60000000000);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, 600000000000);
    expect_children(s, 1);
    expect_same_keys(s);
}

#define TEST(name)                                                                                           \
    static void test_##name(void **state)                                                                    \
    {                                                                                                        \
        core_scenario(name);                                                                                 \
    }
TEST(a_child_takes_it_over)
TEST(an_ike_sa_takes_it_over)
TEST(one_side_alone)
TEST(a_child_that_is_added)
TEST(a_child_that_is_removed)
TEST(other_authentication)
TEST(another_secret)
TEST(other_cas)
TEST(stricter_about_revocation)
TEST(another_certificate_of_ones_own)
TEST(crossing_rekeys)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_child_takes_it_over),   cmocka_unit_test(test_an_ike_sa_takes_it_over),
        cmocka_unit_test(test_one_side_alone),          cmocka_unit_test(test_a_child_that_is_added),
        cmocka_unit_test(test_a_child_that_is_removed), cmocka_unit_test(test_other_authentication),
        cmocka_unit_test(test_another_secret),          cmocka_unit_test(test_other_cas),
        cmocka_unit_test(test_stricter_about_revocation),
        cmocka_unit_test(test_another_certificate_of_ones_own), cmocka_unit_test(test_crossing_rekeys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
