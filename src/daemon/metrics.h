/* metrics.h - everything that monitoring wants to know, as OpenMetrics text. */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "daemon/daemon.h"
#include "daemon/text.h"

void metrics_write(struct daemon *d, struct text *out);
/* One histogram family from the journal's; for metrics.c and its test. */
void metrics_handshakes(const struct journal *j, struct text *out);

#endif
