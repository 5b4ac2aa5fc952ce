/* test_registry.c - the list of extensions is whole: ids, names, documents, owners of options, order where it matters. */
#include "core.h"

static void each_entry_is_complete(void **state)
{
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        const struct ike_ext *e = ike_exts[i];
        assert_non_null(e);
        assert_int_equal(e->id, i);
        assert_row(e->name, e->name[0] && e->spec && e->spec[0]);
        for (unsigned k = 0; k < i; k++)
            assert_row(e->name, strcmp(e->name, ike_exts[k]->name) != 0);
    }
}

static void options_say_whose_they_are(void **state)
{
    size_t n, seen = 0;
    const struct adit_option_def *all = adit_ike_options(&n);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        for (uint16_t k = 0; k < ike_exts[i]->n_options; k++) {
            const struct adit_option_def *o = &ike_exts[i]->options[k];
            assert_row(o->key, strcmp(o->owner, ike_exts[i]->name) == 0);
            assert_row(o->key, o->doc && o->doc[0] && o->deflt);
            assert_row(o->key, o->type != ADIT_OPT_WORD || strstr(o->words, o->deflt));
            seen++;
        }
    assert_int_equal(seen, n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            assert_row(all[i].key, strcmp(all[i].key, all[k].key) != 0 || all[i].scope != all[k].scope);
}

/* Both sides of a step with the same exchange and name, or a message could be sent that nobody takes. */
static void each_request_has_its_answer(void **state)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        for (const struct ike_step *const *s = ike_exts[i]->steps; s && *s; s++) {
            assert_row((*s)->name, (*s)->build || (*s)->consume);
            assert_row((*s)->name, (*s)->role == XCHG_REQUESTER || (*s)->want);
        }
}

/* IntAuth covers a message before anybody's round changes the keys (RFC 9242 s3.3.2). */
static void conversation_is_watched_before_keys_change(void **state)
{
    assert_true(EXT_intermediate < EXT_addke);
}

static void the_public_list_is_the_same(void **state)
{
    const char *name, *spec;
    size_t n = 0;
    while (adit_ike_extension(n, &name, &spec)) {
        assert_string_equal(name, ike_exts[n]->name);
        assert_string_equal(spec, ike_exts[n]->spec);
        n++;
    }
    assert_int_equal(n, EXT_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_entry_is_complete),
        cmocka_unit_test(options_say_whose_they_are),
        cmocka_unit_test(each_request_has_its_answer),
        cmocka_unit_test(conversation_is_watched_before_keys_change),
        cmocka_unit_test(the_public_list_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
