/* vici_socket.h - makes the listening UNIX socket of vici_server. */
#ifndef DAEMON_VICI_SOCKET_H
#define DAEMON_VICI_SOCKET_H

#include "adit/base.h"

/* Bound, mode 0660, not yet listening; missing directories of the last level are made (0755). An old file is replaced
 * if nobody answers there; ADIT_ERR_EXISTS: somebody does. */
ADIT_MUST_USE enum adit_rc vici_socket_bind(const char *path, int *fd, struct adit_why *why);

#endif
