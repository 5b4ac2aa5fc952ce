/* test_reference.c - the reference names every key of the schema, and those of extensions. */
#include "fake_io.h"
#include "config/schema.h"

static void every_key_is_in_it(void **state)
{
    size_t n;
    const struct config_key *keys = schema_keys(&n);
    struct adit_buf out = { 0 };
    assert_int_equal(config_print_reference(fake_options, ARRAY_LEN(fake_options), &out), ADIT_OK);
    assert_int_equal(buf_append(&out, SPAN_LIT("\0")), ADIT_OK);
    const char *text = (const char *)out.p;
    for (size_t i = 0; i < n; i++) {
        STRBUF(key, 64);
        strbuf_addf(&key, keys[i].verdict == V_HAVE ? "| `%s` |" : "* `%s` (", keys[i].name);
        assert_row(key.p, strstr(text, key.p));
    }
    assert_non_null(strstr(text, "| `x_mode` | no\\|auto\\|yes | auto | a mode (extension x) |\n"));
    assert_non_null(strstr(text, "* `mode = transport_proxy`: refused, a mode of Mobile IPv6 in the kernel\n"));
    buf_fini(&out);
}

static void options_take_refused_keys_off(void **state)
{
    static const struct config_option own = {
        "mobike", CONFIG_OPT_CONN, CONFIG_OPT_TEXT, NULL, NULL, "now there", "cp"
    };
    struct adit_buf out = { 0 };
    assert_int_equal(config_print_reference(&own, 1, &out), ADIT_OK);
    assert_int_equal(buf_append(&out, SPAN_LIT("\0")), ADIT_OK);
    assert_null(strstr((const char *)out.p, "* `mobike`"));
    assert_non_null(strstr((const char *)out.p, "| `mobike` | text |"));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_key_is_in_it),
                                        cmocka_unit_test(options_take_refused_keys_off) };
    return cmocka_run_group_tests_name("config/reference", tests, NULL, NULL);
}
