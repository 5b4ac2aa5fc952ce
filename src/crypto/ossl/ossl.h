/* ossl.h - what the files that call OpenSSL share. Private to crypto/.
 * Two kinds of handles: digests live in one library context of the process that is never freed, since hashing has no
 * configuration and no randomness and crypto_hash() has no set; everything else belongs to one adit_crypto. */
#ifndef CRYPTO_OSSL_OSSL_H
#define CRYPTO_OSSL_OSSL_H

#include <openssl/evp.h>
#include <stdatomic.h>

#include "crypto/crypto.h"

/* --- hash.c: digests and MACs -------------------------------------------------------------------------------- */
/* HASH_*, or a MAC that is built on none of them: beyond the numbers of the registry. */
enum ossl_digest_id { OSSL_KMAC_128 = 0x10000, OSSL_KMAC_256 };
/* One digest, the MAC that is made of it, and parked states, so that a call allocates nothing. */
#define OSSL_POOL 8
struct ossl_mac;
struct ossl_digest {
    const char *name; /* of the digest; NULL: KMAC brings its own */
    const char *mac;  /* NULL: none */
    uint32_t id;
    uint8_t out;
    bool xof; /* SHAKE: a digest of `out` octets, RFC 8702 s3 */
    EVP_MD *md;
    EVP_MAC *fetched;
    _Atomic(struct ossl_mac *) pool[OSSL_POOL];
};
/* A MAC and plain hashing with one digest. A parked state holds nothing secret, a resting one its last key. */
struct ossl_mac {
    struct ossl_digest *digest;
    bool keyed;       /* mac holds a key */
    size_t size;      /* octets of a MAC */
    EVP_MAC_CTX *mac; /* NULL: a digest without one */
    EVP_MD_CTX *work; /* plain hashing; NULL: KMAC */
};
#define OSSL_OUT_MAX 64
/* What OpenSSL takes as a key of KMAC, octets. */
#define OSSL_KMAC_KEY_MIN 4
#define OSSL_KMAC_KEY_MAX 512

/* Fetches the digests, once a process. false: the library lacks one. */
bool ossl_digests_ready(void);
struct ossl_digest *ossl_digest(uint32_t id); /* NULL: unknown */
/* A state from the pool or a new one (NULL: memory); put back by ossl_mac_park(), which wipes it, or by
 * ossl_mac_rest(), which leaves that to crypto_idle(). */
struct ossl_mac *ossl_mac_take(struct ossl_digest *d);
void ossl_mac_park(struct ossl_mac *h);
void ossl_mac_rest(struct ossl_mac *h);
void ossl_mac_free(struct ossl_mac *h);
/* Sets the key for any number of start/update/final rounds. */
bool ossl_mac_key(struct ossl_mac *h, struct adit_span key);
/* MACs of n octets from now on; KMAC's are of any length, which goes into their value, an HMAC's only of its own. To be
 * said after each take. */
bool ossl_mac_size(struct ossl_mac *h, size_t n);
bool ossl_mac_start(struct ossl_mac *h);
bool ossl_mac_update(struct ossl_mac *h, const uint8_t *p, size_t n);
bool ossl_mac_final(struct ossl_mac *h, uint8_t *out); /* size octets */
/* One round with a key that is used once. */
bool ossl_mac_once(struct ossl_mac *h, struct adit_span key, const struct adit_span *parts, size_t n,
                    uint8_t *out);

/* --- ciphers ------------------------------------------------------------------------------------------------- */
enum ossl_cipher {
    OSSL_AES_GCM,
    OSSL_AES_CCM,
    OSSL_AES_CBC,
    OSSL_AES_CTR,
    OSSL_AES_ECB,
    OSSL_CHACHA,
    OSSL_CIPHERS
};
#define OSSL_KEY_SIZES 3 /* 128, 192, 256 bits */

/* The cipher of a row for a key size (octets without salt), or NULL. */
const EVP_CIPHER *ossl_cipher(const struct adit_crypto *c, enum ossl_cipher which, size_t key);
extern const struct encr_alg ossl_aeads[], ossl_plain_ciphers[];
extern const size_t ossl_aeads_n, ossl_plain_ciphers_n;
/* Fill in ctx and one of a crypt whose alg, seal and nonce are set. key without salt. */
ADIT_MUST_USE enum adit_rc ossl_aead_setup(const struct adit_crypto *c, struct crypt *x,
                                           struct adit_span key);
