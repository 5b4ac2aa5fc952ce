/* algs.h - what the kernel calls the algorithms of a Child SA. Pure. */
#ifndef DP_XFRM_ALGS_H
#define DP_XFRM_ALGS_H

#include "adit/model.h"

struct xfrm_alg {
    uint16_t id;      /* transform ID */
    bool aead;        /* one algorithm for both, with its ICV; else a cipher beside an integrity algorithm */
    uint16_t icv;     /* AEAD and integrity: bits of the ICV */
    uint64_t octets;  /* under one key at most: soft limit; 0 = any number */
    const char *name; /* in the kernel's list of algorithms */
};

/* NULL: the kernel has no ESP with it, whatever its configuration. */
const struct xfrm_alg *xfrm_alg_encr(uint16_t id);
const struct xfrm_alg *xfrm_alg_integ(uint16_t id);

#endif
