/* sim.c - time, the network and two hosts; commands of a scenario. Expectations: simexpect.c; programs: simmain.c. */
#include "support/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "base/secret.h"
#include "support/simlog.h"
#include "support/simlongke.h"
#include "wire/iana.h"
#include "wire/ike_hdr.h"

static struct prng *current; /* what the library's generators draw from */

static bool crypto_random(void *arg, uint8_t *out, size_t n)
{
    static struct prng before;
    if (before.s[0] == 0)
        prng_init(&before, 1);
    return prng_fill(current ? current : &before, out, n);
}

static struct adit_crypto *crypto;

static void free_crypto(void)
{
    adit_crypto_free(crypto);
}

struct adit_crypto *sim_crypto(struct sim *s)
{
    struct adit_why why = { 0 };
    current = &s->crypto_prng;
    if (crypto)
        return crypto;
    crypto = adit_crypto_new(crypto_random, NULL, &why);
    if (!crypto)
        sim_fail(s, __FILE__, __LINE__, "a set of algorithms", "%s", why.text);
    sim_add_long_kes(crypto);
    atexit(free_crypto);
    return crypto;
}

static bool gate(void *arg, size_t n)
{
    struct sim *s = arg;
    return s->starve_in == 0 || --s->starve_in > 0;
}

void sim_enter(struct sim *s)
{
    if (s->starve_in)
        mem_set_gate(gate, s);
}

void sim_leave(struct sim *s)
{
    mem_set_gate(NULL, NULL);
}

void sim_starve(struct sim *s, unsigned n)
{
    s->starve_in = n;
}

/* --- notes ------------------------------------------------------------------------------------------------------- */

void sim_note(struct sim *s, int host, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    simlog_text(s->log, s->now, host < 0 ? "-" : s->host[host].name, fmt, args);
    va_end(args);
}

void sim_digest(struct sim *s, const void *p, size_t n)
{
    const uint8_t *octet = p;
    for (size_t i = 0; i < n; i++)
        s->digest = (s->digest ^ octet[i]) * 0x100000001b3;
    s->digest ^= s->now;
}

void sim_send(struct sim *s, int host, enum sim_kind kind, const struct adit_path *path,
              struct adit_span data)
{
    static const char *const fates[] = {
        [SIM_ARRIVES] = "",          [SIM_LOST] = "LOST",   [SIM_TOO_BIG] = "TOO BIG", [SIM_CUT] = "CUT",
        [SIM_NO_ROUTE] = "NO ROUTE", [SIM_TWICE] = "twice", [SIM_LATE] = "late"
    };
    sim_digest(s, data.p, data.n);
    struct simtape *tape = &s->tape[host];
    if (kind == SIM_IKE && tape->n < SIM_TAPE && buf_set(&tape->datagram[tape->n++], data))
        abort();
    static uint8_t changed[65535];
    if (kind == SIM_IKE && s->tamper && data.n <= sizeof(changed)) {
        span_copy(changed, data);
        data = span(changed, s->tamper(s, host, changed, data.n));
    }
    enum sim_fate fate = path->tcp ? simstream_send(s, host, kind, path, data)
                                   : simnet_send(&s->net, host, kind, path, data, s->now);
    if (kind == SIM_IKE || s->verbose)
        simlog_packet(s->log, s->now, host, kind, data, fates[fate]);
}

/* --- traffic ------------------------------------------------------------------------------------------------------ */

/* The newest Child SA of this policy that may send. */
static const struct simchild *sender_of(const struct simhost *h, uint32_t reqid)
{
    const struct simchild *best = NULL;
    for (unsigned i = 0; i < h->n_children; i++) {
        const struct simchild *c = &h->child[i];
        if (c->reqid == reqid && simhost_prefers(c, best))
            best = c;
    }
    return best;
}

static bool policy_flows(const struct sim *s, int from, uint32_t reqid)
{
    const struct simchild *c = sender_of(&s->host[from], reqid);
    const struct simchild *peer = c ? simhost_by_spi(&s->host[!from], c->spi_out) : NULL;
    return peer && span_equal(SPAN_ARRAY(c->key_out), SPAN_ARRAY(peer->key_in));
}

bool sim_flows(const struct sim *s, int from)
{
    const struct simhost *h = &s->host[from];
    unsigned live = 0;
    for (unsigned i = 0; i < h->n_children; i++)
        if (!h->child[i].forget_at) {
            live++;
            if (!policy_flows(s, from, h->child[i].reqid))
                return false;
        }
    return live > 0;
}

