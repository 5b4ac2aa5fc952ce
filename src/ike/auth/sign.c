/* sign.c - AUTH by signature: methods 1, 9-11 (RFC 7296 s3.8, RFC 4754) and 14 (RFC 7427, RFC 8420). Chooses the row,
 * frames the Authentication Data, applies the connection's constraints; the row's library does the rest. */
#include "base/rd.h"
#include "base/strbuf.h"
#include "ike/auth/auth.h"
#include "wire/iana.h"

#define RSA_BITS_MIN 2048 /* RFC 8247 s3.1.1: below SHOULD NOT */

/* --- SIGNATURE_HASH_ALGORITHMS ------------------------------------------------------------------------------- */

#define PRIVATE_FIRST HASH_SHA3_256 /* 1024: the registry's range for private use begins there */
#define PRIVATE_BIT 16
#define PRIVATE_BITS (0x1fu << PRIVATE_BIT)

uint32_t auth_hash_bit(uint16_t hash)
{
    if (hash >= PRIVATE_FIRST && hash <= HASH_SHAKE256)
        return 1u << (PRIVATE_BIT + hash - PRIVATE_FIRST);
    return hash && hash < PRIVATE_BIT ? 1u << hash : 0;
}

/* The number of a bit, in the order of the numbers. */
static uint16_t hash_of_bit(unsigned bit)
{
    return (uint16_t)(bit < PRIVATE_BIT ? bit : PRIVATE_FIRST + bit - PRIVATE_BIT);
}

uint32_t auth_hashes_named(const struct auth_constraints *c)
{
    return c ? (c->hashes | c->ec_hashes) & PRIVATE_BITS : 0;
}

uint32_t auth_hashes_ours(uint32_t named)
{
    const struct sig_alg *alg;
    uint32_t bits = 0;
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++)
        if (alg->auth_method == AUTH_DIGITAL_SIGNATURE &&
            alg->hash != HASH_SHA1) /* MUST NOT, RFC 8247 s3.1 */
            bits |= auth_hash_bit(alg->hash);
    return bits & (~PRIVATE_BITS | named);
}

void auth_hashes_put(struct wr *w, uint32_t named)
{
    uint32_t bits = auth_hashes_ours(named);
    for (unsigned bit = 1; bit < 32; bit++)
        if (bits & (1u << bit))
            wr_u16(w, hash_of_bit(bit));
}

uint32_t auth_hashes_get(struct adit_span data, bool private_ok)
{
    struct rd in = rd_init(data);
    uint32_t bits = 1;
    while (rd_more(&in)) {
        uint16_t hash = rd_u16(&in);
        if (rd_ok(&in))
            bits |= auth_hash_bit(hash); /* others: unknown to us, RFC 7427 s4 */
    }
    return private_ok ? bits : bits & ~PRIVATE_BITS;
}

/* --- constraints --------------------------------------------------------------------------------------------- */

static bool is_rsa(enum key_type type)
{
    return type == KEY_RSA || type == KEY_RSA_PSS;
}

static bool type_allowed(enum key_type type, const struct auth_constraints *c)
{
    if (!c->rsa && !c->ecdsa && !c->ed25519 && !c->ed448)
        return true;
    switch (type) {
    case KEY_RSA:
    case KEY_RSA_PSS: return c->rsa;
    case KEY_ECDSA: return c->ecdsa;
    case KEY_ED25519: return c->ed25519;
    case KEY_ED448: return c->ed448;
    case KEY_OTHER: break;
    }
    return false;
}

static bool hash_allowed(const struct sig_alg *alg, const struct auth_constraints *c)
{
    uint32_t bit = auth_hash_bit(alg->hash);
    uint32_t hashes = is_rsa(alg->key) ? c->hashes : alg->key == KEY_ECDSA ? c->ec_hashes : 0;
    return hashes ? (hashes & bit) != 0 : !(bit & PRIVATE_BITS);
}

/* Why this key may not be used at all, or NULL. */
static const char *key_refusal(const struct crypto_key *key, const struct auth_constraints *c)
{
    enum key_type type = key_type(key);
    unsigned rsa_min = c->min_bits ? c->min_bits : RSA_BITS_MIN;
    if (!type_allowed(type, c))
        return "a key of this type is not allowed here";
    if (is_rsa(type) && key_bits(key) < rsa_min)
        return "the RSA key is too short";
    if (type == KEY_ECDSA && key_bits(key) < c->min_ec_bits)
        return "the curve is too small";
    return NULL;
}

