/* flow.h - what was decided for a flow, remembered by one worker until the tables or the SAs change.
 * Direct-mapped: a collision only costs a look-up. */
#ifndef DP_FLOW_H
#define DP_FLOW_H

#include "dp/tables.h"

#define FLOW_SLOTS 4096

struct flow_key {
    uint8_t src[16], dst[16];
    uint16_t src_port, dst_port;
    uint8_t version, proto;
    uint16_t has_ports; /* 0: OPAQUE, not port 0 */
};
struct flow_slot {
    struct flow_key key;
    uint64_t generation; /* 0 = empty */
    struct dp_match match;
};
struct flow_cache {
    uint64_t seed;
    unsigned worker; /* whose it is */
    struct flow_slot slots[FLOW_SLOTS];
};

/* The worker's number of changes so far; decisions of other generations don't count. */
struct dp_match flow_lookup(struct flow_cache *c, const struct dp_tables *t, uint64_t generation,
                            const struct ip_packet *ip);
/* Equal for both packets of a flow direction: to keep a flow's packets together. */
uint64_t flow_hash(const struct ip_packet *ip, uint64_t seed);

#endif
