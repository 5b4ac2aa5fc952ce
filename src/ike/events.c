/* events.c - what the engine has to say, queued until it is polled. Each event owns or shares everything that it
 * points to, so that nothing it tells can go stale between the call that made it and the poll. */
#include "ike/sa.h"

struct ike_event {
    struct list link;
    struct adit_event ev;
    struct adit_child_spec spec;
    struct arena arena;
    struct ike_wire *wire;
    struct adit_secret keys; /* of spec, in locked memory */
    unsigned sent;           /* SEND: datagrams already handed out */
    unsigned n_which;        /* SEND: of so many, by number; 0: all */
    uint16_t which[ADIT_SEND_MAX];
};

/* Events that are done with are kept for when there is no memory: a Child SA that is never removed, or a command that is
 * never answered, would be worse than a line that is missing in the log. */
static void event_free(struct ike *ike, struct ike_event *e)
{
    if (!e)
        return;
    wire_unref(e->wire);
    secret_fini(&e->keys);
    arena_fini(&e->arena);
    if (ike->n_spare_events == IKE_SPARE_EVENTS) {
        mem_del(e);
        return;
    }
    *e = (struct ike_event){ 0 };
    list_append(&ike->spare_events, &e->link);
    ike->n_spare_events++;
}

static struct ike_event *event_new(struct ike *ike, enum adit_event_type type)
{
    struct ike_event *e = mem_new(sizeof(*e));
    if (e || type == ADIT_EV_LOG || type == ADIT_EV_KEYLOG || list_empty(&ike->spare_events))
        return e;
    e = list_entry(ike->spare_events.next, struct ike_event, link);
    list_remove(&e->link);
    ike->n_spare_events--;
    return e;
}

struct adit_event *event_add(struct ike *ike, enum adit_event_type type)
{
    struct ike_event *e = event_new(ike, type);
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
    const char *copy = arena_str(&owner(ev)->arena, text ? text : "");
    ev->text = copy ? copy : "";
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

void event_send_some(struct ike *ike, const struct adit_path *path, struct ike_wire *wire, const uint16_t *which, unsigned n)
{
    struct adit_event *ev = event_add(ike, ADIT_EV_SEND);
    if (!ev)
        return;
    struct ike_event *e = owner(ev);
    ev->path = *path;
    e->wire = wire_ref(wire);
    e->n_which = n;
    for (unsigned i = 0; i < n; i++) {
        e->which[i] = which[i];
        ike->counters[ADIT_C_BYTES_OUT] += wire->datagrams[which[i]].n;
    }
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

static bool copy_ts(struct ike_event *e, const struct adit_ts **ts, uint16_t n)
{
    struct adit_span s = arena_span(&e->arena, span(*ts, n * sizeof(**ts)));
    *ts = (const struct adit_ts *)(const void *)s.p;
    return s.p || !n;
}

static bool copy_spec(struct ike_event *e, const struct adit_child_spec *spec)
{
    e->spec = *spec;
    e->spec.conn = arena_str(&e->arena, spec->conn);
    e->spec.child = arena_str(&e->arena, spec->child);
    return e->spec.conn && e->spec.child && copy_keys(e, spec) && copy_ts(e, &e->spec.local_ts, spec->n_local_ts) &&
           copy_ts(e, &e->spec.remote_ts, spec->n_remote_ts);
}

bool event_assigned(struct ike_sa *sa, enum adit_event_type type, const struct adit_assigned *what)
{
    struct adit_event *ev = event_add(sa->ike, type);
    struct adit_span copy = ev ? arena_span(&owner(ev)->arena, span((const uint8_t *)what, sizeof(*what))) : SPAN_NONE;
    if (ev && !copy.p) {
        list_remove(&owner(ev)->link);
        event_free(sa->ike, owner(ev));
    }
    if (!copy.p)
        return false;
    event_text(sa->ike, ev, sa_conn_name(sa));
    ev->conn = ev->text;
    ev->ike_id = sa->id;
    ev->path = sa->path;
    ev->assigned = (const struct adit_assigned *)(const void *)copy.p;
    return true;
}

bool event_child(struct ike_child *c, enum adit_event_type type, const struct adit_child_spec *spec)
{
    struct adit_event *ev = event_add(c->sa->ike, type);
    if (!ev)
        return false;
    struct ike_event *e = owner(ev);
    if (!copy_spec(e, spec)) { /* half a spec would point to memory that is not its own */
        list_remove(&e->link);
        event_free(c->sa->ike, e);
        return false;
    }
    ev->conn = e->spec.conn;
    ev->child = e->spec.child;
    ev->spec = &e->spec;
    ev->child_id = c->id;
    ev->old_child_id = spec->replaces;
    ev->ike_id = c->sa->id;
    ev->path = spec->path;
    ev->rc = c->end;
    if (c->end_why)
        event_text(c->sa->ike, ev, c->end_why);
    return true;
}

/* At most ADIT_SEND_MAX datagrams an event: a longer message is told in several. True: this one is used up. */
static bool fill_send(struct ike_event *e)
{
    for (unsigned i = 0; i < e->n_which; i++)
        e->ev.datagrams[i] = e->wire->datagrams[e->which[i]];
    e->ev.n_datagrams = (uint16_t)e->n_which;
    if (e->n_which)
        return true;
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
    event_free(ike, ike->polled);
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
    event_free(ike, ike->polled);
    ike->polled = NULL;
    list_for_each_safe(it, &ike->events) {
        struct ike_event *e = list_entry(it, struct ike_event, link);
        list_remove(it);
        mem_del(e->ev.job); /* nobody has fetched it */
        event_free(ike, e);
    }
    list_for_each_safe(it, &ike->spare_events) {
        list_remove(it);
        mem_del(list_entry(it, struct ike_event, link));
    }
}
