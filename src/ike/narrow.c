/* narrow.c - narrowing of traffic selectors (RFC 7296 s2.9). */
#include "ike/narrow.h"
#include "base/why.h"

#define PRINT_SIZE 108 /* four lists and the words around them fit in struct adit_why */

static void add(struct adit_ts_list *list, const struct adit_ts *ts)
{
    if (list->n < ADIT_TS_MAX)
        list->v[list->n++] = *ts;
}

static void add_dynamic(struct adit_ts_list *out, const struct adit_ts *cfg, const struct adit_ts_list *dynamic)
{
    for (uint16_t i = 0; i < dynamic->n; i++) {
        struct adit_ts ts = dynamic->v[i];
        if (!ts.family || (cfg->family && cfg->family != ts.family))
            continue;
        ts.proto = cfg->proto;
        ts.port_lo = cfg->port_lo;
        ts.port_hi = cfg->port_hi;
        add(out, &ts);
    }
}

void narrow_resolve(const struct adit_ts_cfg *cfg, uint16_t n, const struct adit_ts_list *dynamic,
                    struct adit_ts_list *out)
{
    out->n = 0;
    for (uint16_t i = 0; i < n; i++) {
        if (cfg[i].dynamic)
            add_dynamic(out, &cfg[i].ts, dynamic);
        else
            add(out, &cfg[i].ts);
    }
}

static bool is_covered(const struct adit_ts *ts, const struct adit_ts_list *by)
{
    for (uint16_t i = 0; i < by->n; i++)
        if (ts_contains(&by->v[i], ts))
            return true;
    return false;
}

/* Adds ts unless it is in the list already; what it covers goes. */
static void add_cover(struct adit_ts_list *list, const struct adit_ts *ts)
{
    uint16_t n = 0;
    if (is_covered(ts, list))
        return;
    for (uint16_t i = 0; i < list->n; i++)
        if (!ts_contains(ts, &list->v[i]))
            list->v[n++] = list->v[i];
    list->n = n;
    add(list, ts);
}

/* What both allow, in the peer's order. The peer's first selector may be the packet that woke it up: its part comes
 * first, so that a full list still holds it (RFC 7296 s2.9). */
static void intersect(const struct adit_ts_list *peer, const struct adit_ts_list *mine,
                      struct adit_ts_list *out)
{
    struct adit_ts common;
    out->n = 0;
    for (uint16_t i = 0; i < peer->n; i++)
        for (uint16_t j = 0; j < mine->n; j++)
            if (ts_intersect(&peer->v[i], &mine->v[j], &common))
                add_cover(out, &common);
}

void narrow_cut(struct adit_ts_list *list, const struct adit_ts_list *in)
{
    const struct adit_ts_list all = *list;
    intersect(&all, in, list);
}

static bool has_family(const struct adit_ts_list *list, uint8_t family)
{
    for (uint16_t i = 0; i < list->n; i++)
        if (list->v[i].family == family)
            return true;
    return false;
}

/* No packet goes from one family to the other. */
static void keep_families_of(struct adit_ts_list *list, const struct adit_ts_list *other)
{
    uint16_t n = 0;
    for (uint16_t i = 0; i < list->n; i++)
        if (has_family(other, list->v[i].family))
            list->v[n++] = list->v[i];
    list->n = n;
}

static bool narrow(const struct adit_ts_list *peer_local, const struct adit_ts_list *peer_remote,
                   const struct adit_ts_list *mine_local, const struct adit_ts_list *mine_remote,
                   struct adit_ts_list *out_local, struct adit_ts_list *out_remote)
{
    intersect(peer_local, mine_local, out_local);
    intersect(peer_remote, mine_remote, out_remote);
    keep_families_of(out_local, out_remote);
    keep_families_of(out_remote, out_local);
    return out_local->n > 0 && out_remote->n > 0;
}

