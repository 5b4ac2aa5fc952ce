/* test_why.c - reasons in words. */
#include "unit.h"
#include "base/why.h"

static enum adit_rc stops_at_the_first_failure(enum adit_rc first, int *reached)
{
    TRY(first);
    *reached = 1;
    return ADIT_OK;
}

static void try_returns_early(void **state)
{
    int reached = 0;
    assert_int_equal(stops_at_the_first_failure(ADIT_ERR_TS, &reached), ADIT_ERR_TS);
    assert_int_equal(reached, 0);
    assert_int_equal(stops_at_the_first_failure(ADIT_OK, &reached), ADIT_OK);
    assert_int_equal(reached, 1);
}

static void context_goes_in_front(void **state)
{
    struct adit_why why = { 0 };
    assert_int_equal(why_set(&why, ADIT_ERR_CONFIG, "unknown key '%s'", "prooosals"), ADIT_ERR_CONFIG);
    assert_int_equal(why_context(&why, ADIT_ERR_BUG, "%s:%d", "swanctl.conf", 7), ADIT_ERR_CONFIG);
    assert_string_equal(why.text, "swanctl.conf:7: unknown key 'prooosals'");
    assert_int_equal(why.rc, ADIT_ERR_CONFIG);
}

static void a_failure_without_reason_gets_one(void **state)
{
    struct adit_why why = { 0 };
    assert_int_equal(why_context(&why, ADIT_ERR_MEMORY, "loading"), ADIT_ERR_MEMORY);
    assert_string_equal(why.text, "loading");
    assert_int_equal(why.rc, ADIT_ERR_MEMORY);
}

static void nobody_has_to_listen(void **state)
{
    assert_int_equal(why_set(NULL, ADIT_ERR_IO, "x"), ADIT_ERR_IO);
    assert_int_equal(why_context(NULL, ADIT_ERR_IO, "x"), ADIT_ERR_IO);
}

static void long_texts_are_cut(void **state)
{
    struct adit_why why = { 0 };
    char text[600];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    why_set(&why, ADIT_ERR_IO, "%s", text);
    assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
    why_context(&why, ADIT_ERR_IO, "context");
    assert_memory_equal(why.text, "context: aaa", 12);
    assert_string_equal(why.text + sizeof(why.text) - 5, "a...");
}

static void every_code_has_its_own_name(void **state)
{
    const char *names[200];
    size_t n = 0;
    for (int rc = 1; rc >= -60; rc--) {
        const char *name = adit_rc_name((enum adit_rc)rc);
        assert_non_null(name);
        if (strcmp(name, "unknown error") == 0)
            continue;
        for (size_t i = 0; i < n; i++)
            assert_string_not_equal(names[i], name);
        names[n++] = name;
    }
    assert_int_equal(n, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(try_returns_early),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(a_failure_without_reason_gets_one),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(every_code_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
