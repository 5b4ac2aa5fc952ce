/* quirks.c - known deviations of peers, one table: evidence -> flags. Evidence is the connection's `peer = ...`: most
 * peers send no Vendor ID by default. */
#include "ike/sa.h"

static const struct {
    const char *peer;
    uint32_t flags;
} by_name[] = {
    /* strongSwan's keymat_v2 runs prf+ of a rekeyed IKE SA with the old SA's PRF (RFC 7296 s2.18 wants the new one). It
     * only shows when a rekeying changes the PRF. */
    { "strongswan", QUIRK_PRF_PLUS_OLD },
};

bool peer_has(const struct ike_sa *sa, enum quirk q)
{
    const char *peer = sa->conn ? sa->conn->cfg->peer : NULL;
    for (size_t i = 0; peer && i < ARRAY_LEN(by_name); i++)
        if (!strcmp(by_name[i].peer, peer))
            return by_name[i].flags & q;
    return false;
}
