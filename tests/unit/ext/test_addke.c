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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_come_in_order),
        cmocka_unit_test(transforms_need_the_exchange_that_carries_them),
        cmocka_unit_test(answer_without_link_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
