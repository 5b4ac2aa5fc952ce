/* adit/model.h - the plain types that control, packets and configuration share. Data, no behaviour. */
#ifndef ADIT_MODEL_H
#define ADIT_MODEL_H

#include "adit/base.h"

/* An IP address; family 4, 6 or 0 (unset). Octets in network order. */
struct adit_addr {
    uint8_t family;
    uint8_t ip[16];
};
struct adit_endpoint {
    struct adit_addr addr;
    uint16_t port; /* host order */
};
/* Where a datagram came from and to which of our addresses, or the reverse when sending. */
struct adit_path {
    struct adit_endpoint local, remote;
    bool tcp; /* by the TCP connection between them (RFC 9329), which they name; else by datagrams */
};

/* Identification (RFC 7296 s3.5): type of registry ID; data borrowed. type 0 = any. */
struct adit_id {
    uint8_t type;
    struct adit_span data;
};

/* Traffic selector, inclusive ranges. proto 0 = any; port_lo > port_hi (65535..0) = OPAQUE. */
struct adit_ts {
    uint8_t family; /* 4 or 6 */
    uint8_t proto;
    uint16_t port_lo, port_hi;
    uint8_t lo[16], hi[16];
};
#define ADIT_TS_MAX 64
struct adit_ts_list {
    uint16_t n;
    struct adit_ts v[ADIT_TS_MAX];
};

/* One transform of a proposal; numbers of wire/iana.def. bits: Key Length attribute, 0 = none. */
struct transform {
    uint8_t type;
    bool unusable; /* received with an attribute that we do not know: never chosen (RFC 7296 s3.3.6) */
    uint16_t id;
    uint16_t bits;
};
#define PROPOSAL_TRANSFORMS_MAX 64
#define PROPOSALS_MAX 64
struct proposal {
    uint8_t num;
    uint8_t proto; /* PROTO_IKE, PROTO_ESP */
    uint8_t spi_n;
    uint8_t spi[8];
    uint8_t n;
    bool unknown; /* holds a transform type that we do not know: skipped whole (RFC 7296 s3.3.6) */
    struct transform t[PROPOSAL_TRANSFORMS_MAX];
};
struct proposal_list {
    uint16_t n;
    struct proposal v[]; /* heap or arena: see proposal_list_new() */
};

/* What was agreed: one transform a type; 0 = none. ke[0] is type 4, ke[1..7] are ADDKE1..7. */
struct adit_suite {
    uint8_t num; /* the offer's proposal number */
    uint16_t encr, encr_bits;
    uint16_t prf, integ;
    uint16_t ke[8];
    uint16_t sn;
    bool sn_absent; /* the offer had no type 5, which stands for 32-bit numbers: nor has the answer */
    uint16_t none_types; /* bit (1 << type): offered with NONE and answered as NONE (RFC 9370 s2.2.1) */
};

/* Limits of an SA; 0 = none. Times in ns since the SA's birth; bytes = inner packets' octets. */
struct adit_lifetime {
    uint64_t soft_ns, hard_ns;
    uint64_t soft_bytes, hard_bytes;
    uint64_t soft_packets, hard_packets;
};

enum adit_mode {
    ADIT_MODE_TUNNEL,
    ADIT_MODE_TRANSPORT,
    ADIT_MODE_PASS,
    ADIT_MODE_DROP,
    ADIT_MODE_AGGFRAG /* a tunnel that carries a stream of inner packets, cut at will: RFC 9347 */
};
enum adit_df { ADIT_DF_COPY, ADIT_DF_CLEAR, ADIT_DF_SET }; /* of the outer IPv4 header: as the inner packet has it, never, always */
enum adit_fragment { ADIT_FRAGMENT_BEFORE, ADIT_FRAGMENT_AFTER }; /* encryption: what is too long and may be cut */
enum adit_copy { ADIT_COPY_NO, ADIT_COPY_OUT, ADIT_COPY_IN, ADIT_COPY_BOTH };
/* When the outbound half may carry traffic (RFC 7296 s2.8). */
enum adit_outbound {
    ADIT_OUT_ACTIVE,  /* at once */
    ADIT_OUT_STANDBY, /* after the first authentic inbound packet, or when the SA that it replaces goes, or by UPDATE */
    ADIT_OUT_LAST,    /* by UPDATE: only while nothing else of its policy may: the peer is being told to close it */
};

