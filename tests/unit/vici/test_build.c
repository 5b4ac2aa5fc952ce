/* test_build.c - building messages: the octets, and every way to build a wrong one. */
#include "unit.h"
#include "vici/vici.h"

static struct adit_buf out;

static void all_elements_have_their_octets(void **state)
{
    struct vici_build b;
    vici_build_init(&b, &out);
    vici_section(&b, "gw");
    vici_str(&b, "uniqueid", "1");
    vici_str(&b, "absent", NULL);
    vici_list(&b, "ts");
    vici_item_str(&b, "a");
    vici_item(&b, SPAN_LIT("\0\xff"));
    vici_list_end(&b);
    vici_section(&b, "child-sas");
    vici_section_end(&b);
    vici_bool(&b, "up", true);
    vici_strf(&b, "spi", "%08x", 0xc0ffeeu);
    vici_section_end(&b);
    assert_int_equal(vici_build_finish(&b), ADIT_OK);
    assert_true(span_equal(buf_span(&out), SPAN_LIT("\x01\x02gw\x03\x08uniqueid\0\x01"
                                                    "1\x04\x02ts\x05\0\x01"
                                                    "a\x05\0\x02\0\xff\x06\x01\x09"
                                                    "child-sas\x02\x03\x02up\0\x03yes\x03\x03spi\0\x08"
                                                    "00c0ffee\x02")));
}

static void empty_message_is_fine(void **state)
{
    struct vici_build b;
    vici_build_init(&b, &out);
    assert_int_equal(vici_build_finish(&b), ADIT_OK);
    assert_int_equal(out.n, 0);
}

/* Steps: ( section, ) its end, [ list, ] its end, k key, i item. */
static const struct {
    const char *steps;
    bool ok;
} rows[] = {
    { "k(k)[ii]", true },
    { "([])", true },
    { "(", false },
    { ")", false },
    { "[", false },
    { "]", false },
    { "i", false },
    { "[k]", false },
    { "[(]", false },
    { "[[]]", false },
    { "([)]", false },
    { "(])", false },
    { "((((((((((((((((k))))))))))))))))", true },
    { "((((((((((((((((()))))))))))))))))", false },
};

static void step(struct vici_build *b, char c)
{
    switch (c) {
    case '(': vici_section(b, "s"); break;
    case ')': vici_section_end(b); break;
    case '[': vici_list(b, "l"); break;
    case ']': vici_list_end(b); break;
    case 'k': vici_str(b, "k", "v"); break;
    default: vici_item_str(b, "i");
    }
}

static void wrong_places_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vici_build b;
        vici_build_init(&b, &out);
        for (const char *c = rows[i].steps; *c; c++)
            step(&b, *c);
        assert_row(rows[i].steps, (vici_build_finish(&b) == ADIT_OK) == rows[i].ok);
    }
}

static enum adit_rc one_value(const char *name, size_t n)
{
    struct vici_build b;
    struct adit_buf value = { 0 };
    assert_int_equal(buf_resize(&value, n), ADIT_OK);
    vici_build_init(&b, &out);
    vici_value(&b, name, buf_span(&value));
    buf_fini(&value);
    return vici_build_finish(&b);
}

static void sizes_are_limited(void **state)
{
    char name[VICI_NAME_MAX + 2] = "";
    for (size_t i = 0; i < VICI_NAME_MAX; i++)
        name[i] = 'x';
    assert_int_equal(one_value(name, VICI_VALUE_MAX), ADIT_OK);
    assert_int_equal(one_value("k", VICI_VALUE_MAX + 1), ADIT_ERR_LIMIT);
    assert_int_equal(one_value("tab\t", 1), ADIT_ERR_LIMIT);
    name[VICI_NAME_MAX] = 'x';
    assert_int_equal(one_value(name, 1), ADIT_ERR_LIMIT);
}

static enum adit_rc many_items(unsigned items)
{
    struct vici_build b;
    vici_build_init(&b, &out);
    vici_list(&b, "l");
    for (unsigned i = 0; i < items; i++)
        vici_item_str(&b, "");
    vici_list_end(&b);
    return vici_build_finish(&b);
}

static void elements_and_octets_are_limited(void **state)
{
    struct vici_build b;
    struct adit_buf value = { 0 };
    assert_int_equal(many_items(VICI_ELEMENTS_MAX - 2), ADIT_OK);
    assert_int_equal(many_items(VICI_ELEMENTS_MAX - 1), ADIT_ERR_LIMIT);
    assert_int_equal(buf_resize(&value, VICI_VALUE_MAX), ADIT_OK);
    vici_build_init(&b, &out);
    for (char name[] = "a"; name[0] < 'i'; name[0]++) /* 8 * (65535 + 5) is above 512 KiB */
        vici_value(&b, name, buf_span(&value));
    assert_int_equal(vici_build_finish(&b), ADIT_ERR_LIMIT);
    buf_fini(&value);
}

static int cleanup(void **state)
{
    buf_fini(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_elements_have_their_octets),  cmocka_unit_test(empty_message_is_fine),
        cmocka_unit_test(wrong_places_are_refused),        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(elements_and_octets_are_limited),
    };
    return cmocka_run_group_tests_name("vici/build", tests, NULL, cleanup);
}
