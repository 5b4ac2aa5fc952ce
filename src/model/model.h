/* model.h - compare, copy, parse and print the plain types of adit/model.h. No behaviour beyond that. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "adit/config.h"
#include "adit/model.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/strbuf.h"

/* --- addr.c ------------------------------------------------------------------------------------------------- */
bool addr_equal(const struct adit_addr *a, const struct adit_addr *b);
bool addr_is_any(const struct adit_addr *a); /* 0.0.0.0, ::, or unset */
struct adit_span addr_span(const struct adit_addr *a); /* 4 or 16 octets */
struct adit_addr addr_from(struct adit_span ip);       /* 4 or 16 octets, else unset */
bool endpoint_equal(const struct adit_endpoint *a, const struct adit_endpoint *b);
bool path_equal(const struct adit_path *a, const struct adit_path *b);
/* "192.0.2.1", "2001:db8::1"; false: not an address. */
bool addr_parse(const char *text, struct adit_addr *out);
void addr_print(struct strbuf *out, const struct adit_addr *a);
/* "192.0.2.1[500]" */
void endpoint_print(struct strbuf *out, const struct adit_endpoint *e);
/* CIDR, a-b, single address, %any or a DNS name (left for the host). */
enum adit_rc addr_spec_parse(const char *text, struct adit_addr_spec *out, struct adit_why *why);
bool addr_spec_match(const struct adit_addr_spec *spec, const struct adit_addr *a);
/* Hash for tables keyed by address (seeded); port included for endpoints. */
uint64_t addr_hash(const struct adit_addr *a, uint64_t seed);
uint64_t endpoint_hash(const struct adit_endpoint *e, uint64_t seed);

/* --- id.c --------------------------------------------------------------------------------------------------- */
bool id_equal(const struct adit_id *a, const struct adit_id *b); /* FQDN and e-mail case-blind */
/* strongSwan's rules (management.md 4.2): "moon.example" FQDN, "@x", "a@b", address, "C=CH, O=x" DN, "keyid:..",
 * "%any" (type 0). Data is built in `arena`. DNs are encoded by OpenSSL in pki, hence the callback: text -> DER. */
typedef bool id_dn_fn(void *arg, const char *text, struct arena *arena, struct adit_span *der);
enum adit_rc id_parse(const char *text, struct arena *arena, id_dn_fn *dn, void *dn_arg, struct adit_id *out,
                      struct adit_why *why);
/* Wildcards of local policy: "*@example.org", "*.example.org", DNs with "CN=*" (by pki). pattern type 0 = any. */
bool id_match(const struct adit_id *pattern, const struct adit_id *id);
void id_print(struct strbuf *out, const struct adit_id *id); /* DN: "C=CH, O=.."; binary as hex */
bool id_copy(struct adit_buf *to, struct adit_id *view, const struct adit_id *from); /* false: memory */

/* --- ts.c --------------------------------------------------------------------------------------------------- */
bool ts_equal(const struct adit_ts *a, const struct adit_ts *b);
bool ts_contains(const struct adit_ts *outer, const struct adit_ts *inner);
/* The common part; false if empty (families, protocols, ports or ranges do not meet). */
bool ts_intersect(const struct adit_ts *a, const struct adit_ts *b, struct adit_ts *out);
/* A packet's one side: address, protocol, port (0 if it has none). */
bool ts_match(const struct adit_ts *ts, const struct adit_addr *addr, uint8_t proto, uint16_t port);
struct adit_ts ts_from_addr(const struct adit_addr *a);          /* all protocols and ports */
struct adit_ts ts_any(uint8_t family);
enum adit_rc ts_parse(const char *text, struct adit_ts_cfg *out, struct adit_why *why); /* "10.0.0.0/8[tcp/80]" */
/* "10.1.0.0/16", "10.1.0.5..10.1.0.9[tcp/http]": output form of management.md trap 6. */
void ts_print(struct strbuf *out, const struct adit_ts *ts);
void ts_cfg_print(struct strbuf *out, const struct adit_ts_cfg *ts);

/* --- proposal.c --------------------------------------------------------------------------------------------- */
struct proposal_list *proposal_list_new(struct arena *a, uint16_t n);
/* Strict: "aes256gcm16-prfsha384-x25519-ke1_mlkem768"; presets and `default` (management.md 4.2, 5) may give several
 * proposals. items = the configuration's list. proto decides the rules. Errors name the token and the nearest one. */
enum adit_rc proposals_parse(const char *const *items, size_t n, uint8_t proto, struct arena *arena,
                             const struct proposal_list **out, struct adit_why *why);
/* "aes256gcm16-prfsha384-x25519-ke1_mlkem768" */
void proposal_print(struct strbuf *out, const struct proposal *p);
void suite_print(struct strbuf *out, const struct adit_suite *s);
/* The suite as a proposal with one transform a type (proto IKE or ESP); SPI left empty. */
void suite_to_proposal(const struct adit_suite *s, uint8_t proto, struct proposal *out);

/* --- config.c: adit/config.h -------------------------------------------------------------------------------- */
const struct adit_child_cfg *conn_child(const struct adit_conn *conn, const char *name);

/* --- ke_pool.c ---------------------------------------------------------------------------------------------- */
/* `ke_pool`: of which key exchange methods how many keys are made ahead. */
#define KE_POOL_MAX 8
#define KE_POOL_KEYS_MAX 16
struct ke_pool {
    bool automatic; /* the slow ones among those that are configured */
    size_t n;
    struct ke_pool_item {
        uint16_t method; /* KE_* */
        uint8_t keys;
    } v[KE_POOL_MAX];
};
/* "auto" (or NULL), "no", or "METHOD[:KEYS], ..". ADIT_ERR_CONFIG says which item is wrong. */
ADIT_MUST_USE enum adit_rc ke_pool_parse(const char *text, struct ke_pool *out, struct adit_why *why);

/* --- words.c ------------------------------------------------------------------------------------------------ */
/* The nearest word for "did you mean" (edit distance <= 1/3 of its length), or NULL. */
const char *word_nearest(const char *word, const char *const *words, size_t n);

#endif
