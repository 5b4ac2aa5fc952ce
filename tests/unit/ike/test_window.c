/* test_window.c - which message IDs are inside, which answers are kept, and when another request may go out (RFC 7296
 * s2.2, s2.3). */
#include "core.h"

static const uint8_t digest[16] = { 1 };

static void answer(struct ike_sa *sa, uint32_t msgid)
{
    struct ike_wire *w = wire_new(1, 1);
    assert_non_null(w);
    window_store(sa, msgid, w, digest);
    wire_unref(w);
}

static void requests_are_taken_once_and_in_order_with_a_window_of_one(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    assert_true(!window_has_replied(sa) && window_takes(sa, 0) && !window_takes(sa, 1));
    assert_true(!window_takes(sa, UINT32_MAX) && !window_reply(sa, 0));
    for (uint32_t i = 0; i < 5; i++) {
        answer(sa, i);
        assert_int_equal(sa->next_expect, i + 1);
        assert_true(window_has_replied(sa) && window_reply(sa, i) && window_reply(sa, i)->msgid == i);
        assert_true(!window_takes(sa, i) && window_takes(sa, i + 1) && !window_takes(sa, i + 2));
        assert_true(i == 0 || !window_reply(sa, i - 1)); /* forgotten */
    }
    core_free(ike);
}

static void what_is_in_work_is_not_taken_again(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    struct ike_xchg x = { .msgid = 0 };
    assert_null(sa_in(sa));
    list_append(&sa->in, &x.link);
    assert_ptr_equal(sa_in(sa), &x);
    assert_true(!window_takes(sa, 0) && !window_takes(sa, 1));
    list_remove(&x.link);
    assert_true(window_takes(sa, 0));
    core_free(ike);
}

