/* puppet.h - a scriptable IKEv2 peer: what the rows of the catalogue are written in. A row drafts a message with a noun
 * (hello, auth_request, child_request ...), spoils it, says it, and judges what comes back. All verbs do nothing once the
 * verdict is in, so that scripts need no conditions. */
#ifndef CONFORMANCE_PUPPET_H
#define CONFORMANCE_PUPPET_H

#include "base/strbuf.h"
#include "conformance/conformance.h"
#include "conformance/keys.h"
#include "model/model.h"
#include "pki/pki.h"
#include "wire/payload.h"

#define PARTS_MAX 6000
#define BODY_MAX 70000
#define DATAGRAM_MAX 65535
#define HASHES_MAX 16
#define ROUNDS_MAX 7 /* IKE_INTERMEDIATE exchanges of a suite */
#define PIECES_MAX 4 /* fragments of a message of the peer that is read */
#define PIECE_MAX 2000

/* A payload of the message being drafted. */
struct part {
    uint8_t type, flags;
    int next;       /* what its Next Payload says; -1: the truth */
    int length_lie; /* added to its Payload Length */
    uint32_t at, n; /* body in draft.body */
};
struct draft {
    struct ike_hdr hdr;
    bool clear;       /* without protection */
    int first;        /* what the header or SK says of the first payload; -1: the truth */
    int64_t length_lie; /* added to the header's Length */
    uint16_t n;
    struct part part[PARTS_MAX];
    uint32_t body_n;
    uint8_t body[BODY_MAX];
    /* of the SK payload */
    bool bad_icv, bad_iv;
    uint8_t pad;  /* octets of padding more than needed (multiples of the block) */
    int pad_lie;  /* what Pad Length says; -1: the truth */
    int sk_lie;   /* added to SK's Payload Length */
    uint8_t sk_flags;
    uint16_t junk; /* zero octets after the end, counted in Length */
    uint16_t beyond; /* zero octets after the end, not counted */
};
/* One IKE SA as the puppet has it. */
struct association {
    uint64_t spi_i, spi_r;
    bool initiator, keyed, up, over;
    uint32_t next_send, next_expect;
    uint32_t window; /* of the peer; 0: it has said nothing */
    bool digital;    /* the peer knows RFC 7427, and these hashes */
    uint16_t hashes[HASHES_MAX];
    unsigned n_hashes;
    struct sk_keys keys;
    struct crypt *sealer, *opener;
    uint64_t iv;
    struct adit_buf ni, nr, init_req, init_resp;
    uint8_t int_i[PRF_OUT_MAX], int_r[PRF_OUT_MAX]; /* IntAuth of RFC 9242 s3.3.2 */
    unsigned rounds;
    uint32_t spi_in, spi_out; /* the Child SA */
};
/* A message of the peer in fragments. */
struct pieces {
    struct ike_hdr hdr;
    uint16_t total, n[PIECES_MAX];
    uint8_t first, have; /* have: a bit for each */
    uint8_t octets[PIECES_MAX][PIECE_MAX];
};
/* What has been heard last. */
struct heard {
    struct ike_hdr hdr;
    bool clear;
    size_t n; /* of the datagram */
    struct adit_span plain; /* inner payloads */
    struct payload_list list;
    uint8_t datagram[DATAGRAM_MAX], opened[DATAGRAM_MAX];
    struct pieces pieces; /* total: in how many it came; 0: whole */
};

