/* handshake.c - see handshake.h. An end's engine deals with one thing at a time and is busy as long as that took; its jobs run
 * one after the other on a thread beside it. Whatever waits for either waits on the link's clock. */
#include "bench/handshake.h"
#include "base/mem.h"
#include "base/why.h"
#include "wire/ike_hdr.h"

#define COOKIE 7
#define PATIENCE 900000000000ull /* ns: then it has failed */
#define BETWEEN 60000000000ull   /* ns from one handshake to the next: what the last one left behind is over */
#define FIRST_PORT 40000
#define PORTS 20000u

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* --- what an engine wants ---------------------------------------------------------------------------------------------- */

static void run_job(struct bench_pair *p, int i, struct adit_job *job, uint64_t at)
{
    struct bench_end *e = &p->end[i];
    e->worker = later(e->worker, at);
    end_enter(e);
    adit_job_run(job);
    e->worker += end_leave(e);
    if (!wire_put(&p->wire, i, &(struct link_item){ .kind = LINK_WORK, .at = e->worker, .job = job }, SPAN_NONE))
        p->rc = ADIT_ERR_MEMORY;
}

/* A stock is filled when nothing else is to be done: after the handshake. */
static void take_job(struct bench_pair *p, int i, struct adit_job *job, uint64_t at)
{
    struct bench_end *e = &p->end[i];
    if (adit_job_is_idle(job) && e->n_idle < ARRAY_LEN(e->idle))
        e->idle[e->n_idle++] = job;
    else
        run_job(p, i, job, at);
}

static void note_request(struct bench_pair *p, struct adit_span datagram)
{
    struct rd in = rd_init(datagram);
    struct ike_hdr hdr;
    if (ike_hdr_get(&in, &hdr) && !(hdr.flags & IKE_FLAG_RESPONSE) && hdr.msgid < 64)
        p->requests |= UINT64_C(1) << hdr.msgid;
}

static uint64_t digest(struct adit_span s)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ s.p[i]) * 0x100000001b3;
    return h ? h : 1;
}

/* A repetition has the same octets. */
static void note_octets(struct bench_pair *p, struct adit_span datagram)
{
    uint64_t h = digest(datagram);
    unsigned tries = 0;
    size_t at = h % BENCH_SEEN;
    for (; p->seen[at] && p->seen[at] != h && tries < BENCH_SEEN; tries++)
        at = (at + 1) % BENCH_SEEN;
    if (p->seen[at] == h)
        return;
    p->distinct += datagram.n;
    p->seen[at] = h;
}

static void send_all(struct bench_pair *p, int i, const struct adit_event *ev, uint64_t at)
{
    struct adit_path back = { .local = ev->path.remote, .remote = ev->path.local, .tcp = ev->path.tcp };
    for (unsigned k = 0; k < ev->n_datagrams; k++) {
        note_octets(p, ev->datagrams[k]);
        if (i == 0)
            note_request(p, ev->datagrams[k]);
        if (!wire_send(&p->wire, i, &back, ev->datagrams[k], at))
            p->rc = ADIT_ERR_MEMORY;
    }
}

/* A connection takes a round trip, and has a new port. */
static void connect_stream(struct bench_pair *p, int i, const struct adit_event *ev, uint64_t at)
{
    struct link_item up = { .kind = LINK_STREAM, .at = at + p->of->link.rtt_ns, .path = ev->path, .ike_id = ev->ike_id };
    up.path.local = p->end[i].path.local;
    up.path.local.port = (uint16_t)(FIRST_PORT + p->connections++ % PORTS);
    if (!wire_put(&p->wire, i, &up, SPAN_NONE))
        p->rc = ADIT_ERR_MEMORY;
}

static void handle(struct bench_pair *p, int i, const struct adit_event *ev, uint64_t at)
{
    if (ev->type == ADIT_EV_SEND)
        send_all(p, i, ev, at);
    else if (ev->type == ADIT_EV_WORK)
        take_job(p, i, ev->job, at);
    else if (ev->type == ADIT_EV_STREAM_OPEN)
        connect_stream(p, i, ev, at);
    else if (ev->type == ADIT_EV_IKE_UP)
        p->end[i].ike_id = ev->ike_id;
    else if (ev->type == ADIT_EV_DONE && ev->cookie == COOKIE) {
        p->done = true;
        p->done_at = at;
        p->rc = ev->rc;
        snprintf(p->failure, sizeof(p->failure), "%.*s", (int)sizeof(p->failure) - 1, ev->text ? ev->text : adit_rc_name(ev->rc));
    }
}