bool sim_flows_to(const struct sim *s, int host)
{
    const struct simchild *c = simhost_sender(&s->host[A]);
    const struct simchild *peer = c ? simhost_by_spi(&s->host[host], c->spi_out) : NULL;
    return peer && !peer->forget_at && span_equal(SPAN_ARRAY(c->key_out), SPAN_ARRAY(peer->key_in));
}

static struct simflow *flow_of(struct sim *s, int from, uint32_t reqid)
{
    struct simflow *spare = NULL;
    for (int i = 0; i < SIM_FLOWS; i++) {
        struct simflow *f = &s->flow[from][i];
        if (f->reqid == reqid)
            return f;
        if (f->reqid == 0 && !spare)
            spare = f;
    }
    return spare;
}

static void note_gap(struct sim *s, int from, struct simflow *f, bool flows)
{
    if (!flows && !f->broken_at) {
        f->broken_at = s->now;
        sim_note(s, from, "GAP: no common SA to send through (policy %u)", f->reqid);
    }
    if (f->broken_at && s->now - f->broken_at > s->gap[from])
        s->gap[from] = s->now - f->broken_at;
    if (!flows && s->gap[from] == 0)
        s->gap[from] = 1;
    if (flows && f->broken_at) {
        sim_note(s, from, "gap over");
        f->broken_at = 0;
    }
}

/* A policy is watched from when it first works until its last Child SA is gone on the sender's side. */
static void watch_flow(struct sim *s, int from)
{
    const struct simhost *h = &s->host[from];
    for (int i = 0; i < SIM_FLOWS; i++) {
        struct simflow *f = &s->flow[from][i];
        bool any = false;
        for (unsigned k = 0; f->reqid && k < h->n_children; k++)
            any |= h->child[k].reqid == f->reqid && !h->child[k].forget_at;
        if (f->reqid && any)
            note_gap(s, from, f, policy_flows(s, from, f->reqid));
        else
            *f = (struct simflow){ 0 };
    }
    for (unsigned k = 0; k < h->n_children; k++) {
        if (k && h->child[k].reqid == h->child[k - 1].reqid)
            continue; /* looked at already: there may be thousands */
        struct simflow *f = flow_of(s, from, h->child[k].reqid);
        if (f && f->reqid == 0 && policy_flows(s, from, h->child[k].reqid))
            f->reqid = h->child[k].reqid;
    }
}

/* --- time --------------------------------------------------------------------------------------------------------- */

/* A copy with one octet of the protected part changed must be refused without a trace. */
static void garble(struct sim *s, const struct sim_datagram *d)
{
    static uint8_t copy[65536];
    struct simhost *h = &s->host[d->dst];
    if (!h->ike || d->kind != SIM_IKE || d->data.n < IKE_HDR_SIZE + 8 || d->data.n > sizeof(copy) ||
        d->data.p[18] == XCHG_IKE_SA_INIT || !prng_chance(&s->prng, s->net.host[d->src].link.garble))
        return;
    span_copy(copy, buf_span(&d->data));
    copy[32 + prng_below(&s->prng, d->data.n - 32)] ^= (uint8_t)(1 + prng_below(&s->prng, 255));
    uint64_t before = simhost_snapshot(h);
    simhost_input(h, &d->path, span(copy, d->data.n));
    expect(s, before == simhost_snapshot(h), "a falsified message left traces on %s", h->name);
}

static void arrive(struct sim *s, struct sim_datagram *d)
{
    if (d->dst == SIM_STRANGER) {
        if (s->stranger)
            s->stranger(s, d);
        buf_fini(&d->data);
        return;
    }
    if (d->path.tcp && !simstream_alive(s, d->dst, &d->path)) {
        sim_note(s, d->dst, "does not get what was on the way by a TCP connection that broke");
        buf_fini(&d->data);
        return;
    }
    garble(s, d);
    if (d->kind == SIM_IKE)
        simhost_input(&s->host[d->dst], &d->path, buf_span(&d->data));
    else if (d->kind == SIM_DATA)
        simhost_data(&s->host[d->dst], buf_span(&d->data));
    buf_fini(&d->data);
}

static void deliver(struct sim *s)
{
    struct sim_datagram d;
    if (simnet_take(&s->net, s->now, &d))
        arrive(s, &d);
}

void sim_hold(struct sim *s)
{
    s->net.hold = true;
}

unsigned sim_held(const struct sim *s)
{
    return simnet_held(&s->net);
}

