/* test_esp.c - the ESP format against published and computed packets, both ways and to the octet; every suite there and
 * back; every altered bit is noticed. */
#include "esp_fixture.h"
#include "wire/esp_hdr.h"

#define INNER "450000211234000040117c61c0000201c633640212345678000d000068656c6c6f"

/* From the plain rules by an independent implementation (python-cryptography), key 00..1f, salt a0a1a2a3;
 * CBC: integrity key 40..5f. The ChaCha20-Poly1305 row is RFC 7634 Appendix A. */
static const struct vector {
    const char *what;
    struct suite_row suite;
    bool esn;
    uint32_t spi;
    uint64_t seq;
    const char *key, *integ, *inner, *packet;
} vectors[] = {
    { "GCM256",
      { "", ENCR_AES_GCM_16, 256, 0 },
      false,
      SPI_A,
      1,
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2a3",
      "",
      INNER,
      "11223344000000010000000000000001 f5afb8af7e40c6b45bcbd10bbb6b0f8b8b29fd5f7a544a55a9d88d5e469b4bff84ff2a1a"
      "4a2fbea527d32d401c67a6c8b0f7e9b8" },
    { "GCM256 ESN",
      { "", ENCR_AES_GCM_16, 256, 0 },
      true,
      SPI_A,
      UINT64_C(0x100000005),
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2a3",
      "",
      INNER,
      "11223344000000050000000100000005 96c6364d7b385230844008a4c4fd77e279274b7135982df8af7a34327c97011a7594cd51"
      "cd9a875f27d68faf18687fa2de7678c8" },
    { "GCM256 implicit IV, ESN",
      { "", ENCR_AES_GCM_16_IIV, 256, 0 },
      true,
      SPI_A,
      UINT64_C(0x100000005),
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2a3",
      "",
      INNER,
      "1122334400000005 96c6364d7b385230844008a4c4fd77e279274b7135982df8af7a34327c97011a7594cd51"
      "cd9a875f27d68faf18687fa2de7678c8" },
    { "GCM256 implicit IV",
      { "", ENCR_AES_GCM_16_IIV, 256, 0 },
      false,
      SPI_A,
      1,
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2a3",
      "",
      INNER,
      "1122334400000001 f5afb8af7e40c6b45bcbd10bbb6b0f8b8b29fd5f7a544a55a9d88d5e469b4bff84ff2a1a"
      "4a2fbea527d32d401c67a6c8b0f7e9b8" },
    { "CCM256-8 implicit IV",
      { "", ENCR_AES_CCM_8_IIV, 256, 0 },
      false,
      SPI_A,
      UINT64_C(0xfffffffe),
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2",
      "",
      INNER,
      "11223344fffffffe b2cb6e56c761fd9d8526b2aaf5b9077b69535fdbe2d50811713634c853566ff392597108d1"
      "cd4d79f22f1642" },
    { "ChaCha20-Poly1305 implicit IV",
      { "", ENCR_CHACHA20_POLY1305_IIV, 0, 0 },
      false,
      SPI_A,
      UINT64_C(0xfffffffe),
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2a3",
      "",
      INNER,
      "11223344fffffffe 551043b76f3903abe5b4e9ced03a9d661f5865d577599ebc0df5865393a240825c0c2daa5c"
      "629b89482bc52bf8f6f40b3af78d34" },
    { "CCM256-8 implicit IV, ESN",
      { "", ENCR_AES_CCM_8_IIV, 256, 0 },
      true,
      SPI_A,
      UINT64_C(0x100000005),
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2",
      "",
      INNER,
      "1122334400000005 639fc1e522454bcf876639f8f74eb9eff6e0704e47abd096f460d9d5e9e56fbc8fa15f39b2"
      "b39d4e0612f6fb" },
    { "ChaCha20-Poly1305 implicit IV, ESN",
      { "", ENCR_CHACHA20_POLY1305_IIV, 0, 0 },
      true,
      SPI_A,
      UINT64_C(0x100000005),
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2a3",
      "",
      INNER,
      "1122334400000005 245616e7852bd5724c6e48e1d92f6050de9a5cb547f1d749d72c4e57fd40c3951b709521be"
      "48a0c2b2bb58532af80a0d5419ecb5" },
    { "CCM256-16",
      { "", ENCR_AES_CCM_16, 256, 0 },
      false,
      SPI_A,
      1,
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2",
      "",
      INNER,
      "11223344000000010000000000000001 7d1b173b64b7827843dc77fe1ed3e5693aefd21f1fbe8574f5bc2019deb6de3a0ea43fc0"
      "d32780686a142b86aeee31d5dc6da9f0" },
    { "GMAC256",
      { "", ENCR_NULL_AES_GMAC, 256, 0 },
      false,
      SPI_A,
      1,
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fa0a1a2a3",
      "",
      INNER,
      "11223344000000010000000000000001" INNER "0101044a19100a0fdf4d1572bf9425726e41d4" },
    { "CBC256 + SHA2-256",
      { "", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128 },
      false,
      SPI_A,
      1,
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
      "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
      INNER,
      "1122334400000001101112131415161718191a1b1c1d1e1f a5ebfbcb05568649d64c87bdb2de8a915ec0b28373dd3e28c3d457bb83be"
      "4388b88db762ccc7415980ec2c7eae2a5a3b a409c977b5af43a4ac8cf944c62aba42" },
    { "CBC256 + SHA2-256 ESN",
      { "", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128 },
      true,
      SPI_A,
      UINT64_C(0x100000005),
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
      "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
      INNER,
      "1122334400000005101112131415161718191a1b1c1d1e1f a5ebfbcb05568649d64c87bdb2de8a915ec0b28373dd3e28c3d457bb83be"
      "4388b88db762ccc7415980ec2c7eae2a5a3b 4465b5f1516cc848e8875872f2ae4c8e" },
    { "RFC 7634 Appendix A",
      { "", ENCR_CHACHA20_POLY1305, 0, 0 },
      false,
      0x01020304,
      5,
      "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3",
      "",
      "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f10111213141516171819"
      "1a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
      "01020304000000051011121314151617 24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d528"
      "44eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da9165b82829f641e0"
      "76aaa8266b7fb0f7b11b369907e1ad43" },
};

