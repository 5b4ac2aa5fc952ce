/* notice.h - SAs that come, go and are rekeyed: journal, VICI events, updown scripts. */
#ifndef DAEMON_NOTICE_H
#define DAEMON_NOTICE_H

#include "daemon/daemon.h"

/* ev->type is one of IKE_UP .. CHILD_REKEYED. */
void notice(struct daemon *d, const struct adit_event *ev);
/* VICI's alert event about a connection; ike_id 0 = none. */
void notice_alert(struct daemon *d, const char *type, const char *conn, uint32_t ike_id);

#endif
