/* map.c - open addressing with linear probing. Deleting shifts the followers back, so there are no tombstones
 * and a map that lives for months doesn't slow down. */
#include "base/map.h"
#include "base/mem.h"

#define SMALLEST 16u /* slots */

/* Two rounds of a 64-bit finalizer with the seed in both: without it a peer can't aim at one slot. */
uint64_t map_mix(uint64_t x, uint64_t seed)
{
    for (int round = 0; round < 2; round++) {
        x ^= seed;
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        x ^= x >> 31;
        seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    }
    return x;
}

static size_t home(const struct map *m, uint64_t key)
{
    return (size_t)map_mix(key, m->seed) & (m->cap - 1);
}

/* The slot that holds key, or the free one where it belongs. There is always a free one. */
static struct map_slot *find(const struct map *m, uint64_t key)
{
    size_t i = home(m, key);
    while (m->slots[i].value && m->slots[i].key != key)
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

void map_init(struct map *m, uint64_t seed)
{
    *m = (struct map){ .seed = seed };
}

void map_fini(struct map *m)
{
    mem_del(m->slots);
    *m = (struct map){ 0 };
}

void *map_get(const struct map *m, uint64_t key)
{
    return m->cap ? find(m, key)->value : NULL;
}

static enum adit_rc double_cap(struct map *m)
{
    struct map bigger = { .cap = m->cap ? m->cap * 2 : SMALLEST, .n = m->n, .seed = m->seed };
    bigger.slots = mem_new_array(bigger.cap, sizeof(*bigger.slots));
    if (!bigger.slots)
        return ADIT_ERR_MEMORY;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].value)
            *find(&bigger, m->slots[i].key) = m->slots[i];
    mem_del(m->slots);
    *m = bigger;
    return ADIT_OK;
}

enum adit_rc map_put(struct map *m, uint64_t key, void *value)
{
    struct map_slot *slot = m->cap ? find(m, key) : NULL;
    if (slot && slot->value) {
        slot->value = value;
        return ADIT_OK;
    }
    if (m->n >= m->cap / 4 * 3) {
        if (double_cap(m) != ADIT_OK)
            return ADIT_ERR_MEMORY;
        slot = find(m, key);
    }
    *slot = (struct map_slot){ key, value };
    m->n++;
    return ADIT_OK;
}

/* Moves every later member of the run that would no longer be found over `hole`. */
static void close_hole(struct map *m, size_t hole)
{
    size_t mask = m->cap - 1;
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t from_home = (i - home(m, m->slots[i].key)) & mask;
        if (from_home < ((i - hole) & mask))
            continue; /* its home lies behind the hole */
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map_slot){ 0 };
}

void *map_del(struct map *m, uint64_t key)
{
    struct map_slot *slot = m->cap ? find(m, key) : NULL;
    if (!slot || !slot->value)
        return NULL;
    void *value = slot->value;
    close_hole(m, (size_t)(slot - m->slots));
    m->n--;
    return value;
}

void *map_next(const struct map *m, size_t *it)
{
    while (*it < m->cap) {
        void *value = m->slots[(*it)++].value;
        if (value)
            return value;
    }
    return NULL;
}