static struct esp_sa *vector_sa(const struct vector *v)
{
    static uint8_t key[64], integ[64];
    struct pair p;
    pair_init(&p, &v->suite);
    p.spec.out = (struct adit_sa_keys){ v->spi, span(key, unhex(key, v->key)),
                                        span(integ, unhex(integ, v->integ)) };
    p.spec.in = p.spec.out;
    p.spec.suite.sn = v->esn ? SN_64_BIT_PARTIAL : SN_32_BIT;
    p.spec.udp_encap = true;
    p.spec.local_ts = p.local;
    p.spec.remote_ts = p.remote;
    return sa_start(&p.spec);
}

/* By the same function as all packets, but with the vector's IV, which is not what our counter would give. */
static void vectors_are_sealed(void **state)
{
    static struct box box;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct esp_sa *sa = vector_sa(v);
        uint8_t inner[128], packet[256];
        struct esp_pkt *pkt = box_fill(&box, span(inner, unhex(inner, v->inner)));
        size_t n = unhex(packet, v->packet);
        struct esp_frame f = { .pkt = pkt, .payload = pkt->buf + pkt->off, .n = pkt->len, .next_header = 4 };
        struct crypt_job job;
        f.seq = v->seq;
        assert_non_null(esp_half_crypt(sa, &sa->out, true));
        esp_proto_esp.seal(sa, &f, &job);
        span_copy(pkt->buf + pkt->off + ESP_HDR_SIZE, span(packet + ESP_HDR_SIZE, sa->iv));
        crypt_seal_many(sa->out.crypt, &job, 1);
        assert_row(v->what, job.ok && span_equal(pkt_span(pkt), span(packet, n)));
        esp_sa_free(sa);
    }
}

/* Where the counter is the IV, the whole path gives the vector. */
static void counters_give_the_vectors(void **state)
{
    static struct box box;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const struct vector *v = &vectors[i];
        if (v->suite.encr == ENCR_AES_CBC || v->spi != SPI_A)
            continue;
        struct esp_sa *sa = vector_sa(v);
        uint8_t inner[128], packet[256];
        struct esp_pkt *pkt = box_fill(&box, span(inner, unhex(inner, v->inner)));
        size_t n = unhex(packet, v->packet);
        sa->seq = v->seq - 1;
        assert_row(v->what, seal_one(sa, pkt, 1) == ESP_OK);
        assert_row(v->what, span_equal(pkt_span(pkt), span(packet, n)));
        esp_sa_free(sa);
    }
}

