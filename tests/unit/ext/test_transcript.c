/* test_transcript.c - the octets that AUTH covers with IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, written out, and when they hold
 * (draft-ietf-ipsecme-ikev2-downgrade-prevention). */
#include "../ike/core.h"

#define REQUEST "request: 28 octets and more, as it was sent"
#define RESPONSE "response, of another length"
#define INTAUTH "IntAuth_i | IntAuth_r | 2"
static const uint8_t id_body[] = { 2, 0, 0, 0, 'i', 'd' };

static const struct ike_hooks *on(void)
{
    return &ike_exts[EXT_transcript]->on;
}

static struct ike_sa *agreed(struct ike *ike, bool sent, bool received)
{
    struct ike_sa *sa = core_sa(ike, true);
    assert_int_equal(buf_set(&sa->init_req, span_str(REQUEST)), ADIT_OK);
    assert_int_equal(buf_set(&sa->init_resp, span_str(RESPONSE)), ADIT_OK);
    sa->announced_me = sent ? 1u << EXT_transcript : 0;
    sa->announced_peer = received ? 1u << EXT_transcript : 0;
    return sa;
}

/* As auth_octets() does it, IKE_INTERMEDIATE included. */
static void flat(struct ike_sa *sa, bool of_initiator, struct adit_buf *out)
{
    struct octets o;
    struct adit_span own = sa_init_message(sa, !of_initiator);
    assert_int_equal(octets_init(&o, sa_prf(sa), keys_p(&sa->keys, of_initiator), own,
                                 span_str("nonce of the other"), SPAN_ARRAY(id_body)),
                     ADIT_OK);
    o.of_initiator = of_initiator;
    o.part[OCTETS_TAIL] = span_str(INTAUTH);
    assert_int_equal(on()->octets(sa, &o, 2), ADIT_OK);
    assert_int_equal(octets_flat(&o, out), ADIT_OK);
}

/* What follows the messages is as ever. */
static void expect_octets(struct ike_sa *sa, bool of_initiator, const char *messages, size_t n)
{
    uint8_t maced[PRF_OUT_MAX];
    struct adit_buf got = { 0 }, want = { 0 };
    struct adit_span id = SPAN_ARRAY(id_body);
    assert_int_equal(prf_compute(sa_prf(sa), keys_p(&sa->keys, of_initiator), &id, 1, maced), ADIT_OK);
    flat(sa, of_initiator, &got);
    assert_int_equal(buf_set(&want, span((const uint8_t *)messages, n)), ADIT_OK);
    assert_int_equal(buf_append(&want, span_str("nonce of the other")), ADIT_OK);
    assert_int_equal(buf_append(&want, span(maced, sa_prf(sa)->out)), ADIT_OK);
    assert_int_equal(buf_append(&want, span_str(INTAUTH)), ADIT_OK);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
    buf_fini(&got);
    buf_fini(&want);
}

#define ZERO "\0\0\0\0\0\0\0\0"
#define EXPECT(sa, of_initiator, text) expect_octets((sa), (of_initiator), text, sizeof(text) - 1)

/* Zero, then what the signer received, then what it sent: both roles. */
static void both_messages_are_covered(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = agreed(ike, true, true);
    EXPECT(sa, true, ZERO RESPONSE REQUEST);
    EXPECT(sa, false, ZERO REQUEST RESPONSE);
    core_free(ike);
}

static void only_if_sent_and_received(void **state)
{
    static const bool states[][2] = { { false, false }, { true, false }, { false, true } };
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = agreed(ike, states[i][0], states[i][1]);
        EXPECT(sa, true, REQUEST);
        EXPECT(sa, false, RESPONSE);
        core_free(ike);
    }
}

static void the_responder_says_it_unasked(void **state)
{
    const struct ike_ext *e = ike_exts[EXT_transcript];
    assert_int_equal(e->n_announce, 1);
    assert_int_equal(e->announce[0].notify, 16447);
    assert_int_equal(e->announce[0].exchange, XCHG_IKE_SA_INIT);
    assert_int_equal(e->announce[0].rule, ALWAYS_SENT);
    assert_null(e->announce[0].put);
}

/* On by default; a connection has one word only, which raises it. */
static void options_are_as_documented(void **state)
{
    const struct ike_ext *e = ike_exts[EXT_transcript];
    assert_int_equal(e->n_options, 2);
    assert_int_equal(e->options[0].scope, ADIT_OPT_DAEMON);
    assert_string_equal(e->options[0].words, "no|auto|yes");
    assert_string_equal(e->options[0].deflt, "auto");
    assert_int_equal(e->options[1].scope, ADIT_OPT_CONN);
    assert_string_equal(e->options[1].words, "yes");
}

static void status_is_told_once_it_is_proven(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = agreed(ike, true, true);
    struct adit_ike_info info = { 0 };
    on()->status(sa, &info);
    assert_true(info.downgrade_proof);
    sa->state = SA_AUTHENTICATING;
    on()->status(sa, &info);
    assert_false(info.downgrade_proof);
    sa->state = SA_ESTABLISHED;
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_messages_are_covered),        cmocka_unit_test(only_if_sent_and_received),
        cmocka_unit_test(the_responder_says_it_unasked),    cmocka_unit_test(options_are_as_documented),
        cmocka_unit_test(status_is_told_once_it_is_proven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