void sim_hand_over(struct sim *s, unsigned nth, enum sim_hand how)
{
    struct sim_datagram d;
    simnet_pick(&s->net, nth, how == SIM_DOUBLE, &d);
    sim_note(s, d.dst, how == SIM_LOSE ? "does not get" : how == SIM_DOUBLE ? "gets, not for the last time," : "gets");
    if (s->log)
        simlog_packet(s->log, s->now, d.src, SIM_IKE, buf_span(&d.data), how == SIM_LOSE ? "LOST" : "");
    if (how == SIM_LOSE)
        buf_fini(&d.data);
    else
        arrive(s, &d);
    watch_flow(s, A);
    watch_flow(s, B);
}

void sim_release(struct sim *s)
{
    simnet_release(&s->net, s->now);
}

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_at(const struct sim *s)
{
    uint64_t at = min(simnet_next(&s->net), simstream_next(s));
    for (int i = 0; i < SIM_MEMBERS; i++)
        at = min(at, simhost_deadline(&s->host[i]));
    return s->probe_every ? min(at, s->next_probe) : at;
}

static void step(struct sim *s)
{
    if (simnet_next(&s->net) <= s->now)
        deliver(s);
    simstream_tick(s);
    for (int i = 0; i < SIM_MEMBERS; i++)
        if (simhost_deadline(&s->host[i]) <= s->now)
            simhost_tick(&s->host[i]);
    if (s->probe_every && s->next_probe <= s->now) {
        s->next_probe = s->now + s->probe_every;
        for (int i = 0; i < SIM_MEMBERS; i++)
            simhost_probe(&s->host[i]);
    }
    watch_flow(s, A);
    watch_flow(s, B);
}

/* Runs until `end`, or until the command of `cookie` on `host` is answered. */
static const struct simdone *run(struct sim *s, uint64_t end, int host, uint64_t cookie)
{
    const struct simdone *done = NULL;
    unsigned still = 0;
    uint64_t at;
    while (!(done = simhost_done(&s->host[host], cookie)) && (at = next_at(s)) <= end) {
        still = at > s->now ? 0 : still + 1;
        expect(s, still < 10000, "time moves on (A wants %llu, B %llu)",
               (unsigned long long)simhost_deadline(&s->host[A]),
               (unsigned long long)simhost_deadline(&s->host[B]));
        s->now = at > s->now ? at : s->now;
        step(s);
    }
    if (!done && s->now < end)
        s->now = end;
    return done;
}

void sim_run(struct sim *s, uint64_t ns)
{
    run(s, s->now + ns, A, 0);
}

enum adit_rc sim_wait(struct sim *s, int host, uint64_t cookie, uint64_t ns)
{
    const struct simdone *done = run(s, s->now + ns, host, cookie);
    expect(s, done, "the command is answered within %llu s", (unsigned long long)(ns / SECONDS(1)));
    return done->rc;
}

/* --- what a scenario does ------------------------------------------------------------------------------------------- */

void sim_configure_(struct sim *s, int host, const struct sim_conf *conf)
{
    for (int i = 0; i < SIM_MEMBERS; i++)
        if (host < 0 || host == i)
            s->conf[i] = *conf;
}

void sim_link_(struct sim *s, int host, const struct sim_link *link)
{
    simnet_set_link(&s->net, host, link);
    sim_note(
        s, host,
        "link: delay %u ms, jitter %u ms, loss %.2f, twice %.2f, late %.2f, falsified %.2f, mask %llx, MTU %u",
        link->delay_ms, link->jitter_ms, link->loss, link->dup, link->reorder, link->garble,
        (unsigned long long)link->drop_mask, link->mtu);
}

void sim_nat(struct sim *s, int host)
{
    simnet_nat(&s->net, host, host == A ? "203.0.113.1" : "203.0.113.2");
}

void sim_nat_rebind(struct sim *s, int host)
{
    sim_note(s, host, "its address translator forgets all ports");
    simnet_nat_rebind(&s->net, host);
}

void sim_cut(struct sim *s, int host, bool cut)
{
    sim_note(s, host, cut ? "is cut off" : "is connected again");
    s->net.host[host].cut = cut;
}

void sim_address(struct sim *s, int host, const char *address, enum sim_address what)
{
    static const char *const words[] = { "is at", "is no longer at", "is in vain at" };
    struct simnet_addr *a = simnet_addr(&s->net, host, address);
    sim_note(s, host, "%s %s", words[what], address);
    a->gone = what == SIM_GONE;
    a->dead = what == SIM_DEAD;
}

