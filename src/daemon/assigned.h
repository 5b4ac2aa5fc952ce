/* assigned.h - what peers assign to us: addresses on a device, name servers for the host's resolver. Counted: IKE SAs that
 * follow each other share what is the same, so that reauthentication interrupts nothing. */
#ifndef DAEMON_ASSIGNED_H
#define DAEMON_ASSIGNED_H

#include "adit/ike.h"

struct daemon;
struct assigned;

/* ADIT_EV_ASSIGNED, ADIT_EV_RELEASED. Problems are logged: the tunnel stands without. */
void assigned_up(struct daemon *d, const struct adit_event *ev);
void assigned_down(struct daemon *d, const struct adit_event *ev);
void assigned_renew(struct daemon *d); /* the device is another one now: the addresses again */
void assigned_free(struct daemon *d); /* takes the addresses away that are left */
/* Environment of the command for name servers; what: NULL = there are none any more. Returns the count; for tests. */
size_t assigned_env(const struct adit_assigned *what, const char *conn, const char *interface, char **env, size_t max);

#endif
