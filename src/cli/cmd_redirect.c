/* cmd_redirect.c - adit redirect. */
#include "cli/cli.h"

static void build(struct vici_build *b, const struct cli_args *a)
{
    vici_str(b, "ike", a->ike);
    vici_str(b, "ike-id", a->ike_id);
    vici_str(b, "peer-ip", a->peer_ip);
    vici_str(b, "peer-id", a->peer_id);
    vici_str(b, "gateway", a->words[0]);
}

static void print(const struct vici_node *answer, const struct cli_args *a)
{
    const char *matches = vici_text(answer, "matches");
    if (format_number(matches, 0) > 0)
        printf("%s client%s told to go to %s\n", matches, format_number(matches, 0) == 1 ? " is" : "s are", a->words[0]);
}

int cmd_redirect(const struct cli_args *a)
{
    if (a->ike || a->ike_id || a->peer_ip || a->peer_id)
        return out_simple(
            &(struct cli_simple){ .command = "redirect", .build = build, .print = print, .has_success = true }, a);
    fprintf(stderr, "adit redirect: --ike, --ike-id, --peer-ip or --peer-id says who\n");
    return EXIT_USAGE;
}
