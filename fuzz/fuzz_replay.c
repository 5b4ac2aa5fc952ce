/* fuzz_replay.c - window and extended numbers against a list of everything that was accepted.
 * Input: size (2), extended or not, start (8), then steps: distance from the top (signed, 3 octets). */
#include <stdlib.h>
#include "base/rd.h"
#include "esp/esn.h"
#include "esp/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

#define STEPS 600

static uint64_t accepted[STEPS];
static size_t n_accepted;

static bool is_fresh(uint64_t top, uint32_t size, uint64_t seq)
{
    if (seq == 0 || (top >= size && seq <= top - size))
        return false;
    for (size_t i = 0; i < n_accepted; i++)
        if (accepted[i] == seq)
            return false;
    return true;
}

static void step(struct replay *w, uint64_t seq, bool extended)
{
    uint64_t top = w->top, guess;
    bool fresh = is_fresh(top, w->size, seq);
    must(replay_check(w, seq) == fresh && w->top == top);
    /* whatever the window would take (and no further ahead than half a subspace) is found by its low half */
    if (extended && fresh && (seq <= top || seq - top < UINT32_C(0x80000000)))
        must(esn_guess(top, w->size, (uint32_t)seq, &guess) && guess == seq);
    must(replay_update(w, seq) == fresh);
    must(w->top == (fresh && seq > top ? seq : top));
    if (fresh)
        accepted[n_accepted++] = seq;
    must(!replay_check(w, seq));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rd in = rd_init(span(data, n));
    struct replay w;
    uint32_t size = rd_u16(&in) + 1u;
    bool extended = rd_u8(&in) & 1;
    uint64_t start = rd_u64(&in);
    if (!rd_ok(&in) || replay_init(&w, size) != ADIT_OK)
        return 0;
    w.top = extended ? start : start & UINT32_MAX;
    n_accepted = 0;
    for (size_t i = 0; i < STEPS && in.n >= 3; i++) {
        int32_t delta = (int32_t)(((uint32_t)rd_u8(&in) << 24) | (uint32_t)rd_u16(&in) << 8) >> 8;
        uint64_t seq = w.top + (uint64_t)(int64_t)delta;
        bool wraps = delta < 0 ? (uint64_t) - (int64_t)delta > w.top : seq < w.top;
        if (!wraps)
            step(&w, seq, extended);
    }
    replay_fini(&w);
    return 0;
}
