/* simlongke.h - the simulator's own key exchanges with long public values. */
#ifndef TESTS_SIMLONGKE_H
#define TESTS_SIMLONGKE_H

#include "adit/crypto.h"

enum sim_long_ke {
    SIM_KE_65531 = 64001, SIM_KE_65532, SIM_KE_65535, SIM_KE_65536, SIM_KE_261K, SIM_KE_1M, SIM_KE_1357K, SIM_KE_BOTH,
    SIM_KE_8M
};
/* Adds them to the set: only proposals of simulations that end in their number have to do with them (simconf.c). */
void sim_add_long_kes(struct adit_crypto *c);
/* From now on KEMs with public keys of at least so many octets are the simulator's own: number, sizes and cost are theirs, the
 * computation takes no time and is worth nothing. 0: all are real, as at first. Between two runs; of one set. */
void sim_stand_in(struct adit_crypto *c, size_t from);

#endif
