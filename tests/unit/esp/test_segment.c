/* test_segment.c - what is a segment and what is not; lengths are written where they belong. */
#include "esp_fixture.h"
#include "esp/segment.h"
#include "flows.h"

static void segments_are_found(void **state)
{
    static const struct {
        const char *what;
        struct flow flow;
        uint8_t gso;
        size_t head;
    } rows[] = {
        { "TCP in v4", { .tcp = true }, GSO_TCP4, 40 },
        { "TCP in v6", { .tcp = true, .v6 = true }, GSO_TCP6, 60 },
        { "TCP with options", { .tcp = true, .options_n = 12 }, GSO_TCP4, 52 },
        { "IP with options", { .tcp = true, .ip_options_n = 8 }, GSO_TCP4, 48 },
        { "UDP in v4", { .tcp = false }, GSO_UDP, 28 },
        { "UDP in v6", { .v6 = true }, GSO_UDP, 48 },
    };
    uint8_t packet[200];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct segment s;
        size_t n = naive_packet(packet, &rows[i].flow, (const uint8_t *)"0123456789", 10);
        assert_row(rows[i].what, segment_get(guard_copy(span(packet, n)).p, n, &s));
        assert_row(rows[i].what,
                   s.head_n == rows[i].head && s.payload_n == 10 && segment_gso(&s) == rows[i].gso);
        for (size_t cut = 0; cut < n; cut++)
            assert_row(rows[i].what, !segment_get(guard_copy(span(packet, cut)).p, cut, &s));
    }
}

static void others_are_not(void **state)
{
    static const struct {
        const char *what;
        bool v6;
        size_t at;
        uint8_t value;
    } rows[] = {
        { "ICMP", false, 9, 1 },
        { "first fragment", false, 6, 0x20 },
        { "later fragment", false, 7, 1 },
        { "TCP header too short", false, 32, 0x40 },
        { "TCP header longer than the packet", false, 32, 0xf0 },
        { "hop-by-hop", true, 6, 0 },
        { "destination options", true, 6, 60 },
        { "fragment header", true, 6, 44 },
        { "version", false, 0, 0x55 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t packet[100];
        struct segment s;
        struct flow f = { .tcp = true, .v6 = rows[i].v6 };
        size_t n = naive_packet(packet, &f, (const uint8_t *)"0123456789", 10);
        packet[rows[i].at] = rows[i].value;
        assert_row(rows[i].what, !segment_get(packet, n, &s));
    }
}

static void extension_headers_are_left_to_others(void **state)
{
    uint8_t packet[200];
    struct segment s;
    size_t n = unhex(packet,
                     "60000000 0026 3c 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
                     "0600010400000000 1000 0050 00000001 00000001 5010 01f4 0000 0000 61626364656667686970");
    assert_false(segment_get(packet, n, &s));
    packet[6] = 6; /* the same octets without one: the option header is read as TCP's */
    packet[40 + TCP_DOFF_AT] = 0x50;
    assert_true(segment_get(packet, n, &s));
}

static void lengths_are_written(void **state)
{
    for (int i = 0; i < 4; i++) {
        uint8_t packet[200], expect[200];
        struct flow f = { .tcp = i & 1, .v6 = i & 2, .ttl = 9 };
        struct segment s;
        size_t n = naive_packet(packet, &f, (const uint8_t *)"0123456789", 10);
        assert_true(segment_get(packet, n, &s));
        naive_packet(expect, &f, packet + s.head_n, 4);
        segment_set_length(packet, &s, (uint32_t)n - 6);
        naive_l4_sum(packet, &f, n - 6, false);
        assert_memory_equal(packet, expect, n - 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_found),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(extension_headers_are_left_to_others),
        cmocka_unit_test(lengths_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