struct puppet {
    const struct conformance_params *params;
    struct conformance_port port;
    struct arena arena;
    const struct proposal *ike, *esp; /* as configured */
    uint32_t peer_spi, peer_old_spi; /* of the Child SA that the peer has asked for, and of the one to be rekeyed */
    struct proposal offer, pick; /* what goes into the next SA payload: of a request, of a response */
    struct suite_rows rows;
    const struct ke_alg *ke, *add[ROUNDS_MAX], *child_ke;
    uint16_t add_id[ROUNDS_MAX];
    unsigned n_add;
    struct ke_state *ke_state;
    const struct ke_alg *ke_state_of;
    struct adit_buf nonce;     /* the last one drafted outside of IKE_SA_INIT */
    struct proposals proposals; /* read from what was heard */
    struct adit_buf pub;       /* our value of the exchange under way */
    struct adit_secret shared; /* its result */
    struct {
        unsigned n;             /* key exchanges done */
        struct adit_secret first; /* SK(0) */
        struct adit_buf more, nr, link; /* SK(1) .. SK(n); the peer's nonce; what the next request repeats */
        uint64_t spi_r;
    } series; /* an IKE SA being rekeyed with additional key exchanges */
    struct association sa, old; /* old: after a rekey, or set aside */
    struct draft draft;
    struct heard heard;
    struct adit_buf said; /* the last datagram, to say it again */
    bool fragments; /* announce RFC 7383 */
    struct { /* by certificate; NULL: by pre-shared key */
        struct pki_cert *cert;
        struct crypto_key *key;
        struct pki_store *cas;
        uint8_t ca_key[20]; /* SHA-1 of the CA's key, for CERTREQ */
    } own;
    bool private_points; /* show Adit's Vendor ID, and announce what needs it */
    bool over;
    struct conformance_result *out;
    uint8_t out_mem[DATAGRAM_MAX + 1024];
    uint8_t scratch[DATAGRAM_MAX + 1024];
};

/* --- puppet.c: life ------------------------------------------------------------------------------------------------- */
struct puppet *puppet_new(const struct conformance_params *params, struct conformance_result *out);
void puppet_free(struct puppet *p);
void association_fini(struct association *a);
/* Ends the script with a verdict; the first one counts. */
void fail(struct puppet *p, const char *fmt, ...) ADIT_PRINTF(2, 3);
void skip(struct puppet *p, const char *why);
void random_octets(struct puppet *p, uint8_t *out, size_t n);
/* Begins anew as an initiator that the peer does not know, or goes back to the one that was set aside. */
void another_self(struct puppet *p);
void former_self(struct puppet *p);

/* --- draft.c: spoiling a message ------------------------------------------------------------------------------------- */
void draft_begin(struct puppet *p, uint8_t exchange, bool response);
struct part *find(struct puppet *p, uint8_t type); /* a harmless dummy if there is none */
void add(struct puppet *p, uint8_t type, struct adit_span body);
void add_zero(struct puppet *p, uint8_t type, size_t n);  /* a body of n zero octets */
void add_first(struct puppet *p, uint8_t type, struct adit_span body);
void add_notify(struct puppet *p, uint16_t type, struct adit_span data);
void add_notify_spi(struct puppet *p, uint8_t proto, uint32_t spi, uint16_t type);
void replace(struct puppet *p, uint8_t type, struct adit_span body);
void leave_out(struct puppet *p, uint8_t type);
void twice(struct puppet *p, uint8_t type);
void critical(struct puppet *p, uint8_t type);
void resize(struct puppet *p, uint8_t type, size_t n); /* body cut, or filled up with zeros */
void set_octet(struct puppet *p, uint8_t type, size_t at, uint8_t value);
void flip(struct puppet *p, uint8_t type, size_t at); /* one octet of a body inverted; at counts from the end if huge */
void fill_body(struct puppet *p, uint8_t type, size_t from, uint8_t value); /* all octets from there on */
void reverse_order(struct puppet *p);
#define LAST_OCTET SIZE_MAX
/* The draft's payloads as octets and the first one's type; SIZE_MAX: they do not fit. */
size_t draft_chain(struct puppet *p, uint8_t *mem, size_t cap, uint8_t *first);
/* Draft to datagram: p->out_mem; octets, 0 = it does not fit. */
size_t compile(struct puppet *p);