void sim_tell_addresses(struct sim *s, int host)
{
    const struct simnet_port *h = &s->net.host[host];
    struct adit_addr v[SIM_ADDRESSES + 1];
    unsigned n = 0;
    bool first = true; /* unless something has become of it */
    for (unsigned i = 0; i < h->n_extra; i++) {
        first &= !addr_equal(&h->extra[i].addr, &h->addr);
        if (!h->extra[i].gone)
            v[n++] = h->extra[i].addr;
    }
    if (first)
        v[n++] = h->addr;
    sim_command(s, host, ADIT_CMD_ADDRESSES, .addresses = v, .n_addresses = n);
}

void sim_slow_jobs(struct sim *s, unsigned ms)
{
    s->host[A].job_delay_ms = s->host[B].job_delay_ms = ms;
}

void sim_traffic(struct sim *s, uint64_t interval_ns)
{
    s->probe_every = interval_ns;
    s->next_probe = s->now + interval_ns;
}

void sim_inject(struct sim *s, int host, const char *from, uint16_t port, struct adit_span data)
{
    struct adit_path path = { .local = { s->net.host[host].addr, 500 }, .remote.port = port };
    expect(s, addr_parse(from, &path.remote.addr));
    simhost_input(&s->host[host], &path, data);
}

void sim_say(struct sim *s, int host, struct adit_span data)
{
    struct adit_path path = { .local = { s->net.host[SIM_STRANGER].addr, 500 },
                              .remote = { s->net.host[host].addr, 500 } };
    simlog_packet(s->log, s->now, SIM_STRANGER, SIM_IKE, data, "");
    simnet_send(&s->net, SIM_STRANGER, SIM_IKE, &path, data, s->now);
}

static void start_host(struct sim *s, int i)
{
    struct simhost *h = &s->host[i];
    if (h->cfg)
        adit_config_unref(h->cfg);
    h->cfg = sim_conf_build(s, i);
    simhost_start(h, h->cfg);
}

void sim_start(struct sim *s)
{
    s->started = true;
    start_host(s, A);
    start_host(s, B);
    if (s->third)
        start_host(s, C);
}

void sim_third(struct sim *s)
{
    s->third = true;
    s->net.n_hosts = SIM_MEMBERS;
}

void sim_restart(struct sim *s, int host)
{
    sim_note(s, host, "RESTARTS");
    simhost_stop(&s->host[host]);
    start_host(s, host);
}

uint64_t sim_command_(struct sim *s, int host, const struct adit_command *cmd)
{
    struct adit_command c = *cmd;
    struct adit_why why = { 0 };
    c.cookie = ++s->next_cookie;
    sim_note(s, host, "command %llu: type %d %s", (unsigned long long)c.cookie, c.type,
             c.child ? c.child : "");
    enum adit_rc rc = simhost_command(&s->host[host], &c, &why);
    if (rc != ADIT_OK) {
        struct simdone *d = &s->host[host].done[s->host[host].n_done++ % SIM_DONE];
        *d = (struct simdone){ .cookie = c.cookie, .rc = rc };
        snprintf(d->text, sizeof(d->text), "%s", why.text);
    }
    return c.cookie;
}

void sim_establish(struct sim *s)
{
    if (!s->started)
        sim_start(s);
    bool child = !s->conf[A].no_child;
    for (int tries = 0; tries < 12; tries++) {
        uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = child ? "net" : NULL);
        enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(10));
        if (rc == ADIT_OK)
            break;
        expect(s, rc == ADIT_ERR_TIMEOUT, "rc %d: %s", rc, simhost_done(&s->host[A], cookie)->text);
    }
    for (int i = 0; i < 600 && child && !(sim_flows(s, A) && sim_flows(s, B)); i++)
        sim_run(s, MILLIS(100));
    if (child)
        expect_flows(s);
}

/* --- looking -------------------------------------------------------------------------------------------------------- */

unsigned sim_sas(const struct sim *s, int host)
{
    return adit_ike_sa_count(s->host[host].ike);
}

uint64_t sim_counter(const struct sim *s, int host, enum adit_ike_counter c)
{
    return adit_ike_counter(s->host[host].ike, c);
}

bool sim_info(const struct sim *s, int host, struct adit_ike_info *out)
{
    uint32_t cursor = 0;
    struct adit_ike_info info;
    bool any = false;
    while (adit_ike_sa_next(s->host[host].ike, &cursor, &info)) {
        *out = info;
        any = true;
    }
    return any;
}
