/* test_config.c - the snapshot: deep copies, order, replacing, references, memory running out. */
#include "unit.h"
#include "model/model.h"
#include "wire/iana.h"

static const struct adit_conn *sample(struct arena *arena, const char *name)
{
    static const char *const items[] = { "aes256gcm16-prfsha384-x25519" };
    static const char *const esp[] = { "aes256gcm16" };
    struct adit_conn *conn = arena_new(arena, sizeof(*conn));
    struct adit_auth_cfg *auth = arena_new(arena, sizeof(*auth));
    struct adit_child_cfg *child = arena_new(arena, sizeof(*child));
    struct adit_addr_spec *addr = arena_new(arena, sizeof(*addr));
    struct adit_ts_cfg *ts = arena_new(arena, sizeof(*ts));
    struct adit_option *option = arena_new(arena, sizeof(*option));
    struct adit_span *cert = arena_new(arena, sizeof(*cert));
    const struct proposal_list *list;
    assert_int_equal(addr_spec_parse(arena_str(arena, "192.0.2.1"), addr, NULL), ADIT_OK);
    assert_int_equal(ts_parse("10.0.0.0/8", ts, NULL), ADIT_OK);
    *option = (struct adit_option){ arena_str(arena, "key"), arena_str(arena, "value") };
    *cert = arena_span(arena, SPAN_LIT("certificate"));
    *auth = (struct adit_auth_cfg){ .class = ADIT_AUTH_PUBKEY,
                                    .auth = arena_str(arena, "pubkey"),
                                    .id = { ID_FQDN, arena_span(arena, SPAN_LIT("moon")) },
                                    .id_text = arena_str(arena, "moon"),
                                    .n_certs = 1,
                                    .certs = cert };
    assert_int_equal(proposals_parse(esp, 1, PROTO_ESP, arena, &list, NULL), ADIT_OK);
    *child = (struct adit_child_cfg){ .name = arena_str(arena, "net"),
                                      .proposals = list,
                                      .n_local_ts = 1,
                                      .local_ts = ts,
                                      .updown = arena_str(arena, "updown.sh"),
                                      .n_options = 1,
                                      .options = option };
    assert_int_equal(proposals_parse(items, 1, PROTO_IKE, arena, &list, NULL), ADIT_OK);
    *conn = (struct adit_conn){ .name = arena_str(arena, name),
                                .n_local_addrs = 1,
                                .local_addrs = addr,
                                .proposals = list,
                                .n_local = 1,
                                .local = auth,
                                .n_children = 1,
                                .children = child,
                                .source = arena_str(arena, "file:1"),
                                .n_options = 1,
                                .options = option };
    return conn;
}

static void check_sample(const struct adit_conn *conn)
{
    STRBUF(out, 256);
    assert_string_equal(conn->local_addrs[0].text, "192.0.2.1");
    assert_string_equal(conn->local[0].auth, "pubkey");
    assert_true(span_equal(conn->local[0].id.data, SPAN_LIT("moon")));
    assert_true(span_equal(conn->local[0].certs[0], SPAN_LIT("certificate")));
    assert_string_equal(conn->source, "file:1");
    proposal_print(&out, &conn->proposals->v[0]);
    assert_string_equal(out.p, "aes256gcm16-prfsha384-x25519");
    const struct adit_child_cfg *child = conn_child(conn, "net");
    assert_non_null(child);
    assert_null(conn_child(conn, "other"));
    assert_int_equal(child->local_ts[0].ts.lo[0], 10);
    assert_int_equal(child->proposals->v[0].t[0].bits, 256);
    assert_string_equal(child->updown, "updown.sh");
    assert_string_equal(adit_option_get(child->options, child->n_options, "key"), "value");
    assert_null(adit_option_get(child->options, child->n_options, "other"));
}

static void connections_are_copied_deeply(void **state)
{
    struct arena arena = { 0 };
    struct adit_config *cfg = adit_config_new();
    const struct adit_conn *const *conns;
    assert_int_equal(adit_config_add_conn(cfg, sample(&arena, "a")), ADIT_OK);
    arena_fini(&arena); /* wiped: nothing of the snapshot may point there */
    assert_int_equal(adit_config_conns(cfg, &conns), 1);
    check_sample(conns[0]);
    adit_config_unref(cfg);
}

static void equal_names_replace_in_place(void **state)
{
    struct arena arena = { 0 };
    struct adit_config *cfg = adit_config_new();
    const struct adit_conn *const *conns;
    assert_int_equal(adit_config_add_conn(cfg, sample(&arena, "a")), ADIT_OK);
    assert_int_equal(adit_config_add_conn(cfg, sample(&arena, "b")), ADIT_OK);
    struct adit_conn again = *sample(&arena, "a");
    again.local_port = 501;
    assert_int_equal(adit_config_add_conn(cfg, &again), ADIT_OK);
    assert_int_equal(adit_config_conns(cfg, &conns), 2);
    assert_string_equal(conns[0]->name, "a");
    assert_int_equal(conns[0]->local_port, 501);
    assert_ptr_equal(adit_config_conn(cfg, "b"), conns[1]);
    assert_null(adit_config_conn(cfg, "c"));
    arena_fini(&arena);
    adit_config_unref(cfg);
}

