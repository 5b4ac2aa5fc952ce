/* test_sa.c - birth of an SA: what is refused, what it weighs; path MTU; small questions. */
#include "esp_fixture.h"
#include "esp/pad.h"

static enum adit_rc try(struct adit_child_spec *spec)
{
    struct esp_sa *sa = NULL;
    struct adit_why why = { 0 };
    enum adit_rc rc = esp_sa_new(fixture_crypto(), spec, 0, &sa, &why);
    assert_int_equal(rc == ADIT_OK, why.text[0] == 0);
    assert_int_equal(rc == ADIT_OK, sa != NULL);
    esp_sa_free(sa);
    return rc;
}

static const struct {
    const char *what;
    enum adit_rc rc;
    uint16_t encr, bits, integ;
    size_t key_n, integ_n;
    uint32_t spi;
    enum adit_mode mode;
    uint8_t proto;
} births[] = {
    { "good", ADIT_OK, ENCR_AES_GCM_16, 256, 0, 36, 0, SPI_B, ADIT_MODE_TUNNEL, PROTO_ESP },
    { "transport", ADIT_OK, ENCR_AES_GCM_16, 256, 0, 36, 0, SPI_B, ADIT_MODE_TRANSPORT, PROTO_ESP },
    { "NULL with integrity", ADIT_OK, ENCR_NULL, 0, INTEG_HMAC_SHA2_256_128, 0, 32, SPI_B, ADIT_MODE_TUNNEL,
      PROTO_ESP },
    { "unknown cipher", ADIT_ERR_CRYPTO, 999, 256, 0, 36, 0, SPI_B, ADIT_MODE_TUNNEL, PROTO_ESP },
    { "unknown integrity", ADIT_ERR_CRYPTO, ENCR_AES_CBC, 256, 999, 32, 0, SPI_B, ADIT_MODE_TUNNEL,
      PROTO_ESP },
    { "NULL with nothing", ADIT_ERR_CRYPTO, ENCR_NULL, 0, 0, 0, 0, SPI_B, ADIT_MODE_TUNNEL, PROTO_ESP },
    { "CBC with nothing", ADIT_ERR_CRYPTO, ENCR_AES_CBC, 256, 0, 32, 0, SPI_B, ADIT_MODE_TUNNEL, PROTO_ESP },
    { "AEAD with integrity", ADIT_ERR_CRYPTO, ENCR_AES_GCM_16, 256, INTEG_HMAC_SHA2_256_128, 36, 32, SPI_B,
      ADIT_MODE_TUNNEL, PROTO_ESP },
    { "key too short", ADIT_ERR_CRYPTO, ENCR_AES_GCM_16, 256, 0, 35, 0, SPI_B, ADIT_MODE_TUNNEL, PROTO_ESP },
    { "salt forgotten", ADIT_ERR_CRYPTO, ENCR_AES_GCM_16, 256, 0, 32, 0, SPI_B, ADIT_MODE_TUNNEL, PROTO_ESP },
    { "no such key length", ADIT_ERR_CRYPTO, ENCR_AES_GCM_16, 200, 0, 29, 0, SPI_B, ADIT_MODE_TUNNEL,
      PROTO_ESP },
    { "key length forgotten", ADIT_ERR_CRYPTO, ENCR_AES_GCM_16, 0, 0, 0, 0, SPI_B, ADIT_MODE_TUNNEL,
      PROTO_ESP },
    { "GMAC without key length", ADIT_ERR_CRYPTO, ENCR_NULL_AES_GMAC, 0, 0, 36, 0, SPI_B, ADIT_MODE_TUNNEL,
      PROTO_ESP },
    { "integrity key too long", ADIT_ERR_CRYPTO, ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128, 32, 33, SPI_B,
      ADIT_MODE_TUNNEL, PROTO_ESP },
    { "reserved SPI", ADIT_ERR_CONFIG, ENCR_AES_GCM_16, 256, 0, 36, 0, 255, ADIT_MODE_TUNNEL, PROTO_ESP },
    { "no mode of ESP's", ADIT_ERR_CONFIG, ENCR_AES_GCM_16, 256, 0, 36, 0, SPI_B, ADIT_MODE_DROP, PROTO_ESP },
    { "no ESP", ADIT_ERR_CONFIG, ENCR_AES_GCM_16, 256, 0, 36, 0, SPI_B, ADIT_MODE_TUNNEL, PROTO_IKE },
};

