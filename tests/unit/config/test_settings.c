/* test_settings.c - the grammar's corpus: merging, includes, references, and errors with their places. */
#include <stdlib.h>
#include <unistd.h>
#include "fake_io.h"
#include "config/settings.h"

/* The tree in one line: a{k=v;l=;s{}} ("!" behind a section: unset keys are shown as "k!"). */
static void show(struct strbuf *out, const struct config_node *section)
{
    for (const struct config_node *node = section->first; node; node = node->next) {
        strbuf_add(out, node->name);
        if (node->kind == CONFIG_SECTION) {
            strbuf_add(out, "{");
            show(out, node);
            strbuf_add(out, "}");
        } else if (node->value.p) {
            strbuf_addf(out, "=%s;", (const char *)node->value.p);
        } else {
            strbuf_add(out, "!;");
        }
    }
}

static const struct {
    const char *what, *text, *tree;
} rows[] = {
    { "empty", "", "" },
    { "comment only", "# a { b = c }", "" },
    { "all on one line", "a{b=c}d{}", "a{b=c}d{}" },
    { "braces on lines of their own", "a\n{\nb = c\n}\n", "a{b=c;}" },
    { "value ends at brace", "a { b = c d }", "a{b=c d;}" },
    { "sections merge", "a { b = 1 } c {} a { d = 2 }", "a{b=1;d=2;}c{}" },
    { "last value, first position", "a { b = 1\n c = 2\n b = 3\n }", "a{b=3;c=2;}" },
    { "unset", "a { b =\n c = }", "a{b!;c!;}" },
    { "key and section of one name", "a { b = 1\n b {} }", "a{b=1;b{}}" },
    { "include is a key, too", "a { include = x }", "a{include=x;}" },
    { "names may hold signs", "a-1_%x/y { k' = 1 }", "a-1_%x/y{k'=1;}" },
    { "inherits what it lacks", "b { k = 1\n l = 2\n } a : b { k = 3 }", "b{k=1;l=2;}a{k=3;l=2;}" },
    { "in the order of references", "b { k = 1 } c { k = 2\n l = 2 } a : b, c {}",
      "b{k=1;}c{k=2;l=2;}a{k=1;l=2;}" },
    { "recursively", "b { s { k = 1\n l = 1\n } } a : b { s { k = 2 } }", "b{s{k=1;l=1;}}a{s{k=2;l=1;}}" },
    { "over two steps", "c { k = 1 } b : c { l = 2 } a : b {}", "c{k=1;}b{l=2;k=1;}a{l=2;k=1;}" },
    { "a section below", "t { x { k = 1 } } a : t.x {}", "t{x{k=1;}}a{k=1;}" },
    { "a section that is inherited itself", "u { x { k = 1 } } t : u {} a : t.x {}",
      "u{x{k=1;}}t{x{k=1;}}a{k=1;}" },
    { "unset hides", "b { k = 1 } a : b { k = }", "b{k=1;}a{k!;}" },
    { "loop", "a : b { k = 1 } b : a { l = 2 }", "a{k=1;l=2;}b{l=2;k=1;}" },
    { "itself", "a : a { k = 1 }", "a{k=1;}" },
    { "forward reference", "a : b {} b { k = 1 }", "a{k=1;}b{k=1;}" },
    { "reference in an inner section", "b { k = 1 } a { s : b {} }", "b{k=1;}a{s{k=1;}}" },
    { "included file", "include inc.conf\nz {}", "i{k=v;}z{}" },
    { "included in a section", "a { include inc.conf\n l = 2 }", "a{i{k=v;}l=2;}" },
    { "include by pattern", "include d/*.conf", "d1{}d2{}" },
    { "include of nothing", "include nosuch*\na {}", "a{}" },
    { "quoted include", "include \"inc.conf\"", "i{k=v;}" },
    { "include relative to the including file", "include d/../d/1.conf", "d1{}" },
};

