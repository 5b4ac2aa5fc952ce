/* psk.c - AUTH by a shared secret (RFC 7296 s2.15); an EAP MSK or SK_p in its place makes the keyed EAP and NULL forms. */
#include "ike/auth/auth.h"
#include "base/mem.h"

enum adit_rc auth_psk(const struct prf_alg *prf, struct adit_span secret, const struct octets *o,
                      uint8_t *out, struct adit_why *why)
{
    const struct adit_span pad = SPAN_LIT("Key Pad for IKEv2"); /* 17 octets, without NUL */
    uint8_t key[PRF_OUT_MAX];
    enum adit_rc rc = prf_compute(prf, secret, &pad, 1, key);
    if (rc == ADIT_ERR_LIMIT)
        return why_set(why, ADIT_ERR_CONFIG, "the shared key has %zu octets, and %s takes keys of 4 to 512 octets", secret.n,
                       prf->name);
    if (rc == ADIT_OK)
        rc = prf_compute(prf, span(key, prf->out), o->part, OCTETS_PARTS, out);
    mem_wipe(key, sizeof(key));
    return rc;
}
