/* simhost.c - drives an engine and keeps the model of its data plane. */
#include "support/simhost.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "support/sim.h"

#define PROBE_SIZE 12 /* SPI, digest of the key */

static uint64_t key_digest(const uint8_t *key, size_t n)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < n; i++)
        h = (h ^ key[i]) * 0x100000001b3;
    return h;
}

#define ENGINE(h, call) (sim_enter((h)->sim), measure(h, 0), (call), measure(h, 1), sim_leave((h)->sim))

/* What a call adds to the engine's memory, and how much more it had meanwhile: between two calls on one host only its own
 * allocations pass, but the memory of the other host and of the network is there, too. */
static void measure(struct simhost *h, int after)
{
    static size_t before;
    if (!after) {
        mem_peak_reset();
        before = mem_octets();
        return;
    }
    size_t peak = h->octets + (mem_peak() - before);
    h->peak = peak > h->peak ? peak : h->peak;
    h->octets += mem_octets() - before;
}

/* --- data plane -------------------------------------------------------------------------------------------------- */

static struct simchild *child_by_id(struct simhost *h, uint32_t id)
{
    for (unsigned i = 0; i < h->n_children; i++)
        if (h->child[i].id == id)
            return &h->child[i];
    return NULL;
}

static void copy_key(struct simhost *h, uint8_t out[160], const struct adit_sa_keys *keys)
{
    if (keys->encr.n + keys->integ.n > 160 || keys->encr.n + keys->integ.n == 0)
        sim_fail(h->sim, __FILE__, __LINE__, "keys of a sensible length", "%s: %zu + %zu octets", h->name,
                 keys->encr.n, keys->integ.n);
    span_copy(span_copy(out, keys->encr), keys->integ);
}

static uint16_t copy_ts(struct adit_ts out[SIM_TS], const struct adit_ts *ts, uint16_t n)
{
    uint16_t i;
    for (i = 0; i < n && i < SIM_TS; i++)
        out[i] = ts[i];
    return i;
}

/* Not of the memory that is counted. */
static void make_room(struct simhost *h)
{
    if (h->n_children < h->cap_children)
        return;
    h->cap_children = h->cap_children ? 2 * h->cap_children : 16;
    if (!(h->child = realloc(h->child, h->cap_children * sizeof(*h->child))))
        abort();
}

static void child_add(struct simhost *h, const struct adit_child_spec *spec)
{
    if (child_by_id(h, spec->id))
        sim_fail(h->sim, __FILE__, __LINE__, "CHILD_ADD of a new id", "%s: %u", h->name, spec->id);
    if (h->n_children == SIM_CHILDREN)
        sim_fail(h->sim, __FILE__, __LINE__, "few Child SAs", "%s has %u of them", h->name, h->n_children);
    make_room(h);
    struct simchild *c = &h->child[h->n_children++];
    *c = (struct simchild){ .id = spec->id,
                            .ike_id = spec->ike_id,
                            .reqid = spec->reqid,
                            .replaces = spec->replaces,
                            .spi_in = spec->in.spi,
                            .spi_out = spec->out.spi,
                            .suite = spec->suite,
                            .mode = spec->mode,
                            .shape = spec->shape,
                            .udp_encap = spec->udp_encap,
                            .resource = spec->resource,
                            .shares = spec->shares,
                            .path = spec->path,
                            .local_seen = spec->local_seen_by_peer,
                            .remote_seen = spec->remote_seen_by_peer,
                            .sends = spec->outbound == ADIT_OUT_ACTIVE,
                            .installed_at = h->sim->now };
    copy_key(h, c->key_in, &spec->in);
    copy_key(h, c->key_out, &spec->out);
    c->n_local = copy_ts(c->local, spec->local_ts, spec->n_local_ts);
    c->n_remote = copy_ts(c->remote, spec->remote_ts, spec->n_remote_ts);
    sim_digest(h->sim, c->key_in, sizeof(c->key_in));
    sim_note(h->sim, h->index, "installs child %u: SPI %08x in, %08x out%s%s", c->id, c->spi_in, c->spi_out,
             c->replaces ? ", replaces an old one" : "", c->sends ? "" : ", waits to send");
}

