/* test_input.c - the window of one message: what is old, early, repeated or nobody's changes nothing (RFC 7296 s2.1-2.3,
 * s2.21.3). */
#include "core.h"

struct stage { /* two established hosts; the test writes letters in A's hand */
    struct sim *s;
    struct ike_sa *a, *b;
    struct adit_path path; /* as B sees it */
};

static void set(struct sim *s, struct stage *t)
{
    sim_establish(s);
    sim_run(s, MINUTES(1));
    *t = (struct stage){ .s = s, .a = core_newest(s, A), .b = core_newest(s, B), .path = core_path(false) };
}

/* An INFORMATIONAL without payloads unless said otherwise. */
static struct ike_wire *letter(struct stage *t, uint8_t exchange, uint8_t flags, uint32_t msgid)
{
    struct ike_hdr h = { .spi_i = t->a->spi_i,
                         .spi_r = t->a->spi_r,
                         .version = IKE_VERSION,
                         .exchange = exchange,
                         .flags = flags,
                         .msgid = msgid };
    struct ike_wire *w = NULL;
    assert_int_equal(msg_protect(t->a, &h, 0, SPAN_NONE, &w), ADIT_OK);
    return w;
}

static unsigned input(struct stage *t, struct adit_span d)
{
    struct adit_event ev;
    unsigned sent = 0;
    adit_ike_input((struct adit_ike *)core_engine(t->s, B), &t->path, d.p, d.n, t->s->now);
    while (core_event(core_engine(t->s, B), ADIT_EV_SEND, &ev))
        sent += ev.n_datagrams;
    return sent;
}

static void rows_of_drops(struct sim *s)
{
    enum { REQ = IKE_FLAG_INITIATOR, RESP = IKE_FLAG_INITIATOR | IKE_FLAG_RESPONSE };
    static const struct {
        const char *what;
        uint8_t exchange, flags;
        int32_t ahead; /* of the next message ID that B expects */
    } rows[] = {
        { "the next but one", XCHG_INFORMATIONAL, REQ, 1 },
        { "far ahead", XCHG_INFORMATIONAL, REQ, 1000 },
        { "the last one, other octets", XCHG_INFORMATIONAL, REQ, -1 },
        { "older", XCHG_INFORMATIONAL, REQ, -2 },
        { "just below zero", XCHG_INFORMATIONAL, REQ, INT32_MIN },
        { "an answer to nothing", XCHG_INFORMATIONAL, RESP, 0 },
        { "an answer to nothing, message 0", XCHG_INFORMATIONAL, RESP, -2 },
    };
    struct stage t;
    set(s, &t);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t msgid = t.b->next_expect + (uint32_t)rows[i].ahead;
        struct ike_wire *w = letter(&t, rows[i].exchange, rows[i].flags, msgid);
        uint64_t before = simhost_snapshot(&s->host[B]);
        uint32_t expect_before = t.b->next_expect, send_before = t.b->next_send;
        assert_row(rows[i].what, input(&t, w->datagrams[0]) == 0);
        assert_row(rows[i].what, before == simhost_snapshot(&s->host[B]));
        assert_row(rows[i].what,
                   t.b->next_expect == expect_before && t.b->next_send == send_before && !sa_in(t.b));
        wire_unref(w);
    }
    sim_restart(s, A);
}

static void outside_the_window_nothing_happens(void **state)
{
    core_scenario(rows_of_drops);
}

static void one_and_again(struct sim *s)
{
    struct stage t;
    struct adit_event ev;
    static uint8_t first[2000];
    size_t n = 0;
    set(s, &t);
    uint32_t msgid = t.b->next_expect;
    struct ike_wire *w = letter(&t, XCHG_INFORMATIONAL, IKE_FLAG_INITIATOR, msgid);
    for (unsigned i = 0; i < 5; i++) {
        adit_ike_input((struct adit_ike *)core_engine(s, B), &t.path, w->datagrams[0].p, w->datagrams[0].n,
                       s->now);
        assert_true(core_event(core_engine(s, B), ADIT_EV_SEND, &ev) && ev.n_datagrams == 1);
        assert_true(i == 0 || span_equal(ev.datagrams[0], span(first, n)));
        n = ev.datagrams[0].n;
        span_copy(first, ev.datagrams[0]);
        assert_int_equal(t.b->next_expect, msgid + 1); /* done once */
        core_drain(core_engine(s, B));
    }
    assert_int_equal(sim_counter(s, B, ADIT_C_DUPLICATES), 4);
    wire_unref(w);
    sim_restart(s, A);
}

