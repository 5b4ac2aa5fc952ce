/* fuzz_delete.c - Delete payloads. */
#include "fuzz_wire.h"
#include "wire/be.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint32_t spis[16384];
    struct delete_payload got, again;
    struct wr w;
    struct rd in = rd_init(span(data, n));
    if (!delete_get(&in, &got))
        return 0;
    must(got.spis.n == (size_t)got.n * got.spi_n && got.spis.n + 4 == n);
    if (got.spi_n != 4 || got.n > 16000)
        return 0;
    for (uint16_t i = 0; i < got.n; i++)
        spis[i] = be32_get(got.spis.p + i * 4u);
    begin_message(&w);
    delete_put_child(&w, got.proto, spis, got.n);
    in = rd_init(only_body(&w, PLD_DELETE));
    must(delete_get(&in, &again) && again.n == got.n && span_equal(again.spis, got.spis));
    return 0;
}
