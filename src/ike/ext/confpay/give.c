/* give.c - the server's side: addresses of the connection's pools, and what else these tell. In IKE_AUTH, or later in an
 * INFORMATIONAL exchange for who has none yet (RFC 7296 s3.15.4). */
#include "base/arena.h"
#include "base/strbuf.h"
#include "ike/ext/confpay/confpay.h"

struct give {
    bool request, set, wants_list, wants_domains, wants_anchors, wants_version;
    unsigned asked; /* addresses */
    uint16_t n_pools;
    const char *pool[VIPS_MAX]; /* that gave something */
};

static enum want want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return msg && !sa_is_initiator(sa) && !sa_is_established(sa) ? WANT_RIDE : WANT_NO;
}

static enum want want_later(struct ike_sa *sa, const struct ike_msg *msg)
{
    return msg && !sa_is_initiator(sa) && sa_is_established(sa) && msg_find(msg, PLD_CP) ? WANT_RIDE : WANT_NO;
}

static void note_pool(struct give *s, const char *name)
{
    for (uint16_t i = 0; i < s->n_pools; i++)
        if (!strcmp(s->pool[i], name))
            return;
    if (s->n_pools < VIPS_MAX)
        s->pool[s->n_pools++] = name;
}

static void tell(struct ike_sa *sa, const struct adit_addr *a, const char *pool)
{
    STRBUF(text, 64);
    addr_print(&text, a);
    sa_log(sa, ADIT_LOG_INFO, "IKE", "virtual address %s of pool '%s' is for this peer", text.p, pool);
}

static const char *pool_name(struct ike_xchg *x, struct adit_span item)
{
    char *name = arena_new(xchg_arena(x), item.n + 1);
    if (name)
        span_copy((uint8_t *)name, item);
    return name;
}

/* Asked again: which pool the addresses are of is not kept, all of the connection's may tell. */
static void note_all_pools(struct ike_xchg *x, struct give *s)
{
    const char *list = sa_option(xchg_sa(x), "pools"), *name;
    struct adit_span item;
    while (confpay_item(&list, &item))
        if ((name = pool_name(x, item)))
            note_pool(s, name);
}

/* From the first pool of that family that has one. */
static bool lease(struct ike_xchg *x, struct give *s, const struct ike_msg *msg, struct adit_span owner,
                  const struct adit_addr *wanted)
{
    struct ike_sa *sa = xchg_sa(x);
    struct confpay *c = confpay_of(sa);
    const char *list = sa_option(sa, "pools");
    struct adit_span item;
    while (c && c->n < VIPS_MAX && confpay_item(&list, &item)) {
        const char *name = pool_name(x, item);
        const struct adit_pool *pool = name ? sa_pool(sa, name) : NULL;
        if (!pool || pool->lo.family != wanted->family)
            continue;
        struct lease *l = sa_lease(sa, name, owner, addr_is_any(wanted) ? NULL : wanted, sa_takes_over(sa, msg));
        if (!l)
            continue;
        c->lease[c->n] = l;
        c->vip[c->n] = lease_address(l);
        tell(sa, &c->vip[c->n++], name);
        note_pool(s, name);
        return true;
    }
    return false;
}

/* A value of another length than the RFC's is no wish for an address. */
static bool read_wish(const struct cp_attr *attr, struct adit_addr *out)
{
    bool v6 = attr->type == CPATTR_INTERNAL_IP6_ADDRESS;
    if (!v6 && attr->type != CPATTR_INTERNAL_IP4_ADDRESS)
        return false;
    *out = (struct adit_addr){ .family = v6 ? 6 : 4 };
    return !attr->value.n || cp_addr_get(attr, out);
}

