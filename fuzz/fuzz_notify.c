/* fuzz_notify.c - notifies. */
#include "fuzz_wire.h"
#include "wire/be.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct notify got, again;
    struct wr w;
    struct rd in = rd_init(span(data, n));
    if (n > 65000 || !notify_get(&in, &got))
        return 0;
    must(got.spi.n == data[1] && got.spi.n + got.data.n + 4 == n);
    if (got.spi.n != 0 && got.spi.n != 4)
        return 0;
    begin_message(&w);
    if (got.spi.n)
        notify_put_spi(&w, got.proto, be32_get(got.spi.p), got.type, got.data);
    else
        notify_put(&w, got.type, got.data);
    in = rd_init(only_body(&w, PLD_NOTIFY));
    must(notify_get(&in, &again) && again.type == got.type);
    must(span_equal(again.spi, got.spi) && span_equal(again.data, got.data));
    must(again.proto == (got.spi.n ? got.proto : PROTO_NONE));
    return 0;
}
