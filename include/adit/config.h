/* adit/config.h - an immutable, reference-counted snapshot of everything that is configured. It lives in one arena:
 * build it, hand it over (adit_ike_config), drop your reference. Strings and arrays belong to the snapshot. */
#ifndef ADIT_CONFIG_H
#define ADIT_CONFIG_H

#include "adit/model.h"

#pragma GCC visibility push(default) /* what follows is the library's interface */

struct adit_config;

/* Key and value of an option that belongs to an extension; both as written. */
struct adit_option {
    const char *key, *value;
};

/* local_addrs/remote_addrs: one address, a range (CIDR or a-b), or a name that the host resolves. */
struct adit_addr_spec {
    const char *text; /* as written; a DNS name if lo.family is 0 and text is not "%any" */
    struct adit_addr lo, hi;
    bool any;
    bool single;
};

enum adit_auth_class { ADIT_AUTH_ANY, ADIT_AUTH_PUBKEY, ADIT_AUTH_PSK, ADIT_AUTH_EAP };
enum adit_revocation { ADIT_REVOKE_RELAXED, ADIT_REVOKE_IFURI, ADIT_REVOKE_STRICT };
/* One authentication round of one side. */
struct adit_auth_cfg {
    enum adit_auth_class class;
    const char *auth;      /* as written, with constraints ("pubkey-sha384") */
    struct adit_id id;     /* type 0: not configured */
    const char *id_text;   /* as written; wildcards stay in here */
    uint16_t n_certs, n_cacerts;
    const struct adit_span *certs, *cacerts; /* PEM or DER */
    enum adit_revocation revocation;
};

/* A selector of the configuration: `dynamic` takes its address from the IKE SA's outer (or virtual) address. */
struct adit_ts_cfg {
    bool dynamic;
    struct adit_ts ts;
};

enum adit_action { ADIT_ACTION_NONE = 0, ADIT_ACTION_TRAP = 1, ADIT_ACTION_START = 2 }; /* bits */
struct adit_child_cfg {
    const char *name;
    enum adit_mode mode;
    const struct proposal_list *proposals;
    uint16_t n_local_ts, n_remote_ts;
    const struct adit_ts_cfg *local_ts, *remote_ts;
    uint64_t rekey_s, life_s, rand_s;
    uint64_t rekey_bytes, life_bytes, rand_bytes;
    uint64_t rekey_packets, life_packets, rand_packets;
    uint8_t start_action, close_action, dpd_action; /* bits of adit_action */
    uint32_t replay_window;
    enum adit_df df;
    enum adit_fragment fragment;
    bool copy_ecn;
    enum adit_copy copy_dscp;
    uint16_t tfc_padding; /* octets; ADIT_TFC_MTU */
    uint32_t tfc_dummies; /* a second */
    uint64_t inactivity_s;
    uint32_t reqid, priority;
    const char *updown;
    uint16_t n_options;
    const struct adit_option *options;
};

enum adit_unique { ADIT_UNIQUE_NO, ADIT_UNIQUE_NEVER, ADIT_UNIQUE_KEEP, ADIT_UNIQUE_REPLACE };
enum adit_send_cert { ADIT_CERT_IF_ASKED, ADIT_CERT_ALWAYS, ADIT_CERT_NEVER };
struct adit_conn {
    const char *name;
    uint16_t n_local_addrs, n_remote_addrs;
    const struct adit_addr_spec *local_addrs, *remote_addrs;
    uint16_t local_port, remote_port;
    const struct proposal_list *proposals;
    uint16_t n_local, n_remote; /* authentication rounds */
    const struct adit_auth_cfg *local, *remote;
    uint16_t n_children;
    const struct adit_child_cfg *children;
    enum adit_unique unique;
    enum adit_send_cert send_cert;
    bool send_certreq;
    uint16_t window; /* requests that the peer may have under way at once, to 8; 0 = 1 */
    uint64_t dpd_delay_s;
    uint32_t keyingtries; /* 0 = for ever */
    uint64_t rekey_s, over_s, rand_s, reauth_s;
    uint32_t init_ke_max;     /* octets of KE data in IKE_SA_INIT; 0 = the engine's default */
    bool accept_private_algs; /* numbers for private use also from peers that do not show our Vendor ID */
    const char *peer; /* kind of peer for quirks; NULL = find out */
    const char *source; /* "vici", or file:line, for messages */
    uint16_t n_options;
    const struct adit_option *options;
};