/* Requests of ours: s sent, b being built. Message IDs count from next_send back. */
static void room_is_counted_from_the_oldest_without_an_answer(void **state)
{
    static const struct {
        const char *what, *under_way; /* by message ID from 10 on; '.': answered */
        uint8_t window;
        bool room;
    } rows[] = {
        { "nothing", "", 1, true },
        { "one sent", "s", 1, false },
        { "one being built", "b", 1, false },
        { "answered", ".", 1, true },
        { "two of three", "ss", 3, true },
        { "three of three", "sss", 3, false },
        { "the oldest is answered", ".ss", 3, true },
        { "only the oldest is not", "s..", 3, false }, /* s2.3: X waits for all up to X - N */
        { "built ones get message IDs too", "s.b", 3, false },
        { "three being built", "bbb", 3, false },
        { "two being built", "bb", 3, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = core_sa(ike, true);
        struct ike_xchg x[4] = { 0 };
        sa->next_send = 10;
        sa->peer_window = rows[i].window;
        for (size_t k = 0; rows[i].under_way[k]; k++) {
            x[k] = (struct ike_xchg){ .msgid = sa->next_send, .numbered = rows[i].under_way[k] == 's' };
            list_init(&x[k].link);
            sa->next_send += rows[i].under_way[k] != 'b';
            if (rows[i].under_way[k] != '.')
                list_append(&sa->out, &x[k].link);
        }
        assert_row(rows[i].what, window_has_room(sa) == rows[i].room);
        list_init(&sa->out);
        core_free(ike);
    }
}

static void an_answer_finds_its_request(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_task task = { .kind = TASK_REKEY_CHILD, .child_id = 3 };
    struct ike_xchg x[2] = { { .msgid = 7, .exchange = XCHG_INFORMATIONAL, .phase = PHASE_SENT },
                             { .msgid = 8, .exchange = XCHG_CREATE_CHILD_SA, .phase = PHASE_SENT, .task = &task } };
    list_append(&sa->out, &x[0].link);
    list_append(&sa->out, &x[1].link);
    assert_ptr_equal(window_waiting(sa, &(struct ike_hdr){ .msgid = 8, .exchange = XCHG_CREATE_CHILD_SA }), &x[1]);
    assert_ptr_equal(window_waiting(sa, &(struct ike_hdr){ .msgid = 7, .exchange = XCHG_INFORMATIONAL }), &x[0]);
    assert_null(window_waiting(sa, &(struct ike_hdr){ .msgid = 8, .exchange = XCHG_INFORMATIONAL }));
    assert_null(window_waiting(sa, &(struct ike_hdr){ .msgid = 9, .exchange = XCHG_INFORMATIONAL }));
    x[0].phase = PHASE_CONSUME; /* its first answer is being looked at */
    assert_null(window_waiting(sa, &(struct ike_hdr){ .msgid = 7, .exchange = XCHG_INFORMATIONAL }));
    assert_ptr_equal(sa_out(sa), &x[0]);
    assert_ptr_equal(sa_next_out(sa, &x[0]), &x[1]);
    assert_null(sa_next_out(sa, &x[1]));
    assert_ptr_equal(sa_out_task(sa, TASK_REKEY_CHILD, 3), &task);
    assert_null(sa_out_task(sa, TASK_REKEY_CHILD, 4));
    list_init(&sa->out);
    core_free(ike);
}

static void answers_come_in_any_order_in_a_larger_window(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    answer(sa, 0);
    answer(sa, 1);
    assert_int_equal(window_grow(sa, 4), ADIT_OK);
    assert_true(sa->window == 4 && window_reply(sa, 1) && !window_reply(sa, 0)); /* what was kept still is */
    for (uint32_t i = 2; i < 6; i++)
        assert_true(window_takes(sa, i));
    assert_true(!window_takes(sa, 1) && !window_takes(sa, 6));
    answer(sa, 4);
    assert_true(sa->next_expect == 2 && window_after(sa) == 5 && !window_takes(sa, 4) && !window_takes(sa, 6));
    assert_true(window_is_overtaken(sa, 2) && window_is_overtaken(sa, 3) && !window_is_overtaken(sa, 5));
    assert_true(window_reply(sa, 1)); /* 5 = 1 + 4 has not come */
    answer(sa, 5);
    assert_true(!window_reply(sa, 1) && sa->next_expect == 2);
    answer(sa, 2);
    assert_int_equal(sa->next_expect, 3);
    answer(sa, 3);
    assert_true(sa->next_expect == 6 && window_after(sa) == 6);
    for (uint32_t i = 2; i < 6; i++)
        assert_true(window_reply(sa, i)); /* the last four: RFC 7296 s2.1 */
    assert_true(window_takes(sa, 9) && !window_takes(sa, 10) && !window_takes(sa, 2));
    assert_int_equal(window_grow(sa, 2), ADIT_OK);
    assert_int_equal(sa->window, 4); /* it never shrinks */
    core_free(ike);
}

static void it_is_one_until_the_peer_is_proven(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    sa->peer_window = 5;
    sa->state = SA_AUTHENTICATING;
    assert_int_equal(window_grow(sa, 5), ADIT_OK);
    assert_true(window_takes(sa, 0) && !window_takes(sa, 1));
    struct ike_xchg x = { .numbered = true };
    sa->next_send = 1;
    list_append(&sa->out, &x.link);
    assert_false(window_has_room(sa));
    sa->state = SA_ESTABLISHED;
    assert_true(window_takes(sa, 1) && window_has_room(sa));
    list_remove(&x.link);
    core_free(ike);
}

/* What the peer says, in which exchange, and what then holds. */
static void the_peers_word_counts_if_it_is_one(void **state)
{
    static const struct {
        const char *what;
        uint8_t exchange, before;
        struct adit_span data;
        uint8_t after;
    } rows[] = {
        { "five", XCHG_IKE_AUTH, 1, SPAN_LIT("\0\0\0\5"), 5 },
        { "later", XCHG_INFORMATIONAL, 1, SPAN_LIT("\0\0\0\5"), 5 },
        { "after a rekeying", XCHG_CREATE_CHILD_SA, 1, SPAN_LIT("\0\0\0\2"), 2 },
        { "before any key", XCHG_IKE_SA_INIT, 1, SPAN_LIT("\0\0\0\5"), 1 },
        { "none", XCHG_IKE_AUTH, 1, SPAN_LIT("\0\0\0\0"), 1 },
        { "none, instead of some", XCHG_INFORMATIONAL, 4, SPAN_LIT("\0\0\0\0"), 4 },
        { "fewer", XCHG_INFORMATIONAL, 4, SPAN_LIT("\0\0\0\3"), 4 },
        { "more than we ever have", XCHG_IKE_AUTH, 1, SPAN_LIT("\xff\xff\xff\xff"), IKE_WINDOW_MAX },
        { "256, whose last octet is 0", XCHG_IKE_AUTH, 1, SPAN_LIT("\0\0\1\0"), IKE_WINDOW_MAX },
        { "three octets", XCHG_IKE_AUTH, 1, SPAN_LIT("\0\0\5"), 1 },
        { "five octets", XCHG_IKE_AUTH, 1, SPAN_LIT("\0\0\0\5\5"), 1 },
        { "no octets", XCHG_IKE_AUTH, 1, { NULL, 0 }, 1 },
    };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t mem[64];
        struct wr w;
        wr_init(&w, mem, sizeof(mem));
        wr_chain(&w);
        notify_put(&w, N_SET_WINDOW_SIZE, rows[i].data);
        struct payload_list list;
        struct rd in = rd_init(span_from(wr_written(&w), 1));
        assert_true(payloads_get(&in, w.p[0], &list, NULL));
        struct ike_xchg x = { .sa = sa, .ike = ike, .exchange = rows[i].exchange, .msg = { .n = list.n, .v = list.v } };
        sa->peer_window = rows[i].before;
        window_get(&x, &x.msg);
        assert_int_equal(sa->peer_window, rows[i].before); /* not before it is accepted */
        window_commit(&x);
        assert_row(rows[i].what, sa->peer_window == rows[i].after);
    }
    core_free(ike);
}

