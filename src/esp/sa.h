/* sa.h - an ESP SA pair from inside: what the files of this room (and their tests, which set counters) share.
 * Kept small, since there may be ten thousand idle ones: library contexts are made by the first packet, until then
 * the keys wait in locked memory. */
#ifndef ESP_SA_H
#define ESP_SA_H

#include "esp/esp.h"
#include "esp/replay.h"

#define ESP_CHUNK 64 /* packets in work at a time: their jobs live on the stack */

/* A payload under way: between mode and protocol, in both directions. */
struct esp_frame {
    struct esp_pkt *pkt;
    uint8_t *payload; /* in pkt's buffer; n octets, next_header says what they are */
    uint32_t n;
    uint8_t next_header;
    uint16_t head_n; /* seal, transport mode: octets of IP header, moved in front of the ESP header */
    uint16_t proto_at;
    uint8_t version;
    uint32_t inner_n; /* octets that count as bytes */
    uint64_t seq;
    uint8_t aad[12]; /* where it is not what the packet has */
    uint8_t iv[8];   /* implicit IV */
};

/* Header, IV and trailer of a security protocol around a payload. */
struct esp_proto {
    uint8_t ip_proto;
    uint8_t header_n;  /* octets in front of the IV */
    uint8_t trailer_n; /* octets behind the padding, part of the plaintext */
    /* Writes them around the payload, sets pkt's off and len to the whole, describes the crypto job. */
    void (*seal)(struct esp_sa *sa, struct esp_frame *f, struct crypt_job *job);
    /* Length, sequence number, replay pre-check; describes the job. pkt->sa is known. */
    enum esp_verdict (*open)(struct esp_sa *sa, struct esp_frame *f, struct crypt_job *job);
    /* After authentication: takes the padding off, finds payload and next header. */
    enum esp_verdict (*unpad)(struct esp_sa *sa, struct esp_frame *f);
};
extern const struct esp_proto esp_proto_esp;

/* What an inner packet becomes. n packets give m frames (m = n here; streams of packets may differ). */
struct esp_mode {
    enum adit_mode id;
    /* frames[] holds ESP_CHUNK. Returns m. A packet without a frame has its verdict. */
    size_t (*wrap)(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, struct esp_frame *frames);
    /* After sealing, not for UDP: the outer header. False: it can't be written. */
    bool (*finish)(struct esp_sa *sa, struct esp_frame *f);
    /* An authentic payload to the inner packet, checked against the selectors. Returns the verdict. */
    enum esp_verdict (*unwrap)(struct esp_sa *sa, struct esp_frame *f);
    /* Octets of the inner packet's header that are not part of the payload. */
    uint16_t (*kept)(const struct esp_sa *sa);
};
extern const struct esp_mode esp_mode_tunnel, esp_mode_transport, esp_mode_stream;

struct esp_half {
    struct crypt *crypt;     /* made by the first packet */
    struct adit_secret keys; /* encr | integ; empty once crypt is there */
    uint32_t spi;
    uint64_t packets, bytes; /* inner octets */
    uint64_t dummies;        /* of the packets: those that held nothing */
    uint64_t last_at;
    uint64_t used_at; /* by anything but dummies */
};

/* Effective limits: the configured ones, lowered by what the algorithms bear. 0 = none, times absolute. */
struct esp_limits {
    uint64_t soft_at, hard_at;
    uint64_t soft_bytes, hard_bytes;
    uint64_t soft_packets, hard_packets;
    uint64_t soft_seq, last_seq; /* outbound sequence numbers */
    uint64_t failures;           /* ICVs that failed: rekey */
};

/* Packets that leave at fixed times, whatever there is to send. */
struct esp_pace {
    uint64_t interval_ns; /* 0 = none */
    uint64_t next_at;     /* 0 = with the first look */
};

