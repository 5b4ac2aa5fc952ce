/* fuzz_xfrm.c - a message of the kernel's: as an event, as a state, and as one that is to move to other addresses. */
#include "fuzz_wire.h"
#include "dp/xfrm/get.h"
#include "dp/xfrm/put.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct xfrm_msg out, again;
    struct xfrm_move move = { { .family = 4, .ip = { 192, 0, 2, 1 } }, { .family = 4, .ip = { 192, 0, 2, 2 } }, n & 1, 4500, 4501, 7 };
    struct xfrm_state_info info, moved;
    struct xfrm_event ev;
    if (xfrm_event_get(span(data, n), &ev))
        must(ev.type == XFRM_EV_ACQUIRE || ev.dst.family);
    bool is_state = xfrm_state_get(span(data, n), &info);
    if (!xfrm_put_moved(&out, span(data, n), &move))
        return 0;
    must(is_state && out.n <= sizeof(out.p));
    must(xfrm_state_get(span(out.p, out.n), &moved) && moved.packets == 0);
    must(xfrm_put_moved(&again, span(out.p, out.n), &move) || again.fail); /* it may grow a little: no room */
    return 0;
}
