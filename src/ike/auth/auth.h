/* auth.h - what AUTH signs, and the methods that sign it (RFC 7296 s2.15, RFC 7427, RFC 8420). Pure functions; the
 * slow ones are run as jobs by their caller. */
#ifndef IKE_AUTH_AUTH_H
#define IKE_AUTH_AUTH_H

#include "crypto/crypto.h"
#include "base/wr.h"
#include "ike/keymat.h"
#include "model/model.h"

/* The signed octets as ordered named parts; extensions replace or append one. Parts are borrowed. */
enum octets_part {
    OCTETS_PREFIX, OCTETS_RECEIVED /* by the signer */, OCTETS_MESSAGES, OCTETS_NONCE, OCTETS_MACED_ID, OCTETS_TAIL,
    OCTETS_PARTS
};
struct octets {
    bool of_initiator; /* who signs: set by auth_octets() */
    struct adit_span part[OCTETS_PARTS];
    uint8_t maced_id[PRF_OUT_MAX];
};
/* Fills MESSAGES, NONCE and MACED_ID = prf(SK_p, whole ID payload body as on the wire). */
ADIT_MUST_USE enum adit_rc octets_init(struct octets *o, const struct prf_alg *prf, struct adit_span sk_p,
                                       struct adit_span message, struct adit_span nonce,
                                       struct adit_span id_whole);
ADIT_MUST_USE enum adit_rc octets_flat(const struct octets *o, struct adit_buf *out);

/* AUTH = prf(prf(secret, "Key Pad for IKEv2"), octets); out has prf->out octets. ADIT_ERR_CONFIG: KMAC does not take
 * every length of secret. */
ADIT_MUST_USE enum adit_rc auth_psk(const struct prf_alg *prf, struct adit_span secret,
                                    const struct octets *o, uint8_t *out, struct adit_why *why);

/* Constraints of `auth = pubkey-sha384-rsa/pss` (management.md 4.2), parsed once at load; unknown tokens are errors.
 * A group begins with pubkey, rsa, rsa/pss or ecdsa; sizes and hashes behind it are its own. Groups behind `ike:` are
 * for the AUTH signature, those before it for the certificate chain; without `ike:` they are for both. */
struct auth_constraints {
    bool rsa, ecdsa, ed25519, ed448; /* none set = any */
    bool pss_only;
    unsigned min_bits;       /* RSA modulus; 0 = the default of 2048 */
    unsigned min_ec_bits;    /* curve */
    uint32_t hashes;         /* with RSA: auth_hash_bit()s; 0 = any but those with private numbers */
    uint32_t ec_hashes;      /* with ECDSA */
    unsigned chain_rsa_bits; /* for pki_policy.min_rsa_bits; 0 = default */
};
/* auth NULL or "psk", "eap..": no constraints. ADIT_ERR_CONFIG names the token. */
ADIT_MUST_USE enum adit_rc auth_constraints_parse(const char *auth, struct auth_constraints *out,
                                                  struct adit_why *why);

/* Picks how to sign with this key: peer_hashes = bit set from SIGNATURE_HASH_ALGORITHMS; 0 = the peer sent none, so only
 * methods 1, 9-11 are allowed. NULL + why: nothing fits ("peer accepts SHA2-256 only, key is Ed25519"). */
const struct sig_alg *auth_sig_choose(const struct crypto_key *key, uint32_t peer_hashes,
                                      const struct auth_constraints *c, struct adit_why *why);
/* All that would do, one after the other: start with *i = 0; NULL at the end. */
const struct sig_alg *auth_sig_next(const struct crypto_key *key, uint32_t peer_hashes,
                                    const struct auth_constraints *c, size_t *i);
/* May a peer under these constraints sign so, whatever its key? */
bool auth_sig_allowed(const struct sig_alg *alg, const struct auth_constraints *c);
/* Authentication Data of an AUTH payload: method 14 = len | AlgorithmIdentifier | signature; others the bare signature. */
ADIT_MUST_USE enum adit_rc auth_sig_sign(const struct sig_alg *alg, struct crypto_key *key,
                                         struct adit_span octets, struct adit_buf *data);
/* Verifies; finds the row by method (and AlgorithmIdentifier), checks constraints. our_hashes: what we announced; 0 = we
 * did not. *used names what was used. ADIT_ERR_AUTH. */
ADIT_MUST_USE enum adit_rc auth_sig_verify(uint8_t method, struct adit_span data,
                                           const struct crypto_key *key, uint32_t our_hashes,
                                           const struct auth_constraints *c, struct adit_span octets,
                                           const struct sig_alg **used, struct adit_why *why);
/* Hashes as sets of bits; 0: one that we do not know. SHA-3's have numbers for private use: they take part only where an
 * `auth` names them, and with peers that share our numbers. */
uint32_t auth_hash_bit(uint16_t hash);
/* Those with private numbers that these constraints name (NULL: none). */
uint32_t auth_hashes_named(const struct auth_constraints *c);
/* SIGNATURE_HASH_ALGORITHMS: the hashes that we accept, `named` among them, as bits and as notify data. */
uint32_t auth_hashes_ours(uint32_t named);
void auth_hashes_put(struct wr *w, uint32_t named); /* the 16-bit list, data only */
/* Bit 0 is always set: "the peer sent a list", also when it holds nothing that we know. private_ok: it shares our numbers. */
uint32_t auth_hashes_get(struct adit_span data, bool private_ok);

#endif
