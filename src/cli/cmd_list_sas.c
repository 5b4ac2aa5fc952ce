/* cmd_list_sas.c - adit list-sas: SAs with their children, then what is configured but not up, and why. */
#include <string.h>
#include "cli/cli.h"

#define WAIT_MS 10000

struct seen {
    const struct cli_args *args;
    unsigned sas, down;
};

static const char *text(const struct vici_node *n, const char *key)
{
    const char *s = vici_text(n, key);
    return s ? s : "";
}

static long long number(const struct vici_node *n, const char *key)
{
    return format_number(vici_text(n, key), 0);
}

/* "AES_GCM_16-256 / HMAC_... / PRF_... / CURVE_25519 + ML_KEM_768" */
static void print_suite(const struct vici_node *n, const char *indent)
{
    const char *keys[] = { "integ-alg", "prf-alg", "dh-group" };
    if (!vici_text(n, "encr-alg"))
        return;
    printf("%s%s%s%s", indent, text(n, "encr-alg"), vici_text(n, "encr-keysize") ? "-" : "",
           text(n, "encr-keysize"));
    for (size_t i = 0; i < 3; i++)
        if (vici_text(n, keys[i]))
            printf(" / %s", text(n, keys[i]));
    for (char ake[] = "ake1"; ake[3] <= '7'; ake[3]++)
        if (vici_text(n, ake))
            printf(" + %s", text(n, ake));
    if (vici_text(n, "sn"))
        printf(" / SN %s", text(n, "sn"));
    puts("");
}

static void print_end(const struct vici_node *n, const char *side)
{
    char host[32], port[32], id[32], auth[32];
    snprintf(host, sizeof(host), "%s-host", side);
    snprintf(port, sizeof(port), "%s-port", side);
    snprintf(id, sizeof(id), "%s-id", side);
    snprintf(auth, sizeof(auth), "%s-auth", side);
    char nat[32];
    snprintf(nat, sizeof(nat), "nat-%s", side);
    printf("  %-7s %s @ %s[%s]%s%s%s\n", side, text(n, id), text(n, host), text(n, port),
           vici_text(n, auth) ? "  " : "", text(n, auth), vici_text(n, nat) ? "  behind NAT" : "");
}

static void print_rekey(const struct vici_node *n, const char *indent)
{
    char age[32];
    if (vici_text(n, "rekey-time"))
        printf("%srekey in %s", indent, format_age(age, sizeof(age), number(n, "rekey-time")));
    if (vici_text(n, "reauth-time"))
        printf("%sreauthentication in %s", vici_text(n, "rekey-time") ? ", " : indent,
               format_age(age, sizeof(age), number(n, "reauth-time")));
    if (vici_text(n, "life-time"))
        printf(", expires in %s", format_age(age, sizeof(age), number(n, "life-time")));
    if (vici_text(n, "rekey-time") || vici_text(n, "reauth-time"))
        puts("");
}

static void print_direction(const struct vici_node *n, const char *way)
{
    char key[32], bytes[32], age[32];
    snprintf(key, sizeof(key), "spi-%s", way);
    printf("    %-3s %s", way, text(n, key));
    snprintf(key, sizeof(key), "bytes-%s", way);
    printf(" %10s", format_bytes(bytes, sizeof(bytes), (unsigned long long)number(n, key)));
    snprintf(key, sizeof(key), "packets-%s", way);
    printf(" %9s packets", text(n, key));
    snprintf(key, sizeof(key), "use-%s", way);
    if (vici_text(n, key))
        printf(", last %s ago", format_age(age, sizeof(age), number(n, key)));
    puts("");
}

static const char *way_of_esp(const struct vici_node *c)
{
    const char *way = vici_text(c, "esp-transport");
    return !way ? "" : !strcmp(way, "tcp") ? " by TCP" : !strcmp(way, "udp") ? " in UDP" : "";
}

static void print_child(const struct vici_node *c)
{
    char local[512], remote[512], age[32];
    printf("  child %s #%s: %s", text(c, "name"), text(c, "uniqueid"), text(c, "state"));
    if (vici_text(c, "cpu"))
        printf(", for worker %s", text(c, "cpu"));
    else if (vici_text(c, "per-cpu-sas"))
        printf(", for all workers");
    if (vici_text(c, "install-time"))
        printf(" for %s", format_age(age, sizeof(age), number(c, "install-time")));
    printf(", %s, %s%s\n", text(c, "mode"), vici_text(c, "protocol") ? text(c, "protocol") : "ESP",
           way_of_esp(c));
    printf("    %s === %s\n", format_list(local, sizeof(local), vici_child(c, "local-ts"), " "),
           format_list(remote, sizeof(remote), vici_child(c, "remote-ts"), " "));
    print_suite(c, "    ");
    if (vici_text(c, "spi-in")) {
        print_direction(c, "in");
        print_direction(c, "out");
    }
    if (vici_text(c, "dataplane-why"))
        printf("    in user space: %s\n", text(c, "dataplane-why"));
    else if (vici_text(c, "dataplane"))
        printf("    in %s\n", !strcmp(text(c, "dataplane"), "kernel") ? "the kernel" : "user space");
    print_rekey(c, "    ");
}

