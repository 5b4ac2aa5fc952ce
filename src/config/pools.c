/* pools.c - `pools`: addresses to lease, and attributes of the Configuration payload (RFC 7296 s3.15) by name or number. */
#include "base/buf.h"
#include "config/load.h"
#include "config/text.h"
#include "wire/iana.h"

#define ATTRS_MAX 64
#define VALUE_MAX 255

enum value_form { VALUE_ADDR, VALUE_NET, VALUE_MASK, VALUE_TEXT, VALUE_ANY };
struct attr_row {
    const char *key;
    uint16_t v4, v6; /* attribute types; 0 = none for that family */
    enum value_form form;
};

struct pool {
    struct load *l;
    const struct config_node *section;
    struct adit_pool out;
    struct adit_attr attrs[ATTRS_MAX];
};

/* --- values -------------------------------------------------------------------------------------------------------- */

static bool to_text(struct adit_span item, char *out, size_t cap)
{
    if (item.n >= cap)
        return false;
    span_copy((uint8_t *)out, item);
    out[item.n] = 0;
    return true;
}

/* "10.1.0.0/16" -> address and bits; without /n all bits. */
static bool net_parse(struct adit_span item, struct adit_addr *addr, unsigned *bits)
{
    char text[64], *slash;
    uint64_t n;
    if (!to_text(item, text, sizeof(text)))
        return false;
    if ((slash = strchr(text, '/')))
        *slash = 0;
    if (!addr_parse(text, addr))
        return false;
    n = addr->family == 6 ? 128 : 32;
    uint64_t most = n;
    if (slash && !value_number(span_str(slash + 1), UINT32_MAX, &n))
        return false;
    *bits = (unsigned)n;
    return n <= most;
}

static void mask_put(uint8_t *out, size_t n, unsigned bits)
{
    for (size_t i = 0; i < n; i++) {
        unsigned here = bits > i * 8 ? bits - (unsigned)i * 8 : 0;
        out[i] = here >= 8 ? 0xff : (uint8_t)(0xff << (8 - here));
    }
}

static void add(struct pool *p, const struct config_node *at, unsigned type, struct adit_span value)
{
    struct adit_span copy = arena_span(p->l->arena, value);
    if (p->out.n_attrs == ATTRS_MAX) {
        report_error(p->l->report, at, "a pool has at most %d attributes", ATTRS_MAX);
        return;
    }
    p->l->no_memory |= value.n && !copy.p;
    p->attrs[p->out.n_attrs++] = (struct adit_attr){ (uint16_t)type, copy };
}

static bool add_addr(struct pool *p, const struct config_node *at, const struct attr_row *row, struct adit_span item)
{
    struct adit_addr a;
    char text[64];
    if (!to_text(item, text, sizeof(text)) || !addr_parse(text, &a) || !(a.family == 6 ? row->v6 : row->v4))
        return false;
    add(p, at, a.family == 6 ? row->v6 : row->v4, addr_span(&a));
    return true;
}

/* INTERNAL_IP4_SUBNET has a mask, INTERNAL_IP6_SUBNET a prefix length. */
static bool add_net(struct pool *p, const struct config_node *at, const struct attr_row *row, struct adit_span item)
{
    struct adit_addr a;
    uint8_t value[17], mask[16];
    unsigned bits;
    if (!net_parse(item, &a, &bits))
        return false;
    size_t n = addr_span(&a).n;
    mask_put(mask, n, bits);
    for (size_t i = 0; i < n; i++)
        value[i] = a.ip[i] & mask[i];
    if (a.family == 4)
        span_copy(value + 4, span(mask, 4));
    value[16] = (uint8_t)bits;
    add(p, at, a.family == 6 ? row->v6 : row->v4, span(value, a.family == 6 ? 17 : 8));
    return true;
}

