/* test_tables.c - which SA or policy a packet gets, statistics without tearing, and when what was replaced is freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include "base/mem.h"
#include "base/strbuf.h"
#include "dp/tables.h"
#include "model/model.h"

static struct adit_ts ts_of(const char *lo, const char *hi, uint8_t proto, uint16_t port_lo, uint16_t port_hi)
{
    struct adit_addr a, b;
    struct adit_ts ts = { .proto = proto, .port_lo = port_lo, .port_hi = port_hi };
    assert_true(addr_parse(lo, &a) && addr_parse(hi, &b));
    ts.family = a.family;
    span_copy(ts.lo, span(a.ip, 16));
    span_copy(ts.hi, span(b.ip, 16));
    return ts;
}

static struct dp_selectors *net_to(const char *lo, const char *hi, uint8_t proto, uint16_t port)
{
    struct adit_ts local = ts_of("10.1.0.0", "10.1.255.255", 0, 0, 65535);
    struct adit_ts remote = ts_of(lo, hi, proto, port, port ? port : 65535);
    return selectors_new(&local, 1, &remote, 1);
}

static struct ip_packet packet(const char *src, const char *dst, uint8_t proto, uint16_t dport)
{
    struct ip_packet ip = {
        .version = 4, .proto = proto, .src_port = 1000, .dst_port = dport, .has_ports = true
    };
    assert_true(addr_parse(src, &ip.src) && addr_parse(dst, &ip.dst));
    return ip;
}

static struct dp_sa *sa_new(uint32_t id, uint32_t reqid, bool active, struct dp_selectors *sel)
{
    struct dp_sa *sa = mem_new(sizeof(*sa));
    sa->id = id;
    sa->reqid = reqid;
    sa->order = id;
    sa->sel = sel;
    atomic_init(&sa->active, active);
    return sa;
}

/* SAs 1 (old), 2 (its successor), 3 (standby), 4 (another, narrower), policies 10 (wide trap), 11 (drop one host first). */
struct scene {
    struct dp_sa *sa[4];
    struct dp_trap trap[2];
    struct dp_trap *traps[2];
    struct dp_tables *t;
};

static void scene_make(struct scene *s)
{
    s->sa[0] = sa_new(1, 1, true, net_to("10.2.0.0", "10.2.255.255", 0, 0));
    s->sa[1] = sa_new(2, 1, true, net_to("10.2.0.0", "10.2.255.255", 0, 0));
    s->sa[2] = sa_new(3, 1, false, net_to("10.2.0.0", "10.2.255.255", 0, 0));
    s->sa[3] = sa_new(4, 2, true, net_to("10.2.3.0", "10.2.3.255", 6, 443));
    s->trap[0] = (struct dp_trap){
        .reqid = 10, .mode = ADIT_MODE_TUNNEL, .trap = true, .sel = net_to("10.0.0.0", "10.255.255.255", 0, 0)
    };
    s->trap[1] = (struct dp_trap){
        .reqid = 11, .mode = ADIT_MODE_DROP, .priority = 5, .sel = net_to("10.2.9.9", "10.2.9.9", 0, 0)
    };
    s->traps[0] = &s->trap[0];
    s->traps[1] = &s->trap[1];
    s->t = tables_new(s->sa, 4, s->traps, 2);
    assert_non_null(s->t);
}

static void scene_free(struct scene *s)
{
    for (size_t i = 0; i < 4; i++) {
        mem_del(s->sa[i]->sel);
        mem_del(s->sa[i]);
    }
    mem_del(s->trap[0].sel);
    mem_del(s->trap[1].sel);
    mem_del(s->t);
}

static const struct {
    const char *what, *src, *dst;
    uint8_t proto;
    uint16_t dport;
    uint32_t sa, trap;
} rows[] = {
    { "newest active SA", "10.1.0.1", "10.2.0.1", 17, 53, 2, 0 },
    { "narrower selectors win", "10.1.0.1", "10.2.3.4", 6, 443, 4, 0 },
    { "another port", "10.1.0.1", "10.2.3.4", 6, 80, 2, 0 },
    { "only the trap is wide enough", "10.1.0.1", "10.3.0.1", 6, 80, 0, 10 },
    { "explicit priority before width", "10.1.0.1", "10.2.9.9", 6, 80, 0, 11 },
    { "foreign source", "10.9.0.1", "10.2.0.1", 6, 80, 0, 0 },
    { "nowhere", "10.1.0.1", "192.0.2.1", 6, 80, 0, 0 },
};

static void lookups(void **state)
{
    struct scene s;
    scene_make(&s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ip_packet ip = packet(rows[i].src, rows[i].dst, rows[i].proto, rows[i].dport);
        struct dp_match m = tables_lookup(s.t, &ip, 0);
        uint32_t sa = m.sa ? m.sa->id : 0, trap = m.trap ? m.trap->reqid : 0;
        if (sa != rows[i].sa || trap != rows[i].trap)
            fail_msg("%s: SA %u, policy %u", rows[i].what, sa, trap);
    }
    scene_free(&s);
}

