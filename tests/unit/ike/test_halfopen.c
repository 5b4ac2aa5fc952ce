/* test_halfopen.c - how many strangers at once, and how many errors they are told (RFC 7296 s2.6, RFC 8019 s4). */
#include "core.h"

static struct adit_addr address(unsigned i)
{
    return (struct adit_addr){ .family = 4, .ip = { 198, 51, (uint8_t)(i >> 8), (uint8_t)i } };
}

static void cookies_are_wanted_when_it_gets_crowded(void **state)
{
    static const struct {
        const char *what;
        uint32_t threshold, threshold_ip;
        unsigned from_all, from_one; /* half-open SAs of others, of the one who asks */
        bool wants;
    } rows[] = {
        { "empty", 30, 3, 0, 0, false },
        { "one below", 30, 3, 29, 0, false },
        { "at the threshold", 30, 3, 30, 0, true },
        { "those of one address count too", 30, 3, 28, 2, true },
        { "one below for one address", 30, 3, 0, 2, false },
        { "at the threshold for one address", 30, 3, 0, 3, true },
        { "no threshold for one address", 30, 0, 0, 29, false },
        { "always", 0, 3, 0, 0, true },
        { "never", UINT32_MAX, 3, 100, 100, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct adit_addr me = address(0);
        ike->policy->settings.cookie_threshold = rows[i].threshold;
        ike->policy->settings.cookie_threshold_ip = rows[i].threshold_ip;
        for (unsigned k = 1; k <= rows[i].from_all; k++)
            halfopen_add(ike, &(struct adit_addr){ 4, { 203, 0, (uint8_t)(k >> 8), (uint8_t)k } });
        for (unsigned k = 0; k < rows[i].from_one; k++)
            halfopen_add(ike, &me);
        assert_row(rows[i].what, halfopen_wants_cookie(ike, &me) == rows[i].wants);
        core_free(ike);
    }
}

static void what_comes_also_goes(void **state)
{
    struct ike *ike = core_new();
    ike->policy->settings.cookie_threshold = 1000;
    ike->policy->settings.cookie_threshold_ip = 3;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 300; i++) {
            struct adit_addr a = address(i % 100);
            assert_false(halfopen_wants_cookie(ike, &a));
            halfopen_add(ike, &a);
        }
        assert_int_equal(ike->half_open, 300);
        for (unsigned i = 0; i < 100; i++) {
            struct adit_addr a = address(i);
            assert_true(halfopen_wants_cookie(ike, &a));
            for (int k = 0; k < 3; k++)
                halfopen_del(ike, &a);
            assert_false(halfopen_wants_cookie(ike, &a));
        }
        assert_int_equal(ike->half_open, 0);
    }
    assert_int_equal(ike->per_ip.n, 0);
    core_free(ike);
}

static void the_ceiling_is_the_total(void **state)
{
    struct ike *ike = core_new();
    struct adit_addr a = address(1), b = address(2);
    ike->policy->settings.half_open_max = 2;
    halfopen_add(ike, &a);
    assert_true(halfopen_may(ike, &a) && halfopen_may(ike, &b));
    halfopen_add(ike, &a);
    assert_false(halfopen_may(ike, &a) || halfopen_may(ike, &b));
    halfopen_del(ike, &a);
    assert_true(halfopen_may(ike, &b));
    core_free(ike);
}

/* A cookie proves an address, no more: one network has a share of the places. */
static void one_network_does_not_take_all(void **state)
{
    static const struct {
        const char *what, *a, *b;
        bool together;
    } rows[] = {
        { "one IPv4 address", "198.51.100.1", "198.51.100.1", true },
        { "two IPv4 addresses", "198.51.100.1", "198.51.100.2", false },
        { "one IPv6 /64", "2001:db8::1", "2001:db8::ffff:1", true },
        { "two IPv6 /64", "2001:db8::1", "2001:db8:0:1::1", false },
    };
    const unsigned max = 1000, share = max / IKE_HALF_OPEN_SHARE + IKE_HALF_OPEN_FEW;
    assert_true(share < max / 5);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct adit_addr a, b;
        assert_true(addr_parse(rows[i].a, &a) && addr_parse(rows[i].b, &b));
        ike->policy->settings.half_open_max = max;
        for (unsigned k = 0; k < share; k++) {
            assert_row(rows[i].what, halfopen_may(ike, &a));
            halfopen_add(ike, &a);
        }
        assert_row(rows[i].what, !halfopen_may(ike, &a));
        assert_row(rows[i].what, halfopen_may(ike, &b) == !rows[i].together);
        halfopen_del(ike, &b);
        assert_row(rows[i].what, halfopen_may(ike, &a) == rows[i].together);
        core_free(ike);
    }
}

static void strangers_get_few_lines(void **state)
{
    struct ike *ike = core_new();
    unsigned lines = 0;
    for (int i = 0; i < 1000; i++)
        lines += ike_may_log_stranger(ike);
    assert_int_equal(lines, IKE_STRANGER_LINES_PER_SECOND);
    assert_true(ike_may_answer_error(ike)); /* a limit of its own */
    ike->now += SECONDS(1);
    assert_true(ike_may_log_stranger(ike));
    core_free(ike);
}

/* Without memory for the count of one address the total still counts, also back down. */
static void memory_may_be_out(void **state)
{
    struct ike *ike = core_new();
    struct adit_addr a = address(1);
    unsigned left = 0;
    mem_set_gate(gate_countdown, &left);
    halfopen_add(ike, &a);
    mem_set_gate(NULL, NULL);
    assert_int_equal(ike->half_open, 1);
    halfopen_del(ike, &a);
    assert_int_equal(ike->half_open, 0);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_are_wanted_when_it_gets_crowded),
        cmocka_unit_test(what_comes_also_goes),
        cmocka_unit_test(the_ceiling_is_the_total),
        cmocka_unit_test(one_network_does_not_take_all),
        cmocka_unit_test(strangers_get_few_lines),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
