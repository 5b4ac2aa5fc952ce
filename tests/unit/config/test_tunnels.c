/* test_tunnels.c - the short form becomes a connection, a child and a secret. */
#include "fake_io.h"
#include "wire/iana.h"

static void certificate_form_is_expanded(void **state)
{
    struct adit_config *cfg = good_config(
        "tunnels {\n  berlin {\n    peer  = vpn.berlin.example\n    me    = vpn.paris.example\n"
        "    cert  = moon.pem\n    ca    = ca.pem\n    nets  = 10.1.0.0/16 == 10.2.0.0/16, 10.3.0.0/16\n"
        "    start = yes\n  }\n}");
    const struct adit_conn *c = adit_config_conn(cfg, "berlin");
    const struct adit_child_cfg *x = conn_child(c, "berlin");
    assert_string_equal(c->remote_addrs[0].text, "vpn.berlin.example");
    assert_true(c->local_addrs[0].any && c->dpd_delay_s == 30);
    assert_true(c->n_local == 1 && c->local[0].class == ADIT_AUTH_PUBKEY &&
                !strcmp(c->local[0].id_text, "vpn.paris.example"));
    assert_true(span_equal(c->local[0].certs[0], SPAN_LIT("moon certificate")));
    assert_true(c->remote[0].class == ADIT_AUTH_PUBKEY &&
                !strcmp(c->remote[0].id_text, "vpn.berlin.example"));
    assert_true(span_equal(c->remote[0].cacerts[0], SPAN_LIT("ca certificate")));
    assert_true(x->n_local_ts == 1 && x->n_remote_ts == 2 && x->remote_ts[1].ts.lo[1] == 3);
    assert_int_equal(x->start_action, ADIT_ACTION_TRAP | ADIT_ACTION_START);
    assert_int_equal(x->dpd_action, ADIT_ACTION_START);
    assert_string_equal(c->source, "/s/swanctl.conf:2");
    adit_config_unref(cfg);
}

static void pre_shared_key_form_is_expanded(void **state)
{
    struct adit_config *cfg = good_config(
        "tunnels { a { peer = 192.0.2.1\n psk = file:berlin.psk\n start = on-demand } "
        "b { peer = %any\n me = moon\n psk = \"plain text\" } }");
    const struct adit_conn *a = adit_config_conn(cfg, "a"), *b = adit_config_conn(cfg, "b");
    const struct adit_shared *const *s;
    assert_true(a->local[0].class == ADIT_AUTH_PSK && a->remote[0].class == ADIT_AUTH_PSK);
    assert_true(a->remote[0].id.type == ID_IPV4_ADDR && b->remote[0].id.type == 0 && b->remote_addrs[0].any);
    assert_true(a->children[0].local_ts[0].dynamic && a->children[0].start_action == ADIT_ACTION_TRAP);
    assert_true(b->children[0].start_action == ADIT_ACTION_NONE && b->dpd_delay_s == 0);
    assert_int_equal(adit_config_shared(cfg, &s), 2);
    assert_string_equal(s[0]->id, "ike-a");
    assert_true(span_equal(s[0]->secret, SPAN_LIT("key")) && s[0]->n_owners == 1 &&
                s[0]->owners[0].type == ID_IPV4_ADDR);
    assert_true(span_equal(s[1]->secret, SPAN_LIT("plain text")) && s[1]->n_owners == 0);
    adit_config_unref(cfg);
}

static void it_means_the_same_as_the_long_form(void **state)
{
    struct adit_config *cfg = good_config(
        "tunnels { t { peer = moon.example\n psk = s\n nets = 10.0.0.0/8==11.0.0.0/8 } }\n"
        "connections { c { children { x {} } } }\nsecrets { ike-1 { secret = t } }");
    const struct adit_conn *const *conns;
    const struct adit_shared *const *s;
    assert_int_equal(adit_config_conns(cfg, &conns), 2);
    assert_int_equal(adit_config_shared(cfg, &s), 2);
    adit_config_unref(cfg);
}

static const struct {
    const char *what, *text, *problem;
} rows[] = {
    { "no peer", "tunnels { t { psk = s } }",
      "/s/swanctl.conf:1:11: tunnel 't': peer is missing (an address or a name; %any: anybody)" },
    { "no credentials", "tunnels { t { peer = a } }",
      "/s/swanctl.conf:1:11: tunnel 't': cert (and ca) or psk is missing" },
    { "both", "tunnels { t { peer = a\n psk = s\n cert = moon.pem } }",
      "/s/swanctl.conf:2:2: tunnel 't' has both psk and cert" },
    { "unknown key", "tunnels { t { peer = a\n pks = s } }",
      "/s/swanctl.conf:2:2: unknown key 'pks'; did you mean 'psk'?" },
    { "bad start", "tunnels { t { peer = a\n psk = s\n start = maybe } }",
      "/s/swanctl.conf:3:2: start = maybe: one of no|on-demand|yes is expected" },
    { "networks of one side", "tunnels { t { peer = a\n psk = s\n nets = 10.0.0.0/8 } }",
      "/s/swanctl.conf:3:2: nets: our networks == the peer's networks is expected" },
    { "bad network", "tunnels { t { peer = a\n psk = s\n nets = 10.0.0.0/8 == 11.0.0.0/99 } }",
      "/s/swanctl.conf:3:2: remote_ts: '11.0.0.0/99' is not a traffic selector: dynamic, an address, a/n or a-b, then "
      "[protocol/port] if wanted" },
    { "networks of two IP versions", "tunnels { t { peer = a\n psk = s\n nets = 10.0.0.0/8 == fd00::/64 } }",
      "/s/swanctl.conf:1:11: child 't': local_ts and remote_ts are of different IP versions" },
    { "no such key file", "tunnels { t { peer = a\n psk = file:no.psk } }",
      "/s/swanctl.conf:2:2: /s/no.psk: No such file or directory" },
    { "name taken", "connections { t { children { x {} } } } tunnels { t { peer = a\n psk = s } }",
      "/s/swanctl.conf:1:51: there is a connection 't' already" },
    { "no section", "tunnels { t = 1 }",
      "/s/swanctl.conf:1:11: 't' stands in `tunnels`, which holds sections only" },
    { "section inside", "tunnels { t { peer = a\n psk = s\n nets {} } }",
      "/s/swanctl.conf:3:2: 'nets' is no section" },
};

static void problems_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_problem(rows[i].what, rows[i].text, rows[i].problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(certificate_form_is_expanded),
                                        cmocka_unit_test(pre_shared_key_form_is_expanded),
                                        cmocka_unit_test(it_means_the_same_as_the_long_form),
                                        cmocka_unit_test(problems_are_told) };
    return cmocka_run_group_tests_name("config/tunnels", tests, NULL, NULL);
}
