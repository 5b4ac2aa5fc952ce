/* crypto.h - algorithms as rows of tables, keyed by IANA transform IDs. The only room that calls OpenSSL's and Botan's
 * ciphers. A row says sizes and how to call; the row's user checks sizes before any library is called.
 * Contexts belong to one thread at a time; rows and sets are immutable and shared. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "adit/crypto.h"
#include "base/buf.h"
#include "base/secret.h"
#include "base/why.h"
#include "wire/iana.h" /* numbers only */

/* How dear a call is: CHEAP ones may run inline, the others go to the work pool. */
enum crypto_cost { CRYPTO_CHEAP, CRYPTO_MEDIUM /* > 300 us */, CRYPTO_SLOW /* > 5 ms */ };

/* --- ENCR rows ---------------------------------------------------------------------------------------------- */
enum encr_kind {
    ENCR_KIND_AEAD,   /* ICV of its own; INTEG must be absent */
    ENCR_KIND_CIPHER, /* CBC, CTR: needs an INTEG row; encrypt-then-MAC */
    ENCR_KIND_NULL,   /* ENCR_NULL: needs INTEG */
    ENCR_KIND_GMAC,   /* NULL_AUTH_AES_GMAC: authenticates only */
};
struct encr_alg {
    uint16_t id;
    const char *name; /* for people */
    enum encr_kind kind;
    bool has_bits;        /* Key Length attribute mandatory (else forbidden) */
    uint8_t key_sizes[4]; /* octets without salt; ends with 0 */
    uint8_t salt;         /* octets of salt after the key in KEYMAT */
    uint8_t iv;           /* octets of IV on the wire; 0 for implicit-IV rows */
    uint8_t
        nonce_iv; /* octets of per-packet nonce part handed to jobs (8 for AEAD incl. IIV; = iv for CBC/CTR) */
    uint8_t block;   /* padding unit of the cipher: 16 for CBC, else 1 */
    uint8_t icv;     /* AEAD, GMAC: octets of ICV */
    bool esp_only;   /* IIV, GMAC, NULL: never in IKE */
    const void *arg; /* the library's handle */
};
const struct encr_alg *crypto_encr(const struct adit_crypto *c, uint16_t id); /* NULL: not there */
/* Key octets incl. salt for this key length (bits as negotiated, 0 if the row has none); 0 = bits not allowed (or ENCR_NULL). */
size_t encr_key_octets(const struct encr_alg *a, uint16_t bits);

struct integ_alg {
    uint16_t id;
    const char *name;
    uint8_t key, icv; /* octets */
    bool cut;         /* the ICV is the first octets of a longer MAC */
    const void *arg;
};
const struct integ_alg *crypto_integ(const struct adit_crypto *c, uint16_t id);

/* --- sealing: one context a direction, jobs in batches (n = 1 is a batch) ------------------------------------- */
/* In-place. seal: encrypts data[0..n) and writes the ICV to icv. open: checks, then decrypts; ok says which passed
 * (data of a failed job is garbage). AEAD authenticates aad | data; encrypt-then-MAC: aad | iv | data | tail
 * (tail: the implicit high half of an extended sequence number, RFC 4303 s2.2.1). */
struct crypt_job {
    uint8_t *data;
    uint32_t n;
    const uint8_t *iv; /* alg->nonce_iv octets */
    const uint8_t *aad;
    uint16_t aad_n;
    const uint8_t *tail;
    uint8_t tail_n;
    uint8_t *icv; /* crypt_icv() octets */
    bool ok;
};
struct crypt;
/* encr_key = key | salt as in KEYMAT; integ NULL for AEAD. Errors: ADIT_ERR_CRYPTO, ADIT_ERR_MEMORY. */
ADIT_MUST_USE enum adit_rc crypt_new(const struct adit_crypto *c, const struct encr_alg *encr, uint16_t bits,
                                     struct adit_span encr_key, const struct integ_alg *integ,
                                     struct adit_span integ_key, bool seal, struct crypt **out);
void crypt_free(struct crypt *x);
void crypt_seal_many(struct crypt *x, struct crypt_job *jobs, size_t n);
void crypt_open_many(struct crypt *x, struct crypt_job *jobs, size_t n);
/* The per-packet IV for a counter that never repeats under this key: the counter itself (AEAD, CTR), or its encryption
 * where the IV must be unpredictable (CBC, RFC 3602 s3; NIST SP 800-38A App. C). Writes alg->nonce_iv octets. */
