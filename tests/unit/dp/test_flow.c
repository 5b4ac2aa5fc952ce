/* test_flow.c - the cache answers as the tables do, and forgets when the generation moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/mem.h"
#include "dp/flow.h"
#include "model/model.h"

static void cache_follows_generations(void **state)
{
    struct flow_cache *c = mem_new(sizeof(*c));
    struct adit_ts any = ts_any(4);
    struct dp_sa sa = { .id = 1 };
    struct ip_packet ip = { .version = 4, .proto = 17, .src_port = 1, .dst_port = 2 };
    struct dp_sa *list[] = { &sa };
    ip.src = ip.dst = (struct adit_addr){ .family = 4, .ip = { 10, 0, 0, 1 } };
    sa.sel = selectors_new(&any, 1, &any, 1);
    atomic_init(&sa.active, true);
    struct dp_tables *with = tables_new(list, 1, NULL, 0), *without = tables_new(NULL, 0, NULL, 0);
    assert_ptr_equal(flow_lookup(c, with, 1, &ip).sa, &sa);
    assert_ptr_equal(flow_lookup(c, without, 1, &ip).sa, &sa); /* remembered */
    assert_null(flow_lookup(c, without, 2, &ip).sa);
    assert_null(flow_lookup(c, with, 2, &ip).sa); /* "none" too */
    assert_ptr_equal(flow_lookup(c, with, 3, &ip).sa, &sa);
    ip.dst_port = 3;
    assert_null(flow_lookup(c, without, 3, &ip).sa); /* another flow */
    mem_del(with);
    mem_del(without);
    mem_del(sa.sel);
    mem_del(c);
}

static void hash_depends_on_each_part(void **state)
{
    struct ip_packet a = { .version = 4, .proto = 6, .src_port = 1, .dst_port = 2 }, b;
    a.src = a.dst = (struct adit_addr){ .family = 4, .ip = { 10, 0, 0, 1 } };
    for (unsigned i = 0; i < 6; i++) {
        b = a;
        b.src.ip[3] ^= i == 0;
        b.dst.ip[0] ^= i == 1;
        b.src_port ^= i == 2;
        b.dst_port ^= i == 3;
        b.proto ^= i == 4;
        if (i < 5)
            assert_true(flow_hash(&a, 7) != flow_hash(&b, 7));
        else
            assert_true(flow_hash(&a, 7) == flow_hash(&b, 7));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache_follows_generations),
        cmocka_unit_test(hash_depends_on_each_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
