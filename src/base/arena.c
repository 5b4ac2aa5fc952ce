/* arena.c - a chain of blocks, newest first; a request that doesn't fit opens a block of its own size or of
 * BLOCK_FIRST, later BLOCK_SIZE. Nothing is freed before arena_fini(). */
#include "base/arena.h"
#include "base/mem.h"

/* Octets. An exchange's scratch usually fits in one or two after the first; a line of the log fits in the first. */
#define BLOCK_FIRST 512u
#define BLOCK_SIZE 2048u

struct arena_block {
    struct arena_block *older;
    size_t used, cap;
    _Alignas(max_align_t) uint8_t data[];
};

static struct arena_block *open_block(struct arena *a, size_t n)
{
    size_t usual = a->last ? BLOCK_SIZE : BLOCK_FIRST, cap = n > usual ? n : usual;
    struct arena_block *b = mem_new(sizeof(*b) + cap);
    if (!b)
        return NULL;
    b->cap = cap;
    b->older = a->last;
    a->last = b;
    return b;
}

void *arena_new(struct arena *a, size_t n)
{
    const size_t align = _Alignof(max_align_t);
    if (n > SIZE_MAX / 2)
        return NULL;
    n = (n + align - 1) / align * align;
    struct arena_block *b = a->last;
    if (!b || b->cap - b->used < n)
        b = open_block(a, n);
    if (!b)
        return NULL;
    void *p = b->data + b->used;
    b->used += n;
    return p;
}

char *arena_str(struct arena *a, const char *s)
{
    struct adit_span text = span_str(s);
    char *copy = arena_new(a, text.n + 1);
    if (copy)
        span_copy((uint8_t *)copy, text);
    return copy;
}

struct adit_span arena_span(struct arena *a, struct adit_span s)
{
    uint8_t *copy = s.n ? arena_new(a, s.n) : NULL;
    if (!copy)
        return SPAN_NONE;
    span_copy(copy, s);
    return span(copy, s.n);
}

void arena_fini(struct arena *a)
{
    while (a->last) {
        struct arena_block *b = a->last;
        a->last = b->older;
        mem_wipe(b->data, b->used);
        mem_del(b);
    }
}