static bool poll_one(struct bench_end *e, struct adit_event *ev, uint64_t *at)
{
    end_enter(e);
    bool any = adit_ike_poll(e->ike, ev);
    *at += end_leave(e);
    return any;
}

/* All that the engine says after something went in, which it took until `at` to deal with. */
static void drain(struct bench_pair *p, int i, uint64_t at)
{
    struct adit_event ev;
    while (poll_one(&p->end[i], &ev, &at))
        handle(p, i, &ev, at);
    p->end[i].busy = at;
}

/* --- what goes in ------------------------------------------------------------------------------------------------------- */

static void hand_in(struct bench_end *e, struct link_item *it, uint64_t now)
{
    struct adit_why why;
    struct adit_command up = { .type = ADIT_CMD_STREAM_UP, .ike_id = it->ike_id, .path = it->path };
    switch (it->kind) {
    case LINK_DATAGRAM: adit_ike_input(e->ike, &it->path, it->data, it->n, now); break;
    case LINK_WORK: adit_ike_work_done(e->ike, it->job, now); break;
    case LINK_STREAM: (void)!adit_ike_command(e->ike, &up, now, NULL, &why); break;
    }
}

static void act(struct bench_pair *p, int i, struct link_item *it)
{
    struct bench_end *e = &p->end[i];
    end_enter(e);
    if (it)
        hand_in(e, it, p->now);
    else
        adit_ike_tick(e->ike, p->now);
    uint64_t took = end_leave(e);
    if (it)
        wire_drop(it);
    drain(p, i, p->now + took);
}

static void command(struct bench_pair *p, int i, const struct adit_command *c)
{
    struct bench_end *e = &p->end[i];
    struct adit_why why = { 0 };
    end_enter(e);
    enum adit_rc rc = adit_ike_command(e->ike, c, p->now, NULL, &why);
    uint64_t took = end_leave(e);
    drain(p, i, p->now + took);
    if (rc != ADIT_OK && !p->done && c->cookie) {
        p->done = true;
        p->rc = rc;
        snprintf(p->failure, sizeof(p->failure), "%.*s", (int)sizeof(p->failure) - 1, why.text);
    }
}

/* When an end has something to do and is free to do it; *it = what has come to it, NULL: a timer. */
static uint64_t next_at(const struct bench_pair *p, int i, struct link_item **it)
{
    uint64_t timer = adit_ike_deadline(p->end[i].ike);
    *it = wire_first(&p->wire, i);
    if (*it && (*it)->at > timer)
        *it = NULL;
    return later(*it ? (*it)->at : timer, p->end[i].busy);
}

/* false: nothing is left to happen before `until`. */
static bool step(struct bench_pair *p, uint64_t until)
{
    struct link_item *it[BENCH_ENDS];
    uint64_t at[BENCH_ENDS];
    for (int i = 0; i < BENCH_ENDS; i++)
        at[i] = next_at(p, i, &it[i]);
    int i = at[1] < at[0];
    if (at[i] >= until)
        return false;
    p->now = later(p->now, at[i]);
    act(p, i, it[i]);
    return true;
}

/* --- a handshake ---------------------------------------------------------------------------------------------------------- */

struct marks { /* what was counted before */
    uint64_t cpu, octets, datagrams, counter[ADIT_COUNTERS];
    size_t memory;
};

static void mark(struct bench_pair *p, struct marks m[BENCH_ENDS])
{
    for (int i = 0; i < BENCH_ENDS; i++) {
        m[i] = (struct marks){ .cpu = p->end[i].cpu, .octets = p->wire.way[i].octets, .datagrams = p->wire.way[i].datagrams,
                               .memory = p->end[i].octets };
        for (unsigned k = 0; k < ADIT_COUNTERS; k++)
            m[i].counter[k] = adit_ike_counter(p->end[i].ike, k);
        p->end[i].peak = p->end[i].octets;
    }
}

static uint64_t counted(const struct bench_pair *p, const struct marks *m, int i, enum adit_ike_counter c)
{
    return adit_ike_counter(p->end[i].ike, c) - m[i].counter[c];
}

static uint64_t of_both(const struct bench_pair *p, const struct marks *m, enum adit_ike_counter c)
{
    return counted(p, m, 0, c) + counted(p, m, 1, c);
}

