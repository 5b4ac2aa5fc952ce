/* test_id.c - identities: strongSwan's textual rules (management.md s4.2), comparing, wildcards. */
#include "unit.h"
#include "model/model.h"
#include "wire/iana.h"

/* Stands in for pki: the DER of "CN=x" is that text behind an "enc:"; texts with '?' can't be encoded. */
static bool fake_dn(void *arg, const char *text, struct arena *arena, struct adit_span *der)
{
    STRBUF(out, 128);
    strbuf_addf(&out, "enc:%s", text);
    *der = arena_span(arena, span(out.p, out.n));
    return !strchr(text, '?');
}

#define REFUSED 255
static const struct {
    const char *text;
    uint8_t type;
    struct adit_span data;
} rows[] = {
    { "moon.example", ID_FQDN, SPAN_LIT("moon.example") },
    { "moon", ID_FQDN, SPAN_LIT("moon") },
    { "192.0.2.1", ID_IPV4_ADDR, SPAN_LIT("\xc0\x00\x02\x01") },
    { "2001:db8::1", ID_IPV6_ADDR, SPAN_LIT("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01") },
    { "", 0, { 0 } },
    { "%any", 0, { 0 } },
    { "%any6", 0, { 0 } },
    { "*", 0, { 0 } },
    { "0.0.0.0", 0, { 0 } },
    { "::", 0, { 0 } },
    { "0::0", 0, { 0 } },
    { "C=CH, O=x, CN=moon", ID_DER_ASN1_DN, SPAN_LIT("enc:C=CH, O=x, CN=moon") },
    { "C=?", ID_KEY_ID, SPAN_LIT("C=?") },
    { "not:an:address", ID_KEY_ID, SPAN_LIT("not:an:address") },
    { "@#0aFF", ID_KEY_ID, SPAN_LIT("\x0a\xff") },
    { "@@alice", ID_RFC822_ADDR, SPAN_LIT("alice") },
    { "@moon", ID_FQDN, SPAN_LIT("moon") },
    { "alice@example.org", ID_RFC822_ADDR, SPAN_LIT("alice@example.org") },
    { "keyid:192.0.2.1", ID_KEY_ID, SPAN_LIT("192.0.2.1") },
    { "KEYID:#00", ID_KEY_ID, SPAN_LIT("\0") },
    { "fqdn:192.0.2.1", ID_FQDN, SPAN_LIT("192.0.2.1") },
    { "dns:moon", ID_FQDN, SPAN_LIT("moon") },
    { "email:moon", ID_RFC822_ADDR, SPAN_LIT("moon") },
    { "userfqdn:moon", ID_RFC822_ADDR, SPAN_LIT("moon") },
    { "rfc822:moon", ID_RFC822_ADDR, SPAN_LIT("moon") },
    { "ipv4:#0a000001", ID_IPV4_ADDR, SPAN_LIT("\x0a\0\0\x01") },
    { "asn1dn:#3000", ID_DER_ASN1_DN, SPAN_LIT("0\0") },
    { "asn1dn:CN=x", ID_DER_ASN1_DN, SPAN_LIT("enc:CN=x") },
    { "asn1gn:#8100", ID_DER_ASN1_GN, SPAN_LIT("\x81\0") },
    { "{11}:text", ID_KEY_ID, SPAN_LIT("text") },
    { "{201}:#01", 201, SPAN_LIT("\x01") },
    { "ipv4:10.0.0.1", REFUSED, { 0 } },
    { "ipv6:#0a000001", REFUSED, { 0 } },
    { "fqdn:", REFUSED, { 0 } },
    { "keyid:#0", REFUSED, { 0 } },
    { "keyid:#0g", REFUSED, { 0 } },
    { "@#", REFUSED, { 0 } },
    { "@", REFUSED, { 0 } },
    { "email:^.*@example\\.org$", REFUSED, { 0 } },
    { "ipv4net:#0a000000ff000000", REFUSED, { 0 } },
    { "10.0.0.0/8", REFUSED, { 0 } },
    { "10.0.0.1-10.0.0.9", REFUSED, { 0 } },
    { "xmppaddr:a@b", REFUSED, { 0 } },
    { "uri:http://x", REFUSED, { 0 } },
    { "{0}:x", REFUSED, { 0 } },
};

