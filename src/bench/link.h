/* link.h - the link in memory and what waits at its ends; private to this room. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include "base/list.h"
#include "base/span.h"
#include "bench/bench.h"

enum link_kind { LINK_DATAGRAM, LINK_WORK, LINK_STREAM };
/* What an end has to deal with from `at` on. */
struct link_item {
    struct list link;
    enum link_kind kind;
    uint64_t at;
    struct adit_path path; /* as this end sees it */
    struct adit_job *job;  /* WORK */
    uint32_t ike_id;       /* STREAM: that asked for it */
    size_t n;
    uint8_t data[];
};
struct link_way { /* one direction */
    uint64_t free_at; /* of the bottleneck */
    bool bad;         /* a row of losses is under way */
    uint64_t octets, datagrams, dropped;
};
struct bench_wire {
    const struct bench_link *link;
    uint64_t random;
    struct link_way way[BENCH_ENDS]; /* by sender */
    struct list inbox[BENCH_ENDS];   /* in order of time */
};

void wire_init(struct bench_wire *w, const struct bench_link *link, uint64_t seed);
/* What still lies in the inboxes is forgotten; jobs are the caller's. */
void wire_fini(struct bench_wire *w);
/* A datagram of end `from`, at that time; path as the receiver sees it. false: memory is out. */
bool wire_send(struct bench_wire *w, int from, const struct adit_path *path, struct adit_span data, uint64_t at);
/* Anything else for an end, at a time. */
bool wire_put(struct bench_wire *w, int end, const struct link_item *what, struct adit_span data);
/* The first thing for this end, NULL: none; it stays in the inbox. */
struct link_item *wire_first(const struct bench_wire *w, int end);
void wire_drop(struct link_item *it);
/* The next number of a seeded sequence (SplitMix64): for losses, nonces and SPIs of a bench, never for keys. */
uint64_t wire_random(uint64_t *state);

#endif
