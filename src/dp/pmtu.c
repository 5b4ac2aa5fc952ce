/* pmtu.c - path MTU of one SA (RFC 1191, RFC 8201; RFC 4301 s8.2). */
#include "dp/pmtu.h"
#include <stddef.h>
#include "base/span.h"

#define FLOOR4 576  /* below it only an attacker or a museum lives */
#define FLOOR6 1280 /* RFC 8200 s5 */

static const uint16_t plateaus[]; /* at the end */

static uint16_t bound(const struct pmtu *p, uint32_t mtu)
{
    uint32_t low = p->v6 ? FLOOR6 : FLOOR4;
    return (uint16_t)(mtu < low ? low : mtu > UINT16_MAX ? UINT16_MAX : mtu);
}

/* RFC 1191 s7.1: the next lower common MTU, for routers that do not tell theirs. */
static uint32_t next_plateau(uint32_t mtu)
{
    size_t i = 0;
    while (plateaus[i] >= mtu && plateaus[i])
        i++;
    return plateaus[i];
}

void pmtu_init(struct pmtu *p, uint32_t link_mtu, bool v6)
{
    *p = (struct pmtu){ .v6 = v6, .until = UINT64_MAX };
    p->link = p->now = bound(p, link_mtu ? link_mtu : 1500);
}

bool pmtu_link(struct pmtu *p, uint32_t link_mtu)
{
    uint16_t before = p->now;
    bool lowered = p->until != UINT64_MAX;
    p->link = bound(p, link_mtu);
    if (!lowered || p->now >= p->link) {
        p->now = p->link;
        p->until = UINT64_MAX;
    }
    return p->now != before;
}

bool pmtu_told(struct pmtu *p, uint32_t mtu, uint64_t now_ns)
{
    uint16_t to = bound(p, mtu ? mtu : next_plateau(p->now));
    if (to >= p->now)
        return false;
    p->now = to;
    p->until = now_ns + PMTU_AGE_NS;
    return true;
}

bool pmtu_age(struct pmtu *p, uint64_t now_ns)
{
    if (now_ns < p->until)
        return false;
    p->now = p->link;
    p->until = UINT64_MAX;
    return true;
}

static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 0 };
