/* mem.c - heap blocks, zeroed, with a gate through which tests inject failures (per thread, so that a test
 * of the engine does not starve a library's worker). */
#include "base/mem.h"
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local mem_may_fn *gate;
static _Thread_local void *gate_arg;
static _Thread_local long blocks;
static _Thread_local size_t octets, peak;

static void *counted(void *p)
{
    octets += malloc_usable_size(p);
    peak = octets > peak ? octets : peak;
    return p;
}

size_t mem_octets(void)
{
    return octets;
}

size_t mem_peak(void)
{
    return peak;
}

void mem_peak_reset(void)
{
    peak = octets;
}

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
    return counted(p);
}

void *mem_new_array(size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        return NULL;
    return mem_new(n * size);
}

void *mem_resize(void *p, size_t n)
{
    size_t before = malloc_usable_size(p);
    void *q = mem_may(n) ? realloc(p, n ? n : 1) : NULL;
    blocks += q && !p;
    octets -= q ? before : 0;
    return counted(q);
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
    octets -= malloc_usable_size(p);
    free(p);
}

void mem_wipe(void *p, size_t n)
{
    if (!n)
        return;
    memset(p, 0, n);
    __asm__ __volatile__("" : : "r"(p) : "memory");
}