static void child_update(struct simhost *h, const struct adit_child_spec *spec)
{
    struct simchild *c = child_by_id(h, spec->id);
    if (!c)
        sim_fail(h->sim, __FILE__, __LINE__, "CHILD_UPDATE of a known id", "%s: %u", h->name, spec->id);
    c->path = spec->path;
    c->udp_encap = spec->udp_encap;
    c->sends = c->sends || spec->outbound == ADIT_OUT_ACTIVE;
    c->leaves = c->leaves || spec->outbound == ADIT_OUT_LAST;
    sim_note(h->sim, h->index, "updates child %u%s", c->id, c->leaves ? ", which is not to be sent on any more" : "");
}

static void child_gone(struct simhost *h, struct simchild *c)
{
    mem_wipe(c, sizeof(*c));
    *c = h->child[--h->n_children];
}

static void child_remove(struct simhost *h, uint32_t id, uint64_t grace_ns)
{
    struct simchild *c = child_by_id(h, id);
    if (!c || c->forget_at)
        sim_fail(h->sim, __FILE__, __LINE__, "CHILD_REMOVE of an installed id", "%s: %u", h->name, id);
    sim_note(h->sim, h->index, "removes child %u", id);
    c->sends = false;
    c->forget_at = h->sim->now + grace_ns;
    for (unsigned i = 0; i < h->n_children; i++)
        if (h->child[i].replaces == id && !h->child[i].forget_at)
            h->child[i].sends = true;
    if (grace_ns == 0)
        child_gone(h, c);
}

static int place_by_spi(const struct simhost *h, uint32_t spi_in)
{
    for (unsigned i = 0; i < h->n_children; i++)
        if (h->child[i].spi_in == spi_in)
            return (int)i;
    return -1;
}

const struct simchild *simhost_by_spi(const struct simhost *h, uint32_t spi_in)
{
    int i = place_by_spi(h, spi_in);
    return i < 0 ? NULL : &h->child[i];
}

bool simhost_prefers(const struct simchild *c, const struct simchild *to)
{
    if (!c->sends || c->forget_at)
        return false;
    return !to || (c->leaves != to->leaves ? to->leaves : c->id > to->id);
}

const struct simchild *simhost_sender(const struct simhost *h)
{
    const struct simchild *best = NULL;
    for (unsigned i = 0; i < h->n_children; i++) {
        const struct simchild *c = &h->child[i];
        if (simhost_prefers(c, best))
            best = c;
    }
    return best;
}

