/* tcpencap.h - what is known of the TCP connections of one IKE SA. Private to this folder and its tests. */
#ifndef IKE_EXT_TCPENCAP_H
#define IKE_EXT_TCPENCAP_H

#include "ike/ext.h"

#define TCPENCAP_BACK_OFF_MAX 60 /* s between attempts to connect again */
#define TCPENCAP_UDP_FIRST 5     /* s for datagrams at a new address, one repetition among them, before TCP is used there */
#define TCPENCAP_SIDE 60         /* s that a connection beside datagrams is kept, ... */
#define TCPENCAP_SIDE_AGAIN 300  /* ... and after which there may be another: longer than a request is repeated */

struct tcpencap_state {
    bool wanted;     /* this attempt is to be made by TCP: an earlier one by UDP was not answered */
    bool originator; /* we open the connections, since we initiated the first IKE SA; rekeying does not change that */
    bool up;         /* it was there once */
    bool greets;     /* an exchange tells the peer about the new connection */
    bool retired;        /* the SA that a rekeying has made looks after the connection */
    struct adit_path to; /* where to connect: local port 0 */
    unsigned tries;      /* to connect again, in vain */
    uint64_t again_at;   /* ns; 0 = none is due */
    /* A connection beside datagrams that nobody answers: */
    bool asked;            /* it is on its way */
    struct adit_path side; /* it is there; tcp = false: none */
    uint64_t side_until;   /* ns; of no use after that */
    uint64_t tried_at;     /* ns; when it was asked for and came about last */
};

/* ns until the attempt after `tries` vain ones. */
uint64_t tcpencap_back_off(unsigned tries);

#endif
