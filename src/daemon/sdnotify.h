/* sdnotify.h - tells systemd (Type=notify) how we are, without its library: one datagram to $NOTIFY_SOCKET. */
#ifndef DAEMON_SDNOTIFY_H
#define DAEMON_SDNOTIFY_H

#include <stdbool.h>

/* state: "READY=1", "RELOADING=1", "STOPPING=1", perhaps with "\nSTATUS=...". Without $NOTIFY_SOCKET nothing happens;
 * false: a socket is named, but it can't be reached. */
bool sdnotify(const char *state);

#endif
