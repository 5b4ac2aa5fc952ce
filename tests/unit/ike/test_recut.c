/* test_recut.c - a message cut anew is the same message, also by keys that are no longer the SA's (RFC 7383 s2.5.2). */
#include "core.h"

struct pair {
    struct ike *ike;
    struct ike_sa *i, *r;
};

static void both_cut(struct ike_sa *sa)
{
    sa->announced_me = sa->announced_peer = 1u << EXT_frag;
    sa->next_expect = 5;
}

static struct pair made(uint16_t encr, uint16_t bits, uint16_t integ)
{
    struct pair p = { .ike = core_new() };
    p.i = core_sa_with(p.ike, true, encr, bits, integ);
    p.r = core_sa_with(p.ike, false, encr, bits, integ);
    both_cut(p.i);
    both_cut(p.r);
    return p;
}

static struct ike_wire *sealed(struct ike_sa *sa, size_t n)
{
    struct ike_hdr h = { .spi_i = 1, .spi_r = 2, .version = IKE_VERSION, .exchange = XCHG_INFORMATIONAL, .msgid = 5,
                         .flags = sa->is_initiator ? IKE_FLAG_INITIATOR : IKE_FLAG_RESPONSE };
    uint8_t plain[3000];
    struct ike_wire *w = NULL;
    for (size_t i = 0; i < n; i++)
        plain[i] = (uint8_t)(i * 7);
    assert_int_equal(msg_protect(sa, &h, PLD_NONCE, span(plain, n), &w), ADIT_OK);
    return w;
}

/* The other end has all of it, octet for octet. */
static void arrives(struct ike_sa *at, const struct ike_wire *w, size_t n)
{
    struct raw_msg raw = { 0 };
    uint8_t digest[16];
    for (unsigned i = 0; i < w->made; i++) {
        struct rd in = rd_init(w->datagrams[i]);
        struct ike_hdr hdr;
        assert_true(ike_hdr_get(&in, &hdr));
        enum adit_rc rc = msg_unprotect(at, &hdr, w->datagrams[i], &raw, digest);
        assert_int_equal(rc, i + 1u < w->made ? ADIT_WAIT : ADIT_OK);
    }
    assert_int_equal(raw.first, PLD_NONCE);
    assert_int_equal(raw.plain.n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(raw.plain.p[i], (uint8_t)(i * 7));
}

static void the_message_stays_the_same(void **state)
{
    static const struct {
        const char *what;
        uint16_t encr, bits, integ;
        size_t n;
        unsigned before;
    } rows[] = {
        { "fragments", ENCR_AES_GCM_16, 256, 0, 3000, 3 },
        { "a whole one", ENCR_AES_GCM_16, 128, 0, 1000, 1 },
        { "with padding, and an ICV of its own", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128, 2000, 2 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p = made(rows[i].encr, rows[i].bits, rows[i].integ);
        struct ike_wire *w = sealed(p.i, rows[i].n);
        assert_row(rows[i].what, w->made == rows[i].before);
        assert_row(rows[i].what, msg_recut(p.i, &w, false) && w->made > rows[i].before);
        for (unsigned k = 0; k < w->made; k++)
            assert_row(rows[i].what, w->datagrams[k].n + 28 <= 576);
        arrives(p.r, w, rows[i].n);
        unsigned n = w->made;
        assert_row(rows[i].what, !msg_recut(p.i, &w, false) && w->made == n); /* there is nothing smaller */
        wire_unref(w);
        core_free(p.ike);
    }
}

static void what_cannot_be_cut_stays(void **state)
{
    static const struct {
        const char *what;
        size_t n;
        bool tcp, not_agreed;
    } rows[] = { { "short", 300, false, false }, { "by TCP", 3000, true, false }, { "not agreed on", 1000, false, true } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p = made(ENCR_AES_GCM_16, 256, 0);
        p.i->path.tcp = rows[i].tcp;
        p.i->announced_peer = rows[i].not_agreed ? 0 : p.i->announced_peer;
        struct ike_wire *w = sealed(p.i, rows[i].n), *before = w;
        assert_row(rows[i].what, !msg_recut(p.i, &w, false) && w == before);
        wire_unref(w);
        core_free(p.ike);
    }
}

/* The answer of an exchange that has brought other keys (RFC 9370 s2.2.2): the peer waits for it with those before. */
static void an_answer_by_the_keys_before(void **state)
{
    struct pair p = made(ENCR_AES_GCM_16, 256, 0), other = made(ENCR_AES_GCM_16, 256, 0);
    struct ike_wire *w = sealed(p.r, 3000);
    struct ike_keys fresh = { 0 };
    keys_move(&fresh, &other.r->keys);
    for (size_t i = 0; i < fresh.block.n; i++)
        fresh.block.p[i] ^= 1;
    assert_true(p.r->opener || sa_new_own_opener(p.r, &p.r->opener) == ADIT_OK);
    sa_keys_replace(p.r, &fresh);
    assert_true(msg_recut(p.r, &w, true));
    for (unsigned i = 0; i < w->made; i++) {
        struct adit_buf copy = { 0 };
        struct adit_span plain;
        assert_int_equal(buf_set(&copy, w->datagrams[i]), ADIT_OK);
        assert_int_equal(sa_open(p.i, copy.p, copy.n, IKE_HDR_SIZE + 8, &plain), ADIT_OK);
        buf_wipe(&copy);
    }
    wire_unref(w);
    core_free(other.ike);
    core_free(p.ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_stays_the_same),
        cmocka_unit_test(what_cannot_be_cut_stays),
        cmocka_unit_test(an_answer_by_the_keys_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
