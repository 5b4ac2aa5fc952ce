/* halfopen.c - how many IKE SAs may be under way before anybody has proven anything (RFC 7296 s2.6, RFC 8019 s4). */
#include "ike/sa.h"

/* Who has one address of an IPv6 /64 has them all. */
uint64_t halfopen_key(const struct ike *ike, const struct adit_addr *peer)
{
    struct adit_addr net = *peer;
    for (int i = 8; peer->family == 6 && i < 16; i++)
        net.ip[i] = 0;
    return addr_hash(&net, ike->seed);
}

/* Counts live in the map itself: the "pointer" is the count. */
static uintptr_t count_of(const struct ike *ike, const struct adit_addr *peer)
{
    return (uintptr_t)map_get(&ike->per_ip, halfopen_key(ike, peer));
}

static void set_count(struct ike *ike, const struct adit_addr *peer, uintptr_t n)
{
    uint64_t key = halfopen_key(ike, peer);
    if (!n)
        map_del(&ike->per_ip, key);
    else if (map_put(&ike->per_ip, key, (void *)n) != ADIT_OK)
        return; /* not counted: the total still bounds it */
}

bool halfopen_may(struct ike *ike, const struct adit_addr *peer)
{
    unsigned max = ike->policy->settings.half_open_max;
    /* A cookie keeps out who cannot receive, not who has one real address: it must not take every place. */
    return ike->half_open < max && count_of(ike, peer) < max / IKE_HALF_OPEN_SHARE + IKE_HALF_OPEN_FEW;
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

/* A bucket of one second's worth. */
static bool take_token(struct ike_bucket *b, uint64_t now, unsigned per_second)
{
    if (now - b->filled_at >= SECONDS(1))
        *b = (struct ike_bucket){ now, per_second };
    if (!b->tokens)
        return false;
    b->tokens--;
    return true;
}

/* Errors to strangers must not make us an amplifier ... */
bool ike_may_answer_error(struct ike *ike)
{
    return take_token(&ike->errors, ike->now, IKE_ERRORS_PER_SECOND);
}

/* ... nor their attempts fill the disk; each is still counted. */
bool ike_may_log_stranger(struct ike *ike)
{
    return take_token(&ike->stranger_lines, ike->now, IKE_STRANGER_LINES_PER_SECOND);
}
