/* ask.c - the client's side: CFG_REQUEST beside the first Child SA, and what it makes of the CFG_REPLY. */
#include "base/mem.h"
#include "base/strbuf.h"
#include "ike/ext/confpay/confpay.h"

struct ask {
    struct adit_assigned *got; /* goes to the SA */
    bool malformed;
    bool elsewhere; /* we are sent to another gateway (RFC 5685) */
};

static enum want want(struct ike_sa *sa, const struct ike_msg *msg)
{
    struct adit_addr vips[VIPS_MAX];
    return sa_is_initiator(sa) && confpay_wanted(sa, vips) ? WANT_RIDE : WANT_NO;
}

/* The nth address of a family that the SA has which this one replaces: the same again, if that can be. */
static const struct adit_addr *had(const struct ike_sa *sa, uint8_t family, unsigned nth)
{
    const struct ike_sa *old = sa_replaced(sa);
    const struct confpay *c = old ? confpay_peek(old) : NULL;
    for (uint16_t i = 0; c && i < c->n; i++)
        if (c->vip[i].family == family && nth-- == 0)
            return &c->vip[i];
    return NULL;
}

static void put_addresses(const struct ike_sa *sa, struct wr *w, bool seen[7])
{
    struct adit_addr vips[VIPS_MAX];
    uint16_t n = confpay_wanted(sa, vips);
    unsigned nth[7] = { 0 };
    for (uint16_t i = 0; i < n; i++) {
        uint8_t family = vips[i].family;
        const struct adit_addr *before = had(sa, family, nth[family]++);
        const struct adit_addr *a = addr_is_any(&vips[i]) && before ? before : &vips[i];
        seen[family] = true;
        if (addr_is_any(a))
            cp_put_attr(w, family == 6 ? CPATTR_INTERNAL_IP6_ADDRESS : CPATTR_INTERNAL_IP4_ADDRESS, SPAN_NONE);
        else
            cp_addr_put(w, a, 128);
    }
}

/* RFC 8598 s3.1: only whoever names domains is willing to have them resolved by the peer. */
static void put_domains(const struct ike_sa *sa, struct wr *w)
{
    if (!*sa_option(sa, "split_dns"))
        return;
    cp_put_attr(w, CPATTR_INTERNAL_DNS_DOMAIN, SPAN_NONE);
    if (*sa_option(sa, "dnssec_ta"))
        cp_put_attr(w, CPATTR_INTERNAL_DNSSEC_TA, SPAN_NONE);
}

static enum adit_rc build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    bool seen[7] = { false };
    struct wr_mark p = cp_put(w, CFG_REQUEST);
    put_addresses(xchg_sa(x), w, seen);
    if (seen[4]) {
        cp_put_attr(w, CPATTR_INTERNAL_IP4_DNS, SPAN_NONE);
        cp_put_attr(w, CPATTR_INTERNAL_IP4_NBNS, SPAN_NONE);
    }
    if (seen[6])
        cp_put_attr(w, CPATTR_INTERNAL_IP6_DNS, SPAN_NONE);
    put_domains(xchg_sa(x), w);
    wr_payload_end(w, p);
    return ADIT_OK;
}

/* --- the reply ----------------------------------------------------------------------------------------------------- */

struct reader {
    const struct ike_sa *sa;
    bool split;
    struct adit_assigned *out;
    struct strbuf domains, anchors;
    struct adit_span domain; /* the accepted one that trust anchors stand behind; empty: none */
};

/* An address of a host: neither unspecified, nor loopback, nor multicast. */
static bool is_usable(const struct adit_addr *a)
{
    static const uint8_t loopback[16] = { [15] = 1 };
    if (addr_is_any(a))
        return false;
    if (a->family == 4)
        return a->ip[0] != 0 && a->ip[0] != 127 && a->ip[0] < 224;
    return a->ip[0] != 0xff && !span_equal(SPAN_ARRAY(loopback), SPAN_ARRAY(a->ip));
}

static unsigned count(const struct adit_addr *v, uint16_t n, uint8_t family)
{
    unsigned k = 0;
    for (uint16_t i = 0; i < n; i++)
        k += v[i].family == family;
    return k;
}

/* Not more than we asked for (RFC 7296 s3.15.1). */
static void take_address(struct reader *r, const struct cp_attr *attr)
{
    struct adit_addr a, wanted[VIPS_MAX];
    uint16_t n = confpay_wanted(r->sa, wanted);
    if (!cp_addr_get(attr, &a) || !is_usable(&a))
        return;
    if (count(r->out->addrs, r->out->n_addrs, a.family) < count(wanted, n, a.family))
        r->out->addrs[r->out->n_addrs++] = a;
}

static void take_server(const struct cp_attr *attr, struct adit_addr *v, uint16_t *n)
{
    struct adit_addr a = addr_from(attr->value);
    if (a.family && is_usable(&a) && *n < ADIT_ASSIGNED_ADDRS)
        v[(*n)++] = a;
}

static void take_net(struct reader *r, const struct cp_attr *attr)
{
    if (r->out->n_nets < ADIT_ASSIGNED_NETS && cp_subnet_get(attr, &r->out->nets[r->out->n_nets]))
        r->out->n_nets++;
}

static void take_domain(struct reader *r, const struct cp_attr *attr)
{
    struct adit_span name = attr->value;
    r->domain = SPAN_NONE;
    if (!r->split || !domain_is_good(name) || !domain_is_listed(name, sa_option(r->sa, "split_dns")) ||
        r->domains.n + name.n + 2 > r->domains.cap)
        return;
    strbuf_addf(&r->domains, "%s%.*s", r->domains.n ? " " : "", (int)name.n, (const char *)name.p);
    r->domain = name;
}

