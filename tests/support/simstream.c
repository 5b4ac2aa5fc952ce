/* simstream.c - see simstream.h. */
#include "support/simstream.h"
#include "support/sim.h"

#define FIRST_PORT 40000
#define NOTICED MILLIS(50) /* until the client knows that a connection is broken */
#define REFUSED MILLIS(200)

static struct simstream *find(const struct sim *s, int host, const struct adit_path *path)
{
    for (unsigned i = 0; i < SIM_STREAMS; i++) {
        const struct simstream *t = &s->streams.v[i];
        if (t->used && t->alive && ((t->client == host && path_equal(&t->end[0], path)) ||
                                    (t->server == host && path_equal(&t->end[1], path))))
            return (struct simstream *)(uintptr_t)t;
    }
    return NULL;
}

static void tell(struct sim *s, struct simstream *t)
{
    struct adit_why why;
    struct adit_command cmd = { .type = t->news_up ? ADIT_CMD_STREAM_UP : ADIT_CMD_STREAM_DOWN, .ike_id = t->ike_id,
                                .path = t->end[0] };
    t->news_at = UINT64_MAX;
    if (!t->news_up)
        t->used = false;
    if (s->host[t->client].ike)
        (void)!simhost_command(&s->host[t->client], &cmd, &why);
}

static void break_it(struct sim *s, struct simstream *t)
{
    sim_note(s, t->client, "loses its TCP connection from port %u", t->end[0].local.port);
    t->alive = false;
    t->news_up = false;
    t->news_at = s->now + NOTICED;
}

void simstream_open(struct sim *s, int host, uint32_t ike_id, const struct adit_path *to)
{
    struct simstream *t = s->streams.v;
    while (t < s->streams.v + SIM_STREAMS && t->used)
        t++;
    expect(s, t < s->streams.v + SIM_STREAMS && to->tcp && to->local.port == 0);
    *t = (struct simstream){ .used = true, .client = host, .ike_id = ike_id, .end[0] = *to };
    if (addr_is_any(&to->local.addr) || !to->local.addr.family)
        t->end[0].local.addr = simnet_address(&s->net, host);
    t->end[0].local.port = (uint16_t)(FIRST_PORT + s->streams.opened);
    t->server = simnet_reach(&s->net, host, &t->end[0], &t->end[1]);
    t->news_up = t->alive = t->server >= 0 && t->server < SIM_MEMBERS && !s->no_tcp && s->host[t->server].ike;
    t->news_at = s->now + (t->alive ? 2 * MILLIS(s->net.host[host].link.delay_ms) : REFUSED);
    sim_note(s, host, "connects by TCP%s", t->alive ? "" : ", in vain");
    if (t->alive)
        s->streams.opened++;
    else
        t->end[0].local.port = 0;
}

void simstream_close(struct sim *s, int host, const struct adit_path *path)
{
    struct simstream *t = find(s, host, path);
    if (!t || t->client != host)
        return; /* a server lets it be */
    sim_note(s, host, "closes its TCP connection from port %u", path->local.port);
    t->used = t->alive = false;
}

bool simstream_alive(const struct sim *s, int host, const struct adit_path *path)
{
    return find(s, host, path) != NULL;
}

unsigned simstream_count(const struct sim *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < SIM_STREAMS; i++)
        n += s->streams.v[i].used && s->streams.v[i].alive;
    return n;
}

void simstream_reset(struct sim *s)
{
    for (unsigned i = 0; i < SIM_STREAMS; i++)
        if (s->streams.v[i].used && s->streams.v[i].alive)
            break_it(s, &s->streams.v[i]);
}

enum sim_fate simstream_send(struct sim *s, int host, enum sim_kind kind, const struct adit_path *path,
                             struct adit_span data)
{
    struct simstream *t = find(s, host, path);
    if (!t)
        return SIM_NO_ROUTE;
    if (s->net.host[t->client].cut || s->net.host[t->server].cut) {
        break_it(s, t);
        return SIM_CUT;
    }
    bool from_server = !(t->client == host && path_equal(&t->end[0], path));
    const struct sim_link *l = &s->net.host[host].link;
    uint64_t at = s->now + MILLIS(l->delay_ms) + (l->jitter_ms ? prng_below(&s->prng, MILLIS(l->jitter_ms)) : 0);
    if (prng_chance(&s->prng, l->loss))
        at += MILLIS(200); /* TCP has sent it again */
    at = at > t->last[from_server] ? at : t->last[from_server];
    t->last[from_server] = at;
    simnet_carry(&s->net, &(struct sim_datagram){ .kind = kind, .src = host, .dst = from_server ? t->client : t->server,
                                                  .path = t->end[!from_server] }, data, at);
    return SIM_ARRIVES;
}

uint64_t simstream_next(const struct sim *s)
{
    uint64_t at = UINT64_MAX;
    for (unsigned i = 0; i < SIM_STREAMS; i++)
        if (s->streams.v[i].used && s->streams.v[i].news_at < at)
            at = s->streams.v[i].news_at;
    return at;
}

void simstream_tick(struct sim *s)
{
    for (unsigned i = 0; i < SIM_STREAMS; i++)
        if (s->streams.v[i].used && s->streams.v[i].news_at <= s->now)
            tell(s, &s->streams.v[i]);
}