static bool add_text(struct pool *p, const struct config_node *at, unsigned type, struct adit_span item)
{
    for (size_t i = 0; i < item.n; i++)
        if (item.p[i] < 0x20 || item.p[i] > 0x7e)
            return false;
    if (!item.n || item.n > VALUE_MAX)
        return false;
    add(p, at, type, item);
    return true;
}

/* Behind a number: an address, a network, 0x and hex, or a text. */
static bool add_any(struct pool *p, const struct config_node *at, const struct attr_row *row, struct adit_span item)
{
    char text[2 * VALUE_MAX + 3];
    struct adit_span octets;
    struct adit_addr a;
    unsigned bits;
    bool is_hex = item.n > 2 && item.p[0] == '0' && item.p[1] == 'x', has_slash = false;
    for (size_t i = 0; i < item.n; i++)
        has_slash |= item.p[i] == '/';
    if (!is_hex && net_parse(item, &a, &bits))
        return has_slash ? add_net(p, at, row, item) : add_addr(p, at, row, item);
    if (!is_hex)
        return add_text(p, at, row->v4, item);
    bool ok = to_text(item, text, sizeof(text)) && value_octets(text, p->l->arena, &octets);
    if (ok)
        add(p, at, row->v4, octets);
    return ok;
}

static bool add_item(struct pool *p, const struct config_node *at, const struct attr_row *row, struct adit_span item)
{
    switch (row->form) {
    case VALUE_ADDR:
    case VALUE_MASK: return add_addr(p, at, row, item);
    case VALUE_NET: return add_net(p, at, row, item);
    case VALUE_TEXT: return add_text(p, at, row->v4, item);
    default: return add_any(p, at, row, item);
    }
}

/* --- split DNS: a domain's trust anchors stand right behind it (RFC 8598 s3.2) --------------------------------------- */

/* "corp.example 43547 8 1 B6225A.."; true: it is about this domain. */
static bool is_about(struct adit_span anchor, struct adit_span domain)
{
    return anchor.n > domain.n && anchor.p[domain.n] == ' ' && span_equal(span(anchor.p, domain.n), domain);
}

static bool is_hex(struct adit_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!memchr("0123456789abcdefABCDEF", text.p[i], 22))
            return false;
    return text.n > 0 && text.n <= 128;
}

static bool add_anchor(struct pool *p, const struct config_node *at, struct adit_span anchor, struct adit_span domain)
{
    static const uint64_t most[] = { 65535, 255, 255 };
    char text[VALUE_MAX + 1];
    uint8_t value[4 + 128];
    uint64_t v[3];
    struct adit_span word;
    struct words w = { text, ' ' };
    if (!to_text(span_from(anchor, domain.n + 1), text, sizeof(text)))
        return false;
    for (int i = 0; i < 3; i++)
        if (!words_next(&w, &word) || !value_number(word, most[i], &v[i]))
            return false;
    if (!words_next(&w, &word) || !is_hex(word))
        return false;
    value[0] = (uint8_t)(v[0] >> 8);
    value[1] = (uint8_t)v[0];
    value[2] = (uint8_t)v[1];
    value[3] = (uint8_t)v[2];
    span_copy(value + 4, word);
    add(p, at, CPATTR_INTERNAL_DNSSEC_TA, span(value, 4 + word.n));
    return true;
}

static void add_anchors(struct pool *p, struct adit_span domain)
{
    for (const struct config_node *node = p->section->first; node; node = node->next) {
        const struct adit_span *items;
        bool mine = !strcmp(node->name, "dnssec_ta") && node->kind != CONFIG_SECTION;
        size_t n = mine ? node_items(p->l, node, &items) : 0;
        for (size_t i = 0; i < n; i++)
            if (is_about(items[i], domain) && !add_anchor(p, node, items[i], domain))
                report_error(p->l->report, node,
                             "dnssec_ta = %.*s: expected is DOMAIN KEYTAG ALGORITHM DIGESTTYPE HEX, as in a DS record",
                             (int)items[i].n, (const char *)items[i].p);
    }
}

