/* limits.c - when an SA is used up: by time, octets, packets, sequence numbers, or by what its algorithms bear. */
#include "esp/sa.h"

/* AEADs with a counter for a nonce: an observer's advantage is about blocks^2 / 2^129, so 2^42 octets leave 2^-53; a
 * hard stop lies a quarter above, so that a rekey has time. */
#define KEY_PACKETS (UINT64_C(1) << 36)
#define KEY_OCTETS (UINT64_C(1) << 42)
/* CBC leaks by collisions of blocks long before (birthday bound of 2^64 of them). */
#define CBC_OCTETS (UINT64_C(1) << 40)
/* Forged packets: an ICV of 8 octets bears far fewer attempts. */
#define FAILURES (UINT64_C(1) << 36)
#define FAILURES_SHORT_ICV (UINT64_C(1) << 20)

static uint64_t lower(uint64_t limit, uint64_t cap)
{
    return limit && limit < cap ? limit : cap;
}

static uint64_t absolute(uint64_t birth, uint64_t span_ns)
{
    if (!span_ns)
        return UINT64_MAX;
    return birth > UINT64_MAX - span_ns ? UINT64_MAX : birth + span_ns;
}

static void lower_for_key(struct esp_limits *l, uint64_t octets)
{
    l->soft_packets = lower(l->soft_packets, KEY_PACKETS);
    l->hard_packets = lower(l->hard_packets, KEY_PACKETS + KEY_PACKETS / 4);
    l->soft_bytes = lower(l->soft_bytes, octets);
    l->hard_bytes = lower(l->hard_bytes, octets + octets / 4);
}

void limits_init(struct esp_sa *sa, const struct adit_lifetime *life, uint64_t now)
{
    struct esp_limits *l = &sa->limits;
    *l = (struct esp_limits){
        .soft_at = absolute(now, life->soft_ns),
        .hard_at = absolute(now, life->hard_ns),
        .soft_bytes = life->soft_bytes,
        .hard_bytes = life->hard_bytes,
        .soft_packets = life->soft_packets,
        .hard_packets = life->hard_packets,
        .soft_seq = sa->esn ? UINT64_C(1) << 63 : UINT64_C(1) << 31,
        .last_seq = sa->esn ? UINT64_MAX : UINT32_MAX, /* RFC 4303 s3.3.3: never wraps */
        .failures = sa->icv <= 8 ? FAILURES_SHORT_ICV : FAILURES,
    };
    if (sa->encr->kind != ENCR_KIND_NULL)
        lower_for_key(l, sa->encr->block > 1 ? CBC_OCTETS : KEY_OCTETS);
}

/* SOFT, HARD and FIRST_IN are told once in an SA's life; PATH as often as it happens. */
void esp_raise(struct esp_sa *sa, enum esp_event ev)
{
    if (ev != ESP_EV_PATH && sa->raised & ev)
        return;
    sa->raised |= ev;
    sa->events |= ev;
}

static bool reached(uint64_t count, uint64_t limit)
{
    return limit && count >= limit;
}

static bool sequence_passes(struct esp_sa *sa)
{
    if (sa->seq >= sa->limits.soft_seq)
        esp_raise(sa, ESP_EV_SOFT);
    return sa->seq < sa->limits.last_seq;
}

bool limits_pass(struct esp_sa *sa, const struct esp_half *half)
{
    const struct esp_limits *l = &sa->limits;
    bool pass = !reached(half->packets, l->hard_packets) && !reached(half->bytes, l->hard_bytes);
    if (half == &sa->out)
        pass = sequence_passes(sa) && pass;
    if (reached(half->packets, l->soft_packets) || reached(half->bytes, l->soft_bytes))
        esp_raise(sa, ESP_EV_SOFT);
    if (!pass)
        esp_raise(sa, ESP_EV_HARD);
    return pass && !sa->expired;
}

void limits_time(struct esp_sa *sa, uint64_t now)
{
    if (now >= sa->limits.soft_at)
        esp_raise(sa, ESP_EV_SOFT);
    if (now < sa->limits.hard_at)
        return;
    sa->expired = true;
    esp_raise(sa, ESP_EV_HARD);
}

void limits_failed_icv(struct esp_sa *sa)
{
    if (++sa->failed_icvs >= sa->limits.failures)
        esp_raise(sa, ESP_EV_SOFT);
}

uint64_t esp_sa_deadline(struct esp_sa *sa, uint64_t now)
{
    limits_time(sa, now);
    if (sa->expired)
        return UINT64_MAX;
    return now < sa->limits.soft_at && sa->limits.soft_at < sa->limits.hard_at ? sa->limits.soft_at
                                                                               : sa->limits.hard_at;
}