void crypt_iv(struct crypt *x, uint64_t counter, uint8_t *iv);
size_t crypt_icv(const struct crypt *x);
const char *crypt_engine(const struct crypt *x); /* "OpenSSL", "ipsec-mb" */
/* From now on: contexts work with OpenSSL only, or with what is the fastest on this processor (the default). */
void crypto_openssl_only(struct adit_crypto *c, bool only);
/* What AES-GCM's new contexts work with, for people: "OpenSSL", "ipsec-mb 1.3.0 (VAES, AVX-512)". */
const char *crypto_packets_by(const struct adit_crypto *c);

/* --- PRF, prf+, hash ----------------------------------------------------------------------------------------- */
struct prf_alg;
/* How the formulas of IKEv2 and of its extensions have their values of a PRF: `prf` where they say prf, `expand` where
 * they say prf+. Chosen with the PRF: iterated for those with an output of fixed length, one call for the others. */
struct kdf {
    const char *name;
    enum adit_rc (*prf)(const struct prf_alg *prf, struct adit_span key, const struct adit_span *parts, size_t n_parts,
                        uint8_t *out);
    enum adit_rc (*expand)(const struct prf_alg *prf, struct adit_span key, const struct adit_span *seed, size_t n_seed,
                           uint8_t *out, size_t n);
};
struct prf_alg {
    uint16_t id;
    const char *name;
    uint8_t key; /* preferred key length = length of SK_d, SK_pi, SK_pr */
    uint8_t out; /* what "the output of prf" is long */
    const struct kdf *kdf;
    const void *arg;
};
#define PRF_OUT_MAX 64
const struct prf_alg *crypto_prf(const struct adit_crypto *c, uint16_t id);
/* out gets prf->out octets: prf(key, parts[0] | parts[1] | ...). */
ADIT_MUST_USE enum adit_rc prf_compute(const struct prf_alg *prf, struct adit_span key,
                                       const struct adit_span *parts, size_t n_parts, uint8_t *out);
/* prf+ of n octets. ADIT_ERR_LIMIT: more than 255 * prf->out (RFC 7296 s2.13), of KMAC more than 64 KiB. Both: KMAC takes
 * keys of 4 to 512 octets, others are ADIT_ERR_LIMIT. */
ADIT_MUST_USE enum adit_rc prf_plus(const struct prf_alg *prf, struct adit_span key,
                                    const struct adit_span *seed, size_t n_seed, uint8_t *out, size_t n);
/* The PRF's states keep their last key for the next call; whoever has finished a piece of work (one message, one timer)
 * calls this to have them wiped. Cheap if there is nothing to do; thread-safe. */
void crypto_idle(void);
/* hash = HASH_SHA1, HASH_SHA2_256.. of the IKEv2 hash registry (SHAKE's as in RFC 8702 s3); returns octets written, 0 = unknown. */
size_t crypto_hash(uint16_t hash, const struct adit_span *parts, size_t n_parts, uint8_t out[64]);

/* --- key exchange: DH and KEM alike (ke-mlkem.md s2; RFC 7296 s2.14, 6989, 8031) ------------------------------- */
struct ke_state;
/* Lengths by which a usual misunderstanding shows. 0: none in this direction. */
struct ke_mixup {
    uint32_t init_size, resp_size;
    const char *what; /* "eFrodoKEM-976-AES, which has no salt" */
};
/* How much of a public value may travel where is no row's business: ike/travel.c goes by the sizes. */
struct ke_alg {
    uint16_t id;
    const char *name;
    bool kem;
    enum crypto_cost cost;
    uint32_t init_size, resp_size; /* KE data octets: request, response */
    uint16_t secret_size;
    const struct ke_ops *ops;
    const void *arg;
    const char *checks; /* the tests that a peer's value has to pass, for people */
    const struct ke_mixup *mixup; /* NULL: none is known */
    uint16_t made_as; /* the method whose key pairs are as good for this one, in all but what making them costs; 0: none */
};
/* peer has exactly init_size/resp_size octets: the caller checked. ADIT_ERR_PUBLIC: fails the recipient tests of its
 * method (point not on curve, all-zero secret, unreduced ML-KEM coefficient ...). */
struct ke_ops {
    enum adit_rc (*init)(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state **st,
                         struct adit_buf *pub);
    enum adit_rc (*respond)(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span peer,
                            struct adit_buf *pub, struct adit_secret *secret);
    enum adit_rc (*finish)(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                           struct adit_span peer, struct adit_secret *secret);
    void (*free)(struct ke_state *st);
    const char *library; /* "openssl" */
};
const struct ke_alg *crypto_ke(const struct adit_crypto *c, uint16_t id);
/* The method has another number from now on; before the set is used. False: no such method, or one has that number. */
bool crypto_ke_renumber(struct adit_crypto *c, uint16_t from, uint16_t to);
/* All rows of a kind, for list-algs, docs, benches: index from 0, NULL at the end. */
const struct ke_alg *crypto_ke_at(const struct adit_crypto *c, size_t i);
const struct encr_alg *crypto_encr_at(const struct adit_crypto *c, size_t i);
const struct integ_alg *crypto_integ_at(const struct adit_crypto *c, size_t i);
const struct prf_alg *crypto_prf_at(const struct adit_crypto *c, size_t i);

