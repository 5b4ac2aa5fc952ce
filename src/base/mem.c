/* mem.c - heap blocks, zeroed, with a gate through which tests inject failures (per thread, so that a test
 * of the engine does not starve a library's worker). */
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

static _Thread_local mem_may_fn *gate;
static _Thread_local void *gate_arg;
static _Thread_local long blocks;

long mem_blocks(void)
{
    return blocks;
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
    void *p = mem_may(n) ? calloc(1, n ? n : 1) : NULL;
    blocks += p != NULL;
    return p;
}

void *mem_new_array(size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        return NULL;
    return mem_new(n * size);
}

void *mem_resize(void *p, size_t n)
{
    void *q = mem_may(n) ? realloc(p, n ? n : 1) : NULL;
    blocks += q && !p;
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
    blocks -= p != NULL;
    free(p);
}

void mem_wipe(void *p, size_t n)
{
    if (!n)
        return;
    memset(p, 0, n);
    __asm__ __volatile__("" : : "r"(p) : "memory");
}