static void read_off(const struct bench_pair *p, const struct marks m[BENCH_ENDS], uint64_t began, struct bench_run *out)
{
    *out = (struct bench_run){ .time = p->done_at - began,
                               .fragments = of_both(p, m, ADIT_C_FRAGMENTS_OUT),
                               .again = of_both(p, m, ADIT_C_FRAGMENTS_AGAIN),
                               .reports = of_both(p, m, ADIT_C_REPORTS_OUT),
                               .report_octets = of_both(p, m, ADIT_C_REPORT_BYTES),
                               .repeated = of_both(p, m, ADIT_C_RETRANSMITS),
                               .exchanges = (unsigned)__builtin_popcountll(p->requests),
                               .messages = p->distinct - of_both(p, m, ADIT_C_REPORT_BYTES) };
    for (int i = 0; i < BENCH_ENDS; i++) {
        out->cpu[i] = p->end[i].cpu - m[i].cpu;
        out->octets[i] = p->wire.way[i].octets - m[i].octets;
        out->datagrams[i] = p->wire.way[i].datagrams - m[i].datagrams;
        out->peak[i] = p->end[i].peak - m[i].memory;
    }
}

static void agreed(const struct bench_pair *p, struct adit_suite *suite)
{
    struct adit_ike_info sa;
    uint32_t cursor = 0;
    while (adit_ike_sa_next(p->end[0].ike, &cursor, &sa))
        *suite = sa.suite;
}

/* Nobody says goodbye: both forget it, and what is under way is lost. Jobs come back all the same. */
static void clear_away(struct bench_pair *p)
{
    struct adit_command stop = { .type = ADIT_CMD_TERMINATE, .conn = "peer", .force = true };
    for (int i = 0; i < BENCH_ENDS; i++)
        command(p, i, &stop);
    p->now += BETWEEN;
    for (int i = 0; i < BENCH_ENDS; i++) {
        struct link_item *it;
        while ((it = wire_first(&p->wire, i)))
            if (it->kind == LINK_WORK)
                act(p, i, it);
            else
                wire_drop(it);
        act(p, i, NULL);
    }
    for (int i = 0; i < BENCH_ENDS; i++)
        while (wire_first(&p->wire, i) && wire_first(&p->wire, i)->kind != LINK_WORK)
            wire_drop(wire_first(&p->wire, i));
}

bool pair_handshake(struct bench_pair *p, struct bench_run *out, struct adit_suite *suite)
{
    struct adit_command go = { .type = ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true, .cookie = COOKIE };
    struct marks m[BENCH_ENDS];
    uint64_t began = p->now = later(p->now, later(p->end[0].busy, p->end[1].busy));
    p->end[0].worker = p->end[1].worker = began;
    mark(p, m);
    p->done = false;
    p->rc = ADIT_ERR_TIMEOUT;
    p->requests = p->distinct = 0;
    mem_wipe(p->seen, sizeof(p->seen));
    snprintf(p->failure, sizeof(p->failure), "no answer");
    command(p, 0, &go);
    while (!p->done && step(p, began + PATIENCE))
        ;
    bool good = p->done && p->rc == ADIT_OK;
    read_off(p, m, began, out);
    if (good)
        agreed(p, suite);
    clear_away(p);
    return good;
}

void pair_fill_stock(struct bench_pair *p)
{
    struct bench_end *e = &p->end[0];
    while (e->n_idle) {
        struct adit_job *job = e->idle[--e->n_idle];
        end_enter(e);
        adit_job_run(job);
        adit_ike_work_done(e->ike, job, p->now);
        (void)end_leave(e);
        drain(p, 0, p->now);
    }
}

enum adit_rc pair_open(struct bench_pair *p, const struct bench_case *c, struct adit_crypto *crypto, struct adit_why *why)
{
    *p = (struct bench_pair){ .of = c };
    wire_init(&p->wire, &c->link, c->seed);
    for (int i = 0; i < BENCH_ENDS; i++) {
        enum adit_rc rc = end_open(&p->end[i], i, c, crypto, why);
        if (rc != ADIT_OK)
            return rc;
        p->now = p->end[i].busy;
        drain(p, i, p->now);
    }
    return ADIT_OK;
}

void pair_close(struct bench_pair *p)
{
    for (int i = 0; i < BENCH_ENDS; i++)
        if (p->end[i].ike)
            end_close(&p->end[i]);
    wire_fini(&p->wire);
}