ADIT_MUST_USE enum adit_rc ossl_cipher_setup(const struct adit_crypto *c, struct crypt *x,
                                             struct adit_span key);

extern const struct integ_alg ossl_integs[];
extern const size_t ossl_integs_n;
extern const struct prf_alg ossl_prfs[];
extern const size_t ossl_prfs_n;

/* --- key exchange -------------------------------------------------------------------------------------------- */
/* A key exchange row's `arg`. The handles stand in ossl.ke[index]. */
struct ossl_group {
    unsigned index;
    const char *type, *group; /* EVP key type; named group or NULL */
    /* The peer's public value as a key; NULL: fails its method's tests. */
    EVP_PKEY *(*peer)(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span value);
    /* Our public value; out holds exactly its octets. */
    bool (*value)(EVP_PKEY *key, uint8_t *out, size_t n);
    bool pad; /* left-pad the secret with zero octets (RFC 7296 s2.14) */
};
#define OSSL_GROUPS 16
struct ossl_ke {
    EVP_PKEY *params;                       /* domain parameters, or NULL */
    _Atomic(EVP_PKEY_CTX *) gen[OSSL_POOL]; /* parked key generators */
};
extern const struct ke_alg ossl_x_kes[], ossl_ecdh_kes[], ossl_dh_kes[], ossl_kem_kes[];
extern const size_t ossl_x_kes_n, ossl_ecdh_kes_n, ossl_dh_kes_n, ossl_kem_kes_n;
extern const struct ke_ops ossl_dh_ops; /* everything of Diffie-Hellman's kind */

/* Is the method there? Prepares its handles. */
bool ossl_ke_prepare(struct adit_crypto *c, const struct ke_alg *a);
void ossl_ke_release(struct ossl_ke *ke);
/* A new key pair; NULL: the library refused. */
EVP_PKEY *ossl_ke_generate(const struct adit_crypto *c, const struct ke_alg *a);
/* Raw public value of X25519, X448, ML-KEM. */
EVP_PKEY *ossl_raw_peer(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span value);
bool ossl_raw_value(EVP_PKEY *key, uint8_t *out, size_t n);
/* A new key with the method's domain parameters and this encoded public value. */
EVP_PKEY *ossl_params_peer(const struct adit_crypto *c, const struct ke_alg *a, const uint8_t *encoded,
                           size_t n);
enum adit_rc ossl_ke_new_state(EVP_PKEY *key, struct ke_state **st); /* takes the key */
void ossl_ke_free_state(struct ke_state *st);

/* --- the library context ------------------------------------------------------------------------------------- */
struct ossl {
    OSSL_LIB_CTX *lib;
    OSSL_PROVIDER *basic, *generator; /* generator: NULL without a callback */
    EVP_CIPHER *cipher[OSSL_CIPHERS][OSSL_KEY_SIZES];
    struct ossl_ke ke[OSSL_GROUPS];
};
/* Opens the context; with random != NULL every generator in it draws from random. */
ADIT_MUST_USE enum adit_rc ossl_open(struct ossl *o, adit_random_fn *random, void *arg, struct adit_why *why);
void ossl_close(struct ossl *o);
/* rand.c: makes `random` the context's only source of randomness. NULL: failed; else to be unloaded at the end. */
OSSL_PROVIDER *ossl_rand_install(OSSL_LIB_CTX *lib, adit_random_fn *random, void *arg);

/* --- keys ---------------------------------------------------------------------------------------------------- */
struct crypto_key {
    atomic_uint refs;
    EVP_PKEY *pkey;
    OSSL_LIB_CTX *lib;
    enum key_type type;
    unsigned bits;
};
/* Takes pkey, also on failure. */
struct crypto_key *ossl_key_new(OSSL_LIB_CTX *lib, EVP_PKEY *pkey);
/* pem_password_cb: arg is the pass phrase's span; fails if that is empty. */
int ossl_give_pass(char *out, int max, int writing, void *arg);
/* The salt length that an RSASSA-PSS AlgorithmIdentifier states; false: not one, or of another hash than alg's. */
bool ossl_pss_salt(struct adit_span algid, const struct sig_alg *alg, int *salt);
/* OpenSSL's newest complaint as text for a why; empties its queue. */
const char *ossl_error(void);

#endif
