/* sim_fragackbitmap.c - a megabyte in fragments between two hosts that report what has arrived, over links that lose some. */
#include "frag_matrix.h"

static const struct frag_scheme scheme = { "fragackbitmap", "no", "auto", true };

/* clang-format off */
FRAG_MATRIX_ALL(scheme)
/* clang-format on */

/* What the peer does not know does no harm: it is told nothing, and all of the message is sent again. */
SIM_TEST(a_peer_without)
{
    sim_configure(s, .ike = "aes128gcm16-prfsha256-x25519+64005");
    sim_configure_host(s, B, .ike = "aes128gcm16-prfsha256-x25519+64005",
                       .option = { { "fragacklist", "no" }, { "fragackbitmap", "no" } });
    sim_start(s);
    frag_matrix_link(s, 0.01);
    sim_establish(s);
    expect_same_keys(s);
    expect(s, sim_counter(s, A, ADIT_C_REPORTS_IN) == 0 && sim_counter(s, B, ADIT_C_REPORTS_OUT) == 0);
}

/* Keys change with each exchange: a report about the answer is made with those before (RFC 9370 s2.2.2). */
SIM_TEST(answers_in_fragments)
{
    sim_configure(s, .ike = "aes128gcm16-prfsha256-x25519+64008", .option = { { "fragacklist", scheme.list }, { "fragackbitmap", scheme.bitmap } });
    sim_start(s);
    frag_matrix_link(s, 0.05);
    sim_establish(s);
    expect_same_keys(s);
    expect(s, sim_counter(s, B, ADIT_C_REPORTS_IN) > 0 && sim_counter(s, A, ADIT_C_REPORTS_OUT) > 0);
}

static const struct sim_case cases[] = { FRAG_MATRIX_CASES, SIM_CASE(a_peer_without), SIM_CASE(answers_in_fragments) };

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 2);
}
