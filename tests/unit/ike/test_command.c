/* test_command.c - which SAs a command means, and that each is answered. What becomes of it: tests/sim. */
#include "core.h"

struct crowd {
    struct ike *ike;
    struct ike_sa *first, *second;
    struct ike_child *one, *two, *three; /* one, two: of first */
};

static void gather(struct crowd *c)
{
    c->ike = core_new();
    c->first = core_sa(c->ike, true);
    c->second = core_sa(c->ike, false);
    c->one = core_child(c->first);
    c->two = core_child(c->first);
    c->three = core_child(c->second);
    c->one->reqid = c->three->reqid = 5;
    c->two->reqid = 6;
}

static enum adit_rc tell(struct crowd *c, const struct adit_command *cmd, unsigned *matches)
{
    struct adit_why why = { 0 };
    enum adit_rc rc = adit_ike_command((struct adit_ike *)c->ike, cmd, c->ike->now, matches, &why);
    assert_int_equal(rc != ADIT_OK, why.text[0] != 0);
    return rc;
}

static void selectors_pick(void **state)
{
    struct row {
        const char *what;
        struct adit_command cmd;
        unsigned matches;
    };
    static const struct row rows[] = {
        { "all of a connection", { .conn = "peer" }, 2 },
        { "another connection", { .conn = "pear" }, 0 },
        { "by id", { .ike_id = 1 }, 1 },
        { "an unknown id", { .ike_id = 9 }, 0 },
        { "id and another connection", { .ike_id = 1, .conn = "pear" }, 0 },
        { "children by name", { .child = "net" }, 3 },
        { "children of an unknown name", { .child = "nets" }, 0 },
        { "a child by id", { .child_id = 2 }, 1 },
        { "a child by reqid", { .reqid = 5 }, 2 },
        { "a child of one SA", { .ike_id = 2, .reqid = 5 }, 1 },
        { "all have to fit", { .child_id = 2, .reqid = 5 }, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int rekey = 0; rekey < 2; rekey++) {
            struct crowd c;
            struct adit_command cmd = rows[i].cmd;
            unsigned matches = 99;
            gather(&c);
            cmd.type = rekey ? ADIT_CMD_REKEY : ADIT_CMD_TERMINATE;
            enum adit_rc rc = tell(&c, &cmd, &matches);
            assert_row(rows[i].what, matches == rows[i].matches);
            assert_row(rows[i].what, rc == (matches ? ADIT_OK : ADIT_ERR_NOT_FOUND));
            core_free(c.ike);
        }
}

static void what_is_going_is_not_picked(void **state)
{
    struct crowd c;
    unsigned matches;
    gather(&c);
    c.one->state = ADIT_CHILD_REKEYED;
    c.two->state = ADIT_CHILD_DELETING;
    tell(&c, &(struct adit_command){ .type = ADIT_CMD_REKEY, .child = "net" }, &matches);
    assert_int_equal(matches, 1);
    sa_set_state(c.first, SA_REKEYED);
    tell(&c, &(struct adit_command){ .type = ADIT_CMD_TERMINATE, .conn = "peer" }, &matches);
    assert_int_equal(matches, 1);
    tell(&c, &(struct adit_command){ .type = ADIT_CMD_TERMINATE, .conn = "peer" }, &matches);
    assert_int_equal(matches, 0); /* it is being deleted already */
    core_free(c.ike);
}

static void by_force_it_ends_at_once(void **state)
{
    struct crowd c;
    unsigned matches, answers = 0, removed = 0;
    struct adit_event ev;
    gather(&c);
    struct adit_command cmd = { .type = ADIT_CMD_TERMINATE, .conn = "peer", .force = true, .cookie = 4 };
    assert_int_equal(tell(&c, &cmd, &matches), ADIT_OK);
    assert_true(matches == 2 && list_empty(&c.ike->sas) && c.ike->n_sas == 0);
    while (adit_ike_poll((struct adit_ike *)c.ike, &ev)) {
        answers += ev.type == ADIT_EV_DONE && ev.cookie == 4 && ev.rc == ADIT_OK;
        removed += ev.type == ADIT_EV_CHILD_REMOVE;
    }
    assert_int_equal(answers, 1); /* one answer for all */
    assert_int_equal(removed, 3);
    core_free(c.ike);
}

/* RFC 7296 s2.4: ESP that the data plane could open proves that the peer lives. */
static void the_data_plane_reports(void **state)
{
    struct crowd c;
    unsigned matches;
    gather(&c);
    c.first->heard_at = 1;
    tell(&c, &(struct adit_command){ .type = ADIT_CMD_LIVE, .child_id = c.one->id }, &matches);
    assert_true(matches == 1 && c.first->heard_at == c.ike->now);
    tell(&c, &(struct adit_command){ .type = ADIT_CMD_EXPIRE_HARD, .child_id = c.two->id }, &matches);
    assert_true(sa_out(c.first) && sa_out(c.first)->task->kind == TASK_DELETE_CHILD);
    c.three->state = ADIT_CHILD_REKEYING; /* already */
    tell(&c, &(struct adit_command){ .type = ADIT_CMD_EXPIRE_SOFT, .child_id = c.three->id }, &matches);
    assert_true(matches == 1 && !sa_out(c.second) && list_empty(&c.second->tasks));
    assert_int_equal(tell(&c, &(struct adit_command){ .type = ADIT_CMD_LIVE, .child_id = 77 }, &matches),
                     ADIT_ERR_NOT_FOUND);
    core_free(c.ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_pick),
        cmocka_unit_test(what_is_going_is_not_picked),
        cmocka_unit_test(by_force_it_ends_at_once),
        cmocka_unit_test(the_data_plane_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
