/* caps.h - what the process may do, and giving up the rest. */
#ifndef DAEMON_CAPS_H
#define DAEMON_CAPS_H

#include <stdbool.h>
#include "adit/base.h"

/* May this process bind ports below 1024? */
bool caps_low_ports(void);
/* Keeps only NET_ADMIN, NET_RAW, NET_BIND_SERVICE and IPC_LOCK (of those we have) in this thread and all threads that
 * it starts later: call it before the first one. A root process's updown scripts get root's capabilities back at
 * exec (they need them: firewall rules, routes), which is why PR_SET_NO_NEW_PRIVS is not set here; systemd's unit
 * narrows the bounding set for both. */
ADIT_MUST_USE enum adit_rc caps_drop(struct adit_why *why);

#endif
