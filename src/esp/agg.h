/* agg.h - inner packets as a stream that is cut into payloads at will, and back (AGGFRAG, RFC 9347 s2.2 and s6.1).
 *
 *     | Sub-Type | Reserved | BlockOffset (2) |                       congestion control off: 4 octets
 *     | ... loss event rate, round trip time, timestamps (20) |       sub-type 1: 24 octets, read over
 *     | rest of the packet before | packet | packet | start of a packet, or padding |
 *
 * Private to this room; both halves belong to one SA and its thread. */
#ifndef ESP_AGG_H
#define ESP_AGG_H

#include "esp/esp.h"

#define AGG_HDR_SIZE 4
#define AGG_CC_HDR_SIZE 24
#define AGG_INNER_MAX 65535 /* what BlockOffset can tell the rest of */
#define AGG_WINDOW_MAX 64

/* --- agg_in.c: payloads to packets ------------------------------------------------------------------------------ */

/* A payload that came too early. */
struct agg_held {
    uint64_t seq, came_at;
    uint8_t *p; /* NULL: empty */
    uint32_t n;
};
struct agg_in {
    uint64_t next;   /* sequence number that goes on with the stream */
    uint8_t *part;   /* start of the packet under way */
    uint32_t have, need, cap; /* octets of it; need 0: not even its length has come whole */
    uint64_t part_at;         /* when its last piece came */
    uint32_t window, n_held;
    uint64_t drop_ns;
    bool whole; /* fragments are not taken */
    struct agg_held held[AGG_WINDOW_MAX]; /* at seq % window */
    uint64_t lost, pads; /* packets given up; payloads that held nothing */
};
struct agg_sink {
    void (*packet)(void *arg, uint8_t *packet, uint32_t n); /* whole by its own length; borrowed, may be changed */
    void *arg;
};
/* window: payloads that one may come late by, at most AGG_WINDOW_MAX; drop_ns: how long a missing one is waited for. */
void agg_in_init(struct agg_in *in, uint32_t window, uint64_t drop_ns, bool whole);
void agg_in_fini(struct agg_in *in);
/* One authentic payload that was not seen before. */
void agg_in_put(struct agg_in *in, uint64_t seq, uint8_t *p, uint32_t n, uint64_t now, const struct agg_sink *to);
/* Gives up what has been waited for too long. */
void agg_in_expire(struct agg_in *in, uint64_t now, const struct agg_sink *to);
/* When that is to be called next; UINT64_MAX: nothing waits. */
uint64_t agg_in_due(const struct agg_in *in);

/* --- agg_out.c: packets to payloads ------------------------------------------------------------------------------ */

struct agg_out {
    uint8_t *ring;
    uint32_t cap, at, n, max; /* octets; cap is a power of two */
    uint32_t left;            /* of the packet in front, which is on its way already; 0: it is not */
    uint64_t since;           /* when what waits longest came, or later */
    bool whole;               /* the peer takes no fragments */
};
void agg_out_init(struct agg_out *out, uint32_t max, bool whole);
void agg_out_fini(struct agg_out *out);
/* Takes a copy of a packet that is as long as its header says. False: the queue is full, or there is no memory. */
bool agg_out_put(struct agg_out *out, const uint8_t *packet, uint32_t n, uint64_t now);
/* Writes the next payload of at most `room` octets (> AGG_HDR_SIZE + 6), with `pad` of exactly so many. Returns its length;
 * *inner: octets of packets in it. */
uint32_t agg_out_fill(struct agg_out *out, uint8_t *p, uint32_t room, bool pad, uint32_t *inner);

/* Octets of the inner packet that begins at p; 0: n octets don't tell; UINT32_MAX: it lies. */
uint32_t agg_inner_size(const uint8_t *p, uint32_t n);
/* Enough octets to tell the length of any packet: senders don't cut before. */
#define AGG_SIZE_KNOWN 6

#endif