/* --- seal.c ------------------------------------------------------------------------------------------------------------ */
/* Inner payloads into an SK, or fragment number/total of them into an SKF (total 0: SK). Octets, 0 = failed. */
size_t seal(struct puppet *p, uint8_t first, struct adit_span plain, unsigned number, unsigned total);
/* Reports about the fragments of what was heard: ranges of those that are missing (pairs of 16 bits), or a fragment number 0
 * with any body and total. */
void say_list(struct puppet *p, struct adit_span ranges);
void say_bitmap(struct puppet *p, unsigned total, struct adit_span body);
/* heard.datagram to heard.plain; false: not ours, forged, or more fragments are to come. */
bool unseal(struct puppet *p);
/* IntAuth takes over what was exchanged in a round: as sent or heard (adjusted header, plain). */
void int_auth(struct puppet *p, bool from_initiator, const struct ike_hdr *hdr, uint8_t first, uint8_t flags,
              struct adit_span plain);

/* --- hear.c: speaking and listening ------------------------------------------------------------------------------------ */
void say(struct puppet *p);                             /* the draft */
void say_raw(struct puppet *p, struct adit_span datagram); /* anything */
void say_again(struct puppet *p);                       /* the last datagram */
void say_part(struct puppet *p, size_t n);              /* its first n octets */
/* The draft's payloads cut into `total` pieces; says piece `number`, claiming to be `as` of `of`. */
void say_fragment(struct puppet *p, unsigned number, unsigned total, unsigned as, unsigned of);
/* Datagrams that come in so long, whatever they are; what was heard before stays. */
unsigned count_datagrams(struct puppet *p, unsigned ms);
bool hear_response(struct puppet *p, unsigned ms); /* to what was said; false: silence */
bool hear_request(struct puppet *p, uint8_t exchange, unsigned ms);
/* What stands in what was heard. */
bool heard_notify(struct puppet *p, uint16_t type, struct notify *out);
bool heard_any_error(struct puppet *p, struct notify *out);
const struct payload *heard_payload(struct puppet *p, uint8_t type);

/* --- exchanges.c: drafts and whole exchanges ------------------------------------------------------------------------------ */
void hello(struct puppet *p); /* IKE_SA_INIT request */
void put_offer(struct puppet *p); /* p->offer as the draft's SA payload */
void put_pick(struct puppet *p);
void put_nonce(struct puppet *p, size_t n); /* another nonce into the draft, and into the keys */
void put_ke(struct puppet *p, uint16_t method, struct adit_span data);
void offer_ke(struct puppet *p, uint16_t method); /* the draft's SA and KE with another key exchange */
void accept_response(struct puppet *p); /* IKE_SA_INIT response heard: keys */
void keyed(struct puppet *p);         /* hello, said and answered, and all IKE_INTERMEDIATEs */
void took_round(struct puppet *p);    /* IKE_INTERMEDIATE response heard: the next keys */
void keyed_but_round(struct puppet *p); /* as far as the first IKE_INTERMEDIATE request, drafted; skips without one */
void auth_request(struct puppet *p);  /* IKE_AUTH drafted, with AUTH computed */
void finish_auth(struct puppet *p);   /* IKE_AUTH response heard: checks AUTH */
void up(struct puppet *p);            /* an IKE SA with a Child SA */
/* Requests that the peer takes at once, as it has said; at most 16 of them are of interest. */
uint32_t peer_window(const struct puppet *p);
void info_request(struct puppet *p);
void child_request(struct puppet *p); /* a further Child SA */
void child_rekey(struct puppet *p, uint32_t spi); /* REKEY_SA of our inbound SPI */
void ike_rekey(struct puppet *p);
/* Rekeying the IKE SA with additional key exchanges (RFC 9370 s2.2.4): drafted; skips without any in the suite. */
void ike_rekey_series(struct puppet *p);
void followup(struct puppet *p);      /* its response, or that to a followup, heard: the next IKE_FOLLOWUP_KE drafted */
void take_series(struct puppet *p);   /* the last response heard: new keys; the former SA in p->old */
void take_child(struct puppet *p);    /* CREATE_CHILD_SA response heard: the new SPIs */
void take_ike(struct puppet *p);      /* rekeyed IKE SA: new keys; the former one in p->old */
void delete_child(struct puppet *p, uint32_t spi);
void delete_ike(struct puppet *p);
void answer(struct puppet *p);        /* an empty response to the request heard, drafted */
void called(struct puppet *p);        /* the peer initiates: its IKE_SA_INIT request heard, keys ready, response drafted */
void called_keyed(struct puppet *p);  /* the response is said, IKE_AUTH request heard, its response drafted */
void called_up(struct puppet *p);     /* up, the peer being the initiator */
void called_child(struct puppet *p);  /* the peer rekeys the Child SA: heard, response drafted */
void called_rekey(struct puppet *p);  /* the peer rekeys the IKE SA: heard, response drafted */
/* The draft's selectors of one side: `count` times the one given. */
void set_selectors(struct puppet *p, uint8_t type, const struct adit_ts *ts, unsigned count);
void put_announcements(struct puppet *p); /* the notifies of IKE_SA_INIT */

