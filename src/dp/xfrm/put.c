/* put.c - see put.h. Structs are the kernel's, in the machine's byte order but for addresses, SPIs and ports. */
#include "dp/xfrm/put.h"
#include <linux/netlink.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include "base/mem.h"
#include "base/span.h"
#include "dp/xfrm/select.h"
#include "wire/iana.h"

#ifndef UDP_ENCAP_ESPINUDP
#define UDP_ENCAP_ESPINUDP 2
#endif
/* Of an outbound state, which has none: kernels before 6.10 want one with ESN, later ones none where a state says its direction. */
#define WINDOW_OUT 32
#define SOFT_PACKETS (UINT64_C(1) << 31)     /* of 2^32 without ESN: the kernel stops there by itself */
#define SOFT_PACKETS_ESN (UINT64_C(1) << 36) /* see src/esp/limits.c */

void xfrm_msg_wipe(struct xfrm_msg *m)
{
    mem_wipe(m->p, sizeof(m->p));
    m->n = 0;
}

/* --- the language ---------------------------------------------------------------------------------------------- */

/* Room of n octets, zeroed, and aligned behind; NULL: there is none. */
static void *space(struct xfrm_msg *m, size_t n)
{
    size_t whole = NLMSG_ALIGN(n);
    if (m->fail || whole > sizeof(m->p) - m->n) {
        m->fail = true;
        return NULL;
    }
    uint8_t *p = m->p + m->n;
    for (size_t i = 0; i < whole; i++)
        p[i] = 0;
    m->n += whole;
    return p;
}

static void *begin(struct xfrm_msg *m, uint16_t type, uint16_t flags, size_t body)
{
    m->n = 0;
    m->fail = false;
    struct nlmsghdr *h = space(m, NLMSG_HDRLEN);
    h->nlmsg_type = type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    return space(m, body);
}

static void end(struct xfrm_msg *m)
{
    ((struct nlmsghdr *)(void *)m->p)->nlmsg_len = (uint32_t)m->n;
}

static void *attr(struct xfrm_msg *m, uint16_t type, size_t n)
{
    struct nlattr *a = space(m, NLA_HDRLEN + n);
    if (!a)
        return NULL;
    a->nla_type = type;
    a->nla_len = (uint16_t)(NLA_HDRLEN + n);
    return a + 1;
}

static void attr_span(struct xfrm_msg *m, uint16_t type, struct adit_span s)
{
    uint8_t *p = attr(m, type, s.n);
    if (p)
        span_copy(p, s);
}

static void attr_u32(struct xfrm_msg *m, uint16_t type, uint32_t v)
{
    attr_span(m, type, span(&v, sizeof(v)));
}

static uint16_t family_of(const struct adit_addr *a)
{
    return a->family == 6 ? AF_INET6 : AF_INET;
}

/* --- states ---------------------------------------------------------------------------------------------------- */

static void put_aead(struct xfrm_msg *m, const struct xfrm_state_spec *s)
{
    struct xfrm_algo_aead *a = attr(m, XFRMA_ALG_AEAD, sizeof(*a) + s->encr_key.n);
    if (!a)
        return;
    span_copy((uint8_t *)a->alg_name, span_str(s->encr->name));
    a->alg_key_len = (unsigned)s->encr_key.n * 8;
    a->alg_icv_len = s->encr->icv;
    span_copy((uint8_t *)a->alg_key, s->encr_key);
}

static void put_cipher(struct xfrm_msg *m, const struct xfrm_state_spec *s)
{
    struct xfrm_algo *a = attr(m, XFRMA_ALG_CRYPT, sizeof(*a) + s->encr_key.n);
    if (!a)
        return;
    span_copy((uint8_t *)a->alg_name, span_str(s->encr->name));
    a->alg_key_len = (unsigned)s->encr_key.n * 8;
    span_copy((uint8_t *)a->alg_key, s->encr_key);
}

