/* test_message.c - protection of messages with each algorithm, and what a message may consist of (RFC 7296 s3.2, s3.14;
 * RFC 5282). */
#include "core.h"

struct pair {
    struct ike *ike;
    struct ike_sa *i, *r;
    char what[80];
};

static void make_pair(struct pair *p, const struct encr_alg *a, uint16_t bits, const struct integ_alg *integ)
{
    p->ike = core_new();
    p->i = core_sa_with(p->ike, true, a->id, bits, integ ? integ->id : 0);
    p->r = core_sa_with(p->ike, false, a->id, bits, integ ? integ->id : 0);
    struct strbuf what = { p->what, 0, sizeof(p->what) };
    strbuf_addf(&what, "%s %u %s", a->name, bits, integ ? integ->name : "");
}

/* Each algorithm that may protect IKE, with each key length and each integrity algorithm that goes with it. */
static void with_each_suite(void (*test)(struct pair *p))
{
    struct ike *any = core_new();
    const struct adit_crypto *c = any->host.crypto;
    const struct encr_alg *a;
    unsigned tested = 0;
    for (size_t i = 0; (a = crypto_encr_at(c, i)); i++) {
        bool aead = a->kind == ENCR_KIND_AEAD;
        const struct integ_alg *integ = NULL;
        for (size_t m = 0; !a->esp_only && (aead ? m == 0 : (integ = crypto_integ_at(c, m)) != NULL); m++)
            for (size_t k = 0; k < ARRAY_LEN(a->key_sizes) && a->key_sizes[k]; k++) {
                struct pair p;
                make_pair(&p, a, a->has_bits ? (uint16_t)(a->key_sizes[k] * 8) : 0, integ);
                test(&p);
                core_free(p.ike);
                tested++;
            }
    }
    core_free(any);
    assert_true(tested >= 20);
}

static struct ike_hdr header(bool response)
{
    return (struct ike_hdr){ .spi_i = 0x0102030405060708,
                             .spi_r = 0x1112131415161718,
                             .version = IKE_VERSION,
                             .exchange = XCHG_INFORMATIONAL,
                             .msgid = 5,
                             .flags = response ? IKE_FLAG_RESPONSE : IKE_FLAG_INITIATOR };
}

static struct ike_wire *seal(struct ike_sa *sa, struct adit_span plain)
{
    struct ike_hdr h = header(!sa->is_initiator);
    struct ike_wire *w = NULL;
    assert_int_equal(msg_protect(sa, &h, PLD_NONCE, plain, &w), ADIT_OK);
    assert_int_equal(w->made, 1);
    return w;
}

static enum adit_rc open_at(struct ike_sa *sa, struct adit_span d, struct raw_msg *raw)
{
    struct ike_hdr h = header(sa->is_initiator);
    uint8_t digest[16];
    h.next = PLD_SK;
    return msg_unprotect(sa, &h, guard_copy(d), raw, digest);
}

static const uint8_t text[] = "forty octets of something to be protected";

static void comes_out_as_it_went_in(struct pair *p)
{
    for (size_t n = 0; n < sizeof(text); n++)
        for (int back = 0; back < 2; back++) {
            struct ike_wire *w = seal(back ? p->r : p->i, span(text, n));
            struct adit_span d = w->datagrams[0];
            struct rd in = rd_init(d);
            struct ike_hdr h;
            struct raw_msg raw = { 0 };
            assert_row(p->what, ike_hdr_get(&in, &h) && h.next == PLD_SK && h.length == d.n);
            assert_row(p->what, d.n == IKE_HDR_SIZE + 4 + n + sa_seal_overhead(p->i, n));
            assert_row(p->what, open_at(back ? p->i : p->r, d, &raw) == ADIT_OK);
            assert_row(p->what, raw.first == PLD_NONCE && span_equal(raw.plain, span(text, n)));
            assert_row(p->what, open_at(back ? p->r : p->i, d, &raw) == ADIT_ERR_INTEGRITY); /* reflected */
            wire_unref(w);
        }
}