/* Between exchanges.c and responses.c. */
void sa_begin_ke(struct puppet *p, const struct ke_alg *alg);
void derive_first(struct puppet *p);
void derive_round(struct puppet *p);

/* --- auth.c: AUTH of both ends ---------------------------------------------------------------------------------------------- */
void set_auth(struct puppet *p, enum sk_part with); /* AUTH of the draft computed with another SK_p */
void other_method(struct puppet *p); /* says that it is a signature if it is a MAC, and the other way round */
/* Key, certificate and CA of the parameters; false: *why. */
bool own_load(struct puppet *p, struct adit_why *why);
void own_free(struct puppet *p);
/* All of these do nothing without a certificate. */
void announce_hashes(struct puppet *p); /* SIGNATURE_HASH_ALGORITHMS */
void put_cert(struct puppet *p);
void put_certreq(struct puppet *p);
void hear_hashes(struct puppet *p);
void verify_peer(struct puppet *p); /* AUTH in what was heard */

/* --- judge.c ------------------------------------------------------------------------------------------------------------ */
void must(struct puppet *p, bool cond, const char *what);
void silence(struct puppet *p);                       /* no response to what was said */
void answered(struct puppet *p);                      /* a response, whatever it says */
void whatever(struct puppet *p);                      /* a response or silence */
void accepted(struct puppet *p);                      /* a response without an error */
void refused_with(struct puppet *p, uint16_t notify); /* a response with that error */
void refused(struct puppet *p);                       /* a response with an error, or silence; nothing made */
void refused_aloud(struct puppet *p);                 /* a response with any error */
void silence_or(struct puppet *p, uint16_t notify);   /* nothing but that error */
void alive(struct puppet *p); /* the IKE SA answers an empty INFORMATIONAL */
void gone(struct puppet *p);  /* it does not */
void works(struct puppet *p); /* the handshake that was tampered with can still be completed: hello to up */
void same_answer(struct puppet *p); /* the last datagram again gets the very same response */
void still_waits(struct puppet *p); /* responder: the lie was not believed, an honest answer completes the handshake */
void never_up(struct puppet *p);    /* responder: the peer does not take the SA for established */
void no_child(struct puppet *p);    /* responder: the peer deletes the Child SA or the IKE SA, or knows neither */
void old_child_stays(struct puppet *p); /* responder: the rekeying has failed for the peer; or it closes the IKE SA */
void lives_or_goes(struct puppet *p);   /* responder: the IKE SA answers, or the peer has deleted it */
void goodbye(struct puppet *p);     /* deletes what is up */
/* Everything, honestly: an IKE SA with a Child SA that lives, and is deleted. */
void honest(struct puppet *p);

#endif