static bool is_allowed(const struct sig_alg *alg, const struct auth_constraints *c)
{
    return alg->hash != HASH_SHA1 && hash_allowed(alg, c) && (!c->pss_only || !is_rsa(alg->key) || alg->pss);
}

static const struct auth_constraints *or_none(const struct auth_constraints *c)
{
    static const struct auth_constraints none;
    return c ? c : &none;
}

/* --- signing ------------------------------------------------------------------------------------------------- */

static const char *key_name(const struct crypto_key *key)
{
    switch (key_type(key)) {
    case KEY_RSA: return "RSA";
    case KEY_RSA_PSS: return "RSA-PSS";
    case KEY_ECDSA: return "ECDSA";
    case KEY_ED25519: return "Ed25519";
    case KEY_ED448: return "Ed448";
    case KEY_OTHER: break;
    }
    return "of an unknown type";
}

/* RFC 7427 s3: the peer's list decides between method 14 and the old ones, which then are not to be sent. */
static bool peer_takes(const struct sig_alg *alg, uint32_t peer_hashes)
{
    if (!peer_hashes)
        return alg->auth_method != AUTH_DIGITAL_SIGNATURE;
    return alg->auth_method == AUTH_DIGITAL_SIGNATURE && (peer_hashes & auth_hash_bit(alg->hash));
}

static enum adit_rc no_choice(const struct crypto_key *key, uint32_t peer_hashes, struct adit_why *why)
{
    STRBUF(text, 160);
    for (unsigned bit = 1; bit < 32; bit++)
        if (peer_hashes & (1u << bit))
            strbuf_addf(&text, "%s%s", text.n ? ", " : "", iana_name(IANA_HASH, hash_of_bit(bit)));
    if (!peer_hashes)
        return why_set(why, ADIT_ERR_AUTH,
                       "peer sent no SIGNATURE_HASH_ALGORITHMS, and the older methods do not know "
                       "our key, which is %s with %u bits",
                       key_name(key), key_bits(key));
    return why_set(why, ADIT_ERR_AUTH,
                   "peer accepts signatures with %s only, our key is %s with %u bits, and "
                   "`auth` has to allow what is left",
                   text.n ? text.p : "hashes that we do not know", key_name(key), key_bits(key));
}

const struct sig_alg *auth_sig_choose(const struct crypto_key *key, uint32_t peer_hashes,
                                      const struct auth_constraints *c, struct adit_why *why)
{
    const struct sig_alg *alg, *first = NULL;
    const char *refusal = key_refusal(key, or_none(c));
    if (refusal) {
        why_set(why, ADIT_ERR_AUTH, "cannot sign with our %s key of %u bits: %s", key_name(key),
                key_bits(key), refusal);
        return NULL;
    }
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++) {
        if (!peer_takes(alg, peer_hashes) || !sig_fits(alg, key) || !is_allowed(alg, or_none(c)))
            continue;
        if (first && alg->pss != first->pss)
            break; /* the weaker padding only if the better one fits with no hash */
        if (!first || (!sig_hash_suits(first, key) && sig_hash_suits(alg, key)))
            first = alg;
    }
    if (!first)
        no_choice(key, peer_hashes, why);
    return first;
}

const struct sig_alg *auth_sig_next(const struct crypto_key *key, uint32_t peer_hashes,
                                    const struct auth_constraints *c, size_t *i)
{
    const struct sig_alg *alg;
    if (key_refusal(key, or_none(c)))
        return NULL;
    while ((alg = crypto_sig_at((*i)++)))
        if (peer_takes(alg, peer_hashes) && sig_fits(alg, key) && is_allowed(alg, or_none(c)))
            return alg;
    return NULL;
}

bool auth_sig_allowed(const struct sig_alg *alg, const struct auth_constraints *c)
{
    return type_allowed(alg->key, c) && is_allowed(alg, c);
}

