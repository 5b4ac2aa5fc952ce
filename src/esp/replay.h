/* replay.h - anti-replay window of one inbound SA (RFC 4303 s3.4.3).
 * Maintains: every number <= top - size is rejected; each number is accepted at most once. 64-bit numbers always, so
 * that no compare wraps. A ring of exactly `ring` bits (power of two >= size) instead of RFC 6479's spare block: a slide
 * clears bit by bit what it passes, so that 4096 numbers need 512 octets.
 * Not thread-safe: one window belongs to one thread. */
#ifndef ESP_REPLAY_H
#define ESP_REPLAY_H

#include "adit/base.h"

#define REPLAY_SIZE_MAX 65536

struct replay {
    uint64_t top; /* highest authentic number; 0 = none yet */
    uint32_t
        size; /* numbers that are remembered; 0 = off: everything is accepted, top is kept all the same */
    uint32_t ring;  /* bits */
    uint64_t *bits; /* number s lives at bit s & (ring - 1) */
};

/* size is cut to REPLAY_SIZE_MAX. ADIT_ERR_MEMORY. */
ADIT_MUST_USE enum adit_rc replay_init(struct replay *w, uint32_t size);
void replay_fini(struct replay *w);
/* Would seq be accepted? Changes nothing: for use before the ICV is known to be good. */
bool replay_check(const struct replay *w, uint64_t seq);
/* Checks again and remembers seq; false = rejected. Only after authentication. */
bool replay_update(struct replay *w, uint64_t seq);

#endif