static void vectors_are_opened(void **state)
{
    static struct box box;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct esp_sa *sa = vector_sa(v);
        struct esp_table *t = esp_table_new(5);
        uint8_t inner[128], packet[256];
        size_t n = unhex(inner, v->inner);
        struct esp_pkt *pkt = box_fill(&box, span(packet, unhex(packet, v->packet)));
        assert_int_equal(esp_table_add(t, sa), ADIT_OK);
        sa->window.top = v->seq - 1;
        assert_row(v->what, open_one(t, pkt, 1) == ESP_OK);
        assert_row(v->what, span_equal(pkt_span(pkt), span(inner, n)));
        assert_row(v->what, sa->window.top == v->seq);
        esp_table_free(t);
        esp_sa_free(sa);
    }
}

/* Each suite x extended numbers x family, all short sizes: what comes out is what went in. */
static void every_suite_goes_there_and_back(void **state)
{
    static struct box box;
    uint8_t inner[256];
    for (size_t i = 0; i < ARRAY_LEN(suites) * 8; i++) {
        const struct suite_row *s = &suites[i / 8];
        struct pair p;
        pair_init(&p, s);
        p.spec.suite.sn = i & 1 ? SN_64_BIT_PARTIAL : SN_32_BIT;
        p.spec.udp_encap = i & 2;
        pair_start(&p);
        if (i & 1)
            p.a->seq = p.b->window.top = UINT64_C(0x1fffffff0); /* the low half wraps on the way */
        for (size_t size = 48; size < 90; size++) {
            size_t n = i & 4 ? sample6(inner, size) : sample4(inner, size);
            struct esp_pkt *pkt = box_fill(&box, span(inner, n));
            assert_row(s->what, seal_one(p.a, pkt, 1) == ESP_OK);
            if (!p.spec.udp_encap)
                strip_outer(pkt);
            assert_row(s->what, open_one(p.at_b, pkt, 1) == ESP_OK);
            assert_row(s->what, span_equal(pkt_span(pkt), span(inner, n)));
        }
        pair_stop(&p);
    }
}

/* RFC 8750: what the implicit IV is for. */
static void implicit_ivs_save_eight_octets(void **state)
{
    static const struct suite_row rows[][2] = {
        { { "GCM", ENCR_AES_GCM_16, 256, 0 }, { "GCM IIV", ENCR_AES_GCM_16_IIV, 256, 0 } },
        { { "CCM", ENCR_AES_CCM_8, 128, 0 }, { "CCM IIV", ENCR_AES_CCM_8_IIV, 128, 0 } },
        { { "ChaCha", ENCR_CHACHA20_POLY1305, 0, 0 }, { "ChaCha IIV", ENCR_CHACHA20_POLY1305_IIV, 0, 0 } },
    };
    static struct box box;
    uint8_t inner[128];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t n[2];
        for (unsigned implicit = 0; implicit < 2; implicit++) {
            struct pair p;
            pair_init(&p, &rows[i][implicit]);
            p.spec.udp_encap = true;
            pair_start(&p);
            struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, 100)));
            assert_row(rows[i][implicit].what, seal_one(p.a, pkt, 1) == ESP_OK);
            n[implicit] = pkt->len;
            pair_stop(&p);
        }
        assert_row(rows[i][0].what, n[1] == n[0] - 8);
    }
}

/* 512 packets around 2^32, a third of them lost, the rest out of order within the window, some sent twice: those that
 * arrive are opened once. */