static void opens_with_each_suite(void **state)
{
    with_each_suite(comes_out_as_it_went_in);
}

static void each_octet_counts(struct pair *p)
{
    uint8_t copy[400];
    struct raw_msg raw = { 0 };
    struct ike_wire *w = seal(p->i, SPAN_ARRAY(text));
    struct adit_span d = w->datagrams[0];
    for (size_t at = 0; at < d.n; at++)
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            bool length = at == IKE_HDR_SIZE + 2 || at == IKE_HDR_SIZE + 3;
            span_copy(copy, d);
            copy[at] ^= (uint8_t)bit;
            assert_row(p->what,
                       open_at(p->r, span(copy, d.n), &raw) == (length ? ADIT_ERR_DROP : ADIT_ERR_INTEGRITY));
        }
    assert_row(p->what, open_at(p->r, d, &raw) == ADIT_OK); /* and none of it did harm */
    wire_unref(w);
}

static void a_changed_octet_is_noticed_with_each_suite(void **state)
{
    with_each_suite(each_octet_counts);
}

static void shorter_never_opens(struct pair *p)
{
    uint8_t copy[400];
    struct raw_msg raw = { 0 };
    struct ike_wire *w = seal(p->i, SPAN_ARRAY(text));
    struct adit_span d = w->datagrams[0];
    for (size_t n = 0; n < d.n; n++) {
        assert_row(p->what, open_at(p->r, span_first(d, n), &raw) == ADIT_ERR_DROP);
        if (n < IKE_HDR_SIZE + 4)
            continue;
        span_copy(copy, d);
        copy[IKE_HDR_SIZE + 2] = 0;
        copy[IKE_HDR_SIZE + 3] = (uint8_t)(n - IKE_HDR_SIZE); /* the length says the same */
        enum adit_rc rc = open_at(p->r, span(copy, n), &raw);
        assert_row(p->what, rc == ADIT_ERR_DROP || rc == ADIT_ERR_INTEGRITY);
    }
    wire_unref(w);
}

static void a_cut_message_never_opens(void **state)
{
    with_each_suite(shorter_never_opens);
}

/* Two messages of the same content never share their IV: the counter goes on, and CBC's can't be foreseen. */
static void ivs_differ(struct pair *p)
{
    struct adit_span iv[8];
    struct ike_wire *w[8];
    for (size_t i = 0; i < ARRAY_LEN(w); i++) {
        w[i] = seal(p->i, SPAN_ARRAY(text));
        iv[i] = span(w[i]->datagrams[0].p + IKE_HDR_SIZE + 4, sa_encr(p->i)->iv);
        for (size_t k = 0; k < i; k++)
            assert_row(p->what, iv[i].n && !span_equal(iv[i], iv[k]));
    }
    for (size_t i = 0; i < ARRAY_LEN(w); i++)
        wire_unref(w[i]);
}

static void no_iv_is_used_twice(void **state)
{
    with_each_suite(ivs_differ);
}

/* What sa_seal would never write, under the right key: `tail` padding and its length. */
static struct ike_wire *seal_padded(struct ike_sa *sa, struct adit_span whole)
{
    const struct encr_alg *a = sa_encr(sa);
    struct ike_wire *first = seal(sa, SPAN_NONE); /* makes the context */
    size_t n = IKE_HDR_SIZE + 4 + a->iv + whole.n + a->icv;
    struct ike_wire *w = wire_new(1, n);
    struct ike_hdr h = header(!sa->is_initiator);
    struct wr out;
    wire_unref(first);
    h.next = PLD_SK;
    h.length = (uint32_t)n;
    wr_init(&out, wire_next(w, n), n);
    ike_hdr_put(&out, &h);
    wr_u16(&out, PLD_NONCE << 8);
    wr_u16(&out, (uint16_t)(n - IKE_HDR_SIZE));
    uint8_t *iv = wr_space(&out, a->iv), *data = wr_space(&out, whole.n), *icv = wr_space(&out, a->icv);
    crypt_iv(sa->sealer, sa->iv++, iv);
    span_copy(data, whole);
    struct crypt_job job = {
        .data = data, .n = (uint32_t)whole.n, .iv = iv, .aad = out.p, .aad_n = IKE_HDR_SIZE + 4, .icv = icv
    };
    crypt_seal_many(sa->sealer, &job, 1);
    assert_true(job.ok);
    wire_close(w, n);
    return w;
}

