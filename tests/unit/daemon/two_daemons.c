/* two_daemons.c - see two_daemons.h. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "two_daemons.h"

static char answer_text[1 << 20], event_text[2][1 << 16];

unsigned pair_port(int who)
{
    return 20000 + (unsigned)getpid() % 3000 * 8 + 2 * (unsigned)who;
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void start(struct end *e, int who, const char *connections)
{
    char text[512];
    struct adit_why why = { 0 };
    int fd[2];
    snprintf(e->dir, sizeof(e->dir), "/tmp/adit-test-%d-%d", (int)getpid(), who);
    mkdir(e->dir, 0700);
    snprintf(
        text, sizeof(text),
        "adit {\n log = audit\n dataplane = none\n port = %u\n port_nat_t = %u\n retransmit_timeout = 0.3\n"
        " swanctl_conf = %s/swanctl.conf\n vici {\n sockets = %s/vici\n }\n}\n",
        pair_port(who), pair_port(who) + 1, e->dir, e->dir);
    write_file(e->dir, "adit.conf", text);
    write_file(e->dir, "swanctl.conf", connections);
    snprintf(e->config, sizeof(e->config), "%s/adit.conf", e->dir);
    e->d.opt = (struct daemon_options){ .config = e->config, .debug = -1 };
    if (daemon_start(&e->d, &why) != ADIT_OK)
        fail_msg("daemon %d: %s", who, why.text);
    e->d.log.level = ADIT_LOG_AUDIT;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    assert_int_equal(vici_server_adopt(e->d.vici, fd[1]), ADIT_OK);
    e->fd = fd[0];
}

void pair_start(struct pair *p, const char *left, const char *right)
{
    *p = (struct pair){ 0 };
    start(&p->e[0], 0, left);
    start(&p->e[1], 1, right);
}

static void stop(struct end *e)
{
    char path[160];
    static const char *const files[] = { "adit.conf", "swanctl.conf", "vici", "out" };
    close(e->fd);
    buf_fini(&e->in);
    buf_fini(&e->events);
    daemon_free(&e->d);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", e->dir, files[i]);
        unlink(path);
    }
    rmdir(e->dir);
}

void pair_stop(struct pair *p)
{
    stop(&p->e[0]);
    stop(&p->e[1]);
}

static void turn(struct pair *p)
{
    uv_run(&p->e[0].d.loop, UV_RUN_NOWAIT);
    uv_run(&p->e[1].d.loop, UV_RUN_NOWAIT);
}

bool pair_run(struct pair *p, unsigned ms, bool (*cond)(struct pair *p))
{
    uint64_t end = daemon_now() + ms * UINT64_C(1000000);
    do {
        turn(p);
        if (cond && cond(p))
            return true;
        usleep(200);
    } while (daemon_now() < end);
    return false;
}

static void read_some(struct end *e)
{
    uint8_t mem[65536];
    ssize_t n = read(e->fd, mem, sizeof(mem));
    if (n > 0)
        assert_int_equal(buf_append(&e->in, span(mem, (size_t)n)), ADIT_OK);
}

static void to_json(struct adit_span message, char *out, size_t cap)
{
    struct arena arena = { 0 };
    struct vici_node *root;
    struct adit_buf json = { 0 };
    assert_int_equal(vici_parse(message, &arena, &root, NULL), ADIT_OK);
    assert_int_equal(vici_to_json(root, &json), ADIT_OK);
    snprintf(out, cap, "%.*s", (int)json.n, (const char *)json.p);
    buf_fini(&json);
    arena_fini(&arena);
}

/* Takes packets until one that is no event; false: not yet there. */
static bool take_answer(struct pair *p, int who, enum vici_type *type)
{
    struct end *e = &p->e[who];
    struct vici_packet packet;
    size_t used;
    while (vici_packet_take(buf_span(&e->in), &packet, &used, NULL) == ADIT_OK) {
        *type = packet.type;
        if (packet.type == VICI_EVENT) {
            to_json(packet.message, event_text[who], sizeof(event_text[who]));
            assert_int_equal(buf_append(&e->events, span_str(packet.name)), ADIT_OK);
            assert_int_equal(buf_append(&e->events, span_str(" ")), ADIT_OK);
        } else if (packet.type == VICI_CMD_RESPONSE) {
            to_json(packet.message, answer_text, sizeof(answer_text));
        }
        memmove(e->in.p, e->in.p + used, e->in.n - used);
        e->in.n -= used;
        if (packet.type != VICI_EVENT)
            return true;
    }
    return false;
}

static enum vici_type wait_answer(struct pair *p, int who)
{
    enum vici_type type = VICI_EVENT;
    for (int i = 0; i < 50000; i++) {
        turn(p);
        read_some(&p->e[who]);
        if (take_answer(p, who, &type))
            return type;
        usleep(200);
    }
    fail_msg("no answer");
    return type;
}

static void send_packet(struct end *e, enum vici_type type, const char *name, struct adit_span message)
{
    struct adit_buf out = { 0 };
    assert_int_equal(vici_packet_put(&out, type, name, message), ADIT_OK);
    assert_int_equal(write(e->fd, out.p, out.n), (ssize_t)out.n);
    buf_fini(&out);
}

void ask_register(struct pair *p, int who, const char *event)
{
    send_packet(&p->e[who], VICI_EVENT_REGISTER, event, SPAN_NONE);
    assert_int_equal(wait_answer(p, who), VICI_EVENT_CONFIRM);
}

const char *ask(struct pair *p, int who, const char *command, const char *json)
{
    struct arena arena = { 0 };
    struct vici_node *root;
    struct adit_buf message = { 0 };
    struct adit_why why = { 0 };
    event_text[who][0] = 0;
    p->e[who].events.n = 0;
    if (vici_from_json(span_str(json), &arena, &root, &why) != ADIT_OK)
        fail_msg("%s: %s", json, why.text);
    assert_int_equal(vici_write(root, &message), ADIT_OK);
    send_packet(&p->e[who], VICI_CMD_REQUEST, command, buf_span(&message));
    buf_fini(&message);
    arena_fini(&arena);
    assert_int_equal(wait_answer(p, who), VICI_CMD_RESPONSE);
    return answer_text;
}

const char *last_event(struct pair *p, int who)
{
    enum vici_type type;
    read_some(&p->e[who]);
    take_answer(p, who, &type);
    return event_text[who];
}
