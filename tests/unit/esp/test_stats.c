/* test_stats.c - counters, and a name for each verdict. */
#include "esp_fixture.h"

static void counts_inner_octets_and_errors(void **state)
{
    static struct box box, replayed;
    uint8_t inner[200];
    struct pair p;
    struct adit_child_stats out, in;
    pair_init(&p, &suites[0]);
    p.spec.udp_encap = true;
    pair_start(&p);
    for (size_t n = 100; n < 110; n++) {
        struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, n)));
        assert_int_equal(seal_one(p.a, pkt, n), ESP_OK);
        struct esp_pkt *again = box_fill(&replayed, pkt_span(pkt));
        assert_int_equal(open_one(p.at_b, pkt, 1000 + n), ESP_OK);
        assert_int_equal(open_one(p.at_b, again, 5000), ESP_REPLAY);
    }
    esp_sa_stats(p.a, &out);
    esp_sa_stats(p.b, &in);
    assert_int_equal(out.packets_out, 10);
    assert_int_equal(out.bytes_out, 1045);
    assert_int_equal(out.last_out_at, 109);
    assert_int_equal(out.packets_in, 0);
    assert_int_equal(in.packets_in, 10);
    assert_int_equal(in.bytes_in, 1045);
    assert_int_equal(in.last_in_at, 1109);
    assert_int_equal(in.errors_in, 10);
    pair_stop(&p);
}

static void each_verdict_has_its_own_name(void **state)
{
    for (int i = 0; i < ESP_VERDICTS; i++) {
        assert_non_null(esp_verdict_name((enum esp_verdict)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(esp_verdict_name((enum esp_verdict)i),
                                    esp_verdict_name((enum esp_verdict)k));
    }
    assert_string_equal(esp_verdict_name(ESP_VERDICTS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_inner_octets_and_errors),
        cmocka_unit_test(each_verdict_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