static void load_domains(struct pool *p, const struct config_node *node)
{
    const struct adit_span *items;
    size_t n = node_items(p->l, node, &items);
    for (size_t i = 0; i < n; i++) {
        if (add_text(p, node, CPATTR_INTERNAL_DNS_DOMAIN, items[i]))
            add_anchors(p, items[i]);
        else
            report_error(p->l->report, node, "domain: not a domain name");
    }
}

/* An anchor without its domain would be ignored by every client. */
static void check_anchors(struct pool *p, const struct config_node *node)
{
    const struct adit_span *items;
    size_t n = node_items(p->l, node, &items);
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (uint16_t k = 0; k < p->out.n_attrs; k++)
            found |= p->attrs[k].type == CPATTR_INTERNAL_DNS_DOMAIN && is_about(items[i], p->attrs[k].value);
        if (!found)
            report_error(p->l->report, node, "dnssec_ta = %.*s: its domain does not stand in `domain`", (int)items[i].n,
                         (const char *)items[i].p);
    }
}

/* --- addresses ------------------------------------------------------------------------------------------------------- */

/* From where on a prefix is leased: all of it but its own number and its last address, unless it is that small; from the
 * address that is written, if that is not the prefix itself (strongSwan's rules). */
static bool prefix_range(struct adit_span text, struct adit_pool *out)
{
    uint8_t mask[16];
    unsigned bits;
    bool first = true;
    if (!net_parse(text, &out->base, &bits))
        return false;
    size_t n = addr_span(&out->base).n;
    mask_put(mask, n, bits);
    out->lo = out->hi = out->base;
    for (size_t i = 0; i < n; i++) {
        first &= !(out->base.ip[i] & (uint8_t)~mask[i]);
        out->hi.ip[i] |= (uint8_t)~mask[i];
    }
    if (bits + 1 >= n * 8)
        return true;
    out->hi.ip[n - 1]--;
    out->lo.ip[n - 1] += first;
    return span_compare(addr_span(&out->lo), addr_span(&out->hi)) <= 0;
}

static bool range(struct adit_span text, struct adit_pool *out)
{
    char word[128], *dash;
    if (!to_text(text, word, sizeof(word)))
        return false;
    if (!(dash = strchr(word, '-')))
        return prefix_range(text, out);
    char *end = dash;
    while (end > word && end[-1] == ' ')
        end--;
    *end = 0;
    dash++;
    while (*dash == ' ')
        dash++;
    if (!addr_parse(word, &out->lo) || !addr_parse(dash, &out->hi) || out->lo.family != out->hi.family)
        return false;
    out->base = out->lo;
    return span_compare(addr_span(&out->lo), addr_span(&out->hi)) <= 0;
}

static void load_addrs(struct pool *p, const struct config_node *node)
{
    const struct adit_span *items;
    size_t n = node_items(p->l, node, &items);
    if (n != 1 || !range(items[0], &p->out))
        report_error(p->l->report, node, "addrs is one network a/n or one range a-b (a pool for each, and all of them in the "
                                         "connection's `pools`)");
}

/* --- the section ------------------------------------------------------------------------------------------------------- */

static const struct attr_row rows[];
static const size_t num_rows;

static const struct attr_row *find_row(const char *key)
{
    for (size_t i = 0; i < num_rows; i++)
        if (!strcmp(rows[i].key, key))
            return &rows[i];
    return NULL;
}

static void load_attr(struct pool *p, const struct config_node *node, const struct attr_row *row)
{
    const struct adit_span *items;
    size_t n = node_items(p->l, node, &items);
    for (size_t i = 0; i < n; i++)
        if (!add_item(p, node, row, items[i]))
            report_error(p->l->report, node, "%s = %.*s: that is no value for it", node->name, (int)items[i].n,
                         (const char *)items[i].p);
}

