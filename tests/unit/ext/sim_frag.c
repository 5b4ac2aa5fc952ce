/* sim_frag.c - a megabyte in fragments between two hosts that report nothing: all of it again, until all has arrived. */
#include "frag_matrix.h"

static const struct frag_scheme scheme = { "none", "no", "no", false };

/* clang-format off */
FRAG_MATRIX_ALL(scheme)
/* clang-format on */

static const struct sim_case cases[] = { FRAG_MATRIX_CASES };

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 1);
}
