/* test_agenda.c - what comes next (RFC 7296 s2.25 prefers deletes). */
#include "core.h"

static const struct ike_step a_step = { .name = "IKE_SOMETHING" };

static void the_most_urgent_comes_first(void **state)
{
    static const enum task_kind order[] = { TASK_DELETE_IKE, TASK_NOTIFY,       TASK_EXCHANGE,
                                            TASK_REKEY_IKE,  TASK_DELETE_CHILD, TASK_REKEY_CHILD,
                                            TASK_NEW_CHILD,  TASK_LIVENESS };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    assert_int_equal(ARRAY_LEN(order), TASK_KINDS);
    for (size_t i = 0; i < 2 * ARRAY_LEN(order); i++) /* added the other way round, two of each */
        agenda_add(sa, order[ARRAY_LEN(order) - 1 - i / 2], &a_step)->child_id = (uint32_t)(i & 1);
    for (size_t i = 0; i < 2 * ARRAY_LEN(order); i++) {
        struct ike_task *t = agenda_take(sa);
        assert_int_equal(t->kind, order[i / 2]);
        assert_int_equal(t->child_id, i & 1); /* first come, first served */
        task_free(t);
    }
    assert_null(agenda_take(sa));
    core_free(ike);
}

/* RFC 7296 s2.25.2: while the IKE SA is being rekeyed nothing is created in it; everything else goes on. */
static void a_rekeying_of_the_ike_sa_holds_creations_back(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_pending *p = pending_new(sa, PENDING_REKEY_IKE, false);
    list_append(&sa->pendings, &p->link);
    p->linked = true;
    agenda_add(sa, TASK_NEW_CHILD, &a_step);
    agenda_add(sa, TASK_REKEY_CHILD, &a_step);
    agenda_add(sa, TASK_REKEY_IKE, &a_step);
    assert_null(agenda_take(sa));
    assert_true(agenda_deadline(sa) == UINT64_MAX);
    struct ike_task *t = agenda_add(sa, TASK_EXCHANGE, &a_step);
    assert_ptr_equal(agenda_take(sa), t);
    task_free(t);
    pending_free(p);
    assert_true(agenda_deadline(sa) <= ike->now);
    t = agenda_take(sa);
    assert_int_equal(t->kind, TASK_REKEY_IKE);
    task_free(t);
    core_free(ike);
}

static void a_series_of_ours_for_a_child_holds_what_is_about_it_back(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_pending *p = pending_new(sa, PENDING_REKEY_CHILD, true);
    list_append(&sa->pendings, &p->link);
    p->linked = true;
    p->old_child = 3;
    agenda_add(sa, TASK_REKEY_CHILD, &a_step)->child_id = 3;
    agenda_add(sa, TASK_DELETE_CHILD, &a_step)->child_id = 3;
    assert_null(agenda_take(sa));
    struct ike_task *t = agenda_add(sa, TASK_REKEY_CHILD, &a_step);
    t->child_id = 4;
    assert_ptr_equal(agenda_take(sa), t);
    task_free(t);
    pending_free(p);
    t = agenda_take(sa);
    assert_true(t->kind == TASK_DELETE_CHILD && t->child_id == 3);
    task_free(t);
    core_free(ike);
}

static void what_has_to_wait_waits(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    assert_true(agenda_deadline(sa) == UINT64_MAX);
    struct ike_task *later = agenda_add(sa, TASK_DELETE_IKE, &a_step);
    list_remove(&later->link);
    agenda_again(sa, later, 500);
    assert_int_equal(later->tries, 1);
    assert_true(agenda_deadline(sa) == ike->now + 500);
    assert_null(agenda_take(sa));
    struct ike_task *now = agenda_add(sa, TASK_LIVENESS, &a_step);
    assert_true(agenda_deadline(sa) != 0 &&
                agenda_deadline(sa) <= ike->now); /* at once; 0 would mean never */
    assert_ptr_equal(agenda_take(sa), now);
    task_free(now);
    ike->now += 499;
    assert_null(agenda_take(sa));
    ike->now += 1;
    assert_ptr_equal(agenda_take(sa), later);
    task_free(later);
    core_free(ike);
}

static void while_an_exchange_is_open_nothing_is_due(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_xchg x = { 0 };
    agenda_add(sa, TASK_LIVENESS, &a_step);
    list_append(&sa->out, &x.link);
    assert_true(agenda_deadline(sa) == UINT64_MAX);
    list_remove(&x.link);
    core_free(ike);
}

