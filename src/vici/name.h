/* name.h - what a VICI name may hold; private to this room. */
#ifndef VICI_NAME_H
#define VICI_NAME_H

#include "vici/vici.h"

/* ASCII 0x20 to 0x7e; the empty name is legal. */
static inline bool vici_name_ok(struct adit_span name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] < 0x20 || name.p[i] > 0x7e)
            return false;
    }
    return name.n <= VICI_NAME_MAX;
}

#endif
