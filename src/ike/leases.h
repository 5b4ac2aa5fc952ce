/* leases.h - which address of which pool is whose: by identity, so that who comes again gets the same one. Of the engine,
 * not of an SA: a lease that is not used any more is remembered until its address is needed for somebody else. */
#ifndef IKE_LEASES_H
#define IKE_LEASES_H

#include "adit/ike.h"
#include "base/list.h"

struct lease;
struct leases {
    struct list pools; /* in the configuration's order */
    uint64_t seed;
};
void leases_init(struct leases *l, uint64_t seed);
void leases_fini(struct leases *l); /* leases that are still held stay with their holders: lease_return() them first */
/* The pools of a new configuration: those of the same range keep their leases. ADIT_ERR_EXISTS: a pool that goes or gets
 * another range has leases online; nothing changes then. */
ADIT_MUST_USE enum adit_rc leases_config(struct leases *l, const struct adit_config *cfg, struct adit_why *why);

struct lease_want {
    const char *pool;
    struct adit_span owner;         /* whole ID payload body */
    const struct adit_addr *wanted; /* NULL or unset: any */
    const struct adit_addr *peer;   /* where the owner is */
    bool takes_over;                /* it replaces whatever the owner has online */
};
/* The owner's address: the one it wants, if that is to be had, else the one it had, else a fresh one. An address that the
 * owner has online is shared when it is asked for from the same place (reauthentication), or taken over. NULL: the pool
 * is exhausted, or unknown, or memory is out. */
struct lease *lease_take(struct leases *l, const struct lease_want *want);
void lease_return(struct lease *lease); /* NULL: nothing */
struct adit_addr lease_address(const struct lease *lease);

bool leases_pool(const struct leases *l, size_t i, struct adit_pool_info *out);
bool leases_lease(const struct leases *l, size_t pool, size_t i, struct adit_lease_info *out);

#endif