#define ROLL_N 512
static void roll_over(struct esp_sa *from, struct esp_sa *to, struct esp_table *at, uint64_t seed)
{
    static struct box boxes[ROLL_N], again;
    uint8_t inner[64];
    size_t order[ROLL_N], n = 0;
    from->seq = to->window.top = (UINT64_C(1) << 32) - ROLL_N / 2;
    for (size_t i = 0; i < ROLL_N; i++) {
        assert_int_equal(seal_one(from, box_fill(&boxes[i], span(inner, sample4(inner, 60))), 1), ESP_OK);
        if (next_random(&seed) % 3)
            order[n++] = i;
    }
    for (size_t i = 0; i < n; i++) { /* within runs of 20 */
        size_t left = 20 - i % 20, k = i + next_random(&seed) % (n - i < left ? n - i : left), swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
    for (size_t i = 0; i < n; i++) {
        struct esp_pkt *copy = box_fill(&again, pkt_span(&boxes[order[i]].pkt));
        assert_int_equal(open_one(at, &boxes[order[i]].pkt, 1), ESP_OK);
        assert_int_equal(open_one(at, copy, 1), ESP_REPLAY);
    }
    assert_true(n > ROLL_N / 2 && to->window.top >> 32 == 1 && from->seq >> 32 == 1);
}

static void extended_numbers_roll_over_both_ways(void **state)
{
    static const struct suite_row rows[] = { { "GCM", ENCR_AES_GCM_16, 256, 0 },
                                             { "GCM IIV", ENCR_AES_GCM_16_IIV, 256, 0 },
                                             { "CBC", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128 } };
    for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
        struct pair p;
        pair_init(&p, &rows[i / 2]);
        p.spec.udp_encap = true;
        p.spec.suite.sn = SN_64_BIT_PARTIAL;
        p.spec.replay_window = i & 1 ? 64 : 4096;
        pair_start(&p);
        roll_over(p.a, p.b, p.at_b, i);
        roll_over(p.b, p.a, p.at_a, i + 100);
        pair_stop(&p);
    }
}

/* Nothing but the packet itself passes, and what fails leaves the window as it was. */
static void every_altered_bit_is_noticed(void **state)
{
    static struct box box, bad;
    uint8_t inner[64];
    for (size_t i = 0; i < ARRAY_LEN(suites) * 2; i++) {
        struct pair p;
        pair_init(&p, &suites[i / 2]);
        p.spec.udp_encap = true;
        p.spec.suite.sn = i & 1 ? SN_64_BIT_PARTIAL : SN_32_BIT;
        pair_start(&p);
        p.a->seq = p.b->window.top = UINT64_C(5) << (i & 1 ? 33 : 3);
        struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, 40)));
        assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
        struct replay before = p.b->window;
        for (size_t bit = 0; bit < pkt->len * 8; bit++) {
            struct esp_pkt *copy = box_fill(&bad, pkt_span(pkt));
            copy->buf[copy->off + bit / 8] ^= (uint8_t)(1 << bit % 8);
            enum esp_verdict v = open_one(p.at_b, copy, 1);
            assert_row(suites[i / 2].what,
                       v == ESP_INTEGRITY || (bit < 32 && v == ESP_NO_SA) || (bit < 64 && v == ESP_REPLAY));
            assert_row(suites[i / 2].what, p.b->window.top == before.top && p.b->in.packets == 0);
        }
        assert_row(suites[i / 2].what, open_one(p.at_b, pkt, 1) == ESP_OK);
        pair_stop(&p);
    }
}

static void truncated_packets_are_malformed_or_forged(void **state)
{
    static struct box box, cut;
    uint8_t inner[64];
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        struct pair p;
        pair_init(&p, &suites[i]);
        p.spec.udp_encap = true;
        pair_start(&p);
        struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, 40)));
        assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
        uint32_t least = ESP_HDR_SIZE + p.b->iv + 2u + p.b->icv;
        for (uint32_t n = 0; n < pkt->len; n++) {
            struct esp_pkt *copy = box_fill(&cut, span_first(pkt_span(pkt), n));
            enum esp_verdict v = open_one(p.at_b, copy, 1);
            assert_row(suites[i].what,
                       n < least ? v == ESP_MALFORMED : v == ESP_INTEGRITY || v == ESP_MALFORMED);
        }
        pair_stop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_sealed),
        cmocka_unit_test(counters_give_the_vectors),
        cmocka_unit_test(vectors_are_opened),
        cmocka_unit_test(every_suite_goes_there_and_back),
        cmocka_unit_test(implicit_ivs_save_eight_octets),
        cmocka_unit_test(extended_numbers_roll_over_both_ways),
        cmocka_unit_test(every_altered_bit_is_noticed),
        cmocka_unit_test(truncated_packets_are_malformed_or_forged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
