/* tundev.h - a TUN device that somebody deleted is made again, with all that was on it. Tunnels go on meanwhile; packets for
 * them are lost. */
#ifndef DAEMON_TUNDEV_H
#define DAEMON_TUNDEV_H

struct daemon;

/* DP_EV_TUN. At once, and every few seconds until it is possible; said in the log. */
void tundev_lost(struct daemon *d);

#endif
