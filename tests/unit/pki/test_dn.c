/* test_dn.c - distinguished names: text to DER and back, wildcards. */
#include "unit.h"
#include "pki/pki.h"

static const struct {
    const char *what, *text;
    const char *printed; /* NULL: refused */
} rows[] = {
    { "as strongSwan writes it", "C=CH, O=strongSwan, CN=moon.strongswan.org",
      "C=CH, O=strongSwan, CN=moon.strongswan.org" },
    { "without spaces", "C=CH,O=x,CN=y", "C=CH, O=x, CN=y" },
    { "with many", "  C = CH ,  CN =  a b  ", "C=CH, CN=a b" },
    { "slashes", "/C=CH/O=x, y/CN=z", "C=CH, O=x\\, y, CN=z" },
    { "quoted separator", "O=\"x, y\", CN=z", "O=x\\, y, CN=z" },
    { "escaped separator", "O=x\\, y, CN=z", "O=x\\, y, CN=z" },
    { "hex escape", "CN=a\\2Cb", "CN=a\\,b" },
    { "lower case types", "c=CH, cn=y", "C=CH, CN=y" },
    { "object identifier", "2.5.4.3=y", "CN=y" },
    { "unknown object identifier", "1.2.3.4=y", "1.2.3.4=y" },
    { "several values in one RDN", "CN=a+UID=b, O=c", "CN=a+UID=b, O=c" },
    { "e-mail", "E=a@b.example, CN=y", "E=a@b.example, CN=y" },
    { "e-mail that is not ASCII", "E=\xc3\xbc@b.example", "E=\xc3\xbc@b.example" },
    { "e-mail by its long name", "emailAddress=a@b.example", "E=a@b.example" },
    { "domain components", "DC=org, DC=example", "DC=org, DC=example" },
    { "wildcards are kept", "C=*, CN=*", "C=*, CN=*" },
    { "empty value", "O=, CN=y", "O=, CN=y" },
    { "equals sign in a value", "CN=a=b", "CN=a=b" },
    { "UTF-8", "CN=Z\xc3\xbcrich", "CN=Z\xc3\xbcrich" },
    { "serial number", "SN=123, S=Surname", "SN=123, S=Surname" },
    { "control character comes out escaped", "CN=a\\0Ab", "CN=a\\0Ab" },
    { "nothing", "", NULL },
    { "no type", "moon.example", NULL },
    { "unknown type", "XYZ=a", NULL },
    { "type alone", "CN", NULL },
    { "open quotation", "CN=\"a", NULL },
    { "backslash at the end", "CN=a\\", NULL },
    { "separator at the end", "CN=a,", NULL },
    { "two separators", "CN=a,,O=b", NULL },
    { "plus at the end", "CN=a+", NULL },
};

static void text_becomes_der_and_text_again(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = { 0 };
        struct adit_span der = SPAN_NONE;
        STRBUF(out, 200);
        bool ok = pki_dn_encode(NULL, rows[i].text, &arena, &der);
        assert_row(rows[i].what, ok == (rows[i].printed != NULL));
        if (ok) {
            pki_dn_print(der, &out);
            if (strcmp(out.p, rows[i].printed) != 0)
                fail_msg("row '%s': %s", rows[i].what, out.p);
        }
        arena_fini(&arena);
    }
}

/* openssl req -subj "/C=CH/O=Linux strongSwan/CN=moon.strongswan.org" -multivalue-rdn: printable strings. */
static void the_encoding_is_der_with_narrow_strings(void **state)
{
    struct arena arena = { 0 };
    struct adit_span der = SPAN_NONE;
    assert_true(pki_dn_encode(NULL, "C=CH, CN=moon", &arena, &der));
    assert_true(span_equal(der, SPAN_LIT("\x30\x1c\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02"
                                         "CH\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x13\x04"
                                         "moon")));
    arena_fini(&arena);
}

static const struct {
    const char *what, *pattern, *name;
    bool match;
} matches[] = {
    { "equal", "C=CH, CN=y", "C=CH, CN=y", true },
    { "case", "C=CH, CN=Moon", "C=CH, CN=moon", true },
    { "other value", "C=CH, CN=y", "C=CH, CN=z", false },
    { "wildcard", "C=CH, O=x, CN=*", "C=CH, O=x, CN=anything at all", true },
    { "wildcard for one only", "C=*, CN=y", "C=CH, CN=z", false },
    { "all wild", "C=*, CN=*", "C=DE, CN=z", true },
    { "name with more", "CN=*", "CN=a, CN=b", false },
    { "name with less", "C=CH, CN=*", "C=CH", false },
    { "other order", "CN=y, C=CH", "C=CH, CN=y", false },
    { "other type", "OU=*", "O=x", false },
    { "a star in the name is no wildcard", "CN=y", "CN=*", false },
    { "a star inside a value is no wildcard", "CN=a*", "CN=abc", false },
    { "joined values are not separate ones", "CN=a+UID=b", "CN=a, UID=b", false },
};

static void patterns_match(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        struct arena arena = { 0 };
        struct adit_span pattern, name;
        assert_true(pki_dn_encode(NULL, matches[i].pattern, &arena, &pattern));
        assert_true(pki_dn_encode(NULL, matches[i].name, &arena, &name));
        assert_row(matches[i].what, pki_dn_match(pattern, name) == matches[i].match);
        arena_fini(&arena);
    }
}

static void what_is_no_der_matches_nothing(void **state)
{
    struct arena arena = { 0 };
    struct adit_span der;
    assert_true(pki_dn_encode(NULL, "CN=*", &arena, &der));
    for (size_t n = 0; n < der.n; n++) {
        STRBUF(out, 100);
        assert_false(pki_dn_match(der, guard_copy(span_first(der, n))));
        assert_false(pki_dn_match(guard_copy(span_first(der, n)), der));
        pki_dn_print(guard_copy(span_first(der, n)), &out);
        assert_string_equal(out.p, "(not a distinguished name)");
    }
    arena_fini(&arena);
}

static void values_that_are_too_long_are_refused(void **state)
{
    struct arena arena = { 0 };
    struct adit_span der = SPAN_NONE;
    char text[1000] = "CN=";
    memset(text + 3, 'a', 512);
    assert_true(pki_dn_encode(NULL, text, &arena, &der));
    text[3 + 512] = 'a';
    assert_false(pki_dn_encode(NULL, text, &arena, &der));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_der_and_text_again),
        cmocka_unit_test(the_encoding_is_der_with_narrow_strings),
        cmocka_unit_test(patterns_match),
        cmocka_unit_test(what_is_no_der_matches_nothing),
        cmocka_unit_test(values_that_are_too_long_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
