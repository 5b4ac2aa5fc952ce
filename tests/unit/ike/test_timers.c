/* test_timers.c - each thing that an SA waits for arms its timer, and does what it should when its time has come. */
#include "core.h"

struct row {
    const char *what;
    void (*set)(struct sim *s, struct ike_sa *sa, uint64_t at);
    bool (*happened)(struct sim *s, struct ike_sa *sa);
};
static const struct row *row;

static bool under_way(const struct ike_sa *sa, enum task_kind kind)
{
    return sa_out(sa) && sa_out(sa)->task && sa_out(sa)->task->kind == kind;
}

static struct ike_child *only_child(struct ike_sa *sa)
{
    return list_entry(sa->children.next, struct ike_child, link);
}

static void set_rekey(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    sa->rekey_at = at;
}

static bool rekeys(struct sim *s, struct ike_sa *sa)
{
    return under_way(sa, TASK_REKEY_IKE) && sa->rekey_at == 0;
}

static void set_reauth(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    sa->reauth_at = at;
}

static bool reauthenticates(struct sim *s, struct ike_sa *sa)
{
    struct ike_sa *fresh = core_newest(s, A);
    return fresh != sa && fresh->reauth_of == sa->id && sa_out(fresh) && fresh->state == SA_CONNECTING;
}

static void set_expire(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    sa->expire_at = at;
}

static bool deletes(struct sim *s, struct ike_sa *sa)
{
    return under_way(sa, TASK_DELETE_IKE) && sa->state == SA_DELETING;
}

static void set_die(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    sa->die_at = at;
}

static bool is_gone(struct sim *s, struct ike_sa *sa)
{
    return core_newest(s, A) == NULL;
}

static void set_heard(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    sa->heard_at = at - SECONDS(30); /* dpd_s of the configuration */
}

static bool asks(struct sim *s, struct ike_sa *sa)
{
    return under_way(sa, TASK_LIVENESS);
}

static void set_child_rekey(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    only_child(sa)->rekey_at = at;
}

static bool rekeys_child(struct sim *s, struct ike_sa *sa)
{
    return under_way(sa, TASK_REKEY_CHILD) && only_child(sa)->state == ADIT_CHILD_REKEYING;
}

static void set_child_expire(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    only_child(sa)->expire_at = at;
}

static bool deletes_child(struct sim *s, struct ike_sa *sa)
{
    return under_way(sa, TASK_DELETE_CHILD) && only_child(sa)->state == ADIT_CHILD_DELETING;
}

static void set_task(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    agenda_add(sa, TASK_LIVENESS, &step_liveness_req)->not_before = at;
}

static void set_pending(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    struct ike_pending *p = pending_new(sa, PENDING_NEW_CHILD, false);
    p->deadline = at;
    p->linked = true;
    list_append(&sa->pendings, &p->link);
}

static bool has_no_pending(struct sim *s, struct ike_sa *sa)
{
    return list_empty(&sa->pendings);
}

static void set_retransmit(struct sim *s, struct ike_sa *sa, uint64_t at)
{
    agenda_add(sa, TASK_LIVENESS, &step_liveness_req);
    sa_advance(sa);
    sa_out(sa)->retransmit_at = at;
}

static bool repeats(struct sim *s, struct ike_sa *sa)
{
    return sa_out(sa) && sa_out(sa)->tries == 1 && sa->retransmits == 1 && sa_out(sa)->retransmit_at > s->now;
}

static const struct row rows[] = {
    { "rekeying of the IKE SA", set_rekey, rekeys },
    { "reauthentication", set_reauth, reauthenticates },
    { "end of life of the IKE SA", set_expire, deletes },
    { "end of what lingers", set_die, is_gone },
    { "is the peer alive", set_heard, asks },
    { "rekeying of a Child SA", set_child_rekey, rekeys_child },
    { "end of life of a Child SA", set_child_expire, deletes_child },
    { "a task that waits", set_task, asks },
    { "a half-made SA", set_pending, has_no_pending },
    { "an answer that does not come", set_retransmit, repeats },
};

