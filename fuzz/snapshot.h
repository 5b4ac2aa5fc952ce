/* snapshot.h - heaps that go back to an earlier state at the cost of a copy: what fuzz_ike_world.h keeps its engines in.
 * snapshot.c is linked in the place of base/mem.c and base/secret.c. */
#ifndef FUZZ_SNAPSHOT_H
#define FUZZ_SNAPSHOT_H

#define HEAPS 4
#define HEAP_LIBC (-1)

/* Blocks come from this heap from now on; HEAP_LIBC: from the C library, as they do at the start. */
void heap_use(int heap);
/* What the heap in use is now is what heap_back() makes it again; once for each heap. Blocks of 32 KiB and more come back
 * without what was in them. */
void heap_save(void);
void heap_back(void);

#endif
