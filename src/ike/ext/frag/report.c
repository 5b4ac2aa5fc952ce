/* report.c - reports about which fragments have arrived: when one goes out, and what becomes of one that comes in. How they
 * look is the business of the extensions that bring a form (struct ike_reports). */
#include "base/mem.h"
#include "ike/ext/frag/frag.h"

#define HOLD 50000000ull /* ns without a new fragment, at least, before it counts as lost and not as late */
#define EACH 32          /* fragments: after so many new ones the sender is told, so that it may go on */
#define FRUITLESS 20     /* reports without any new fragment: then the sender has to come back by itself */

/* The first form that both ends can; NULL: none. */
static const struct ike_reports *form_of(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->reports && ike_exts[i]->reports->in_force(sa))
            return ike_exts[i]->reports;
    return NULL;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t hold(const struct ike_sa *sa, const struct frag_watch *w)
{
    uint64_t ns = most(most(HOLD, 8 * w->gap), sa_round_trip(sa) / 2);
    return ns << (w->fruitless < 5 ? w->fruitless : 5);
}

/* It names the message whose fragments they are, and goes the other way. */
static struct ike_hdr header(const struct ike_sa *sa, const struct frag_join *j)
{
    uint8_t flags = sa_is_initiator(sa) ? IKE_FLAG_INITIATOR : 0;
    if (!(j->key.flags & IKE_FLAG_RESPONSE))
        flags |= IKE_FLAG_RESPONSE;
    return (struct ike_hdr){ .spi_i = sa_spi_i(sa), .spi_r = sa_spi_r(sa), .version = IKE_VERSION,
                             .exchange = j->key.exchange, .flags = flags, .msgid = j->key.msgid };
}

static void report(struct ike_sa *sa, struct frag_join *j)
{
    const struct ike_reports *form = form_of(sa);
    struct ike_hdr hdr = header(sa, j);
    struct ike_report r = { .total = j->total, .first = 1, .last = j->total, .got = j->there };
    struct ike_wire *wire = NULL;
    j->watch.reported_at = sa_now(sa);
    j->watch.since = 0;
    if (form && form->put(sa, &hdr, &r, &wire) == ADIT_OK)
        sa_send_beside(sa, wire);
}

void frag_arrived(struct ike_sa *sa, struct frag_join *j)
{
    struct frag_watch *w = &j->watch;
    uint64_t now = sa_now(sa);
    if (j->have == 1)
        *w = (struct frag_watch){ 0 };
    else
        w->gap = (7 * w->gap + (now - w->arrived_at)) / 8;
    w->arrived_at = now;
    w->fruitless = 0;
    if (++w->since >= EACH)
        report(sa, j);
}

void frag_repeated(struct ike_sa *sa, struct frag_join *j)
{
    if (sa_now(sa) - j->watch.reported_at >= most(HOLD, sa_round_trip(sa)))
        report(sa, j);
}

uint64_t frag_report_at(struct ike_sa *sa, const struct frag_join *j)
{
    const struct frag_watch *w = &j->watch;
    if (!j->total || w->fruitless >= FRUITLESS || !form_of(sa))
        return UINT64_MAX;
    return most(j->last_at, w->reported_at) + hold(sa, w);
}

void frag_report_timer(struct ike_sa *sa, struct frag_join *j)
{
    if (frag_report_at(sa, j) > sa_now(sa))
        return;
    report(sa, j);
    j->watch.fruitless++;
}

/* Opened in a copy of its own: if it is none, it may still be a response. */
static bool take(struct ike_sa *sa, const struct ike_reports *form, const struct ike_hdr *hdr, struct adit_span datagram,
                 uint16_t total)
{
    uint8_t bits[IKE_REPORT_ROOM] = { 0 };
    struct adit_buf copy = { 0 };
    struct ike_report r;
    if (!form->in_force(sa) || !form->is(hdr, datagram) || buf_set(&copy, datagram) != ADIT_OK)
        return false;
    bool good = form->get(sa, hdr, copy.p, copy.n, total, bits, &r) == ADIT_OK;
    buf_wipe(&copy);
    if (good)
        sa_report(sa, hdr, &r);
    return good;
}

bool frag_beside(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span datagram)
{
    uint16_t total = sa_reported_total(sa, hdr);
    for (unsigned i = 0; total > 1 && i < EXT_COUNT; i++)
        if (ike_exts[i]->reports && take(sa, ike_exts[i]->reports, hdr, datagram, total))
            return true;
    return false;
}
