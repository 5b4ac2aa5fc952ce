/* events.c - what the engine has to say, queued until it is polled. Each event owns or shares everything that it
 * points to, so that nothing it tells can go stale between the call that made it and the poll. */
#include <stdio.h>
#include "ike/sa.h"

struct ike_event {
    struct list link;
    struct adit_event ev;
    struct adit_child_spec spec;
    struct arena arena;
    struct ike_wire *wire;
    struct adit_secret keys; /* of spec, in locked memory */
    unsigned sent;           /* SEND: datagrams already handed out */
};

static void event_free(struct ike_event *e)
{
    if (!e)
        return;
    wire_unref(e->wire);
    secret_fini(&e->keys);
    arena_fini(&e->arena);
    mem_del(e);
}

struct adit_event *event_add(struct ike *ike, enum adit_event_type type)
{
    struct ike_event *e = mem_new(sizeof(*e));
    if (!e)
        return NULL;
    e->ev.type = type;
    list_append(&ike->events, &e->link);
    return &e->ev;
}

static struct ike_event *owner(struct adit_event *ev)
{
    return (struct ike_event *)(void *)((char *)ev - offsetof(struct ike_event, ev));
}

void event_text(struct ike *ike, struct adit_event *ev, const char *text)
{
    ev->text = arena_str(&owner(ev)->arena, text ? text : "");
}

static const char *keep(struct adit_event *ev, const char *s)
{
    return s ? arena_str(&owner(ev)->arena, s) : NULL;
}

void event_send(struct ike *ike, const struct adit_path *path, struct ike_wire *wire)
{
    struct adit_event *ev = wire ? event_add(ike, ADIT_EV_SEND) : NULL;
    if (!ev)
        return;
    ev->path = *path;
    owner(ev)->wire = wire_ref(wire);
    for (unsigned i = 0; i < wire->made; i++)
        ike->counters[ADIT_C_BYTES_OUT] += wire->datagrams[i].n;
}

void event_done(struct ike *ike, uint64_t cookie, enum adit_rc rc, const char *text)
{
    struct adit_event *ev = cookie ? event_add(ike, ADIT_EV_DONE) : NULL;
    if (!ev)
        return;
    ev->cookie = cookie;
    ev->rc = rc;
    event_text(ike, ev, text);
}

static struct adit_span take_key(struct ike_event *e, size_t *at, struct adit_span key)
{
    uint8_t *to = e->keys.p + *at;
    span_copy(to, key);
    *at += key.n;
    return span(to, key.n);
}

/* The keys of a spec are copied into the event's own locked block. */
static bool copy_keys(struct ike_event *e, const struct adit_child_spec *from)
{
    size_t n = from->in.encr.n + from->in.integ.n + from->out.encr.n + from->out.integ.n, at = 0;
    if (!n)
        return true;
    if (secret_alloc(&e->keys, n) != ADIT_OK)
        return false;
    e->spec.in.encr = take_key(e, &at, from->in.encr);
    e->spec.in.integ = take_key(e, &at, from->in.integ);
    e->spec.out.encr = take_key(e, &at, from->out.encr);
    e->spec.out.integ = take_key(e, &at, from->out.integ);
    return true;
}

static const struct adit_ts *copy_ts(struct ike_event *e, const struct adit_ts *ts, uint16_t n)
{
    struct adit_span s = arena_span(&e->arena, span(ts, n * sizeof(*ts)));
    return (const struct adit_ts *)(const void *)s.p;
}

void event_child(struct ike_child *c, enum adit_event_type type, const struct adit_child_spec *spec)
{
    struct adit_event *ev = event_add(c->sa->ike, type);
    if (!ev)
        return;
    struct ike_event *e = owner(ev);
    e->spec = *spec;
    copy_keys(e, spec);
    e->spec.conn = ev->conn = keep(ev, spec->conn);
    e->spec.child = ev->child = keep(ev, spec->child);
    e->spec.local_ts = copy_ts(e, spec->local_ts, spec->n_local_ts);
    e->spec.remote_ts = copy_ts(e, spec->remote_ts, spec->n_remote_ts);
    ev->spec = &e->spec;
    ev->child_id = c->id;
    ev->old_child_id = spec->replaces;
    ev->ike_id = c->sa->id;
    ev->path = spec->path;
}

/* At most ADIT_SEND_MAX datagrams an event: a longer message is told in several. True: this one is used up. */
static bool fill_send(struct ike_event *e)
{
    unsigned left = e->wire->made - e->sent;
    e->ev.n_datagrams = left < ADIT_SEND_MAX ? (uint16_t)left : ADIT_SEND_MAX;
    for (unsigned i = 0; i < e->ev.n_datagrams; i++)
        e->ev.datagrams[i] = e->wire->datagrams[e->sent + i];
    e->sent += e->ev.n_datagrams;
    return e->sent == e->wire->made;
}

bool adit_ike_poll(struct adit_ike *engine, struct adit_event *out)
{
    struct ike *ike = (struct ike *)engine;
    event_free(ike->polled);
    ike->polled = NULL;
    if (list_empty(&ike->events))
        return false;
    struct ike_event *e = list_entry(ike->events.next, struct ike_event, link);
    bool used_up = e->ev.type != ADIT_EV_SEND || fill_send(e);
    *out = e->ev;
    if (used_up) {
        list_remove(&e->link);
        ike->polled = e;
    }
    return true;
}

void events_fini(struct ike *ike)
{
    event_free(ike->polled);
    ike->polled = NULL;
    list_for_each_safe(it, &ike->events) {
        list_remove(it);
        event_free(list_entry(it, struct ike_event, link));
    }
}
