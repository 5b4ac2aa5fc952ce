/* simstream.h - TCP connections of the simulation: in order and without loss, until one breaks; a connection through an
 * address translator looks different at its two ends. */
#ifndef TESTS_SIMSTREAM_H
#define TESTS_SIMSTREAM_H

#include "support/simnet.h"

struct sim;
#define SIM_STREAMS 32

struct simstream {
    bool used, alive;
    int client, server;
    uint32_t ike_id;         /* the client's, that asked for it */
    struct adit_path end[2]; /* as the client sees it, as the server does */
    uint64_t last[2];        /* arrival of the last message from client, from server */
    uint64_t news_at;        /* when the client's engine is told; UINT64_MAX: nothing to tell */
    bool news_up;
};
struct simstreams {
    unsigned opened; /* so far */
    struct simstream v[SIM_STREAMS];
};

/* ADIT_EV_STREAM_OPEN, _CLOSE of a host. */
void simstream_open(struct sim *s, int host, uint32_t ike_id, const struct adit_path *to);
void simstream_close(struct sim *s, int host, const struct adit_path *path);
/* Is it there, as this host sees it? */
bool simstream_alive(const struct sim *s, int host, const struct adit_path *path);
enum sim_fate simstream_send(struct sim *s, int host, enum sim_kind kind, const struct adit_path *path,
                             struct adit_span data);
unsigned simstream_count(const struct sim *s); /* alive now */
/* All of them break now; what is under way is lost. */
void simstream_reset(struct sim *s);
uint64_t simstream_next(const struct sim *s);
void simstream_tick(struct sim *s);

#endif
