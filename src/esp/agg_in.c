/* agg_in.c - payloads to inner packets (RFC 9347 s2.2.3, s2.5): put into order, pieces joined. Every packet comes out whole
 * or not at all: a payload is believed about what came before only if its BlockOffset agrees with the packet's own length. */
#include "base/mem.h"
#include "esp/agg.h"
#include "wire/be.h"
#include "wire/ip.h"

#define PART_NS UINT64_C(10000000000) /* a packet whose pieces are further apart than that is nobody's any more */
#define PART_MIN 2048
#define BAD UINT32_MAX

uint32_t agg_inner_size(const uint8_t *p, uint32_t n)
{
    uint8_t version = n ? p[0] >> 4 : 0;
    if (version == 4)
        return n < 4 ? 0 : be16_get(p + 2) < IP4_HDR_MIN ? BAD : be16_get(p + 2);
    return n < AGG_SIZE_KNOWN ? 0 : IP6_HDR_SIZE + (uint32_t)be16_get(p + 4);
}

void agg_in_init(struct agg_in *in, uint32_t window, uint64_t drop_ns, bool whole)
{
    *in = (struct agg_in){ .next = 1, .drop_ns = drop_ns, .whole = whole };
    in->window = window < AGG_WINDOW_MAX ? window : AGG_WINDOW_MAX;
}

static void forget_part(struct agg_in *in)
{
    mem_del(in->part);
    in->part = NULL;
    in->cap = in->have = in->need = 0;
}

void agg_in_fini(struct agg_in *in)
{
    forget_part(in);
    for (unsigned i = 0; i < AGG_WINDOW_MAX; i++)
        mem_del(in->held[i].p);
}

/* --- the packet under way ------------------------------------------------------------------------------------------ */

static void give_up(struct agg_in *in)
{
    in->lost += in->have > 0;
    in->have = in->need = 0;
}

static bool part_room(struct agg_in *in, uint32_t n)
{
    uint32_t cap = n > PART_MIN ? n : PART_MIN;
    if (n <= in->cap)
        return true;
    uint8_t *p = mem_resize(in->part, cap);
    if (!p)
        return false;
    in->part = p;
    in->cap = cap;
    return true;
}

/* False: there is no memory, or the packet lies about its length. */
static bool part_add(struct agg_in *in, const uint8_t *p, uint32_t n, uint64_t now)
{
    if (!part_room(in, in->have + n))
        return false;
    span_copy(in->part + in->have, span(p, n));
    in->have += n;
    in->part_at = now;
    if (!in->need)
        in->need = agg_inner_size(in->part, in->have);
    return in->need != BAD;
}

static void part_begin(struct agg_in *in, const uint8_t *p, uint32_t n, uint32_t need, uint64_t now)
{
    if (in->whole || !part_room(in, need > n ? need : n) || !part_add(in, p, n, now)) {
        in->lost++;
        in->have = in->need = 0;
    }
}

/* The octets in front of the first new block: `rest` of them, of which n lie in this payload. */
static void part_go_on(struct agg_in *in, const uint8_t *p, uint32_t n, uint32_t rest, uint64_t now,
                       const struct agg_sink *to)
{
    if (!in->have)
        return; /* the rest of a packet whose start was lost */
    bool agrees = rest && (!in->need || in->need - in->have == rest);
    if (!agrees || !part_add(in, p, n, now)) {
        give_up(in);
        return;
    }
    if (in->need && in->need == in->have + (rest - n)) {
        if (in->have < in->need)
            return; /* more to come */
        to->packet(to->arg, in->part, in->have);
        in->have = in->need = 0;
    } else if (in->need || n == rest) {
        give_up(in);
    }
}

/* --- a payload in its turn ----------------------------------------------------------------------------------------- */

static void take_blocks(struct agg_in *in, uint8_t *p, uint32_t n, uint64_t now, const struct agg_sink *to)
{
    while (n && (p[0] >> 4 == 4 || p[0] >> 4 == 6)) { /* padding, or what nobody knows: both to the end */
        uint32_t size = agg_inner_size(p, n);
        if (size == BAD)
            return;
        if (!size || size > n) {
            part_begin(in, p, n, size, now);
            return;
        }
        to->packet(to->arg, p, size);
        p += size;
        n -= size;
    }
}

