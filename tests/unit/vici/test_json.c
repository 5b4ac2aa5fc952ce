/* test_json.c - messages as JSON (management.md s6) and back, octet for octet. */
#include "unit.h"
#include "vici/vici.h"

static struct arena arena;

static const struct {
    const char *what;
    struct adit_span octets;
    const char *json;
} rows[] = {
    { "empty message", SPAN_LIT(""), "{}" },
    { "value",
      SPAN_LIT("\x03\x01k\0\x03"
               "1.0"),
      "{\"k\":\"1.0\"}" },
    { "empty value, list and section", SPAN_LIT("\x03\x01k\0\0\x04\x01l\x06\x01\x01s\x02"),
      "{\"k\":\"\",\"l\":[],\"s\":{}}" },
    { "order is kept",
      SPAN_LIT("\x03\x01z\0\0\x03\x01"
               "a\0\0"),
      "{\"z\":\"\",\"a\":\"\"}" },
    { "nested", SPAN_LIT("\x01\x01s\x04\x01l\x05\0\x01x\x05\0\x01y\x06\x02"),
      "{\"s\":{\"l\":[\"x\",\"y\"]}}" },
    { "UTF-8 is text", SPAN_LIT("\x03\x01k\0\x02\xc3\xa4"), "{\"k\":\"\xc3\xa4\"}" },
    { "not UTF-8", SPAN_LIT("\x03\x01k\0\x01\xff"), "{\"k\":{\"base64\":\"/w==\"}}" },
    { "with NUL",
      SPAN_LIT("\x03\x01k\0\x03"
               "a\0b"),
      "{\"k\":{\"base64\":\"YQBi\"}}" },
    { "data is always binary",
      SPAN_LIT("\x03\x04"
               "data\0\x02hi"),
      "{\"data\":{\"base64\":\"aGk=\"}}" },
    { "empty data",
      SPAN_LIT("\x03\x04"
               "data\0\0"),
      "{\"data\":{\"base64\":\"\"}}" },
    { "binary item", SPAN_LIT("\x04\x01l\x05\0\x01\x80\x06"), "{\"l\":[{\"base64\":\"gA==\"}]}" },
    { "a section that looks like binary",
      SPAN_LIT("\x01\x01s\x03\x06"
               "base64\0\x04YQBi\x02"),
      "{\"s\":{\"base64\":{\"base64\":\"WVFCaQ==\"}}}" },
    { "a section with more than that",
      SPAN_LIT("\x01\x01s\x03\x06"
               "base64\0\x01x\x03\x01k\0\0\x02"),
      "{\"s\":{\"base64\":\"x\",\"k\":\"\"}}" },
    { "empty name, quotes", SPAN_LIT("\x03\0\0\x01\""), "{\"\":\"\\\"\"}" },
};

static void messages_become_json_and_back(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vici_node *root, *again;
        struct adit_buf json = { 0 }, octets = { 0 };
        assert_int_equal(vici_parse(rows[i].octets, &arena, &root, NULL), ADIT_OK);
        assert_int_equal(vici_to_json(root, &json), ADIT_OK);
        assert_row(rows[i].what, span_equal(buf_span(&json), span_str(rows[i].json)));
        assert_row(rows[i].what, vici_from_json(buf_span(&json), &arena, &again, NULL) == ADIT_OK);
        assert_int_equal(vici_write(again, &octets), ADIT_OK);
        assert_row(rows[i].what, span_equal(buf_span(&octets), rows[i].octets));
        buf_fini(&json);
        buf_fini(&octets);
    }
}

static const struct {
    const char *json, *key, *text; /* text NULL: refused */
} inputs[] = {
    { "{\"k\": true}", "k", "yes" },
    { "{\"k\": false}", "k", "no" },
    { "{\"k\": 4500}", "k", "4500" },
    { "{\"k\": -1}", "k", "-1" },
    { "{\"k\": 1.5}", "k", "1.5" },
    { "{\"data\": \"plain\"}", "data", "plain" },
    { "{\"k\": {\"base64\": \"aGk=\"}}", "k", "hi" },
    { " {\"s\": {\"k\": \"v\"}} ", "s.k", "v" },
    { "{\"k\": null}", NULL, NULL },
    { "{\"k\": 1, \"k\": 2}", NULL, NULL },
    { "{\"l\": [[\"x\"]]}", NULL, NULL },
    { "{\"l\": [{\"k\": \"v\"}]}", NULL, NULL },
    { "{\"l\": [null]}", NULL, NULL },
    { "{\"k\": {\"base64\": \"aGk\"}}", NULL, NULL },
    { "{\"k\": {\"base64\": \"aG=k\"}}", NULL, NULL },
    { "{\"k\": {\"base64\": \"aGl=\"}}", NULL, NULL }, /* stray bits */
    { "{\"k\": {\"base64\": \"a===\"}}", NULL, NULL },
    { "{\"k\": {\"base64\": \"aG k\"}}", NULL, NULL },
    { "{\"\xc3\xa4\": \"v\"}", NULL, NULL },
    { "{\"k\": \"\\u0000\"}", NULL, NULL },
    { "[]", NULL, NULL },
    { "\"k\"", NULL, NULL },
    { "{", NULL, NULL },
    { "", NULL, NULL },
    { "{} {}", NULL, NULL },
    { "{\"k\": \"\xff\"}", NULL, NULL },
};

static void json_is_read_strictly(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
        struct vici_node *root;
        struct adit_why why = { 0 };
        bool ok = vici_from_json(guard_copy(span_str(inputs[i].json)), &arena, &root, &why) == ADIT_OK;
        assert_row(inputs[i].json, ok == (inputs[i].text != NULL));
        assert_row(inputs[i].json,
                   ok ? !strcmp(vici_text(root, inputs[i].key), inputs[i].text) : why.text[0] != 0);
    }
}

static void nesting_is_limited(void **state)
{
    for (int depth = VICI_DEPTH_MAX; depth <= VICI_DEPTH_MAX + 1; depth++) {
        STRBUF(json, 512);
        struct vici_node *root;
        struct adit_buf out = { 0 };
        for (int i = 0; i < depth; i++)
            strbuf_add(&json, "{\"s\":");
        strbuf_add(&json, "{}");
        for (int i = 0; i < depth; i++)
            strbuf_add(&json, "}");
        bool ok = vici_from_json(span_str(json.p), &arena, &root, NULL) == ADIT_OK;
        assert_int_equal(ok, depth <= VICI_DEPTH_MAX);
        assert_true(!ok || vici_write(root, &out) == ADIT_OK);
        buf_fini(&out);
    }
}

static int cleanup(void **state)
{
    arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(messages_become_json_and_back),
                                        cmocka_unit_test(json_is_read_strictly),
                                        cmocka_unit_test(nesting_is_limited) };
    return cmocka_run_group_tests_name("vici/json", tests, NULL, cleanup);
}
