/* test_options.c - the command line of adit: what is taken, and what is said about mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "base/span.h"
#include "cli/cli.h"

static int split(const char *line, char *mem, size_t cap, char **argv)
{
    int n = 0;
    snprintf(mem, cap, "%s", line);
    for (char *word = strtok(mem, " "); word; word = strtok(NULL, " "))
        argv[n++] = word;
    return n;
}

static void takes_options_and_words(void **state)
{
    char mem[256], *argv[16], problem[128];
    struct cli_args a;
    int n = split("initiate --child net --timeout=10 file.conf --json more", mem, sizeof(mem), argv);
    assert_true(cli_parse(n, argv, "jct", &a, problem, sizeof(problem)));
    assert_string_equal(a.child, "net");
    assert_string_equal(a.timeout, "10");
    assert_true(a.json);
    assert_null(a.ike);
    assert_int_equal(a.n_words, 2);
    assert_string_equal(a.words[0], "file.conf");
    assert_string_equal(a.words[1], "more");
}

static void names_mistakes(void **state)
{
    static const struct {
        const char *what, *line, *problem;
    } rows[] = {
        { "unknown", "load --nonsense", "unknown option --nonsense" },
        { "of another subcommand", "load --child x", "unknown option --child" },
        { "value missing", "initiate --ike", "--ike needs NAME" },
        { "value for a switch", "initiate --json=yes", "--json takes no value" },
        { "short", "load -x", "unknown option -x" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char mem[256], *argv[16], problem[128] = "";
        struct cli_args a;
        int n = split(rows[i].line, mem, sizeof(mem), argv);
        if (cli_parse(n, argv, rows[i].line[0] == 'l' ? "js" : "jsi", &a, problem, sizeof(problem)) ||
            strcmp(problem, rows[i].problem))
            fail_msg("%s: got '%s'", rows[i].what, problem);
    }
}

static void every_subcommand_is_complete(void **state)
{
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        assert_non_null(c->run);
        assert_true(strlen(c->help) > 5);
        assert_true(c->min_words <= c->max_words);
        for (const struct cli_command *o = c + 1; o->name; o++)
            assert_string_not_equal(c->name, o->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_options_and_words),
        cmocka_unit_test(names_mistakes),
        cmocka_unit_test(every_subcommand_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
