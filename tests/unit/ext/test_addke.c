/* test_addke.c - which additional key exchange comes next (RFC 9370 s2.2), when ADDKE transforms mean anything, and that
 * a series without its link ends in nothing. What both sides derive from them: tests/sim. */
#include "../ike/core.h"
#include "ike/ext/addke/addke.h"

static const struct {
    const char *what;
    struct adit_suite suite;
    uint16_t want[4]; /* in order; ends with 0 */
} rows[] = {
    { "none at all", { .ke = { 31 } }, { 0 } },
    { "ADDKE1", { .ke = { 31, 36 } }, { 36, 0 } },
    { "a NONE between is skipped", { .ke = { 31, 0, 36, 0, 0, 20 } }, { 36, 20, 0 } },
    { "ADDKE7 alone", { .ke = { 31, 0, 0, 0, 0, 0, 0, 37 } }, { 37, 0 } },
    { "three in a row", { .ke = { 36, 19, 31, 37 } }, { 19, 31, 37, 0 } },
};

static void methods_come_in_order(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned nth = 0; nth == 0 || rows[i].want[nth - 1]; nth++)
            assert_row(rows[i].what, addke_method(&rows[i].suite, nth) == rows[i].want[nth]);
}

/* RFC 9370 s2.2.1: in IKE_SA_INIT only for a peer that can do IKE_INTERMEDIATE. */
static void transforms_need_the_exchange_that_carries_them(void **state)
{
    uint8_t with[] = { 0, 0, 0x40, 0x36 }; /* N(INTERMEDIATE_EXCHANGE_SUPPORTED) */
    struct payload p = { .type = PLD_NOTIFY, .body = SPAN_ARRAY(with) };
    struct ike_msg can = { .n = 1, .v = &p }, cannot = { 0 };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    const struct ike_hooks *on = &ike_exts[EXT_addke]->on;
    assert_int_equal(on->transforms(sa, XCHG_IKE_SA_INIT, &can), ADDKE_TYPES);
    assert_int_equal(on->transforms(sa, XCHG_IKE_SA_INIT, &cannot), 0);
    assert_int_equal(on->transforms(sa, XCHG_IKE_SA_INIT, NULL), ADDKE_TYPES); /* our own offer */
    assert_int_equal(on->transforms(sa, XCHG_CREATE_CHILD_SA, &cannot), ADDKE_TYPES);
    core_free(ike);
}

static void answer_without_link_is_refused(void **state)
{
    struct adit_why why = { 0 };
    struct ike_msg empty = { 0 };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_pending *p = pending_new(sa, PENDING_NEW_CHILD, true);
    assert_non_null(p);
    p->suite = (struct adit_suite){ .ke = { 31, 36 } };
    assert_int_equal(addke_more_get(p, &empty, &why), ADIT_ERR_NO_STATE);
    p->suite.ke[1] = 0;
    assert_int_equal(addke_more_get(p, &empty, &why), ADIT_OK); /* nothing more was agreed */
    pending_free(p);
    core_free(ike);
}

static const struct ike_step *step(uint8_t exchange, enum xchg_role role)
{
    for (const struct ike_step *const *s = ike_exts[EXT_addke]->steps; *s; s++)
        if ((*s)->exchange == exchange && (*s)->role == role)
            return *s;
    fail();
    return NULL;
}

static void a_round_is_wanted_between_keys_and_authentication(void **state)
{
    static const struct {
        const char *what;
        bool initiator, keyed, established, agreed, more;
        enum want ask, answer;
    } cases[] = {
        { "initiator", true, true, false, true, true, WANT_OPEN, WANT_NO },
        { "responder", false, true, false, true, true, WANT_NO, WANT_OPEN },
        { "no keys yet", true, false, false, true, true, WANT_NO, WANT_NO },
        { "established", true, true, true, true, true, WANT_NO, WANT_NO },
        { "not agreed", true, true, false, false, true, WANT_NO, WANT_NO },
        { "not agreed, responder", false, true, false, false, true, WANT_NO, WANT_NO },
        { "no further one", true, true, false, true, false, WANT_NO, WANT_NO },
        { "no further one, responder", false, true, false, true, false, WANT_NO, WANT_NO },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t bits = cases[i].agreed ? 1u << EXT_intermediate : 0;
        struct ike_sa sa = { .is_initiator = cases[i].initiator,
                             .keyed = cases[i].keyed,
                             .announced_me = bits,
                             .announced_peer = bits,
                             .established_at = cases[i].established,
                             .state = cases[i].established ? SA_ESTABLISHED : SA_CONNECTING,
                             .suite.ke = { KE_CURVE_25519, cases[i].more ? KE_ML_KEM_768 : 0 } };
        const struct ike_msg msg = { 0 };
        assert_row(cases[i].what,
                   step(XCHG_IKE_INTERMEDIATE, XCHG_REQUESTER)->want(&sa, NULL) == cases[i].ask);
        assert_row(cases[i].what,
                   step(XCHG_IKE_INTERMEDIATE, XCHG_RESPONDER)->want(&sa, &msg) == cases[i].answer);
    }
}

/* --- the series after CREATE_CHILD_SA -------------------------------------------------------------------------------- */

struct series {
    struct ike *ike;
    struct ike_sa *sa;
    struct ike_pending *p; /* x25519, then ML-KEM-512 */
};

static void begin(struct series *s, bool requester)
{
    s->ike = core_new();
    s->sa = core_sa(s->ike, true);
    s->p = pending_new(s->sa, PENDING_NEW_CHILD, requester);
    assert_non_null(s->p);
    s->p->suite.ke[0] = KE_CURVE_25519;
    s->p->suite.ke[2] = KE_ML_KEM_512;
    s->p->linked = true;
    list_append(&s->sa->pendings, &s->p->link);
}

