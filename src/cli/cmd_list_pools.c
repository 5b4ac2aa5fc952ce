/* cmd_list_pools.c - adit list-pools. */
#include "cli/cli.h"

static void build(struct vici_build *b, const struct cli_args *a)
{
    vici_str(b, "name", a->name);
    if (a->leases)
        vici_str(b, "leases", "yes");
}

static void print_lease(const struct vici_node *l)
{
    printf("  %-30s %-8s %s\n", vici_text(l, "address"), vici_text(l, "status"), vici_text(l, "identity"));
}

static void print(const struct vici_node *answer, const struct cli_args *a)
{
    vici_for_each(p, answer)
    {
        printf("%-16s from %s: %s online, %s offline, %s in all\n", p->name, vici_text(p, "base"), vici_text(p, "online"),
               vici_text(p, "offline"), vici_text(p, "size"));
        vici_for_each(l, vici_child(p, "leases")) print_lease(l);
    }
    if (!answer->first)
        puts("no pools");
}

int cmd_list_pools(const struct cli_args *a)
{
    return out_simple(&(struct cli_simple){ .command = "get-pools", .build = build, .print = print }, a);
}
