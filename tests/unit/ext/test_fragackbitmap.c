/* test_fragackbitmap.c - reports between two SAs: what is put is got, by whom and about what it may be. Scenarios: sim_fragackbitmap.c. */
#include "../ike/core.h"
#include "ike/ext/fragackbitmap/fragackbitmap.h"

static const struct ike_hdr hdr = { .spi_i = 1, .spi_r = 2, .version = IKE_VERSION, .exchange = XCHG_IKE_INTERMEDIATE,
                                    .flags = IKE_FLAG_RESPONSE, .msgid = 3 };

static void is_registered_with_its_document(void **state)
{
    assert_string_equal(ike_exts[EXT_fragackbitmap]->name, "fragackbitmap");
    assert_non_null(ike_exts[EXT_fragackbitmap]->reports);
}

static void what_is_put_is_got(void **state)
{
    const struct ike_reports *form = ike_exts[EXT_fragackbitmap]->reports;
    struct ike *ike = core_new();
    struct ike_sa *from = core_sa(ike, false), *to = core_sa(ike, true);
    for (uint16_t total = 2; total < 1000; total = (uint16_t)(total * 2 + 1)) {
        uint8_t got[128] = { 0 }, bits[IKE_REPORT_ROOM] = { 0 };
        for (unsigned i = 0; i < (total + 7u) / 8; i++)
            got[i] = (uint8_t)(i % 3 ? 0xff : 0x0f);
        struct ike_report r = { total, 1, total, got }, out;
        struct ike_wire *w = NULL;
        assert_int_equal(form->put(from, &hdr, &r, &w), ADIT_OK);
        assert_true(w->made == 1 && w->datagrams[0].n <= 548);
        struct rd in = rd_init(w->datagrams[0]);
        struct ike_hdr h;
        assert_true(ike_hdr_get(&in, &h) && h.length == w->datagrams[0].n && h.msgid == 3);
        assert_true(form->is(&h, w->datagrams[0]));
        struct adit_buf copy = { 0 };
        assert_int_equal(buf_set(&copy, w->datagrams[0]), ADIT_OK);
        assert_int_equal(form->get(to, &h, copy.p, copy.n, total, bits, &out), ADIT_OK);
        assert_true(out.total == total && out.first == 1 && out.last == total);
        for (unsigned i = 0; i < total; i++)
            assert_int_equal(!!(bits[i / 8] & (0x80 >> i % 8)), !!(got[i / 8] & (0x80 >> i % 8)));
        assert_int_equal(buf_set(&copy, w->datagrams[0]), ADIT_OK);
        copy.p[copy.n - 1] ^= 1;
        assert_int_equal(form->get(to, &h, copy.p, copy.n, total, bits, &out), ADIT_ERR_INTEGRITY);
        assert_int_equal(buf_set(&copy, w->datagrams[0]), ADIT_OK);
        assert_int_equal(form->get(to, &h, copy.p, copy.n, (uint16_t)(total + 1), bits, &out), ADIT_ERR_DROP);
        buf_fini(&copy);
        wire_unref(w);
    }
    core_free(ike);
}

static void bodies_are_judged(void **state)
{
    static const struct {
        const char *what, *octets;
        size_t n;
        bool good;
    } rows[] = {
        { "all", "\0\1\0\24\377\377\360", 7, true },  { "some", "\0\11\0\20\0", 5, true },
        { "empty", "", 0, false },                      { "no map", "\0\1\0\24", 4, false },
        { "first 0", "\0\0\0\7\377", 5, false },      { "reversed", "\0\5\0\4\377", 5, false },
        { "beyond total", "\0\15\0\25\377\377", 6, false }, { "map too short", "\0\1\0\24\377\377", 6, false },
        { "map too long", "\0\1\0\24\377\377\360\0", 8, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t bits[IKE_REPORT_ROOM] = { 0 };
        struct ike_report out;
        struct adit_span body = guard_copy(span((const uint8_t *)rows[i].octets, rows[i].n));
        assert_row(rows[i].what, (fragackbitmap_read(body, 20, bits, &out) == ADIT_OK) == rows[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_registered_with_its_document),
        cmocka_unit_test(what_is_put_is_got),
        cmocka_unit_test(bodies_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
