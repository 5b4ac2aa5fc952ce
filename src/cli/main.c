/* main.c - adit: finds the subcommand and runs it. */
#include <signal.h>
#include <string.h>
#include "cli/cli.h"

static const struct cli_command *find(const char *name)
{
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

static int misused(const struct cli_command *c, const char *problem)
{
    fprintf(stderr, "adit %s: %s\nusage: adit %s", c->name, problem, c->name);
    cli_print_options(c->options, stderr);
    fprintf(stderr, "%s%s\n", *c->words ? " " : "", c->words);
    return EXIT_USAGE;
}

/* The options may also come before the subcommand: adit --json list-sas. */
static int subcommand_at(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-')
            return i;
        if (!strcmp(argv[i], "--socket"))
            i++;
    }
    return 0;
}

/* Brings argv[at] to the front. */
static void move_to_front(char **argv, int at)
{
    char *name = argv[at];
    for (int i = at; i > 1; i--)
        argv[i] = argv[i - 1];
    argv[1] = name;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return true;
    return false;
}

static int run(const struct cli_command *c, int argc, char **argv)
{
    struct cli_args args;
    char problem[256];
    if (asks_for_help(argc, argv))
        return cmd_help(&(struct cli_args){ .n_words = 1, .words = argv });
    if (!cli_parse(argc, argv, c->options, &args, problem, sizeof(problem)))
        return misused(c, problem);
    if (args.n_words < c->min_words)
        return misused(c, "something is missing");
    if (args.n_words > c->max_words) {
        snprintf(problem, sizeof(problem), "'%s' is too much", args.words[c->max_words]);
        return misused(c, problem);
    }
    return c->run(&args);
}

int main(int argc, char **argv)
{
    const struct cli_args none = { 0 };
    int at = subcommand_at(argc, argv);
    signal(SIGPIPE, SIG_DFL);
    if (!at) {
        bool asked = asks_for_help(argc, argv);
        if (argc > 1 && !strcmp(argv[1], "--version")) {
            puts("adit " ADIT_VERSION);
            return EXIT_DONE;
        }
        cmd_help(&none);
        return asked ? EXIT_DONE : EXIT_USAGE;
    }
    move_to_front(argv, at);
    const struct cli_command *c = find(argv[1]);
    if (c)
        return run(c, argc - 1, argv + 1);
    fprintf(stderr, "adit: '%s' is no subcommand; adit help lists them\n", argv[1]);
    return EXIT_USAGE;
}
