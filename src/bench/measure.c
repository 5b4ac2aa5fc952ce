/* measure.c - one case: handshakes and their primitives in turn, and of each value the median: neighbours on the machine come
 * and go. */
#include <stdlib.h>
#include "base/mem.h"
#include "base/why.h"
#include "bench/handshake.h"

#define LEAST 3
#define MOST 10000
#define LONG_ENOUGH 1000000000ull /* ns of handshakes, if nobody says how many */
#define HOPELESS 3                /* that fail in a row at the beginning */

struct sample {
    struct bench_run run;
    uint64_t primitives;
};

/* --- medians of fields --------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* What a sample says, as a number; NULL ends. */
#define FIELD(name, expression)                                                                                                \
    static uint64_t get_##name(const struct sample *s)                                                                         \
    {                                                                                                                          \
        return (expression);                                                                                                   \
    }
FIELD(time, s->run.time)
FIELD(cpu0, s->run.cpu[0])
FIELD(cpu1, s->run.cpu[1])
FIELD(octets0, s->run.octets[0])
FIELD(octets1, s->run.octets[1])
FIELD(datagrams0, s->run.datagrams[0])
FIELD(datagrams1, s->run.datagrams[1])
FIELD(fragments, s->run.fragments)
FIELD(again, s->run.again)
FIELD(reports, s->run.reports)
FIELD(report_octets, s->run.report_octets)
FIELD(repeated, s->run.repeated)
FIELD(exchanges, s->run.exchanges)
FIELD(peak0, s->run.peak[0])
FIELD(peak1, s->run.peak[1])
FIELD(messages, s->run.messages)
FIELD(primitives, s->primitives)

typedef uint64_t get_fn(const struct sample *s);

static uint64_t at(const struct sample *v, unsigned n, uint64_t *mem, get_fn *get, unsigned place)
{
    for (unsigned i = 0; i < n; i++)
        mem[i] = get(&v[i]);
    qsort(mem, n, sizeof(*mem), ascending);
    return mem[place];
}

static void sum_up(struct bench_result *r, const struct sample *v, unsigned n, uint64_t *mem)
{
#define MIDDLE(name) at(v, n, mem, get_##name, n / 2)
    r->middle = (struct bench_run){
        .time = MIDDLE(time), .cpu = { MIDDLE(cpu0), MIDDLE(cpu1) }, .octets = { MIDDLE(octets0), MIDDLE(octets1) },
        .datagrams = { MIDDLE(datagrams0), MIDDLE(datagrams1) }, .fragments = MIDDLE(fragments), .again = MIDDLE(again),
        .reports = MIDDLE(reports), .report_octets = MIDDLE(report_octets), .repeated = MIDDLE(repeated),
        .exchanges = (unsigned)MIDDLE(exchanges), .peak = { MIDDLE(peak0), MIDDLE(peak1) }, .messages = MIDDLE(messages)
    };
    r->primitives = MIDDLE(primitives);
    r->best = at(v, n, mem, get_time, 0);
    r->worst = at(v, n, mem, get_time, n - 1);
#undef MIDDLE
}

/* --- handshakes ---------------------------------------------------------------------------------------------------------- */

static bool enough(const struct bench_result *r, uint64_t spent)
{
    unsigned n = r->good + r->failed;
    if (r->of.count)
        return n >= r->of.count;
    return n >= LEAST && (spent >= LONG_ENOUGH || n >= 200 || r->failed >= HOPELESS);
}

static bool one(struct bench_pair *p, struct adit_crypto *crypto, struct bench_result *r, struct sample *s)
{
    pair_fill_stock(p);
    if (!pair_handshake(p, &s->run, &r->suite)) {
        r->failed++;
        snprintf(r->failure, sizeof(r->failure), "%s", p->failure);
        return false;
    }
    s->primitives = bench_primitives(crypto, &r->suite);
    r->good++;
    return true;
}

/* A light first one is not counted: libraries make their tables then. */
static void run_all(struct bench_pair *p, struct adit_crypto *crypto, struct bench_result *r, struct sample *v)
{
    uint64_t began = bench_cpu();
    if (one(p, crypto, r, &v[0]) && r->of.count != 1 && bench_cpu() - began < LONG_ENOUGH / 2) {
        r->good = 0;
        began = bench_cpu();
    }
    while (r->good + r->failed < MOST && !enough(r, bench_cpu() - began) && (r->good || r->failed < HOPELESS))
        one(p, crypto, r, &v[r->good]);
}

static enum adit_rc tell(struct bench_result *r, const struct sample *v, struct adit_why *why)
{
    if (!r->good)
        return why_set(why, ADIT_ERR_PEER, "%s: %s", r->of.method->name, r->failure);
    uint64_t *mem = mem_new_array(r->good, sizeof(*mem));
    if (!mem)
        return why_set(why, ADIT_ERR_MEMORY, "memory is out");
    sum_up(r, v, r->good, mem);
    mem_del(mem);
    return ADIT_OK;
}

enum adit_rc bench_measure(const struct bench_case *c, struct adit_crypto *crypto, struct bench_result *out,
                           struct adit_why *why)
{
    struct bench_pair *p = mem_new(sizeof(*p));
    struct sample *v = mem_new_array(MOST + 1, sizeof(*v));
    *out = (struct bench_result){ .of = *c };
    enum adit_rc rc = p && v ? pair_open(p, &out->of, crypto, why) : why_set(why, ADIT_ERR_MEMORY, "memory is out");
    if (rc == ADIT_OK) {
        run_all(p, crypto, out, v);
        rc = tell(out, v, why);
    }
    if (p)
        pair_close(p);
    mem_del(p);
    mem_del(v);
    return rc;
}
