/* test_vault.c - state of the whole engine, and the part of it that outlives the engine. */
#include "core.h"
#include "ike/ext/resumption/resumption.h" /* which has some */

static struct ticket_key key_of(uint8_t octet)
{
    struct ticket_key k = { .id = { octet } };
    assert_int_equal(secret_alloc(&k.secret, 32), ADIT_OK);
    k.secret.p[0] = octet;
    return k;
}

static void keys_outlive_the_engine(void **state)
{
    struct ike *one = core_new(), *two = core_new();
    struct ike_sa *sa = core_sa(one, false), *other = core_sa(two, false);
    struct vault *v = ext_engine(sa, EXT_resumption), *w = ext_engine(other, EXT_resumption);
    uint8_t kept[500];
    v->key[0] = key_of(7);
    v->key[1] = key_of(9);
    v->key[0].made_at = 77;
    size_t n = adit_ike_save((struct adit_ike *)one, kept, sizeof(kept));
    assert_true(n > 64);
    assert_int_equal(adit_ike_save((struct adit_ike *)one, kept, n - 1), 0);
    assert_int_equal(adit_ike_save((struct adit_ike *)one, kept, sizeof(kept)), n);
    assert_true(adit_ike_load((struct adit_ike *)two, kept, n));
    assert_true(secret_equal(secret_span(&w->key[1].secret), secret_span(&v->key[1].secret)));
    assert_int_equal(w->key[0].made_at, 77);
    for (size_t cut = 1; cut < n; cut++)
        assert_true(cut == 1 || !adit_ike_load((struct adit_ike *)two, kept, cut));
    kept[0]++;
    assert_false(adit_ike_load((struct adit_ike *)two, kept, n));
    core_free(one);
    core_free(two);
}

static void changes_are_counted(void **state)
{
    struct ike *ike = core_new();
    unsigned before = adit_ike_changes((struct adit_ike *)ike);
    ext_engine_changed(core_sa(ike, false));
    assert_int_equal(adit_ike_changes((struct adit_ike *)ike), before + 1);
    core_free(ike);
}

static void what_nobody_knows_is_passed_over(void **state)
{
    struct ike *ike = core_new();
    static const uint8_t kept[] = { 1, 4, 'g', 'o', 'n', 'e', 0, 2, 9, 9 };
    assert_true(adit_ike_load((struct adit_ike *)ike, kept, sizeof(kept)));
    assert_false(adit_ike_load((struct adit_ike *)ike, kept, sizeof(kept) - 1));
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_outlive_the_engine),
        cmocka_unit_test(changes_are_counted),
        cmocka_unit_test(what_nobody_knows_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
