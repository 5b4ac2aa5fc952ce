/* septransport.h - where the ESP of one IKE SA goes that itself goes by TCP. Private to this folder and its tests. */
#ifndef IKE_EXT_SEPTRANSPORT_H
#define IKE_EXT_SEPTRANSPORT_H

#include "ike/ext.h"

struct septransport_state {
    struct adit_endpoint seen; /* where the peer's ESP in UDP comes from, behind its translator; family 0: not heard yet */
};

#endif