/* The table of what may run beside what: the agenda's one question. */
static void what_may_run_beside_what(void **state)
{
    static const struct ike_step beside = { .name = "a", .beside = true }, alone = { .name = "b" };
    static const struct {
        const char *what;
        bool out_alone;
        enum task_kind out;
        uint32_t out_child;
        unsigned tries;
        enum task_kind in_line;
        bool alone;
        uint32_t child;
        bool begins;
    } rows[] = {
        { "two Child SAs", false, TASK_NEW_CHILD, 0, 0, TASK_NEW_CHILD, false, 0, true },
        { "two workers' Child SAs like one", false, TASK_NEW_CHILD, 3, 0, TASK_NEW_CHILD, false, 3, true },
        { "rekeyings of two", false, TASK_REKEY_CHILD, 3, 0, TASK_REKEY_CHILD, false, 4, true },
        { "two of one", false, TASK_REKEY_CHILD, 3, 0, TASK_REKEY_CHILD, false, 3, false },
        { "rekeying and deleting one", false, TASK_REKEY_CHILD, 3, 0, TASK_DELETE_CHILD, false, 3, false },
        { "rekeying one, deleting another", false, TASK_REKEY_CHILD, 3, 0, TASK_DELETE_CHILD, false, 4, true },
        { "a check", false, TASK_NEW_CHILD, 0, 0, TASK_LIVENESS, false, 0, true },
        { "the IKE SA's rekeying after a Child SA", false, TASK_NEW_CHILD, 0, 0, TASK_REKEY_IKE, true, 0, false },
        { "a Child SA after the IKE SA's rekeying", true, TASK_REKEY_IKE, 0, 0, TASK_NEW_CHILD, false, 0, false },
        { "the end", false, TASK_LIVENESS, 0, 0, TASK_DELETE_IKE, true, 0, false },
        { "an extension's own", false, TASK_NEW_CHILD, 0, 0, TASK_EXCHANGE, true, 0, false },
        { "after one repetition", false, TASK_NEW_CHILD, 0, 1, TASK_NEW_CHILD, false, 0, true },
        { "no answer for long", false, TASK_NEW_CHILD, 0, 2, TASK_NEW_CHILD, false, 0, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = core_sa(ike, true);
        struct ike_task active = { .kind = rows[i].out, .child_id = rows[i].out_child };
        struct ike_xchg x = { .task = &active, .alone = rows[i].out_alone, .tries = rows[i].tries };
        sa->peer_window = 3;
        list_append(&sa->out, &x.link);
        struct ike_task *t = agenda_add(sa, rows[i].in_line, rows[i].alone ? &alone : &beside);
        t->child_id = rows[i].child;
        assert_row(rows[i].what, (agenda_deadline(sa) <= ike->now) == rows[i].begins);
        struct ike_task *later = agenda_add(sa, TASK_LIVENESS, &beside);
        bool others = !rows[i].alone && !rows[i].out_alone && rows[i].tries < 2; /* it waits for its own turn only */
        struct ike_task *first = agenda_take(sa);
        assert_row(rows[i].what, first == (rows[i].begins ? t : others ? later : NULL));
        if (first)
            task_free(first);
        list_remove(&x.link);
        core_free(ike);
    }
}

static void a_task_is_found_waiting_or_under_way(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_task active = { .kind = TASK_REKEY_CHILD, .child_id = 3 };
    struct ike_xchg x = { .task = &active };
    struct ike_task *t = agenda_add(sa, TASK_DELETE_CHILD, &a_step);
    t->child_id = 7;
    assert_ptr_equal(agenda_find(sa, TASK_DELETE_CHILD, 7), t);
    assert_null(agenda_find(sa, TASK_DELETE_CHILD, 8));
    assert_null(agenda_find(sa, TASK_REKEY_CHILD, 7));
    list_append(&sa->out, &x.link);
    assert_ptr_equal(agenda_find(sa, TASK_REKEY_CHILD, 3), &active);
    assert_null(agenda_find(sa, TASK_REKEY_CHILD, 4));
    list_remove(&x.link);
    core_free(ike);
}

static void its_command_is_answered_once(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct adit_event ev;
    struct ike_task *t = agenda_add(sa, TASK_NEW_CHILD, &a_step);
    list_remove(&t->link);
    t->cookie = 99;
    task_end(sa, t, ADIT_ERR_TS, "no common selectors");
    assert_true(core_event(ike, ADIT_EV_DONE, &ev));
    assert_true(ev.cookie == 99 && ev.rc == ADIT_ERR_TS && !strcmp(ev.text, "no common selectors"));
    t = agenda_add(sa, TASK_NEW_CHILD, &a_step);
    list_remove(&t->link);
    task_end(sa, t, ADIT_OK, ""); /* nobody asked */
    assert_false(core_event(ike, ADIT_EV_DONE, &ev));
    core_free(ike);
}

static void tasks_have_names_for_people(void **state)
{
    for (int kind = 0; kind < TASK_KINDS; kind++) {
        struct ike_task t = { .kind = (enum task_kind)kind, .step = &a_step };
        assert_true(strlen(task_name(&t)) > 3);
        assert_true(!strcmp(task_name(&t), "IKE_SOMETHING") == (kind == TASK_EXCHANGE));
    }
}

static void a_full_agenda_takes_only_the_end(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    for (unsigned i = 0; i < IKE_TASKS_MAX; i++)
        assert_non_null(agenda_add(sa, TASK_NEW_CHILD, &a_step));
    assert_null(agenda_add(sa, TASK_NEW_CHILD, &a_step));
    assert_non_null(agenda_add(sa, TASK_DELETE_IKE, &a_step));
    core_free(ike);
}

static void memory_may_be_out(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    unsigned left = 0;
    mem_set_gate(gate_countdown, &left);
    struct ike_task *t = agenda_add(sa, TASK_LIVENESS, &a_step);
    mem_set_gate(NULL, NULL);
    assert_null(t);
    assert_true(list_empty(&sa->tasks));
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_urgent_comes_first),
        cmocka_unit_test(a_rekeying_of_the_ike_sa_holds_creations_back),
        cmocka_unit_test(a_series_of_ours_for_a_child_holds_what_is_about_it_back),
        cmocka_unit_test(what_has_to_wait_waits),
        cmocka_unit_test(while_an_exchange_is_open_nothing_is_due),
        cmocka_unit_test(what_may_run_beside_what),
        cmocka_unit_test(a_task_is_found_waiting_or_under_way),
        cmocka_unit_test(its_command_is_answered_once),
        cmocka_unit_test(tasks_have_names_for_people),
        cmocka_unit_test(a_full_agenda_takes_only_the_end),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
