/* esp.h - ESP as pure packet transforms (RFC 4303, 4301 s5, 6040): no sockets, no clock, no allocation per packet.
 * Batches are the interface; a batch of one is a batch. An esp_sa belongs to one thread at a time. */
#ifndef ESP_ESP_H
#define ESP_ESP_H

#include "adit/model.h"
#include "crypto/crypto.h"

struct esp_sa;
struct ip_packet; /* wire/ip.h */

enum esp_verdict {
    ESP_OK,
    ESP_DUMMY,     /* authentic, Next Header 59: to be discarded silently */
    ESP_NO_SA,     /* unknown SPI */
    ESP_MALFORMED, /* too short, bad length, bad pad, inner length lies */
    ESP_REPLAY,    /* outside the window or seen */
    ESP_INTEGRITY, /* ICV */
    ESP_SELECTOR,  /* inner packet is not for this SA */
    ESP_ECN,       /* outer CE over inner Not-ECT: RFC 6040 */
    ESP_TOO_BIG,   /* would exceed the path MTU: caller answers with ICMP (pkt->mtu = largest inner size) */
    ESP_TTL,       /* inner TTL is used up */
    ESP_EXPIRED,   /* hard lifetime or sequence numbers are used up */
    ESP_STANDBY,   /* outbound half is not active yet, or memory is out: later perhaps */
    ESP_STREAM,    /* authentic, a piece of the stream: for esp_stream_take() */
    ESP_FULL,      /* more waits to be sent than the stream's queue holds */
    ESP_VERDICTS
};
const char *esp_verdict_name(enum esp_verdict v);

/* One packet in a caller's buffer. seal: data[off..off+len) is the inner IP packet and becomes the whole outer packet
 * (IP header and all for ESP_ENCAP_RAW; from the ESP header on for ESP_ENCAP_UDP: the socket writes UDP/IP).
 * The buffer must have ESP_HEADROOM octets before `off` and ESP_TAILROOM after off+len.
 * open: data[off..) starts at the ESP header; it becomes the inner IP packet. Transport mode makes the IP header anew
 * from `from` (else the SA's path) and `tos`, so that ESP_HEADROOM octets before `off` are needed there too. */
#define ESP_HEADROOM 96
#define ESP_TAILROOM 320
struct esp_pkt {
    uint8_t *buf;
    uint32_t cap, off, len;
    uint8_t tos;       /* open: outer TOS/traffic class (ECN!); seal: set to the outer value to send with */
    uint8_t verdict;   /* enum esp_verdict, set by the batch call */
    uint16_t mtu;      /* ESP_TOO_BIG: largest inner packet that would fit */
    bool df;           /* seal, IPv4: outer DF as it has to be sent */
    struct esp_sa *sa; /* open: the SA found */
    const struct adit_path *from; /* open: where it came from (may be NULL) */
    uint64_t seq;                 /* ESP_STREAM: the packet's number */
};

enum esp_event { ESP_EV_SOFT = 1, ESP_EV_HARD = 2, ESP_EV_FIRST_IN = 4, ESP_EV_PATH = 8 /* peer moved */ };

/* Both directions of one Child SA. Keys are copied into locked memory. ADIT_ERR_CRYPTO: unknown transform. */
ADIT_MUST_USE enum adit_rc esp_sa_new(const struct adit_crypto *c, const struct adit_child_spec *spec,
                                      uint64_t now, struct esp_sa **out, struct adit_why *why);
void esp_sa_free(struct esp_sa *sa);
uint32_t esp_sa_id(const struct esp_sa *sa);
uint32_t esp_sa_reqid(const struct esp_sa *sa);
uint32_t esp_sa_spi_in(const struct esp_sa *sa);
const struct adit_path *esp_sa_path(const struct esp_sa *sa);
void esp_sa_set_path(struct esp_sa *sa, const struct adit_path *path, bool udp_encap);
bool esp_sa_is_udp(const struct esp_sa *sa);
void esp_sa_activate(struct esp_sa *sa); /* outbound: STANDBY -> ACTIVE */
bool esp_sa_is_active(const struct esp_sa *sa);
void esp_sa_stats(const struct esp_sa *sa, struct adit_child_stats *out);
/* Events since the last call (bits of esp_event), cleared by asking. Cheap: ask after each batch. */
unsigned esp_sa_events(struct esp_sa *sa);
/* ESP_EV_PATH, at most once a second for one place: where the newest authentic packet came from. False: never from elsewhere since the path was set. */
bool esp_sa_moved(const struct esp_sa *sa, struct adit_path *out);
/* The next time at which a time limit passes; UINT64_MAX = none. Raises the event when `now` is past. */
uint64_t esp_sa_deadline(struct esp_sa *sa, uint64_t now);
/* Path MTU of the outer packet (whole IP packet); clamps to >= 576 (v4) / 1280 (v6). */
void esp_sa_set_pmtu(struct esp_sa *sa, uint16_t pmtu);
/* Largest inner packet for the current path MTU (esp.md s2). */
uint16_t esp_sa_inner_mtu(const struct esp_sa *sa);
/* Does an outbound inner packet fit the SA's selectors? (local = source). Ports of protocols without any, and of later
 * fragments, are OPAQUE: esp_sa_selects() takes 0 for both as that unless the protocol is TCP, UDP, ... */