static void done_with_one(struct series *s)
{
    struct adit_secret secret = { 0 };
    assert_int_equal(secret_alloc(&secret, 32), ADIT_OK);
    assert_int_equal(pending_add_secret(s->p, &secret), ADIT_OK);
}

static void more_follow_until_all_are_done(void **state)
{
    struct series s;
    begin(&s, true);
    assert_false(addke_more(s.p)); /* the first is not made yet */
    done_with_one(&s);
    assert_true(addke_more(s.p));
    done_with_one(&s);
    assert_false(addke_more(s.p));
    s.p->suite.ke[3] = KE_ML_KEM_1024;
    assert_true(addke_more(s.p));
    s.p->suite.ke[0] = 0; /* only beside one of type 4 */
    assert_false(addke_more(s.p));
    core_free(s.ike);
}

struct letter {
    uint8_t room[300];
    struct payload_list list;
    struct ike_msg msg;
};

static void close_letter(struct letter *l, struct wr *w)
{
    struct rd in = rd_init(span_from(wr_written(w), 1));
    assert_true(wr_ok(w) && payloads_get(&in, l->room[0], &l->list, NULL));
    l->msg = (struct ike_msg){ .n = l->list.n, .v = l->list.v };
}

static void write_link(struct letter *l, struct adit_span link)
{
    struct wr w;
    wr_init(&w, l->room, sizeof(l->room));
    wr_chain(&w);
    if (link.p)
        notify_put(&w, N_ADDITIONAL_KEY_EXCHANGE, link);
    close_letter(l, &w);
}

/* What the responder would send: 16 octets, or none. */
static bool given_link(struct series *s, uint8_t out[16])
{
    struct letter l;
    struct wr w;
    struct notify n;
    wr_init(&w, l.room, sizeof(l.room));
    wr_chain(&w);
    addke_more_put(s->p, &w);
    close_letter(&l, &w);
    if (!msg_notify(&l.msg, 16441, &n))
        return false;
    assert_int_equal(n.data.n, 16);
    span_copy(out, n.data);
    return true;
}

static void the_responder_gives_a_fresh_link_each_time(void **state)
{
    struct series s;
    uint8_t first[16], second[16];
    begin(&s, false);
    done_with_one(&s);
    assert_true(given_link(&s, first) && given_link(&s, second));
    assert_false(span_equal(SPAN_ARRAY(first), SPAN_ARRAY(second)));
    done_with_one(&s); /* that was the last */
    assert_false(given_link(&s, second));
    core_free(s.ike);
}

static void the_requester_takes_links_of_sensible_length(void **state)
{
    static const uint8_t data[65] = { 1 };
    for (size_t n = 0; n <= sizeof(data); n++) {
        struct series s;
        struct letter l;
        struct adit_why why = { 0 };
        begin(&s, true);
        write_link(&l, span(data, n));
        assert_int_equal(addke_more_get(s.p, &l.msg, &why), n == 0 || n > 64 ? ADIT_ERR_MALFORMED : ADIT_OK);
        core_free(s.ike);
    }
}

/* RFC 9370 s2.2.4: STATE_NOT_FOUND for link data that we did not give. */
static void a_request_has_to_bring_the_link(void **state)
{
    static const struct {
        const char *what;
        bool requester, given;
        size_t n; /* octets of it that come back; 0: no notify */
        uint8_t change;
        enum adit_rc rc;
    } cases[] = {
        { "the same", false, true, 16, 0, ADIT_ERR_MALFORMED }, /* found; the KE payload is missing */
        { "one bit differs", false, true, 16, 1, ADIT_ERR_NO_STATE },
        { "shorter", false, true, 15, 0, ADIT_ERR_NO_STATE },
        { "no notify", false, true, 0, 0, ADIT_ERR_NO_STATE },
        { "none was given", false, false, 16, 0, ADIT_ERR_NO_STATE },
        { "of our own series", true, true, 16, 0, ADIT_ERR_NO_STATE },
    };
    const struct ike_step *answer = step(XCHG_IKE_FOLLOWUP_KE, XCHG_RESPONDER);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct series s;
        struct letter l;
        struct adit_why why = { 0 };
        uint8_t link[16] = { 0 };
        _Alignas(16) uint8_t scratch[512] = { 0 };
        assert_true(answer->scratch <= sizeof(scratch));
        begin(&s, cases[i].requester);
        done_with_one(&s);
        assert_true(!cases[i].given || given_link(&s, link));
        link[7] ^= cases[i].change;
        write_link(&l, cases[i].n ? span(link, cases[i].n) : SPAN_NONE);
        struct ike_xchg x = {
            .ike = s.ike, .sa = s.sa, .role = XCHG_RESPONDER, .exchange = XCHG_IKE_FOLLOWUP_KE
        };
        assert_row(cases[i].what, answer->consume(&x, scratch, &l.msg, &why) == cases[i].rc);
        answer->fini(&x, scratch);
        core_free(s.ike);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_come_in_order),
        cmocka_unit_test(transforms_need_the_exchange_that_carries_them),
        cmocka_unit_test(answer_without_link_is_refused),
        cmocka_unit_test(a_round_is_wanted_between_keys_and_authentication),
        cmocka_unit_test(more_follow_until_all_are_done),
        cmocka_unit_test(the_responder_gives_a_fresh_link_each_time),
        cmocka_unit_test(the_requester_takes_links_of_sensible_length),
        cmocka_unit_test(a_request_has_to_bring_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
