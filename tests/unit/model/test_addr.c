/* test_addr.c - addresses, endpoints and address ranges as text and as values. */
#include "unit.h"
#include "model/model.h"

static struct adit_addr addr(const char *text)
{
    struct adit_addr a = { 0 };
    assert_row(text, addr_parse(text, &a));
    return a;
}

static const struct {
    const char *text, *printed; /* printed NULL: no address */
} addresses[] = {
    { "192.0.2.1", "192.0.2.1" },
    { "0.0.0.0", "0.0.0.0" },
    { "2001:DB8::1", "2001:db8::1" },
    { "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
    { "192.0.2", NULL },
    { "192.0.2.256", NULL },
    { "192.0.2.1 ", NULL },
    { "fe80::1%eth0", NULL },
    { "", NULL },
};

static void addresses_are_read_and_printed(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct adit_addr a;
        STRBUF(out, 64);
        bool ok = addr_parse(addresses[i].text, &a);
        assert_row(addresses[i].text, ok == (addresses[i].printed != NULL));
        if (!ok)
            continue;
        addr_print(&out, &a);
        assert_string_equal(out.p, addresses[i].printed);
    }
}

static void families_never_compare_equal(void **state)
{
    struct adit_addr v4 = addr("0.0.0.0"), v6 = addr("::"), unset = { 0 };
    assert_false(addr_equal(&v4, &v6));
    assert_false(addr_equal(&v4, &unset));
    assert_true(addr_is_any(&v4) && addr_is_any(&v6) && addr_is_any(&unset));
    struct adit_addr one = addr("::1");
    assert_false(addr_is_any(&one));
    assert_int_equal(addr_span(&v4).n, 4);
    assert_int_equal(addr_span(&v6).n, 16);
}

static void octets_make_an_address(void **state)
{
    struct adit_addr a = addr_from(SPAN_LIT("\xc0\x00\x02\x01")), b = addr("192.0.2.1");
    assert_true(addr_equal(&a, &b));
    assert_int_equal(addr_from(SPAN_LIT("\xc0\x00\x02")).family, 0);
}

static void endpoints_and_paths_compare_all_parts(void **state)
{
    struct adit_path p = { { addr("192.0.2.1"), 500 }, { addr("192.0.2.2"), 4500 } }, q = p;
    STRBUF(out, 64);
    assert_true(path_equal(&p, &q));
    q.tcp = true; /* the same endpoints, but not datagrams */
    assert_false(path_equal(&p, &q));
    q.tcp = false;
    q.remote.port = 500;
    assert_false(path_equal(&p, &q));
    endpoint_print(&out, &p.remote);
    assert_string_equal(out.p, "192.0.2.2[4500]");
}

static void hashes_depend_on_address_port_and_seed(void **state)
{
    struct adit_endpoint a = { addr("192.0.2.1"), 500 }, b = { addr("192.0.2.1"), 501 };
    struct adit_addr v6 = addr("2001:db8::1"), v6b = addr("2001:db8:0:0:1::1");
    assert_true(endpoint_hash(&a, 7) == endpoint_hash(&a, 7));
    assert_true(endpoint_hash(&a, 7) != endpoint_hash(&b, 7));
    assert_true(endpoint_hash(&a, 7) != endpoint_hash(&a, 8));
    assert_true(addr_hash(&v6, 7) != addr_hash(&v6b, 7));
}

/* Rows of management.md s4.3, local_addrs and remote_addrs. */
static const struct {
    const char *text, *in, *out; /* an address that matches, one that does not; in NULL: refused */
    bool any, single;
} specs[] = {
    { "%any", "192.0.2.1", NULL, true, false },
    { "0.0.0.0", "2001:db8::1", NULL, true, false },
    { "::", "192.0.2.1", NULL, true, false },
    { "%any4", "192.0.2.1", "2001:db8::1", false, false },
    { "%any6", "2001:db8::1", "192.0.2.1", false, false },
    { "192.0.2.7", "192.0.2.7", "192.0.2.8", false, true },
    { "192.0.2.0/24", "192.0.2.255", "192.0.3.0", false, false },
    { "192.0.2.77/24", "192.0.2.0", "192.0.1.255", false, false },
    { "192.0.2.77/32", "192.0.2.77", "192.0.2.78", false, true },
    { "0.0.0.0/0", "255.255.255.255", "::1", false, false },
    { "2001:db8::/33", "2001:db8:7fff:ffff::", "2001:db8:8000::", false, false },
    { "192.0.2.10-192.0.2.20", "192.0.2.20", "192.0.2.21", false, false },
    { "moon.example", NULL, "192.0.2.1", false, true },
    { "192.0.2.20-192.0.2.10", NULL, NULL, false, false },
    { "192.0.2.1-2001:db8::1", NULL, NULL, false, false },
    { "192.0.2.0/33", NULL, NULL, false, false },
    { "192.0.2.0/024", NULL, NULL, false, false },
    { "192.0.2.0/", NULL, NULL, false, false },
    { "192.0.2", NULL, NULL, false, false },
    { "-moon", NULL, NULL, false, false },
    { "moon example", NULL, NULL, false, false },
    { "", NULL, NULL, false, false },
};

static void address_ranges_match_what_they_say(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        struct adit_addr_spec spec;
        struct adit_why why = { 0 };
        bool ok = addr_spec_parse(specs[i].text, &spec, &why) == ADIT_OK;
        assert_row(specs[i].text, ok == (specs[i].in || specs[i].out || specs[i].any));
        if (!ok) {
            assert_row(specs[i].text, why.text[0]);
            continue;
        }
        struct adit_addr in = addr(specs[i].in ? specs[i].in : "::"),
                         out = addr(specs[i].out ? specs[i].out : "::");
        assert_row(specs[i].text, spec.any == specs[i].any && spec.single == specs[i].single);
        assert_row(specs[i].text, !specs[i].in || addr_spec_match(&spec, &in));
        assert_row(specs[i].text, !specs[i].out || !addr_spec_match(&spec, &out));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_printed),
        cmocka_unit_test(families_never_compare_equal),
        cmocka_unit_test(octets_make_an_address),
        cmocka_unit_test(endpoints_and_paths_compare_all_parts),
        cmocka_unit_test(hashes_depend_on_address_port_and_seed),
        cmocka_unit_test(address_ranges_match_what_they_say),
    };
    return cmocka_run_group_tests_name("model/addr", tests, NULL, NULL);
}