static void padding_is_taken_off(void **state)
{
    static const struct {
        const char *what;
        uint8_t whole[6];
        size_t n;
        enum adit_rc rc;
        size_t plain;
    } rows[] = {
        { "no padding", "abc\0", 4, ADIT_OK, 3 },
        { "only a length", "\0", 1, ADIT_OK, 0 },
        { "one octet, not zero", "ab\x7\x1", 4, ADIT_OK, 2 },
        { "nothing but padding", "\x1\x2\x3\x3", 4, ADIT_OK, 0 },
        { "one more than there is", "\x1\x2\x3\x4", 4, ADIT_ERR_MALFORMED, 0 },
        { "much more", "abc\xff", 4, ADIT_ERR_MALFORMED, 0 },
    };
    struct ike *ike = core_new();
    struct ike_sa *i = core_sa(ike, true), *r = core_sa(ike, false);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct raw_msg raw = { 0 };
        struct ike_wire *w = seal_padded(i, span(rows[k].whole, rows[k].n));
        assert_row(rows[k].what, open_at(r, w->datagrams[0], &raw) == rows[k].rc);
        assert_row(rows[k].what,
                   rows[k].rc != ADIT_OK || span_equal(raw.plain, span(rows[k].whole, rows[k].plain)));
        wire_unref(w);
    }
    core_free(ike);
}

static void only_sk_is_taken_under_keys(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *i = core_sa(ike, true), *r = core_sa(ike, false);
    struct ike_wire *w = seal(i, SPAN_ARRAY(text));
    struct ike_hdr h = header(false);
    struct raw_msg raw = { 0 };
    uint8_t digest[16];
    for (unsigned next = 0; next < 256; next++) {
        h.next = (uint8_t)next;
        enum adit_rc rc = msg_unprotect(r, &h, w->datagrams[0], &raw, digest);
        assert_true(next == PLD_SK ? rc == ADIT_OK : rc != ADIT_OK && rc != ADIT_WAIT);
    }
    wire_unref(w);
    core_free(ike);
}

static void too_long_is_refused(void **state)
{
    static uint8_t much[IKE_MESSAGE_MAX];
    struct ike *ike = core_new();
    struct ike_sa *i = core_sa(ike, true);
    struct ike_hdr h = header(false);
    struct ike_wire *w = NULL;
    size_t most = IKE_MESSAGE_MAX - IKE_HDR_SIZE - 4 - sa_seal_overhead(i, 0);
    assert_int_equal(msg_protect(i, &h, PLD_NONCE, span(much, most + 1), &w), ADIT_ERR_LIMIT);
    assert_null(w);
    assert_int_equal(msg_protect(i, &h, PLD_NONCE, span(much, most), &w), ADIT_OK);
    assert_int_equal(w->datagrams[0].n, IKE_MESSAGE_MAX);
    wire_unref(w);
    core_free(ike);
}

static void without_memory_nothing_is_sealed_or_opened(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *i = core_sa(ike, true), *r = core_sa(ike, false);
    struct ike_hdr h = header(false);
    enum adit_rc rc = ADIT_ERR_MEMORY;
    struct ike_wire *w = NULL;
    for (unsigned n = 0; rc != ADIT_OK; n++) {
        unsigned left = n;
        assert_true(n < 100);
        assert_null(w);
        sa_drop_crypts(i);
        mem_set_gate(gate_countdown, &left);
        rc = msg_protect(i, &h, PLD_NONCE, SPAN_ARRAY(text), &w);
        mem_set_gate(NULL, NULL);
        assert_true(rc == ADIT_OK || rc == ADIT_ERR_MEMORY);
    }
    rc = ADIT_ERR_MEMORY;
    for (unsigned n = 0; rc != ADIT_OK; n++) {
        struct raw_msg raw = { 0 };
        unsigned left = n;
        assert_true(n < 100);
        mem_set_gate(gate_countdown, &left);
        rc = open_at(r, w->datagrams[0], &raw);
        mem_set_gate(NULL, NULL);
        assert_true(rc == ADIT_OK || rc == ADIT_ERR_MEMORY);
    }
    wire_unref(w);
    core_free(ike);
}

