/* link.c - see link.h. Datagrams wait for the bottleneck, are lost by chance or in rows, and arrive half a round trip later. */
#include "bench/link.h"
#include "base/mem.h"

#define UDP_HEADERS 28 /* IPv4 and UDP */
#define NAT_T_PORT 4500
#define MARKER 4       /* non-ESP marker, RFC 3948 s2.2 */
#define TCP_HEADERS 40 /* IPv4 and TCP */
#define TCP_MSS 1460u
#define FRAME 6 /* Length and non-ESP marker, RFC 9329 s3 */

uint64_t wire_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static bool chance(uint64_t *state, double p)
{
    return (double)(wire_random(state) >> 11) * 0x1p-53 < p;
}

/* Rows: two states, good and bad (Gilbert's model); the share of bad ones is the loss. */
static bool is_lost(struct bench_wire *w, struct link_way *way)
{
    const struct bench_link *l = w->link;
    if (l->burst < 2)
        return chance(&w->random, l->loss);
    way->bad = way->bad ? !chance(&w->random, 1.0 / l->burst) : chance(&w->random, l->loss / (l->burst * (1 - l->loss)));
    return way->bad;
}

static size_t on_the_wire(const struct adit_path *path, size_t n)
{
    if (path->tcp)
        return n + FRAME + TCP_HEADERS * ((n + FRAME + TCP_MSS - 1) / TCP_MSS);
    return n + UDP_HEADERS + (path->local.port == NAT_T_PORT ? MARKER : 0);
}

static uint64_t transfer(const struct bench_link *l, size_t octets)
{
    return l->mbit > 0 ? (uint64_t)((double)octets * 8000 / l->mbit) : 0;
}

bool wire_put(struct bench_wire *w, int end, const struct link_item *what, struct adit_span data)
{
    struct link_item *it = mem_new(sizeof(*it) + data.n);
    if (!it)
        return false;
    *it = *what;
    it->n = data.n;
    span_copy(it->data, data);
    struct list *after = w->inbox[end].prev;
    while (after != &w->inbox[end] && list_entry(after, struct link_item, link)->at > it->at)
        after = after->prev;
    list_append(after->next, &it->link); /* before what comes later */
    return true;
}

bool wire_send(struct bench_wire *w, int from, const struct adit_path *path, struct adit_span data, uint64_t at)
{
    struct link_way *way = &w->way[from];
    size_t octets = on_the_wire(path, data.n);
    uint64_t begins = way->free_at > at ? way->free_at : at;
    way->datagrams++;
    way->octets += octets;
    if (!path->tcp && w->link->queue_octets && begins - at > transfer(w->link, w->link->queue_octets)) {
        way->dropped++;
        return true;
    }
    way->free_at = begins + transfer(w->link, octets);
    if (!path->tcp && is_lost(w, way)) {
        way->dropped++;
        return true;
    }
    return wire_put(w, !from, &(struct link_item){ .kind = LINK_DATAGRAM, .at = way->free_at + w->link->rtt_ns / 2, .path = *path },
                    data);
}

struct link_item *wire_first(const struct bench_wire *w, int end)
{
    return list_empty(&w->inbox[end]) ? NULL : list_entry(w->inbox[end].next, struct link_item, link);
}

void wire_drop(struct link_item *it)
{
    list_remove(&it->link);
    mem_del(it);
}

void wire_init(struct bench_wire *w, const struct bench_link *link, uint64_t seed)
{
    *w = (struct bench_wire){ .link = link, .random = seed };
    for (int i = 0; i < BENCH_ENDS; i++)
        list_init(&w->inbox[i]);
}

void wire_fini(struct bench_wire *w)
{
    for (int i = 0; i < BENCH_ENDS; i++)
        while (wire_first(w, i))
            wire_drop(wire_first(w, i));
}
