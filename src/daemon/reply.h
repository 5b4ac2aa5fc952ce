/* reply.h - building a VICI message and sending it off, in three calls. */
#ifndef DAEMON_REPLY_H
#define DAEMON_REPLY_H

#include "daemon/vici_server.h"

struct reply {
    struct adit_buf buf;
    struct vici_build b;
};

static inline void reply_begin(struct reply *r)
{
    r->buf = (struct adit_buf){ 0 };
    vici_build_init(&r->b, &r->buf);
}
/* Answers the call; what was built is freed. A message that became too large is a failure in words. */
static inline void reply_answer(struct reply *r, struct vici_call *call)
{
    if (vici_build_finish(&r->b) == ADIT_OK)
        vici_call_answer(call, buf_span(&r->buf));
    else
        vici_call_fail(call, "the answer does not fit into one message");
    buf_fini(&r->buf);
}
static inline void reply_event(struct reply *r, struct vici_call *call, const char *event)
{
    if (vici_build_finish(&r->b) == ADIT_OK)
        vici_call_event(call, event, buf_span(&r->buf));
    buf_fini(&r->buf);
}
static inline void reply_broadcast(struct reply *r, struct vici_server *s, const char *event)
{
    if (vici_build_finish(&r->b) == ADIT_OK)
        vici_server_event(s, event, buf_span(&r->buf));
    buf_fini(&r->buf);
}

#endif
