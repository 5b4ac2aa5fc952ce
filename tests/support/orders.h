/* orders.h - walks a tree of choices: a run follows a list of them, the next run takes the next one. Of two choices at
 * different places that do not know of each other only one order is walked, if that is asked for (sleep sets, Godefroid
 * 1996): every final state is still reached, each by one run for all orders that differ in nothing but such swaps. */
#ifndef TESTS_ORDERS_H
#define TESTS_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#define ORDERS_CHOICES_MAX 200 /* in one run */
#define ORDERS_WAYS_MAX 64     /* at one choice */

/* One way to go on: what happens where. The same one has the same id as long as nothing happens there. */
struct way {
    int place;   /* -1: everywhere */
    bool once;   /* of the ways that are `once`, one is taken in a run */
    uint64_t id; /* unique within place and once */
};

struct orders {
    bool reduced;   /* independent choices in one order only */
    unsigned given; /* choices that are told; after them always the first */
    unsigned n;     /* choices met */
    uint8_t taken[ORDERS_CHOICES_MAX], of[ORDERS_CHOICES_MAX];
    uint64_t asleep[ORDERS_CHOICES_MAX]; /* ways that need not be gone: bit i is way i */
    struct way sleep[ORDERS_WAYS_MAX];
    unsigned n_sleep;
};

/* Before each run. */
void orders_begin(struct orders *o);
/* Which of n ways this run takes; n: all that follows has been seen, the run may end. */
unsigned orders_choose(struct orders *o, const struct way *ways, unsigned n);
/* After a run: sets the next one; false: that was the last. */
bool orders_next(struct orders *o);

#endif
