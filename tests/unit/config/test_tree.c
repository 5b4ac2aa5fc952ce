/* test_tree.c - trees that are built by hand, as for VICI. */
#include "fake_io.h"

static void trees_keep_order_kind_and_octets(void **state)
{
    struct arena arena = { 0 };
    struct config_node *root = config_tree_new(&arena, "vici");
    struct config_node *s = config_tree_add(&arena, root, CONFIG_SECTION, "s", SPAN_NONE);
    config_tree_add(&arena, s, CONFIG_VALUE, "k", SPAN_LIT("a\0b"));
    struct config_node *list = config_tree_add(&arena, s, CONFIG_LIST, "k", SPAN_NONE);
    config_tree_add(&arena, list, CONFIG_VALUE, "", SPAN_LIT("item"));
    const struct config_node *k = config_tree_get(s, CONFIG_VALUE, "k");
    assert_true(span_equal(k->value, SPAN_LIT("a\0b")) && k->value.p[3] == 0);
    assert_string_equal(k->file, "vici");
    assert_ptr_equal(config_tree_get(s, CONFIG_LIST, "k"), list);
    assert_ptr_equal(k->next, list);
    assert_null(config_tree_get(s, CONFIG_SECTION, "k"));
    assert_null(config_tree_get(NULL, CONFIG_VALUE, "k"));
    assert_null(config_tree_add(&arena, NULL, CONFIG_VALUE, "k", SPAN_NONE));
    arena_fini(&arena);
}

static void unset_keys_are_not_found(void **state)
{
    struct arena arena = { 0 };
    struct config_node *root = config_tree_new(&arena, "f");
    struct config_node *k = config_tree_add(&arena, root, CONFIG_VALUE, "k", SPAN_NONE);
    assert_ptr_equal(config_tree_get(root, CONFIG_VALUE, "k"), k); /* empty, but set */
    k->value = SPAN_NONE;
    assert_null(config_tree_get(root, CONFIG_VALUE, "k"));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(trees_keep_order_kind_and_octets),
                                        cmocka_unit_test(unset_keys_are_not_found) };
    return cmocka_run_group_tests_name("config/tree", tests, NULL, NULL);
}
