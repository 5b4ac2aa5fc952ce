/* test_vici_server.c - the control socket as its clients see it, over socket pairs in one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/reply.h"
#include "daemon/vici_server.h"

struct world {
    uv_loop_t loop;
    struct vici_server *server;
    struct vici_call *held; /* by the command "hold" */
    unsigned streamed, stream_max, freed;
};

static void cmd_echo(void *arg, struct vici_call *call)
{
    struct reply r;
    reply_begin(&r);
    vici_str(&r.b, "said", vici_text(vici_call_args(call), "say"));
    reply_answer(&r, call);
}

static void cmd_hold(void *arg, struct vici_call *call)
{
    struct world *w = arg;
    w->held = call;
}

static void cmd_fail(void *arg, struct vici_call *call)
{
    vici_call_fail(call, "line one\nline two \xc3\xa9");
}

static bool next_piece(void *state, struct vici_call *call)
{
    struct world *w = state;
    static char kilobyte[1024];
    struct reply r;
    if (w->streamed == w->stream_max) {
        vici_call_answer(call, SPAN_NONE);
        return false;
    }
    w->streamed++;
    reply_begin(&r);
    vici_value(&r.b, "data", SPAN_ARRAY(kilobyte));
    reply_event(&r, call, "piece");
    return true;
}

static void stream_freed(void *state)
{
    struct world *w = state;
    w->freed++;
}

static void cmd_stream(void *arg, struct vici_call *call)
{
    vici_call_stream(call, next_piece, arg, stream_freed);
}

/* Floods its own client in one go, without looking at the queue. */
static void cmd_flood(void *arg, struct vici_call *call)
{
    static char big[60000];
    for (unsigned i = 0; i < 400; i++) {
        struct reply r;
        reply_begin(&r);
        vici_value(&r.b, "data", SPAN_ARRAY(big));
        reply_event(&r, call, "piece");
    }
    vici_call_ok(call);
}

static const struct vici_command commands[] = {
    { "echo", cmd_echo },     { "hold", cmd_hold },   { "fail", cmd_fail },
    { "stream", cmd_stream }, { "flood", cmd_flood }, { NULL, NULL },
};
static const char *const events[] = { "news", "piece", NULL };

static int setup(void **state)
{
    static struct world w;
    w = (struct world){ 0 };
    uv_loop_init(&w.loop);
    struct vici_server_ops ops = { &w, commands, events };
    w.server = vici_server_new(&w.loop, &ops);
    *state = &w;
    return w.server ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;
    vici_server_stop(w->server);
    while (uv_run(&w->loop, UV_RUN_DEFAULT))
        ;
    vici_server_free(w->server);
    return uv_loop_close(&w->loop);
}

static int join(struct world *w)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    assert_int_equal(vici_server_adopt(w->server, fd[1]), ADIT_OK);
    return fd[0];
}

