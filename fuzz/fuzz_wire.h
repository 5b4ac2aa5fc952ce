/* fuzz_wire.h - what the targets of the room wire share: a property that must hold, a message with one payload. */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <stdlib.h>
#include "wire/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Like assert(), but there in every build. */
#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

static inline void begin_message(struct wr *w)
{
    static uint8_t mem[2 * 65536];
    wr_init(w, mem, sizeof(mem));
    ike_hdr_put(w, &(struct ike_hdr){ .version = IKE_VERSION });
}

/* The body of the only payload; SPAN_NONE if it was too long to be written. */
static inline struct adit_span only_body(struct wr *w, uint8_t type)
{
    static struct payload_list list;
    struct ike_hdr hdr;
    if (!wr_ok(w))
        return SPAN_NONE;
    ike_hdr_close(w, 0);
    struct rd in = rd_init(wr_written(w));
    must(ike_hdr_get(&in, &hdr) && hdr.next == type && hdr.length == w->n);
    must(payloads_get(&in, hdr.next, &list, NULL) && list.n == 1);
    return list.v[0].body;
}

#endif
