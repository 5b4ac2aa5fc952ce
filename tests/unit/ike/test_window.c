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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_taken_once_and_in_order_with_a_window_of_one),
        cmocka_unit_test(what_is_in_work_is_not_taken_again),
        cmocka_unit_test(room_is_counted_from_the_oldest_without_an_answer),
        cmocka_unit_test(an_answer_finds_its_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