bool esp_sa_selects_packet(const struct esp_sa *sa, const struct ip_packet *ip);
bool esp_sa_selects(const struct esp_sa *sa, const struct adit_addr *src, const struct adit_addr *dst,
                    uint8_t proto, uint16_t sport, uint16_t dport);
/* ICMP errors about our outer packets: is this sequence number one that we sent lately? */
bool esp_sa_sent(const struct esp_sa *sa, uint32_t seq);

/* Seals n packets with one SA, in order. Never sends a packet that it could not count. Does not look at selectors
 * (the caller chose the SA by them) and doesn't touch the inner TTL: behind a TUN the kernel's forwarding did both. */
void esp_seal_batch(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, uint64_t now);

/* --- streams of inner packets (mode AGGFRAG, RFC 9347) --- */
/* Takes a copy of the inner packet: what is due then leaves by esp_pace_batch(). ESP_OK, ESP_MALFORMED, ESP_FULL, ESP_TOO_BIG
 * (the peer wants whole ones). */
enum esp_verdict esp_stream_put(struct esp_sa *sa, struct esp_pkt *pkt, uint64_t now);
/* There is a successor: what waits is still sent, but nothing when nothing waits. at_once: by the next esp_pace_batch(). */
void esp_stream_end(struct esp_sa *sa, bool at_once);
/* Inner packets in their order: ESP_OK, or why not. Each is the function's until it returns, and may be changed. */
typedef void esp_inner_fn(void *arg, enum esp_verdict verdict, uint8_t *packet, uint32_t n);
/* A packet with verdict ESP_STREAM, as esp_open_batch() left it. */
void esp_stream_take(struct esp_sa *sa, const struct esp_pkt *pkt, uint64_t now, esp_inner_fn *fn, void *arg);
/* Gives up what was waited for too long; what came behind it follows. To be called at esp_stream_waits(); UINT64_MAX: never. */
void esp_stream_expire(struct esp_sa *sa, uint64_t now, esp_inner_fn *fn, void *arg);
uint64_t esp_stream_waits(const struct esp_sa *sa);

/* --- what leaves by itself (pace.c): dummies, payloads of streams --- */
/* When is esp_pace_batch() to be called next? 0: at once; UINT64_MAX: never. */
uint64_t esp_sa_due(const struct esp_sa *sa);
/* Fills and seals what has to leave by now: at most n packets, of which the caller has set buf, cap and off, as for
 * sealing. Returns how many; each has its verdict. Too late by far: what was missed is not made up for. */
size_t esp_pace_batch(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, uint64_t now);
/* When it carried something last, in either direction; dummies don't count. 0 = never. */
uint64_t esp_sa_used_at(const struct esp_sa *sa);
/* Octets that the inner packet will be padded to, RFC 4303 s2.7: what the buffer needs room for. */
uint32_t esp_sa_padded(const struct esp_sa *sa, uint32_t n);

/* SPI -> SA, for inbound look-up. Owned and changed by one thread. */
struct esp_table;
struct esp_table *esp_table_new(uint64_t seed);
void esp_table_free(struct esp_table *t); /* not the SAs */
ADIT_MUST_USE enum adit_rc esp_table_add(struct esp_table *t, struct esp_sa *sa);
void esp_table_del(struct esp_table *t, uint32_t spi);
struct esp_sa *esp_table_get(const struct esp_table *t, uint32_t spi);
/* Opens n packets of any SAs, in order. */
void esp_open_batch(struct esp_table *t, struct esp_pkt **pkts, size_t n, uint64_t now);

/* Inner super-packets (virtio): cuts a TSO/USO packet into MTU-sized ones. Returns how many pieces were written to
 * out[] (the caller set buf, cap and off of each), or 0 if it can't be cut: headers that lie, IPv6 extension headers,
 * fragments, more than max pieces, a piece that leaves no ESP_TAILROOM. hdr_len is only a hint and not trusted. */
struct esp_gso {
    uint8_t type;     /* virtio_net_hdr gso_type without ECN bit: 0 none, 1 TCPv4, 4 TCPv6, 5 UDP_L4 */
    uint16_t size;    /* payload octets a piece */
    uint16_t hdr_len; /* headers up to the payload */
    bool needs_csum;
    uint16_t csum_start, csum_offset;
};
size_t esp_gso_split(const uint8_t *pkt, size_t len, const struct esp_gso *gso, struct esp_pkt **out,
                     size_t max);
/* Completes a partial checksum in place (gso type none). False: offsets lie. */
bool esp_gso_checksum(uint8_t *pkt, size_t len, const struct esp_gso *gso);
/* The other way: appends next to a run of segments of one TCP flow or equal-size UDP datagrams if it continues it.
 * head grows in its own buffer; gso (all zero for a single packet) describes the result. False: start a new run.
 * A run of one stays as it is. All checksums of a run were right; its own is left to the kernel (needs_csum). */
bool esp_coalesce(struct esp_pkt *head, struct esp_gso *gso, const struct esp_pkt *next);

#endif