enum adit_rc auth_sig_sign(const struct sig_alg *alg, struct crypto_key *key, struct adit_span octets,
                           struct adit_buf *data)
{
    struct adit_buf sig = { 0 };
    uint8_t algid_n = (uint8_t)alg->algid.n; /* one octet: RFC 7427 s3 */
    enum adit_rc rc = sig_sign(alg, key, octets, &sig);
    if (rc == ADIT_OK)
        rc = buf_resize(data, 0);
    if (rc == ADIT_OK && alg->auth_method == AUTH_DIGITAL_SIGNATURE) {
        rc = buf_append(data, span(&algid_n, 1));
        if (rc == ADIT_OK)
            rc = buf_append(data, alg->algid);
    }
    if (rc == ADIT_OK)
        rc = buf_append(data, buf_span(&sig));
    buf_fini(&sig);
    return rc;
}

/* --- verifying ----------------------------------------------------------------------------------------------- */

struct claim {
    const struct sig_alg *alg;
    struct adit_span algid, sig;
};

/* ASN.1 Length (1) | AlgorithmIdentifier | signature */
static enum adit_rc read_method14(struct adit_span data, uint32_t our_hashes, struct claim *out,
                                  struct adit_why *why)
{
    struct rd in = rd_init(data);
    out->algid = rd_take(&in, rd_u8(&in));
    out->sig = rd_rest(&in);
    if (!rd_ok(&in) || out->algid.n < 2 || out->sig.n == 0)
        return why_set(why, ADIT_ERR_AUTH, "AUTH payload of method 14 is cut short");
    out->alg = crypto_sig_by_algid(out->algid);
    if (!out->alg) {
        STRBUF(hex, 160);
        strbuf_hex(&hex, out->algid);
        return why_set(why, ADIT_ERR_AUTH, "peer signed with an algorithm that we do not know: %s", hex.p);
    }
    if (!(our_hashes & auth_hash_bit(out->alg->hash)))
        return why_set(why, ADIT_ERR_AUTH, "peer signed with %s, which we did not announce", out->alg->name);
    return ADIT_OK;
}

/* Methods 1 and 9-11: the row that fits the key. Method 1 has one for each hash, and only its verification tells which
 * it is: if the constraints forbid any of them, none is accepted. */
static enum adit_rc find_older(uint8_t method, struct adit_span data, const struct crypto_key *key,
                               const struct auth_constraints *c, struct claim *out, struct adit_why *why)
{
    const struct sig_alg *alg;
    *out = (struct claim){ .sig = data };
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++) {
        if (alg->auth_method != method || !sig_fits(alg, key))
            continue;
        if (!out->alg || !is_allowed(alg, c))
            out->alg = alg;
    }
    if (!out->alg)
        return why_set(why, ADIT_ERR_AUTH,
                       "authentication method %s (%u) does not fit the peer's key, which is %s with "
                       "%u bits",
                       iana_name(IANA_AUTH, method), method, key_name(key), key_bits(key));
    return ADIT_OK;
}

static enum adit_rc check(const struct claim *claim, const struct crypto_key *key,
                          const struct auth_constraints *c, struct adit_why *why)
{
    const char *refusal = key_refusal(key, c);
    if (refusal)
        return why_set(why, ADIT_ERR_AUTH, "peer's key is %s with %u bits: %s", key_name(key), key_bits(key),
                       refusal);
    if (!sig_fits(claim->alg, key))
        return why_set(why, ADIT_ERR_AUTH, "peer says %s, but its key is %s with %u bits", claim->alg->name,
                       key_name(key), key_bits(key));
    if (!is_allowed(claim->alg, c))
        return why_set(why, ADIT_ERR_AUTH,
                       "peer signed with %s, which this connection's `auth` does not allow",
                       claim->alg->name);
    return ADIT_OK;
}

enum adit_rc auth_sig_verify(uint8_t method, struct adit_span data, const struct crypto_key *key,
                             uint32_t our_hashes, const struct auth_constraints *c, struct adit_span octets,
                             const struct sig_alg **used, struct adit_why *why)
{
    struct claim claim = { 0 };
    c = or_none(c);
    if (method == AUTH_DIGITAL_SIGNATURE)
        TRY(read_method14(data, our_hashes, &claim, why));
    else
        TRY(find_older(method, data, key, c, &claim, why));
    TRY(check(&claim, key, c, why));
    if (used)
        *used = claim.alg;
    if (sig_verify(claim.alg, key, claim.algid, octets, claim.sig) != ADIT_OK)
        return why_set(why, ADIT_ERR_AUTH, "peer's signature (%s) is wrong", claim.alg->name);
    return ADIT_OK;
}