/* Numbers are for what has no name here; 1 and 8 are the leases' own. */
static bool load_number(struct pool *p, const struct config_node *node)
{
    uint64_t type;
    if (!value_number(span_str(node->name), 0x7fff, &type))
        return false;
    struct attr_row row = { node->name, (uint16_t)type, (uint16_t)type, VALUE_ANY };
    if (type == CPATTR_INTERNAL_IP4_ADDRESS || type == CPATTR_INTERNAL_IP6_ADDRESS || type == CPATTR_SUPPORTED_ATTRIBUTES)
        report_error(p->l->report, node, "attribute %s is not for a pool to tell", node->name);
    else
        load_attr(p, node, &row);
    return true;
}

static void load_node(struct pool *p, const struct config_node *node)
{
    const struct attr_row *row = find_row(node->name);
    const struct config_key *key = schema_find(SCOPE_POOL, node->name);
    if (node->kind == CONFIG_SECTION)
        report_unknown(p->l, node, SCOPE_POOL, "section");
    else if (!strcmp(node->name, "addrs"))
        load_addrs(p, node);
    else if (!strcmp(node->name, "domain"))
        load_domains(p, node);
    else if (row)
        load_attr(p, node, row);
    else if (key && key->verdict != V_HAVE)
        report_error(p->l->report, node, "%s is %s: %s", node->name, verdict_text(key->verdict), key->reason);
    else if (!key && !load_number(p, node))
        report_unknown(p->l, node, SCOPE_POOL, "key");
}

void pool_load(struct load *l, const struct config_node *section, struct adit_config *cfg)
{
    struct pool p = { .l = l, .section = section, .out = { .name = section->name } };
    unsigned errors = l->report->errors;
    if (!check_name(l, section))
        return;
    for (const struct config_node *node = section->first; node; node = node->next)
        if (node->kind != CONFIG_VALUE || node->value.p)
            load_node(&p, node);
    const struct config_node *anchors = config_tree_get(section, CONFIG_VALUE, "dnssec_ta");
    if (anchors || (anchors = config_tree_get(section, CONFIG_LIST, "dnssec_ta")))
        check_anchors(&p, anchors);
    if (!p.out.lo.family && l->report->errors == errors)
        report_error(l->report, section, "pool '%s' has no addrs", section->name);
    p.out.attrs = p.attrs;
    if (l->report->errors == errors && !l->no_memory)
        load_check(l, adit_config_add_pool(cfg, &p.out));
}

void pools_load(struct load *l, const struct config_node *pools, struct adit_config *cfg)
{
    for (const struct config_node *node = pools ? pools->first : NULL; node; node = node->next) {
        if (node->kind == CONFIG_SECTION)
            pool_load(l, node, cfg);
        else if (node->kind == CONFIG_LIST || node->value.p)
            report_error(l->report, node, "'%s' stands in `pools`, which holds sections only", node->name);
    }
}

static const struct attr_row rows[] = {
    { "dns", CPATTR_INTERNAL_IP4_DNS, CPATTR_INTERNAL_IP6_DNS, VALUE_ADDR },
    { "nbns", CPATTR_INTERNAL_IP4_NBNS, 0, VALUE_ADDR },
    { "dhcp", CPATTR_INTERNAL_IP4_DHCP, CPATTR_INTERNAL_IP6_DHCP, VALUE_ADDR },
    { "netmask", CPATTR_INTERNAL_IP4_NETMASK, 0, VALUE_MASK },
    { "subnet", CPATTR_INTERNAL_IP4_SUBNET, CPATTR_INTERNAL_IP6_SUBNET, VALUE_NET },
    { "p_cscf", CPATTR_P_CSCF_IP4_ADDRESS, CPATTR_P_CSCF_IP6_ADDRESS, VALUE_ADDR },
};
static const size_t num_rows = ARRAY_LEN(rows);
