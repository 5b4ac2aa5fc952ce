/* vici_server.h - the control socket: clients, their requests one after the other, events to those who registered.
 * Knows the protocol's order and limits, not the commands. Belongs to the loop's thread.
 *   - one request at a time for each client, answered in order; more may already lie in its input
 *   - a client whose output queue exceeds VICI_QUEUE_MAX is closed: it does not read
 *   - closing a connection drops its registrations; a running command goes on, its answer is thrown away */
#ifndef DAEMON_VICI_SERVER_H
#define DAEMON_VICI_SERVER_H

#include <uv.h>
#include "vici/vici.h"

#define VICI_QUEUE_MAX (16u << 20) /* octets */
#define VICI_CLIENTS_MAX 64

struct vici_server;
struct vici_call; /* one request under way; ends with vici_call_answer() */

typedef void vici_command_fn(void *arg, struct vici_call *call);
struct vici_command {
    const char *name;
    vici_command_fn *run; /* answers at once, or keeps the call and answers later */
};
struct vici_server_ops {
    void *arg;
    const struct vici_command *commands; /* name NULL ends */
    const char *const *events;           /* that clients may register for; NULL ends */
};

/* NULL: memory is out. ops is copied, its tables are borrowed. */
struct vici_server *vici_server_new(uv_loop_t *loop, const struct vici_server_ops *ops);
/* Listens on a UNIX socket, mode 0660. An old socket file that nobody serves is replaced; ADIT_ERR_EXISTS: a living
 * daemon has it; ADIT_ERR_IO with the reason. */
ADIT_MUST_USE enum adit_rc vici_server_listen(struct vici_server *s, const char *path, struct adit_why *why);
/* Serves a connected stream socket (takes it). */
ADIT_MUST_USE enum adit_rc vici_server_adopt(struct vici_server *s, int fd);
/* Closes everything and removes the socket files. Answer all calls before; then run the loop until idle, then free. */
void vici_server_stop(struct vici_server *s);
void vici_server_free(struct vici_server *s);
unsigned vici_server_clients(const struct vici_server *s);

/* Does anybody listen to this event? Saves building its message. */
bool vici_server_wanted(const struct vici_server *s, const char *event);
/* To every client that registered for it. */
void vici_server_event(struct vici_server *s, const char *event, struct adit_span message);

/* The request's arguments (never NULL), and its name; both live as long as the call. */
const struct vici_node *vici_call_args(const struct vici_call *call);
const char *vici_call_name(const struct vici_call *call);
struct arena *vici_call_arena(struct vici_call *call);
/* list-* and control-log events go to the requester only, if it registered for them. */
bool vici_call_wants(const struct vici_call *call, const char *event);
void vici_call_event(struct vici_call *call, const char *event, struct adit_span message);
/* Answers and ends the call. */
void vici_call_answer(struct vici_call *call, struct adit_span message);
/* success=yes, or success=no with errmsg = the reason. */
void vici_call_ok(struct vici_call *call);
void vici_call_fail(struct vici_call *call, const char *fmt, ...) ADIT_PRINTF(2, 3);

/* A long listing without a long queue: `next` emits a little and is called again when the client has read; it returns
 * false after it has answered the call. free_state is called at the end, also if the client goes away (then `next` is
 * not called any more). */
typedef bool vici_next_fn(void *state, struct vici_call *call);
void vici_call_stream(struct vici_call *call, vici_next_fn *next, void *state,
                      void (*free_state)(void *state));

#endif
