/* orders.c - a tree of choices, walked depth first by running anew for each leaf. */
#include "support/orders.h"
#include <stdlib.h>

static bool same(const struct way *a, const struct way *b)
{
    return a->place == b->place && a->once == b->once && a->id == b->id;
}

static bool independent(const struct way *a, const struct way *b)
{
    return a->place >= 0 && b->place >= 0 && a->place != b->place && !(a->once && b->once);
}

static bool sleeps(const struct orders *o, const struct way *w)
{
    for (unsigned i = 0; i < o->n_sleep; i++)
        if (same(&o->sleep[i], w))
            return true;
    return false;
}

static uint64_t asleep_of(const struct orders *o, const struct way *ways, unsigned n)
{
    uint64_t asleep = 0;
    for (unsigned i = 0; o->reduced && i < n; i++)
        asleep |= (uint64_t)sleeps(o, &ways[i]) << i;
    return asleep;
}

/* What has been walked before this way, and does not depend on it, need not be walked after it. */
static void put_to_sleep(struct orders *o, const struct way *ways, unsigned taken)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < o->n_sleep; i++)
        if (independent(&o->sleep[i], &ways[taken]))
            o->sleep[kept++] = o->sleep[i];
    o->n_sleep = kept;
    for (unsigned i = 0; i < taken; i++)
        if (independent(&ways[i], &ways[taken]) && !sleeps(o, &ways[i]) && o->n_sleep < ORDERS_WAYS_MAX)
            o->sleep[o->n_sleep++] = ways[i];
}

static unsigned first_awake(uint64_t asleep, unsigned from, unsigned n)
{
    while (from < n && asleep >> from & 1)
        from++;
    return from;
}

void orders_begin(struct orders *o)
{
    o->n = o->n_sleep = 0;
}

unsigned orders_choose(struct orders *o, const struct way *ways, unsigned n)
{
    if (n > ORDERS_WAYS_MAX || o->n == ORDERS_CHOICES_MAX)
        abort();
    uint64_t asleep = asleep_of(o, ways, n);
    unsigned i = o->n, taken = i < o->given ? o->taken[i] : first_awake(asleep, 0, n);
    if (taken >= n)
        return n;
    o->n++;
    o->taken[i] = (uint8_t)taken;
    o->of[i] = (uint8_t)n;
    o->asleep[i] = asleep;
    if (o->reduced)
        put_to_sleep(o, ways, taken);
    return taken;
}

bool orders_next(struct orders *o)
{
    for (unsigned i = o->n; i > 0; i--) {
        unsigned next = first_awake(o->asleep[i - 1], o->taken[i - 1] + 1u, o->of[i - 1]);
        if (next >= o->of[i - 1])
            continue;
        o->taken[i - 1] = (uint8_t)next;
        o->given = i;
        return true;
    }
    return false;
}
