/* cmd_counters.c - adit counters: all that the engine counts, or one connection's; --reset is strongSwan's. */
#include "cli/cli.h"

static void build(struct vici_build *b, const struct cli_args *a)
{
    vici_str(b, "name", a->name);
    if (a->all)
        vici_str(b, "all", "yes");
}

static void print(const struct vici_node *answer, const struct cli_args *a)
{
    vici_for_each(section, vici_child(answer, "counters"))
    {
        printf("%s\n", *section->name ? section->name : "all connections");
        vici_for_each(it, section) printf("  %-22s %12s\n", it->name, (const char *)it->value.p);
    }
}

int cmd_counters(const struct cli_args *a)
{
    /* --all and --reset are about strongSwan's 21; otherwise everything of ours. */
    const char *command = a->reset ? "reset-counters" : a->all ? "get-counters" : "adit-counters";
    return out_simple(
        &(struct cli_simple){ .command = command, .build = build, .print = print, .has_success = true }, a);
}
