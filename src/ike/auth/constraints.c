/* constraints.c - `auth = pubkey-sha384-...`: which keys and signatures a round of authentication accepts. */
#include "base/strbuf.h"
#include "ike/auth/auth.h"
#include "wire/iana.h"

enum group_kind { GROUP_NONE, GROUP_PUBKEY, GROUP_RSA, GROUP_PSS, GROUP_ECDSA };
/* One group under way: a start word, then sizes, hashes and the schemes that bring their own hash. */
struct group {
    enum group_kind kind;
    unsigned bits;
    uint32_t hashes;
    bool ed25519, ed448;
};
struct parse {
    const char *whole;
    struct auth_constraints chain, ike, *into;
    struct group group;
    struct adit_why *why;
};
static const struct word {
    const char *text;
    enum group_kind kind;
} starts[];
static const struct hash_word {
    const char *text;
    uint16_t hash;
} hashes[];
static const size_t num_starts, num_hashes;

static bool is_word(struct adit_span token, const char *word)
{
    return span_equal(token, span_str(word));
}

static void end_rsa(struct parse *p)
{
    const struct group *g = &p->group;
    struct auth_constraints *c = p->into;
    bool bare = c->rsa && !c->hashes; /* an earlier group took every hash */
    c->pss_only = g->kind == GROUP_PSS && (!c->rsa || c->pss_only);
    c->hashes = bare || !g->hashes ? 0 : c->hashes | g->hashes;
    if (g->bits)
        c->min_bits = g->bits;
    c->rsa = true;
}

static void end_ecdsa(struct parse *p)
{
    const struct group *g = &p->group;
    struct auth_constraints *c = p->into;
    bool bare = c->ecdsa && !c->ec_hashes;
    c->ec_hashes = bare || !g->hashes ? 0 : c->ec_hashes | g->hashes;
    if (g->kind == GROUP_ECDSA && g->bits)
        c->min_ec_bits = g->bits;
    c->ecdsa = true;
}

/* Which keys the group that ends here admits. EdDSA has one hash of its own: naming SHA-2 leaves it out, and naming it
 * alone ("ike:ed25519") leaves the others out. */
static void end_group(struct parse *p)
{
    const struct group *g = &p->group;
    bool only_eddsa = g->kind == GROUP_PUBKEY && !g->hashes && (g->ed25519 || g->ed448);
    bool all = g->kind == GROUP_PUBKEY && !g->hashes && !only_eddsa;
    if (g->kind == GROUP_NONE)
        return;
    if (g->kind != GROUP_ECDSA && !only_eddsa)
        end_rsa(p);
    if ((g->kind == GROUP_PUBKEY || g->kind == GROUP_ECDSA) && !only_eddsa)
        end_ecdsa(p);
    p->into->ed25519 |= all || g->ed25519;
    p->into->ed448 |= all || g->ed448;
    p->group = (struct group){ 0 };
}

static bool read_start(struct parse *p, struct adit_span token)
{
    for (size_t i = 0; i < num_starts; i++) {
        if (!is_word(token, starts[i].text))
            continue;
        end_group(p);
        p->group.kind = starts[i].kind;
        return true;
    }
    return false;
}

static bool read_hash(struct parse *p, struct adit_span token)
{
    for (size_t i = 0; i < num_hashes; i++) {
        if (!is_word(token, hashes[i].text))
            continue;
        p->group.hashes |= auth_hash_bit(hashes[i].hash);
        return true;
    }
    return false;
}

static bool read_number(struct adit_span token, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] < '0' || token.p[i] > '9' || token.n > 5)
            return false;
        *out = *out * 10 + (unsigned)(token.p[i] - '0');
    }
    return token.n > 0;
}

static enum adit_rc bad(struct parse *p, struct adit_span token, const char *reason)
{
    return why_set(p->why, ADIT_ERR_CONFIG, "auth '%.60s': '%.*s' %s", p->whole,
                   token.n > 40 ? 40 : (int)token.n, (const char *)token.p, reason);
}