static void turn(struct world *w)
{
    for (int i = 0; i < 20; i++)
        uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void put_packet(struct adit_buf *out, enum vici_type type, const char *name, const char *key,
                       const char *value)
{
    struct reply r;
    reply_begin(&r);
    vici_str(&r.b, key ? key : "x", value);
    assert_int_equal(vici_build_finish(&r.b), ADIT_OK);
    assert_int_equal(
        vici_packet_put(out, type, name, type == VICI_CMD_REQUEST ? buf_span(&r.buf) : SPAN_NONE), ADIT_OK);
    buf_fini(&r.buf);
}

static void send_buf(int fd, struct adit_buf *buf)
{
    assert_int_equal(write(fd, buf->p, buf->n), (ssize_t)buf->n);
    buf_fini(buf);
}

static void send_one(int fd, enum vici_type type, const char *name, const char *key, const char *value)
{
    struct adit_buf buf = { 0 };
    put_packet(&buf, type, name, key, value);
    send_buf(fd, &buf);
}

/* Everything that arrived, as "type[:name][key=value ...]" joined by spaces. */
static void received(int fd, char *out, size_t cap)
{
    static uint8_t mem[1 << 20];
    ssize_t n = read(fd, mem, sizeof(mem));
    size_t at = 0, used, o = 0;
    struct vici_packet p;
    out[0] = 0;
    while (n > 0 && at < (size_t)n &&
           vici_packet_take(span(mem + at, (size_t)n - at), &p, &used, NULL) == ADIT_OK) {
        struct arena arena = { 0 };
        struct vici_node *root = NULL;
        at += used;
        o += (size_t)snprintf(out + o, cap - o, "%s%d%s%s", o ? " " : "", p.type, p.name[0] ? ":" : "",
                              p.name);
        if (p.message.n && vici_parse(p.message, &arena, &root, NULL) == ADIT_OK)
            vici_for_each(it, root) if (it->kind == VICI_VALUE && it->value.n < 100)
                o += (size_t)snprintf(out + o, cap - o, "[%s=%s]", it->name, (const char *)it->value.p);
        arena_fini(&arena);
    }
}

static void expect(struct world *w, int fd, const char *wanted)
{
    char got[4096];
    turn(w);
    received(fd, got, sizeof(got));
    assert_string_equal(got, wanted);
}

static void answers_requests_in_order(void **state)
{
    struct world *w = *state;
    int fd = join(w);
    struct adit_buf all = { 0 };
    put_packet(&all, VICI_CMD_REQUEST, "echo", "say", "one");
    put_packet(&all, VICI_CMD_REQUEST, "nonsense", "say", "x");
    put_packet(&all, VICI_CMD_REQUEST, "echo", "say", "two");
    send_buf(fd, &all);
    expect(w, fd, "1[said=one] 2 1[said=two]");
    close(fd);
}

static void holds_later_requests_back_while_one_runs(void **state)
{
    struct world *w = *state;
    int fd = join(w), other = join(w);
    send_one(fd, VICI_CMD_REQUEST, "hold", NULL, NULL);
    send_one(fd, VICI_CMD_REQUEST, "echo", "say", "after");
    send_one(other, VICI_CMD_REQUEST, "echo", "say", "meanwhile");
    expect(w, fd, "");
    expect(w, other, "1[said=meanwhile]");
    vici_call_ok(w->held);
    expect(w, fd, "1[success=yes] 1[said=after]");
    close(fd);
    close(other);
}

static void delivers_events_once_and_counts_registrations(void **state)
{
    struct world *w = *state;
    int fd = join(w);
    struct reply r;
    send_one(fd, VICI_EVENT_REGISTER, "news", NULL, NULL);
    send_one(fd, VICI_EVENT_REGISTER, "news", NULL, NULL);
    send_one(fd, VICI_EVENT_REGISTER, "no-such", NULL, NULL);
    expect(w, fd, "5 5 6");
    assert_true(vici_server_wanted(w->server, "news"));
    assert_false(vici_server_wanted(w->server, "piece"));
    reply_begin(&r);
    vici_str(&r.b, "n", "1");
    reply_broadcast(&r, w->server, "news");
    expect(w, fd, "7:news[n=1]");
    send_one(fd, VICI_EVENT_UNREGISTER, "news", NULL, NULL);
    expect(w, fd, "5");
    assert_true(vici_server_wanted(w->server, "news"));
    send_one(fd, VICI_EVENT_UNREGISTER, "news", NULL, NULL);
    send_one(fd, VICI_EVENT_UNREGISTER, "news", NULL, NULL);
    expect(w, fd, "5 6");
    assert_false(vici_server_wanted(w->server, "news"));
    close(fd);
}

static void lets_events_in_between_request_and_answer(void **state)
{
    struct world *w = *state;
    int fd = join(w);
    struct reply r;
    send_one(fd, VICI_EVENT_REGISTER, "news", NULL, NULL);
    send_one(fd, VICI_CMD_REQUEST, "hold", NULL, NULL);
    turn(w);
    reply_begin(&r);
    reply_broadcast(&r, w->server, "news");
    vici_call_ok(w->held);
    expect(w, fd, "5 7:news 1[success=yes]");
    close(fd);
}

static void survives_a_client_that_leaves_its_command_behind(void **state)
{
    struct world *w = *state;
    int fd = join(w);
    send_one(fd, VICI_CMD_REQUEST, "hold", NULL, NULL);
    turn(w);
    close(fd);
    turn(w);
    assert_int_equal(vici_server_clients(w->server), 0);
    assert_false(vici_call_wants(w->held, "piece"));
    vici_call_ok(w->held);
}

static void says_reasons_in_one_line_of_ascii(void **state)
{
    struct world *w = *state;
    int fd = join(w);
    send_one(fd, VICI_CMD_REQUEST, "fail", NULL, NULL);
    expect(w, fd, "1[success=no][errmsg=line one line two ?]");
    close(fd);
}

static void streams_as_fast_as_the_client_reads(void **state)
{
    struct world *w = *state;
    int fd = join(w);
    static uint8_t sink[1 << 16];
    size_t total = 0;
    w->stream_max = 20000; /* 20 MB: more than the queue may hold */
    send_one(fd, VICI_EVENT_REGISTER, "piece", NULL, NULL);
    send_one(fd, VICI_CMD_REQUEST, "stream", NULL, NULL);
    turn(w);
    assert_true(w->streamed > 0 && w->streamed < 2000); /* it waits for the reader */
    for (int idle = 0; idle < 50;) {
        ssize_t n = read(fd, sink, sizeof(sink));
        total += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        uv_run(&w->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(w->streamed, 20000);
    assert_int_equal(w->freed, 1);
    assert_true(total > 20000 * 1024);
    close(fd);
}

static void frees_a_stream_whose_client_left(void **state)
{
    struct world *w = *state;
    int fd = join(w);
    w->stream_max = 20000;
    send_one(fd, VICI_EVENT_REGISTER, "piece", NULL, NULL);
    send_one(fd, VICI_CMD_REQUEST, "stream", NULL, NULL);
    turn(w);
    close(fd);
    turn(w);
    assert_int_equal(w->freed, 1);
    assert_int_equal(vici_server_clients(w->server), 0);
}

static void closes_a_client_that_does_not_read(void **state)
{
    struct world *w = *state;
    int fd = join(w);
    send_one(fd, VICI_EVENT_REGISTER, "piece", NULL, NULL);
    send_one(fd, VICI_CMD_REQUEST, "flood", NULL, NULL); /* 24 MB */
    turn(w);
    assert_int_equal(vici_server_clients(w->server), 0);
    close(fd);
}

static void closes_on_what_is_not_vici(void **state)
{
    static const struct {
        const char *what;
        uint8_t bytes[16];
        size_t n;
    } rows[] = {
        { "length 0", { 0, 0, 0, 0 }, 4 },
        { "too long", { 0xff, 0, 0, 0 }, 4 },
        { "unknown type", { 0, 0, 0, 1, 9 }, 5 },
        { "a packet that only servers send", { 0, 0, 0, 1, 2 }, 5 },
        { "name beyond the packet", { 0, 0, 0, 2, 0, 9 }, 6 },
    };
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int fd = join(w);
        uint8_t byte;
        assert_int_equal(write(fd, rows[i].bytes, rows[i].n), (ssize_t)rows[i].n);
        turn(w);
        if (vici_server_clients(w->server) || read(fd, &byte, 1) != 0)
            fail_msg("%s: the connection is still open", rows[i].what);
        close(fd);
    }
}

static void takes_a_request_byte_by_byte(void **state)
{
    struct world *w = *state;
    int fd = join(w);
    struct adit_buf buf = { 0 };
    put_packet(&buf, VICI_CMD_REQUEST, "echo", "say", "slow");
    for (size_t i = 0; i < buf.n; i++) {
        assert_int_equal(write(fd, buf.p + i, 1), 1);
        uv_run(&w->loop, UV_RUN_NOWAIT);
    }
    buf_fini(&buf);
    expect(w, fd, "1[said=slow]");
    close(fd);
}

static void replaces_a_dead_socket_but_not_a_living_one(void **state)
{
    struct world *w = *state;
    struct adit_why why = { 0 };
    char path[64];
    snprintf(path, sizeof(path), "/tmp/adit-test-%d.vici", (int)getpid());
    unlink(path);
    assert_int_equal(vici_server_listen(w->server, path, &why), ADIT_OK);
    assert_int_equal(vici_server_listen(w->server, path, &why), ADIT_ERR_EXISTS);
    assert_non_null(strstr(why.text, path));
    vici_server_stop(w->server);
    turn(w);
    assert_int_equal(access(path, F_OK), -1);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(vici_server_listen(w->server, path, &why), ADIT_ERR_EXISTS); /* not ours to remove */
    assert_int_equal(vici_server_listen(w->server, "/proc/none/vici", &why), ADIT_ERR_IO);
    assert_non_null(strstr(why.text, "can't make directory /proc/none"));
    unlink(path);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(answers_requests_in_order),
        ROW(holds_later_requests_back_while_one_runs),
        ROW(delivers_events_once_and_counts_registrations),
        ROW(lets_events_in_between_request_and_answer),
        ROW(survives_a_client_that_leaves_its_command_behind),
        ROW(says_reasons_in_one_line_of_ascii),
        ROW(streams_as_fast_as_the_client_reads),
        ROW(frees_a_stream_whose_client_left),
        ROW(closes_a_client_that_does_not_read),
        ROW(closes_on_what_is_not_vici),
        ROW(takes_a_request_byte_by_byte),
        ROW(replaces_a_dead_socket_but_not_a_living_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
