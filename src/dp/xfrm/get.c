/* get.c - see get.h. Everything is copied out before it is looked at: nothing in a message need be aligned. */
#include "dp/xfrm/get.h"
#include <linux/netlink.h>
#include <netinet/in.h>
#include "base/span.h"
#include "dp/xfrm/put.h"
#include "dp/xfrm/select.h"

struct reader {
    uint16_t type;
    struct adit_span left;
};

/* Copies the next n octets, and skips what aligns them. False: there aren't as many. */
static bool take(struct adit_span *s, void *out, size_t n)
{
    if (s->n < n)
        return false;
    span_copy(out, span(s->p, n));
    *s = span_from(*s, NLMSG_ALIGN(n) < s->n ? NLMSG_ALIGN(n) : s->n);
    return true;
}

static bool open_message(struct adit_span msg, struct reader *r)
{
    struct nlmsghdr h;
    if (msg.n < sizeof(h))
        return false;
    span_copy((uint8_t *)&h, span(msg.p, sizeof(h)));
    if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > msg.n)
        return false;
    r->type = h.nlmsg_type;
    r->left = span(msg.p + NLMSG_HDRLEN, h.nlmsg_len - (size_t)NLMSG_HDRLEN);
    return true;
}

/* The next attribute; false: there is none. */
static bool next_attr(struct adit_span *s, uint16_t *type, struct adit_span *value)
{
    struct nlattr a;
    if (s->n < NLA_HDRLEN)
        return false;
    span_copy((uint8_t *)&a, span(s->p, sizeof(a)));
    if (a.nla_len < NLA_HDRLEN || a.nla_len > s->n)
        return false;
    *type = a.nla_type & NLA_TYPE_MASK;
    *value = span(s->p + NLA_HDRLEN, a.nla_len - (size_t)NLA_HDRLEN);
    *s = span_from(*s, NLA_ALIGN((size_t)a.nla_len) < s->n ? NLA_ALIGN((size_t)a.nla_len) : s->n);
    return true;
}

static bool value_u32(struct adit_span value, uint32_t *out)
{
    return take(&value, out, sizeof(*out));
}

static bool get_acquire(struct reader *r, struct xfrm_event *out)
{
    struct xfrm_user_acquire a;
    struct xfrm_user_tmpl t;
    struct adit_span value;
    uint16_t type;
    if (!take(&r->left, &a, sizeof(a)))
        return false;
    out->type = XFRM_EV_ACQUIRE;
    out->packet = a.sel;
    while (next_attr(&r->left, &type, &value)) {
        if (type == XFRMA_TMPL && take(&value, &t, sizeof(t)))
            out->reqid = t.reqid;
        else if (type == XFRM_ATTR_CPU)
            (void)value_u32(value, &out->cpu);
    }
    return a.id.proto == IPPROTO_ESP;
}

static bool get_expire(struct reader *r, struct xfrm_event *out)
{
    struct xfrm_user_expire e;
    if (!take(&r->left, &e, sizeof(e)) || e.state.id.proto != IPPROTO_ESP)
        return false;
    out->type = e.hard ? XFRM_EV_HARD : XFRM_EV_SOFT;
    out->dst = xfrm_address_get(&e.state.id.daddr, e.state.family);
    out->spi = ntohl(e.state.id.spi);
    out->reqid = e.state.reqid;
    return out->dst.family;
}

static bool get_mapping(struct reader *r, struct xfrm_event *out)
{
    struct xfrm_user_mapping m;
    if (!take(&r->left, &m, sizeof(m)) || m.id.proto != IPPROTO_ESP)
        return false;
    out->type = XFRM_EV_MAPPING;
    out->dst = xfrm_address_get(&m.id.daddr, m.id.family);
    out->spi = ntohl(m.id.spi);
    out->reqid = m.reqid;
    out->from = (struct adit_endpoint){ xfrm_address_get(&m.new_saddr, m.id.family), ntohs(m.new_sport) };
    return out->dst.family;
}

bool xfrm_event_get(struct adit_span msg, struct xfrm_event *out)
{
    struct reader r;
    *out = (struct xfrm_event){ .cpu = XFRM_NO_CPU };
    if (!open_message(msg, &r))
        return false;
    switch (r.type) {
    case XFRM_MSG_ACQUIRE: return get_acquire(&r, out);
    case XFRM_MSG_EXPIRE: return get_expire(&r, out);
    case XFRM_MSG_MAPPING: return get_mapping(&r, out);
    default: return false;
    }
}

bool xfrm_state_get(struct adit_span msg, struct xfrm_state_info *out)
{
    struct xfrm_usersa_info i;
    struct adit_span value;
    struct reader r;
    uint16_t type;
    *out = (struct xfrm_state_info){ .cpu = XFRM_NO_CPU };
    if (!open_message(msg, &r) || r.type != XFRM_MSG_NEWSA || !take(&r.left, &i, sizeof(i)))
        return false;
    out->bytes = i.curlft.bytes;
    out->packets = i.curlft.packets;
    out->failed = i.stats.integrity_failed + i.stats.replay + i.stats.replay_window;
    while (next_attr(&r.left, &type, &value)) {
        if (type == XFRMA_LASTUSED)
            (void)take(&value, &out->last_used, sizeof(out->last_used));
        else if (type == XFRM_ATTR_CPU)
            (void)value_u32(value, &out->cpu);
    }
    return true;
}
