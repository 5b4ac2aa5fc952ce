/* cmd_initiate.c - adit initiate, terminate: run a command and show the log lines that belong to it. */
#include "cli/cli.h"

#define GRACE_MS 5000 /* beyond the command's own time limit */

static void print_line(void *arg, const char *event, const struct vici_node *m)
{
    const char *group = vici_text(m, "group"), *text = vici_text(m, "msg");
    printf("[%s] %s\n", group ? group : "", text ? text : "");
    fflush(stdout);
}

static void build_common(struct vici_build *b, const struct cli_args *a, long long timeout_ms)
{
    vici_str(b, "ike", a->ike);
    vici_str(b, "child", a->child);
    vici_str(b, "ike-id", a->ike_id);
    vici_str(b, "child-id", a->child_id);
    if (a->force)
        vici_str(b, "force", "yes");
    vici_strf(b, "timeout", "%lld", timeout_ms);
    vici_strf(b, "loglevel", "%lld", format_number(a->loglevel, 1));
}

/* Seconds as swanctl takes them; -1 = a wrong number. */
static long long timeout_of(const struct cli_args *a, long long fallback)
{
    long long s = format_number(a->timeout, a->timeout ? -1 : fallback);
    return s < 0 || s > 1000000 ? -1 : s * 1000;
}

static int run(struct client *c, const char *command, const struct cli_args *a, long long timeout_ms,
               struct arena *arena, struct vici_node **answer)
{
    struct adit_buf request = { 0 };
    struct vici_build b;
    int code = client_register(c, "control-log");
    vici_build_init(&b, &request);
    build_common(&b, a, timeout_ms);
    int wait = timeout_ms ? (int)timeout_ms + GRACE_MS : -1;
    if (!code && vici_build_finish(&b) == ADIT_OK)
        code = client_request(c, command, buf_span(&request), wait, a->json ? out_event_json : print_line,
                              NULL, arena, answer);
    buf_fini(&request);
    return code;
}

static int command(const char *name, const char *done, const struct cli_args *a, long long timeout_s)
{
    struct client c;
    struct arena arena = { 0 };
    struct vici_node *answer = NULL;
    long long timeout_ms = timeout_of(a, timeout_s);
    if (timeout_ms < 0) {
        fprintf(stderr, "adit: --timeout %s: must be a number of seconds\n", a->timeout);
        return EXIT_USAGE;
    }
    int code = client_open(&c, a);
    if (!code)
        code = run(&c, name, a, timeout_ms, &arena, &answer);
    if (!code) {
        if (a->json)
            out_response_json(answer);
        code = out_result(answer, a);
        if (!code && !a->json)
            printf("%s\n", done);
    }
    client_close(&c);
    arena_fini(&arena);
    return code;
}

int cmd_initiate(const struct cli_args *a)
{
    if (a->ike || a->child)
        return command("initiate", "up", a, 30);
    fprintf(stderr, "adit initiate: --ike NAME or --child NAME says what\n");
    return EXIT_USAGE;
}

int cmd_terminate(const struct cli_args *a)
{
    if (a->ike || a->child || a->ike_id || a->child_id)
        return command("terminate", "closed", a, 30);
    fprintf(stderr, "adit terminate: --ike, --child, --ike-id or --child-id says what\n");
    return EXIT_USAGE;
}
