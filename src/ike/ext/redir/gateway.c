/* gateway.c - a gateway's identity in REDIRECT and REDIRECTED_FROM (RFC 5685 s9.2, s9.3): type, length, address or name,
 * and in IKE_SA_INIT the initiator's nonce behind it. */
#include "ike/ext/redir/redir.h"

#define NAME_MAX_OCTETS 253 /* of a DNS name, RFC 1035 s2.3.4 */
#define NONCE_MIN 16        /* RFC 7296 s3.9 */
#define NONCE_MAX 256

/* Letters, digits, hyphens and dots: it goes to a resolver, and perhaps nobody has authenticated it. */
static bool is_name(struct adit_span s)
{
    bool label = false; /* something stands before this place in its label */
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c != '-' && c != '_' && c != '.')
            return false;
        if ((c == '.' || c == '-') && !label)
            return false;
        label = c != '.';
    }
    return s.n > 0 && s.n <= NAME_MAX_OCTETS;
}

static bool get_name(struct adit_span id, struct redir_gateway *out)
{
    if (!is_name(id))
        return false;
    span_copy((uint8_t *)out->where, id);
    out->where[id.n] = 0;
    return !addr_parse(out->where, &out->addr); /* an address has a type of its own */
}

static bool get_address(struct adit_span id, struct redir_gateway *out)
{
    struct strbuf text = { out->where, 0, sizeof(out->where) };
    out->addr = addr_from(id);
    addr_print(&text, &out->addr);
    return !addr_is_any(&out->addr);
}

static bool get_id(uint8_t type, struct adit_span id, struct redir_gateway *out)
{
    switch (type) {
    case GATEWAY_IPV4: return id.n == 4 && get_address(id, out);
    case GATEWAY_IPV6: return id.n == 16 && get_address(id, out);
    case GATEWAY_FQDN: return get_name(id, out);
    default: return false;
    }
}

bool redir_gateway_get(struct adit_span data, struct redir_gateway *out)
{
    struct rd in = rd_init(data);
    *out = (struct redir_gateway){ 0 };
    uint8_t type = rd_u8(&in), n = rd_u8(&in);
    struct adit_span id = rd_take(&in, n);
    out->nonce = rd_rest(&in);
    bool nonce_ok = !out->nonce.n || (out->nonce.n >= NONCE_MIN && out->nonce.n <= NONCE_MAX);
    return rd_ok(&in) && nonce_ok && get_id(type, id, out);
}

bool redir_gateway_put(struct wr *w, const char *where, struct adit_span nonce)
{
    struct adit_addr addr;
    bool is_addr = addr_parse(where, &addr);
    struct adit_span id = is_addr ? addr_span(&addr) : span_str(where);
    if (is_addr ? addr_is_any(&addr) : !is_name(id))
        return false;
    wr_u8(w, is_addr ? (addr.family == 4 ? GATEWAY_IPV4 : GATEWAY_IPV6) : GATEWAY_FQDN);
    wr_u8(w, (uint8_t)id.n);
    wr_span(w, id);
    wr_span(w, nonce);
    return wr_ok(w);
}