static void ours_is_told_once(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    const struct policy_conn *before = sa->conn;
    struct adit_conn cfg = *sa->conn->cfg;
    struct policy_conn conn = *sa->conn;
    uint8_t mem[64];
    struct wr w;
    conn.cfg = &cfg;
    sa->conn = &conn;
    static const struct {
        const char *what;
        uint16_t window;
        uint8_t exchange;
        bool told, says;
    } rows[] = {
        { "not configured", 0, XCHG_IKE_AUTH, false, false },
        { "one", 1, XCHG_IKE_AUTH, false, false },
        { "another exchange", 5, XCHG_IKE_FOLLOWUP_KE, false, false },
        { "told already", 5, XCHG_INFORMATIONAL, true, false },
        { "five", 5, XCHG_IKE_AUTH, false, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_xchg x = { .sa = sa, .ike = ike, .exchange = rows[i].exchange };
        cfg.window = rows[i].window;
        sa->window_told = rows[i].told;
        wr_init(&w, mem, sizeof(mem));
        wr_chain(&w);
        window_put(&x, &w);
        assert_row(rows[i].what, x.tells_window == rows[i].says && (sa->window == 5) == rows[i].says);
        window_commit(&x);
        assert_row(rows[i].what, sa->window_told == (rows[i].told || rows[i].says));
    }
    assert_true(span_equal(span(mem + 9, 4), SPAN_LIT("\0\0\0\5")));
    sa->conn = before;
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_taken_once_and_in_order_with_a_window_of_one),
        cmocka_unit_test(what_is_in_work_is_not_taken_again),
        cmocka_unit_test(room_is_counted_from_the_oldest_without_an_answer),
        cmocka_unit_test(an_answer_finds_its_request),
        cmocka_unit_test(answers_come_in_any_order_in_a_larger_window),
        cmocka_unit_test(it_is_one_until_the_peer_is_proven),
        cmocka_unit_test(the_peers_word_counts_if_it_is_one),
        cmocka_unit_test(ours_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
