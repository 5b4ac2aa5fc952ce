/* rings.c - single-producer single-consumer rings of records with lengths. */
#include "dp/rings.h"
#include <sys/mman.h>
#include "base/why.h"

struct record {
    uint32_t whole; /* octets up to the next record */
    uint32_t n;     /* payload; SKIP = filler up to the end of the memory */
};
#define SKIP UINT32_MAX
#define HEAD RING_ALIGN

static size_t round_up(size_t n)
{
    return (n + RING_ALIGN - 1) & ~(size_t)(RING_ALIGN - 1);
}

static struct record *record_at(const struct ring *r, uint64_t pos)
{
    return (struct record *)(void *)(r->mem + (pos & (r->size - 1)));
}

enum adit_rc ring_init(struct ring *r, size_t size)
{
    r->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r->mem == MAP_FAILED) {
        r->mem = NULL;
        return ADIT_ERR_MEMORY;
    }
    r->size = size;
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
    r->tail_seen = r->read = 0;
    return ADIT_OK;
}

void ring_fini(struct ring *r)
{
    if (r->mem)
        munmap(r->mem, r->size);
    r->mem = NULL;
}

size_t ring_room(struct ring *r)
{
    r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
    return r->size - (size_t)(atomic_load_explicit(&r->head, memory_order_relaxed) - r->tail_seen);
}

/* Octets that the filler takes if `whole` don't fit before the end of the memory. */
static size_t filler(const struct ring *r, uint64_t head, size_t whole)
{
    size_t left = r->size - (size_t)(head & (r->size - 1));
    return left < whole ? left : 0;
}

uint8_t *ring_reserve(struct ring *r, size_t n, size_t spare)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    size_t whole = round_up(HEAD + n), skip = filler(r, head, whole);
    if (whole > r->size / 2)
        return NULL;
    if (r->size - (size_t)(head - r->tail_seen) < skip + whole + spare && ring_room(r) < skip + whole + spare)
        return NULL;
    if (skip) {
        *record_at(r, head) = (struct record){ (uint32_t)skip, SKIP };
        head += skip;
        atomic_store_explicit(&r->head, head, memory_order_release);
    }
    return (uint8_t *)record_at(r, head) + HEAD;
}

void ring_commit(struct ring *r, size_t n)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    size_t whole = round_up(HEAD + n);
    *record_at(r, head) = (struct record){ (uint32_t)whole, (uint32_t)n };
    atomic_store_explicit(&r->head, head + whole, memory_order_release);
}

uint8_t *ring_peek(struct ring *r, size_t *n)
{
    while (r->read != atomic_load_explicit(&r->head, memory_order_acquire)) {
        const struct record *rec = record_at(r, r->read);
        uint64_t at = r->read;
        r->read += rec->whole;
        if (rec->n == SKIP)
            continue;
        *n = rec->n;
        return (uint8_t *)record_at(r, at) + HEAD;
    }
    return NULL;
}

void ring_release(struct ring *r)
{
    atomic_store_explicit(&r->tail, r->read, memory_order_release);
}

bool ring_empty(const struct ring *r)
{
    return r->read == atomic_load_explicit(&r->head, memory_order_acquire);
}
