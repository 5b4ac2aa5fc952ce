/* streams.c - see streams.h. */
#include "daemon/streams.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/why.h"
#include "daemon/log.h"
#include "daemon/streamio.h"
#include "model/model.h"
#include "net/net.h"

#define LISTENERS_MAX 32
#define ACCEPTS 64       /* at a time: others want their turn too */
#define STRANGERS_MAX 256 /* connections without an authentic peer; the oldest makes room for the next one */
#define STRANGERS_OF_ONE 8 /* of one address (IPv6: one /64) */
#define PREFIX_S 5       /* until the prefix has to be there */
#define STRANGER_S 30    /* until an authentic peer has to be there */
#define RELEASED_S 6     /* the peer's connection, when no IKE SA needs it any more */
#define CONNECT_S 10
#define LINES_A_S 10     /* in the log about strangers */

struct listener {
    struct streams *owner;
    uv_poll_t poll;
    int fd;
};
enum state { CONNECTING, OPEN, DRAINING, CLOSED };
struct stream {
    struct list node;
    struct streams *owner;
    uv_poll_t poll;
    struct streamio io;
    struct adit_path path;
    uint64_t key;    /* in by_path; 0 = not there */
    uint32_t ike_id; /* originator: whose */
    enum state state;
    bool originator, used, dirty;
    uint64_t end_at; /* ms of the loop's clock; UINT64_MAX: lives on */
    struct stream *next_dirty;
};
struct streams {
    struct streams_settings set;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct listener listener[LISTENERS_MAX];
    unsigned n_listeners, n_strangers, n;
    struct list all; /* by age */
    struct map by_path;
    uint64_t seed, lines_at;
    unsigned lines;
    struct stream *dirty; /* ESP waits to be written */
    bool stopping;
};

static uint64_t now_ms(const struct streams *s)
{
    return uv_now(s->loop);
}

static uint64_t key_of(const struct streams *s, const struct adit_path *path)
{
    uint64_t key = map_mix(endpoint_hash(&path->local, s->seed), endpoint_hash(&path->remote, ~s->seed));
    return key ? key : 1;
}

static struct stream *find(const struct streams *s, const struct adit_path *path)
{
    struct stream *t = path->tcp ? map_get(&s->by_path, key_of(s, path)) : NULL;
    return t && t->state != CLOSED && path_equal(&t->path, path) ? t : NULL;
}

/* Strangers must not fill the log. */
static void say(struct stream *t, const char *what)
{
    struct streams *s = t->owner;
    STRBUF(peer, 80);
    if (now_ms(s) - s->lines_at >= 1000) {
        s->lines_at = now_ms(s);
        s->lines = 0;
    }
    if (!t->used && !t->originator && s->lines++ >= LINES_A_S)
        return;
    endpoint_print(&peer, &t->path.remote);
    log_say(s->set.log, t->used || t->originator ? ADIT_LOG_INFO : ADIT_LOG_MORE, "NET", "TCP connection %s %s: %s",
            t->originator ? "to" : "from", peer.p, what);
}

/* --- ends --------------------------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct stream *t = handle->data;
    list_remove(&t->node);
    streamio_fini(&t->io);
    mem_del(t);
}

static void forget_dirty(struct streams *s, struct stream *t)
{
    for (struct stream **at = &s->dirty; t->dirty && *at; at = &(*at)->next_dirty)
        if (*at == t) {
            *at = t->next_dirty;
            break;
        }
    t->dirty = false;
}

static bool is_stranger(const struct stream *t)
{
    return !t->originator && !t->used;
}

static void close_stream(struct stream *t)
{
    struct streams *s = t->owner;
    if (t->state == CLOSED)
        return;
    s->n_strangers -= is_stranger(t);
    s->n--;
    t->state = CLOSED;
    forget_dirty(s, t);
    if (t->key && map_get(&s->by_path, t->key) == t)
        map_del(&s->by_path, t->key);
    uv_poll_stop(&t->poll);
    uv_close((uv_handle_t *)&t->poll, on_closed);
}

/* It ends by itself; the engine of who opened it opens another one. */
static void lost(struct stream *t, const char *why)
{
    struct streams *s = t->owner;
    bool tell = t->originator && t->state != DRAINING && t->state != CLOSED;
    struct adit_path path = t->path;
    uint32_t ike_id = t->ike_id;
    if (t->state == CLOSED)
        return;
    say(t, why);
    close_stream(t);
    if (tell && !s->stopping)
        s->set.down(s->set.arg, ike_id, &path);
}

/* --- traffic ------------------------------------------------------------------------------------------------------ */

static void on_event(uv_poll_t *poll, int status, int events);

static void watch(struct stream *t)
{
    bool writes = t->state == CONNECTING || streamio_waits(&t->io);
    if (t->state != CLOSED)
        uv_poll_start(&t->poll, UV_READABLE | (writes ? UV_WRITABLE : 0), on_event);
}

