/* test_seal.c - outbound batches: order, verdicts, room, states in which nothing may leave. */
#include "esp_fixture.h"
#include "wire/esp_hdr.h"

#define MANY 150

static struct box boxes[MANY];
static struct esp_pkt *pkts[MANY];
static uint8_t inner[2000];

static void fill(size_t n, size_t size)
{
    for (size_t i = 0; i < n; i++)
        pkts[i] = box_fill(&boxes[i], span(inner, sample4(inner, size)));
}

static void start(struct pair *p)
{
    pair_init(p, &suites[0]);
    p->spec.udp_encap = true;
    pair_start(p);
}

static void numbers_follow_the_order(void **state)
{
    struct pair p;
    start(&p);
    fill(MANY, 100);
    esp_seal_batch(p.a, pkts, MANY, 1);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(pkts[i]->verdict, ESP_OK);
        assert_int_equal(be32_get(pkts[i]->buf + pkts[i]->off), SPI_A);
        assert_int_equal(be32_get(pkts[i]->buf + pkts[i]->off + 4), i + 1);
    }
    esp_open_batch(p.at_b, pkts, MANY, 2);
    for (size_t i = 0; i < MANY; i++)
        assert_true(pkts[i]->verdict == ESP_OK && span_equal(pkt_span(pkts[i]), span(inner, 100)));
    pair_stop(&p);
}

static void bad_ones_use_no_number(void **state)
{
    struct pair p;
    start(&p);
    fill(MANY, 100);
    for (size_t i = 0; i < MANY; i += 3)
        pkts[i]->buf[pkts[i]->off] = 0x25; /* version 2 */
    pkts[1]->len = 1500;
    be16_put(pkts[1]->buf + pkts[1]->off + 2, 1500);
    esp_seal_batch(p.a, pkts, MANY, 1);
    for (uint32_t i = 0, seq = 0; i < MANY; i++) {
        if (i == 1)
            assert_int_equal(pkts[i]->verdict, ESP_TOO_BIG);
        else if (i % 3 == 0)
            assert_int_equal(pkts[i]->verdict, ESP_MALFORMED);
        else
            assert_int_equal(be32_get(pkts[i]->buf + pkts[i]->off + 4), ++seq);
    }
    assert_int_equal(p.a->seq, 99);
    pair_stop(&p);
}

static void nothing_leaves_in_standby(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.outbound = ADIT_OUT_STANDBY;
    pair_start(&p);
    fill(2, 100);
    esp_seal_batch(p.a, pkts, 2, 1);
    assert_int_equal(pkts[0]->verdict, ESP_STANDBY);
    assert_int_equal(pkts[1]->verdict, ESP_STANDBY);
    assert_true(span_equal(pkt_span(pkts[0]), span(inner, 100)));
    esp_sa_activate(p.a);
    esp_seal_batch(p.a, pkts, 2, 1);
    assert_int_equal(pkts[1]->verdict, ESP_OK);
    pair_stop(&p);
}

static void a_path_without_address_is_standby(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.path.local.addr = (struct adit_addr){ 0 };
    pair_start(&p);
    fill(1, 100);
    esp_seal_batch(p.a, pkts, 1, 1);
    assert_int_equal(pkts[0]->verdict, ESP_STANDBY);
    pair_stop(&p);
}

static void room_is_checked(void **state)
{
    static const struct {
        const char *what;
        uint32_t off, len, cap;
        bool ok;
    } rows[] = {
        { "as promised", ESP_HEADROOM, 100, ESP_HEADROOM + 100 + ESP_TAILROOM, true },
        { "just enough before", 56, 100, 1000, true },
        { "too little before", 55, 100, 1000, false },
        { "just enough behind", 96, 100, 96 + 100 + 22, true },
        { "too little behind", 96, 100, 96 + 100 + 21, false },
        { "longer than the buffer", 96, 1000, 500, false },
        { "behind the buffer", 600, 100, 500, false },
    };
    struct pair p;
    start(&p);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct esp_pkt pkt = {
            .buf = boxes[0].mem, .cap = rows[i].cap, .off = rows[i].off, .len = rows[i].len
        };
        sample4(boxes[0].mem + rows[i].off, 100);
        assert_row(rows[i].what, (seal_one(p.a, &pkt, 1) == ESP_OK) == rows[i].ok);
    }
    pair_stop(&p);
}

static void cbc_ivs_look_random(void **state)
{
    struct pair p;
    uint8_t last[16] = { 0 };
    const struct suite_row cbc = { "CBC", ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128 };
    pair_init(&p, &cbc);
    p.spec.udp_encap = true;
    pair_start(&p);
    fill(20, 100);
    esp_seal_batch(p.a, pkts, 20, 1);
    for (size_t i = 0; i < 20; i++) {
        const uint8_t *iv = pkts[i]->buf + pkts[i]->off + ESP_HDR_SIZE;
        int differ = 0;
        for (int k = 0; k < 16; k++)
            differ += __builtin_popcount(iv[k] ^ last[k]);
        assert_in_range(differ, 30, 98); /* of 128 bits, 64 are expected */
        memcpy(last, iv, 16);
    }
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_follow_the_order),  cmocka_unit_test(bad_ones_use_no_number),
        cmocka_unit_test(nothing_leaves_in_standby), cmocka_unit_test(a_path_without_address_is_standby),
        cmocka_unit_test(room_is_checked),           cmocka_unit_test(cbc_ivs_look_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
