/* cookie.h - stateless cookies (RFC 7296 s2.6): VersionID | HMAC(secret, Ni | IPi | SPIi). Two generations of the secret
 * are accepted. The port is left out so that a NAT may rebind. */
#ifndef IKE_COOKIE_H
#define IKE_COOKIE_H

#include "crypto/crypto.h"
#include "model/model.h"

#define COOKIE_SIZE 17 /* 1 version octet, 16 of the MAC */
#define COOKIE_LIFE_NS (120ull * 1000000000ull)

struct cookie_jar {
    uint8_t secret[2][32];
    uint8_t version; /* of secret[0] */
    uint64_t renew_at;
};
/* fresh = 32 random octets. */
void cookie_jar_init(struct cookie_jar *jar, const uint8_t fresh[32], uint64_t now);
bool cookie_jar_due(const struct cookie_jar *jar, uint64_t now);
void cookie_jar_renew(struct cookie_jar *jar, const uint8_t fresh[32], uint64_t now);
void cookie_jar_fini(struct cookie_jar *jar);
ADIT_MUST_USE enum adit_rc cookie_make(const struct cookie_jar *jar, const struct prf_alg *prf, struct adit_span nonce_i,
                                       const struct adit_addr *ip, uint64_t spi_i, uint8_t out[COOKIE_SIZE]);
bool cookie_ok(const struct cookie_jar *jar, const struct prf_alg *prf, struct adit_span cookie, struct adit_span nonce_i,
               const struct adit_addr *ip, uint64_t spi_i);

#endif
