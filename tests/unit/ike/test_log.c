/* test_log.c - lines for people; and the key log, which is silent unless the host asked for it. */
#include "core.h"

static void a_line_says_who_and_what(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct adit_event ev;
    sa_log(sa, ADIT_LOG_MORE, "CHD", "%d of %s", 3, "them");
    assert_true(core_event(ike, ADIT_EV_LOG, &ev));
    assert_true(ev.level == ADIT_LOG_MORE && !strcmp(ev.group, "CHD") && !strcmp(ev.text, "3 of them"));
    assert_true(ev.ike_id == sa->id && !strcmp(ev.conn, "peer"));
    ike_log(ike, NULL, ADIT_LOG_AUDIT, "CFG", "nobody's");
    assert_true(core_event(ike, ADIT_EV_LOG, &ev) && !strcmp(ev.text, "nobody's") && !ev.conn && !ev.ike_id);
    core_free(ike);
}

static void a_line_outlives_its_sa(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct adit_event ev;
    sa_log(sa, ADIT_LOG_INFO, "IKE", "the end");
    sa_free(sa);
    assert_true(core_event(ike, ADIT_EV_LOG, &ev) && !strcmp(ev.conn, "peer") && !strcmp(ev.text, "the end"));
    core_free(ike);
}

static void long_lines_are_cut(void **state)
{
    struct ike *ike = core_new();
    char much[3000];
    struct adit_event ev;
    for (size_t i = 0; i < sizeof(much); i++)
        much[i] = 'x';
    much[sizeof(much) - 1] = 0;
    ike_log(ike, NULL, ADIT_LOG_INFO, "IKE", "%s", much);
    assert_true(core_event(ike, ADIT_EV_LOG, &ev) && strlen(ev.text) > 500 && strlen(ev.text) < 1000);
    core_free(ike);
}

static void ascending(struct adit_secret *s, uint8_t n_d, uint8_t n_a, uint8_t n_e, struct ike_keys *keys)
{
    keys_fini(keys);
    assert_int_equal(secret_alloc(s, (size_t)3 * n_d + 2 * n_a + 2 * n_e), ADIT_OK);
    for (size_t i = 0; i < s->n; i++)
        s->p[i] = (uint8_t)i;
    secret_move(&keys->block, s);
    keys->n_d = n_d;
    keys->n_a = n_a;
    keys->n_e = n_e;
}

/* As Wireshark's ikev2_decryption_table: SPIi, SPIr, SK_ei, SK_er, cipher, SK_ai, SK_ar, integrity. */
static void ike_keys_are_told_in_wiresharks_words(void **state)
{
    static const struct {
        uint16_t encr, bits, integ;
        uint8_t n_a;
        const char *line;
    } rows[] = {
        { ENCR_AES_GCM_16, 128, 0, 0,
          "0102030405060708,1112131415161718,0203,0405,\"AES-GCM-128 with 16 octet ICV [RFC5282]\",,,"
          "\"NONE [RFC4306]\"" },
        { ENCR_AES_CCM_8, 256, 0, 0,
          "0102030405060708,1112131415161718,0203,0405,\"AES-CCM-256 with 8 octet ICV [RFC5282]\",,,"
          "\"NONE [RFC4306]\"" },
        { ENCR_CHACHA20_POLY1305, 0, 0, 0,
          "0102030405060708,1112131415161718,0203,0405,\"ChaCha20-Poly1305 [RFC7634]\",,,\"NONE [RFC4306]\"" },
        { ENCR_AES_CBC, 192, INTEG_HMAC_SHA2_256_128, 1,
          "0102030405060708,1112131415161718,0405,0607,\"AES-CBC-192 [RFC3602]\",02,03,"
          "\"HMAC_SHA2_256_128 [RFC4868]\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = core_sa(ike, true);
        struct adit_secret s = { 0 };
        struct adit_event ev;
        sa->suite.encr = rows[i].encr;
        sa->suite.encr_bits = rows[i].bits;
        sa->suite.integ = rows[i].integ;
        ascending(&s, 2, rows[i].n_a, 2, &sa->keys);
        keylog_ike(sa);
        assert_false(core_event(ike, ADIT_EV_KEYLOG, &ev)); /* not asked for */
        ike->host.keylog = true;
        keylog_ike(sa);
        assert_true(core_event(ike, ADIT_EV_KEYLOG, &ev) && !strcmp(ev.group, "ike"));
        assert_string_equal(ev.text, rows[i].line);
        core_free(ike);
    }
}

static void esp_keys_are_told_for_both_directions(void **state)
{
    struct ike *ike = core_new();
    struct ike_child *c = core_child(core_sa(ike, true));
    static const uint8_t in[] = { 0xaa, 0xbb }, mac[] = { 0xcc }, out[] = { 0xdd };
    struct adit_child_spec spec;
    struct adit_event ev;
    child_spec(c, &spec);
    spec.suite =
        (struct adit_suite){ .encr = ENCR_AES_CBC, .encr_bits = 128, .integ = INTEG_HMAC_SHA2_256_128 };
    spec.in = (struct adit_sa_keys){ 0x11223344, SPAN_ARRAY(in), SPAN_ARRAY(mac) };
    spec.out = (struct adit_sa_keys){ 0x55667788, SPAN_ARRAY(out), SPAN_NONE };
    keylog_child(c->sa, &spec);
    assert_false(core_event(ike, ADIT_EV_KEYLOG, &ev));
    ike->host.keylog = true;
    keylog_child(c->sa, &spec);
    assert_true(core_event(ike, ADIT_EV_KEYLOG, &ev) && !strcmp(ev.group, "esp"));
    assert_string_equal(
        ev.text, "\"IPv4\",\"192.0.2.2\",\"192.0.2.1\",\"0x11223344\",\"AES-CBC [RFC3602]\",\"0xaabb\","
                 "\"HMAC-SHA-256-128 [RFC4868]\",\"0xcc\",\"32-bit\"");
    assert_true(core_event(ike, ADIT_EV_KEYLOG, &ev));
    assert_string_equal(ev.text,
                        "\"IPv4\",\"192.0.2.1\",\"192.0.2.2\",\"0x55667788\",\"AES-CBC [RFC3602]\",\"0xdd\","
                        "\"HMAC-SHA-256-128 [RFC4868]\",\"\",\"32-bit\"");
    assert_false(core_event(ike, ADIT_EV_KEYLOG, &ev));
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_who_and_what),
        cmocka_unit_test(a_line_outlives_its_sa),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(ike_keys_are_told_in_wiresharks_words),
        cmocka_unit_test(esp_keys_are_told_for_both_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