static enum adit_rc read_token(struct parse *p, struct adit_span token)
{
    unsigned bits;
    if (read_start(p, token))
        return ADIT_OK;
    if (is_word(token, "ed25519") || is_word(token, "ed448")) {
        bool is_448 = is_word(token, "ed448");
        if (p->group.kind == GROUP_NONE) /* "ike:ed25519": a group of its own */
            p->group.kind = GROUP_PUBKEY;
        p->group.ed448 |= is_448;
        p->group.ed25519 |= !is_448;
        return ADIT_OK;
    }
    if (p->group.kind == GROUP_NONE)
        return bad(p, token,
                   "is unknown (pubkey, rsa, rsa/pss or ecdsa, perhaps behind ike:, begin a group)");
    if (p->group.kind == GROUP_RSA || p->group.kind == GROUP_PSS)
        if (is_word(token, "shake128") || is_word(token, "shake256"))
            return bad(p, token, "is for ecdsa: RSA with SHAKE (RFC 8702) is not there");
    if (read_hash(p, token))
        return ADIT_OK;
    if (!read_number(token, &bits))
        return bad(p, token, "is unknown (a key size, sha256, sha384, sha512, sha3_256 .., ed25519, ed448)");
    if (p->group.kind == GROUP_PUBKEY)
        return bad(p, token, "is a key size: it needs rsa or ecdsa before it instead of pubkey");
    p->group.bits = bits;
    return ADIT_OK;
}

/* "ike:" in front of a token: from here on it is about the AUTH signature. */
static enum adit_rc read_prefixed(struct parse *p, struct adit_span token)
{
    if (!is_word(span_first(token, 4), "ike:"))
        return read_token(p, token);
    end_group(p);
    p->into = &p->ike;
    token = span_from(token, 4);
    enum adit_rc rc = read_token(p, token);
    if (rc == ADIT_OK && p->group.kind == GROUP_NONE)
        return bad(p, token, "does not begin a group");
    return rc;
}

static struct adit_span next_token(const char **at)
{
    const char *start = *at, *dash = strchr(start, '-');
    size_t n = dash ? (size_t)(dash - start) : strlen(start);
    *at = dash ? dash + 1 : NULL;
    return span(start, n);
}

static enum adit_rc finish(struct parse *p, struct auth_constraints *out)
{
    bool has_ike = p->into == &p->ike;
    end_group(p);
    *out = has_ike ? p->ike : p->chain;
    out->chain_rsa_bits = p->chain.min_bits;
    /* OpenSSL builds the chain; of our constraints it knows the size of RSA keys only. Better refused than ignored. */
    if (has_ike && (p->chain.hashes || p->chain.ec_hashes || p->chain.min_ec_bits || p->chain.pss_only))
        return why_set(
            p->why, ADIT_ERR_CONFIG,
            "auth '%.60s': of the certificate chain only the size of RSA keys can be constrained; write hashes, "
            "padding and curves behind ike:",
            p->whole);
    return ADIT_OK;
}

enum adit_rc auth_constraints_parse(const char *auth, struct auth_constraints *out, struct adit_why *why)
{
    struct parse p = { .whole = auth, .into = &p.chain, .why = why };
    *out = (struct auth_constraints){ 0 };
    if (!auth || !*auth || !strcmp(auth, "any") || !strcmp(auth, "psk") || !strncmp(auth, "eap", 3))
        return ADIT_OK;
    for (const char *at = auth; at;)
        TRY(read_prefixed(&p, next_token(&at)));
    return finish(&p, out);
}

static const struct word starts[] = {
    { "pubkey", GROUP_PUBKEY },
    { "rsa", GROUP_RSA },
    { "rsa/pss", GROUP_PSS },
    { "ecdsa", GROUP_ECDSA },
};
static const struct hash_word hashes[] = {
    { "sha256", HASH_SHA2_256 },   { "sha384", HASH_SHA2_384 },   { "sha512", HASH_SHA2_512 },
    { "sha2_256", HASH_SHA2_256 }, { "sha2_384", HASH_SHA2_384 }, { "sha2_512", HASH_SHA2_512 },
    { "sha3_256", HASH_SHA3_256 }, { "sha3_384", HASH_SHA3_384 }, { "sha3_512", HASH_SHA3_512 },
    { "shake128", HASH_SHAKE128 }, { "shake256", HASH_SHAKE256 },
};
static const size_t num_starts = ARRAY_LEN(starts), num_hashes = ARRAY_LEN(hashes);