/* One direction's keys. Spans are borrowed from the event and hold secrets: copy into locked memory at once. */
struct adit_sa_keys {
    uint32_t spi;
    struct adit_span encr; /* key, then salt */
    struct adit_span integ;
};

/* What packets look like from outside, whatever they carry (RFC 4303 s2.6, s2.7). All zero: as they come. */
#define ADIT_TFC_MTU UINT16_MAX
struct adit_stream { /* of mode AGGFRAG */
    uint16_t packet_size;    /* octets of outer packets; 0 = what the path takes */
    uint32_t rate;           /* packets a second, always and padded to one size; 0 = when there is something to send */
    uint32_t delay_us;       /* without rate: how long a packet may wait for others */
    uint32_t queue_octets;   /* of inner packets that wait */
    uint32_t reorder_window; /* inbound: how many packets late one may come, and how long it is waited for */
    uint32_t drop_us;
    bool whole;            /* the peer takes no fragments */
    bool refuse_fragments; /* nor do we */
};
struct adit_shape {
    uint16_t tfc_padding; /* inner packets are padded up to so many octets; ADIT_TFC_MTU: to the largest that fits */
    uint32_t dummies;     /* packets a second that mean nothing */
    struct adit_stream stream;
};

/* The whole contract between control and packets: everything that a data plane needs for one Child SA. */
struct adit_child_spec {
    uint32_t id;       /* unique over the daemon's life */
    uint32_t ike_id;   /* its IKE SA's unique id */
    uint32_t reqid;    /* same for all SAs that succeed each other by rekeying */
    uint32_t replaces; /* id of the Child SA that this one rekeys; 0 = none */
    const char *conn, *child;
    uint8_t proto; /* PROTO_ESP */
    enum adit_mode mode;
    bool initiator; /* we initiated the exchange that made it */
    struct adit_suite suite;
    struct adit_sa_keys in, out;
    struct adit_path path;
    bool udp_encap;
    enum adit_outbound outbound;
    uint16_t n_local_ts, n_remote_ts;
    const struct adit_ts *local_ts, *remote_ts;
    struct adit_lifetime life;
    uint32_t replay_window; /* packets; 0 = off */
    enum adit_df df;
    enum adit_fragment fragment;
    bool copy_ecn;
    enum adit_copy copy_dscp;
    struct adit_shape shape;
    uint64_t inactivity_ns; /* 0 = off; dummies are no activity */
    /* Several Child SAs with the same selectors, one for each worker that has traffic (RFC 9611). */
    unsigned resource; /* 0: for all; n: outbound packets of worker n - 1 only, in.spi is n - 1 modulo their number */
    bool shares;       /* 0 and the peer makes more: tell which workers use it (ADIT_CMD_ACQUIRE) */
    /* Transport mode through NAT (RFC 7296 s2.23.1): the addresses that the peer's checksums cover, as its selectors
     * had them before they were substituted in local_ts/remote_ts. Family 0 = nothing was substituted. */
    struct adit_addr local_seen_by_peer, remote_seen_by_peer;
};

/* What the data plane counts for one Child SA. */
struct adit_child_stats {
    uint64_t bytes_in, packets_in, bytes_out, packets_out;
    uint64_t last_in_at, last_out_at; /* ns, the daemon's clock; 0 = never */
    uint64_t errors_in;
    uint64_t dummies_in, dummies_out; /* packets that held nothing, among the packets above */
    uint64_t lost_in; /* mode AGGFRAG: inner packets of which a piece did not come */
};

#endif
