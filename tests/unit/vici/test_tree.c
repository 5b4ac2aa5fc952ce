/* test_tree.c - messages as trees: round trip, look-ups, arguments, equal keys. */
#include "unit.h"
#include "vici/vici.h"

static struct arena arena;

static const struct {
    const char *what;
    struct adit_span octets;
    bool ok;
} rows[] = {
    { "empty", SPAN_LIT(""), true },
    { "empty list and section", SPAN_LIT("\x04\x01l\x06\x01\x01s\x02"), true },
    { "all together",
      SPAN_LIT("\x01\x01s\x03\x01k\0\x02\0v\x04\x01l\x05\0\x01"
               "1\x05\0\x01"
               "1\x06\x02\x03\x01k\0\0"),
      true },
    { "same key in two sections", SPAN_LIT("\x03\x01k\0\0\x01\x01s\x03\x01k\0\0\x02"), true },
    { "key twice", SPAN_LIT("\x03\x01k\0\0\x03\x01k\0\0"), false },
    { "key and section of one name", SPAN_LIT("\x03\x01k\0\0\x01\x01k\x02"), false },
    { "key twice in a section", SPAN_LIT("\x01\x01s\x03\x01k\0\0\x04\x01k\x06\x02"), false },
    { "item outside", SPAN_LIT("\x05\0\0"), false },
};

static void trees_give_the_same_octets(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vici_node *root;
        struct adit_buf out = { 0 };
        struct adit_why why = { 0 };
        enum adit_rc rc = vici_parse(rows[i].octets, &arena, &root, &why);
        assert_row(rows[i].what, rc == (rows[i].ok ? ADIT_OK : ADIT_ERR_MALFORMED));
        if (rc != ADIT_OK)
            continue;
        assert_int_equal(vici_write(root, &out), ADIT_OK);
        assert_row(rows[i].what, span_equal(buf_span(&out), rows[i].octets));
        buf_fini(&out);
    }
}

static struct vici_node *sample(void)
{
    struct vici_node *root = vici_root(&arena);
    struct vici_node *gw = vici_add(&arena, root, VICI_SECTION, "gw.example", SPAN_NONE);
    struct vici_node *ts = vici_add(&arena, gw, VICI_LIST, "local_ts", SPAN_NONE);
    vici_add_str(&arena, ts, "", "10.0.0.0/8");
    vici_add_str(&arena, gw, "state", "UP");
    struct vici_node *plain = vici_add(&arena, root, VICI_SECTION, "plain", SPAN_NONE);
    vici_add_str(&arena, plain, "state", "DOWN");
    vici_add_str(&arena, root, "force", "Yes");
    vici_add_str(&arena, root, "timeout", "-1");
    vici_add_str(&arena, root, "empty", "");
    vici_add_str(&arena, root, "octal", "010");
    vici_add_str(&arena, root, "hex", "0x1F");
    vici_add_str(&arena, root, "big", "9223372036854775807");
    vici_add_str(&arena, root, "bigger", "9223372036854775808");
    return root;
}

static void nodes_are_found(void **state)
{
    struct vici_node *root = sample();
    assert_string_equal(vici_text(root, "plain.state"), "DOWN");
    assert_string_equal(vici_text(vici_child(root, "gw.example"), "state"), "UP");
    assert_null(vici_find(root, "gw.example.state")); /* paths are split at dots */
    assert_null(vici_text(root, "plain"));
    assert_null(vici_find(root, "plain.none"));
    assert_null(vici_child(NULL, "x"));
    unsigned n = 0;
    vici_for_each(node, root) n++;
    assert_int_equal(n, 9);
}

static void arguments_are_strict(void **state)
{
    struct vici_node *root = sample();
    struct adit_why why = { 0 };
    bool flag = false;
    int64_t number = 7;
    assert_true(vici_get_bool(root, "force", &flag, &why) == ADIT_OK && flag);
    assert_true(vici_get_bool(root, "empty", &flag, &why) == ADIT_OK && flag);
    assert_int_equal(vici_get_bool(root, "hex", &flag, &why), ADIT_ERR_CONFIG);
    assert_int_equal(vici_get_bool(root, "plain", &flag, &why), ADIT_ERR_CONFIG);
    assert_true(vici_get_int(root, "absent", &number, &why) == ADIT_OK && number == 7);
    assert_true(vici_get_int(root, "timeout", &number, &why) == ADIT_OK && number == -1);
    assert_true(vici_get_int(root, "hex", &number, &why) == ADIT_OK && number == 31);
    assert_true(vici_get_int(root, "big", &number, &why) == ADIT_OK && number == INT64_MAX);
    assert_int_equal(vici_get_int(root, "bigger", &number, &why), ADIT_ERR_CONFIG);
    assert_int_equal(vici_get_int(root, "octal", &number, &why), ADIT_ERR_CONFIG);
    assert_int_equal(vici_get_int(root, "force", &number, &why), ADIT_ERR_CONFIG);
}

static void too_deep_trees_are_not_written(void **state)
{
    struct vici_node *root = vici_root(&arena), *node = root;
    struct adit_buf out = { 0 };
    for (int i = 0; i < 100; i++)
        node = vici_add(&arena, node, VICI_SECTION, "s", SPAN_NONE);
    assert_int_equal(vici_write(root, &out), ADIT_ERR_LIMIT);
    buf_fini(&out);
}

static void no_memory_is_reported(void **state)
{
    enum adit_rc rc = ADIT_ERR_MEMORY;
    for (unsigned fail_at = 0; rc != ADIT_OK && fail_at < 20; fail_at++) {
        struct arena own = { 0 };
        struct vici_node *root;
        unsigned left = fail_at;
        mem_set_gate(gate_countdown, &left);
        rc = vici_parse(rows[2].octets, &own, &root, NULL);
        mem_set_gate(NULL, NULL);
        assert_true(rc == ADIT_OK || rc == ADIT_ERR_MEMORY);
        arena_fini(&own);
    }
    assert_int_equal(rc, ADIT_OK);
}

static int cleanup(void **state)
{
    arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_give_the_same_octets), cmocka_unit_test(nodes_are_found),
        cmocka_unit_test(arguments_are_strict),       cmocka_unit_test(too_deep_trees_are_not_written),
        cmocka_unit_test(no_memory_is_reported),
    };
    return cmocka_run_group_tests_name("vici/tree", tests, NULL, cleanup);
}
