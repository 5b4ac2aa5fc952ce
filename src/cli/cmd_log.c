/* cmd_log.c - adit log: follows the daemon's log. */
#include "cli/cli.h"

static void print_line(void *arg, const char *event, const struct vici_node *m)
{
    const char *name = vici_text(m, "ikesa-name"), *id = vici_text(m, "ikesa-uniqueid");
    const char *group = vici_text(m, "group"), *text = vici_text(m, "msg");
    if (name && *name)
        printf("[%s] <%s|%s> %s\n", group ? group : "", name, id ? id : "", text ? text : "");
    else
        printf("[%s] %s\n", group ? group : "", text ? text : "");
}

int cmd_log(const struct cli_args *a)
{
    struct client c;
    int code = client_open(&c, a);
    if (!code)
        code = client_register(&c, "log");
    if (!code)
        code = client_follow(&c, a->json ? out_event_json : print_line, NULL);
    client_close(&c);
    return code;
}
