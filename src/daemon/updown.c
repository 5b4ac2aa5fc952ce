/* updown.c - see updown.h. The variables are strongSwan's (its _updown script documents them). */
#include "daemon/updown.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/list.h"
#include "base/mem.h"
#include "model/model.h"
#include "wire/iana.h"

#define ENV_MAX 40

struct command {
    struct list node;
    char *text, *env[ENV_MAX];
};
struct updown {
    uv_loop_t *loop;
    struct log *log;
    struct list waiting;
    unsigned n;
    uv_process_t process;
    bool running, freed;
};
struct env {
    char **v;
    size_t n, max;
};

static void set(struct env *e, const char *name, const char *fmt, ...) ADIT_PRINTF(3, 4);
static void set(struct env *e, const char *name, const char *fmt, ...)
{
    char value[512];
    char *entry = NULL;
    va_list args;
    va_start(args, fmt);
    vsnprintf(value, sizeof(value), fmt, args);
    va_end(args);
    if (e->n + 1 < e->max && asprintf(&entry, "%s=%s", name, value) >= 0)
        e->v[e->n++] = entry;
    e->v[e->n] = NULL;
}

/* A range that is one prefix prints as net/bits; others as a..b. */
static int prefix_bits(const struct adit_ts *ts)
{
    int octets = ts->family == 4 ? 4 : 16, bits = 0;
    while (bits < octets * 8 && !((ts->lo[bits / 8] ^ ts->hi[bits / 8]) >> (7 - bits % 8) & 1))
        bits++;
    for (int i = bits; i < octets * 8; i++)
        if ((ts->lo[i / 8] >> (7 - i % 8) & 1) || !(ts->hi[i / 8] >> (7 - i % 8) & 1))
            return -1;
    return bits;
}

static void set_client(struct env *e, const char *side, const struct adit_ts *ts)
{
    char name[64];
    STRBUF(text, 128);
    struct adit_addr lo = addr_from(span(ts->lo, ts->family == 4 ? 4 : 16));
    struct adit_addr hi = addr_from(span(ts->hi, ts->family == 4 ? 4 : 16));
    int bits = prefix_bits(ts);
    addr_print(&text, &lo);
    if (bits >= 0) {
        strbuf_addf(&text, "/%d", bits);
    } else {
        strbuf_add(&text, "..");
        addr_print(&text, &hi);
    }
    snprintf(name, sizeof(name), "PLUTO_%s_CLIENT", side);
    set(e, name, "%s", text.p);
    snprintf(name, sizeof(name), "PLUTO_%s_PORT", side);
    set(e, name, "%u", ts->port_lo == ts->port_hi ? ts->port_lo : 0);
    snprintf(name, sizeof(name), "PLUTO_%s_PROTOCOL", side);
    set(e, name, "%u", ts->proto);
}

static void set_address(struct env *e, const char *name, const struct adit_addr *addr)
{
    STRBUF(text, 64);
    addr_print(&text, addr);
    set(e, name, "%s", text.p);
}

static void set_identity(struct env *e, const char *name, const struct adit_id *id)
{
    STRBUF(text, 256);
    id_print(&text, id);
    set(e, name, "%s", text.p);
}

/* "client" for a network behind us, "host" if our selector is our own address (strongSwan's rule). */
static void set_verb(struct env *e, const struct updown_event *ev, const struct adit_ts *local)
{
    struct adit_ts own = ts_from_addr(&ev->spec->path.local.addr);
    bool host = own.family == local->family && span_equal(SPAN_ARRAY(own.lo), SPAN_ARRAY(local->lo)) &&
                span_equal(SPAN_ARRAY(own.hi), SPAN_ARRAY(local->hi));
    set(e, "PLUTO_VERB", "%s-%s%s", ev->up ? "up" : "down", host ? "host" : "client",
        local->family == 6 ? "-v6" : "");
}

size_t updown_env(const struct updown_event *ev, unsigned local, unsigned remote, char **env, size_t max)
{
    struct env e = { env, 0, max };
    const struct adit_child_spec *s = ev->spec;
    set(&e, "PATH", "%s", getenv("PATH") ? getenv("PATH") : "/usr/sbin:/usr/bin:/sbin:/bin");
    set(&e, "PLUTO_VERSION", "1.1");
    set_verb(&e, ev, &s->local_ts[local]);
    set(&e, "PLUTO_CONNECTION", "%s", s->child);
    set(&e, "PLUTO_IKE_CONNECTION", "%s", s->conn);
    set(&e, "PLUTO_INTERFACE", "%s", ev->interface);
    set(&e, "PLUTO_REQID", "%u", s->reqid);
    set(&e, "PLUTO_PROTO", "%s", s->proto == PROTO_ESP ? "esp" : "ah");
    set(&e, "PLUTO_UNIQUEID", "%u", s->ike_id);
    set(&e, "PLUTO_SPI_IN", "0x%08x", s->in.spi);
    set(&e, "PLUTO_SPI_OUT", "0x%08x", s->out.spi);
    set_address(&e, "PLUTO_ME", &s->path.local.addr);
    set_identity(&e, "PLUTO_MY_ID", &ev->local_id);
    set_client(&e, "MY", &s->local_ts[local]);
    set_address(&e, "PLUTO_PEER", &s->path.remote.addr);
    set_identity(&e, "PLUTO_PEER_ID", &ev->remote_id);
    set_client(&e, "PEER", &s->remote_ts[remote]);
    if (s->udp_encap)
        set(&e, "PLUTO_UDP_ENC", "%u", s->path.remote.port);
    return e.n;
}

