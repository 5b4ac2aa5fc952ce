/* test_announce.c - who says what he can, and when it counts as agreed. */
#include "core.h"

/* What each rule says, for the notifies of the extensions that there are. */
static uint32_t written(struct ike_sa *sa, enum xchg_role role, uint8_t exchange, uint32_t peer_announced)
{
    static uint8_t room[4000];
    static struct payload_list list;
    struct ike_xchg x = {
        .ike = sa->ike, .sa = sa, .role = role, .exchange = exchange, .peer_announced = peer_announced
    };
    struct wr w;
    uint32_t found = 0;
    sa->announced_me = 0;
    wr_init(&w, room, sizeof(room));
    wr_chain(&w);
    announce_put(&x, &w);
    struct rd in = rd_init(span_from(wr_written(&w), 1));
    assert_true(wr_ok(&w) && payloads_get(&in, room[0], &list, NULL));
    struct ike_msg msg = { .n = list.n, .v = list.v };
    struct notify n;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        for (unsigned k = 0; k < ike_exts[i]->n_announce; k++)
            if (msg_notify(&msg, ike_exts[i]->announce[k].notify, &n))
                found |= 1u << i;
    assert_int_equal(found, sa->announced_me); /* what was written is what is remembered */
    return found;
}

static bool may_use(struct ike_sa *sa, const struct ike_ext *e)
{
    return !e->on.may_use || e->on.may_use(sa);
}

/* Of those that the configuration allows: the SA's has no keys, and no options. */
static uint32_t with_rule(struct ike_sa *sa, enum announce_rule rule)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        for (unsigned k = 0; k < ike_exts[i]->n_announce && may_use(sa, ike_exts[i]); k++)
            if (ike_exts[i]->announce[k].rule == rule &&
                ike_exts[i]->announce[k].exchange == XCHG_IKE_SA_INIT)
                bits |= 1u << i;
    return bits;
}

static void rules_say_who_speaks(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *i = core_sa(ike, true), *r = core_sa(ike, false);
    uint32_t both = with_rule(i, BOTH_SENT), responder = with_rule(i, RESPONDER_ONLY),
             always = with_rule(i, ALWAYS_SENT), requester = with_rule(i, REQUESTER_ONLY);
    assert_true(both && responder && requester);
    assert_int_equal(written(i, XCHG_REQUESTER, XCHG_IKE_SA_INIT, 0), both | always | requester);
    assert_int_equal(written(r, XCHG_RESPONDER, XCHG_IKE_SA_INIT, 0), responder | always); /* nobody asked */
    assert_int_equal(written(r, XCHG_RESPONDER, XCHG_IKE_SA_INIT, both), both | responder | always);
    for (uint32_t one = 1; one < 1u << EXT_COUNT; one <<= 1)
        assert_int_equal(written(r, XCHG_RESPONDER, XCHG_IKE_SA_INIT, one),
                         responder | always | (one & both));
    assert_int_equal(written(i, XCHG_REQUESTER, XCHG_INFORMATIONAL, both), 0);
    core_free(ike);
}

static void it_is_agreed_when_both_have_said_so(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    for (int bits = 0; bits < 4; bits++) {
        sa->announced_me = bits & 1 ? 1u << EXT_intermediate : 0;
        sa->announced_peer = bits & 2 ? 1u << EXT_intermediate : 0;
        assert_int_equal(ext_agreed(sa, EXT_intermediate), bits == 3);
        assert_int_equal(ext_peer_announced(sa, EXT_intermediate), bits >= 2);
        assert_false(ext_agreed(sa, EXT_addke));
    }
    core_free(ike);
}

/* Only the response that was accepted counts: an earlier one may have been anybody's. */
static void the_last_message_counts_alone(void **state)
{
    static const uint8_t body[] = { 0, 0, 16438 >> 8, 16438 & 255 };
    const struct payload p = { .type = PLD_NOTIFY, .body = SPAN_ARRAY(body) };
    const struct ike_msg with = { .n = 1, .v = &p }, without = { 0 };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_xchg x = { .ike = ike, .sa = sa, .exchange = XCHG_IKE_SA_INIT };
    announce_get(&x, &with);
    assert_int_equal(sa->announced_peer, 0); /* not before the exchange is accepted */
    announce_get(&x, &without);
    announce_commit(&x);
    assert_false(ext_peer_announced(sa, EXT_intermediate));
    announce_get(&x, &with);
    announce_commit(&x);
    assert_true(ext_peer_announced(sa, EXT_intermediate));
    x.exchange = XCHG_INFORMATIONAL; /* there it says nothing */
    x.sa->announced_peer = 0;
    announce_get(&x, &with);
    announce_commit(&x);
    assert_false(ext_peer_announced(sa, EXT_intermediate));
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_say_who_speaks),
        cmocka_unit_test(it_is_agreed_when_both_have_said_so),
        cmocka_unit_test(the_last_message_counts_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