enum adit_shared_type { ADIT_SHARED_IKE, ADIT_SHARED_PPK, ADIT_SHARED_EAP };
struct adit_shared {
    const char *id; /* name of the secret, for replacing and unloading */
    enum adit_shared_type type;
    struct adit_span secret;
    uint16_t n_owners; /* 0 = anybody */
    const struct adit_id *owners;
};
enum adit_cert_use { ADIT_CERT_END_ENTITY, ADIT_CERT_CA, ADIT_CERT_CRL };
struct adit_cert {
    enum adit_cert_use use;
    struct adit_span data; /* PEM or DER */
    const char *source;    /* file name, for messages */
};
struct adit_key {
    struct adit_span data; /* PEM or DER; empty if uri is set */
    const char *uri;       /* OSSL_STORE URI: pkcs11:..., handle:... */
    struct adit_span pass;
    const char *source;
};

/* Addresses to lease to peers, with what else they are told (RFC 7296 s3.15). */
struct adit_attr {
    uint16_t type;          /* of IANA's Configuration Payload Attribute Types */
    struct adit_span value; /* as on the wire */
};
struct adit_pool {
    const char *name;
    struct adit_addr base;   /* as written, for lists */
    struct adit_addr lo, hi; /* leased are these and what lies between; of one family */
    uint16_t n_attrs;
    const struct adit_attr *attrs;
};

/* Daemon-wide settings of the engine, defaults in ike/policy.c; 0 = default. */
struct adit_ike_settings {
    uint32_t retransmit_tries;      /* 5 */
    double retransmit_timeout_s;    /* 4.0 */
    double retransmit_base;         /* 1.8 */
    uint32_t half_open_timeout_s;   /* 30 */
    uint32_t cookie_threshold;      /* 30 half-open SAs; UINT32_MAX = never */
    uint32_t cookie_threshold_ip;   /* 3 from one address */
    uint32_t half_open_max;         /* hard ceiling */
    uint16_t port, port_nat_t;      /* 500, 4500 */
    const char *ke_pool;            /* key pairs made ahead: "auto" (NULL), "no", or "mceliece8192128f:2, frodoa5" */
    uint16_t n_options;             /* of extensions: fragment_size, keep_alive ... */
    const struct adit_option *options;
};

/* An empty snapshot with one reference, NULL: memory is out; one more reference; one less (the last frees it). */
struct adit_config *adit_config_new(void);
struct adit_config *adit_config_ref(struct adit_config *cfg);
void adit_config_unref(struct adit_config *cfg);

/* Deep copies into the snapshot. The order is kept; equal names replace in place. ADIT_ERR_MEMORY. */
ADIT_MUST_USE enum adit_rc adit_config_add_conn(struct adit_config *cfg, const struct adit_conn *conn);
ADIT_MUST_USE enum adit_rc adit_config_add_shared(struct adit_config *cfg, const struct adit_shared *secret);
ADIT_MUST_USE enum adit_rc adit_config_add_cert(struct adit_config *cfg, const struct adit_cert *cert);
ADIT_MUST_USE enum adit_rc adit_config_add_key(struct adit_config *cfg, const struct adit_key *key);
ADIT_MUST_USE enum adit_rc adit_config_add_pool(struct adit_config *cfg, const struct adit_pool *pool);
ADIT_MUST_USE enum adit_rc adit_config_settings(struct adit_config *cfg, const struct adit_ike_settings *s);

/* What it holds, in load order: number of entries, *out = the array; both live as long as the snapshot. */
size_t adit_config_conns(const struct adit_config *cfg, const struct adit_conn *const **out);
size_t adit_config_shared(const struct adit_config *cfg, const struct adit_shared *const **out);
size_t adit_config_certs(const struct adit_config *cfg, const struct adit_cert *const **out);
size_t adit_config_keys(const struct adit_config *cfg, const struct adit_key *const **out);
size_t adit_config_pools(const struct adit_config *cfg, const struct adit_pool *const **out);
const struct adit_pool *adit_config_pool(const struct adit_config *cfg, const char *name); /* NULL: there is none */
const struct adit_ike_settings *adit_config_get_settings(const struct adit_config *cfg);
const struct adit_conn *adit_config_conn(const struct adit_config *cfg, const char *name);

/* Value of an extension's option, or NULL: child first, then connection. */
const char *adit_option_get(const struct adit_option *options, uint16_t n, const char *key);

#pragma GCC visibility pop
#endif
