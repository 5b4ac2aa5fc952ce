/* flight.c - messages of several datagrams on their way: never all at once, but paced by time and by what the peer says has
 * arrived; of a repetition only what it is not known to have. A link that loses nothing carries nothing twice. */
#include "ike/sa.h"

#define BURST 32                        /* datagrams in one instant: well below what a socket's buffer takes by default */
#define WINDOW_FIRST 64u                /* datagrams in one round trip, at first */
#define WINDOW_LEAST 64u                /* twice what a receiver lets come before it reports */
#define WINDOW_MOST 1024u
#define RATE 6250000u                   /* octets/s while the peer says nothing: 50 Mbit/s */
#define TRIP_UNKNOWN MILLISECONDS(50)
#define TRIP_LEAST MILLISECONDS(1)
#define STALL MILLISECONDS(200)         /* without a report, one more burst goes out after this long */
#define ANSWER_EACH MILLISECONDS(1)     /* what a receiver may need for a datagram, before its answer is missed */
#define PROBES 3                        /* repetitions of one datagram alone, to a peer that tells what it lacks */
#define REORDERED 3u                    /* ms: what left within so many may overtake */
#define QUEUED MILLISECONDS(3)          /* later than usual: somewhere a queue grows */
#define RESENT_MOST 10u                 /* times all of it, because of reports: whoever asks for more gets nothing */

/* Maintains: left = bits of `want`; under way exactly while sa is set, and then in its list. */
struct ike_flight {
    struct list link;
    struct ike_sa *sa;     /* NULL: not under way */
    struct ike_wire *wire; /* which this is a part of; a reference while under way */
    struct adit_path path;
    uint64_t first_at, began_at, left_at, burst_at, due;
    uint64_t delay; /* from a datagram's departure to the report of it, as of late; 0 = not known */
    unsigned window, round, cursor, left, high, seen, settled, resent, reports, probes, passes;
    uint32_t newest; /* when the last one that has arrived was sent */
    bool timed, stalled;
    uint8_t *want, *got; /* bits: to be sent in this pass; the peer has it */
    uint32_t sent[];     /* ms after first_at, and one; 0 = never */
};

static bool has(const uint8_t *bits, unsigned i)
{
    return bits[i / 8] & (0x80 >> i % 8);
}

static void put(uint8_t *bits, unsigned i, bool on)
{
    uint8_t b = (uint8_t)(0x80 >> i % 8);
    bits[i / 8] = on ? bits[i / 8] | b : (uint8_t)(bits[i / 8] & ~b);
}

static struct ike_flight *flight_of(struct ike_wire *w)
{
    size_t bits = (w->made + 7u) / 8;
    if (w->flight || w->made < 2)
        return w->flight;
    struct ike_flight *f = mem_new(sizeof(*f) + w->made * sizeof(f->sent[0]) + 2 * bits);
    if (!f)
        return NULL;
    list_init(&f->link);
    f->wire = w;
    f->want = (uint8_t *)(f->sent + w->made);
    f->got = f->want + bits;
    f->window = WINDOW_FIRST;
    return w->flight = f;
}

static uint64_t trip(const struct ike_sa *sa)
{
    return !sa->round_trip ? TRIP_UNKNOWN : sa->round_trip < TRIP_LEAST ? TRIP_LEAST : sa->round_trip;
}

/* What is no older than this may still be on its way, or in the queue of a slow link or of a busy peer. */
static uint64_t answer_time(const struct ike_flight *f, const struct ike_sa *sa)
{
    return f->delay > trip(sa) ? f->delay : trip(sa);
}

static uint32_t stamp_of(const struct ike_flight *f, uint64_t now)
{
    return (uint32_t)((now - f->first_at) / MILLISECONDS(1)) + 1;
}

/* --- sending ---------------------------------------------------------------------------------------------------- */

static void take_off(struct ike_flight *f, struct ike_sa *sa)
{
    if (f->sa)
        return;
    f->sa = sa;
    f->timed = false;
    wire_ref(f->wire);
    list_append(&sa->flights, &f->link);
}

/* May free it. */
static void land(struct ike_flight *f)
{
    if (!f->sa)
        return;
    f->left_at = f->sa->ike->now;
    f->timed = f->left_at == f->began_at; /* whoever counts from its beginning counts from its end */
    f->sa = NULL;
    list_remove(&f->link);
    wire_unref(f->wire);
}

/* While reports come they open the window; one that is lost holds nothing up for good. */
static bool must_wait(struct ike_flight *f)
{
    bool anew = f->cursor >= f->high;
    if (!f->reports || !anew || f->high < f->seen + f->window || f->stalled)
        return false;
    f->stalled = true;
    f->due = f->sa->ike->now + STALL;
    return true;
}

