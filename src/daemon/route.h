/* route.h - which of our addresses the kernel would send from. */
#ifndef DAEMON_ROUTE_H
#define DAEMON_ROUTE_H

#include "adit/model.h"

/* The source address for dst (packets with this mark); unset if there is no route. */
void route_source(const struct adit_addr *dst, uint32_t mark, struct adit_addr *out);

#endif
