/* skf.c - the fields of the Encrypted Fragment payload that the encrypted part lacks, RFC 7383 s2.5. */
#include "wire/payload.h"

bool skf_get(struct rd *in, struct skf *out)
{
    out->number = rd_u16(in);
    out->total = rd_u16(in);
    /* s2.6: otherwise the fragment is to be dropped */
    return rd_require(in, out->number >= 1 && out->number <= out->total, "fragment number");
}

void skf_put(struct wr *w, struct skf f)
{
    wr_u16(w, f.number);
    wr_u16(w, f.total);
}