static void read_request(struct ike_xchg *x, struct give *s, const struct ike_msg *msg, struct rd *attrs,
                         struct adit_span owner)
{
    const struct confpay *c = confpay_peek(xchg_sa(x));
    bool has = c && c->n;
    struct adit_addr wanted;
    struct cp_attr attr;
    while (cp_next(attrs, &attr)) {
        s->wants_list |= attr.type == CPATTR_SUPPORTED_ATTRIBUTES;
        s->wants_version |= attr.type == CPATTR_APPLICATION_VERSION;
        s->wants_domains |= attr.type == CPATTR_INTERNAL_DNS_DOMAIN;
        s->wants_anchors |= attr.type == CPATTR_INTERNAL_DNSSEC_TA;
        if (!read_wish(&attr, &wanted))
            continue;
        s->asked++;
        if (!has && s->asked <= VIPS_MAX)
            lease(x, s, msg, owner, &wanted);
    }
    if (has)
        note_all_pools(x, s);
}

static enum adit_rc verdict(struct ike_sa *sa, const struct give *s)
{
    const struct confpay *c = confpay_peek(sa);
    if (c && c->n)
        return ADIT_OK;
    if (s->asked)
        return ADIT_ERR_NO_ADDRESS;
    return *sa_option(sa, "pools") ? ADIT_ERR_NO_REQUEST : ADIT_OK; /* RFC 7296 s2.19 */
}

/* Leases are taken here, since the Child SA's selectors depend on them; whatever ends the SA returns them. */
static enum adit_rc assign(struct ike_xchg *x, struct give *s, const struct ike_msg *msg, struct adit_span owner,
                           struct adit_why *why)
{
    const struct payload *p = msg_find(msg, PLD_CP);
    struct rd in = rd_init(p ? p->body : SPAN_NONE), attrs;
    uint8_t type = 0;
    if (p && !cp_get(&in, &type, &attrs))
        return why_set(why, ADIT_ERR_MALFORMED, "Configuration payload: %s", in.fail);
    s->request = type == CFG_REQUEST;
    s->set = type == CFG_SET;
    if (s->request)
        read_request(x, s, msg, &attrs, owner);
    enum adit_rc rc = verdict(xchg_sa(x), s);
    struct confpay *c = rc == ADIT_OK ? confpay_peek(xchg_sa(x)) : confpay_of(xchg_sa(x));
    if (c)
        c->refused = rc;
    return rc == ADIT_OK || c ? ADIT_OK : ADIT_ERR_MEMORY;
}

static enum adit_rc consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    const struct payload *p = msg_find(msg, PLD_IDi);
    struct adit_id id;
    struct adit_span owner = SPAN_NONE;
    struct rd in = rd_init(p ? p->body : SPAN_NONE);
    if (!p || !id_get(&in, &id, &owner))
        return why_set(why, ADIT_ERR_MALFORMED, "IDi payload: %s", p ? in.fail : "missing");
    return assign(x, scratch, msg, owner, why);
}

static enum adit_rc consume_later(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    return assign(x, scratch, msg, sa_peer_id(xchg_sa(x)), why);
}

/* --- the reply ----------------------------------------------------------------------------------------------------- */

static bool has_family(const struct confpay *c, uint8_t family)
{
    for (uint16_t i = 0; i < c->n; i++)
        if (c->vip[i].family == family)
            return true;
    return false;
}

static bool is_meant(const struct confpay *c, const struct give *s, const struct adit_attr *a)
{
    if (a->type == CPATTR_INTERNAL_DNS_DOMAIN)
        return s->wants_domains; /* RFC 8598 s3.1: else the peer is unwilling */
    if (a->type == CPATTR_INTERNAL_DNSSEC_TA)
        return s->wants_domains && s->wants_anchors;
    return a->type != CPATTR_INTERNAL_IP4_NETMASK || has_family(c, 4); /* RFC 7296 s3.15.1 */
}

/* Two pools may tell the same. Single-valued ones go out once. */
static bool is_told(const struct adit_pool *const *pools, uint16_t upto, const struct adit_attr *a)
{
    bool single = a->type == CPATTR_INTERNAL_IP4_NETMASK || a->type == CPATTR_APPLICATION_VERSION;
    for (uint16_t p = 0; p < upto; p++)
        for (uint16_t i = 0; pools[p] && i < pools[p]->n_attrs; i++)
            if (pools[p]->attrs[i].type == a->type && (single || span_equal(pools[p]->attrs[i].value, a->value)))
                return true;
    return false;
}

