/* test_tcpframe.c - RFC 9329's prefix and frames: every kind, every Length, cut at every place. */
#include "wire_test.h"
#include "wire/tcpframe.h"

static void frames_are_told_apart(void **state)
{
    static const struct {
        const char *what, *hex, *body;
        enum tcpframe_kind kind;
        size_t used;
    } rows[] = {
        { "nothing yet", "", "", TCPFRAME_MORE, 0 },
        { "half a Length", "00", "", TCPFRAME_MORE, 0 },
        { "Length 0", "0000", "", TCPFRAME_BAD, 0 },
        { "Length 1", "0001aabb", "", TCPFRAME_BAD, 0 },
        { "empty", "0002aa", "", TCPFRAME_NOTHING, 2 },
        { "keepalive", "0003ffaa", "", TCPFRAME_NOTHING, 3 },
        { "one other octet", "0003fe", "", TCPFRAME_RUNT, 3 },
        { "three zeros", "0005000000", "", TCPFRAME_RUNT, 5 },
        { "marker alone", "000600000000", "", TCPFRAME_IKE, 6 },
        { "IKE", "0008000000000102", "\1\2", TCPFRAME_IKE, 8 },
        { "IKE, an octet short", "00090000000001ff", "", TCPFRAME_MORE, 0 },
        { "ESP", "0006c0ffee01", "\xc0\xff\xee\1", TCPFRAME_ESP, 6 },
        { "ESP, and more behind it", "0006c0ffee010002", "\xc0\xff\xee\1", TCPFRAME_ESP, 6 },
        { "the longest, of which little is there", "ffff00000000", "", TCPFRAME_MORE, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_span body;
        size_t used;
        enum tcpframe_kind kind = tcpframe_get(guard_copy(unhex(rows[i].hex)), &body, &used);
        assert_row(rows[i].what, kind == rows[i].kind && used == rows[i].used);
        if (kind >= TCPFRAME_IKE)
            assert_row(rows[i].what, span_equal(body, span_str(rows[i].body)));
    }
}

static void heads_have_their_limits(void **state)
{
    static const struct {
        const char *what;
        bool ike;
        size_t n, head;
    } rows[] = {
        { "no IKE", true, 0, 6 },          { "longest IKE", true, TCPFRAME_IKE_MAX, 6 },
        { "too long", true, 65530, 0 },    { "longest ESP", false, TCPFRAME_ESP_MAX, 2 },
        { "too long ESP", false, 65534, 0 }, { "ever so long", true, SIZE_MAX, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t head[TCPFRAME_HEAD_MAX];
        assert_row(rows[i].what, tcpframe_head(head, rows[i].ike, rows[i].n) == rows[i].head);
    }
}

/* Two frames, read in two pieces cut anywhere, are the same two frames. */
static void streams_may_be_cut_anywhere(void **state)
{
    uint8_t all[40], *end = all;
    struct adit_span text = SPAN_LIT("the first message"), body;
    size_t used;
    end += tcpframe_head(end, true, text.n);
    end = span_copy(end, text);
    size_t first = (size_t)(end - all);
    end += tcpframe_head(end, false, 6);
    end = span_copy(end, SPAN_LIT("\1\2\3\4\5\6"));
    size_t whole = (size_t)(end - all);
    for (size_t cut = 0; cut < whole; cut++) {
        enum tcpframe_kind kind = tcpframe_get(guard_copy(span(all, cut)), &body, &used);
        assert_int_equal(kind, cut < first ? TCPFRAME_MORE : TCPFRAME_IKE);
        if (cut < first)
            continue;
        assert_true(used == first && span_equal(body, text));
        assert_int_equal(tcpframe_get(guard_copy(span(all + first, cut - first)), &body, &used), TCPFRAME_MORE);
    }
    assert_int_equal(tcpframe_get(span(all + first, whole - first), &body, &used), TCPFRAME_ESP);
    assert_true(used == 8 && body.n == 6);
}

static void prefixes_are_wrong_at_the_first_octet_that_differs(void **state)
{
    static const struct {
        const char *what, *text;
        bool ok, enough;
    } rows[] = {
        { "nothing yet", "", false, false },  { "half", "IKE", false, false },
        { "all", "IKETCP", true, true },      { "and more", "IKETCP\1", true, true },
        { "first differs", "G", false, true }, { "last differs", "IKETCQ", false, true },
        { "HTTP", "GET / HTTP/1.1", false, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool enough, ok = tcpframe_prefix(guard_copy(span_str(rows[i].text)), &enough);
        assert_row(rows[i].what, ok == rows[i].ok && enough == rows[i].enough);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_told_apart),
        cmocka_unit_test(heads_have_their_limits),
        cmocka_unit_test(streams_may_be_cut_anywhere),
        cmocka_unit_test(prefixes_are_wrong_at_the_first_octet_that_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