/* --- keys and signatures -------------------------------------------------------------------------------------- */
struct crypto_key; /* a private or public key; reference counted; usable from any thread, one at a time */
enum key_type { KEY_RSA, KEY_RSA_PSS, KEY_ECDSA, KEY_ED25519, KEY_ED448, KEY_OTHER };
/* PEM or DER, PKCS#8/PKCS#1/SEC1, perhaps encrypted. */
ADIT_MUST_USE enum adit_rc key_parse_private(const struct adit_crypto *c, struct adit_span data,
                                             struct adit_span pass, struct crypto_key **out,
                                             struct adit_why *why);
/* file:, pkcs11:, handle: ... whatever the loaded providers know. */
ADIT_MUST_USE enum adit_rc key_load_uri(const struct adit_crypto *c, const char *uri, struct adit_span pass,
                                        struct crypto_key **out, struct adit_why *why);
/* DER SubjectPublicKeyInfo. */
ADIT_MUST_USE enum adit_rc key_parse_public(const struct adit_crypto *c, struct adit_span spki,
                                            struct crypto_key **out);
/* The key of something that OpenSSL has parsed already (a certificate); takes pkey, also on failure. */
struct evp_pkey_st;
ADIT_MUST_USE enum adit_rc key_of_evp(const struct adit_crypto *c, struct evp_pkey_st *pkey, struct crypto_key **out);
struct crypto_key *key_ref(struct crypto_key *key);
void key_free(struct crypto_key *key);
enum key_type key_type(const struct crypto_key *key);
unsigned key_bits(const struct crypto_key *key); /* RSA modulus, curve size */
bool key_same_public(const struct crypto_key *a, const struct crypto_key *b);
/* SHA-1 of the subjectPublicKey bits: VICI's key id. */
bool key_id_sha1(const struct crypto_key *key, uint8_t out[20]);

/* How AUTH is signed: one row a (key type, hash, padding). RFC 7427 s3, RFC 8420, RFC 7296 s3.8, RFC 4754. */
struct sig_alg {
    const char *name;    /* "RSASSA-PSS with SHA2-384" */
    uint8_t auth_method; /* AUTH_DIGITAL_SIGNATURE or the older methods 1, 9, 10, 11 */
    uint16_t hash;       /* HASH_*; HASH_IDENTITY for EdDSA */
    enum key_type key;
    uint16_t curve_bits; /* methods 9-11: the one curve; 0 = any */
    bool pss;
    struct adit_span algid; /* DER AlgorithmIdentifier, method 14 only */
    enum crypto_cost cost;
};
/* Rows in order of preference; NULL at the end. */
const struct sig_alg *crypto_sig_at(size_t i);
/* The row for a received AlgorithmIdentifier (method 14; PSS salt lengths as stated in its parameters), or NULL. */
const struct sig_alg *crypto_sig_by_algid(struct adit_span algid);
/* Does this key make signatures of this row (type, curve, key large enough for the padding)? */
bool sig_fits(const struct sig_alg *alg, const struct crypto_key *key);
/* Is its hash as strong as this key (of EdDSA: always)? More is not wrong, but that is what peers are tested with. */
bool sig_hash_suits(const struct sig_alg *alg, const struct crypto_key *key);
/* The row to sign with: for method 14 the one whose hash suits the key's strength among those that the peer lists
 * (HASH_*; RFC 7427 s4), else the older method of the key. NULL: none fits. */
const struct sig_alg *sig_choose(const struct crypto_key *key, bool method14, const uint16_t *hashes,
                                 size_t n);
ADIT_MUST_USE enum adit_rc sig_sign(const struct sig_alg *alg, struct crypto_key *key,
                                    struct adit_span octets, struct adit_buf *sig);
/* ADIT_ERR_AUTH: does not verify. algid as received (for PSS parameters), or empty. Any row of method 1 stands for
 * all of them: the signature itself says which hash it has (RFC 7296 s3.8); SHA-1 is refused. */
ADIT_MUST_USE enum adit_rc sig_verify(const struct sig_alg *alg, const struct crypto_key *key,
                                      struct adit_span algid, struct adit_span octets, struct adit_span sig);

/* The library context, for pki only. */
struct ossl_lib_ctx_st *crypto_libctx(const struct adit_crypto *c);

#endif