/* RFC 9827: kinds of numbers, not a flag. */
static void kinds_of_sequence_numbers(void **state)
{
    static const struct {
        uint16_t sn;
        enum adit_rc rc;
    } rows[] = { { SN_32_BIT, ADIT_OK },
                 { SN_64_BIT_PARTIAL, ADIT_OK },
                 { SN_32_BIT_UNSPECIFIED, ADIT_ERR_CRYPTO },
                 { 3, ADIT_ERR_CRYPTO },
                 { 1024, ADIT_ERR_CRYPTO },
                 { 65535, ADIT_ERR_CRYPTO } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        pair_init(&p, &suites[0]);
        p.spec.local_ts = p.local;
        p.spec.remote_ts = p.remote;
        p.spec.suite.sn = rows[i].sn;
        assert_int_equal(try(&p.spec), rows[i].rc);
    }
}

static void births_are_checked(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(births); i++) {
        struct pair p;
        pair_init(&p, &suites[0]);
        p.spec.local_ts = p.local;
        p.spec.remote_ts = p.remote;
        p.spec.suite = (struct adit_suite){ .encr = births[i].encr,
                                            .encr_bits = births[i].bits,
                                            .integ = births[i].integ };
        p.spec.in = (struct adit_sa_keys){ births[i].spi, span(p.key_ba, births[i].key_n),
                                           span(p.key_ba, births[i].integ_n) };
        p.spec.out = (struct adit_sa_keys){ SPI_A, span(p.key_ab, births[i].key_n),
                                            span(p.key_ab, births[i].integ_n) };
        p.spec.mode = births[i].mode;
        p.spec.proto = births[i].proto;
        assert_row(births[i].what, try(&p.spec) == births[i].rc);
    }
}

static void memory_may_be_out_anywhere(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.local_ts = p.local;
    p.spec.remote_ts = p.remote;
    size_t before, after, locked;
    unsigned left, failures = 0;
    enum adit_rc rc;
    secret_usage(&before, &locked);
    do {
        left = failures++;
        mem_set_gate(gate_countdown, &left);
        rc = try(&p.spec);
        mem_set_gate(NULL, NULL);
        assert_true(rc == ADIT_OK || rc == ADIT_ERR_MEMORY);
    } while (rc != ADIT_OK);
    assert_true(failures > 3);
    secret_usage(&after, &locked);
    assert_int_equal(before, after);
}

/* Ten thousand idle SAs have to be cheap: all that a pair allocates before its first packet. */
static bool add_up(void *sum, size_t n)
{
    *(size_t *)sum += n;
    return true;
}

static void an_idle_sa_is_small(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.local_ts = p.local;
    p.spec.remote_ts = p.remote;
    p.spec.n_local_ts = p.spec.n_remote_ts = 1;
    size_t sum = 0;
    mem_set_gate(add_up, &sum);
    assert_int_equal(try(&p.spec), ADIT_OK);
    mem_set_gate(NULL, NULL);
    assert_in_range(sum, 512, 2048);
}

static void the_first_packet_makes_the_context(void **state)
{
    static struct box box;
    uint8_t inner[64];
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.udp_encap = true;
    pair_start(&p);
    assert_null(p.a->out.crypt);
    assert_int_equal(p.a->out.keys.n, 36);
    struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, 40)));
    unsigned none = 0;
    mem_set_gate(gate_countdown, &none);
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_STANDBY);
    mem_set_gate(NULL, NULL);
    assert_int_equal(p.a->seq, 0);
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
    assert_non_null(p.a->out.crypt);
    assert_int_equal(p.a->out.keys.n, 0);
    assert_null(p.a->in.crypt);
    mem_set_gate(gate_countdown, &none);
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_STANDBY);
    mem_set_gate(NULL, NULL);
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_OK);
    pair_stop(&p);
}

static struct adit_path path_of(uint8_t family)
{
    if (family == 4)
        return (struct adit_path){ { ip4(192, 0, 2, 1), 4500 }, { ip4(198, 51, 100, 2), 4500 } };
    return (struct adit_path){ { ip6(1, 1), 4500 }, { ip6(2, 2), 4500 } };
}

