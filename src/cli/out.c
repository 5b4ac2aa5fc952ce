/* out.c - results on the screen or as JSON, and the frame that most subcommands share. */
#include <string.h>
#include "cli/cli.h"

#define ANSWER_MS 10000

static void print_json(const char *before, const struct vici_node *node, const char *after)
{
    struct adit_buf text = { 0 };
    if (vici_to_json(node, &text) == ADIT_OK)
        printf("%s%.*s%s\n", before, (int)text.n, (const char *)text.p, after);
    buf_fini(&text);
}

void out_event_json(void *arg, const char *event, const struct vici_node *message)
{
    char before[320];
    snprintf(before, sizeof(before), "{\"event\":\"%s\",\"data\":", event);
    print_json(before, message, "}");
}

void out_response_json(const struct vici_node *answer)
{
    print_json("{\"response\":", answer, "}");
}

int out_result(const struct vici_node *answer, const struct cli_args *args)
{
    const char *success = vici_text(answer, "success"), *reason = vici_text(answer, "errmsg");
    if (success && !strcmp(success, "yes"))
        return EXIT_DONE;
    if (!args->json)
        fprintf(stderr, "adit: %s\n", reason ? reason : "refused without a reason");
    return EXIT_REFUSED;
}

static int ask(struct client *c, const struct cli_simple *cmd, const struct cli_args *args,
               struct arena *arena)
{
    struct adit_buf request = { 0 };
    struct vici_build b;
    struct vici_node *answer = NULL;
    int code = cmd->event ? client_register(c, cmd->event) : EXIT_DONE;
    vici_build_init(&b, &request);
    if (cmd->build)
        cmd->build(&b, args);
    if (!code && vici_build_finish(&b) != ADIT_OK) {
        fprintf(stderr, "adit: the request is too long\n");
        code = EXIT_USAGE;
    }
    client_event_fn *each = args->json ? out_event_json : cmd->each;
    if (!code)
        code = client_request(c, cmd->command, buf_span(&request), ANSWER_MS, each, NULL, arena, &answer);
    buf_fini(&request);
    if (code)
        return code;
    if (args->json)
        out_response_json(answer);
    else if (cmd->print)
        cmd->print(answer, args);
    return cmd->has_success ? out_result(answer, args) : EXIT_DONE;
}

int out_simple(const struct cli_simple *cmd, const struct cli_args *args)
{
    struct client c;
    struct arena arena = { 0 };
    int code = client_open(&c, args);
    if (!code)
        code = ask(&c, cmd, args, &arena);
    client_close(&c);
    arena_fini(&arena);
    return code;
}
