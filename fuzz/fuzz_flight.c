/* fuzz_flight.c - a message of many datagrams on its way, and whatever a peer says of it: it leaves in small bursts, what was
 * never asked for is not sent again, and a flood of reports has an end. Input: datagrams (16 bits), then steps: a report
 * (first, last, octets of its bitmap), time that goes by, or a repetition. */
#include <stdlib.h>
#include "ike/sa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

#define BURST 32        /* flight.c's */
#define RESENT_MOST 10u /* likewise */
#define STEPS 200

struct world {
    struct ike ike;
    struct ike_sa sa;
    uint16_t total;
    unsigned sent, passes;
};

static const struct ike_hdr about = { .exchange = XCHG_IKE_INTERMEDIATE };

static void begin(struct world *w, uint16_t total)
{
    static const uint8_t digest[16];
    struct ike_wire *wire = wire_new(total, total);
    must(wire);
    for (uint16_t i = 0; i < total; i++) {
        must(wire_next(wire, 1));
        wire_close(wire, 1);
    }
    w->total = total;
    w->ike.now = SECONDS(1000);
    list_init(&w->ike.events);
    list_init(&w->ike.spare_events);
    list_init(&w->sa.flights);
    list_init(&w->sa.in);
    list_init(&w->sa.out);
    w->sa.ike = &w->ike;
    w->sa.window = 1;
    w->sa.round_trip = MILLISECONDS(10);
    window_store(&w->sa, 0, wire, digest);
    flight_send(&w->sa, &w->sa.path, wire);
    w->passes = 1;
    wire_unref(wire);
}

static void count_sent(struct world *w)
{
    struct adit_event ev;
    while (adit_ike_poll((struct adit_ike *)&w->ike, &ev)) {
        must(ev.type == ADIT_EV_SEND && ev.n_datagrams <= BURST);
        w->sent += ev.n_datagrams;
    }
}

static void go_on(struct world *w, unsigned most)
{
    for (unsigned i = 0; i < most && flights_deadline(&w->sa) != UINT64_MAX; i++) {
        uint64_t due = flights_deadline(&w->sa);
        w->ike.now = due > w->ike.now ? due : w->ike.now;
        flights_timer(&w->sa);
        count_sent(w);
    }
}

static void report(struct world *w, struct rd *in)
{
    static uint8_t bits[IKE_REPORT_ROOM];
    struct ike_report r = { .total = w->total, .first = rd_u16(in), .last = rd_u16(in), .got = bits };
    size_t left = in->n;
    struct adit_span map = rd_take(in, left < 8 ? left : 8);
    for (size_t i = 0; i < sizeof(bits); i++)
        bits[i] = map.n ? map.p[i % map.n] : 0;
    if (sa_reported_total(&w->sa, &about) == w->total)
        sa_report(&w->sa, &about, &r);
}

static void step(struct world *w, struct rd *in)
{
    switch (rd_u8(in) % 4) {
    case 0: report(w, in); break;
    case 1: go_on(w, rd_u8(in)); break;
    case 2: w->ike.now += rd_u8(in) * MILLISECONDS(1); break;
    default:
        flight_send(&w->sa, &w->sa.path, w->sa.reply.wire);
        w->passes++;
    }
    count_sent(w);
    must(w->sent <= (w->passes + RESENT_MOST) * w->total + BURST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct world w;
    struct rd in = rd_init(span(data, n));
    uint16_t total = rd_u16(&in);
    if (!rd_ok(&in))
        return 0;
    w = (struct world){ 0 };
    begin(&w, (uint16_t)(2 + total % 3000));
    count_sent(&w);
    for (unsigned i = 0; i < STEPS && rd_more(&in); i++)
        step(&w, &in);
    go_on(&w, 100 * w.total); /* by itself it comes to its end */
    must(flights_deadline(&w.sa) == UINT64_MAX);
    flights_stop(&w.sa);
    wire_unref(w.sa.reply.wire);
    events_fini(&w.ike);
    return 0;
}
