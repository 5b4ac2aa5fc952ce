/* conformance.h - behaviours that an IKEv2 peer must survive, and what it has to answer: a catalogue, and a puppet that
 * plays them against a peer. The puppet reaches behind the keys: it completes exchanges itself, and lies where it is told
 * to. It reaches the world only through the port that it is given: sockets in `adit conformance`, the simulator in tests. */
#ifndef CONFORMANCE_CONFORMANCE_H
#define CONFORMANCE_CONFORMANCE_H

#include "adit/crypto.h"
#include "adit/model.h"

/* Who the puppet is in IKE_SA_INIT: an initiator needs nothing from the peer, a responder needs to be called. */
enum conformance_role { CONFORMANCE_INITIATOR, CONFORMANCE_RESPONDER };
enum conformance_stage { STAGE_BEFORE_AUTH, STAGE_BEHIND_KEYS };
/* How binding: the document says MUST (or the protocol fails), it says SHOULD or leaves a choice, or only we think so. */
enum conformance_level { LEVEL_MUST, LEVEL_SHOULD, LEVEL_CHOICE };
enum conformance_verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_SKIPPED };

struct puppet;
struct behaviour {
    const char *name, *section; /* "RFC 7296 s2.5" */
    enum conformance_role role;
    enum conformance_stage stage;
    enum conformance_level level;
    const char *what, *expected;
    void (*script)(struct puppet *p);
};
/* All rows, in the order of the catalogue. */
const struct behaviour *conformance_rows(size_t *n);
/* "initiator", "before auth", "MUST", "passed" */
const char *conformance_role_name(enum conformance_role r);
const char *conformance_stage_name(enum conformance_stage s);
const char *conformance_level_name(enum conformance_level l);
const char *conformance_verdict_name(enum conformance_verdict v);

/* What the puppet wants of the peer that it can't do itself. */
enum conformance_wish { WISH_INITIATE, WISH_REKEY_CHILD, WISH_REKEY_IKE };
struct conformance_port {
    void *arg;
    bool (*send)(void *arg, struct adit_span datagram);
    /* The next datagram from the peer, at most cap octets, waiting at most ms; 0: none. */
    size_t (*receive)(void *arg, uint8_t *out, size_t cap, unsigned ms);
    uint64_t (*now_ms)(void *arg);
    /* false: the peer could not be brought to it, and rows that need it are skipped. NULL: never. */
    bool (*wish)(void *arg, enum conformance_wish w);
};
/* All borrowed; must outlive the run. */
struct conformance_params {
    struct adit_crypto *crypto;
    struct conformance_port port;
    const char *ike, *esp;   /* one proposal each: "aes256gcm16-prfsha384-x25519-ke1_mlkem768" */
    struct adit_id id, peer_id; /* peer_id.type 0: whoever it is */
    struct adit_span psk; /* empty: the peer has to sign */
    /* The puppet's own certificate and private key (PEM or DER): it signs. The CA has to have issued those of both. Empty: by psk. */
    struct adit_span cert, key, ca;
    uint64_t unix_now; /* seconds, for the peer's certificate */
    struct adit_ts ts, peer_ts; /* behind the puppet, behind the peer */
    unsigned answer_ms, quiet_ms; /* how long to wait for an answer; how long silence has to last */
    bool no_epilogue;             /* don't check afterwards that an honest handshake still works */
};
struct conformance_result {
    enum conformance_verdict verdict;
    char text[256]; /* why not passed */
    char heard[96]; /* what the peer answered last to what it was judged by: "silence", "IKE_AUTH response with INVALID_SYNTAX" */
};
/* Plays one behaviour (script NULL: none), then looks whether the peer still serves. Memory or parameters that are no good: failed. */
void conformance_play(const struct conformance_params *params, const struct behaviour *b, struct conformance_result *out);
/* Can these parameters be used? ADIT_ERR_CONFIG, with *why in words. */
ADIT_MUST_USE enum adit_rc conformance_check(const struct conformance_params *params, struct adit_why *why);

#endif
