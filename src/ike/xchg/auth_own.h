/* auth_own.h, auth_peer.h in one: proving who we are, and checking who they are, for both roles. Private to xchg/. */
#ifndef IKE_XCHG_AUTH_OWN_H
#define IKE_XCHG_AUTH_OWN_H

#include "ike/sa.h"

#define CHAIN_MAX 8

/* Our side of one IKE_AUTH: filled by own_auth(), written by own_put_*(). Lives in a step's scratch. */
struct own_auth {
    bool ready, chosen;
    struct adit_id id;
    struct adit_span id_whole; /* ID payload body, arena */
    const struct policy_auth *cfg;
    const struct ike_keys *keys; /* whose SK_p; NULL: those that come into force */
    const struct policy_cert *cert;
    const struct pki_cert *chain[CHAIN_MAX];
    size_t n_chain;
    uint8_t method;
    const struct sig_alg *wanted; /* what suits the peer best; NULL: nothing fits, and signing says why */
    const struct sig_alg *alg;
    struct crypto_key *key;
    struct adit_buf octets, data;
    const struct ike_known *known; /* no credential is asked for: an earlier SA's keys prove us */
    struct ike_work work;
};
/* Identity and certificate; peer_id is who we prove it to (PSK look-up; type 0: not known yet). */
enum adit_rc own_choose(struct ike_xchg *x, struct own_auth *a, const struct policy_auth *cfg, struct adit_why *why);
/* Computes AUTH; may wait for work. */
enum adit_rc own_sign(struct ike_xchg *x, struct own_auth *a, const struct adit_id *peer_id, struct adit_why *why);
void own_put_id(struct wr *w, const struct own_auth *a, uint8_t payload);
void own_put_certs(struct wr *w, struct ike_sa *sa, const struct own_auth *a);
void own_fini(struct own_auth *a);
const char *own_name(const struct own_auth *a); /* "ECDSA with SHA2-384", "pre-shared key" */

struct ike_certs {
    struct ike_xchg *x;
    struct pki_cert *v[IKE_CERTS_MAX];
    size_t n;
};

/* The peer's side: what its message holds, then whether it is true. */
struct peer_auth {
    bool parsed, asked; /* asked: the extensions, whether it may go on */
    struct adit_id id;
    struct adit_span id_whole;
    struct auth_payload auth;
    struct ike_certs certs;
    uint16_t cert_at;       /* payloads looked at for certificates */
    struct ike_fetch fetch; /* of the one in hand */
    const struct policy_auth *cfg;
    const struct pki_store *store;
    const struct pki_cert *leaf;
    struct adit_buf octets;
    uint64_t unix_now;
    uint32_t our_hashes; /* that it may sign with */
    const struct sig_alg *used;
    struct ike_work work;
    struct adit_why why; /* the job's */
};
enum adit_rc peer_parse(struct ike_xchg *x, struct peer_auth *a, uint8_t id_payload, const struct ike_msg *msg,
                        struct adit_why *why);
/* Before peer_verify(): extensions may refuse the peer, or know better what it has to prove. */
enum adit_rc peer_claimed(struct ike_xchg *x, struct peer_auth *a, const struct ike_msg *msg,
                          struct adit_why *why);
/* our_id: for the PSK. ADIT_ERR_AUTH with the reason, for our log only. */
enum adit_rc peer_verify(struct ike_xchg *x, struct peer_auth *a, const struct adit_id *our_id, struct adit_why *why);
void peer_fini(struct peer_auth *a);
const char *peer_name(const struct peer_auth *a);
bool auth_is_psk(uint8_t method);
/* Both are proven: the SA keeps who it is between. False: no memory, the SA has ended. */
bool auth_remember(struct ike_sa *sa, const struct own_auth *own, const struct peer_auth *peer);
/* The same before all is committed, for what the answer says about the SA. */
enum adit_rc auth_note(struct ike_sa *sa, const struct own_auth *own, const struct peer_auth *peer);

/* Signed octets of one side, extensions asked. keys: whose SK_p; NULL: those that come into force. */
enum adit_rc auth_octets(struct ike_xchg *x, const struct ike_keys *keys, bool of_initiator,
                         struct adit_span id_whole, struct octets *out);
/* Keys that come into force by IKE_AUTH; NULL: the SA goes on with those that it has. */
enum adit_rc auth_new_keys(struct ike_sa *sa, struct ike_keys **out);
/* Does an extension want no Child SA of this message (request or response), which is authentic? */
bool auth_withholds_child(struct ike_sa *sa, const struct ike_msg *msg);
/* Authenticated: keys that come into force by it become the SA's, before Child SAs are made from them. */
void auth_take_keys(struct ike_sa *sa);
/* AUTH of a resumed IKE SA by the initiator's or the responder's SK_p; out: as long as the PRF's output. */
enum adit_rc auth_by_known_keys(const struct ike_sa *sa, bool initiators, const struct octets *o, uint8_t *out);

#endif