static void a_repeated_request_gets_the_same_octets(void **state)
{
    core_scenario(one_and_again);
}

/* Damaged, in clear, or in the wrong direction: counted, told nobody, and the true one is still welcome after it. */
static void forgeries(struct sim *s)
{
    struct stage t;
    uint8_t copy[2000];
    set(s, &t);
    uint32_t msgid = t.b->next_expect;
    struct ike_wire *w = letter(&t, XCHG_INFORMATIONAL, IKE_FLAG_INITIATOR, msgid);
    struct adit_span d = w->datagrams[0];
    uint64_t before = simhost_snapshot(&s->host[B]);
    for (size_t at = IKE_HDR_SIZE + 4; at < d.n; at++) {
        span_copy(copy, d);
        copy[at] ^= 0x10;
        assert_int_equal(input(&t, span(copy, d.n)), 0);
    }
    assert_int_equal(sim_counter(s, B, ADIT_C_INTEGRITY), d.n - IKE_HDR_SIZE - 4);
    span_copy(copy, d); /* N(AUTHENTICATION_FAILED) in clear */
    copy[16] = PLD_NOTIFY;
    copy[26] = 0;
    copy[27] = 36;
    span_copy(copy + 28, span((const uint8_t[]){ 0, 0, 0, 8, 0, 0, 0, 24 }, 8));
    assert_int_equal(input(&t, span(copy, 36)), 0);
    span_copy(copy, d);
    copy[19] = 0; /* as if we had initiated: another SA's, or nobody's */
    (void)input(&t, span(copy, d.n));
    assert_true(before == simhost_snapshot(&s->host[B]));
    assert_int_equal(t.b->next_expect, msgid);
    assert_int_equal(input(&t, d), 1);
    assert_int_equal(t.b->next_expect, msgid + 1);
    wire_unref(w);
    sim_restart(s, A);
}

static void forgeries_change_nothing(void **state)
{
    core_scenario(forgeries);
}

/* RFC 7296 s2.3: an answer counts only for the request that is open, of its exchange. */
static void answers(struct sim *s)
{
    struct stage t;
    set(s, &t);
    sim_cut(s, B, true);
    sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    assert_non_null(sa_out(t.b));
    uint32_t msgid = sa_out(t.b)->msgid;
    static const struct {
        const char *what;
        uint8_t exchange;
        int ahead;
    } rows[] = { { "another exchange", XCHG_INFORMATIONAL, 0 },
                 { "the one before", XCHG_CREATE_CHILD_SA, -1 },
                 { "the one after", XCHG_CREATE_CHILD_SA, 1 } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_wire *w = letter(&t, rows[i].exchange, IKE_FLAG_INITIATOR | IKE_FLAG_RESPONSE,
                                    msgid + (uint32_t)rows[i].ahead);
        assert_row(rows[i].what, input(&t, w->datagrams[0]) == 0);
        assert_row(rows[i].what, sa_out(t.b) && sa_out(t.b)->phase == PHASE_SENT && sa_out(t.b)->msgid == msgid);
        wire_unref(w);
    }
    sim_cut(s, B, false);
    sim_run(s, MINUTES(1));
    expect_same_keys(s);
}

static void only_the_awaited_answer_counts(void **state)
{
    core_scenario(answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_the_window_nothing_happens),
        cmocka_unit_test(a_repeated_request_gets_the_same_octets),
        cmocka_unit_test(forgeries_change_nothing),
        cmocka_unit_test(only_the_awaited_answer_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