static void flush(struct stream *t)
{
    const char *why = "";
    if (t->state == CONNECTING || t->state == CLOSED)
        return;
    if (!streamio_flush(&t->io, &why))
        lost(t, why);
    else if (t->state == DRAINING && !streamio_waits(&t->io))
        close_stream(t);
    else
        watch(t);
}

static bool frame(void *arg, enum tcpframe_kind kind, struct adit_span body)
{
    struct stream *t = arg;
    const struct streams_settings *set = &t->owner->set;
    (kind == TCPFRAME_IKE ? set->ike : set->esp)(set->arg, &t->path, body);
    return t->state != CLOSED;
}

static void read_all(struct stream *t)
{
    const char *why = "";
    bool was_prefixed = t->io.prefixed;
    if (!streamio_read(&t->io, frame, t, &why)) {
        lost(t, why);
        return;
    }
    if (!was_prefixed && t->io.prefixed && is_stranger(t))
        t->end_at = now_ms(t->owner) + STRANGER_S * 1000;
}

/* The first name that it gets is the engine's word for it. */
static void connected(struct stream *t)
{
    struct streams *s = t->owner;
    struct adit_path path;
    int e = net_tcp_connected(t->io.fd, &path);
    uint64_t key = e ? 0 : key_of(s, &path);
    if (e == -EINPROGRESS)
        return;
    if (e || map_get(&s->by_path, key) || map_put(&s->by_path, key, t) != ADIT_OK) {
        lost(t, e ? strerror(-e) : "out of memory");
        return;
    }
    t->path = path;
    t->key = key;
    t->state = OPEN;
    t->end_at = UINT64_MAX;
    s->set.up(s->set.arg, t->ike_id, &path);
    flush(t);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct stream *t = poll->data;
    if (t->state == CONNECTING)
        connected(t);
    if (t->state == OPEN && (status < 0 || events & UV_READABLE))
        read_all(t);
    if (t->state == OPEN || t->state == DRAINING)
        flush(t);
    if (t->state == DRAINING && status < 0)
        close_stream(t);
}

/* --- births ------------------------------------------------------------------------------------------------------- */

static struct stream *stream_new(struct streams *s, int fd, bool originator, unsigned seconds)
{
    struct stream *t = mem_new(sizeof(*t));
    if (!t || streamio_init(&t->io, fd, originator) != ADIT_OK) {
        if (t)
            streamio_fini(&t->io);
        else
            close(fd);
        mem_del(t);
        return NULL;
    }
    t->owner = s;
    t->originator = originator;
    t->state = originator ? CONNECTING : OPEN;
    t->end_at = now_ms(s) + seconds * 1000;
    t->poll.data = t;
    list_append(&s->all, &t->node);
    s->n++;
    uv_poll_init(s->loop, &t->poll, fd);
    return t;
}

static bool same_site(const struct adit_addr *a, const struct adit_addr *b)
{
    size_t n = a->family == 6 ? 8 : 4;
    return a->family == b->family && span_equal(span(a->ip, n), span(b->ip, n));
}

static unsigned strangers_of(const struct streams *s, const struct adit_addr *from, struct stream **oldest)
{
    unsigned n = 0;
    list_for_each(it, &s->all) {
        struct stream *t = list_entry(it, struct stream, node);
        if (t->state == CLOSED || !is_stranger(t))
            continue;
        if (!*oldest)
            *oldest = t;
        n += same_site(&t->path.remote.addr, from);
    }
    return n;
}

static void accepted(struct streams *s, int fd, const struct adit_path *path)
{
    struct stream *oldest = NULL, *t;
    uint64_t key = key_of(s, path);
    if (strangers_of(s, &path->remote.addr, &oldest) >= STRANGERS_OF_ONE || map_get(&s->by_path, key)) {
        close(fd);
        return;
    }
    if (s->n_strangers >= STRANGERS_MAX)
        lost(oldest, "it has to make room");
    if (!(t = stream_new(s, fd, false, PREFIX_S)))
        return;
    s->n_strangers++;
    t->path = *path;
    if (map_put(&s->by_path, key, t) == ADIT_OK)
        t->key = key;
    watch(t);
    if (!t->key)
        lost(t, "out of memory");
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;
    struct adit_path path;
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = net_tcp_accept(l->fd, &path);
        if (fd == -EMFILE || fd == -ENFILE)
            uv_poll_stop(poll); /* who waits would call us again and again: until the next look at all of them */
        if (fd == -EAGAIN || fd == -EMFILE || fd == -ENFILE)
            return;
        if (fd >= 0)
            accepted(l->owner, fd, &path);
    }
}

void streams_open(struct streams *s, uint32_t ike_id, const struct adit_path *to)
{
    int fd = net_tcp_connect(to, s->set.mark);
    bool refused = fd < 0;
    if (refused) /* its end is told from the loop all the same */
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct stream *t = fd < 0 ? NULL : stream_new(s, fd, true, refused ? 0 : CONNECT_S);
    if (!t)
        return;
    t->path = *to;
    t->ike_id = ike_id;
    if (!refused)
        watch(t);
}

/* --- what the engine says ----------------------------------------------------------------------------------------- */

