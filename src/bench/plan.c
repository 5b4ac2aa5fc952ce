/* plan.c - which cases a list of methods, losses, forms of reports and transports makes. */
#include "bench/bench.h"
#include "crypto/crypto.h"
#include "wire/iana.h"

static bool is_slow(const struct adit_crypto *crypto, const struct transform *t)
{
    bool ke = t->type == TT_KE || (t->type >= TT_ADDKE1 && t->type <= TT_ADDKE7);
    const struct ke_alg *a = ke ? crypto_ke(crypto, t->id) : NULL;
    return a && a->cost == CRYPTO_SLOW;
}

/* Is there anything that a stock would keep? */
static bool has_slow(const struct adit_crypto *crypto, const struct bench_method *m)
{
    for (unsigned i = 0; i < m->proposals->n; i++)
        for (unsigned k = 0; k < m->proposals->v[i].n; k++)
            if (is_slow(crypto, &m->proposals->v[i].t[k]))
                return true;
    return false;
}

struct list_of_cases {
    struct bench_case *v;
    size_t n, room;
};

static void add(struct list_of_cases *to, const struct bench_case *c)
{
    if (to->n < to->room)
        to->v[to->n] = *c;
    to->n++;
}

static void add_udp(struct list_of_cases *to, const struct bench_plan *plan, const struct bench_case *base, bool stock)
{
    struct bench_case c = *base;
    for (size_t i = 0; i < plan->n_loss; i++)
        for (size_t k = 0; k < plan->n_reports; k++) {
            c.link.loss = plan->loss[i];
            c.reports = plan->reports[k];
            add(to, &c);
        }
    c.stock = true;
    c.link.loss = plan->loss[0];
    if (stock)
        add(to, &c);
}

size_t bench_plan_cases(const struct bench_plan *plan, const struct bench_method *m, const struct adit_crypto *crypto,
                        struct bench_case *out, size_t room)
{
    struct list_of_cases to = { .v = out, .room = room };
    struct bench_case c = plan->base;
    bool stock = plan->stock && has_slow(crypto, m);
    c.method = m;
    if (plan->udp)
        add_udp(&to, plan, &c, stock);
    c.reports = plan->reports[plan->n_reports - 1];
    c.tcp = true;
    for (int i = 0; plan->tcp && i <= stock; i++) {
        c.stock = i;
        add(&to, &c);
    }
    return to.n;
}