static unsigned pick(struct ike_flight *f, uint16_t *out, size_t *octets)
{
    unsigned n = 0;
    uint32_t t = stamp_of(f, f->sa->ike->now);
    for (; n < BURST && f->left; f->cursor = (f->cursor + 1) % f->wire->made) {
        if (!has(f->want, f->cursor))
            continue;
        put(f->want, f->cursor, false);
        f->left--;
        ike_count(f->sa->ike, f->sa, f->sent[f->cursor] ? ADIT_C_FRAGMENTS_AGAIN : ADIT_C_FRAGMENTS_OUT);
        f->sent[f->cursor] = t;
        f->high = f->cursor + 1 > f->high ? f->cursor + 1 : f->high;
        *octets += f->wire->datagrams[f->cursor].n;
        out[n++] = (uint16_t)f->cursor;
    }
    return n;
}

/* Until the next burst: a round trip carries one window. A peer that says nothing gets no more than a fixed rate. */
static uint64_t gap(struct ike_flight *f, unsigned n, size_t octets)
{
    uint64_t by_window = trip(f->sa) * n / f->window, by_rate = (uint64_t)octets * SECONDS(1) / RATE;
    return f->reports || by_window > by_rate ? by_window : by_rate;
}

static void grow(struct ike_flight *f, unsigned n)
{
    f->round += n;
    if (f->reports || f->round < f->window)
        return;
    f->round = 0;
    f->window = f->window < WINDOW_MOST ? 2 * f->window : WINDOW_MOST;
}

static void step(struct ike_flight *f)
{
    uint16_t which[BURST];
    size_t octets = 0;
    if (must_wait(f))
        return;
    f->stalled = false;
    unsigned n = pick(f, which, &octets);
    if (n)
        event_send_some(f->sa->ike, &f->path, f->wire, which, n);
    f->burst_at = f->sa->ike->now;
    f->due = f->burst_at + gap(f, n ? n : 1, octets);
    grow(f, n);
    if (!f->left)
        land(f);
}

/* Which ones this pass carries: all that the peer is not known to have. To a peer that tells what it lacks, the first few
 * repetitions are fragment 1 alone: it answers with its response, or with what is missing (RFC 7383 s2.6.1). Not on a
 * connection, where nothing is repeated but what went down with the one before. */
static void aim(struct ike_flight *f)
{
    bool probe = !f->path.tcp && f->reports && f->probes < PROBES;
    f->probes += probe;
    f->left = 0;
    f->cursor = 0;
    for (unsigned i = 0; i < f->wire->made; i++) {
        bool goes = i == 0 || (!probe && (f->probes >= PROBES || !has(f->got, i)));
        put(f->want, i, goes);
        f->left += goes;
    }
}

void flight_send(struct ike_sa *sa, const struct adit_path *path, struct ike_wire *wire)
{
    struct ike_flight *f = flight_of(wire);
    if (!f) {
        event_send(sa->ike, path, wire);
        return;
    }
    bool anew = path->tcp && !path_equal(&f->path, path);
    f->path = *path;
    if (f->sa && !anew)
        return; /* it is still leaving */
    f->began_at = sa->ike->now;
    if (!f->passes++)
        f->first_at = f->began_at;
    aim(f);
    take_off(f, sa);
    step(f);
}

uint64_t flights_deadline(const struct ike_sa *sa)
{
    uint64_t at = UINT64_MAX;
    list_for_each(it, &sa->flights) {
        const struct ike_flight *f = list_entry(it, struct ike_flight, link);
        at = f->due < at ? f->due : at;
    }
    return at;
}

void flights_timer(struct ike_sa *sa)
{
    list_for_each_safe(it, &sa->flights) {
        struct ike_flight *f = list_entry(it, struct ike_flight, link);
        if (f->due <= sa->ike->now)
            step(f);
    }
}

void flight_stop(struct ike_wire *wire)
{
    if (wire && wire->flight)
        land(wire->flight);
}

bool flight_is_heard(const struct ike_wire *wire)
{
    return wire->flight && wire->flight->reports;
}

void flights_stop(struct ike_sa *sa)
{
    list_for_each_safe(it, &sa->flights)
        land(list_entry(it, struct ike_flight, link));
}

uint64_t flight_defers(const struct ike_sa *sa, const struct ike_wire *wire, uint64_t delay)
{
    struct ike_flight *f = wire ? wire->flight : NULL;
    if (!f || (!f->sa && f->timed))
        return 0;
    if (f->sa)
        return sa->ike->now + delay;
    f->timed = true;
    return f->left_at + delay + wire->made * ANSWER_EACH;
}

/* --- reports ---------------------------------------------------------------------------------------------------- */

static struct ike_wire *reported(const struct ike_sa *sa, const struct ike_hdr *hdr)
{
    struct ike_xchg *x = hdr->flags & IKE_FLAG_RESPONSE ? window_waiting(sa, hdr) : NULL;
    const struct ike_reply *r = hdr->flags & IKE_FLAG_RESPONSE ? NULL : window_reply(sa, hdr->msgid);
    return x ? x->wire : r ? r->wire : NULL;
}

uint16_t sa_reported_total(const struct ike_sa *sa, const struct ike_hdr *hdr)
{
    struct ike_wire *w = reported(sa, hdr);
    struct ike_flight *f = w ? w->flight : NULL;
    return f && f->reports < 2u * w->made + 64 ? w->made : 0;
}