void streams_used(struct streams *s, const struct adit_path *path)
{
    struct stream *t = find(s, path);
    if (!t)
        return;
    s->n_strangers -= is_stranger(t);
    t->used = true;
    t->end_at = UINT64_MAX;
}

void streams_close(struct streams *s, const struct adit_path *path)
{
    struct stream *t = find(s, path);
    if (!t)
        return;
    if (t->originator) {
        t->state = DRAINING;
        t->end_at = now_ms(s) + RELEASED_S * 1000;
        flush(t);
        return;
    }
    s->n_strangers += t->used;
    t->used = false;
    t->end_at = now_ms(s) + RELEASED_S * 1000;
}

int streams_send(struct streams *s, const struct adit_path *path, const struct adit_span *messages, size_t n)
{
    struct stream *t = find(s, path);
    if (!t)
        return -ENOTCONN;
    for (size_t i = 0; i < n; i++)
        if (!streamio_put(&t->io, true, messages[i]))
            return -ENOBUFS;
    flush(t);
    return 0;
}

bool streams_send_esp(struct streams *s, const struct adit_path *path, struct adit_span packet)
{
    struct stream *t = find(s, path);
    if (!t || t->state != OPEN || !streamio_put(&t->io, false, packet))
        return false;
    if (!t->dirty) {
        t->dirty = true;
        t->next_dirty = s->dirty;
        s->dirty = t;
    }
    return true;
}

void streams_flush(struct streams *s)
{
    while (s->dirty) {
        struct stream *t = s->dirty;
        s->dirty = t->next_dirty;
        t->dirty = false;
        flush(t);
    }
}

unsigned streams_count(const struct streams *s)
{
    return s->n;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static const char *overdue(const struct stream *t)
{
    if (t->state == CONNECTING)
        return "it does not come about";
    if (t->state == DRAINING)
        return "the peer takes no more";
    return t->io.prefixed ? "no IKE SA uses it" : "the prefix of IKE in TCP does not come";
}

static void on_timer(uv_timer_t *timer)
{
    struct streams *s = timer->data;
    list_for_each_safe(it, &s->all) {
        struct stream *t = list_entry(it, struct stream, node);
        if (t->state != CLOSED && t->end_at <= now_ms(s))
            lost(t, overdue(t));
    }
    for (unsigned i = 0; i < s->n_listeners; i++)
        uv_poll_start(&s->listener[i].poll, UV_READABLE, on_listener);
}

static void listen_on(struct streams *s, uint8_t family, uint16_t port)
{
    struct listener *l = &s->listener[s->n_listeners];
    struct adit_endpoint local = { .addr.family = family, .port = port };
    if (s->n_listeners == LISTENERS_MAX)
        return;
    l->fd = net_tcp_listen(&local, s->set.mark);
    if (l->fd < 0) {
        if (family == 4) /* a kernel without IPv6 is fine */
            log_say(s->set.log, ADIT_LOG_AUDIT, "NET", "TCP port %u: %s; peers cannot connect there (tcp_ports)", port,
                    strerror(-l->fd));
        return;
    }
    l->owner = s;
    l->poll.data = l;
    s->n_listeners++;
    uv_poll_init(s->loop, &l->poll, l->fd);
    uv_poll_start(&l->poll, UV_READABLE, on_listener);
}

enum adit_rc streams_new(uv_loop_t *loop, const struct streams_settings *set, struct streams **out, struct adit_why *why)
{
    struct streams *s = *out = mem_new(sizeof(*s));
    if (!s)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    s->set = *set;
    s->loop = loop;
    list_init(&s->all);
    if (getrandom(&s->seed, sizeof(s->seed), 0) != (ssize_t)sizeof(s->seed))
        s->seed = (uint64_t)(uintptr_t)s;
    map_init(&s->by_path, s->seed);
    s->timer.data = s;
    uv_timer_init(loop, &s->timer);
    uv_timer_start(&s->timer, on_timer, 500, 500);
    for (uint16_t i = 0; i < set->n_ports; i++) {
        uint16_t port = (uint16_t)strtoul(set->ports[i], NULL, 10);
        if (port) {
            listen_on(s, 4, port);
            listen_on(s, 6, port);
        }
    }
    return ADIT_OK;
}

void streams_stop(struct streams *s)
{
    if (!s)
        return;
    s->stopping = true;
    list_for_each_safe(it, &s->all)
        close_stream(list_entry(it, struct stream, node));
    for (unsigned i = 0; i < s->n_listeners; i++) {
        uv_poll_stop(&s->listener[i].poll);
        uv_close((uv_handle_t *)&s->listener[i].poll, NULL);
        close(s->listener[i].fd);
    }
    uv_timer_stop(&s->timer);
    uv_close((uv_handle_t *)&s->timer, NULL);
}

void streams_free(struct streams *s)
{
    if (!s)
        return;
    list_for_each_safe(it, &s->all) {
        struct stream *t = list_entry(it, struct stream, node);
        streamio_fini(&t->io);
        mem_del(t);
    }
    map_fini(&s->by_path);
    mem_del(s);
}
