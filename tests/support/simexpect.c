/* simexpect.c - what must hold: same keys on both sides, nothing stuck, nothing left. */
#include <stdarg.h>
#include <stdio.h>
#include "model/model.h"
#include "support/sim.h"

void sim_fail(struct sim *s, const char *file, int line, const char *what, const char *fmt, ...)
{
    va_list args;
    const char *slash = strrchr(file, '/');
    int n = snprintf(s->failure, sizeof(s->failure), "%s:%d: expected %s", slash ? slash + 1 : file, line,
                     what);
    if (n > 0 && (size_t)n < sizeof(s->failure)) {
        va_start(args, fmt);
        if (fmt[0] && fmt[1]) {
            s->failure[n++] = ':';
            s->failure[n++] = ' ';
            vsnprintf(s->failure + n, sizeof(s->failure) - (size_t)n, fmt[0] == ' ' ? fmt + 1 : fmt, args);
        }
        va_end(args);
    }
    s->failed = true;
    longjmp(s->out, 1);
}

void sim_expect_children(struct sim *s, unsigned n, const char *file, int line)
{
    for (int i = 0; i < 2; i++)
        if (simhost_children(&s->host[i]) != n)
            sim_fail(s, file, line, "that many Child SAs", "%u, %s has %u", n, s->host[i].name,
                     simhost_children(&s->host[i]));
}

static bool same_ts(const struct adit_ts *a, uint16_t n, const struct adit_ts *b, uint16_t m)
{
    bool same = n == m && n > 0;
    for (uint16_t i = 0; same && i < n; i++)
        same = ts_equal(&a[i], &b[i]);
    return same;
}

static bool same_suite(const struct adit_suite *a, const struct adit_suite *b)
{
    bool same = a->encr == b->encr && a->encr_bits == b->encr_bits && a->integ == b->integ && a->sn == b->sn;
    for (size_t i = 0; i < ARRAY_LEN(a->ke); i++)
        same = same && a->ke[i] == b->ke[i];
    return same;
}

static const char *difference(const struct simchild *c, const struct simchild *peer)
{
    if (!peer)
        return "the peer has no such SPI";
    if (peer->spi_out != c->spi_in)
        return "SPIs do not match";
    if (!span_equal(SPAN_ARRAY(c->key_in), SPAN_ARRAY(peer->key_out)) ||
        !span_equal(SPAN_ARRAY(c->key_out), SPAN_ARRAY(peer->key_in)))
        return "keys differ";
    if (!same_ts(c->local, c->n_local, peer->remote, peer->n_remote) ||
        !same_ts(c->remote, c->n_remote, peer->local, peer->n_local))
        return "selectors differ";
    if (!same_suite(&c->suite, &peer->suite))
        return "algorithms differ";
    return c->mode != peer->mode || c->udp_encap != peer->udp_encap ? "mode or encapsulation differs" : NULL;
}

void sim_expect_same_keys(struct sim *s, const char *file, int line)
{
    for (int i = 0; i < 2; i++)
        for (unsigned k = 0; k < s->host[i].n_children; k++) {
            const struct simchild *c = &s->host[i].child[k];
            const char *why = c->forget_at ? NULL : difference(c, simhost_by_spi(&s->host[!i], c->spi_out));
            if (why)
                sim_fail(s, file, line, "the same Child SA on both hosts", "child %u of %s: %s", c->id,
                         s->host[i].name, why);
        }
}

void sim_expect_flows(struct sim *s, const char *file, int line)
{
    for (int i = 0; i < 2; i++)
        if (!sim_flows(s, i))
            sim_fail(s, file, line, "that traffic can flow", "from %s it can't", s->host[i].name);
}

void sim_expect_no_gap(struct sim *s, const char *file, int line)
{
    for (int i = 0; i < 2; i++) {
        if (s->gap[i])
            sim_fail(s, file, line, "that traffic could always flow", "from %s it could not for %.3f s",
                     s->host[i].name, (double)s->gap[i] / 1e9);
        if (s->host[i].starved)
            sim_fail(s, file, line, "an SA for each packet", "%s had none for %u", s->host[i].name,
                     s->host[i].starved);
    }
}

static void expect_idle(struct sim *s, int host, const struct adit_ike_info *sa, const char *file, int line)
{
    if (sa->waiting || sa->tasks_queued[0] || sa->tasks_active[0] || sa->tasks_passive[0])
        sim_fail(s, file, line, "an idle SA", "SA %u of %s: waiting for %s, queued %s, active %s, passive %s",
                 sa->id, s->host[host].name, sa->waiting ? sa->waiting : "-",
                 sa->tasks_queued[0] ? sa->tasks_queued[0] : "-",
                 sa->tasks_active[0] ? sa->tasks_active[0] : "-",
                 sa->tasks_passive[0] ? sa->tasks_passive[0] : "-");
    if (sa->state != ADIT_IKE_ESTABLISHED)
        sim_fail(s, file, line, "an established SA", "SA %u of %s is in state %d", sa->id, s->host[host].name,
                 sa->state);
}

void sim_expect_no_garbage(struct sim *s, const char *file, int line)
{
    for (int i = 0; i < 2; i++) {
        struct adit_ike_info sa;
        struct adit_child_info c;
        uint32_t cursor = 0;
        unsigned children = 0;
        if (adit_ike_half_open(s->host[i].ike))
            sim_fail(s, file, line, "no half-open SA", "%s has %u", s->host[i].name,
                     adit_ike_half_open(s->host[i].ike));
        while (adit_ike_sa_next(s->host[i].ike, &cursor, &sa)) {
            expect_idle(s, i, &sa, file, line);
            for (unsigned k = 0; adit_ike_child_info(s->host[i].ike, sa.id, k, &c); k++)
                children++;
        }
        if (children != simhost_children(&s->host[i]))
            sim_fail(s, file, line, "engine and data plane to agree", "%s: %u and %u Child SAs",
                     s->host[i].name, children, simhost_children(&s->host[i]));
    }
}

static void terminate(struct sim *s, int host)
{
    if (sim_sas(s, host) == 0)
        return;
    uint64_t cookie = sim_command(s, host, ADIT_CMD_TERMINATE, .conn = "peer");
    sim_wait(s, host, cookie, MINUTES(15));
}

void sim_tear_down(struct sim *s)
{
    s->torn_down = true;
    if (!s->started)
        return;
    sim_note(s, -1, "tear down");
    sim_traffic(s, 0);
    sim_link(s, .delay_ms = 5);
    s->net.no_udp = s->no_tcp = false;
    sim_cut(s, A, false);
    sim_cut(s, B, false);
    sim_cut(s, C, false);
    terminate(s, A);
    sim_run(s, MINUTES(4));
    terminate(s, B);
    if (s->third)
        terminate(s, C);
    sim_run(s, MINUTES(10));
    for (int i = 0; i < (s->third ? SIM_MEMBERS : C); i++) {
        expect(s, sim_sas(s, i) == 0, "%s still has %u IKE SAs", s->host[i].name, sim_sas(s, i));
        expect(s, adit_ike_half_open(s->host[i].ike) == 0, "%s", s->host[i].name);
        expect(s, s->host[i].n_children == 0, "%s still has %u Child SAs", s->host[i].name,
               s->host[i].n_children);
        expect(s, s->host[i].n_jobs == 0, "%s", s->host[i].name);
        expect(s, simhost_deadline(&s->host[i]) > s->now + SECONDS(30), "%s is busy with nothing",
               s->host[i].name);
    }
}