static void texts_become_identities(void **state)
{
    struct arena arena = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_id id = { .type = REFUSED };
        struct adit_why why = { 0 };
        bool ok = id_parse(rows[i].text, &arena, fake_dn, NULL, &id, &why) == ADIT_OK;
        assert_row(rows[i].text, ok == (rows[i].type != REFUSED) && id.type == rows[i].type);
        assert_row(rows[i].text, ok ? span_equal(id.data, rows[i].data) : why.text[0] != 0);
    }
    arena_fini(&arena);
}

static void names_without_an_encoder_are_refused(void **state)
{
    struct arena arena = { 0 };
    struct adit_id id;
    struct adit_why why;
    assert_int_equal(id_parse("CN=x", &arena, NULL, NULL, &id, &why), ADIT_ERR_CONFIG);
    arena_fini(&arena);
}

static const struct {
    const char *pattern, *id;
    bool match;
} wild[] = {
    { "%any", "moon.example", true },
    { "moon.example", "MOON.example", true },
    { "*.example", "moon.example", true },
    { "*.example", "a.b.EXAMPLE", true },
    { "*.example", ".example", false },
    { "*.example", "example", false },
    { "*.example", "moon.example.org", false },
    { "*@example.org", "alice@example.org", true },
    { "*@example.org", "alice@sub.example.org", false },
    { "*.example", "alice@x.example", false }, /* another type */
    { "fqdn:*", "moon", false },               /* a lone star is %any, this is a name */
    { "keyid:*x", "keyid:ax", false },         /* wildcards are for names and addresses of mail */
    { "keyid:Ab", "keyid:ab", false },         /* binary: not case-blind */
    { "192.0.2.1", "192.0.2.1", true },
    { "192.0.2.1", "192.0.2.2", false },
};

static void wildcards_match(void **state)
{
    struct arena arena = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
        struct adit_id pattern, id;
        assert_int_equal(id_parse(wild[i].pattern, &arena, NULL, NULL, &pattern, NULL), ADIT_OK);
        assert_int_equal(id_parse(wild[i].id, &arena, NULL, NULL, &id, NULL), ADIT_OK);
        assert_row(wild[i].id, id_match(&pattern, &id) == wild[i].match);
    }
    arena_fini(&arena);
}

static const struct {
    struct adit_id id;
    const char *text;
} prints[] = {
    { { 0, { 0 } }, "%any" },
    { { ID_FQDN, SPAN_LIT("mo\non") }, "mo?on" },
    { { ID_IPV4_ADDR, SPAN_LIT("\xc0\x00\x02\x01") }, "192.0.2.1" },
    { { ID_IPV4_ADDR, SPAN_LIT("\xc0\x00") }, "{1}:#c000" },
    { { ID_KEY_ID, SPAN_LIT("key one") }, "key one" },
    { { ID_KEY_ID, SPAN_LIT("\x00\xff") }, "00ff" },
    { { ID_DER_ASN1_DN, SPAN_LIT("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x") }, "CN=x" },
    { { ID_DER_ASN1_DN, SPAN_LIT("\x30\x0d") }, "{9}:#300d" },
    { { ID_NULL, { 0 } }, "%null" },
};

static void identities_are_printed(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(prints); i++) {
        STRBUF(out, 128);
        id_print(&out, &prints[i].id);
        assert_string_equal(out.p, prints[i].text);
    }
}

static void copies_live_on_their_own(void **state)
{
    char text[] = "moon";
    struct adit_id id = { ID_FQDN, { (uint8_t *)text, 4 } }, copy;
    struct adit_buf buf = { 0 };
    assert_true(id_copy(&buf, &copy, &id));
    text[0] = 'n';
    assert_false(id_equal(&copy, &id));
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_identities),  cmocka_unit_test(names_without_an_encoder_are_refused),
        cmocka_unit_test(wildcards_match),          cmocka_unit_test(identities_are_printed),
        cmocka_unit_test(copies_live_on_their_own),
    };
    return cmocka_run_group_tests_name("model/id", tests, NULL, NULL);
}
