/* test_sources.c - files and VICI become one snapshot; copies change alone; reqids stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/span.h"
#include "daemon/sources.h"

static const struct adit_ike_settings settings = { .port = 500 };

static struct adit_config *one_conn(const char *name, const char *child)
{
    struct adit_child_cfg c = { .name = child };
    struct adit_conn conn = { .name = name, .n_children = 1, .children = &c };
    struct adit_config *cfg = adit_config_new();
    assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
    return cfg;
}

static void put_conn(struct sources *s, const char *name, const char *child)
{
    struct adit_config *cfg = one_conn(name, child);
    assert_int_equal(sources_put(s, SOURCE_CONN, name, cfg), ADIT_OK);
    adit_config_unref(cfg);
}

static void put_cert(struct sources *s, const char *data)
{
    struct adit_cert cert = { .data = span_str(data) };
    struct adit_config *cfg = adit_config_new();
    assert_int_equal(adit_config_add_cert(cfg, &cert), ADIT_OK);
    assert_int_equal(sources_put(s, SOURCE_CERT, "", cfg), ADIT_OK);
    adit_config_unref(cfg);
}

static void vici_replaces_equal_names_of_the_files(void **state)
{
    struct sources s = { .files = one_conn("gw", "net") };
    struct reqids r;
    struct adit_config *cfg;
    const struct adit_conn *const *conns;
    reqids_init(&r);
    put_conn(&s, "other", "x");
    put_conn(&s, "gw", "net2");
    assert_int_equal(sources_build(&s, &settings, &r, &cfg, NULL), ADIT_OK);
    assert_int_equal(adit_config_conns(cfg, &conns), 2);
    assert_string_equal(conns[0]->name, "gw"); /* keeps its place */
    assert_string_equal(conns[0]->children[0].name, "net2");
    assert_int_equal(adit_config_get_settings(cfg)->port, 500);
    adit_config_unref(cfg);
    sources_fini(&s);
    reqids_fini(&r);
}

static void children_keep_their_reqid(void **state)
{
    struct sources s = { 0 };
    struct reqids r;
    struct adit_config *a, *b;
    reqids_init(&r);
    put_conn(&s, "one", "net");
    assert_int_equal(sources_build(&s, &settings, &r, &a, NULL), ADIT_OK);
    put_conn(&s, "two", "net");
    assert_int_equal(sources_build(&s, &settings, &r, &b, NULL), ADIT_OK);
    uint32_t first = adit_config_conn(a, "one")->children[0].reqid;
    assert_int_not_equal(first, 0);
    assert_int_equal(adit_config_conn(b, "one")->children[0].reqid, first);
    assert_int_not_equal(adit_config_conn(b, "two")->children[0].reqid, first);
    adit_config_unref(a);
    adit_config_unref(b);
    sources_fini(&s);
    reqids_fini(&r);
}

static void a_copy_changes_alone(void **state)
{
    struct sources s = { 0 }, copy;
    put_conn(&s, "one", "net");
    assert_int_equal(sources_copy(&copy, &s), ADIT_OK);
    put_conn(&copy, "two", "net");
    assert_true(sources_del(&copy, SOURCE_CONN, "one"));
    assert_false(sources_del(&copy, SOURCE_CONN, "one"));
    assert_int_equal(s.n, 1);
    assert_non_null(sources_find(&s, SOURCE_CONN, "one"));
    assert_null(sources_find(&s, SOURCE_CONN, "two"));
    assert_null(sources_find(&copy, SOURCE_KEY, "two"));
    sources_fini(&s);
    sources_fini(&copy);
}

static void equal_certificates_are_kept_once(void **state)
{
    struct sources s = { 0 };
    put_cert(&s, "aaa");
    put_cert(&s, "bbb");
    put_cert(&s, "aaa");
    assert_int_equal(s.n, 2);
    put_conn(&s, "one", "net");
    sources_clear(&s, SOURCE_CERT);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.v[0].kind, SOURCE_CONN);
    sources_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vici_replaces_equal_names_of_the_files),
        cmocka_unit_test(children_keep_their_reqid),
        cmocka_unit_test(a_copy_changes_alone),
        cmocka_unit_test(equal_certificates_are_kept_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
