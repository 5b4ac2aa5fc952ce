/* replay.h - every symmetric operation that a handshake asks of crypto/ (PRF, prf+, hash, sealing, opening, key set-up),
 * noted as it happens and done again bare: what the cryptography of an IKE SA costs beside its key exchanges. */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include "adit/crypto.h"

void replay_record(bool on); /* from a clean sheet; the linker leads the calls here (--wrap) */
unsigned replay_count(void);
/* All that was noted, once, with the same algorithms and lengths. false: an operation failed. */
bool replay_run(struct adit_crypto *c);

#endif
