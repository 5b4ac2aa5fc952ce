/* sa.c - birth, death and small questions of an SA pair. */
#include "esp/sa.h"
#include "base/mem.h"
#include "esp/pad.h"
#include "wire/esp_hdr.h"
#include "wire/ip.h"
#include "wire/l4.h"

#define PMTU_DEFAULT 1500
#define PMTU_MIN_V4 576 /* RFC 1122's least that hosts take: nobody's forged error shrinks packets below it */
#define PMTU_MIN_V6 1280
#define TCP_FRAME_SIZE 34    /* TCP header with timestamps, a frame's Length (RFC 9329) */
#define ESP_ALIGN 4          /* RFC 4303 s2.4 */
#define RECENT_PACKETS 65536 /* how far back an ICMP error may reach */

static const struct esp_mode *mode_of(enum adit_mode id)
{
    switch (id) {
    case ADIT_MODE_TUNNEL: return &esp_mode_tunnel;
    case ADIT_MODE_TRANSPORT: return &esp_mode_transport;
    case ADIT_MODE_AGGFRAG: return &esp_mode_stream;
    default: return NULL;
    }
}

/* RFC 8221 s5: encryption without integrity does not exist, nor does neither of both. */
static bool suite_fits(const struct esp_sa *sa, const struct adit_suite *s)
{
    bool own_icv = sa->encr->kind == ENCR_KIND_AEAD || sa->encr->kind == ENCR_KIND_GMAC;
    return own_icv ? s->integ == INTEG_NONE : sa->integ != NULL;
}

static enum adit_rc choose_algorithms(struct esp_sa *sa, const struct adit_suite *s, struct adit_why *why)
{
    sa->encr = crypto_encr(sa->crypto, s->encr);
    sa->encr_bits = s->encr_bits;
    if (!sa->encr)
        return why_set(why, ADIT_ERR_CRYPTO, "ESP: no encryption transform %u", s->encr);
    if (s->integ != INTEG_NONE)
        sa->integ = crypto_integ(sa->crypto, s->integ);
    if (s->integ != INTEG_NONE && !sa->integ)
        return why_set(why, ADIT_ERR_CRYPTO, "ESP: no integrity transform %u", s->integ);
    if (!suite_fits(sa, s))
        return why_set(why, ADIT_ERR_CRYPTO, "ESP: integrity transform %u does not go with %s", s->integ,
                       sa->encr->name);
    sa->icv = sa->integ ? sa->integ->icv : sa->encr->icv;
    sa->iv = sa->encr->iv;
    sa->align = sa->encr->block > ESP_ALIGN ? sa->encr->block : ESP_ALIGN;
    sa->esn = s->sn == SN_64_BIT_PARTIAL;
    if (!sa->esn && s->sn != SN_32_BIT) /* RFC 9827: others promise neither order nor uniqueness to a window */
        return why_set(why, ADIT_ERR_CRYPTO, "ESP: no sequence numbers of kind %u", s->sn);
    return ADIT_OK;
}

static enum adit_rc take_keys(const struct esp_sa *sa, struct esp_half *half, const struct adit_sa_keys *keys,
                              struct adit_why *why)
{
    size_t encr_n = encr_key_octets(sa->encr, sa->encr_bits), integ_n = sa->integ ? sa->integ->key : 0;
    if (keys->encr.n != encr_n || keys->integ.n != integ_n ||
        (encr_n == 0 && (sa->encr->kind != ENCR_KIND_NULL || sa->encr_bits)))
        return why_set(why, ADIT_ERR_CRYPTO, "ESP: %s with %u bits does not take keys of %zu and %zu octets",
                       sa->encr->name, sa->encr_bits, keys->encr.n, keys->integ.n);
    if (keys->spi < ESP_SPI_MIN)
        return why_set(why, ADIT_ERR_CONFIG, "ESP: SPI %u is reserved", keys->spi);
    half->spi = keys->spi;
    if (secret_alloc(&half->keys, encr_n + integ_n) != ADIT_OK)
        return why_set(why, ADIT_ERR_MEMORY, "ESP: no memory for keys");
    span_copy(span_copy(half->keys.p, keys->encr), keys->integ);
    return ADIT_OK;
}

