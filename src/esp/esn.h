/* esn.h - the half of an extended sequence number that is not on the wire (RFC 4303 s2.2.1, Appendix A2). */
#ifndef ESP_ESN_H
#define ESP_ESN_H

#include "adit/base.h"

/* The 64-bit number that `low` most likely stands for, given the highest authentic one and the window's size (0 = off).
 * False: it would lie before the first or after the last number there is. */
bool esn_guess(uint64_t top, uint32_t window, uint32_t low, uint64_t *seq);

#endif