/* Port 0 is a port; a later fragment has none. */
static void opaque_ports_are_not_port_0(void **state)
{
    static const struct {
        const char *what;
        uint16_t lo, hi;
        bool with_port_0, without;
    } row[] = {
        { "any", 0, 65535, true, true },
        { "low ports", 0, 1023, true, false },
        { "one", 80, 80, false, false },
        { "OPAQUE", 65535, 0, false, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct adit_ts local = ts_of("10.1.0.0", "10.1.255.255", 0, 0, 65535);
        struct adit_ts remote = ts_of("10.2.0.0", "10.2.255.255", 6, row[i].lo, row[i].hi);
        struct dp_selectors *sel = selectors_new(&local, 1, &remote, 1);
        struct ip_packet ip = packet("10.1.0.1", "10.2.0.1", 6, 0);
        ip.src_port = 0;
        bool with = selectors_match(sel, &ip);
        ip.has_ports = false;
        if (with != row[i].with_port_0 || selectors_match(sel, &ip) != row[i].without)
            fail_msg("%s", row[i].what);
        mem_del(sel);
    }
}

static void activation_moves_traffic(void **state)
{
    struct scene s;
    struct ip_packet ip = packet("10.1.0.1", "10.2.0.1", 17, 53);
    scene_make(&s);
    atomic_store(&s.sa[2]->active, true);
    assert_int_equal(tables_lookup(s.t, &ip, 0).sa->id, 3);
    atomic_store(&s.sa[2]->active, false);
    atomic_store(&s.sa[1]->active, false);
    assert_int_equal(tables_lookup(s.t, &ip, 0).sa->id, 1);
    atomic_store(&s.sa[0]->active, false);
    assert_null(tables_lookup(s.t, &ip, 0).sa);
    assert_int_equal(tables_lookup(s.t, &ip, 0).trap->reqid, 10);
    scene_free(&s);
}

/* The newest one is about to be closed by the peer: an older one carries on, if it may. */
static void traffic_leaves_what_is_being_deleted(void **state)
{
    struct scene s;
    struct ip_packet ip = packet("10.1.0.1", "10.2.0.1", 17, 53);
    scene_make(&s);
    s.sa[1]->leaving = true;
    mem_del(s.t);
    s.t = tables_new(s.sa, 4, s.traps, 2);
    assert_non_null(s.t);
    assert_int_equal(tables_lookup(s.t, &ip, 0).sa->id, 1);
    atomic_store(&s.sa[0]->active, false);
    assert_int_equal(tables_lookup(s.t, &ip, 0).sa->id, 2);
    scene_free(&s);
}

/* RFC 9611: the worker's own one, however old; others' never; else the one for all. */
static void workers_prefer_their_own(void **state)
{
    static const struct {
        unsigned worker;
        bool own_active;
        uint32_t id;
    } who[] = { { 0, true, 1 }, { 1, true, 2 }, { 2, true, 1 }, { 1, false, 1 } };
    struct adit_ts local = ts_of("10.1.0.0", "10.1.255.255", 0, 0, 65535);
    struct adit_ts remote = ts_of("10.2.0.0", "10.2.255.255", 0, 0, 65535);
    struct dp_selectors *sel = selectors_new(&local, 1, &remote, 1);
    struct dp_sa all = { .id = 1, .order = 9, .sel = sel }, own = { .id = 2, .order = 3, .resource = 2, .sel = sel };
    struct dp_sa *list[] = { &all, &own };
    struct ip_packet ip = packet("10.1.0.1", "10.2.0.1", 17, 53);
    struct dp_tables *t = tables_new(list, 2, NULL, 0);
    atomic_store(&all.active, true);
    for (size_t i = 0; i < ARRAY_LEN(who); i++) {
        atomic_store(&own.active, who[i].own_active);
        assert_int_equal(tables_lookup(t, &ip, who[i].worker).sa->id, who[i].id);
    }
    mem_del(t);
    mem_del(sel);
}

static unsigned freed;
static void count_free(void *p)
{
    freed++;
}

static void freed_after_all_passed(void **state)
{
    static struct epoch e; /* static: gcc 12's address sanitizer does not align a fake stack to 64 octets */
    int thing;
    freed = 0;
    assert_int_equal(epoch_init(&e, 2), ADIT_OK);
    epoch_pass(&e, 0);
    epoch_pass(&e, 1);
    epoch_retire(&e, &thing, count_free);
    assert_int_equal(freed, 0);
    epoch_pass(&e, 0);
    epoch_collect(&e);
    assert_int_equal(freed, 0); /* worker 1 may hold it */
    epoch_idle(&e, 1);
    epoch_collect(&e);
    assert_int_equal(freed, 1);
    epoch_pass(&e, 1);
    epoch_retire(&e, &thing, count_free);
    epoch_retire(&e, NULL, count_free);
    assert_int_equal(freed, 1);
    epoch_fini(&e);
    assert_int_equal(freed, 2);
}

static struct dp_sa shared;
static _Atomic bool done;
static void *write_stats(void *arg)
{
    for (uint64_t i = 0; i < 300000; i++) {
        struct adit_child_stats s = { i, i, i, i, i, i, i };
        sa_stats_put(&shared, &s);
    }
    atomic_store(&done, true);
    return NULL;
}

static void statistics_are_never_torn(void **state)
{
    pthread_t t;
    pthread_create(&t, NULL, write_stats, NULL);
    while (!atomic_load(&done)) {
        struct adit_child_stats s;
        sa_stats_get(&shared, &s);
        if (s.bytes_in != s.errors_in || s.bytes_in != s.packets_out)
            fail_msg("%lu %lu %lu", s.bytes_in, s.packets_out, s.errors_in);
    }
    pthread_join(t, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups),
        cmocka_unit_test(opaque_ports_are_not_port_0),
        cmocka_unit_test(activation_moves_traffic),
        cmocka_unit_test(traffic_leaves_what_is_being_deleted), cmocka_unit_test(workers_prefer_their_own),
        cmocka_unit_test(freed_after_all_passed),
        cmocka_unit_test(statistics_are_never_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
