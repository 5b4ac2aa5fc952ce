/* tcpencap.h - what is known of the TCP connections of one IKE SA. Private to this folder and its tests. */
#ifndef IKE_EXT_TCPENCAP_H
#define IKE_EXT_TCPENCAP_H

#include "ike/ext.h"

#define TCPENCAP_BACK_OFF_MAX 60 /* s between attempts to connect again */

struct tcpencap_state {
    bool wanted;     /* this attempt is to be made by TCP: an earlier one by UDP was not answered */
    bool originator; /* we open the connections, since we initiated the first IKE SA; rekeying does not change that */
    bool up;         /* it was there once */
    bool greets;     /* an exchange tells the peer about the new connection */
    bool retired;        /* the SA that a rekeying has made looks after the connection */
    struct adit_path to; /* where to connect: local port 0 */
    unsigned tries;      /* to connect again, in vain */
    uint64_t again_at;   /* ns; 0 = none is due */
};

/* ns until the attempt after `tries` vain ones. */
uint64_t tcpencap_back_off(unsigned tries);

#endif
