/* updown.h - runs a child's updown command when it comes up and goes down, with the environment that strongSwan's
 * scripts know (PLUTO_*): once for each pair of local and remote selectors. Commands run one after the other, in the
 * order of events, beside the loop. */
#ifndef DAEMON_UPDOWN_H
#define DAEMON_UPDOWN_H

#include <uv.h>
#include "adit/ike.h"
#include "daemon/log.h"

struct updown;
/* Borrowed for the call. */
struct updown_event {
    bool up;
    const char *command;
    const struct adit_child_spec *spec;
    struct adit_id local_id, remote_id;
    const char *interface; /* "" = none */
};

struct updown *updown_new(uv_loop_t *loop, struct log *log);
void updown_run(struct updown *u, const struct updown_event *ev);
/* Another command in the same queue; env: NULL-ended, copied. */
void updown_command(struct updown *u, const char *text, char *const *env);
/* Commands that wait or run. */
unsigned updown_pending(const struct updown *u);
/* Drops what waits; a running command goes on by itself. */
void updown_free(struct updown *u);
/* One pair's environment as NULL-ended "NAME=value" strings into env[] (of max); the strings are heap: free each.
 * For updown.c and its test. */
size_t updown_env(const struct updown_event *ev, unsigned local, unsigned remote, char **env, size_t max);

#endif
