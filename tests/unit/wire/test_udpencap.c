/* test_udpencap.c - what a datagram on the NAT traversal port is; and the ESP header's two directions. */
#include "wire_test.h"
#include "wire/esp_hdr.h"
#include "wire/udpencap.h"

static void datagrams_are_told_apart(void **state)
{
    static const struct {
        const char *what, *hex;
        enum udpencap_kind kind;
    } rows[] = {
        { "empty", "", UDPENCAP_RUNT },
        { "keepalive", "ff", UDPENCAP_KEEPALIVE },
        { "one other octet", "fe", UDPENCAP_RUNT },
        { "two octets of a keepalive", "ffff", UDPENCAP_RUNT },
        { "three zeros", "000000", UDPENCAP_RUNT },
        { "marker alone", "00000000", UDPENCAP_IKE },
        { "SPI with one bit", "00000001", UDPENCAP_ESP },
        { "SPI all ones", "ffffffff00", UDPENCAP_ESP },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].what, udpencap_kind(unhex(rows[i].hex)) == rows[i].kind);
}

static void esp_headers_go_both_ways(void **state)
{
    uint8_t out[ESP_HDR_SIZE];
    struct esp_hdr h;
    esp_hdr_put(out, 0x01020304, 5);
    struct rd in = rd_init(guard_copy(SPAN_ARRAY(out)));
    assert_true(esp_hdr_get(&in, &h) && h.spi == 0x01020304 && h.seq == 5);
    in = rd_init(guard_copy(span(out, 7)));
    assert_false(esp_hdr_get(&in, &h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_are_told_apart),
        cmocka_unit_test(esp_headers_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
