/* frag_matrix.h - a message of a megabyte between two hosts, at three sizes of datagrams and three rates of loss: what was
 * sent for what was needed. Prints one line of figures each, for docs/fragment-ack.md. */
#ifndef TESTS_FRAG_MATRIX_H
#define TESTS_FRAG_MATRIX_H

#include <stdio.h>
#include "support/sim.h"

struct frag_scheme {
    const char *name, *list, *bitmap; /* values of the two options */
    bool reports;
};

static inline void frag_matrix_link(struct sim *s, double loss)
{
    sim_link(s, .delay_ms = 10, .loss = loss);
}

/* most: fragments sent for each that was needed; 0 = not judged. */
static inline void frag_matrix(struct sim *s, const struct frag_scheme *k, const char *size, double loss, double most)
{
    sim_configure(s, .ike = "aes128gcm16-prfsha256-x25519+64006", .daemon_option = { { "fragment_size", size } },
                  .option = { { "fragacklist", k->list }, { "fragackbitmap", k->bitmap } });
    sim_start(s);
    frag_matrix_link(s, loss);
    uint64_t began = s->now;
    sim_establish(s);
    expect_same_keys(s);
    uint64_t first = sim_counter(s, A, ADIT_C_FRAGMENTS_OUT), again = sim_counter(s, A, ADIT_C_FRAGMENTS_AGAIN);
    uint64_t told = sim_counter(s, B, ADIT_C_REPORTS_OUT);
    double ratio = (double)(first + again) / (double)first;
    if (s->verbose)
        printf("# | %s | %s | %.0f %% | %llu | %llu | %.3f | %llu |\n", k->name, size, loss * 100,
               (unsigned long long)first, (unsigned long long)(first + again), ratio, (unsigned long long)told);
    expect(s, first > 600, "%llu fragments", (unsigned long long)first);
    expect(s, !most || ratio <= most, "%llu and %llu again after %llu ms", (unsigned long long)first,
           (unsigned long long)again, (unsigned long long)((s->now - began) / 1000000));
    expect(s, k->reports == (told > 0), "%llu reports", (unsigned long long)told);
}

/* Without loss 1.01, at 5 % 1.10 (1.053 cannot be undercut), if the sender is told what is missing. */
#define FRAG_MATRIX(scheme, size, percent)                                                                             \
    SIM_TEST(with_##percent##_percent_lost_at_##size)                                                                  \
    {                                                                                                                  \
        frag_matrix(s, &(scheme), #size, percent / 100.0, !percent ? 1.01 : (scheme).reports ? 1.02 + percent * 0.016 : 0);   \
    }
#define FRAG_MATRIX_ALL(scheme)                                                                                        \
    FRAG_MATRIX(scheme, 576, 0) FRAG_MATRIX(scheme, 576, 1) FRAG_MATRIX(scheme, 576, 5)                                \
    FRAG_MATRIX(scheme, 1280, 0) FRAG_MATRIX(scheme, 1280, 1) FRAG_MATRIX(scheme, 1280, 5)                             \
    FRAG_MATRIX(scheme, 1500, 0) FRAG_MATRIX(scheme, 1500, 1) FRAG_MATRIX(scheme, 1500, 5)
#define FRAG_MATRIX_CASES                                                                                              \
    SIM_CASE(with_0_percent_lost_at_576), SIM_CASE(with_1_percent_lost_at_576), SIM_CASE(with_5_percent_lost_at_576), \
        SIM_CASE(with_0_percent_lost_at_1280), SIM_CASE(with_1_percent_lost_at_1280),                                 \
        SIM_CASE(with_5_percent_lost_at_1280), SIM_CASE(with_0_percent_lost_at_1500),                                 \
        SIM_CASE(with_1_percent_lost_at_1500), SIM_CASE(with_5_percent_lost_at_1500)

#endif
