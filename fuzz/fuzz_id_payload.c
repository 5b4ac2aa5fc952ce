/* fuzz_id_payload.c - identities. */
#include "fuzz_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct adit_id id, again;
    struct adit_span whole, written;
    struct wr w;
    struct rd in = rd_init(span(data, n));
    if (n > 65000 || !id_get(&in, &id, &whole))
        return 0;
    must(id.type != 0 && span_equal(whole, span(data, n)));
    begin_message(&w);
    id_put(&w, PLD_IDi, &id);
    in = rd_init(only_body(&w, PLD_IDi));
    must(id_get(&in, &again, &written));
    must(again.type == id.type && span_equal(again.data, id.data));
    return 0;
}