static void many_names_are_found(void **state)
{
    struct adit_config *cfg = adit_config_new();
    const struct adit_conn *const *conns;
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 1000; i++) {
            STRBUF(name, 16);
            strbuf_addf(&name, "c%u", i);
            struct adit_conn conn = { .name = name.p, .local_port = (uint16_t)(i + 1) };
            assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
        }
    }
    assert_int_equal(adit_config_conns(cfg, &conns), 1000);
    assert_int_equal(adit_config_conn(cfg, "c777")->local_port, 778);
    assert_ptr_equal(adit_config_conn(cfg, "c999"), conns[999]);
    adit_config_unref(cfg);
}

static void credentials_are_kept_once(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_id owner = { ID_FQDN, SPAN_LIT("moon") };
    struct adit_shared one = { .id = "ike-1", .secret = SPAN_LIT("secret"), .n_owners = 1, .owners = &owner };
    struct adit_shared two = { .id = "ike-1", .secret = SPAN_LIT("newer") },
                       nameless = { .secret = SPAN_LIT("x") };
    struct adit_cert ca = { ADIT_CERT_CA, SPAN_LIT("pem"), "ca.pem" },
                     ee = { ADIT_CERT_END_ENTITY, SPAN_LIT("pem"), "ee.pem" };
    struct adit_key key = { .data = SPAN_LIT("key"), .pass = SPAN_LIT("pw"), .source = "k" },
                    uri = { .uri = "pkcs11:x" };
    const struct adit_shared *const *shared;
    const struct adit_cert *const *certs;
    const struct adit_key *const *keys;
    assert_int_equal(adit_config_add_shared(cfg, &one) | adit_config_add_shared(cfg, &nameless) |
                         adit_config_add_shared(cfg, &nameless) | adit_config_add_shared(cfg, &two),
                     ADIT_OK);
    assert_int_equal(adit_config_shared(cfg, &shared), 3);
    assert_true(span_equal(shared[0]->secret, SPAN_LIT("newer")) && shared[0]->n_owners == 0);
    assert_int_equal(adit_config_add_cert(cfg, &ca) | adit_config_add_cert(cfg, &ee) |
                         adit_config_add_cert(cfg, &ca),
                     ADIT_OK);
    assert_int_equal(adit_config_certs(cfg, &certs), 2);
    assert_int_equal(adit_config_add_key(cfg, &key) | adit_config_add_key(cfg, &uri) |
                         adit_config_add_key(cfg, &key),
                     ADIT_OK);
    assert_int_equal(adit_config_keys(cfg, &keys), 2);
    assert_true(span_equal(keys[0]->pass, SPAN_LIT("pw")) && !keys[0]->uri);
    adit_config_unref(cfg);
}

static void settings_are_copied(void **state)
{
    char value[] = "1280";
    struct adit_option option = { "size", value };
    struct adit_ike_settings s = { .port = 501, .n_options = 1, .options = &option };
    struct adit_config *cfg = adit_config_new();
    assert_int_equal(adit_config_settings(cfg, &s), ADIT_OK);
    value[0] = 'x';
    assert_int_equal(adit_config_get_settings(cfg)->port, 501);
    assert_string_equal(adit_config_get_settings(cfg)->options[0].value, "1280");
    adit_config_unref(cfg);
}

static void references_keep_it_alive(void **state)
{
    struct arena arena = { 0 };
    struct adit_config *cfg = adit_config_new();
    assert_int_equal(adit_config_add_conn(cfg, sample(&arena, "a")), ADIT_OK);
    assert_ptr_equal(adit_config_ref(cfg), cfg);
    adit_config_unref(cfg);
    check_sample(adit_config_conn(cfg, "a"));
    adit_config_unref(cfg);
    adit_config_unref(NULL);
    arena_fini(&arena);
}

static void no_memory_leaves_it_as_it_was(void **state)
{
    struct arena arena = { 0 };
    const struct adit_conn *conn = sample(&arena, "a");
    struct adit_config *cfg = adit_config_new();
    const struct adit_conn *const *conns;
    enum adit_rc rc = ADIT_ERR_MEMORY;
    for (unsigned fail_at = 0; rc != ADIT_OK && fail_at < 100; fail_at++) {
        unsigned left = fail_at;
        mem_set_gate(gate_countdown, &left);
        rc = adit_config_add_conn(cfg, conn);
        mem_set_gate(NULL, NULL);
        assert_true(rc == ADIT_OK || (rc == ADIT_ERR_MEMORY && adit_config_conns(cfg, &conns) == 0));
    }
    assert_int_equal(rc, ADIT_OK);
    check_sample(adit_config_conn(cfg, "a"));
    adit_config_unref(cfg);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_copied_deeply), cmocka_unit_test(equal_names_replace_in_place),
        cmocka_unit_test(credentials_are_kept_once),     cmocka_unit_test(many_names_are_found),
        cmocka_unit_test(settings_are_copied),           cmocka_unit_test(references_keep_it_alive),
        cmocka_unit_test(no_memory_leaves_it_as_it_was),
    };
    return cmocka_run_group_tests_name("model/config", tests, NULL, NULL);
}
