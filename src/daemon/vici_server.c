/* vici_server.c - see vici_server.h. Sockets: vici_socket.c. */
#include "daemon/vici_server.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/list.h"
#include "base/mem.h"
#include "base/why.h"
#include "daemon/text.h"
#include "daemon/vici_socket.h"

#define STREAM_LOW (256u << 10) /* a listing goes on while fewer octets wait */
#define INPUT_MAX (1u << 20)    /* requests that wait behind a running one */
#define LISTENERS_MAX 4

struct registration {
    struct list node;
    unsigned count;
    char name[VICI_NAME_MAX + 1];
};
struct client {
    struct list node;
    struct vici_server *server;
    uv_pipe_t pipe;
    struct list registered;
    struct adit_buf in;
    struct vici_call *call; /* the running request */
    bool closing, processing, stopped;
};
struct vici_call {
    struct client *client; /* NULL: it went away */
    struct arena arena;
    struct vici_node *args;
    char name[VICI_NAME_MAX + 1];
    vici_next_fn *next;
    void *state;
    void (*free_state)(void *state);
    bool in_next; /* `next` runs: it may be told of no sudden end */
};
struct listener {
    uv_pipe_t pipe;
    char path[108];
    bool open;
};
struct vici_server {
    uv_loop_t *loop;
    struct vici_server_ops ops;
    struct list clients;
    unsigned n_clients;
    struct listener listeners[LISTENERS_MAX];
};
struct output {
    uv_write_t req;
    struct adit_buf buf;
};

static void process(struct client *c);
static void stream_on(struct vici_call *call);

/* --- registrations ---------------------------------------------------------------------------------------------- */

static struct registration *find_registration(const struct client *c, const char *event)
{
    list_for_each (it, &c->registered) {
        struct registration *r = list_entry(it, struct registration, node);
        if (!strcmp(r->name, event))
            return r;
    }
    return NULL;
}

static bool is_event(const struct vici_server *s, const char *name)
{
    for (const char *const *e = s->ops.events; *e; e++)
        if (!strcmp(*e, name))
            return true;
    return false;
}

static bool register_event(struct client *c, const char *event)
{
    struct registration *r = find_registration(c, event);
    if (!is_event(c->server, event))
        return false;
    if (!r) {
        r = mem_new(sizeof(*r));
        if (!r)
            return false;
        snprintf(r->name, sizeof(r->name), "%s", event);
        list_append(&c->registered, &r->node);
    }
    r->count++; /* registered twice: delivered once, and unregistered twice */
    return true;
}

static bool unregister_event(struct client *c, const char *event)
{
    struct registration *r = find_registration(c, event);
    if (!r)
        return false;
    if (--r->count == 0) {
        list_remove(&r->node);
        mem_del(r);
    }
    return true;
}

/* --- life of calls and clients ------------------------------------------------------------------------------------ */

static void call_free(struct vici_call *call)
{
    if (call->state && call->free_state)
        call->free_state(call->state);
    arena_fini(&call->arena);
    mem_del(call);
}

/* The client is going away: a listing ends with it, a command goes on without it. */
static void orphan_call(struct client *c)
{
    struct vici_call *call = c->call;
    c->call = NULL;
    if (!call)
        return;
    call->client = NULL;
    if (call->next && !call->in_next)
        call_free(call);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *c = handle->data;
    list_for_each_safe (it, &c->registered)
        mem_del(list_entry(it, struct registration, node));
    buf_fini(&c->in);
    c->server->n_clients--;
    list_remove(&c->node);
    mem_del(c);
}

static void client_close(struct client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    orphan_call(c);
    uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

/* --- output -------------------------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *req, int status)
{
    struct output *o = req->data;
    struct client *c = req->handle->data;
    buf_fini(&o->buf);
    mem_del(o);
    if (status < 0)
        client_close(c);
    else if (c->call && c->call->next && !c->closing)
        stream_on(c->call);
}

static void send_packet(struct client *c, enum vici_type type, const char *name, struct adit_span message)
{
    struct output *o = c->closing ? NULL : mem_new(sizeof(*o));
    if (!o)
        return;
    if (vici_packet_put(&o->buf, type, name, message) != ADIT_OK ||
        uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) > VICI_QUEUE_MAX) {
        buf_fini(&o->buf);
        mem_del(o);
        client_close(c);
        return;
    }
    uv_buf_t out = uv_buf_init((char *)o->buf.p, (unsigned)o->buf.n);
    o->req.data = o;
    if (uv_write(&o->req, (uv_stream_t *)&c->pipe, &out, 1, on_written) < 0) {
        buf_fini(&o->buf);
        mem_del(o);
        client_close(c);
    }
}

static void stream_on(struct vici_call *call)
{
    while (uv_stream_get_write_queue_size((uv_stream_t *)&call->client->pipe) < STREAM_LOW) {
        call->in_next = true;
        if (!call->next(call->state, call))
            return; /* answered: the call is gone */
        call->in_next = false;
        if (!call->client) {
            call_free(call);
            return;
        }
    }
}