/* What one report says that was not known. */
struct news {
    unsigned lost, fresh; /* to be sent again; arrived */
    uint32_t delay;       /* ms since the last one of these left */
};

static void take_arrived(struct ike_flight *f, const struct ike_report *r, uint32_t t, struct news *out)
{
    for (unsigned i = r->first - 1u; i < r->last; i++) {
        if (!has(r->got, i + 1 - r->first) || !f->sent[i])
            continue; /* what was never sent it cannot have */
        out->fresh += !has(f->got, i);
        if (i >= f->seen)
            out->delay = t - f->sent[i];
        f->left -= has(f->want, i);
        put(f->want, i, false);
        put(f->got, i, true);
        f->seen = i + 1 > f->seen ? i + 1 : f->seen;
        f->newest = f->sent[i] > f->newest ? f->sent[i] : f->newest;
    }
}

/* A report of few comes late because nothing came: it says nothing about the way. */
static void time_it(struct ike_flight *f, const struct news *news)
{
    uint64_t ns = MILLISECONDS(news->delay);
    if (news->fresh >= BURST && news->delay)
        f->delay = ns > f->delay ? ns : (3 * f->delay + ns) / 4;
}

/* It left long enough ago that the peer would have it, and something that left later is there, or nothing comes any more:
 * what stands in the queue of a slow link or of a busy peer is not lost. */
static bool is_lost(const struct ike_flight *f, unsigned i, uint32_t t, uint32_t age, const struct news *news)
{
    return f->sent[i] && !has(f->want, i) && t - f->sent[i] >= age &&
           (news->fresh < BURST || f->sent[i] + REORDERED <= f->newest);
}

static void take_missing(struct ike_flight *f, const struct ike_report *r, uint32_t t, uint32_t age, struct news *out)
{
    for (unsigned i = r->first - 1u; i < r->last; i++) {
        if (has(r->got, i + 1 - r->first) || !is_lost(f, i, t, age, out) || f->resent >= RESENT_MOST * f->wire->made)
            continue;
        put(f->want, i, true);
        put(f->got, i, false);
        f->left++;
        f->resent++;
        f->cursor = i < f->cursor || !out->lost ? i : f->cursor;
        out->lost++;
    }
}

static struct news note(struct ike_flight *f, const struct ike_sa *sa, const struct ike_report *r)
{
    struct news news = { 0 };
    uint32_t t = stamp_of(f, sa->ike->now);
    take_arrived(f, r, t, &news);
    time_it(f, &news);
    take_missing(f, r, t, (uint32_t)(answer_time(f, sa) * 5 / 4 / MILLISECONDS(1) + 2), &news);
    return news;
}

/* Answers come late: a queue has grown somewhere. What fits without it is enough, and once in a window is often enough. */
static void shorten_queue(struct ike_flight *f, const struct ike_sa *sa)
{
    uint64_t fits = f->window * trip(sa) / f->delay;
    if (f->seen < f->settled)
        return;
    f->window = fits > WINDOW_LEAST ? (unsigned)fits : WINDOW_LEAST;
    f->settled = f->high;
}

/* More than 2 % of what is out is lost: half the window. Nothing: half as much more as has arrived, which makes it half as
 * long again in a round trip; where that is short, four times as long: a queue is seen in time. */
static void adapt(struct ike_flight *f, const struct ike_sa *sa, const struct news *news)
{
    unsigned out = f->high > f->seen ? f->high - f->seen + BURST : BURST;
    if (news->lost * 50 > out && f->window > WINDOW_LEAST)
        f->window /= 2;
    else if (f->delay > trip(sa) * 5 / 4 + QUEUED)
        shorten_queue(f, sa);
    else if (!news->lost && f->window < WINDOW_MOST)
        f->window += trip(sa) <= QUEUED ? 3 * news->fresh : news->fresh / 2;
}

/* The first report ends the fixed rate at once, and any one may open the window. */
static void hurry(struct ike_flight *f, const struct ike_sa *sa)
{
    uint64_t at = f->burst_at + trip(sa) * BURST / f->window;
    f->due = at < f->due ? at : f->due;
}

void sa_report(struct ike_sa *sa, const struct ike_hdr *hdr, const struct ike_report *r)
{
    struct ike_wire *w = reported(sa, hdr);
    struct ike_flight *f = w ? w->flight : NULL;
    if (!f || r->total != w->made || !r->first || r->first > r->last || r->last > r->total)
        return;
    ike_count(sa->ike, sa, ADIT_C_REPORTS_IN);
    f->reports++;
    f->probes = 0;
    struct news news = note(f, sa, r);
    adapt(f, sa, &news);
    hurry(f, sa);
    bool waits = f->stalled || !f->sa || f->due <= sa->ike->now;
    f->stalled = false;
    if (!f->left) {
        land(f);
        return;
    }
    take_off(f, sa);
    if (waits)
        step(f);
}