static void put_integrity(struct xfrm_msg *m, const struct xfrm_state_spec *s)
{
    struct xfrm_algo_auth *a = attr(m, XFRMA_ALG_AUTH_TRUNC, sizeof(*a) + s->integ_key.n);
    if (!a)
        return;
    span_copy((uint8_t *)a->alg_name, span_str(s->integ->name));
    a->alg_key_len = (unsigned)s->integ_key.n * 8;
    a->alg_trunc_len = s->integ->icv;
    span_copy((uint8_t *)a->alg_key, s->integ_key);
}

/* Always in the form that has room for large windows. */
static void put_window(struct xfrm_msg *m, const struct xfrm_state_spec *s)
{
    uint32_t window = s->inbound ? s->window : s->cpu != XFRM_NO_CPU ? 0 : WINDOW_OUT, words = (window + 31) / 32;
    struct xfrm_replay_state_esn *r = attr(m, XFRMA_REPLAY_ESN_VAL, sizeof(*r) + words * sizeof(r->bmp[0]));
    if (!r)
        return;
    r->bmp_len = words;
    r->replay_window = window;
}

static void put_encap(struct xfrm_msg *m, uint16_t sport, uint16_t dport)
{
    struct xfrm_encap_tmpl *e = attr(m, XFRMA_ENCAP, sizeof(*e));
    if (!e)
        return;
    e->encap_type = UDP_ENCAP_ESPINUDP;
    e->encap_sport = htons(sport);
    e->encap_dport = htons(dport);
}

static uint64_t lower(uint64_t limit, uint64_t cap)
{
    return !cap || (limit && limit < cap) ? limit : cap;
}

static uint64_t or_none(uint64_t limit)
{
    return limit ? limit : XFRM_INF;
}

static void fill_life(struct xfrm_lifetime_cfg *l, const struct xfrm_state_spec *s)
{
    uint64_t octets = s->encr->octets;
    l->soft_byte_limit = or_none(lower(s->life.soft_bytes, octets));
    l->hard_byte_limit = or_none(lower(s->life.hard_bytes, octets + octets / 4));
    l->soft_packet_limit = lower(s->life.soft_packets, s->esn ? SOFT_PACKETS_ESN : SOFT_PACKETS);
    l->hard_packet_limit = or_none(lower(s->life.hard_packets, s->esn ? SOFT_PACKETS_ESN + SOFT_PACKETS_ESN / 4 : 0));
    l->hard_add_expires_seconds = (s->life.hard_ns + 999999999) / 1000000000;
}

static uint8_t flags_of(const struct xfrm_state_spec *s)
{
    unsigned flags = s->sel.family ? 0 : XFRM_STATE_AF_UNSPEC;
    flags |= s->esn ? XFRM_STATE_ESN : 0;
    if (!s->transport) {
        flags |= s->no_ecn ? XFRM_STATE_NOECN : 0;
        flags |= s->no_df && !s->inbound ? XFRM_STATE_NOPMTUDISC : 0;
        flags |= s->dscp_in && s->inbound ? XFRM_STATE_DECAP_DSCP : 0;
    }
    return (uint8_t)flags;
}

static void put_extras(struct xfrm_msg *m, const struct xfrm_state_spec *s)
{
    if (s->encap)
        put_encap(m, s->encap_sport, s->encap_dport);
    if (s->window || !s->inbound)
        put_window(m, s);
    if (s->no_dscp_out && !s->inbound && !s->transport)
        attr_u32(m, XFRMA_SA_EXTRA_FLAGS, XFRM_SA_XFLAG_DONT_ENCAP_DSCP);
    if (s->mark && !s->inbound)
        attr_u32(m, XFRMA_SET_MARK, s->mark);
    if (s->cpu != XFRM_NO_CPU) {
        uint8_t dir = s->inbound ? 1 : 2;
        attr_span(m, XFRM_ATTR_DIR, span(&dir, sizeof(dir)));
        attr_u32(m, XFRM_ATTR_CPU, s->cpu);
    }
    if (s->offload_dev) {
        struct xfrm_user_offload o = { .ifindex = s->offload_dev, .flags = s->offload_flags };
        attr_span(m, XFRMA_OFFLOAD_DEV, span(&o, sizeof(o)));
    }
}

