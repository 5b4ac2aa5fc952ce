/* test_intermediate.c - IntAuth (RFC 9242 s3.3.2) against its definition, written out octet by octet, and against values
 * that another program computed. */
#include "../ike/core.h"

struct talk {
    struct ike *ike;
    struct ike_sa *sa;
    uint8_t i[PRF_OUT_MAX], r[PRF_OUT_MAX]; /* what we expect */
    size_t n;
};

static void talk_init(struct talk *t)
{
    *t = (struct talk){ .ike = core_new() };
    t->sa = core_sa(t->ike, true);
    t->n = sa_prf(t->sa)->out;
}

/* prf(SK_p, previous | IKE header | SK header | inner payloads), lengths as if nothing but these were there. */
static void expect_next(struct talk *t, uint8_t *chain, bool of_initiator, bool first,
                        const struct raw_msg *raw)
{
    struct adit_buf all = { 0 };
    struct wr w;
    wr_init_buf(&w, &all, 4096);
    if (!first)
        wr_span(&w, span(chain, t->n));
    wr_u64(&w, raw->hdr.spi_i);
    wr_u64(&w, raw->hdr.spi_r);
    wr_u8(&w, 46); /* SK */
    wr_u8(&w, 0x20);
    wr_u8(&w, 43); /* IKE_INTERMEDIATE */
    wr_u8(&w, raw->hdr.flags);
    wr_u32(&w, raw->hdr.msgid);
    wr_u32(&w, (uint32_t)(28 + 4 + raw->plain.n));
    wr_u8(&w, raw->first);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)(4 + raw->plain.n));
    wr_span(&w, raw->plain);
    assert_int_equal(wr_finish(&w), ADIT_OK);
    struct adit_span part = buf_span(&all);
    assert_int_equal(prf_compute(sa_prf(t->sa), keys_p(&t->sa->keys, of_initiator), &part, 1, chain),
                     ADIT_OK);
    buf_fini(&all);
}

static struct raw_msg message(struct talk *t, bool response, uint32_t msgid, struct adit_span plain)
{
    return (struct raw_msg){ .hdr = { .spi_i = t->sa->spi_i,
                                      .spi_r = t->sa->spi_r,
                                      .next = 53 /* SKF */,
                                      .version = 0x20,
                                      .exchange = 43,
                                      .flags = response ? 0x20 : 0x08,
                                      .msgid = msgid,
                                      .length = 9999 },
                             .first = 34,
                             .plain = plain };
}

static void exchange(struct talk *t, uint32_t msgid, struct adit_span request, struct adit_span response)
{
    const struct ike_hooks *on = &ike_exts[EXT_intermediate]->on;
    struct raw_msg q = message(t, false, msgid, request), a = message(t, true, msgid, response);
    assert_int_equal(on->message(t->sa, MSG_SENT, &q), ADIT_OK);
    assert_int_equal(on->message(t->sa, MSG_RECEIVED, &a), ADIT_OK);
    expect_next(t, t->i, true, msgid == 1, &q);
    expect_next(t, t->r, false, msgid == 1, &a);
}

static void check_tail(struct talk *t, uint32_t auth_msgid)
{
    struct octets o = { 0 };
    uint8_t want[2 * PRF_OUT_MAX + 4], *end;
    assert_int_equal(ike_exts[EXT_intermediate]->on.octets(t->sa, &o, auth_msgid), ADIT_OK);
    end = span_copy(span_copy(want, span(t->i, t->n)), span(t->r, t->n));
    const uint8_t id[4] = { 0, 0, 0, (uint8_t)auth_msgid };
    span_copy(end, SPAN_ARRAY(id));
    assert_true(span_equal(o.part[OCTETS_TAIL], span(want, 2 * t->n + 4)));
}

static void one_exchange_is_covered(void **state)
{
    struct talk t;
    talk_init(&t);
    exchange(&t, 1, SPAN_LIT("request one"), SPAN_LIT("response one"));
    check_tail(&t, 2);
    core_free(t.ike);
}

static void later_exchanges_chain_on(void **state)
{
    struct talk t;
    talk_init(&t);
    exchange(&t, 1, SPAN_LIT("request one"), SPAN_LIT("response one"));
    exchange(&t, 2, SPAN_LIT("request two, longer"), SPAN_NONE);
    exchange(&t, 3, SPAN_NONE, SPAN_LIT("three"));
    check_tail(&t, 4);
    core_free(t.ike);
}

/* --- computed in Python from the formulas of RFC 9242 ------------------------------------------------------------ */

static void hex(const char *text, uint8_t out[32])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++)
        out[i] = (uint8_t)((strchr(digits, text[2 * i]) - digits) << 4 |
                           (strchr(digits, text[2 * i + 1]) - digits));
}

static void set_keys(struct talk *t, const char *pi, const char *pr)
{
    hex(pi, t->sa->keys.block.p + (keys_p(&t->sa->keys, true).p - t->sa->keys.block.p));
    hex(pr, t->sa->keys.block.p + (keys_p(&t->sa->keys, false).p - t->sa->keys.block.p));
}