static void take_policy(struct esp_sa *sa, const struct adit_child_spec *spec)
{
    sa->id = spec->id;
    sa->reqid = spec->reqid;
    sa->active = spec->outbound == ADIT_OUT_ACTIVE;
    sa->copy_dscp = (uint8_t)spec->copy_dscp;
    sa->df = (uint8_t)spec->df;
    sa->cut_outside = spec->fragment == ADIT_FRAGMENT_AFTER;
    sa->tfc = spec->mode == ADIT_MODE_TUNNEL ? spec->shape.tfc_padding : 0;
    pace_init(&sa->pace, spec->shape.dummies);
    sa->copy_ecn = spec->copy_ecn;
    sa->local_seen_by_peer = spec->local_seen_by_peer;
    sa->remote_seen_by_peer = spec->remote_seen_by_peer;
    for (uint16_t i = 0; i < spec->n_local_ts; i++)
        sa->ts[sa->n_local_ts++] = spec->local_ts[i];
    for (uint16_t i = 0; i < spec->n_remote_ts; i++)
        sa->ts[sa->n_local_ts + sa->n_remote_ts++] = spec->remote_ts[i];
}

static enum adit_rc setup(struct esp_sa *sa, const struct adit_child_spec *spec, uint64_t now,
                          struct adit_why *why)
{
    sa->mode = mode_of(spec->mode);
    if (spec->proto != PROTO_ESP || !sa->mode)
        return why_set(why, ADIT_ERR_CONFIG, "protocol %u in mode %d is not ESP's", spec->proto,
                       (int)spec->mode);
    sa->proto = &esp_proto_esp;
    TRY(choose_algorithms(sa, &spec->suite, why));
    TRY(take_keys(sa, &sa->in, &spec->in, why));
    TRY(take_keys(sa, &sa->out, &spec->out, why));
    take_policy(sa, spec);
    if (spec->mode == ADIT_MODE_AGGFRAG && stream_init(sa, &spec->shape.stream) != ADIT_OK)
        return why_set(why, ADIT_ERR_MEMORY, "ESP: no memory for a stream");
    esp_sa_set_path(sa, &spec->path, spec->udp_encap);
    esp_sa_set_pmtu(sa, PMTU_DEFAULT);
    limits_init(sa, &spec->life, now);
    if (replay_init(&sa->window, spec->replay_window) != ADIT_OK)
        return why_set(why, ADIT_ERR_MEMORY, "ESP: no memory for a window of %u", spec->replay_window);
    return ADIT_OK;
}

enum adit_rc esp_sa_new(const struct adit_crypto *c, const struct adit_child_spec *spec, uint64_t now,
                        struct esp_sa **out, struct adit_why *why)
{
    size_t n_ts = (size_t)spec->n_local_ts + spec->n_remote_ts;
    struct esp_sa *sa = mem_new(sizeof(*sa) + n_ts * sizeof(sa->ts[0]));
    if (!sa)
        return why_set(why, ADIT_ERR_MEMORY, "ESP: no memory for an SA");
    sa->crypto = c;
    enum adit_rc rc = setup(sa, spec, now, why);
    if (rc != ADIT_OK)
        esp_sa_free(sa);
    else
        *out = sa;
    return rc;
}

static void half_fini(struct esp_half *half)
{
    crypt_free(half->crypt);
    secret_fini(&half->keys);
}

void esp_sa_free(struct esp_sa *sa)
{
    if (!sa)
        return;
    half_fini(&sa->in);
    half_fini(&sa->out);
    replay_fini(&sa->window);
    stream_fini(sa);
    mem_del(sa);
}

struct crypt *esp_half_crypt(struct esp_sa *sa, struct esp_half *half, bool seal)
{
    if (half->crypt)
        return half->crypt;
    size_t encr_n = encr_key_octets(sa->encr, sa->encr_bits);
    struct adit_span keys = secret_span(&half->keys);
    enum adit_rc rc = crypt_new(sa->crypto, sa->encr, sa->encr_bits, span_first(keys, encr_n), sa->integ,
                                span_from(keys, encr_n), seal, &half->crypt);
    if (rc != ADIT_OK)
        return NULL;
    secret_fini(&half->keys); /* the context has its own copy */
    return half->crypt;
}

