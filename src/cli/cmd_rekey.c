/* cmd_rekey.c - adit rekey. */
#include "cli/cli.h"

static void build(struct vici_build *b, const struct cli_args *a)
{
    vici_str(b, "ike", a->ike);
    vici_str(b, "child", a->child);
    vici_str(b, "ike-id", a->ike_id);
    vici_str(b, "child-id", a->child_id);
    if (a->reauth)
        vici_str(b, "reauth", "yes");
}

static void print(const struct vici_node *answer, const struct cli_args *a)
{
    const char *matches = vici_text(answer, "matches");
    if (format_number(matches, 0) > 0)
        printf("rekeying of %s SA%s has begun\n", matches, format_number(matches, 0) == 1 ? "" : "s");
}

int cmd_rekey(const struct cli_args *a)
{
    if (a->ike || a->child || a->ike_id || a->child_id)
        return out_simple(
            &(struct cli_simple){ .command = "rekey", .build = build, .print = print, .has_success = true },
            a);
    fprintf(stderr, "adit rekey: --ike, --child, --ike-id or --child-id says what\n");
    return EXIT_USAGE;
}