void xfrm_put_state(struct xfrm_msg *m, const struct xfrm_state_spec *s, bool update)
{
    struct xfrm_usersa_info *i = update ? begin(m, XFRM_MSG_UPDSA, NLM_F_ACK, sizeof(*i))
                                        : begin(m, XFRM_MSG_NEWSA, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(*i));
    xfrm_address_put(&i->id.daddr, &s->dst);
    xfrm_address_put(&i->saddr, &s->src);
    i->id.spi = htonl(s->spi);
    i->id.proto = IPPROTO_ESP;
    i->sel = s->sel;
    i->family = family_of(&s->dst);
    i->mode = s->transport ? XFRM_MODE_TRANSPORT : XFRM_MODE_TUNNEL;
    i->reqid = s->reqid;
    i->flags = flags_of(s);
    fill_life(&i->lft, s);
    if (s->encr->aead)
        put_aead(m, s);
    else
        put_cipher(m, s);
    if (s->integ)
        put_integrity(m, s);
    put_extras(m, s);
    end(m);
}

static void put_state_id(struct xfrm_msg *m, uint16_t type, uint16_t flags, const struct xfrm_state_id *id)
{
    struct xfrm_usersa_id *i = begin(m, type, flags, sizeof(*i));
    xfrm_address_put(&i->daddr, &id->dst);
    i->spi = htonl(id->spi);
    i->family = family_of(&id->dst);
    i->proto = IPPROTO_ESP;
    end(m);
}

void xfrm_put_del_state(struct xfrm_msg *m, const struct xfrm_state_id *id)
{
    put_state_id(m, XFRM_MSG_DELSA, NLM_F_ACK, id);
}

void xfrm_put_get_state(struct xfrm_msg *m, const struct xfrm_state_id *id)
{
    put_state_id(m, XFRM_MSG_GETSA, 0, id);
}

/* --- a state at other addresses ---------------------------------------------------------------------------------- */

static void skip_numbers(uint8_t *replay, size_t n, uint32_t skip)
{
    struct xfrm_replay_state_esn *r = (struct xfrm_replay_state_esn *)(void *)replay;
    if (n < sizeof(*r) || (!r->oseq && !r->oseq_hi)) /* nothing has left: it is an inbound state, or a fresh one */
        return;
    uint64_t next = ((uint64_t)r->oseq_hi << 32 | r->oseq) + skip;
    r->oseq = (uint32_t)next;
    r->oseq_hi = (uint32_t)(next >> 32);
}

/* A kernel under lockdown shows zeros. */
static bool is_hidden(uint16_t type, struct adit_span value)
{
    size_t head = type == XFRMA_ALG_AEAD         ? sizeof(struct xfrm_algo_aead)
                  : type == XFRMA_ALG_AUTH_TRUNC ? sizeof(struct xfrm_algo_auth)
                  : type == XFRMA_ALG_CRYPT      ? sizeof(struct xfrm_algo)
                                                 : SIZE_MAX;
    uint8_t all = 0;
    for (size_t i = head; i < value.n; i++)
        all |= value.p[i];
    return head < value.n && !all;
}

/* All attributes but the ports, which are written anew; what the kernel only tells it overlooks. */
static void copy_attr(struct xfrm_msg *m, uint16_t type, struct adit_span value, const struct xfrm_move *move)
{
    if (type == XFRMA_ENCAP || type == XFRMA_LASTUSED || type == XFRMA_COADDR || type == XFRMA_SRCADDR)
        return;
    if (type == XFRMA_REPLAY_VAL || type == XFRMA_ALG_AUTH) /* the newer forms are there as well */
        return;
    m->fail |= is_hidden(type, value);
    uint8_t *p = attr(m, type, value.n);
    if (!p)
        return;
    span_copy(p, value);
    if (type == XFRMA_REPLAY_ESN_VAL)
        skip_numbers(p, value.n, move->skip);
}

