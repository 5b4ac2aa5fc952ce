/* resumption.h - IKE session resumption (RFC 5723): the module's own parts. */
#ifndef IKE_EXT_RESUMPTION_H
#define IKE_EXT_RESUMPTION_H

#include "base/map.h"
#include "ike/ext.h"

#define TICKET_KEY_LIFE (7 * 86400ull) /* s; the one before is good for so long again (RFC 5723 s9.5) */
#define TICKET_MAX 4096                /* octets of a peer's ticket that we keep */
#define TICKET_LIFE_MIN 60             /* s: a ticket for less is not worth its octets */
#define TICKETS_USED 4096              /* remembered as used; then the oldest is forgotten */
#define KEY_ID_SIZE 8
#define SALT_SIZE 16
#define TICKET_HEAD (4 + KEY_ID_SIZE + SALT_SIZE)
#define TICKET_OVERHEAD (TICKET_HEAD + 8 + 16) /* head | expiry, memo | ICV */

/* --- ticket.c: tickets by value, as we give them --------------------------------------------------------------- */
struct ticket_key {
    uint8_t id[KEY_ID_SIZE];
    struct adit_secret secret; /* empty: there is none */
    uint64_t made_at;          /* wall clock, s */
};
struct ticket { /* opened */
    uint64_t id, expires; /* id: of the salt; expires: wall clock, s */
    struct adit_secret plain;
    struct adit_span memo; /* in plain */
};
ADIT_MUST_USE enum adit_rc ticket_seal(const struct adit_crypto *crypto, const struct ticket_key *key,
                                       const uint8_t salt[SALT_SIZE], uint64_t expires, struct adit_span memo,
                                       struct adit_buf *out);
/* One AEAD opening at most. ADIT_ERR_INTEGRITY: not by one of these keys (n of them), damaged, or no ticket. */
ADIT_MUST_USE enum adit_rc ticket_open(const struct adit_crypto *crypto, const struct ticket_key *keys, size_t n,
                                       struct adit_span octets, struct ticket *out);
void ticket_fini(struct ticket *t);
uint64_t ticket_id(const uint8_t salt[SALT_SIZE]);

struct used { /* a ring; index finds what stands in it */
    struct {
        uint64_t id, expires;
    } *ring;
    struct map index;
    size_t next;
};
bool used_has(const struct used *u, uint64_t id);
void used_add(struct used *u, uint64_t id, uint64_t expires); /* no memory: it is not remembered */
void used_fini(struct used *u);

/* --- store.c: tickets that peers have given us -------------------------------------------------------------------- */
struct stored {
    struct stored *next;
    char *conn;
    uint32_t owner;   /* id of the IKE SA that it goes on for */
    uint32_t user;    /* id of the IKE SA that is being opened with it; 0 = none */
    bool lost;        /* the owner has gone without a word */
    bool pause;       /* nobody answered it: IKE_SA_INIT is next */
    uint64_t expires; /* engine's clock, ns */
    struct adit_buf ticket;
    struct adit_secret memo;
};
struct stored *store_find(struct stored *first, const char *conn);
void store_drop(struct stored **first, struct stored *which);
/* In the place of the connection's present one; takes ticket and memo. */
void store_put(struct stored **first, const char *conn, uint32_t owner, uint64_t expires, struct adit_buf *ticket,
               struct adit_secret *memo);
void store_expire(struct stored **first, uint64_t now);

/* --- state ---------------------------------------------------------------------------------------------------------- */
struct vault {
    struct ticket_key key[2]; /* the present one, the one before */
    struct used used;
    struct stored *store;
};
struct state {              /* of one IKE SA */
    bool client;            /* we ask, the peer grants */
    bool resumed;
    uint64_t ticket;        /* responder: id of the ticket that opened it, until it is up */
    uint64_t ticket_expires;
    uint64_t granted, granted_expires; /* the last one that we gave */
    uint64_t ask_at;        /* engine's clock, ns; 0 = not at all */
};
static inline struct vault *vault_of(struct ike_sa *sa)
{
    return ext_engine(sa, EXT_resumption);
}
static inline bool resumption_is(const struct ike_sa *sa, const char *word)
{
    return span_equal(span_str(sa_option(sa, "resumption")), span_str(word));
}

/* opening.c, asking.c */
extern const struct ike_opening resumption_opening;
extern const struct ike_step resume_resp, ask_auth_req, grant_auth_resp, grant_info_resp, later_child_resp, ask_info_req;

#endif
