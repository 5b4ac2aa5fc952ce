/* streamio.h - the octets of one TCP connection of IKE and ESP (RFC 9329): frames out of what was read, and what waits to be
 * written. IKE goes before ESP, but not into the middle of it; ESP that finds no room is dropped, as a router would. */
#ifndef DAEMON_STREAMIO_H
#define DAEMON_STREAMIO_H

#include "adit/model.h"
#include "wire/tcpframe.h"

#define STREAMIO_IKE_MAX (4u << 20)   /* octets of IKE that may wait: some of the longest messages */
#define STREAMIO_ESP_MAX (256u << 10) /* and of ESP */

struct stream_queue {
    uint8_t *p;
    size_t at, n, cap;
};
struct streamio {
    int fd;
    bool prefixed;   /* what arrives is frames: the prefix is behind us, or is ours to send */
    uint8_t *in;
    size_t in_n, in_cap;
    struct stream_queue ike, esp;
    size_t esp_left; /* octets of the first ESP frame that is half written */
    uint64_t frames, runts, dropped;
};
/* Whole frames, as they come; IKE and ESP only. False: stop, the connection is gone. */
typedef bool streamio_frame_fn(void *arg, enum tcpframe_kind kind, struct adit_span body);

/* originator: the prefix is the first that is written; otherwise the first that has to come. */
ADIT_MUST_USE enum adit_rc streamio_init(struct streamio *s, int fd, bool originator);
void streamio_fini(struct streamio *s); /* closes it */
/* Reads until there is no more, or 1 MiB. False: the connection has come to its end, *why in words. */
bool streamio_read(struct streamio *s, streamio_frame_fn *fn, void *arg, const char **why);
/* False: there is no room for it. Nothing is written yet. */
bool streamio_put(struct streamio *s, bool ike, struct adit_span message);
/* Writes what the kernel takes. False: the connection has come to its end. */
bool streamio_flush(struct streamio *s, const char **why);
bool streamio_waits(const struct streamio *s); /* is there still something to write? */

#endif
