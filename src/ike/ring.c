/* ring.c - all that have one key in common: the first of them is in a map, the others hang on it. */
#include "ike/sa.h"

enum adit_rc ring_add(struct map *m, struct ike_ring *r, uint64_t key)
{
    struct ike_ring *first = map_get(m, key);
    list_init(&r->link);
    if (!first)
        TRY(map_put(m, key, r));
    else
        list_append(&first->link, &r->link);
    r->key = key;
    return ADIT_OK;
}

static struct ike_ring *next_in(const struct ike_ring *r)
{
    return list_entry(r->link.next, struct ike_ring, link);
}

void ring_del(struct map *m, struct ike_ring *r)
{
    if (!r->key)
        return;
    bool first = map_get(m, r->key) == r;
    if (first && !list_empty(&r->link))
        (void)!map_put(m, r->key, next_in(r)); /* its place is there */
    else if (first)
        map_del(m, r->key);
    list_remove(&r->link);
    r->key = 0;
}

struct ike_ring *ring_next(const struct map *m, uint64_t key, const struct ike_ring *after)
{
    struct ike_ring *first = map_get(m, key), *next = first && after ? next_in(after) : first;
    return after && next == first ? NULL : next;
}
