/* cmd_load.c - adit load: the daemon reads its files; a mistake anywhere changes nothing. */
#include "cli/cli.h"

static void build(struct vici_build *b, const struct cli_args *a)
{
    vici_bool(b, "empty", a->empty);
}

static void print(const struct vici_node *answer, const struct cli_args *a)
{
    vici_for_each(it, vici_child(answer, "problems")) fprintf(stderr, "%s\n", (const char *)it->value.p);
    const char *success = vici_text(answer, "success");
    if (success && *success == 'y')
        puts("loaded");
}

int cmd_load(const struct cli_args *a)
{
    return out_simple(
        &(struct cli_simple){ .command = "adit-load", .build = build, .print = print, .has_success = true },
        a);
}