static void quiet(struct ike_sa *sa)
{
    sa->rekey_at = sa->reauth_at = sa->expire_at = 0;
    sa->heard_at += SECONDS(1000);
    only_child(sa)->rekey_at = only_child(sa)->expire_at = 0;
}

static void one_row(struct sim *s)
{
    sim_configure(s, .dpd_s = 30);
    sim_establish(s);
    sim_run(s, MILLIS(500));
    sim_cut(s, A, true);
    struct ike_sa *sa = core_newest(s, A);
    struct adit_ike *engine = s->host[A].ike;
    uint64_t at = s->now + SECONDS(5) + 123;
    quiet(sa);
    row->set(s, sa, at);
    sa_arm(sa);
    assert_row(row->what, adit_ike_deadline(engine) == at);
    adit_ike_tick(engine, s->now = at - 1);
    assert_row(row->what, !row->happened(s, sa) && adit_ike_deadline(engine) == at);
    adit_ike_tick(engine, s->now = at);
    assert_row(row->what, row->happened(s, sa));
    assert_row(row->what, adit_ike_deadline(engine) > at); /* once */
    sim_restart(s, A);
    sim_cut(s, A, false);
}

static void each_deadline_arms_and_fires(void **state)
{
    for (row = rows; row < rows + ARRAY_LEN(rows); row++)
        core_scenario(one_row);
}

/* Nothing is asked of an SA that has an exchange open or is not established. */
static void what_waits_for_something_else(struct sim *s)
{
    sim_configure(s, .dpd_s = 30);
    sim_establish(s);
    sim_cut(s, A, true);
    struct ike_sa *sa = core_newest(s, A);
    quiet(sa);
    sa->heard_at = s->now;
    assert_true(sa_next_deadline(sa) == s->now + SECONDS(30));
    sa_set_state(sa, SA_REKEYED);
    assert_true(sa_next_deadline(sa) == UINT64_MAX);
    sa_set_state(sa, SA_ESTABLISHED);
    struct ike_task *t = agenda_add(sa, TASK_LIVENESS, &step_liveness_req);
    assert_true(sa_next_deadline(sa) <= s->now);
    sa_advance(sa);
    assert_ptr_equal(sa_out(sa)->task, t);
    assert_true(sa_next_deadline(sa) == sa_out(sa)->retransmit_at);
    sim_restart(s, A);
    sim_cut(s, A, false);
}

static void an_open_exchange_waits_for_its_answer(void **state)
{
    core_scenario(what_waits_for_something_else);
}

/* Its rekeying is configured and the window was closed: it lives on once, is rekeyed as soon as that can be, and then has
 * to go all the same. */
static void a_child_whose_time_is_over(struct sim *s)
{
    sim_configure(s, .child_rekey_s = 1000);
    sim_establish(s);
    sim_cut(s, A, true);
    struct ike_sa *sa = core_newest(s, A);
    struct ike_child *c = only_child(sa);
    struct adit_ike *engine = s->host[A].ike;
    agenda_add(sa, TASK_LIVENESS, &step_liveness_req);
    sa_advance(sa);
    quiet(sa);
    uint64_t at = s->now + SECONDS(1);
    c->expire_at = at;
    sa_arm(sa);
    adit_ike_tick(engine, s->now = at);
    assert_true(c->overtime && c->expire_at == at + IKE_CHILD_OVER);
    assert_non_null(agenda_find(sa, TASK_REKEY_CHILD, c->id));
    assert_null(agenda_find(sa, TASK_DELETE_CHILD, c->id));
    c->expire_at = at + SECONDS(1);
    sa_arm(sa);
    adit_ike_tick(engine, s->now = at + SECONDS(1));
    assert_non_null(agenda_find(sa, TASK_DELETE_CHILD, c->id));
    assert_int_equal(c->expire_at, 0);
    sim_restart(s, A);
    sim_cut(s, A, false);
}

static void a_child_lives_on_until_it_is_rekeyed(void **state)
{
    core_scenario(a_child_whose_time_is_over);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_deadline_arms_and_fires),
        cmocka_unit_test(an_open_exchange_waits_for_its_answer),
        cmocka_unit_test(a_child_lives_on_until_it_is_rekeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