/* --- input --------------------------------------------------------------------------------------------------------- */

static const struct vici_command *find_command(const struct vici_server *s, const char *name)
{
    for (const struct vici_command *cmd = s->ops.commands; cmd->name; cmd++)
        if (!strcmp(cmd->name, name))
            return cmd;
    return NULL;
}

static void request(struct client *c, const struct vici_packet *packet)
{
    const struct vici_command *cmd = find_command(c->server, packet->name);
    struct adit_why why = { 0 };
    if (!cmd) {
        send_packet(c, VICI_CMD_UNKNOWN, "", SPAN_NONE);
        return;
    }
    struct vici_call *call = mem_new(sizeof(*call));
    if (!call) {
        client_close(c);
        return;
    }
    call->client = c;
    c->call = call;
    snprintf(call->name, sizeof(call->name), "%s", packet->name);
    if (vici_parse(packet->message, &call->arena, &call->args, &why) != ADIT_OK)
        vici_call_fail(call, "malformed request: %s", why.text);
    else
        cmd->run(c->server->ops.arg, call);
}

static void handle(struct client *c, const struct vici_packet *packet)
{
    switch (packet->type) {
    case VICI_CMD_REQUEST: request(c, packet); return;
    case VICI_EVENT_REGISTER:
        send_packet(c, register_event(c, packet->name) ? VICI_EVENT_CONFIRM : VICI_EVENT_UNKNOWN, "",
                    SPAN_NONE);
        return;
    case VICI_EVENT_UNREGISTER:
        send_packet(c, unregister_event(c, packet->name) ? VICI_EVENT_CONFIRM : VICI_EVENT_UNKNOWN, "",
                    SPAN_NONE);
        return;
    default: /* a packet that only servers send */ client_close(c);
    }
}

static void drop_input(struct client *c, size_t n)
{
    size_t left = c->in.n - n;
    if (!n)
        return;
    memmove(c->in.p, c->in.p + n, left);
    c->in.n = left;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct client *c = handle->data;
    *out = uv_buf_init(NULL, 0);
    if (buf_reserve(&c->in, c->in.n + suggested) == ADIT_OK)
        *out = uv_buf_init((char *)c->in.p + c->in.n, (unsigned)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = stream->data;
    if (n < 0) {
        client_close(c);
        return;
    }
    c->in.n += (size_t)n;
    process(c);
    if (!c->closing && c->in.n > INPUT_MAX) { /* the running command has to end first */
        uv_read_stop(stream);
        c->stopped = true;
    }
}

/* Takes requests from the input until one stays under way. Re-entered by commands that answer at once. */
static void process(struct client *c)
{
    struct vici_packet packet;
    size_t used, at = 0;
    if (c->processing)
        return;
    c->processing = true;
    while (!c->call && !c->closing) {
        enum adit_rc rc = vici_packet_take(span(c->in.p + at, c->in.n - at), &packet, &used, NULL);
        if (rc == ADIT_WAIT)
            break;
        if (rc != ADIT_OK) {
            client_close(c);
            break;
        }
        at += used;
        handle(c, &packet);
    }
    drop_input(c, at);
    c->processing = false;
    if (c->stopped && !c->closing && c->in.n <= INPUT_MAX)
        c->stopped = uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) < 0;
}

static enum adit_rc client_new(struct vici_server *s, struct client **out)
{
    struct client *c = mem_new(sizeof(*c));
    if (!c)
        return ADIT_ERR_MEMORY;
    c->server = s;
    c->pipe.data = c;
    list_init(&c->registered);
    if (uv_pipe_init(s->loop, &c->pipe, 0) < 0) {
        mem_del(c);
        return ADIT_ERR_IO;
    }
    c->pipe.data = c;
    list_append(&s->clients, &c->node);
    s->n_clients++;
    *out = c;
    return ADIT_OK;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct vici_server *s = listener->data;
    struct client *c;
    if (status < 0 || client_new(s, &c) != ADIT_OK)
        return;
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0 || s->n_clients > VICI_CLIENTS_MAX ||
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) < 0)
        client_close(c);
}

/* --- calls --------------------------------------------------------------------------------------------------------- */

const struct vici_node *vici_call_args(const struct vici_call *call)
{
    return call->args;
}

const char *vici_call_name(const struct vici_call *call)
{
    return call->name;
}

struct arena *vici_call_arena(struct vici_call *call)
{
    return &call->arena;
}

