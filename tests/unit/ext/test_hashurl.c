/* test_hashurl.c - a hash and a URL as octets, which URLs are asked for, what is kept (RFC 7296 s3.6). */
#include "../ike/core.h"
#include "ike/ext/hashurl/hashurl.h"

#define SHA1 "01234567890123456789"
#define DATA(text) guard_copy((struct adit_span){ (const uint8_t *)(text), sizeof(text) - 1 })

static const struct {
    const char *what;
    struct adit_span data;
    bool good;
} forms[] = {
    { "hash and URL", { (const uint8_t *)SHA1 "http://a/", 29 }, true },
    { "empty", { (const uint8_t *)"", 0 }, false },
    { "half a hash", { (const uint8_t *)SHA1, 10 }, false },
    { "no URL", { (const uint8_t *)SHA1, 20 }, false },
    { "a line end", { (const uint8_t *)SHA1 "http://a/\r\nX: y", 35 }, false },
    { "a space", { (const uint8_t *)SHA1 "http://a/ b", 31 }, false },
    { "a zero", { (const uint8_t *)SHA1 "http://a\0/", 30 }, false },
    { "a fragment", { (const uint8_t *)SHA1 "http://a/#b", 31 }, false },
    { "a backslash", { (const uint8_t *)SHA1 "http://a\\b/", 31 }, false },
    { "8 bits", { (const uint8_t *)SHA1 "http://\xc3\xa4/", 30 }, false },
};

static void octets_are_checked(void **state)
{
    struct adit_why why;
    struct hashurl h;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        bool good = hashurl_get(guard_copy(forms[i].data), &h, &why);
        assert_row(forms[i].what, good == forms[i].good);
        assert_row(forms[i].what, !good || (!strcmp(h.url, "http://a/") && span_equal(h.sha1, SPAN_LIT(SHA1))));
    }
}

static void a_url_has_its_limit(void **state)
{
    uint8_t data[HASHURL_SHA1 + HASHURL_URL_MAX + 1];
    struct adit_why why;
    struct hashurl h;
    memset(data, 'a', sizeof(data));
    assert_true(hashurl_get(span(data, sizeof(data) - 1), &h, &why));
    assert_int_equal(strlen(h.url), HASHURL_URL_MAX);
    assert_false(hashurl_get(span(data, sizeof(data)), &h, &why));
}

static void ours_is_read_back(void **state)
{
    static const uint8_t sha1[HASHURL_SHA1] = { 0x00, 0x9f, 0xa0, [19] = 0xff };
    uint8_t mem[HASHURL_SHA1 + HASHURL_URL_MAX];
    char base[HASHURL_URL_MAX];
    struct adit_why why;
    struct hashurl h;
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    assert_true(hashurl_put("http://a.example/", sha1, &w));
    assert_true(hashurl_get(wr_written(&w), &h, &why));
    assert_string_equal(h.url, "http://a.example/009fa000000000000000000000000000000000ff");
    assert_true(span_equal(h.sha1, SPAN_ARRAY(sha1)));
    memset(base, 'a', sizeof(base));
    base[HASHURL_URL_MAX - 2 * HASHURL_SHA1] = 0;
    wr_init(&w, mem, sizeof(mem));
    assert_true(hashurl_put(base, sha1, &w));
    base[HASHURL_URL_MAX - 2 * HASHURL_SHA1] = 'a';
    base[HASHURL_URL_MAX - 2 * HASHURL_SHA1 + 1] = 0;
    wr_init(&w, mem, sizeof(mem));
    assert_false(hashurl_put(base, sha1, &w));
}

static const struct {
    const char *url, *prefixes;
    bool allowed;
} places[] = {
    { "http://pki.example/certs/1", "http://pki.example/certs/", true },
    { "http://pki.example/certs/1", "http://other.example/, http://pki.example/certs/", true },
    { "http://pki.example/certs/1?x=%41", "http://pki.example/", true },
    { "http://pki.example/1", "http://pki.example", true },
    { "http://pki.example/1", "", false },
    { "http://pki.example/1", ",", false },
    { "http://pki.example/1", "http://", false },
    { "http://pki.example/1", "http:", false },
    { "http://pki.example/1", "pki.example", false },
    { "https://pki.example/1", "https://pki.example/", false },
    { "file:///etc/passwd", "file:///", false },
    { "HTTP://pki.example/1", "http://pki.example/", false },
    { "http://pki.example/cert", "http://pki.example/certs/", false },
    { "http://pki.example.evil/1", "http://pki.example", false },
    { "http://pki.example@127.0.0.1/", "http://pki.example", false },
    { "http://pki.example:8080/", "http://pki.example", false },
    { "http://pki.example/certs/../admin", "http://pki.example/certs/", false },
    { "http://pki.example/certs/%2e%2E/admin", "http://pki.example/certs/", false },
    { "http://127.0.0.1/", "http://pki.example/", false },
};

static void only_configured_places_are_asked(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        assert_row(places[i].url, hashurl_is_allowed(places[i].url, places[i].prefixes) == places[i].allowed);
}

static void the_oldest_goes(void **state)
{
    uint8_t sha1[HASHURL_SHA1] = { 0 };
    struct hashurl_cache c = { 0 };
    for (unsigned i = 0; i < HASHURL_CACHE; i++) {
        sha1[0] = (uint8_t)i;
        hashurl_keep(&c, SPAN_ARRAY(sha1), span(&sha1[0], 1));
    }
    sha1[0] = 0;
    assert_int_equal(hashurl_find(&c, SPAN_ARRAY(sha1)).p[0], 0); /* used: 1 is the oldest now */
    sha1[0] = 99;
    assert_int_equal(hashurl_find(&c, SPAN_ARRAY(sha1)).n, 0);
    hashurl_keep(&c, SPAN_ARRAY(sha1), span(&sha1[0], 1));
    assert_int_equal(hashurl_find(&c, SPAN_ARRAY(sha1)).p[0], 99);
    sha1[0] = 1;
    assert_int_equal(hashurl_find(&c, SPAN_ARRAY(sha1)).n, 0);
    for (unsigned i = 2; i < HASHURL_CACHE; i++) {
        sha1[0] = (uint8_t)i;
        assert_int_equal(hashurl_find(&c, SPAN_ARRAY(sha1)).n, 1);
    }
    hashurl_cache_fini(&c);
}

/* The defaults are those of a gateway that fetches nothing and offers nothing. */
static void is_off_until_configured(void **state)
{
    const struct ike_ext *ext = ike_exts[EXT_hashurl];
    assert_string_equal(ext->name, "hashurl");
    for (unsigned i = 0; i < 2; i++)
        assert_string_equal(ext->options[i].deflt, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_are_checked),      cmocka_unit_test(a_url_has_its_limit),
        cmocka_unit_test(ours_is_read_back),       cmocka_unit_test(only_configured_places_are_asked),
        cmocka_unit_test(the_oldest_goes),         cmocka_unit_test(is_off_until_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
