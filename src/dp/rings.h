/* rings.h - records from one thread to one other, without locks: hand-over of packets between workers, notes to the
 * control thread. Maintains: records come out whole, in order, at 64-octet boundaries; a full ring refuses, it never
 * overwrites. One producer, one consumer. */
#ifndef DP_RINGS_H
#define DP_RINGS_H

#include <stdatomic.h>
#include "adit/base.h"

#define RING_ALIGN 64

struct ring {
    uint8_t *mem;
    size_t size; /* power of two */
    /* producer's */
    _Alignas(64) _Atomic uint64_t head;
    uint64_t tail_seen;
    /* consumer's */
    _Alignas(64) _Atomic uint64_t tail;
    uint64_t read; /* records before this were peeked */
};

/* size: octets, a power of two >= 4096; memory is touched only when used. */
ADIT_MUST_USE enum adit_rc ring_init(struct ring *r, size_t size);
void ring_fini(struct ring *r);

/* Producer: room for a record of n octets (n < size / 2), or NULL if the ring is full or would have fewer than `spare`
 * octets left. Visible after ring_commit(). */
uint8_t *ring_reserve(struct ring *r, size_t n, size_t spare);
/* Publishes the record reserved last, cut to n octets. */
void ring_commit(struct ring *r, size_t n);
/* Octets that are free now at least. */
size_t ring_room(struct ring *r);

/* Consumer: the next record, or NULL. It stays valid until ring_release(), which frees all that were peeked. */
uint8_t *ring_peek(struct ring *r, size_t *n);
void ring_release(struct ring *r);
bool ring_empty(const struct ring *r); /* nothing to peek */

#endif
