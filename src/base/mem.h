/* mem.h - the one door to the heap for sans-IO rooms. Every block is zeroed at birth; tests make it fail. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "adit/base.h"

/* n octets, zeroed; NULL when memory is out. n = 0 gives a valid block. */
ADIT_MUST_USE void *mem_new(size_t n);
/* n elements of `size` octets with overflow check, zeroed. */
ADIT_MUST_USE void *mem_new_array(size_t n, size_t size);
/* Grows or shrinks; the new tail is not zeroed; on failure NULL and the old block lives on. */
ADIT_MUST_USE void *mem_resize(void *p, size_t n);
ADIT_MUST_USE char *mem_strdup(const char *s);
/* mem_del(NULL) is fine. */
void mem_del(void *p);
/* Overwrites so that the compiler can't drop it. */
void mem_wipe(void *p, size_t n);

/* Tests only: blocks that this thread has made minus those that it has freed. */
long mem_blocks(void);
/* Tests and benches: octets in them, the allocator's rounding included, and the most that there have been since mem_peak_reset(). */
size_t mem_octets(void);
size_t mem_peak(void);
void mem_peak_reset(void);
/* Tests only: asked before each allocation of this thread; false makes it fail. NULL removes it. */
typedef bool mem_may_fn(void *arg, size_t n);
void mem_set_gate(mem_may_fn *may, void *arg);
/* For allocators that don't use the heap (secret.c): does the gate let n octets pass? */
bool mem_may(size_t n);

#endif