static void take_anchor(struct reader *r, const struct cp_attr *attr)
{
    STRBUF(anchor, 200);
    if (!r->domain.n || !domain_may_have_anchor(r->domain, sa_option(r->sa, "dnssec_ta")) ||
        !anchor_print(&anchor, attr->value) || r->anchors.n + anchor.n + r->domain.n + 3 > r->anchors.cap)
        return;
    strbuf_addf(&r->anchors, "%.*s %s\n", (int)r->domain.n, (const char *)r->domain.p, anchor.p);
}

static void take(struct reader *r, const struct cp_attr *attr)
{
    struct adit_assigned *out = r->out;
    if (attr->type != CPATTR_INTERNAL_DNS_DOMAIN && attr->type != CPATTR_INTERNAL_DNSSEC_TA)
        r->domain = SPAN_NONE; /* RFC 8598 s4.2: an anchor immediately follows */
    switch (attr->type) {
    case CPATTR_INTERNAL_IP4_ADDRESS:
    case CPATTR_INTERNAL_IP6_ADDRESS: take_address(r, attr); return;
    case CPATTR_INTERNAL_IP4_DNS:
    case CPATTR_INTERNAL_IP6_DNS: take_server(attr, out->dns, &out->n_dns); return;
    case CPATTR_INTERNAL_IP4_NBNS: take_server(attr, out->nbns, &out->n_nbns); return;
    case CPATTR_INTERNAL_IP4_SUBNET:
    case CPATTR_INTERNAL_IP6_SUBNET: take_net(r, attr); return;
    case CPATTR_INTERNAL_DNS_DOMAIN: take_domain(r, attr); return;
    case CPATTR_INTERNAL_DNSSEC_TA: take_anchor(r, attr); return;
    default: return; /* RFC 7296 s3.15.1: ignored */
    }
}

bool confpay_read(const struct ike_sa *sa, struct adit_span body, bool split, struct adit_assigned *out)
{
    struct reader r = { .sa = sa, .split = split, .out = out, .domains = { out->domains, 0, sizeof(out->domains) },
                        .anchors = { out->anchors, 0, sizeof(out->anchors) } };
    struct rd in = rd_init(body), attrs;
    struct cp_attr attr;
    uint8_t type;
    if (!cp_get(&in, &type, &attrs))
        return false;
    while (type == CFG_REPLY && cp_next(&attrs, &attr))
        take(&r, &attr);
    if (!out->n_dns) /* RFC 8598 s3.2: without servers nobody could resolve them */
        out->domains[0] = out->anchors[0] = 0;
    return true;
}

/* Does some traffic stay outside? Otherwise domains are to be ignored (RFC 8598 s2). */
static bool is_split(const struct ike_msg *msg)
{
    struct adit_ts_list ts = { 0 };
    unsigned unknown;
    const struct payload *p = msg_find(msg, PLD_TSr);
    struct rd in = rd_init(p ? p->body : SPAN_NONE);
    if (!p || !ts_get(&in, &ts, &unknown))
        return false;
    for (uint16_t i = 0; i < ts.n; i++) {
        struct adit_ts any = ts_any(ts.v[i].family);
        if (span_equal(SPAN_ARRAY(any.lo), SPAN_ARRAY(ts.v[i].lo)) && span_equal(SPAN_ARRAY(any.hi), SPAN_ARRAY(ts.v[i].hi)))
            return false;
    }
    return true;
}

/* The SA's addresses are set here, before it is established: the Child SA's selectors depend on them. Should this exchange
 * fail, the SA goes with them. */
static enum adit_rc consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct ask *s = scratch;
    struct confpay *c = confpay_of(xchg_sa(x));
    const struct payload *p = msg_find(msg, PLD_CP);
    struct notify n;
    s->elsewhere = msg_notify(msg, N_REDIRECT, &n);
    if (!s->got && !(s->got = mem_new(sizeof(*s->got))))
        return ADIT_ERR_MEMORY;
    if (!c)
        return ADIT_ERR_MEMORY;
    if (p)
        s->malformed = !confpay_read(xchg_sa(x), p->body, is_split(msg), s->got);
    c->n = s->malformed ? 0 : s->got->n_addrs;
    for (uint16_t i = 0; i < c->n; i++)
        c->vip[i] = s->got->addrs[i];
    return ADIT_OK;
}

static void tell(struct ike_sa *sa, const struct adit_assigned *got)
{
    for (uint16_t i = 0; i < got->n_addrs; i++) {
        STRBUF(text, 64);
        addr_print(&text, &got->addrs[i]);
        sa_log(sa, ADIT_LOG_INFO, "IKE", "the peer assigned the virtual address %s", text.p);
    }
    if (got->domains[0])
        sa_log(sa, ADIT_LOG_INFO, "IKE", "its name servers are for %s", got->domains);
    sa_tell_assigned(sa, false, got);
}

/* Without an address the SA is of no use, and only a new one may ask again (RFC 7296 s3.15.4 allows both). */
static void commit(struct ike_xchg *x, void *scratch)
{
    struct ask *s = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct confpay *c = confpay_peek(sa);
    if (!c || !sa_is_established(sa))
        return;
    if (!c->n && s->elsewhere)
        return;
    if (!c->n) {
        sa_delete(sa, s->malformed ? "the peer's Configuration payload is malformed"
                                   : "the peer assigned no virtual address");
        return;
    }
    c->got = s->got;
    s->got = NULL;
    tell(sa, c->got);
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct ask *s = scratch;
    mem_del(s->got);
}

const struct ike_step confpay_ask = {
    .name = "IKE_CONFIG", .exchange = XCHG_IKE_AUTH, .role = XCHG_REQUESTER, .before_child = true,
    .scratch = sizeof(struct ask), .want = want, .build = build, .consume = consume, .commit = commit, .fini = fini,
};