/* Who asks for the version gets what a pool says, or "an empty string" (RFC 7296 s2.20). */
static void put_no_version(const struct adit_pool *const *pools, const struct give *s, struct wr *w)
{
    static const struct adit_attr version = { .type = CPATTR_APPLICATION_VERSION };
    if (s->wants_version && !is_told(pools, s->n_pools, &version))
        cp_put_attr(w, CPATTR_APPLICATION_VERSION, SPAN_NONE);
}

static void put_attributes(const struct ike_sa *sa, const struct give *s, const struct confpay *c, struct wr *w)
{
    const struct adit_pool *pools[VIPS_MAX];
    for (uint16_t p = 0; p < s->n_pools; p++) {
        pools[p] = sa_pool(sa, s->pool[p]);
        for (uint16_t i = 0; pools[p] && i < pools[p]->n_attrs; i++) {
            const struct adit_attr *a = &pools[p]->attrs[i];
            if (is_meant(c, s, a) && !is_told(pools, p, a))
                cp_put_attr(w, a->type, a->value);
        }
    }
    put_no_version(pools, s, w);
}

static void put_list(struct wr *w)
{
    static const uint16_t known[] = {
        CPATTR_INTERNAL_IP4_ADDRESS, CPATTR_INTERNAL_IP4_NETMASK, CPATTR_INTERNAL_IP4_DNS, CPATTR_INTERNAL_IP4_NBNS,
        CPATTR_INTERNAL_IP4_DHCP, CPATTR_APPLICATION_VERSION, CPATTR_INTERNAL_IP6_ADDRESS, CPATTR_INTERNAL_IP6_DNS,
        CPATTR_INTERNAL_IP6_DHCP, CPATTR_INTERNAL_IP4_SUBNET, CPATTR_SUPPORTED_ATTRIBUTES, CPATTR_INTERNAL_IP6_SUBNET,
        CPATTR_P_CSCF_IP4_ADDRESS, CPATTR_P_CSCF_IP6_ADDRESS, CPATTR_INTERNAL_DNS_DOMAIN, CPATTR_INTERNAL_DNSSEC_TA,
    };
    wr_u16(w, CPATTR_SUPPORTED_ATTRIBUTES);
    wr_u16(w, sizeof(known));
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        wr_u16(w, known[i]);
}

static void put_reply(const struct ike_sa *sa, const struct give *s, struct wr *w)
{
    static const struct confpay none;
    const struct confpay *c = confpay_peek(sa) ? confpay_peek(sa) : &none;
    if (!c->n && !s->wants_list && !s->wants_version)
        return;
    struct wr_mark p = cp_put(w, CFG_REPLY);
    for (uint16_t i = 0; i < c->n && i < s->asked; i++)
        cp_addr_put(w, &c->vip[i], 128);
    put_attributes(sa, s, c, w);
    if (s->wants_list)
        put_list(w);
    wr_payload_end(w, p);
}

/* No CFG_REPLY without a CFG_REQUEST (RFC 7296 s2.19). A CFG_SET has no use: nothing of it is accepted (s3.15.1). */
static enum adit_rc build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    const struct give *s = scratch;
    if (s->request)
        put_reply(xchg_sa(x), s, w);
    if (s->set)
        wr_payload_end(w, cp_put(w, CFG_ACK));
    return ADIT_OK;
}

static enum adit_rc build_later(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    const struct give *s = scratch;
    const struct confpay *c = confpay_peek(xchg_sa(x));
    if (s->asked && c && !c->n)
        notify_put(w, N_INTERNAL_ADDRESS_FAILURE, SPAN_NONE);
    return build(x, scratch, w, why);
}

const struct ike_step confpay_give = {
    .name = "IKE_CONFIG", .exchange = XCHG_IKE_AUTH, .role = XCHG_RESPONDER, .before_child = true,
    .scratch = sizeof(struct give), .want = want, .build = build, .consume = consume,
};
const struct ike_step confpay_give_later = {
    .name = "IKE_CONFIG", .exchange = XCHG_INFORMATIONAL, .role = XCHG_RESPONDER,
    .scratch = sizeof(struct give), .want = want_later, .build = build_later, .consume = consume_later,
};