/* --- the index of payloads -------------------------------------------------------------------------------------- */

static struct ike_sa nobody; /* has agreed on nothing */

static enum adit_rc index_of(struct ike_xchg *x, uint8_t first, struct adit_span chain)
{
    struct ike_hdr h = header(false);
    struct adit_why why = { 0 };
    *x = (struct ike_xchg){ .sa = &nobody };
    enum adit_rc rc = msg_index(x, &h, first, guard_copy(chain), &why);
    assert_true(rc == ADIT_OK || why.text[0]);
    return rc;
}

static void what_a_message_may_hold(void **state)
{
    static const struct {
        const char *what;
        uint8_t first;
        const char *chain;
        size_t n;
        enum adit_rc rc;
        uint16_t payloads;
    } rows[] = {
#define ROW(what, first, chain, rc, payloads) { what, first, chain, sizeof(chain) - 1, rc, payloads }
        ROW("nothing", 0, "", ADIT_OK, 0),
        ROW("one", PLD_NONCE, "\0\0\0\6ab", ADIT_OK, 1),
        ROW("a length below 4", PLD_NONCE, "\0\0\0\3", ADIT_ERR_MALFORMED, 0),
        ROW("a length beyond the end", PLD_NONCE, "\0\0\0\7ab", ADIT_ERR_MALFORMED, 0),
        ROW("half a header", PLD_NONCE, "\0\0", ADIT_ERR_MALFORMED, 0),
        ROW("a successor that is not there", PLD_NONCE, "\x28\0\0\4", ADIT_ERR_MALFORMED, 0),
        ROW("octets after the end", PLD_NONCE, "\0\0\0\4x", ADIT_ERR_MALFORMED, 0),
        ROW("unknown", 200, "\0\0\0\5x", ADIT_OK, 1),
        ROW("unknown and critical", 200, "\0\x80\0\5x", ADIT_ERR_CRITICAL, 0),
        ROW("unknown and critical, second", PLD_NONCE, "\xc8\0\0\4\0\x80\0\4", ADIT_ERR_CRITICAL, 0),
        ROW("known and critical: the bit says nothing", PLD_NONCE, "\0\x80\0\5x", ADIT_OK, 1),
        ROW("reserved bits", PLD_NONCE, "\0\x7f\0\5x", ADIT_OK, 1),
        ROW("notify", PLD_NOTIFY, "\0\0\0\x8\0\0\x40\0", ADIT_OK, 1),
        ROW("notify twice", PLD_NOTIFY, "\x29\0\0\x8\0\0\x40\0\0\0\0\x8\0\0\x40\0", ADIT_OK, 2),
        ROW("notify too short", PLD_NOTIFY, "\0\0\0\7\0\0\x40", ADIT_ERR_MALFORMED, 0),
        ROW("notify with an SPI longer than it", PLD_NOTIFY, "\0\0\0\xa\3\4\x40\0ab", ADIT_ERR_MALFORMED, 0),
        ROW("nonce twice", PLD_NONCE, "\x28\0\0\5x\0\0\0\5x", ADIT_ERR_MALFORMED, 0),
        ROW("SA twice", PLD_SA, "\x21\0\0\4\0\0\0\4", ADIT_ERR_MALFORMED, 0),
        ROW("KE twice", PLD_KE, "\x22\0\0\4\0\0\0\4", ADIT_ERR_MALFORMED, 0),
        ROW("IDi twice", PLD_IDi, "\x23\0\0\4\0\0\0\4", ADIT_ERR_MALFORMED, 0),
        ROW("IDr twice", PLD_IDr, "\x24\0\0\4\0\0\0\4", ADIT_ERR_MALFORMED, 0),
        ROW("AUTH twice", PLD_AUTH, "\x27\0\0\4\0\0\0\4", ADIT_ERR_MALFORMED, 0),
        ROW("TSi twice", PLD_TSi, "\x2c\0\0\4\0\0\0\4", ADIT_ERR_MALFORMED, 0),
        ROW("TSr twice", PLD_TSr, "\x2d\0\0\4\0\0\0\4", ADIT_ERR_MALFORMED, 0),
        ROW("TSi and TSr", PLD_TSi, "\x2d\0\0\4\0\0\0\4", ADIT_OK, 2),
        ROW("CERT twice", PLD_CERT, "\x25\0\0\4\0\0\0\4", ADIT_OK, 2),
        ROW("CERTREQ twice", PLD_CERTREQ, "\x26\0\0\4\0\0\0\4", ADIT_OK, 2),
        ROW("Delete twice", PLD_DELETE, "\x2a\0\0\4\0\0\0\4", ADIT_OK, 2),
        ROW("Vendor ID twice", PLD_VENDOR, "\x2b\0\0\4\0\0\0\4", ADIT_OK, 2),
#undef ROW
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_xchg x;
        assert_row(rows[i].what, index_of(&x, rows[i].first, span(rows[i].chain, rows[i].n)) == rows[i].rc);
        assert_row(rows[i].what, rows[i].rc != ADIT_OK || x.msg.n == rows[i].payloads);
        if (rows[i].rc == ADIT_ERR_CRITICAL)
            assert_row(rows[i].what, x.reply_data.n == 1 && x.reply_data.p[0] == 200);
        arena_fini(&x.arena);
    }
}