enum adit_rc narrow_choose(const struct adit_ts_list *peer_local, const struct adit_ts_list *peer_remote,
                           const struct adit_ts_list *mine_local, const struct adit_ts_list *mine_remote,
                           struct adit_ts_list *out_local, struct adit_ts_list *out_remote, const char *child,
                           struct adit_why *why)
{
    STRBUF(pl, PRINT_SIZE);
    STRBUF(pr, PRINT_SIZE);
    STRBUF(ml, PRINT_SIZE);
    STRBUF(mr, PRINT_SIZE);
    if (narrow(peer_local, peer_remote, mine_local, mine_remote, out_local, out_remote))
        return ADIT_OK;
    narrow_print(&pl, peer_local);
    narrow_print(&pr, peer_remote);
    narrow_print(&ml, mine_local);
    narrow_print(&mr, mine_remote);
    out_local->n = out_remote->n = 0;
    return why_set(why, ADIT_ERR_TS, "peer asks for %s === %s, policy '%.40s' allows %s === %s", pl.p, pr.p,
                   child, ml.p, mr.p);
}

enum adit_rc narrow_check(const struct adit_ts_list *got, const struct adit_ts_list *asked,
                          struct adit_why *why)
{
    STRBUF(text, 200);
    STRBUF(one, 100);
    if (got->n == 0)
        return why_set(why, ADIT_ERR_TS, "peer answered without traffic selectors");
    for (uint16_t i = 0; i < got->n; i++) {
        if (is_covered(&got->v[i], asked))
            continue;
        ts_print(&one, &got->v[i]);
        narrow_print(&text, asked);
        return why_set(why, ADIT_ERR_TS, "peer answered with %s, which is not inside what we asked for: %s",
                       one.p, text.p);
    }
    return ADIT_OK;
}

static bool covers(const struct adit_ts_list *outer, const struct adit_ts_list *inner)
{
    for (uint16_t i = 0; i < inner->n; i++)
        if (!is_covered(&inner->v[i], outer))
            return false;
    return true;
}

static bool same(const struct adit_ts_list *a, const struct adit_ts_list *b)
{
    return covers(a, b) && covers(b, a);
}

int narrow_score(const struct adit_ts_list *peer_local, const struct adit_ts_list *peer_remote,
                 const struct adit_ts_list *mine_local, const struct adit_ts_list *mine_remote)
{
    struct adit_ts_list local, remote;
    if (!narrow(peer_local, peer_remote, mine_local, mine_remote, &local, &remote))
        return 0;
    bool first = is_covered(&peer_local->v[0], mine_local) && is_covered(&peer_remote->v[0], mine_remote);
    return 1 + 2 * first + (same(peer_local, mine_local) && same(peer_remote, mine_remote));
}

static void put_first(struct adit_ts_list *list, const struct adit_ts *ts)
{
    uint16_t n = list->n < ADIT_TS_MAX ? list->n : ADIT_TS_MAX - 1;
    if (ts_equal(&list->v[0], ts))
        return;
    for (uint16_t i = n; i > 0; i--)
        list->v[i] = list->v[i - 1];
    list->v[0] = *ts;
    list->n = (uint16_t)(n + 1);
}

bool narrow_packet_first(struct adit_ts_list *local, struct adit_ts_list *remote, const struct adit_ts *packet_local,
                         const struct adit_ts *packet_remote)
{
    if (!is_covered(packet_local, local) || !is_covered(packet_remote, remote))
        return false;
    put_first(local, packet_local);
    put_first(remote, packet_remote);
    return true;
}

enum adit_rc narrow_clip(struct adit_ts_list *got, const struct adit_ts_list *asked, struct adit_why *why)
{
    struct adit_ts_list inside;
    intersect(got, asked, &inside);
    if (!inside.n)
        return narrow_check(got, asked, why);
    *got = inside;
    return ADIT_OK;
}

void narrow_print(struct strbuf *out, const struct adit_ts_list *ts)
{
    if (ts->n == 0)
        strbuf_add(out, "nothing");
    for (uint16_t i = 0; i < ts->n; i++) {
        if (i)
            strbuf_add(out, ", ");
        ts_print(out, &ts->v[i]);
    }
}
