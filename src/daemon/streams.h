/* streams.h - TCP connections with peers (RFC 9329): listeners, connections that the engine asks for, limits for strangers. */
#ifndef DAEMON_STREAMS_H
#define DAEMON_STREAMS_H

#include <uv.h>
#include "adit/model.h"

struct streams;
struct log;

struct streams_settings {
    const char *const *ports; /* as adit.conf has them; a single "none": nobody may connect */
    uint16_t n_ports;
    uint32_t mark; /* SO_MARK, 0 = none */
    struct log *log;
    /* One message; path->tcp. It may lead to calls from below, also for that very connection. */
    void (*ike)(void *arg, const struct adit_path *path, struct adit_span message);
    void (*esp)(void *arg, const struct adit_path *path, struct adit_span packet);
    /* What streams_open() led to; down also later, when it is lost. */
    void (*up)(void *arg, uint32_t ike_id, const struct adit_path *path);
    void (*down)(void *arg, uint32_t ike_id, const struct adit_path *path);
    void *arg;
};
/* A port that cannot be had is logged, and the others work. ADIT_ERR_MEMORY. */
ADIT_MUST_USE enum adit_rc streams_new(uv_loop_t *loop, const struct streams_settings *set, struct streams **out,
                                       struct adit_why *why);
/* Connects; up() or down() follow from the loop, never from in here. */
void streams_open(struct streams *s, uint32_t ike_id, const struct adit_path *to);
/* An authentic peer is on it: no stranger any more. */
void streams_used(struct streams *s, const struct adit_path *path);
/* Nobody needs it any more: ours ends when all is written, the peer's a few seconds later unless it does so itself. */
void streams_close(struct streams *s, const struct adit_path *path);
/* Frames of IKE messages. 0, or -errno: -ENOTCONN: there is no such connection. */
int streams_send(struct streams *s, const struct adit_path *path, const struct adit_span *messages, size_t n);
/* One ESP packet; false: dropped, for want of room or of a connection. It leaves with streams_flush() at the latest. */
bool streams_send_esp(struct streams *s, const struct adit_path *path, struct adit_span packet);
void streams_flush(struct streams *s);
unsigned streams_count(const struct streams *s); /* connections, being opened or open */
/* The loop must run once more before streams_free(). */
void streams_stop(struct streams *s);
void streams_free(struct streams *s);

#endif
