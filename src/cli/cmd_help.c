/* cmd_help.c - adit help. */
#include <string.h>
#include "cli/cli.h"

static void print_one(const struct cli_command *c)
{
    printf("adit %s - %s\nusage: adit %s", c->name, c->help, c->name);
    cli_print_options(c->options, stdout);
    printf("%s%s\n", *c->words ? " " : "", c->words);
}

int cmd_help(const struct cli_args *a)
{
    if (a->n_words) {
        for (const struct cli_command *c = cli_commands; c->name; c++) {
            if (!strcmp(c->name, a->words[0])) {
                print_one(c);
                return EXIT_DONE;
            }
        }
        fprintf(stderr, "adit: '%s' is no subcommand\n", a->words[0]);
        return EXIT_USAGE;
    }
    puts("usage: adit SUBCOMMAND [options]     (adit help SUBCOMMAND lists its options)\n");
    for (const struct cli_command *c = cli_commands; c->name; c++)
        printf("  %-11s %s\n", c->name, c->help);
    puts("\n  --json on every subcommand that asks the daemon; --socket PATH (" CLI_SOCKET ")\n"
         "  exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 no daemon");
    return EXIT_DONE;
}