bool vici_call_wants(const struct vici_call *call, const char *event)
{
    return call->client && find_registration(call->client, event);
}

void vici_call_event(struct vici_call *call, const char *event, struct adit_span message)
{
    if (vici_call_wants(call, event))
        send_packet(call->client, VICI_EVENT, event, message);
}

void vici_call_answer(struct vici_call *call, struct adit_span message)
{
    struct client *c = call->client;
    call->in_next = true;
    if (c) {
        send_packet(c, VICI_CMD_RESPONSE, "", message); /* may close the client */
        c->call = NULL;
    }
    call_free(call);
    if (c)
        process(c);
}

void vici_call_ok(struct vici_call *call)
{
    struct adit_buf buf = { 0 };
    struct vici_build b;
    vici_build_init(&b, &buf);
    vici_str(&b, "success", "yes");
    vici_call_answer(call, vici_build_finish(&b) == ADIT_OK ? buf_span(&buf) : SPAN_NONE);
    buf_fini(&buf);
}

void vici_call_fail(struct vici_call *call, const char *fmt, ...)
{
    char text[768], clean[768];
    struct adit_buf buf = { 0 };
    struct vici_build b;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    text_ascii(clean, sizeof(clean), text); /* swanctl shows nothing of a text with other characters */
    vici_build_init(&b, &buf);
    vici_str(&b, "success", "no");
    vici_str(&b, "errmsg", clean);
    vici_call_answer(call, vici_build_finish(&b) == ADIT_OK ? buf_span(&buf) : SPAN_NONE);
    buf_fini(&buf);
}

void vici_call_stream(struct vici_call *call, vici_next_fn *next, void *state,
                      void (*free_state)(void *state))
{
    call->next = next;
    call->state = state;
    call->free_state = free_state;
    if (call->client)
        stream_on(call);
    else
        call_free(call);
}

/* --- server -------------------------------------------------------------------------------------------------------- */

bool vici_server_wanted(const struct vici_server *s, const char *event)
{
    list_for_each (it, &s->clients) {
        const struct client *c = list_entry(it, struct client, node);
        if (!c->closing && find_registration(c, event))
            return true;
    }
    return false;
}

void vici_server_event(struct vici_server *s, const char *event, struct adit_span message)
{
    list_for_each_safe (it, &s->clients) {
        struct client *c = list_entry(it, struct client, node);
        if (!c->closing && find_registration(c, event))
            send_packet(c, VICI_EVENT, event, message);
    }
}

unsigned vici_server_clients(const struct vici_server *s)
{
    return s->n_clients;
}

enum adit_rc vici_server_adopt(struct vici_server *s, int fd)
{
    struct client *c;
    TRY(client_new(s, &c));
    if (uv_pipe_open(&c->pipe, fd) == 0 && uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) == 0)
        return ADIT_OK;
    client_close(c);
    return ADIT_ERR_IO;
}

enum adit_rc vici_server_listen(struct vici_server *s, const char *path, struct adit_why *why)
{
    unsigned i = 0;
    while (i < LISTENERS_MAX && s->listeners[i].open)
        i++;
    if (i == LISTENERS_MAX)
        return why_set(why, ADIT_ERR_LIMIT, "more than %d control sockets", LISTENERS_MAX);
    struct listener *l = &s->listeners[i];
    int fd;
    TRY(vici_socket_bind(path, &fd, why));
    int rc = uv_pipe_init(s->loop, &l->pipe, 0);
    l->pipe.data = s;
    if (rc == 0)
        rc = uv_pipe_open(&l->pipe, fd);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&l->pipe, 64, on_connection);
    if (rc < 0) {
        close(fd);
        return why_set(why, ADIT_ERR_IO, "control socket %s: %s", path, uv_strerror(rc));
    }
    snprintf(l->path, sizeof(l->path), "%s", path);
    l->open = true;
    return ADIT_OK;
}

struct vici_server *vici_server_new(uv_loop_t *loop, const struct vici_server_ops *ops)
{
    struct vici_server *s = mem_new(sizeof(*s));
    if (!s)
        return NULL;
    s->loop = loop;
    s->ops = *ops;
    list_init(&s->clients);
    return s;
}

void vici_server_stop(struct vici_server *s)
{
    for (unsigned i = 0; i < LISTENERS_MAX; i++) {
        struct listener *l = &s->listeners[i];
        if (!l->open)
            continue;
        l->open = false;
        unlink(l->path);
        uv_close((uv_handle_t *)&l->pipe, NULL);
    }
    list_for_each_safe (it, &s->clients)
        client_close(list_entry(it, struct client, node));
}

void vici_server_free(struct vici_server *s)
{
    mem_del(s);
}