static void known_inner_sizes(void **state)
{
    static const struct {
        const char *what;
        size_t suite;
        uint8_t family;
        bool udp;
        uint16_t pmtu, inner;
    } rows[] = {
        { "GCM, UDP, v4", 0, 4, true, 1500, 1438 }, { "GCM, v4", 0, 4, false, 1500, 1446 },
        { "GCM, v6", 0, 6, false, 1500, 1426 },     { "GCM, UDP, v6", 0, 6, true, 1500, 1418 },
        { "GCM, least v4", 0, 4, false, 68, 522 },  { "GCM, least v6", 0, 6, false, 600, 1206 },
        { "implicit IV", 8, 4, false, 1500, 1454 }, { "CBC + SHA2-256", 12, 4, false, 1500, 1438 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        pair_init(&p, &suites[rows[i].suite]);
        p.spec.path = path_of(rows[i].family);
        p.spec.udp_encap = rows[i].udp;
        pair_start(&p);
        esp_sa_set_pmtu(p.a, rows[i].pmtu);
        assert_row(rows[i].what, esp_sa_inner_mtu(p.a) == rows[i].inner);
        pair_stop(&p);
    }
}

/* Octets of the outer packet for an inner one, built by sealing. */
static uint32_t sealed_size(struct pair *p, size_t inner_n, bool v6)
{
    static struct box box;
    static uint8_t inner[2000];
    size_t n = v6 ? sample6(inner, inner_n) : sample4(inner, inner_n);
    struct esp_pkt *pkt = box_fill(&box, span(inner, n));
    if (seal_one(p->a, pkt, 1) != ESP_OK) {
        assert_int_equal(pkt->verdict, ESP_TOO_BIG);
        assert_int_equal(pkt->mtu, esp_sa_inner_mtu(p->a));
        return 0;
    }
    return pkt->len +
           (p->spec.udp_encap ? UDP_HDR_SIZE + (p->spec.path.local.addr.family == 4 ? 20u : 40u) : 0);
}

/* At each path MTU the largest inner packet fits, and one octet more would not: for all suites, modes and headers. */
static void path_mtu_is_exact_to_the_octet(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(suites) * 8; i++) {
        struct pair p;
        bool v6 = i & 1;
        pair_init(&p, &suites[i / 8]);
        p.spec.path = path_of(v6 ? 6 : 4);
        p.spec.udp_encap = i & 2;
        p.spec.mode = i & 4 ? ADIT_MODE_TRANSPORT : ADIT_MODE_TUNNEL;
        pair_start(&p);
        for (uint16_t pmtu = 1400; pmtu < 1420; pmtu++) {
            esp_sa_set_pmtu(p.a, pmtu);
            uint16_t inner = esp_sa_inner_mtu(p.a);
            uint32_t n = sealed_size(&p, inner, v6);
            assert_row(suites[i / 8].what, n > 0 && n <= pmtu && n + p.a->align > pmtu);
            assert_row(suites[i / 8].what, sealed_size(&p, inner + 1u, v6) == 0);
        }
        pair_stop(&p);
    }
}

static void a_new_path_has_a_new_overhead(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    pair_start(&p);
    struct adit_path six = path_of(6), out;
    assert_int_equal(esp_sa_inner_mtu(p.a), 1446);
    esp_sa_set_path(p.a, &six, true);
    assert_int_equal(esp_sa_inner_mtu(p.a), 1418);
    assert_true(esp_sa_is_udp(p.a));
    assert_int_equal(esp_sa_path(p.a)->remote.addr.family, 6);
    assert_false(esp_sa_moved(p.a, &out));
    pair_stop(&p);
}

static void knows_what_it_sent(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    pair_start(&p);
    assert_false(esp_sa_sent(p.a, 0));
    assert_false(esp_sa_sent(p.a, 1));
    p.a->seq = 3;
    assert_false(esp_sa_sent(p.a, 0));
    assert_true(esp_sa_sent(p.a, 1));
    assert_true(esp_sa_sent(p.a, 3));
    assert_false(esp_sa_sent(p.a, 4));
    p.a->seq = UINT64_C(0x100000010);
    assert_true(esp_sa_sent(p.a, 0xfffffff0));
    assert_false(esp_sa_sent(p.a, 0x11));
    assert_false(esp_sa_sent(p.a, (uint32_t)(0x10 - 65536)));
    assert_true(esp_sa_sent(p.a, (uint32_t)(0x10 - 65535)));
    pair_stop(&p);
}

static void tells_its_numbers(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.outbound = ADIT_OUT_STANDBY;
    pair_start(&p);
    assert_int_equal(esp_sa_id(p.a), 7);
    assert_int_equal(esp_sa_reqid(p.a), 3);
    assert_int_equal(esp_sa_spi_in(p.a), SPI_B);
    assert_false(esp_sa_is_udp(p.a));
    assert_false(esp_sa_is_active(p.a));
    esp_sa_activate(p.a);
    assert_true(esp_sa_is_active(p.a));
    esp_sa_free(NULL);
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(births_are_checked),
        cmocka_unit_test(kinds_of_sequence_numbers),
        cmocka_unit_test(memory_may_be_out_anywhere),
        cmocka_unit_test(an_idle_sa_is_small),
        cmocka_unit_test(the_first_packet_makes_the_context),
        cmocka_unit_test(known_inner_sizes),
        cmocka_unit_test(path_mtu_is_exact_to_the_octet),
        cmocka_unit_test(a_new_path_has_a_new_overhead),
        cmocka_unit_test(knows_what_it_sent),
        cmocka_unit_test(tells_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
