/* snapshot.c - the heap of sans-IO rooms (base/mem.h, base/secret.h) for fuzz targets that begin each execution in the
 * same state: blocks lie one behind the other in a region of static memory, and nothing is used twice until heap_back()
 * copies the saved region back. AddressSanitizer sees what it always sees: the room between blocks is poisoned, a block
 * that is freed is, too, and secrets are blocks like others. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/secret.h"
#include "snapshot.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#endif
#ifdef WATCHED
#include <sanitizer/asan_interface.h>
#define UNWATCHED __attribute__((no_sanitize("address")))
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define UNWATCHED
#endif

#define HEAP_SIZE ((size_t)16 << 20)
#define HEAP_SAVED_MAX ((size_t)1 << 20)
#define LARGE ((size_t)32768) /* from the other end of the region, never copied */
#define LARGE_MAX 8           /* of them when the state is saved */
#define ALIGN ((size_t)16)
#define AROUND ((size_t)32) /* octets between blocks; the length of the next one lies there */

struct heap {
    _Alignas(64) uint8_t mem[HEAP_SIZE];
    uint8_t saved[HEAP_SAVED_MAX], saved_shadow[HEAP_SAVED_MAX / 8];
    size_t top, bottom; /* what is between them is free */
    size_t saved_top, saved_bottom;
    long blocks, saved_blocks;
    bool opened, large_touched;
    uint8_t *large[LARGE_MAX];
    unsigned n_large;
};
static struct heap heaps[HEAPS], *in_use;
static long libc_blocks;
static mem_may_fn *gate;
static void *gate_arg;

/* --- one block -------------------------------------------------------------------------------------------------------- */

static void need(bool ok)
{
    if (!ok)
        abort();
}

UNWATCHED static size_t *length_of(uint8_t *block)
{
    return (size_t *)(void *)(block - sizeof(size_t));
}

UNWATCHED static size_t get_length(uint8_t *block)
{
    return *length_of(block);
}

UNWATCHED static void set_length(uint8_t *block, size_t n)
{
    *length_of(block) = n;
}

static struct heap *owner(const void *p)
{
    for (int i = 0; i < HEAPS; i++)
        if ((uintptr_t)p - (uintptr_t)heaps[i].mem < HEAP_SIZE)
            return &heaps[i];
    return NULL;
}

static uint8_t *place(struct heap *h, size_t n)
{
    size_t room = AROUND + (n + ALIGN - 1) / ALIGN * ALIGN;
    need(n < HEAP_SIZE && h->bottom - h->top > room + AROUND);
    if (n < LARGE) {
        h->top += room;
        return h->mem + h->top - room + AROUND;
    }
    h->bottom -= room;
    h->large_touched = true;
    return h->mem + h->bottom + AROUND;
}

static void *block_new(struct heap *h, size_t n)
{
    uint8_t *p = place(h, n);
    set_length(p, n);
    ASAN_UNPOISON_MEMORY_REGION(p, n);
    memset(p, 0, n);
    h->blocks++;
    return p;
}

static void block_del(struct heap *h, uint8_t *p)
{
    size_t n = get_length(p);
    memset(p, 0xdd, 1); /* twice is once too often, and the sanitizer says so */
    ASAN_POISON_MEMORY_REGION(p, n);
    h->large_touched |= n >= LARGE;
    h->blocks--;
}

/* --- mem.h --------------------------------------------------------------------------------------------------------------- */

size_t mem_octets(void)
{
    return 0; /* nobody asks here */
}

size_t mem_peak(void)
{
    return 0;
}

void mem_peak_reset(void)
{
}

long mem_blocks(void)
{
    return in_use ? in_use->blocks : libc_blocks;
}

bool mem_may(size_t n)
{
    return !gate || gate(gate_arg, n);
}

void mem_set_gate(mem_may_fn *fn, void *arg)
{
    gate = fn;
    gate_arg = arg;
}

void *mem_new(size_t n)
{
    if (!mem_may(n))
        return NULL;
    if (in_use)
        return block_new(in_use, n ? n : 1);
    libc_blocks++;
    return calloc(1, n ? n : 1);
}

void *mem_new_array(size_t n, size_t size)
{
    return size && n > SIZE_MAX / size ? NULL : mem_new(n * size);
}

void *mem_resize(void *p, size_t n)
{
    struct heap *h = owner(p);
    if (p && !h)
        return mem_may(n) ? realloc(p, n ? n : 1) : NULL;
    void *q = mem_new(n);
    if (!q || !p)
        return q;
    size_t old = get_length(p);
    memcpy(q, p, old < n ? old : n);
    block_del(h, p);
    return q;
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = mem_new(n);
    if (copy)
        memcpy(copy, s, n);
    return copy;
}

void mem_del(void *p)
{
    struct heap *h = owner(p);
    if (p && h)
        block_del(h, p);
    else if (p)
        libc_blocks--;
    if (!h)
        free(p);
}

