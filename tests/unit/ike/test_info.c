/* test_info.c - looking at SAs: all of them once, in order of birth, and nothing is changed by it. */
#include "core.h"

static void each_sa_is_shown_once(void **state)
{
    struct ike *ike = core_new();
    struct adit_ike *engine = (struct adit_ike *)ike;
    struct adit_ike_info info;
    uint32_t cursor = 0;
    assert_false(adit_ike_sa_next(engine, &cursor, &info));
    struct ike_sa *sa[5];
    for (int i = 0; i < 5; i++)
        sa[i] = core_sa(ike, i & 1);
    sa_set_state(sa[1], SA_DEAD); /* only repeats its last answer */
    sa_end(sa[3], ADIT_ERR_CLOSED, "closed");
    for (int i = 0; i < 5; i += 2) {
        assert_true(adit_ike_sa_next(engine, &cursor, &info));
        assert_true(info.id == sa[i]->id && info.initiator == (i & 1) && !strcmp(info.conn, "peer"));
        assert_true(info.state == ADIT_IKE_ESTABLISHED && path_equal(&info.path, &sa[i]->path));
    }
    assert_false(adit_ike_sa_next(engine, &cursor, &info));
    assert_int_equal(adit_ike_sa_count(engine), 3);
    core_free(ike);
}

static void states_have_public_names(void **state)
{
    static const struct {
        enum sa_state state;
        enum adit_ike_state shown;
    } rows[] = { { SA_CONNECTING, ADIT_IKE_CONNECTING },
                 { SA_AUTHENTICATING, ADIT_IKE_AUTHENTICATING },
                 { SA_ESTABLISHED, ADIT_IKE_ESTABLISHED },
                 { SA_REKEYED, ADIT_IKE_REKEYED },
                 { SA_DELETING, ADIT_IKE_DELETING } };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_ike_info info;
        uint32_t cursor = 0;
        sa->state = rows[i].state;
        assert_true(adit_ike_sa_next((struct adit_ike *)ike, &cursor, &info) && info.state == rows[i].shown);
    }
    core_free(ike);
}

static void tasks_are_listed_as_far_as_they_fit(void **state)
{
    static const struct ike_step step = { .name = "IKE_SOMETHING" };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct adit_ike_info info;
    for (size_t n = 0; n < 20; n++) {
        uint32_t cursor = 0;
        size_t shown = 0;
        assert_true(adit_ike_sa_next((struct adit_ike *)ike, &cursor, &info));
        while (shown < ARRAY_LEN(info.tasks_queued) && info.tasks_queued[shown])
            shown++;
        assert_int_equal(shown, n < ARRAY_LEN(info.tasks_queued) - 1 ? n : ARRAY_LEN(info.tasks_queued) - 1);
        agenda_add(sa, TASK_EXCHANGE, &step);
    }
    core_free(ike);
}

static void what_it_waits_for_is_shown(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_xchg out = { .exchange = XCHG_CREATE_CHILD_SA }, in = { .waiting = "sign ECDSA" };
    struct adit_ike_info info;
    uint32_t cursor = 0;
    assert_true(adit_ike_sa_next((struct adit_ike *)ike, &cursor, &info) && !info.waiting);
    list_append(&sa->out, &out.link);
    cursor = 0;
    assert_true(adit_ike_sa_next((struct adit_ike *)ike, &cursor, &info));
    assert_non_null(strstr(info.waiting, "CREATE_CHILD_SA"));
    list_append(&sa->in, &in.link);
    cursor = 0;
    assert_true(adit_ike_sa_next((struct adit_ike *)ike, &cursor, &info) &&
                !strcmp(info.waiting, "sign ECDSA"));
    list_remove(&in.link);
    list_remove(&out.link);
    core_free(ike);
}

static void children_are_shown_by_index(void **state)
{
    struct ike *ike = core_new();
    struct adit_ike *engine = (struct adit_ike *)ike;
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_child *one = core_child(sa), *two = core_child(sa);
    struct adit_child_info info;
    assert_true(adit_ike_child_info(engine, sa->id, 0, &info) && info.id == one->id &&
                info.spec.in.spi == one->spi_in);
    assert_true(adit_ike_child_info(engine, sa->id, 1, &info) && info.id == two->id && !info.spec.in.encr.n);
    assert_false(adit_ike_child_info(engine, sa->id, 2, &info));
    assert_false(adit_ike_child_info(engine, sa->id + 1, 0, &info));
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sa_is_shown_once),
        cmocka_unit_test(states_have_public_names),
        cmocka_unit_test(tasks_are_listed_as_far_as_they_fit),
        cmocka_unit_test(what_it_waits_for_is_shown),
        cmocka_unit_test(children_are_shown_by_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