static void the_index_is_of_its_own_copy(void **state)
{
    uint8_t chain[] = "\x29\0\0\6ab\0\0\0\x0a\0\0\x40\4\7\7";
    struct ike_hdr h = header(false);
    struct ike_xchg x = { .sa = &nobody };
    struct adit_why why;
    struct notify n;
    uint16_t at = 0;
    assert_int_equal(msg_index(&x, &h, PLD_NONCE, span(chain, sizeof(chain) - 1), &why), ADIT_OK);
    mem_wipe(chain, sizeof(chain));
    assert_true(span_equal(msg_find(&x.msg, PLD_NONCE)->body, SPAN_LIT("ab")));
    assert_null(msg_find(&x.msg, PLD_KE));
    assert_true(msg_notify(&x.msg, 0x4004, &n) && span_equal(n.data, SPAN_LIT("\7\7")));
    assert_false(msg_notify(&x.msg, 0x4005, &n));
    assert_true(msg_next_notify(&x.msg, &at, &n) && !msg_next_notify(&x.msg, &at, &n));
    arena_fini(&x.arena);
}

static void without_memory_there_is_no_index(void **state)
{
    enum adit_rc rc = ADIT_ERR_MEMORY;
    for (unsigned n = 0; rc != ADIT_OK; n++) {
        struct ike_xchg x;
        unsigned left = n;
        assert_true(n < 10);
        mem_set_gate(gate_countdown, &left);
        rc = index_of(&x, PLD_NONCE, SPAN_LIT("\0\0\0\6ab"));
        mem_set_gate(NULL, NULL);
        assert_true(rc == ADIT_OK || rc == ADIT_ERR_MEMORY);
        arena_fini(&x.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_with_each_suite),
        cmocka_unit_test(a_changed_octet_is_noticed_with_each_suite),
        cmocka_unit_test(a_cut_message_never_opens),
        cmocka_unit_test(no_iv_is_used_twice),
        cmocka_unit_test(padding_is_taken_off),
        cmocka_unit_test(only_sk_is_taken_under_keys),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(without_memory_nothing_is_sealed_or_opened),
        cmocka_unit_test(what_a_message_may_hold),
        cmocka_unit_test(the_index_is_of_its_own_copy),
        cmocka_unit_test(without_memory_there_is_no_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
