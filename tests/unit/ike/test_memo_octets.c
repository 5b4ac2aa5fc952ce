/* test_memo_octets.c - a memo is read as it was written, or not at all. */
#include "core.h"
#include "ike/memo.h"

static void a_memo_is_read_as_it_was_written(void **state)
{
    struct memo m = { .suite = { .encr = 20, .encr_bits = 256, .prf = 5, .ke = { 31, 36 } }, .spi_i = 1, .spi_r = 2,
                      .proven_until = 3, .conn = SPAN_LIT("peer"), .id_local = SPAN_LIT("\2\0\0\0a"),
                      .id_remote = SPAN_LIT("\2\0\0\0b"), .local_auth = SPAN_LIT("x"), .remote_auth = SPAN_LIT("y"),
                      .sk_d = SPAN_LIT("secret"), .carried = SPAN_LIT("\1e\1v") };
    uint8_t mem[300];
    struct memo got;
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    memo_put(&w, &m);
    struct rd in = rd_init(wr_written(&w));
    assert_true(memo_get(&in, &got));
    assert_true(got.suite.encr == 20 && got.suite.ke[1] == 36 && got.spi_r == 2 && got.proven_until == 3);
    assert_true(span_equal(got.id_remote, m.id_remote) && span_equal(got.sk_d, m.sk_d) &&
                span_equal(got.carried, m.carried) && span_equal(got.remote_auth, m.remote_auth));
    for (size_t n = 0; n < w.n; n++) {
        in = rd_init(span(mem, n));
        assert_false(memo_get(&in, &got));
    }
    mem[0]++;
    in = rd_init(wr_written(&w));
    assert_false(memo_get(&in, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_memo_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
