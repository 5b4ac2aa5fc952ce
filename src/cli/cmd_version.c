/* cmd_version.c - adit version. */
#include "cli/cli.h"

static void print(const struct vici_node *a, const struct cli_args *args)
{
    printf("adit %s\n%s %s on %s %s, %s\n", ADIT_VERSION, vici_text(a, "daemon"), vici_text(a, "version"),
           vici_text(a, "sysname"), vici_text(a, "release"), vici_text(a, "machine"));
}

int cmd_version(const struct cli_args *a)
{
    return out_simple(&(struct cli_simple){ .command = "version", .print = print }, a);
}
