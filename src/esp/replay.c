/* replay.c - the window as a ring of bits. */
#include "esp/replay.h"
#include "base/mem.h"

#define WORD 64u

static bool seen(const struct replay *w, uint64_t seq)
{
    uint64_t at = seq & (w->ring - 1);
    return w->bits[at / WORD] >> at % WORD & 1;
}

static void remember(struct replay *w, uint64_t seq)
{
    uint64_t at = seq & (w->ring - 1);
    w->bits[at / WORD] |= UINT64_C(1) << at % WORD;
}

/* Forgets the numbers whose bits first .. first + n - 1 will use; n <= ring. */
static void forget(struct replay *w, uint64_t first, uint64_t n)
{
    while (n) {
        uint64_t at = first & (w->ring - 1), bit = at % WORD;
        uint64_t part = n < WORD - bit ? n : WORD - bit;
        uint64_t mask = part == WORD ? UINT64_MAX : ((UINT64_C(1) << part) - 1) << bit;
        w->bits[at / WORD] &= ~mask;
        first += part;
        n -= part;
    }
}

static void slide(struct replay *w, uint64_t top)
{
    uint64_t step = top - w->top;
    if (w->size)
        forget(w, w->top + 1, step < w->ring ? step : w->ring);
    w->top = top;
}

enum adit_rc replay_init(struct replay *w, uint32_t size)
{
    *w = (struct replay){ .size = size < REPLAY_SIZE_MAX ? size : REPLAY_SIZE_MAX };
    if (!w->size)
        return ADIT_OK;
    for (w->ring = WORD; w->ring < w->size;)
        w->ring *= 2;
    w->bits = mem_new(w->ring / 8);
    return w->bits ? ADIT_OK : ADIT_ERR_MEMORY;
}

void replay_fini(struct replay *w)
{
    mem_del(w->bits);
    *w = (struct replay){ 0 };
}

bool replay_check(const struct replay *w, uint64_t seq)
{
    if (!w->size || seq > w->top)
        return true;
    /* The first packet has number 1 (RFC 4303 s2.2): 0 is older than everything. */
    return seq != 0 && w->top - seq < w->size && !seen(w, seq);
}

bool replay_update(struct replay *w, uint64_t seq)
{
    if (!replay_check(w, seq))
        return false;
    if (seq > w->top)
        slide(w, seq);
    if (w->size)
        remember(w, seq);
    return true;
}
