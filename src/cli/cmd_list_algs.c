/* cmd_list_algs.c - adit list-algs. */
#include <string.h>
#include "cli/cli.h"

static void build(struct vici_build *b, const struct cli_args *a)
{
    vici_str(b, "signatures", "yes");
}

static void print_kind(const struct vici_node *kind)
{
    size_t column = (size_t)printf("%-12s", kind->name);
    vici_for_each(it, kind)
    {
        const char *name = kind->kind == VICI_LIST ? (const char *)it->value.p : it->name;
        size_t n = strlen(name) + 2;
        if (column + n > 110)
            column = (size_t)printf("\n%-12s", "") - 1;
        column += (size_t)printf("%s%s", name, it->next ? ", " : "");
    }
    puts("");
}

static void print(const struct vici_node *answer, const struct cli_args *a)
{
    vici_for_each(kind, answer) if (kind->first) print_kind(kind);
}

int cmd_list_algs(const struct cli_args *a)
{
    return out_simple(&(struct cli_simple){ .command = "get-algorithms", .build = build, .print = print }, a);
}
