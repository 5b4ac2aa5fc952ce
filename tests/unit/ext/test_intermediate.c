/* test_intermediate.c - IntAuth (RFC 9242 s3.3.2) against its definition, written out octet by octet. */
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
static void expect_next(struct talk *t, uint8_t *chain, bool of_initiator, bool first, const struct raw_msg *raw)
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
    assert_int_equal(prf_compute(sa_prf(t->sa), keys_p(&t->sa->keys, of_initiator), &part, 1, chain), ADIT_OK);
    buf_fini(&all);
}

static struct raw_msg message(struct talk *t, bool response, uint32_t msgid, struct adit_span plain)
{
    return (struct raw_msg){ .hdr = { .spi_i = t->sa->spi_i, .spi_r = t->sa->spi_r, .next = 53 /* SKF */,
                                      .version = 0x20, .exchange = 43, .flags = response ? 0x20 : 0x08,
                                      .msgid = msgid, .length = 9999 },
                             .first = 34, .plain = plain };
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
        cmocka_unit_test(without_the_exchange_nothing_is_signed_in_addition),
        cmocka_unit_test(it_is_announced_by_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