static bool copy_attrs(struct xfrm_msg *m, struct adit_span attrs, const struct xfrm_move *move)
{
    while (attrs.n >= NLA_HDRLEN) {
        struct nlattr a;
        span_copy((uint8_t *)&a, span(attrs.p, sizeof(a)));
        if (a.nla_len < NLA_HDRLEN || a.nla_len > attrs.n)
            return false;
        copy_attr(m, a.nla_type & NLA_TYPE_MASK, span(attrs.p + NLA_HDRLEN, a.nla_len - (size_t)NLA_HDRLEN), move);
        size_t whole = NLA_ALIGN((size_t)a.nla_len);
        attrs = span_from(attrs, whole < attrs.n ? whole : attrs.n);
    }
    return attrs.n == 0;
}

/* The limits stay; what was counted goes along. */
static void move_info(struct xfrm_msg *m, struct xfrm_usersa_info *i, const struct xfrm_move *move)
{
    struct xfrm_lifetime_cur so_far = i->curlft;
    xfrm_address_put(&i->id.daddr, &move->dst);
    xfrm_address_put(&i->saddr, &move->src);
    i->family = family_of(&move->dst);
    i->curlft = (struct xfrm_lifetime_cur){ 0 };
    i->seq = 0;
    i->replay_window = 0;
    attr_span(m, XFRMA_LTIME_VAL, span(&so_far, sizeof(so_far)));
}

bool xfrm_put_moved(struct xfrm_msg *m, struct adit_span state, const struct xfrm_move *move)
{
    struct nlmsghdr h;
    size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct xfrm_usersa_info));
    if (state.n < head)
        return false;
    span_copy((uint8_t *)&h, span(state.p, sizeof(h)));
    if (h.nlmsg_type != XFRM_MSG_NEWSA || h.nlmsg_len < head || h.nlmsg_len > state.n)
        return false;
    struct xfrm_usersa_info *i = begin(m, XFRM_MSG_NEWSA, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(*i));
    span_copy((uint8_t *)i, span(state.p + NLMSG_HDRLEN, sizeof(*i)));
    bool ok = copy_attrs(m, span(state.p + head, h.nlmsg_len - head), move);
    move_info(m, i, move);
    if (move->encap)
        put_encap(m, move->encap_sport, move->encap_dport);
    end(m);
    return ok && !m->fail;
}

/* --- policies ---------------------------------------------------------------------------------------------------- */

static void put_template(struct xfrm_msg *m, const struct xfrm_policy_spec *p)
{
    struct xfrm_user_tmpl t = { .id.proto = IPPROTO_ESP,
                                .id.spi = htonl(p->t.spi),
                                .family = p->t.dst.family ? family_of(&p->t.dst) : p->sel.family,
                                .reqid = p->t.reqid,
                                .mode = p->t.transport ? XFRM_MODE_TRANSPORT : XFRM_MODE_TUNNEL,
                                .optional = p->t.optional,
                                .aalgos = UINT32_MAX,
                                .ealgos = UINT32_MAX,
                                .calgos = UINT32_MAX };
    xfrm_address_put(&t.id.daddr, &p->t.dst);
    xfrm_address_put(&t.saddr, &p->t.src);
    attr_span(m, XFRMA_TMPL, span(&t, sizeof(t)));
}

void xfrm_put_policy(struct xfrm_msg *m, const struct xfrm_policy_spec *p)
{
    struct xfrm_userpolicy_info *i = begin(m, XFRM_MSG_UPDPOLICY, NLM_F_ACK, sizeof(*i));
    i->sel = p->sel;
    i->priority = p->priority;
    i->dir = p->dir;
    i->action = p->block ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW;
    i->flags = p->asks_of_cpu ? XFRM_POLICY_ASKS_OF_CPU : 0;
    i->lft.soft_byte_limit = i->lft.hard_byte_limit = XFRM_INF;
    i->lft.soft_packet_limit = i->lft.hard_packet_limit = XFRM_INF;
    if (p->has_template)
        put_template(m, p);
    end(m);
}

void xfrm_put_del_policy(struct xfrm_msg *m, uint8_t dir, const struct xfrm_selector *sel)
{
    struct xfrm_userpolicy_id *i = begin(m, XFRM_MSG_DELPOLICY, NLM_F_ACK, sizeof(*i));
    i->sel = *sel;
    i->dir = dir;
    end(m);
}
