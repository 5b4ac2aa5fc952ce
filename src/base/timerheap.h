/* timerheap.h - deadlines in a binary heap. A timer lives in its owner; not armed = `pos` 0. */
#ifndef BASE_TIMERHEAP_H
#define BASE_TIMERHEAP_H

#include "adit/base.h"

struct timer {
    uint64_t at; /* ns */
    size_t pos;  /* 1-based place in the heap; 0 = not armed */
};
struct timerheap {
    struct timer **v; /* v[0] unused */
    size_t n, cap;
};

/* Timers still armed at fini belong to their owners; the heap only forgets them. */
void timerheap_init(struct timerheap *h);
void timerheap_fini(struct timerheap *h);
/* Arms, or moves an armed timer. ADIT_ERR_MEMORY: state unchanged. */
ADIT_MUST_USE enum adit_rc timer_set(struct timerheap *h, struct timer *t, uint64_t at);
void timer_stop(struct timerheap *h, struct timer *t);
/* The earliest deadline; UINT64_MAX = none. */
uint64_t timerheap_deadline(const struct timerheap *h);
/* Takes one timer whose time has come out of the heap; NULL = none is due. */
struct timer *timerheap_pop(struct timerheap *h, uint64_t now);

#endif
