/* fuzz_ike_sim.h - two engines of the simulator as a fuzzer's playground: brought to a stage, then fed. */
#ifndef FUZZ_IKE_SIM_H
#define FUZZ_IKE_SIM_H

#include "base/rd.h"
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/sim.h"

enum stage { HALF_OPEN, ESTABLISHED, ASKING /* the target waits for an answer */, STAGES };

static inline void fuzz_reach(struct sim *s, enum stage stage)
{
    sim_configure(s, .ike = "aes128gcm16-prfsha256-x25519", .esp = "aes128gcm16-x25519", .ppk_name = "ab",
                  .ppk = "0123456789abcdef0123456789abcdef",
                  .option = { { "fragmentation", "no" }, { "ppk_id", "ab" } });
    sim_start(s);
    sim_link(s, .delay_ms = 10);
    if (stage == HALF_OPEN) { /* A has asked, B has answered, IKE_AUTH is on its way */
        sim_command(s, A, ADIT_CMD_INITIATE, .child = "net");
        sim_run(s, MILLIS(25));
        return;
    }
    sim_establish(s);
    if (stage == ASKING) {
        sim_cut(s, A, true); /* what B asks is not answered by A's engine, but by the fuzzer */
        sim_command(s, B, ADIT_CMD_REKEY, .child = "net");
    }
}

static inline struct ike_sa *fuzz_sa(struct sim *s, int host)
{
    struct ike *ike = (struct ike *)s->host[host].ike;
    list_for_each(it, &ike->sas) {
        struct ike_sa *sa = list_entry(it, struct ike_sa, link);
        if (!sa->cut && sa->keyed)
            return sa;
    }
    return NULL;
}

#endif