static const char main_path[] = "/s/swanctl.conf";

static enum adit_rc read_text(const char *text, struct arena *arena, struct config_report *report,
                              struct config_node **root)
{
    struct fake_file files[] = { { "/s/d/../d/1.conf", "d1 {}" },
                                 { "/s/d/1.conf", "d1 {}" },
                                 { "/s/d/2.conf", "d2 {}" },
                                 { "/s/d/3.other", "d3 {}" },
                                 { "/s/inc.conf", "i { k = v }" },
                                 { "/s/bad.conf", "\n\na { b }" },
                                 { "/s/loop.conf", "include loop.conf" },
                                 { "/s/open.conf", "a {" },
                                 { "/s/close.conf", "}" },
                                 { main_path, text },
                                 { NULL, NULL } };
    struct config_io io = fake_io(files);
    struct adit_why why = { 0 };
    return settings_read(&io, main_path, arena, report, root, &why);
}

/* "a{b=1;}" and "a{b=1}" are the same in the table. */
static bool same(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        while (*a == ';')
            a++;
        while (*b == ';')
            b++;
        if (*a != *b)
            return false;
    }
    return strspn(a, ";") == strlen(a) && strspn(b, ";") == strlen(b);
}

static void files_become_trees(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = { 0 };
        struct config_report report = { 0 };
        struct config_node *root;
        STRBUF(out, 512);
        assert_row(rows[i].what, read_text(rows[i].text, &arena, &report, &root) == ADIT_OK);
        assert_row(rows[i].what, report.errors == 0);
        show(&out, root);
        if (!same(out.p, rows[i].tree))
            fail_msg("row '%s': %s", rows[i].what, out.p);
        config_report_fini(&report);
        arena_fini(&arena);
    }
}

static const struct {
    const char *what, *text, *problem;
} errors[] = {
    { "neither = nor {", "a {\n  b\n}", "/s/swanctl.conf:3:1: '=' or '{' is expected after 'b'" },
    { "section left open", "a {\n  b {\n}", "/s/swanctl.conf:1:1: section 'a' is not closed by '}'" },
    { "brace too many", "a {}\n}", "/s/swanctl.conf:2:1: '}' without a section that it could close" },
    { "string left open", "a { b = \"c }", "/s/swanctl.conf:1:13: the string is not closed by '\"'" },
    { "dot in a name", "a.b {}", "/s/swanctl.conf:1:2: '=' or '{' is expected after 'a'" },
    { "quote in a name", "\"a\" {}", "/s/swanctl.conf:1:1: a key's or section's name is expected here" },
    { "missing reference", "a :  {}", "/s/swanctl.conf:1:6: a section's name is expected after ':' or ','" },
    { "reference to nothing", "a : b.c {}", "/s/swanctl.conf:1:5: section 'b.c' does not exist" },
    { "reference without section", "a : b\nc = d", "/s/swanctl.conf:2:1: '{' is expected" },
    { "error in an included file", "\ninclude bad.conf",
      "/s/bad.conf:3:7: '=' or '{' is expected after 'b'" },
    { "included file leaves open", "include open.conf\n}",
      "/s/open.conf:1:1: section 'a' is not closed by '}'" },
    { "included file closes", "a { include close.conf\n }",
      "/s/close.conf:1:1: '}' without a section that it could close" },
    { "file includes itself", "include loop.conf", "/s/loop.conf:1:1: include: files are nested too deep" },
    { "include of nothing at all", "include \n",
      "/s/swanctl.conf:1:1: include: a file name or pattern is expected" },
    { "NUL octet", "a { b = c\x01 }", "" },
    { "too deep", "a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{",
      "/s/swanctl.conf:1:65: sections are nested too deep" },
};

