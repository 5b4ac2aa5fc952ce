/* cmd_metrics.c - adit metrics: OpenMetrics text, as a node_exporter textfile or an HTTP handler wants it. */
#include "cli/cli.h"

static void print(const struct vici_node *answer, const struct cli_args *a)
{
    vici_for_each(it, vici_child(answer, "openmetrics")) fwrite(it->value.p, 1, it->value.n, stdout);
}

int cmd_metrics(const struct cli_args *a)
{
    return out_simple(&(struct cli_simple){ .command = "adit-metrics", .print = print, .has_success = true },
                      a);
}
