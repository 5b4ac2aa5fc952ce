/* policy.h - a configuration snapshot as the engine uses it: certificates and keys parsed, connections ready to be
 * found. Immutable, reference counted: SAs keep the one they were made with. */
#ifndef IKE_POLICY_H
#define IKE_POLICY_H

#include "base/map.h"
#include "ike/auth/auth.h"
#include "pki/pki.h"

struct policy_cert { /* an end-entity certificate, with its key if we have it */
    struct pki_cert *cert;
    struct crypto_key *key; /* NULL: the peer's, or no key loaded */
};
/* One round of a connection's local or remote authentication, parsed. */
struct policy_auth {
    const struct adit_auth_cfg *cfg;
    struct auth_constraints constraints;
    struct adit_id id;              /* configured, else the certificate's subject; type 0 = any / own address */
    const struct policy_cert *cert; /* local: the first one with a key */
    const struct policy_cert *own;  /* local.certs: cfg->n_certs of them */
    struct pki_policy pki;          /* remote: anchors, revocation */
    struct pki_cert *const *pinned; /* remote.certs: only these end-entity certificates */
    size_t n_pinned;
};
struct policy_conn {
    const struct adit_conn *cfg;
    const struct policy_auth *local, *remote; /* cfg->n_local, cfg->n_remote of them; at least one each */
};
struct policy {
    unsigned refs;
    struct arena arena;
    struct adit_config *config;
    const struct adit_crypto *crypto;
    struct pki_store *store;
    size_t n_conns, n_certs, n_keys;
    struct policy_conn *conns; /* in load order */
    struct map by_name;        /* hash of a name -> the first connection of that hash */
    struct policy_cert *certs;
    struct crypto_key **keys;
    struct adit_ike_settings settings; /* defaults filled in */
    size_t n_stock;
    struct ke_pool_item stock[KE_POOL_MAX]; /* keys made ahead */
};

/* Parses everything; the first bad certificate, key or constraint is named with its source. */
ADIT_MUST_USE enum adit_rc policy_new(const struct adit_crypto *crypto, struct adit_config *cfg, struct policy **out,
                                      struct adit_why *why);
struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p);

/* What `ke_pool` asks for; the rest of p is loaded. ADIT_ERR_CONFIG: a method that is not there, or not dear. */
ADIT_MUST_USE enum adit_rc policy_stock_load(struct policy *p, struct adit_why *why);
/* Fills by_name when all connections are there. */
ADIT_MUST_USE enum adit_rc policy_index(struct policy *p);
const struct policy_conn *policy_conn_by_name(const struct policy *p, const char *name);
/* First connection (in load order, `conn` only when given) that has a child of that name. */
const struct policy_conn *policy_conn_by_child(const struct policy *p, const char *conn, const char *child);
/* Do local_addrs and remote_addrs leave room for these addresses? NULL: not asked. */
bool policy_conn_allows(const struct policy_conn *conn, const struct adit_addr *local, const struct adit_addr *remote);
/* Responder at IKE_SA_INIT: best connection for these addresses: the most specific remote, then local. Iterate with
 * *after (NULL first) to get the next best: several may share addresses and differ in identities. NULL at the end. */
const struct policy_conn *policy_conn_by_path(const struct policy *p, const struct adit_path *path,
                                              const struct policy_conn *after);
/* Responder at IKE_AUTH: may `conn` serve this peer? idr = what the initiator asked for (type 0: nothing). */
bool policy_conn_fits(const struct policy_conn *conn, const struct adit_path *path, const struct adit_id *idi,
                      const struct adit_id *idr);
/* The shared secret for a pair of identities: both owners match > remote only > local only > no owners (anybody).
 * NULL = none. */
const struct adit_shared *policy_psk(const struct policy *p, const struct adit_id *local, const struct adit_id *remote);
/* Our certificate for a round: configured one, else one that proves `id` and whose issuer the peer asked for (CERTREQ
 * hashes, 20 octets each). */
const struct policy_cert *policy_cert_for(const struct policy *p, const struct policy_auth *auth,
                                          struct adit_span certreq_hashes);
/* All certificates of ours that would do for a round, in local order: start with *i = 0; NULL at the end. */
const struct policy_cert *policy_cert_next(const struct policy *p, const struct policy_auth *auth, size_t *i);
/* Is a CA with one of these SHA-1(SPKI) the issuer of leaf, directly or through our intermediates? */
bool policy_cert_leads_to(const struct policy *p, const struct pki_cert *leaf, struct adit_span hashes);
/* May the peer of this round sign so (NULL: use a pre-shared key)? */
bool policy_accepts(const struct policy_auth *remote, const struct sig_alg *alg);
/* Hashes with private numbers that the peer of this connection, or of any (NULL), may sign with: auth_hashes_named(). */
uint32_t policy_hashes(const struct policy *p, const struct policy_conn *conn);
/* CERTREQ data: SHA-1 SPKI hashes of the CAs accepted for conn (all when it names none); at most 50. conn may be NULL. */
void policy_certreq(const struct policy *p, const struct policy_conn *conn, struct wr *w);
/* Does an identity satisfy remote.id of this round (wildcards included)? */
bool policy_remote_id_ok(const struct policy_auth *auth, const struct adit_id *id);

#endif
