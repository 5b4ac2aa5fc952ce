/* end.h - one end of a bench: its engine, its configuration, what it costs; private to this room. */
#ifndef BENCH_END_H
#define BENCH_END_H

#include "bench/link.h"

struct bench_end {
    struct adit_ike *ike;
    struct adit_path path;
    bench_cpu_fn *clock;
    uint64_t random;       /* of nonces and SPIs */
    uint64_t busy, worker; /* until when its two threads are */
    uint64_t cpu;          /* ns so far */
    size_t octets, peak;   /* of memory: what it has, and has had */
    struct adit_job *idle[16]; /* jobs that nobody waits for, kept for later */
    unsigned n_idle;
    uint32_t ike_id; /* of its newest IKE SA */
    /* of the call that is under way */
    uint64_t entered_cpu;
    size_t entered_octets, entered_secrets;
};

/* Makes the engine of end `me` with a configuration for this case. */
ADIT_MUST_USE enum adit_rc end_open(struct bench_end *e, int me, const struct bench_case *c, struct adit_crypto *crypto,
                                    struct adit_why *why);
void end_close(struct bench_end *e);
/* Around whatever the engine does: its time and its memory are counted. leave: ns that it took. */
void end_enter(struct bench_end *e);
uint64_t end_leave(struct bench_end *e);

#endif
