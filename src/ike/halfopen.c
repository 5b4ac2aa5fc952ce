/* halfopen.c - how many IKE SAs may be under way before anybody has proven anything (RFC 7296 s2.6, RFC 8019 s4). */
#include "ike/sa.h"

/* Counts live in the map itself: the "pointer" is the count. */
static uintptr_t count_of(const struct ike *ike, const struct adit_addr *peer)
{
    return (uintptr_t)map_get(&ike->per_ip, addr_hash(peer, ike->seed));
}

static void set_count(struct ike *ike, const struct adit_addr *peer, uintptr_t n)
{
    uint64_t key = addr_hash(peer, ike->seed);
    if (!n)
        map_del(&ike->per_ip, key);
    else if (map_put(&ike->per_ip, key, (void *)n) != ADIT_OK)
        return; /* not counted: the total still bounds it */
}

bool halfopen_may(struct ike *ike, const struct adit_addr *peer)
{
    return ike->half_open < ike->policy->settings.half_open_max;
}

bool halfopen_wants_cookie(struct ike *ike, const struct adit_addr *peer)
{
    const struct adit_ike_settings *s = &ike->policy->settings;
    if (s->cookie_threshold == UINT32_MAX)
        return false;
    return ike->half_open >= s->cookie_threshold ||
           (s->cookie_threshold_ip && count_of(ike, peer) >= s->cookie_threshold_ip);
}

void halfopen_add(struct ike *ike, const struct adit_addr *peer)
{
    ike->half_open++;
    set_count(ike, peer, count_of(ike, peer) + 1);
}

void halfopen_del(struct ike *ike, const struct adit_addr *peer)
{
    uintptr_t n = count_of(ike, peer);
    ike->half_open--;
    if (n)
        set_count(ike, peer, n - 1);
}

/* A bucket of one second's worth: errors to strangers must not make us an amplifier. */
bool ike_may_answer_error(struct ike *ike)
{
    if (ike->now - ike->error_tokens_at >= SECONDS(1)) {
        ike->error_tokens_at = ike->now;
        ike->error_tokens = IKE_ERRORS_PER_SECOND;
    }
    if (!ike->error_tokens)
        return false;
    ike->error_tokens--;
    return true;
}