struct esp_sa {
    const struct adit_crypto *crypto;
    const struct encr_alg *encr;
    const struct integ_alg *integ;
    const struct esp_proto *proto;
    const struct esp_mode *mode;
    uint32_t id, reqid;
    uint16_t encr_bits;
    uint16_t pmtu, inner_mtu;
    uint8_t icv, iv, align; /* octets */
    uint8_t copy_dscp;      /* enum adit_copy */
    uint8_t df;             /* enum adit_df */
    bool esn, udp /* or TCP */, active, cut_outside, copy_ecn, expired, moved;
    uint8_t events, raised; /* bits of esp_event: to be told; told before (SOFT, HARD come once) */
    struct esp_half out, in;
    uint64_t seq; /* outbound: last one used */
    uint64_t failed_icvs, errors_in;
    struct replay window;
    struct esp_limits limits;
    uint16_t tfc; /* pad inner packets up to so many octets; 0 = no */
    struct esp_pace pace;
    struct esp_stream *stream; /* mode AGGFRAG; else NULL */
    struct adit_path path, moved_to;
    uint64_t moved_told_at;
    struct adit_addr local_seen_by_peer, remote_seen_by_peer;
    uint16_t n_local_ts, n_remote_ts;
    struct adit_ts ts[]; /* local ones, then remote ones */
};

/* Largest inner packet of whose octets `kept` are a header outside the payload (transport mode). */
uint16_t esp_inner_max(const struct esp_sa *sa, uint16_t kept);
/* Octets that a packet of n of them gets by padding against traffic analysis; at least n, never more than fit. */
uint32_t esp_tfc_size(const struct esp_sa *sa, uint32_t n);
/* seal.c: numbers, seals and completes m frames; each one's packet has its verdict. finish as esp_mode's. */
void esp_seal_frames(struct esp_sa *sa, struct esp_frame *frames, size_t m,
                     bool (*finish)(struct esp_sa *sa, struct esp_frame *f), uint64_t now);
/* ESP_OK: sealing may begin. */
enum esp_verdict esp_seal_ready(struct esp_sa *sa, uint64_t now);
/* outer.c: writes the header of our own around a sealed packet. False: it can't be written. */
bool esp_outer_put(struct esp_sa *sa, struct esp_frame *f);
/* Does the inner packet fit? Otherwise sets pkt->mtu to what would. A v6 packet that no link may refuse passes with
 * pkt->df cleared: then the outer packet has to be cut (RFC 4301 s8.1, RFC 8200 s5). So does a v4 packet that may be cut,
 * if the SA leaves that to be done outside. */
bool esp_fits(const struct esp_sa *sa, struct esp_pkt *pkt, bool v6, bool inner_df, uint16_t max);
/* The direction's context, made now if need be; NULL: out of memory, or the library refuses. */
struct crypt *esp_half_crypt(struct esp_sa *sa, struct esp_half *half, bool seal);

/* pace.c */
void pace_init(struct esp_pace *p, uint32_t rate); /* packets a second; 0 = none */
/* How many are due by now, at most max of them; counts them as sent. */
size_t pace_due(struct esp_pace *p, uint64_t now, size_t max);

/* mode/stream.c. stream_frames: payloads that are due, into packets as esp_pace_batch() gets them. */
enum adit_rc stream_init(struct esp_sa *sa, const struct adit_stream *s);
void stream_fini(struct esp_sa *sa);
uint16_t stream_inner_max(const struct esp_sa *sa);
uint64_t stream_due(const struct esp_sa *sa);
size_t stream_frames(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, struct esp_frame *frames, uint64_t now);
uint64_t stream_lost(const struct esp_sa *sa);
/* Octets of payload in an outer packet of `size`, without padding. */
uint32_t esp_payload_max(const struct esp_sa *sa, uint16_t size);
/* Octets of payload that fit into the packet's buffer. */
uint32_t esp_room(const struct esp_sa *sa, const struct esp_pkt *pkt);

/* limits.c */
void limits_init(struct esp_sa *sa, const struct adit_lifetime *life, uint64_t now);
/* May one more packet pass in this direction? Raises SOFT and HARD. */
bool limits_pass(struct esp_sa *sa, const struct esp_half *half);
void limits_time(struct esp_sa *sa, uint64_t now);
void limits_failed_icv(struct esp_sa *sa);
void esp_raise(struct esp_sa *sa, enum esp_event ev);

/* selector.c: RFC 4301 s4.4.1.1, 5.2 step 4. */
bool selector_inbound(const struct esp_sa *sa, const struct ip_packet *ip, struct adit_span upper);

#endif
