/* arena.h - memory that lives and dies together: config snapshots, exchanges. Zeroed; { 0 } is empty. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"

struct arena_block;
struct arena {
    struct arena_block *last;
};

/* NULL when memory is out. Aligned for any type. */
ADIT_MUST_USE void *arena_new(struct arena *a, size_t n);
ADIT_MUST_USE char *arena_str(struct arena *a, const char *s);
/* A copy of s in the arena; p = NULL if memory is out or s is empty. */
struct adit_span arena_span(struct arena *a, struct adit_span s);
/* Wipes and frees everything. */
void arena_fini(struct arena *a);

#endif
