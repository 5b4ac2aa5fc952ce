/* test_dn.c - distinguished names in DER, as text; input ends at a guard page. */
#include "unit.h"
#include "model/model.h"
#include "model/text.h"

static const struct {
    const char *what;
    struct adit_span der;
    bool ok;
    const char *text;
} rows[] = {
    { "two attributes",
      SPAN_LIT(
          "\x30\x18\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02\x43\x48\x31\x09\x30\x07\x06\x03\x55\x04\x03"
          "\x0c\x00"),
      true, "C=CH, CN=" },
    { "multi-valued RDN",
      SPAN_LIT("\x30\x15\x31\x13\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x\x30\x07\x06\x03\x55\x04\x03\x0c\x00"),
      true, "O=x, CN=" },
    { "comma and control character",
      SPAN_LIT("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03"
               "a,\n"),
      true, "CN=a\\,?" },
    { "unknown attribute", SPAN_LIT("\x30\x0b\x31\x09\x30\x07\x06\x02\x2a\x03\x0c\x01x"), true, "2a03=x" },
    { "empty name", SPAN_LIT("\x30\x00"), true, "" },
    { "one octet short", SPAN_LIT("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02\x43"), false, NULL },
    { "octets left over", SPAN_LIT("\x30\x00\x00"), false, NULL },
    { "indefinite length", SPAN_LIT("\x30\x80\x00\x00"), false, NULL },
    { "not a sequence", SPAN_LIT("\x31\x00"), false, NULL },
    { "value missing", SPAN_LIT("\x30\x09\x31\x07\x30\x05\x06\x03\x55\x04\x06"), false, NULL },
    { "nothing", SPAN_LIT(""), false, NULL },
};

static void names_are_printed(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        STRBUF(out, 128);
        bool ok = dn_print(&out, guard_copy(rows[i].der));
        assert_row(rows[i].what, ok == rows[i].ok);
        if (ok)
            assert_string_equal(out.p, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_are_printed) };
    return cmocka_run_group_tests_name("model/dn", tests, NULL, NULL);
}