static void errors_name_their_place(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct arena arena = { 0 };
        struct config_report report = { 0 };
        struct config_node *root;
        assert_int_equal(read_text(errors[i].text, &arena, &report, &root), ADIT_OK);
        if (strcmp(first_problem(&report), errors[i].problem))
            fail_msg("row '%s': %s", errors[i].what, first_problem(&report));
        config_report_fini(&report);
        arena_fini(&arena);
    }
}

static void nul_octets_are_errors(void **state)
{
    static const struct adit_span texts[] = { SPAN_LIT("a { b\0 = c }"), SPAN_LIT("a { b = c\0 }"),
                                              SPAN_LIT("\0"), SPAN_LIT("a { b = \"\0\" }") };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct arena arena = { 0 };
        struct config_report report = { 0 };
        struct config_node *root;
        struct adit_why why;
        struct config_io io = config_posix_io;
        char path[] = "/tmp/test_settings_XXXXXX";
        int fd = mkstemp(path);
        assert_true(write(fd, texts[i].p, texts[i].n) == (ssize_t)texts[i].n);
        close(fd);
        assert_int_equal(settings_read(&io, path, &arena, &report, &root, &why), ADIT_OK);
        assert_int_equal(report.errors, 1);
        unlink(path);
        config_report_fini(&report);
        arena_fini(&arena);
    }
}

static void missing_main_file_is_told(void **state)
{
    struct fake_file none[] = { { NULL, NULL } };
    struct config_io io = fake_io(none);
    struct arena arena = { 0 };
    struct config_report report = { 0 };
    struct config_node *root;
    struct adit_why why = { 0 };
    assert_int_equal(settings_read(&io, main_path, &arena, &report, &root, &why), ADIT_ERR_NOT_FOUND);
    assert_string_equal(why.text, "/s/swanctl.conf: No such file or directory");
    arena_fini(&arena);
}

/* 2^40 keys if references were simply copied. */
static void references_do_not_explode(void **state)
{
    STRBUF(text, 4096);
    struct arena arena = { 0 };
    struct config_report report = { 0 };
    struct config_node *root;
    strbuf_add(&text, "s0 { k = 1 }\n");
    for (int i = 1; i <= 40; i++)
        strbuf_addf(&text, "s%d { x : s%d {} y : s%d {} }\n", i, i - 1, i - 1);
    assert_int_equal(read_text(text.p, &arena, &report, &root), ADIT_OK);
    assert_true(report.errors >= 1);
    assert_non_null(strstr(first_problem(&report), "more than 1000000 keys and sections"));
    config_report_fini(&report);
    arena_fini(&arena);
}

static void templates_are_known_by_their_use(void **state)
{
    struct arena arena = { 0 };
    struct config_report report = { 0 };
    struct config_node *root;
    assert_int_equal(read_text("t { x {} } u {} a : t.x {}", &arena, &report, &root), ADIT_OK);
    assert_true(settings_is_template(config_tree_get(root, CONFIG_SECTION, "t")));
    assert_false(settings_is_template(config_tree_get(root, CONFIG_SECTION, "u")));
    config_report_fini(&report);
    arena_fini(&arena);
}

static void paths_are_joined(void **state)
{
    struct arena arena = { 0 };
    assert_string_equal(path_directory(&arena, "/a/b/c"), "/a/b");
    assert_string_equal(path_directory(&arena, "/c"), "/");
    assert_string_equal(path_directory(&arena, "c"), ".");
    assert_string_equal(path_join(&arena, "/a", "b"), "/a/b");
    assert_string_equal(path_join(&arena, "/a", "/b"), "/b");
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_become_trees),        cmocka_unit_test(errors_name_their_place),
        cmocka_unit_test(nul_octets_are_errors),     cmocka_unit_test(missing_main_file_is_told),
        cmocka_unit_test(references_do_not_explode), cmocka_unit_test(templates_are_known_by_their_use),
        cmocka_unit_test(paths_are_joined),
    };
    return cmocka_run_group_tests_name("config/settings", tests, NULL, NULL);
}
