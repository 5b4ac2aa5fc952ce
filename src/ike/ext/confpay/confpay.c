/* confpay.c - Configuration payloads (RFC 7296 s2.19, s3.15): a client asks for virtual addresses and is told name servers,
 * networks and split DNS domains (RFC 8598); a server leases them from pools. */
#include "ike/ext/confpay/confpay.h"
#include "base/mem.h"

struct confpay *confpay_of(struct ike_sa *sa)
{
    return ext_sa(sa, EXT_confpay);
}

struct confpay *confpay_peek(const struct ike_sa *sa)
{
    return ext_peek(sa, EXT_confpay);
}

bool confpay_item(const char **list, struct adit_span *item)
{
    const char *p = *list;
    while (*p == ',' || *p == ' ')
        p++;
    const char *from = p;
    while (*p && *p != ',')
        p++;
    *list = p;
    while (p > from && p[-1] == ' ')
        p--;
    *item = span((const uint8_t *)from, (size_t)(p - from));
    return item->n > 0;
}

uint16_t confpay_wanted(const struct ike_sa *sa, struct adit_addr out[VIPS_MAX])
{
    const char *list = sa_option(sa, "vips");
    struct adit_span item;
    uint16_t n = 0;
    while (n < VIPS_MAX && confpay_item(&list, &item)) {
        char text[64] = { 0 };
        if (item.n < sizeof(text)) {
            span_copy((uint8_t *)text, item);
            n += addr_parse(text, &out[n]);
        }
    }
    return n;
}

static bool asks(const struct ike_sa *sa)
{
    struct adit_addr vips[VIPS_MAX];
    return sa_is_initiator(sa) && confpay_wanted(sa, vips) > 0;
}

/* A client without an address can't send anything; a server tells why it gave none. */
static enum adit_rc may_child(struct ike_sa *sa, struct adit_why *why)
{
    const struct confpay *c = confpay_peek(sa);
    if (c && c->n)
        return ADIT_OK;
    if (asks(sa))
        return why_set(why, ADIT_ERR_NO_ADDRESS, "the peer assigned no virtual address");
    if (!c || c->refused == ADIT_OK)
        return ADIT_OK;
    if (c->refused == ADIT_ERR_NO_REQUEST)
        return why_set(why, c->refused, "the connection has pools, but the peer asked for no address");
    return why_set(why, c->refused, *sa_option(sa, "pools") ? "the pools %s have no address left for the peer, or are not loaded"
                                                             : "the peer asks for an address, but the connection has no pools%s",
                   sa_option(sa, "pools"));
}

/* Before the server has answered: whatever it may give (RFC 7296 s2.19). */
static void add_wanted(const struct ike_sa *sa, struct adit_ts_list *out)
{
    struct adit_addr vips[VIPS_MAX];
    bool seen[7] = { false };
    uint16_t n = confpay_wanted(sa, vips);
    for (uint16_t i = 0; i < n; i++) {
        if (!seen[vips[i].family])
            out->v[out->n++] = ts_any(vips[i].family);
        seen[vips[i].family] = true;
    }
}

static bool dynamic(struct ike_sa *sa, bool local, struct adit_ts_list *out)
{
    const struct confpay *c = confpay_peek(sa);
    bool client = c ? c->n && !c->lease[0] : false;
    if (c && c->n && client == local) {
        for (uint16_t i = 0; i < c->n; i++)
            out->v[out->n++] = ts_from_addr(&c->vip[i]);
        return true;
    }
    if (!local || !asks(sa) || sa_is_established(sa))
        return false;
    add_wanted(sa, out);
    return true;
}

static void give_back(struct confpay *c)
{
    for (uint16_t i = 0; i < c->n; i++)
        lease_return(c->lease[i]);
    mem_del(c->got);
    *c = (struct confpay){ 0 };
}

static void life(struct ike_sa *sa, enum sa_life which, struct ike_sa *other)
{
    struct confpay *c = confpay_peek(sa), *to;
    if (!c)
        return;
    if (which == LIFE_REKEYED && (to = confpay_of(other))) {
        *to = *c;
        *c = (struct confpay){ 0 };
    }
    if (which == LIFE_ENDED) {
        if (c->got)
            sa_tell_assigned(sa, true, c->got);
        give_back(c);
    }
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    const struct confpay *c = confpay_peek(sa);
    for (uint16_t i = 0; c && i < c->n; i++) {
        if (c->lease[i])
            out->remote_vips[out->n_remote_vips++] = c->vip[i];
        else
            out->local_vips[out->n_local_vips++] = c->vip[i];
    }
}

static void fini(struct ike_sa *sa, void *state)
{
    give_back(state);
}

static const struct ike_step *const steps[] = { &confpay_ask, &confpay_give, &confpay_give_later, NULL };

static const struct adit_option_def options[] = {
    { .key = "vips", .scope = ADIT_OPT_CONN, .type = ADIT_OPT_ADDRS, .deflt = "", .owner = "confpay",
      .doc = "virtual addresses to ask for, at most 8; 0.0.0.0, :: = any one" },
    { .key = "pools", .scope = ADIT_OPT_CONN, .type = ADIT_OPT_TEXTS, .deflt = "", .owner = "confpay",
      .doc = "pools that peers get their addresses from, the first that fits; peers that ask for none get no Child SA" },
    { .key = "split_dns", .scope = ADIT_OPT_CONN, .type = ADIT_OPT_TEXTS, .deflt = "", .owner = "confpay",
      .doc = "domains, with what is below them, that the peer's name servers may be used for (RFC 8598); %any = all that it "
             "names" },
    { .key = "dnssec_ta", .scope = ADIT_OPT_CONN, .type = ADIT_OPT_TEXTS, .deflt = "", .owner = "confpay",
      .doc = "domains of split_dns for which the peer's DNSSEC trust anchors are taken; no top-level domains" },
};

const struct ike_ext ext_confpay = {
    .id = EXT_confpay,
    .name = "confpay",
    .spec = "RFC 7296 s2.19, RFC 8598",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct confpay),
    .steps = steps,
    .on = { .may_child = may_child, .dynamic = dynamic, .life = life, .status = status, .fini = fini },
};
