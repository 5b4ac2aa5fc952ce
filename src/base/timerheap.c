/* timerheap.c - binary min-heap by deadline. Every timer knows its place, so moving and stopping need no
 * search. Parent of i is i/2. */
#include "base/timerheap.h"
#include "base/mem.h"

#define SMALLEST 16u /* places */

static void place(struct timerheap *h, size_t pos, struct timer *t)
{
    h->v[pos] = t;
    t->pos = pos;
}

static void sift_up(struct timerheap *h, struct timer *t)
{
    size_t pos = t->pos;
    for (; pos > 1 && h->v[pos / 2]->at > t->at; pos /= 2)
        place(h, pos, h->v[pos / 2]);
    place(h, pos, t);
}

static void sift_down(struct timerheap *h, struct timer *t)
{
    size_t pos = t->pos;
    for (size_t kid = pos * 2; kid <= h->n; kid = pos * 2) {
        if (kid < h->n && h->v[kid + 1]->at < h->v[kid]->at)
            kid++;
        if (h->v[kid]->at >= t->at)
            break;
        place(h, pos, h->v[kid]);
        pos = kid;
    }
    place(h, pos, t);
}

static enum adit_rc make_room(struct timerheap *h)
{
    if (h->n + 1 < h->cap)
        return ADIT_OK;
    size_t cap = h->cap ? h->cap * 2 : SMALLEST;
    struct timer **v = mem_resize(h->v, cap * sizeof(*v));
    if (!v)
        return ADIT_ERR_MEMORY;
    h->v = v;
    h->cap = cap;
    return ADIT_OK;
}

void timerheap_init(struct timerheap *h)
{
    *h = (struct timerheap){ 0 };
}

void timerheap_fini(struct timerheap *h)
{
    for (size_t i = 1; i <= h->n; i++)
        h->v[i]->pos = 0;
    mem_del(h->v);
    timerheap_init(h);
}

enum adit_rc timer_set(struct timerheap *h, struct timer *t, uint64_t at)
{
    if (!t->pos) {
        if (make_room(h) != ADIT_OK)
            return ADIT_ERR_MEMORY;
        place(h, ++h->n, t);
    }
    t->at = at;
    sift_up(h, t);
    sift_down(h, t);
    return ADIT_OK;
}

void timer_stop(struct timerheap *h, struct timer *t)
{
    if (!t->pos)
        return;
    struct timer *last = h->v[h->n--];
    if (last != t) {
        place(h, t->pos, last);
        sift_up(h, last);
        sift_down(h, last);
    }
    t->pos = 0;
}

uint64_t timerheap_deadline(const struct timerheap *h)
{
    return h->n ? h->v[1]->at : UINT64_MAX;
}

struct timer *timerheap_pop(struct timerheap *h, uint64_t now)
{
    if (timerheap_deadline(h) > now || !h->n)
        return NULL;
    struct timer *t = h->v[1];
    timer_stop(h, t);
    return t;
}