static void take(struct agg_in *in, uint8_t *p, uint32_t n, uint64_t now, const struct agg_sink *to)
{
    uint32_t head = n && p[0] == 0 ? AGG_HDR_SIZE : n && p[0] == 1 ? AGG_CC_HDR_SIZE : 0;
    if (!head || n < head)
        return; /* another sub-type: not part of the stream */
    uint32_t rest = be16_get(p + 2);
    p += head;
    n -= head;
    if (!rest && (!n || p[0] >> 4 == 0)) { /* may stand between the pieces of a packet, s2.2.3 */
        in->pads++;
        return;
    }
    uint32_t here = rest < n ? rest : n;
    part_go_on(in, p, here, rest, now, to);
    if (rest < n)
        take_blocks(in, p + here, n - here, now, to);
}

/* --- order --------------------------------------------------------------------------------------------------------- */

static struct agg_held *held_next(struct agg_in *in)
{
    struct agg_held *h = in->n_held ? &in->held[in->next % in->window] : NULL;
    return h && h->p && h->seq == in->next ? h : NULL;
}

static void release(struct agg_in *in, struct agg_held *h, uint64_t now, const struct agg_sink *to)
{
    take(in, h->p, h->n, now, to);
    mem_del(h->p);
    h->p = NULL;
    in->n_held--;
}

static void go_on(struct agg_in *in, uint64_t now, const struct agg_sink *to)
{
    for (struct agg_held *h; (h = held_next(in)); in->next++)
        release(in, h, now, to);
}

/* Waits no longer for what is before `seq`. */
static void skip_to(struct agg_in *in, uint64_t seq, uint64_t now, const struct agg_sink *to)
{
    while (in->next < seq) {
        struct agg_held *h = held_next(in);
        if (h)
            release(in, h, now, to);
        else
            give_up(in);
        in->next = h || in->n_held ? in->next + 1 : seq;
    }
}

static void hold(struct agg_in *in, uint64_t seq, const uint8_t *p, uint32_t n, uint64_t now)
{
    struct agg_held *h = &in->held[seq % in->window];
    uint8_t *copy = h->p ? NULL : mem_new(n + 1u);
    if (!copy)
        return; /* the same once more; or as if it had been lost */
    span_copy(copy, span(p, n));
    *h = (struct agg_held){ .seq = seq, .came_at = now, .p = copy, .n = n };
    in->n_held++;
}

void agg_in_put(struct agg_in *in, uint64_t seq, uint8_t *p, uint32_t n, uint64_t now, const struct agg_sink *to)
{
    if (seq < in->next)
        return;
    if (seq - in->next > in->window)
        skip_to(in, seq - in->window, now, to);
    go_on(in, now, to);
    if (seq != in->next) {
        hold(in, seq, p, n, now);
        return;
    }
    take(in, p, n, now, to);
    in->next++;
    go_on(in, now, to);
}

/* The held one with the lowest number, and when the longest waiting one came. */
static struct agg_held *first_held(struct agg_in *in, uint64_t *since)
{
    struct agg_held *first = NULL;
    *since = UINT64_MAX;
    for (uint32_t i = 0; in->n_held && i < in->window; i++) {
        struct agg_held *h = &in->held[i];
        if (!h->p)
            continue;
        *since = h->came_at < *since ? h->came_at : *since;
        first = !first || h->seq < first->seq ? h : first;
    }
    return first;
}

void agg_in_expire(struct agg_in *in, uint64_t now, const struct agg_sink *to)
{
    uint64_t since;
    for (struct agg_held *h; (h = first_held(in, &since)) && now >= since + in->drop_ns;) {
        skip_to(in, h->seq, now, to);
        go_on(in, now, to);
    }
    if (in->have && now >= in->part_at + PART_NS) {
        give_up(in);
        forget_part(in);
    }
}

uint64_t agg_in_due(const struct agg_in *in)
{
    uint64_t at = in->have ? in->part_at + PART_NS : UINT64_MAX;
    for (uint32_t i = 0; in->n_held && i < in->window; i++)
        if (in->held[i].p && in->held[i].came_at + in->drop_ns < at)
            at = in->held[i].came_at + in->drop_ns;
    return at;
}