static void command_free(struct command *c)
{
    for (char **e = c->env; *e; e++)
        free(*e);
    mem_del(c->text);
    mem_del(c);
}

static void start_next(struct updown *u);

static void on_closed(uv_handle_t *handle)
{
    struct updown *u = handle->data;
    u->running = false;
    if (u->freed)
        mem_del(u);
    else
        start_next(u);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal)
{
    struct updown *u = process->data;
    if ((status || signal) && !u->freed)
        log_say(u->log, ADIT_LOG_AUDIT, "CHD", "updown command ended with %s %d", signal ? "signal" : "code",
                signal ? signal : (int)status);
    uv_close((uv_handle_t *)process, on_closed);
}

static void start(struct updown *u, struct command *c)
{
    char sh[] = "/bin/sh", flag[] = "-c";
    char *args[] = { sh, flag, c->text, NULL };
    uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE },
                                      { .flags = UV_INHERIT_FD, .data.fd = 2 },
                                      { .flags = UV_INHERIT_FD, .data.fd = 2 } };
    uv_process_options_t options = {
        .file = sh, .args = args, .env = c->env, .exit_cb = on_exit_status, .stdio = stdio, .stdio_count = 3
    };
    u->process.data = u;
    int rc = uv_spawn(u->loop, &u->process, &options);
    u->running = true;
    if (rc < 0) {
        log_say(u->log, ADIT_LOG_AUDIT, "CHD", "updown command '%s': %s", c->text, uv_strerror(rc));
        uv_close((uv_handle_t *)&u->process, on_closed);
    }
}

static void start_next(struct updown *u)
{
    if (u->running || list_empty(&u->waiting))
        return;
    struct command *c = list_entry(u->waiting.next, struct command, node);
    list_remove(&c->node);
    u->n--;
    start(u, c);
    command_free(c);
}

static void queue(struct updown *u, const struct updown_event *ev, unsigned local, unsigned remote)
{
    struct command *c = mem_new(sizeof(*c));
    if (!c)
        return;
    c->text = mem_strdup(ev->command);
    updown_env(ev, local, remote, c->env, ENV_MAX);
    if (!c->text) {
        command_free(c);
        return;
    }
    list_append(&u->waiting, &c->node);
    u->n++;
}

void updown_command(struct updown *u, const char *text, char *const *env)
{
    struct command *c = mem_new(sizeof(*c));
    if (!c)
        return;
    c->text = mem_strdup(text);
    for (size_t i = 0; env[i] && i + 1 < ENV_MAX; i++)
        c->env[i] = strdup(env[i]);
    if (!c->text) {
        command_free(c);
        return;
    }
    list_append(&u->waiting, &c->node);
    u->n++;
    start_next(u);
}

struct updown *updown_new(uv_loop_t *loop, struct log *log)
{
    struct updown *u = mem_new(sizeof(*u));
    if (!u)
        return NULL;
    u->loop = loop;
    u->log = log;
    list_init(&u->waiting);
    return u;
}

void updown_run(struct updown *u, const struct updown_event *ev)
{
    for (unsigned l = 0; l < ev->spec->n_local_ts; l++)
        for (unsigned r = 0; r < ev->spec->n_remote_ts; r++)
            if (ev->spec->local_ts[l].family == ev->spec->remote_ts[r].family)
                queue(u, ev, l, r);
    start_next(u);
}

unsigned updown_pending(const struct updown *u)
{
    return u->n + u->running;
}

void updown_free(struct updown *u)
{
    if (!u)
        return;
    list_for_each_safe (it, &u->waiting)
        command_free(list_entry(it, struct command, node));
    u->freed = true;
    if (!u->running) {
        mem_del(u);
    } else if (!uv_is_closing((uv_handle_t *)&u->process)) {
        uv_unref((uv_handle_t *)&u->process);
        uv_close((uv_handle_t *)&u->process, on_closed);
    }
}
