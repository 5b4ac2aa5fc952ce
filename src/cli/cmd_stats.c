/* cmd_stats.c - adit stats. */
#include "cli/cli.h"

static void row(const char *name, const struct vici_node *answer, const char *path)
{
    const char *text = vici_text(answer, path);
    if (text && *text)
        printf("%-18s %s\n", name, text);
}

static void memory(const struct vici_node *answer)
{
    char used[32], secret[32], locked[32];
    printf("%-18s %s, secrets %s (%s locked)\n", "memory",
           format_bytes(used, sizeof(used),
                        (unsigned long long)format_number(vici_text(answer, "mallinfo.used"), 0)),
           format_bytes(secret, sizeof(secret),
                        (unsigned long long)format_number(vici_text(answer, "secrets.in-use"), 0)),
           format_bytes(locked, sizeof(locked),
                        (unsigned long long)format_number(vici_text(answer, "secrets.locked"), 0)));
}

/* "MODP_4096 1/2": ready, wanted. */
static void ke_pool(const struct vici_node *pool)
{
    for (const struct vici_node *m = pool ? pool->first : NULL; m; m = m->next)
        printf("%-18s %s %.*s\n", m == pool->first ? "keys made ahead" : "", m->name, (int)m->value.n, (const char *)m->value.p);
}

static void print(const struct vici_node *answer, const struct cli_args *a)
{
    char list[1024];
    row("running for", answer, "uptime.running");
    row("since", answer, "uptime.since");
    row("IKE SAs", answer, "ikesas.total");
    row("half open", answer, "ikesas.half-open");
    row("work threads", answer, "workers.total");
    row("work waiting", answer, "queues.high");
    row("slow work waiting", answer, "queues.low");
    ke_pool(vici_child(answer, "ke-pool"));
    row("data plane", answer, "dataplane.name");
    row("ESP of the kernel", answer, "dataplane.kernel");
    row("interface", answer, "dataplane.interface");
    row("AES-GCM by", answer, "dataplane.crypto");
    memory(answer);
    printf("%-18s %s\n", "extensions", format_list(list, sizeof(list), vici_child(answer, "plugins"), ", "));
}

int cmd_stats(const struct cli_args *a)
{
    return out_simple(&(struct cli_simple){ .command = "stats", .print = print }, a);
}
