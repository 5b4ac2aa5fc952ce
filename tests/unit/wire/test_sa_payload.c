/* test_sa_payload.c - proposals, transforms, attributes. */
#include "wire_test.h"

static struct proposals got;

/* RFC 7296 s3.3: ENCR_AES_GCM_16 256, PRF_HMAC_SHA2_256, Curve25519, ADDKE1 ML-KEM-768 */
#define GCM256 "0300000c 01000014 800e0100"
#define PRF256 "03000008 02000005"
#define X25519 "03000008 0400001f"
#define MLKEM "00000008 06000024"
#define IKE_PROPOSAL "00000 02c 0101 0004" GCM256 PRF256 X25519 MLKEM

static void a_proposal_is_understood(void **state)
{
    struct rd in = rd_init(unhex(IKE_PROPOSAL));
    assert_true(sa_payload_get(&in, &got));
    assert_int_equal(got.n, 1);
    const struct proposal *p = &got.v[0];
    assert_true(p->num == 1 && p->proto == PROTO_IKE && p->spi_n == 0 && p->n == 4 && !p->unknown);
    static const struct transform expect[] = {
        { TT_ENCR, false, ENCR_AES_GCM_16, 256 },
        { TT_PRF, false, PRF_HMAC_SHA2_256, 0 },
        { TT_KE, false, KE_CURVE_25519, 0 },
        { TT_ADDKE1, false, KE_ML_KEM_768, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(expect); i++) {
        assert_int_equal(p->t[i].type, expect[i].type);
        assert_int_equal(p->t[i].id, expect[i].id);
        assert_int_equal(p->t[i].bits, expect[i].bits);
        assert_false(p->t[i].unusable);
    }
}

static void no_prefix_is_a_payload(void **state)
{
    uint8_t mem[128];
    struct adit_span all = unhex_to(mem, IKE_PROPOSAL);
    for (size_t n = 0; n < all.n; n++) {
        struct rd in = rd_init(guard_copy(span_first(all, n)));
        assert_false(sa_payload_get(&in, &got));
    }
}

static void bad_bodies_are_refused(void **state)
{
    static const struct {
        const char *what, *hex, *reason;
    } rows[] = {
        { "empty", "", "too short" },
        { "proposal length 7", "00000007 010100", "proposal length below 8" },
        { "proposal beyond the end", "00000009 01010000", "too short" },
        { "octets after the last", IKE_PROPOSAL "00", "octets left over" },
        { "more announced, none there", "02000008 01010000", "too short" },
        { "last-octet 1", "01000008 01010000", "last-substructure octet" },
        { "transform length 7", "0000000f 01010001 00000007 010000", "transform length below 8" },
        { "transform beyond the proposal", "00000010 01010001 00000009 01000014", "too short" },
        { "fewer transforms than counted", "00000010 01010002 03000008 02000005", "too short" },
        { "more transforms than counted", "00000018 01010001 03000008 02000005 00000008 02000005",
          "number of transforms" },
        { "last in the middle", "00000018 01010002 00000008 02000005 00000008 02000005",
          "number of transforms" },
        { "transform's last-octet 2", "00000018 01010002 02000008 02000005 00000008 02000005",
          "last-substructure octet" },
        { "octets after the transforms", "00000012 01010001 00000008 02000005 0000", "octets left over" },
        { "SPI beyond the proposal", "00000008 01030400", "too short" },
        { "attribute cut", "00000013 01010001 0000000b 01000014 800e01", "too short" },
        { "long attribute beyond the transform", "00000014 01010001 0000000c 01000014 000e0001",
          "too short" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, !sa_payload_get(&in, &got));
        assert_row(rows[i].what, strcmp(in.fail, rows[i].reason) == 0);
    }
}

static void odd_transforms_are_kept_apart(void **state)
{
    static const struct {
        const char *what, *hex;
        bool unusable, unknown;
        uint16_t bits;
    } rows[] = {
        { "no attribute", "00000010 01010001 00000008 0100001c", false, false, 0 },
        { "key length", "00000014 01010001 0000000c 01000014 800e0080", false, false, 128 },
        { "key length 0", "00000014 01010001 0000000c 01000014 800e0000", true, false, 0 },
        { "key length twice", "00000018 01010001 00000010 01000014 800e0080 800e0100", true, false, 128 },
        { "key length in the long form", "00000016 01010001 0000000e 01000014 000e0002 0080", true, false,
          0 },
        { "unknown attribute", "00000014 01010001 0000000c 01000014 80110080", true, false, 0 },
        { "unknown long attribute", "00000015 01010001 0000000d 01000014 40000001 99", true, false, 0 },
        { "unknown transform ID", "00000010 01010001 00000008 0100ffff", false, false, 0 },
        { "unknown transform type", "00000010 01010001 00000008 f1000001", false, true, 0 },
        { "transform type 0", "00000010 01010001 00000008 00000001", false, true, 0 },
        { "ADDKE7", "00000010 01010001 00000008 0c000024", false, false, 0 },
        { "type 13", "00000010 01010001 00000008 0d000001", false, true, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, sa_payload_get(&in, &got) && got.n == 1 && got.v[0].n == 1);
        assert_row(rows[i].what, got.v[0].unknown == rows[i].unknown);
        assert_row(rows[i].what,
                   got.v[0].t[0].unusable == rows[i].unusable && got.v[0].t[0].bits == rows[i].bits);
    }
}

static void spis_are_kept_up_to_8_octets(void **state)
{
    static const struct {
        const char *what, *hex;
        uint8_t spi_n;
        bool unknown;
    } rows[] = {
        { "ESP", "0000000c 01030400 01020304", 4, false },
        { "IKE rekey", "00000010 01010800 0102030405060708", 8, false },
        { "too long for anything", "00000011 01010900 010203040506070809", 0, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, sa_payload_get(&in, &got) && got.n == 1);
        assert_row(rows[i].what, got.v[0].spi_n == rows[i].spi_n && got.v[0].unknown == rows[i].unknown);
        assert_row(rows[i].what, memcmp(got.v[0].spi, "\1\2\3\4\5\6\7\x8", rows[i].spi_n) == 0);
    }
}

static void counts_are_limited(void **state)
{
    static uint8_t mem[4096];
    for (uint8_t n = 63; n <= 65; n++) { /* proposals */
        for (size_t i = 0; i < n; i++)
            memcpy(mem + i * 8, i + 1u == n ? "\0\0\0\x8\1\1\0\0" : "\2\0\0\x8\1\1\0\0", 8);
        struct rd in = rd_init(guard_copy(span(mem, n * 8u)));
        assert_int_equal(sa_payload_get(&in, &got), n <= PROPOSALS_MAX);
    }
    for (uint8_t n = 63; n <= 65; n++) { /* transforms */
        struct wr w;
        wr_init(&w, mem, sizeof(mem));
        wr_u16(&w, 0);
        wr_u16(&w, (uint16_t)(8 + n * 8));
        wr_u32(&w, 0x01010000u | n);
        for (uint8_t i = 0; i < n; i++)
            wr_span(&w, span(i + 1u == n ? "\0\0\0\x8\2\0\0\5" : "\3\0\0\x8\2\0\0\5", 8));
        struct rd in = rd_init(guard_copy(wr_written(&w)));
        assert_int_equal(sa_payload_get(&in, &got), n <= PROPOSAL_TRANSFORMS_MAX);
    }
}

static void as_much_room_as_proposals(void **state)
{
    static const struct {
        const char *what, *octets;
        size_t n, proposals;
    } rows[] = {
        { "nothing", "", 0, 1 },
        { "one", "\0\0\0\x8\1\1\0\0", 8, 2 },
        { "two", "\2\0\0\x8\1\1\0\0\0\0\0\x8\2\1\0\0", 16, 3 },
        { "the second cut short", "\2\0\0\x8\1\1\0\0\0\0\0", 11, 2 },
        { "too short a length", "\2\0\0\x7\1\1\0\0\0\0\0\x8\2\1\0\0", 16, 1 },
        { "too long a length", "\2\0\xff\xff\1\1\0\0\0\0\0\x8\2\1\0\0", 16, 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].what, sa_payload_room(span(rows[i].octets, rows[i].n)) ==
                                     offsetof(struct proposals, v) + rows[i].proposals * sizeof(struct proposal));
    uint8_t mem[100 * 8];
    for (size_t i = 0; i < sizeof(mem); i++)
        mem[i] = i % 8 == 3 ? 8 : i % 8 == 0 ? 2 : 0;
    assert_int_equal(sa_payload_room(SPAN_ARRAY(mem)),
                     offsetof(struct proposals, v) + PROPOSALS_MAX * sizeof(struct proposal));
}

static void random_proposal(uint32_t *x, struct proposal *p, uint8_t num)
{
    static const uint8_t spi_sizes[] = { 0, 4, 8 };
    *x = *x * 1664525 + 1013904223;
    *p = (struct proposal){ .num = num, .proto = (uint8_t)(1 + *x / 7 % 3), .spi_n = spi_sizes[*x / 64 % 3] };
    memset(p->spi, (int)(*x >> 9), p->spi_n);
    p->n = (uint8_t)(*x >> 20) % (PROPOSAL_TRANSFORMS_MAX + 1);
    for (uint8_t i = 0; i < p->n; i++) {
        *x = *x * 1664525 + 1013904223;
        p->t[i] = (struct transform){ .type = (uint8_t)(1 + *x / 5 % 12), .id = (uint16_t)(*x >> 8) };
        p->t[i].bits = *x >> 31 ? 0 : (uint16_t)(*x >> 12);
    }
}

static bool same_proposal(const struct proposal *a, const struct proposal *b)
{
    bool same = a->num == b->num && a->proto == b->proto && a->spi_n == b->spi_n && a->n == b->n;
    same = same && memcmp(a->spi, b->spi, a->spi_n) == 0 && !b->unknown;
    for (uint8_t i = 0; same && i < a->n; i++)
        same = a->t[i].type == b->t[i].type && a->t[i].id == b->t[i].id && a->t[i].bits == b->t[i].bits &&
               !b->t[i].unusable;
    return same;
}

static void what_is_put_is_got(void **state)
{
    static struct proposal sent[PROPOSALS_MAX];
    uint32_t x = 17;
    for (unsigned round = 0; round < 300; round++) {
        uint8_t n = (uint8_t)(1 + round % PROPOSALS_MAX);
        struct wr w;
        begin_message(&w);
        struct wr_mark mark = wr_payload(&w, PLD_SA);
        for (uint8_t i = 0; i < n; i++) {
            random_proposal(&x, &sent[i], (uint8_t)(i + 1));
            sa_proposal_put(&w, &sent[i], i + 1 == n);
        }
        wr_payload_end(&w, mark);
        struct rd in = only_payload(&w, PLD_SA);
        assert_true(sa_payload_get(&in, &got));
        assert_int_equal(got.n, n);
        for (uint8_t i = 0; i < n; i++)
            assert_true(same_proposal(&sent[i], &got.v[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proposal_is_understood),     cmocka_unit_test(no_prefix_is_a_payload),
        cmocka_unit_test(bad_bodies_are_refused),       cmocka_unit_test(odd_transforms_are_kept_apart),
        cmocka_unit_test(spis_are_kept_up_to_8_octets), cmocka_unit_test(counts_are_limited),
        cmocka_unit_test(what_is_put_is_got),           cmocka_unit_test(as_much_room_as_proposals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
