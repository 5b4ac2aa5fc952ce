/* ipsecmb.h - glue to Intel's multi-buffer library, where this processor is faster with it. Private to the folder. */
#ifndef CRYPTO_IPSECMB_H
#define CRYPTO_IPSECMB_H

#include <intel-ipsec-mb.h>
#include "crypto/crypt.h"

/* The manager for calls that keep nothing in it; NULL: the processor lacks one of these features. */
IMB_MGR *ipsecmb_stateless(uint64_t features);
/* One that is ours until it is given back, with no job in it. NULL: memory is out. */
IMB_MGR *ipsecmb_take(void);
void ipsecmb_give(IMB_MGR *m);

/* Memory for a context's keys: wiped when it is freed. ADIT_ERR_MEMORY. */
ADIT_MUST_USE enum adit_rc ipsecmb_key_new(struct crypt *x, size_t n);
void *ipsecmb_key(const struct crypt *x); /* aligned as the library wants it: to 64 octets */

/* AES-GCM, packet by packet (gcm.c). ADIT_ERR_NOT_FOUND: another row, or the processor is better served by OpenSSL. */
enum adit_rc ipsecmb_gcm_setup(struct crypt *x, struct adit_span key);
void ipsecmb_gcm_run(struct crypt *x, struct crypt_job *jobs, size_t n);
/* Several packets at once, by the library's jobs (lanes.c): ChaCha20-Poly1305; AES-CBC with an HMAC of SHA-2. */
bool ipsecmb_lanes_fit(const struct crypt *x, const struct integ_alg *integ); /* false: another row */
enum adit_rc ipsecmb_lanes_setup(struct crypt *x, struct adit_span key, const struct integ_alg *integ,
                                 struct adit_span integ_key);
void ipsecmb_lanes_run(struct crypt *x, struct crypt_job *jobs, size_t n);

#endif