void mem_wipe(void *p, size_t n)
{
    if (!n)
        return;
    memset(p, 0, n);
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

/* --- secret.h ------------------------------------------------------------------------------------------------------------ */

enum adit_rc secret_alloc(struct adit_secret *s, size_t n)
{
    if (n > SECRET_MAX)
        return ADIT_ERR_LIMIT;
    uint8_t *p = n ? mem_new(n) : NULL;
    if (n && !p)
        return ADIT_ERR_MEMORY;
    secret_fini(s);
    *s = (struct adit_secret){ p, n };
    return ADIT_OK;
}

enum adit_rc secret_set(struct adit_secret *s, struct adit_span bytes)
{
    struct adit_secret fresh = { 0 };
    enum adit_rc rc = secret_alloc(&fresh, bytes.n);
    if (rc != ADIT_OK)
        return rc;
    span_copy(fresh.p, bytes);
    secret_move(s, &fresh);
    return ADIT_OK;
}

void secret_trim(struct adit_secret *s, size_t n)
{
    if (n < s->n)
        s->n = n;
    if (!n)
        secret_fini(s);
}

void secret_fini(struct adit_secret *s)
{
    mem_del(s->p);
    *s = (struct adit_secret){ 0 };
}

void secret_move(struct adit_secret *to, struct adit_secret *from)
{
    if (to == from)
        return;
    secret_fini(to);
    *to = *from;
    *from = (struct adit_secret){ 0 };
}

bool secret_equal(struct adit_span a, struct adit_span b)
{
    return span_equal(a, b);
}

void secret_usage(size_t *usage, size_t *locked)
{
    *usage = *locked = 0;
}

/* --- going back ---------------------------------------------------------------------------------------------------------- */

/* What AddressSanitizer knows of `of`, 8 octets each: copied to or from `copy`. Its own memcpy would look at the shadow of
 * the shadow. */
UNWATCHED static void copy_shadow(const uint8_t *of, size_t n, uint8_t *copy, bool save)
{
#ifdef WATCHED
    size_t scale, offset;
    __asan_get_shadow_mapping(&scale, &offset);
    volatile uint64_t *shadow = (volatile uint64_t *)(((uintptr_t)of >> scale) + offset);
    volatile uint64_t *kept = (volatile uint64_t *)(void *)copy;
    for (size_t i = 0; i < (n / 8 + 7) / 8; i++)
        if (save)
            kept[i] = shadow[i];
        else
            shadow[i] = kept[i];
#endif
}

void heap_use(int heap)
{
    in_use = heap == HEAP_LIBC ? NULL : &heaps[heap];
    if (!in_use || in_use->opened)
        return;
    in_use->opened = true;
    in_use->bottom = HEAP_SIZE - AROUND;
    ASAN_POISON_MEMORY_REGION(in_use->mem, HEAP_SIZE);
}

void heap_save(void)
{
    struct heap *h = in_use;
    need(h->top + 64 < HEAP_SAVED_MAX);
    h->top = (h->top + 63) & ~(size_t)63; /* the shadow is copied 8 octets at a time */
    h->saved_top = h->top;
    h->saved_bottom = h->bottom;
    h->saved_blocks = h->blocks;
    copy_shadow(h->mem, h->top, h->saved_shadow, true);
    ASAN_UNPOISON_MEMORY_REGION(h->mem, h->top);
    memcpy(h->saved, h->mem, h->top);
    copy_shadow(h->mem, h->top, h->saved_shadow, false);
    for (size_t at = h->bottom; at < HEAP_SIZE - AROUND && h->n_large < LARGE_MAX; h->n_large++) {
        h->large[h->n_large] = h->mem + at + AROUND;
        at += AROUND + (get_length(h->large[h->n_large]) + ALIGN - 1) / ALIGN * ALIGN;
    }
    h->large_touched = false;
}

static void large_back(struct heap *h)
{
    h->large_touched = false;
    ASAN_POISON_MEMORY_REGION(h->mem + h->bottom, HEAP_SIZE - h->bottom);
    h->bottom = h->saved_bottom;
    for (unsigned i = 0; i < h->n_large; i++)
        ASAN_UNPOISON_MEMORY_REGION(h->large[i], get_length(h->large[i]));
}

void heap_back(void)
{
    struct heap *h = in_use;
    ASAN_POISON_MEMORY_REGION(h->mem + h->saved_top, h->top - h->saved_top);
    ASAN_UNPOISON_MEMORY_REGION(h->mem, h->saved_top);
    memcpy(h->mem, h->saved, h->saved_top);
    copy_shadow(h->mem, h->saved_top, h->saved_shadow, false);
    if (h->large_touched)
        large_back(h);
    h->top = h->saved_top;
    h->blocks = h->saved_blocks;
}
