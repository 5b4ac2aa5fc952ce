/* esn.c - RFC 4303 Appendix A2.2. The shorter rule of s3.4.3 ("a lower half that went down means the next subspace") is
 * wrong for packets that were reordered. */
#include "esp/esn.h"

/* Without a window nothing is too old: as far back as forward is the best guess. */
#define WINDOW_OFF UINT32_C(0x80000000)

bool esn_guess(uint64_t top, uint32_t window, uint32_t low, uint64_t *seq)
{
    uint32_t w = window ? window : WINDOW_OFF;
    uint32_t tl = (uint32_t)top, th = (uint32_t)(top >> 32);
    uint32_t bottom = tl - w + 1; /* modulo 2^32 as the RFC has it */
    uint32_t high = th;
    if (tl >= w - 1) {
        if (low < bottom) {
            if (th == UINT32_MAX)
                return false;
            high = th + 1;
        }
    } else if (low >= bottom) {
        if (th == 0)
            return false; /* before the first packet: 0xffffffff must not be tried */
        high = th - 1;
    }
    *seq = (uint64_t)high << 32 | low;
    return true;
}
