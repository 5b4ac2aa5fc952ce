/* redir.h - redirects (RFC 5685), shared by the files of this folder: the notify's data, and what an SA remembers. */
#ifndef IKE_EXT_REDIR_H
#define IKE_EXT_REDIR_H

#include "ike/ext.h"

#define REDIR_MAX 5           /* redirects that are followed ... */
#define REDIR_PERIOD_S 300    /* ... in so many seconds, RFC 5685 s7 */
#define REDIR_WHERE_SIZE 256  /* an address or a DNS name, as text */
enum { GATEWAY_IPV4 = 1, GATEWAY_IPV6 = 2, GATEWAY_FQDN = 3 };

/* --- gateway.c: data of REDIRECT and REDIRECTED_FROM, RFC 5685 s9 -------------------------------------------------- */
struct redir_gateway {
    char where[REDIR_WHERE_SIZE]; /* printed address, or DNS name */
    struct adit_addr addr;        /* family 0: a name */
    struct adit_span nonce;       /* borrowed from the data; empty: none */
};
/* False: malformed, no gateway that anybody could go to, or a nonce of a length that nonces do not have. */
bool redir_gateway_get(struct adit_span data, struct redir_gateway *out);
/* Writes the data; false (and nothing written): where is neither an address nor a DNS name. */
bool redir_gateway_put(struct wr *w, const char *where, struct adit_span nonce);

/* --- redir.c: what an SA remembers ------------------------------------------------------------------------------------ */
struct redir_state {
    uint64_t followed_at[REDIR_MAX]; /* client: the last redirects of this setup; 0 = none */
    unsigned next;
    char from[REDIR_WHERE_SIZE]; /* client: the gateway that sent us here; server: what the client says of it */
    char to[REDIR_WHERE_SIZE];   /* server: where the client was sent */
    uint64_t leave_by;           /* server: it is deleted then; 0 = no matter */
};
struct adit_span redir_nonce_i(const struct ike_sa *sa);
void redir_put(struct wr *w, uint16_t notify, const char *where, struct adit_span nonce);

/* --- client.c --- */
extern const struct ike_step redir_init_req, redir_auth_req, redir_info_resp;
void redir_announce(struct ike_sa *sa, struct wr *w);      /* REDIRECT_SUPPORTED */
void redir_announce_from(struct ike_sa *sa, struct wr *w); /* REDIRECTED_FROM */
bool redir_client_withholds(struct ike_sa *sa, const struct ike_msg *msg);

/* --- server.c --- */
extern const struct ike_step redir_auth_resp;
uint16_t redir_turn_away(const struct ike_stranger *s, struct wr *w);
bool redir_server_withholds(struct ike_sa *sa);
enum adit_rc redir_send_away(struct ike_sa *sa, const char *gateway, struct adit_why *why);
void redir_heard_from(struct ike_sa *sa, const struct ike_msg *msg, const struct notify *n);
uint64_t redir_deadline(struct ike_sa *sa);
void redir_timer(struct ike_sa *sa, uint64_t now);

#endif