static void first_keys(struct talk *t)
{
    talk_init(t);
    set_keys(t, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
             "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
}

static const uint8_t ke_request[] = {
    0, 0, 0, 16, 0, 36, 0, 0, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa
};
static const uint8_t ke_response[] = { 0,    0,    0,    16,   0,    36,   0,    0,
                                       0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb };

static void see(struct talk *t, bool we_ask, bool response, uint32_t msgid, struct adit_span plain)
{
    struct raw_msg raw = message(t, response, msgid, plain);
    if (!plain.n)
        raw.first = 0;
    assert_int_equal(
        ike_exts[EXT_intermediate]->on.message(t->sa, we_ask != response ? MSG_SENT : MSG_RECEIVED, &raw),
        ADIT_OK);
}

static struct adit_span tail(struct talk *t, uint32_t msgid)
{
    struct octets o = { 0 };
    assert_int_equal(ike_exts[EXT_intermediate]->on.octets(t->sa, &o, msgid), ADIT_OK);
    return o.part[OCTETS_TAIL];
}

static void assert_tail(struct talk *t, uint32_t msgid, const char *i, const char *r)
{
    uint8_t want[68] = { 0 };
    hex(i, want);
    hex(r, want + 32);
    want[67] = (uint8_t)msgid;
    assert_true(span_equal(tail(t, msgid), SPAN_ARRAY(want)));
}

/* Exchange 1's keys are made up, those of exchange 2 follow from a round; exchange 2 is empty on both sides. */
static void both_ends_get_the_computed_value(void **state)
{
    for (int we_ask = 0; we_ask < 2; we_ask++) {
        struct talk t;
        first_keys(&t);
        see(&t, we_ask, false, 1, SPAN_ARRAY(ke_request));
        see(&t, we_ask, true, 1, SPAN_ARRAY(ke_response));
        assert_tail(&t, 2, "5a31de1686192b25f08ad698b218e22b17126c329874c2b2f53e7a882025b279",
                    "af2c909a29acc1bf6a1748de0ef3b50fc3ed1034b21ffa8f18d3264adfb99139");
        set_keys(&t, "954c1aa07642f1508d724f086b2febb868039e14ceab4e539000ff67754598f5",
                 "015feb8716914c58f777dcaf8c37d9e65aae21ba4b92aecb5a2d21063d0682e9");
        see(&t, we_ask, false, 2, SPAN_NONE);
        see(&t, we_ask, true, 2, SPAN_NONE);
        assert_tail(&t, 3, "cab12295ae77f7aedc500162b2c39f772ab3793104daff754c16ed6738375407",
                    "dcffa7b35051c496cc1733ff2efa1a6b88e8459f0e2234c8a6f1dba16a6d0de4");
        core_free(t.ike);
    }
}

static void change(struct raw_msg *raw, uint8_t body[17], size_t what)
{
    switch (what) {
    case 1: raw->hdr.spi_i ^= 1; break;
    case 2: raw->hdr.spi_r ^= 1; break;
    case 3: raw->hdr.version = 0x21; break;
    case 4: raw->hdr.exchange = 44; break;
    case 5: raw->hdr.flags |= 0x10; break;
    case 6: raw->hdr.msgid = 2; break;
    case 7: raw->first = PLD_NOTIFY; break;
    case 8: raw->sk_flags = 1; break;
    case 9: body[15] ^= 1; break;
    case 10: raw->plain.n = 17; break;
    default: break;
    }
}

static void each_part_of_a_message_counts(void **state)
{
    static const char *const what[] = { "nothing",    "SPIi",     "SPIr",       "version",
                                        "exchange",   "flags",    "message ID", "first payload",
                                        "SK's flags", "payloads", "length" };
    uint8_t seen[ARRAY_LEN(what)][68];
    for (size_t i = 0; i < ARRAY_LEN(what); i++) {
        struct talk t;
        uint8_t body[17] = { 0 };
        first_keys(&t);
        struct raw_msg raw = message(&t, false, 1, span(body, 16));
        span_copy(body, SPAN_ARRAY(ke_request));
        change(&raw, body, i);
        assert_int_equal(ike_exts[EXT_intermediate]->on.message(t.sa, MSG_RECEIVED, &raw), ADIT_OK);
        assert_row(what[i], tail(&t, 1).n == 0); /* half an exchange is none */
        see(&t, false, true, 1, SPAN_ARRAY(ke_response));
        span_copy(seen[i], tail(&t, 2));
        for (size_t k = 0; k < i; k++)
            assert_row(what[i], !span_equal(span(seen[i], 32), span(seen[k], 32)));
        assert_row(what[i], span_equal(span(seen[i] + 32, 36), span(seen[0] + 32, 36)));
        core_free(t.ike);
    }
}

static void memory_may_be_out(void **state)
{
    struct talk t;
    unsigned left = 0;
    first_keys(&t);
    struct raw_msg raw = message(&t, false, 1, SPAN_ARRAY(ke_request));
    mem_set_gate(gate_countdown, &left);
    enum adit_rc rc = ike_exts[EXT_intermediate]->on.message(t.sa, MSG_SENT, &raw);
    mem_set_gate(NULL, NULL);
    assert_int_equal(rc, ADIT_ERR_MEMORY);
    core_free(t.ike);
}

static void without_the_exchange_nothing_is_signed_in_addition(void **state)
{
    struct talk t;
    struct octets o = { 0 };
    talk_init(&t);
    assert_int_equal(ike_exts[EXT_intermediate]->on.octets(t.sa, &o, 1), ADIT_OK);
    assert_int_equal(o.part[OCTETS_TAIL].n, 0);
    core_free(t.ike);
}

static void it_is_announced_by_both(void **state)
{
    const struct ike_ext *e = ike_exts[EXT_intermediate];
    assert_int_equal(e->n_announce, 1);
    assert_int_equal(e->announce[0].notify, 16438);
    assert_int_equal(e->announce[0].exchange, XCHG_IKE_SA_INIT);
    assert_int_equal(e->announce[0].rule, BOTH_SENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_exchange_is_covered),
        cmocka_unit_test(later_exchanges_chain_on),
        cmocka_unit_test(both_ends_get_the_computed_value),
        cmocka_unit_test(each_part_of_a_message_counts),
        cmocka_unit_test(memory_may_be_out),
        cmocka_unit_test(without_the_exchange_nothing_is_signed_in_addition),
        cmocka_unit_test(it_is_announced_by_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