uint32_t esp_sa_id(const struct esp_sa *sa)
{
    return sa->id;
}

uint32_t esp_sa_reqid(const struct esp_sa *sa)
{
    return sa->reqid;
}

uint32_t esp_sa_spi_in(const struct esp_sa *sa)
{
    return sa->in.spi;
}

const struct adit_path *esp_sa_path(const struct esp_sa *sa)
{
    return &sa->path;
}

bool esp_sa_is_udp(const struct esp_sa *sa)
{
    return sa->udp;
}

void esp_sa_activate(struct esp_sa *sa)
{
    sa->active = true;
}

bool esp_sa_is_active(const struct esp_sa *sa)
{
    return sa->active;
}

unsigned esp_sa_events(struct esp_sa *sa)
{
    unsigned events = sa->events;
    sa->events = 0;
    return events;
}

bool esp_sa_moved(const struct esp_sa *sa, struct adit_path *out)
{
    if (sa->moved)
        *out = sa->moved_to;
    return sa->moved;
}

/* SPI, number, IV | payload, padding, trailer | ICV has to fit behind the outer header; the payload's part of what
 * remains is a multiple of the alignment less the trailer. */
static uint16_t inner_max(const struct esp_sa *sa, uint16_t kept, uint16_t size)
{
    int outer = sa->path.remote.addr.family == 6 ? IP6_HDR_SIZE : IP4_HDR_MIN;
    if (sa->path.tcp)
        outer += TCP_FRAME_SIZE;
    else if (sa->udp)
        outer += UDP_HDR_SIZE;
    else if (kept)
        outer = kept; /* the packet's own header, with its options */
    int room = size - outer - sa->proto->header_n - sa->iv - sa->icv;
    room = (room & ~(sa->align - 1)) - sa->proto->trailer_n;
    return room > 0 ? (uint16_t)(room + kept) : 0;
}

uint16_t esp_inner_max(const struct esp_sa *sa, uint16_t kept)
{
    return inner_max(sa, kept, sa->pmtu);
}

uint32_t esp_payload_max(const struct esp_sa *sa, uint16_t size)
{
    return inner_max(sa, 0, size);
}

uint32_t esp_room(const struct esp_sa *sa, const struct esp_pkt *pkt)
{
    uint32_t behind = sa->align + sa->proto->trailer_n + (uint32_t)sa->icv, room = pkt->cap - pkt->off;
    return room > behind ? room - behind : 0;
}

void esp_sa_set_path(struct esp_sa *sa, const struct adit_path *path, bool udp_encap)
{
    sa->path = *path;
    sa->udp = udp_encap || path->tcp; /* who sends it writes what is around it */
    sa->moved = false;
    if (sa->pmtu) /* the overhead may be another one now */
        esp_sa_set_pmtu(sa, sa->pmtu);
}

void esp_sa_set_pmtu(struct esp_sa *sa, uint16_t pmtu)
{
    uint16_t least = sa->path.remote.addr.family == 6 ? PMTU_MIN_V6 : PMTU_MIN_V4;
    sa->pmtu = pmtu > least ? pmtu : least;
    sa->inner_mtu = sa->stream ? stream_inner_max(sa) : esp_inner_max(sa, sa->mode->kept(sa));
}

uint16_t esp_sa_inner_mtu(const struct esp_sa *sa)
{
    return sa->inner_mtu;
}

uint32_t esp_tfc_size(const struct esp_sa *sa, uint32_t n)
{
    uint32_t want = sa->tfc < sa->inner_mtu ? sa->tfc : sa->inner_mtu;
    return n < want ? want : n;
}

uint32_t esp_sa_padded(const struct esp_sa *sa, uint32_t n)
{
    return sa->tfc ? esp_tfc_size(sa, n) : n;
}

uint64_t esp_sa_used_at(const struct esp_sa *sa)
{
    return sa->in.used_at > sa->out.used_at ? sa->in.used_at : sa->out.used_at;
}

bool esp_sa_sent(const struct esp_sa *sa, uint32_t seq)
{
    uint32_t age = (uint32_t)sa->seq - seq;
    return age < RECENT_PACKETS && age < sa->seq;
}