static void print_sa(const struct vici_node *sa)
{
    char age[32], tasks[256];
    printf("%s #%s: %s", sa->name, text(sa, "uniqueid"), text(sa, "state"));
    if (vici_text(sa, "established"))
        printf(" for %s", format_age(age, sizeof(age), number(sa, "established")));
    printf(", IKEv%s, %s\n", text(sa, "version"), vici_text(sa, "initiator") ? "initiator" : "responder");
    print_end(sa, "local");
    print_end(sa, "remote");
    print_suite(sa, "  ");
    print_rekey(sa, "  ");
    if (vici_text(sa, "waiting-for"))
        printf("  waiting for %s\n", text(sa, "waiting-for"));
    if (vici_child(sa, "tasks-active"))
        printf("  doing %s\n", format_list(tasks, sizeof(tasks), vici_child(sa, "tasks-active"), ", "));
    vici_for_each(it, vici_child(sa, "child-sas")) print_child(it);
}

static void each_sa(void *arg, const char *event, const struct vici_node *m)
{
    struct seen *seen = arg;
    seen->sas++;
    if (seen->args->json)
        out_event_json(NULL, event, m);
    else if (m->first)
        print_sa(m->first);
}

/* What is being done about a child that should be up. */
static void print_kept(const struct vici_node *child)
{
    char age[32];
    const char *kept = text(child, "kept-up");
    if (!strcmp(kept, "held")) {
        printf("  child %s: closed by command; initiate it, or load it anew\n", child->name);
        return;
    }
    printf("  child %s: down for %s", child->name, format_age(age, sizeof(age), number(child, "down")));
    if (number(child, "failures"))
        printf(", %lld attempts failed", number(child, "failures"));
    if (vici_text(child, "next-try"))
        printf(", next in %s", format_age(age, sizeof(age), number(child, "next-try")));
    else
        printf(", trying");
    printf("%s%s\n", vici_text(child, "why") ? ": " : "", text(child, "why"));
}

static void print_children(const struct vici_node *c)
{
    char age[32];
    vici_for_each(it, vici_child(c, "children"))
    {
        if (vici_text(it, "kept-up"))
            print_kept(it);
        else if (number(it, "recoveries"))
            printf("%s, child %s: lost %lld times, came back after %s each\n", c->name, it->name, number(it, "recoveries"),
                   format_age(age, sizeof(age), number(it, "outage-ms") / 1000 / number(it, "recoveries")));
    }
}

static void print_down(const struct vici_node *c)
{
    char age[32];
    if (vici_text(c, "since"))
        printf("%s: %s for %s: %s\n", c->name, text(c, "state"),
               format_age(age, sizeof(age), number(c, "since")), text(c, "why"));
    else
        printf("%s: %s: %s\n", c->name, text(c, "state"), text(c, "why"));
    print_children(c);
}

static void each_status(void *arg, const char *event, const struct vici_node *m)
{
    struct seen *seen = arg;
    const struct vici_node *c = m->first;
    if (!c || (seen->args->ike && strcmp(seen->args->ike, c->name)))
        return;
    bool up = !strcmp(text(c, "up"), "yes");
    seen->down += !up;
    if (seen->args->json)
        out_event_json(NULL, up ? "connection-up" : "connection-down", m);
    else if (up)
        print_children(c);
    else
        print_down(c);
}

static void build(struct vici_build *b, const struct cli_args *a)
{
    vici_str(b, "ike", a->ike);
    vici_str(b, "child", a->child);
    vici_str(b, "ike-id", a->ike_id);
    vici_str(b, "child-id", a->child_id);
}

static int list(struct client *c, const struct cli_args *a, struct arena *arena)
{
    struct seen seen = { .args = a };
    struct vici_node *answer, *status;
    struct adit_buf request = { 0 };
    struct vici_build b;
    vici_build_init(&b, &request);
    build(&b, a);
    int code = vici_build_finish(&b) == ADIT_OK ? client_register(c, "list-sa") : EXIT_USAGE;
    if (!code)
        code = client_request(c, "list-sas", buf_span(&request), WAIT_MS, each_sa, &seen, arena, &answer);
    buf_fini(&request);
    bool with_down = !a->up_only && !a->child && !a->ike_id && !a->child_id;
    if (!code && with_down)
        code = client_register(c, "adit-status");
    if (!code && with_down)
        code = client_request(c, "adit-status", SPAN_NONE, WAIT_MS, each_status, &seen, arena, &status);
    if (!code && a->json)
        out_response_json(answer);
    else if (!code && !seen.sas && !seen.down)
        puts("no SAs, and no connections that could be up");
    return code;
}

int cmd_list_sas(const struct cli_args *a)
{
    struct client c;
    struct arena arena = { 0 };
    int code = client_open(&c, a);
    if (!code)
        code = list(&c, a, &arena);
    client_close(&c);
    arena_fini(&arena);
    return code;
}
