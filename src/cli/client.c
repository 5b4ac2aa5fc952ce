/* client.c - a blocking VICI client: one request at a time. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "cli/cli.h"

#define ANSWER_MS 10000 /* for answers that need no tunnel */

static int say_no_daemon(const char *path, int error)
{
    fprintf(stderr, "adit: no daemon at %s: %s\n", path, strerror(error));
    if (error == EACCES)
        fprintf(stderr, "  run it as root, or as a member of the socket's group\n");
    else
        fprintf(stderr, "  is aditd running? systemctl status aditd; another socket: --socket PATH\n");
    return EXIT_NO_DAEMON;
}

int client_open(struct client *c, const struct cli_args *args)
{
    const char *path = format_socket(args->socket ? args->socket : CLI_SOCKET);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    *c = (struct client){ .fd = -1 };
    if (strlen(path) >= sizeof(addr.sun_path)) {
        fprintf(stderr, "adit: --socket %s: too long\n", path);
        return EXIT_USAGE;
    }
    memcpy(addr.sun_path, path, strlen(path));
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        int error = errno;
        client_close(c);
        return say_no_daemon(path, error);
    }
    return EXIT_DONE;
}

void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    buf_fini(&c->in);
}

static bool send_all(struct client *c, enum vici_type type, const char *name, struct adit_span message)
{
    struct adit_buf out = { 0 };
    bool ok = vici_packet_put(&out, type, name, message) == ADIT_OK;
    for (size_t at = 0; ok && at < out.n;) {
        ssize_t n = send(c->fd, out.p + at, out.n - at, MSG_NOSIGNAL);
        ok = n > 0;
        at += ok ? (size_t)n : 0;
    }
    buf_fini(&out);
    return ok;
}

static int lost(void)
{
    fprintf(stderr, "adit: the daemon closed the connection\n");
    return EXIT_NO_DAEMON;
}

/* Reads more; EXIT_DONE, or an exit code after saying why. */
static int fill(struct client *c, int wait_ms)
{
    struct pollfd p = { c->fd, POLLIN, 0 };
    int ready;
    do
        ready = poll(&p, 1, wait_ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        fprintf(stderr, "adit: no answer within %d s\n", wait_ms / 1000);
        return EXIT_NO_DAEMON;
    }
    if (buf_reserve(&c->in, c->in.n + 65536) != ADIT_OK)
        return EXIT_REFUSED;
    ssize_t n = recv(c->fd, c->in.p + c->in.n, 65536, 0);
    if (n <= 0)
        return lost();
    c->in.n += (size_t)n;
    return EXIT_DONE;
}

/* The next packet; its octets stay in c->in until drop(). */
static int next_packet(struct client *c, int wait_ms, struct vici_packet *out, size_t *used)
{
    struct adit_why why = { 0 };
    for (;;) {
        enum adit_rc rc = vici_packet_take(buf_span(&c->in), out, used, &why);
        if (rc == ADIT_OK)
            return EXIT_DONE;
        if (rc != ADIT_WAIT) {
            fprintf(stderr, "adit: what came is not VICI: %s\n", why.text);
            return EXIT_NO_DAEMON;
        }
        int code = fill(c, wait_ms);
        if (code)
            return code;
    }
}

static void drop(struct client *c, size_t used)
{
    memmove(c->in.p, c->in.p + used, c->in.n - used);
    c->in.n -= used;
}

static void deliver(const struct vici_packet *p, client_event_fn *each, void *arg)
{
    struct arena arena = { 0 };
    struct vici_node *root;
    if (each && vici_parse(p->message, &arena, &root, NULL) == ADIT_OK)
        each(arg, p->name, root);
    arena_fini(&arena);
}

int client_register(struct client *c, const char *event)
{
    struct vici_packet p;
    size_t used;
    if (!send_all(c, VICI_EVENT_REGISTER, event, SPAN_NONE))
        return lost();
    int code = next_packet(c, ANSWER_MS, &p, &used);
    if (code)
        return code;
    drop(c, used);
    if (p.type == VICI_EVENT_CONFIRM)
        return EXIT_DONE;
    fprintf(stderr, "adit: the daemon knows no event '%s'\n", event);
    return EXIT_REFUSED;
}

static int take_answer(const struct vici_packet *p, const char *command, struct arena *arena,
                       struct vici_node **answer)
{
    struct adit_why why = { 0 };
    if (p->type == VICI_CMD_UNKNOWN) {
        fprintf(stderr, "adit: the daemon knows no command '%s' (is it aditd?)\n", command);
        return EXIT_REFUSED;
    }
    if (vici_parse(p->message, arena, answer, &why) == ADIT_OK)
        return EXIT_DONE;
    fprintf(stderr, "adit: the answer is malformed: %s\n", why.text);
    return EXIT_REFUSED;
}

int client_request(struct client *c, const char *command, struct adit_span message, int wait_ms,
                   client_event_fn *each, void *arg, struct arena *arena, struct vici_node **answer)
{
    struct vici_packet p;
    size_t used;
    if (!send_all(c, VICI_CMD_REQUEST, command, message))
        return lost();
    for (;;) {
        int code = next_packet(c, wait_ms, &p, &used);
        if (code)
            return code;
        if (p.type != VICI_EVENT) {
            code = take_answer(&p, command, arena, answer);
            drop(c, used);
            return code;
        }
        deliver(&p, each, arg);
        drop(c, used);
    }
}

int client_follow(struct client *c, client_event_fn *each, void *arg)
{
    struct vici_packet p;
    size_t used;
    for (;;) {
        int code = next_packet(c, -1, &p, &used);
        if (code)
            return code;
        deliver(&p, each, arg);
        drop(c, used);
        fflush(stdout);
    }
}
