/* hold.h - packets that wait for their SA to be set up: a few a policy, for a while, in memory taken at the start. */
#ifndef DP_HOLD_H
#define DP_HOLD_H

#include "base/span.h"
#include "esp/esp.h"

#define HOLD_SLOTS 64
#define HOLD_PER_POLICY 16
#define HOLD_OCTETS 2048 /* of packet; longer ones are not kept */
#define HOLD_NS (10ull * 1000000000)

struct held {
    uint32_t reqid;
    uint16_t n; /* 0 = free */
    uint64_t until;
    uint64_t order;
    uint8_t mem[ESP_HEADROOM + HOLD_OCTETS + ESP_TAILROOM];
};
struct hold {
    unsigned n;
    uint64_t order;
    struct held slots[HOLD_SLOTS];
};

/* Keeps a copy; false: too long, or no room for this policy. */
bool hold_put(struct hold *h, uint32_t reqid, struct adit_span packet, uint64_t now);
/* The oldest whose `order` is at least *from, which moves on; NULL: none. hold_free() it, or it stays. */
struct held *hold_next(struct hold *h, uint64_t *from);
void hold_free(struct hold *h, struct held *slot);
/* Drops what waited too long; returns how many. */
unsigned hold_expire(struct hold *h, uint64_t now);

#endif
