/* segment.c - ready-made datagrams: one block of memory, shared by the exchange that may repeat them, the stored reply
 * and the events that carry them out. */
#include <stdalign.h>
#include "ike/sa.h"

struct ike_wire *wire_new(uint16_t n, size_t octets)
{
    size_t spans = (size_t)n * sizeof(struct adit_span);
    struct ike_wire *w = mem_new(sizeof(*w) + octets + spans + alignof(struct adit_span));
    if (!w)
        return NULL;
    uintptr_t at = (uintptr_t)(w->bytes + octets);
    at = (at + alignof(struct adit_span) - 1) & ~(uintptr_t)(alignof(struct adit_span) - 1);
    w->refs = 1;
    w->n = n;
    w->size = octets;
    w->datagrams = (struct adit_span *)at;
    return w;
}

uint8_t *wire_next(struct ike_wire *w, size_t n)
{
    if (w->made >= w->n || n > w->size - w->used)
        return NULL;
    w->datagrams[w->made].p = w->bytes + w->used;
    return w->bytes + w->used;
}

void wire_close(struct ike_wire *w, size_t n)
{
    w->datagrams[w->made++].n = n;
    w->used += n;
}

struct ike_wire *wire_ref(struct ike_wire *w)
{
    w->refs++;
    return w;
}

void wire_unref(struct ike_wire *w)
{
    if (!w || --w->refs)
        return;
    mem_del(w->flight);
    mem_del(w);
}