unsigned simhost_children(const struct simhost *h)
{
    unsigned n = 0;
    for (unsigned i = 0; i < h->n_children; i++)
        n += h->child[i].forget_at == 0;
    return n;
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static void take_job(struct simhost *h, struct adit_job *job)
{
    if (h->job_delay_ms == 0) {
        ENGINE(h, adit_job_run(job));
        ENGINE(h, adit_ike_work_done(h->ike, job, h->sim->now));
        return;
    }
    if (h->n_jobs == SIM_JOBS)
        sim_fail(h->sim, __FILE__, __LINE__, "few jobs", "%s has %u out", h->name, h->n_jobs);
    sim_note(h->sim, h->index, "works: %s", adit_job_name(job));
    h->job[h->n_jobs++] = (struct simjob){ job, h->sim->now + MILLIS(h->job_delay_ms) };
}

static void take_done(struct simhost *h, const struct adit_event *ev)
{
    struct simdone *d = &h->done[h->n_done++ % SIM_DONE];
    d->cookie = ev->cookie;
    d->rc = ev->rc;
    snprintf(d->text, sizeof(d->text), "%s", ev->text ? ev->text : "");
    sim_note(h->sim, h->index, "command %llu ended: %d %s", (unsigned long long)ev->cookie, ev->rc, d->text);
}

/* The names that there are; any other is not. */
static void look_up(struct simhost *h, const struct adit_event *ev)
{
    struct adit_command cmd = { .type = ADIT_CMD_INITIATE, .conn = ev->conn, .child = ev->child, .ike_id = ev->ike_id,
                                .cookie = ev->cookie };
    struct adit_why why;
    const char *text = !strcmp(ev->text, "b.example")   ? "192.0.2.2"
                       : !strcmp(ev->text, "c.example") ? "192.0.2.3"
                                                        : ev->text;
    sim_note(h->sim, h->index, "looks %s up", ev->text);
    if (!addr_parse(text, &cmd.remote))
        cmd.remote = (struct adit_addr){ 0 };
    else
        cmd.local = h->sim->net.host[h->index].addr;
    ENGINE(h, (void)!adit_ike_command(h->ike, &cmd, h->sim->now, NULL, &why));
}

/* At once or later; the engine may have given up by then. */
static void answer_fetch(struct simhost *h, const struct simfetch *f)
{
    struct adit_buf page = { 0 };
    enum sim_page got = h->sim->web ? h->sim->web(h->sim, h->index, f->url, &page) : SIM_NO_PAGE;
    sim_note(h->sim, h->index, "%s %s", got == SIM_PAGE ? "has got" : "has not got", f->url);
    if (got != SIM_SILENCE)
        ENGINE(h, adit_ike_fetched(h->ike, f->cookie, page.p, page.n, got == SIM_PAGE ? NULL : "404", h->sim->now));
    buf_fini(&page);
}

static void take_fetch(struct simhost *h, const struct adit_event *ev)
{
    struct simfetch f = { .cookie = ev->cookie, .at = h->sim->now + MILLIS(h->sim->web_delay_ms) };
    snprintf(f.url, sizeof(f.url), "%s", ev->text);
    if (!h->sim->web_delay_ms)
        answer_fetch(h, &f);
    else if (h->n_fetches == SIM_FETCHES)
        sim_fail(h->sim, __FILE__, __LINE__, "few fetches", "%s has %u out", h->name, h->n_fetches);
    else
        h->fetch[h->n_fetches++] = f;
}

static void handle(struct simhost *h, const struct adit_event *ev)
{
    uint32_t head[4] = { (uint32_t)ev->type, ev->ike_id, ev->child_id, (uint32_t)ev->rc };
    sim_digest(h->sim, head, sizeof(head));
    h->events[ev->type]++;
    switch (ev->type) {
    case ADIT_EV_SEND:
        for (uint16_t i = 0; i < ev->n_datagrams; i++)
            sim_send(h->sim, h->index, SIM_IKE, &ev->path, ev->datagrams[i]);
        break;
    case ADIT_EV_CHILD_ADD: child_add(h, ev->spec); break;
    case ADIT_EV_CHILD_UPDATE: child_update(h, ev->spec); break;
    case ADIT_EV_CHILD_REMOVE: child_remove(h, ev->child_id, ev->grace_ns); break;
    case ADIT_EV_WORK: take_job(h, ev->job); break;
    case ADIT_EV_RESOLVE: look_up(h, ev); break;
    case ADIT_EV_FETCH: take_fetch(h, ev); break;
    case ADIT_EV_DONE: take_done(h, ev); break;
    case ADIT_EV_KEEPALIVE: sim_send(h->sim, h->index, SIM_KEEPALIVE, &ev->path, SPAN_LIT("\xff")); break;
    case ADIT_EV_LOG: sim_note(h->sim, h->index, "[%s] %s", ev->group, ev->text); break;
    case ADIT_EV_STREAM_OPEN: simstream_open(h->sim, h->index, ev->ike_id, &ev->path); break;
    case ADIT_EV_STREAM_CLOSE: simstream_close(h->sim, h->index, &ev->path); break;
    case ADIT_EV_ASSIGNED: h->assigned = *ev->assigned; break;
    default: break;
    }
}

static bool polled(struct simhost *h, struct adit_event *ev)
{
    bool more;
    size_t before = mem_octets();
    more = adit_ike_poll(h->ike, ev);
    h->octets += mem_octets() - before;
    return more;
}

static void drain(struct simhost *h)
{
    struct adit_event ev;
    for (unsigned n = 0; h->ike && polled(h, &ev); n++) {
        if (n > 100000)
            sim_fail(h->sim, __FILE__, __LINE__, "an end of events", "%s", h->name);
        handle(h, &ev);
    }
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static uint64_t wall_clock(void *arg, uint64_t now)
{
    return 1800000000 + now / SECONDS(1); /* January 2027: the test certificates are valid */
}

void simhost_start(struct simhost *h, struct adit_config *cfg)
{
    struct adit_why why = { 0 };
    struct adit_host host = {
        .crypto = sim_crypto(h->sim), .random = prng_fill, .random_arg = &h->prng, .unix_time = wall_clock,
        .resources = h->sim->conf[h->index].resources
    };
    h->ike = adit_ike_new(&host, h->sim->now);
    if (!h->ike)
        sim_fail(h->sim, __FILE__, __LINE__, "an engine", "%s", h->name);
    if (adit_ike_config(h->ike, cfg, h->sim->now, &why) != ADIT_OK)
        sim_fail(h->sim, __FILE__, __LINE__, "a good configuration", "%s: %s", h->name, why.text);
    drain(h);
}

void simhost_stop(struct simhost *h)
{
    struct adit_event ev;
    for (unsigned i = 0; i < h->n_jobs; i++) {
        adit_job_run(h->job[i].job);
        adit_ike_work_done(h->ike, h->job[i].job, h->sim->now);
    }
    h->n_jobs = h->n_fetches = 0;
    while (h->ike && adit_ike_poll(h->ike, &ev))
        if (ev.type == ADIT_EV_WORK) {
            adit_job_run(ev.job);
            adit_ike_work_done(h->ike, ev.job, h->sim->now);
        }
    adit_ike_free(h->ike);
    h->ike = NULL;
    mem_wipe(h->child, h->cap_children * sizeof(*h->child));
    h->n_children = 0;
}

void simhost_fini(struct simhost *h)
{
    if (h->ike)
        simhost_stop(h);
    if (h->cfg)
        adit_config_unref(h->cfg);
    h->cfg = NULL;
    free(h->child);
    h->child = NULL;
    h->n_children = h->cap_children = 0;
}

void simhost_input(struct simhost *h, const struct adit_path *path, struct adit_span data)
{
    if (!h->ike)
        return;
    ENGINE(h, adit_ike_input(h->ike, path, data.p, data.n, h->sim->now));
    drain(h);
}

static void tell(struct simhost *h, enum adit_command_type type, uint32_t child_id)
{
    struct adit_why why;
    struct adit_command cmd = { .type = type, .child_id = child_id };
    if (adit_ike_command(h->ike, &cmd, h->sim->now, NULL, &why) == ADIT_OK)
        drain(h);
}

void simhost_data(struct simhost *h, struct adit_span data)
{
    uint32_t spi;
    uint64_t digest;
    if (!h->ike || data.n != PROBE_SIZE)
        return;
    memcpy(&spi, data.p, 4);
    memcpy(&digest, data.p + 4, 8);
    int place = place_by_spi(h, spi);
    struct simchild *c = place < 0 ? NULL : &h->child[place];
    if (!c || key_digest(c->key_in, sizeof(c->key_in)) != digest) {
        h->starved++;
        sim_note(h->sim, h->index, "no SA for ESP packet with SPI %08x", spi);
        return;
    }
    h->received++;
    h->last_received_at = h->sim->now;
    c->sends = c->sends || !c->forget_at;
    bool first = !c->heard;
    c->heard = true;
    tell(h, first ? ADIT_CMD_TRAFFIC : ADIT_CMD_LIVE, c->id);
}

void simhost_probe(struct simhost *h)
{
    uint8_t probe[PROBE_SIZE];
    const struct simchild *c = simhost_sender(h);
    if (!c)
        return;
    uint64_t digest = key_digest(c->key_out, sizeof(c->key_out));
    memcpy(probe, &c->spi_out, 4);
    memcpy(probe + 4, &digest, 8);
    sim_send(h->sim, h->index, SIM_DATA, &c->path, SPAN_ARRAY(probe));
}

uint64_t simhost_deadline(const struct simhost *h)
{
    uint64_t at = h->ike ? adit_ike_deadline(h->ike) : UINT64_MAX;
    for (unsigned i = 0; i < h->n_jobs; i++)
        at = h->job[i].at < at ? h->job[i].at : at;
    for (unsigned i = 0; i < h->n_fetches; i++)
        at = h->fetch[i].at < at ? h->fetch[i].at : at;
    for (unsigned i = 0; i < h->n_children; i++)
        if (h->child[i].forget_at && h->child[i].forget_at < at)
            at = h->child[i].forget_at;
    return at;
}

static void finish_jobs(struct simhost *h)
{
    for (unsigned i = 0; i < h->n_jobs;) {
        struct simjob j = h->job[i];
        if (j.at > h->sim->now) {
            i++;
            continue;
        }
        for (unsigned k = i; k + 1 < h->n_jobs; k++)
            h->job[k] = h->job[k + 1];
        h->n_jobs--;
        ENGINE(h, adit_job_run(j.job));
        ENGINE(h, adit_ike_work_done(h->ike, j.job, h->sim->now));
        drain(h);
    }
}

static void finish_fetches(struct simhost *h)
{
    for (unsigned i = 0; i < h->n_fetches;) {
        struct simfetch f = h->fetch[i];
        if (f.at > h->sim->now) {
            i++;
            continue;
        }
        for (unsigned k = i; k + 1 < h->n_fetches; k++)
            h->fetch[k] = h->fetch[k + 1];
        h->n_fetches--;
        answer_fetch(h, &f);
        drain(h);
    }
}

void simhost_tick(struct simhost *h)
{
    for (unsigned i = 0; i < h->n_children;)
        if (h->child[i].forget_at && h->child[i].forget_at <= h->sim->now)
            child_gone(h, &h->child[i]);
        else
            i++;
    if (!h->ike)
        return;
    finish_jobs(h);
    finish_fetches(h);
    if (adit_ike_deadline(h->ike) <= h->sim->now)
        ENGINE(h, adit_ike_tick(h->ike, h->sim->now));
    drain(h);
}

enum adit_rc simhost_command(struct simhost *h, const struct adit_command *cmd, struct adit_why *why)
{
    enum adit_rc rc;
    ENGINE(h, rc = adit_ike_command(h->ike, cmd, h->sim->now, NULL, why));
    drain(h);
    return rc;
}

const struct simdone *simhost_done(const struct simhost *h, uint64_t cookie)
{
    for (unsigned i = 0; i < SIM_DONE; i++)
        if (h->done[i].cookie == cookie && cookie)
            return &h->done[i];
    return NULL;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9fb21c651e98df25;
    return h ^ (h >> 29);
}

static uint64_t mix_path(uint64_t h, const struct adit_path *p)
{
    h = mix(h, key_digest(p->local.addr.ip, 16) ^ p->local.port);
    return mix(h, key_digest(p->remote.addr.ip, 16) ^ (uint64_t)p->remote.port << 16);
}

uint64_t simhost_snapshot(const struct simhost *h)
{
    uint64_t sum = 1;
    uint32_t cursor = 0;
    struct adit_ike_info sa;
    struct adit_child_info c;
    while (adit_ike_sa_next(h->ike, &cursor, &sa)) {
        sum = mix(mix(mix(sum, sa.id), sa.state), sa.n_children);
        sum = mix(mix(mix_path(sum, &sa.path), sa.last_heard_at), sa.established_at);
        sum = mix(mix(sum, sa.rekey_at),
                  sa.waiting ? key_digest((const uint8_t *)sa.waiting, strlen(sa.waiting)) : 0);
        for (unsigned i = 0; adit_ike_child_info(h->ike, sa.id, i, &c); i++)
            sum = mix(mix(mix(mix(sum, c.id), c.state), c.spec.in.spi), c.spec.out.spi);
    }
    for (unsigned i = 0; i < h->n_children; i++)
        sum = mix(mix(sum, h->child[i].id), h->child[i].sends + 2u * (h->child[i].forget_at != 0));
    return mix(mix(sum, adit_ike_sa_count(h->ike)), adit_ike_half_open(h->ike));
}
