/* cmd_metrics.c - adit metrics: OpenMetrics text, as a node_exporter textfile or an HTTP handler wants it. */
#include "cli/cli.h"

static void each(void *arg, const char *event, const struct vici_node *m)
{
    const struct vici_node *piece = vici_child(m, "openmetrics");
    if (piece)
        fwrite(piece->value.p, 1, piece->value.n, stdout);
}

int cmd_metrics(const struct cli_args *a)
{
    return out_simple(
        &(struct cli_simple){
            .command = "adit-metrics", .event = "adit-metrics", .each = each, .has_success = true },
        a);
}
