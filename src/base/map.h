/* map.h - open-addressing hash from a 64-bit key to a pointer. The caller hands in a random seed, since keys
 * may be chosen by a peer. { 0 } plus map_init() is empty. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "adit/base.h"

struct map_slot {
    uint64_t key;
    void *value; /* NULL = free */
};
struct map {
    struct map_slot *slots;
    size_t n, cap; /* cap is a power of two or 0 */
    uint64_t seed;
};

/* init: empty, no allocation; fini frees the slots, not the values. get: NULL if the key is not there. */
void map_init(struct map *m, uint64_t seed);
void map_fini(struct map *m);
void *map_get(const struct map *m, uint64_t key);
/* value != NULL; replaces an old one. ADIT_ERR_MEMORY: unchanged. */
ADIT_MUST_USE enum adit_rc map_put(struct map *m, uint64_t key, void *value);
/* Returns what was there, or NULL. */
void *map_del(struct map *m, uint64_t key);
/* Walks all values: start with *it = 0; NULL at the end. The map may not change meanwhile. */
void *map_next(const struct map *m, size_t *it);
/* 64-bit mixer for other keys. */
uint64_t map_mix(uint64_t x, uint64_t seed);

#endif
