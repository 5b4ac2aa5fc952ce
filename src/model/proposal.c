/* proposal.c - proposals from and to text: keywords, presets, and the rules of what may stand together. */
#include "model/model.h"
#include "base/why.h"
#include "wire/iana.h"

#define WORDS_MAX 400 /* keywords offered by "did you mean" */

/* A name for one or more proposals. Those of ESP are NULL where IKE's serve for both. */
static const struct preset {
    const char *name;
    const char *ike[2], *esp[2];
} * find_preset(const char *item);

struct proposal_list *proposal_list_new(struct arena *a, uint16_t n)
{
    struct proposal_list *list = arena_new(a, sizeof(*list) + n * sizeof(list->v[0]));
    if (list)
        list->n = n;
    return list;
}

/* --- one proposal ------------------------------------------------------------------------------------------- */

struct build {
    const char *text; /* the item, for messages */
    uint8_t proto;
    struct proposal all; /* as written, any type */
    struct adit_why *why;
};

static bool is_additional_ke(uint8_t type)
{
    return type >= TT_ADDKE1 && type <= TT_ADDKE7;
}

static bool is_aead(uint16_t encr)
{
    switch (encr) {
    case ENCR_AES_CCM_8:
    case ENCR_AES_CCM_12:
    case ENCR_AES_CCM_16:
    case ENCR_AES_GCM_8:
    case ENCR_AES_GCM_12:
    case ENCR_AES_GCM_16:
    case ENCR_NULL_AES_GMAC:
    case ENCR_CHACHA20_POLY1305:
    case ENCR_AES_CCM_8_IIV:
    case ENCR_AES_GCM_16_IIV:
    case ENCR_CHACHA20_POLY1305_IIV: return true;
    default: return false;
    }
}

/* RFC 8750 s7: the implicit IV is for ESP; RFC 2410, RFC 4543: so are the ciphers that hide nothing. */
static bool is_esp_only(uint16_t encr)
{
    return encr == ENCR_AES_CCM_8_IIV || encr == ENCR_AES_GCM_16_IIV || encr == ENCR_CHACHA20_POLY1305_IIV ||
           encr == ENCR_NULL || encr == ENCR_NULL_AES_GMAC;
}

static bool holds(const struct proposal *p, const struct transform *t)
{
    for (uint8_t i = 0; i < p->n; i++) {
        if (p->t[i].type == t->type && p->t[i].id == t->id && p->t[i].bits == t->bits)
            return true;
    }
    return false;
}

static enum adit_rc add(struct build *b, struct proposal *p, struct transform t)
{
    if (holds(p, &t))
        return ADIT_OK;
    if (p->n == PROPOSAL_TRANSFORMS_MAX)
        return why_set(b->why, ADIT_ERR_CONFIG, "'%s' has more than %d algorithms", b->text,
                       PROPOSAL_TRANSFORMS_MAX);
    p->t[p->n++] = t;
    return ADIT_OK;
}

static unsigned count(const struct proposal *p, uint8_t type)
{
    unsigned n = 0;
    for (uint8_t i = 0; i < p->n; i++)
        n += p->t[i].type == type;
    return n;
}

static enum adit_rc unknown_token(struct build *b, const char *token, size_t n)
{
    const char *words[WORDS_MAX];
    size_t num = 0;
    char word[64];
    if (n >= sizeof(word))
        return why_set(b->why, ADIT_ERR_CONFIG, "'%s': unknown algorithm '%.*s'", b->text, (int)sizeof(word),
                       token);
    *span_copy((uint8_t *)word, span(token, n)) = 0;
    bool is_additional = n > 4 && !strncmp(word, "ke", 2) && word[3] == '_';
    for (const char *w; num < WORDS_MAX && (w = iana_keyword_at(num)) != NULL; num++)
        words[num] = w;
    const char *nearest = word_nearest(is_additional ? word + 4 : word, words, num);
    if (is_additional && nearest &&
        !strcmp(nearest, word + 4)) /* the algorithm is right, its number is not */
        return why_set(b->why, ADIT_ERR_CONFIG, "'%s': '%s': ke1_ to ke7_ are additional key exchanges",
                       b->text, word);
    if (!nearest)
        return why_set(b->why, ADIT_ERR_CONFIG, "'%s': unknown algorithm '%s'", b->text, word);
    return why_set(b->why, ADIT_ERR_CONFIG, "'%s': unknown algorithm '%s'; did you mean '%.*s%s'?", b->text,
                   word, is_additional ? 4 : 0, word, nearest);
}

static enum adit_rc read_tokens(struct build *b, const char *text)
{
    for (const char *at = text;; at++) {
        size_t n = strcspn(at, "-");
        struct transform t;
        if (n == 0)
            return why_set(b->why, ADIT_ERR_CONFIG, "'%s': an algorithm is missing at a '-'", b->text);
        if (!iana_keyword_get(at, n, &t))
            return unknown_token(b, at, n);
        TRY(add(b, &b->all, t));
        at += n;
        if (!*at)
            return ADIT_OK;
    }
}

/* Returns whether the ciphers are AEADs; all must be of one kind (RFC 7296 s3.3). */
static enum adit_rc check_ciphers(struct build *b, bool *aead)
{
    unsigned combined = 0, classic = 0;
    for (uint8_t i = 0; i < b->all.n; i++) {
        const struct transform *t = &b->all.t[i];
        if (t->type != TT_ENCR)
            continue;
        if (b->proto == PROTO_IKE && is_esp_only(t->id))
            return why_set(b->why, ADIT_ERR_CONFIG, "'%s': %s is for ESP only", b->text, iana_keyword(t));
        combined += is_aead(t->id);
        classic += !is_aead(t->id);
    }
    *aead = combined > 0;
    if (combined + classic == 0)
        return why_set(b->why, ADIT_ERR_CONFIG, "'%s' has no encryption algorithm", b->text);
    if (combined && classic)
        return why_set(b->why, ADIT_ERR_CONFIG,
                       "'%s' mixes combined-mode and classic ciphers: write two proposals", b->text);
    if (classic && !count(&b->all, TT_INTEG))
        return why_set(b->why, ADIT_ERR_CONFIG,
                       "'%s' has no integrity algorithm; add sha256, sha384 or sha512", b->text);
    return ADIT_OK;
}

static enum adit_rc check_exchanges(struct build *b)
{
    struct transform none = { .type = TT_KE, .id = KE_NONE };
    unsigned real = count(&b->all, TT_KE) - holds(&b->all, &none);
    if (b->proto == PROTO_IKE && real == 0)
        return why_set(b->why, ADIT_ERR_CONFIG, "'%s' has no key exchange; add x25519, ecp384 ...", b->text);
    for (uint8_t i = 0; i < b->all.n && real == 0; i++) {
        /* RFC 9370 s2.2.2: additional key exchanges follow a first one */
        if (is_additional_ke(b->all.t[i].type) && b->all.t[i].id != KE_NONE)
            return why_set(b->why, ADIT_ERR_CONFIG, "'%s': %s needs a first key exchange (x25519 ...)",
                           b->text, iana_keyword(&b->all.t[i]));
    }
    if (b->proto == PROTO_IKE && count(&b->all, TT_SN))
        return why_set(b->why, ADIT_ERR_CONFIG, "'%s': esn and noesn are for ESP only", b->text);
    return ADIT_OK;
}

static enum adit_rc take(struct build *b, struct proposal *to, uint8_t type)
{
    for (uint8_t i = 0; i < b->all.n; i++) {
        const struct transform *t = &b->all.t[i];
        if (t->type == type && !(type == TT_KE && t->id == KE_NONE && b->proto == PROTO_IKE))
            TRY(add(b, to, *t));
    }
    return ADIT_OK;
}

static uint16_t prf_of_integ(uint16_t integ)
{
    switch (integ) {
    case INTEG_HMAC_MD5_96: return PRF_HMAC_MD5;
    case INTEG_HMAC_SHA1_96: return PRF_HMAC_SHA1;
    case INTEG_AES_XCBC_96: return PRF_AES128_XCBC;
    case INTEG_AES_CMAC_96: return PRF_AES128_CMAC;
    case INTEG_HMAC_SHA2_256_128: return PRF_HMAC_SHA2_256;
    case INTEG_HMAC_SHA2_384_192: return PRF_HMAC_SHA2_384;
    case INTEG_HMAC_SHA2_512_256: return PRF_HMAC_SHA2_512;
    case INTEG_KMAC_128: return PRF_KMAC_128;
    case INTEG_KMAC_256: return PRF_KMAC_256;
    default: return 0;
    }
}

/* IKE's PRFs: as written, else the integrity algorithms' hashes. */
static enum adit_rc take_prfs(struct build *b, struct proposal *to)
{
    TRY(take(b, to, TT_PRF));
    for (uint8_t i = 0; i < b->all.n && !count(&b->all, TT_PRF); i++) {
        const struct transform *t = &b->all.t[i];
        uint16_t prf = t->type == TT_INTEG ? prf_of_integ(t->id) : 0;
        if (prf)
            TRY(add(b, to, (struct transform){ .type = TT_PRF, .id = prf }));
    }
    if (!count(to, TT_PRF))
        return why_set(b->why, ADIT_ERR_CONFIG, "'%s' has no PRF; add prfsha256, prfsha384 or prfsha512",
                       b->text);
    return ADIT_OK;
}

/* The checked proposal, transforms in the order of their types. */
static enum adit_rc finish(struct build *b, bool aead, struct proposal *out)
{
    out->proto = b->proto;
    TRY(take(b, out, TT_ENCR));
    if (b->proto == PROTO_IKE)
        TRY(take_prfs(b, out));
    if (!aead)
        TRY(take(b, out, TT_INTEG));
    TRY(take(b, out, TT_KE));
    if (b->proto != PROTO_IKE) {
        TRY(take(b, out, TT_SN));
        if (!count(out, TT_SN))
            TRY(add(b, out, (struct transform){ .type = TT_SN, .id = SN_32_BIT }));
    }
    for (uint8_t type = TT_ADDKE1; type <= TT_ADDKE7; type++)
        TRY(take(b, out, type));
    return ADIT_OK;
}

static enum adit_rc parse_one(const char *item, uint8_t proto, struct proposal *out, struct adit_why *why)
{
    struct build b = { .text = item, .proto = proto, .why = why };
    bool aead = false;
    TRY(read_tokens(&b, item));
    TRY(check_ciphers(&b, &aead));
    TRY(check_exchanges(&b));
    return finish(&b, aead, out);
}

/* --- lists -------------------------------------------------------------------------------------------------- */

static const char *const *preset_lines(const struct preset *preset, uint8_t proto)
{
    return proto == PROTO_IKE || !preset->esp[0] ? preset->ike : preset->esp;
}

static unsigned item_size(const char *item, uint8_t proto)
{
    const struct preset *preset = find_preset(item);
    return preset && preset_lines(preset, proto)[1] ? 2 : 1;
}

static enum adit_rc append(struct proposal_list *list, const char *text, uint8_t proto, struct adit_why *why)
{
    struct proposal *p = &list->v[list->n];
    TRY(parse_one(text, proto, p, why));
    p->num = (uint8_t)++list->n;
    return ADIT_OK;
}

static enum adit_rc append_item(struct proposal_list *list, const char *item, uint8_t proto,
                                struct adit_why *why)
{
    const struct preset *preset = find_preset(item);
    if (!preset)
        return append(list, item, proto, why);
    const char *const *lines = preset_lines(preset, proto);
    for (size_t i = 0; i < 2 && lines[i]; i++) {
        enum adit_rc rc = append(list, lines[i], proto, why);
        if (rc != ADIT_OK) /* e.g. an algorithm of the preset that this version does not have yet */
            return why_context(why, rc, "preset '%s' is not available in this version", item);
    }
    return ADIT_OK;
}

enum adit_rc proposals_parse(const char *const *items, size_t n, uint8_t proto, struct arena *arena,
                             const struct proposal_list **out, struct adit_why *why)
{
    size_t total = 0;
    for (size_t i = 0; i < n && total <= PROPOSALS_MAX; i++)
        total += item_size(items[i], proto);
    if (total == 0 || total > PROPOSALS_MAX)
        return why_set(why, ADIT_ERR_CONFIG, total ? "more than %d proposals" : "no proposal (at most %d)",
                       PROPOSALS_MAX);
    struct proposal_list *list = proposal_list_new(arena, (uint16_t)total);
    if (!list)
        return why_set(why, ADIT_ERR_MEMORY, "no memory for %zu proposals", total);
    list->n = 0;
    for (size_t i = 0; i < n; i++)
        TRY(append_item(list, items[i], proto, why));
    *out = list;
    return ADIT_OK;
}

/* --- print -------------------------------------------------------------------------------------------------- */

static void print_transform(struct strbuf *out, const struct transform *t, const char *separator)
{
    const char *word = iana_keyword(t);
    strbuf_add(out, separator);
    if (word)
        strbuf_add(out, word);
    else
        strbuf_addf(out, "(%u/%u/%u)", t->type, t->id, t->bits);
}

static bool is_only_noesn(const struct proposal *p)
{
    struct transform noesn = { .type = TT_SN, .id = SN_32_BIT };
    return count(p, TT_SN) == 1 && holds(p, &noesn);
}

void proposal_print(struct strbuf *out, const struct proposal *p)
{
    static const uint8_t order[] = { TT_ENCR,   TT_INTEG,  TT_PRF,    TT_KE,     TT_ADDKE1, TT_ADDKE2,
                                     TT_ADDKE3, TT_ADDKE4, TT_ADDKE5, TT_ADDKE6, TT_ADDKE7, TT_SN };
    const char *separator = "";
    for (size_t o = 0; o < ARRAY_LEN(order); o++) {
        if (order[o] == TT_SN && is_only_noesn(p)) /* what no token means too */
            continue;
        for (uint8_t i = 0; i < p->n; i++) {
            if (p->t[i].type != order[o])
                continue;
            print_transform(out, &p->t[i], separator);
            separator = "-";
        }
    }
}

static void suite_add(struct proposal *p, uint8_t type, uint16_t id, uint16_t bits)
{
    p->t[p->n++] = (struct transform){ .type = type, .id = id, .bits = bits };
}

void suite_to_proposal(const struct adit_suite *s, uint8_t proto, struct proposal *out)
{
    *out = (struct proposal){ .num = s->num, .proto = proto };
    suite_add(out, TT_ENCR, s->encr, s->encr_bits);
    if (s->prf && proto == PROTO_IKE)
        suite_add(out, TT_PRF, s->prf, 0);
    if (s->integ)
        suite_add(out, TT_INTEG, s->integ, 0);
    if (s->ke[0])
        suite_add(out, TT_KE, s->ke[0], 0);
    if (proto != PROTO_IKE && !s->sn_absent)
        suite_add(out, TT_SN, s->sn, 0);
    for (uint8_t i = 1; i < ARRAY_LEN(s->ke); i++) {
        if (s->ke[i])
            suite_add(out, (uint8_t)(TT_ADDKE1 + i - 1), s->ke[i], 0);
    }
}

void suite_print(struct strbuf *out, const struct adit_suite *s)
{
    struct proposal p;
    suite_to_proposal(s, s->prf ? PROTO_IKE : PROTO_ESP, &p);
    proposal_print(out, &p);
}

#define PQ_CIPHERS "aes256gcm16-aes128gcm16-chacha20poly1305-"
#define PQ_CURVES "x25519-ecp384-ecp256"
#define PQ_KEMS "-ke1_mlkem768-ke1_mlkem1024"
#define PQ_PRFS "prfsha384-prfsha512-prfsha256-"

static const struct preset *find_preset(const char *item)
{
    static const struct preset presets[] = {
        { "pq-default",
          { PQ_CIPHERS PQ_PRFS PQ_CURVES PQ_KEMS, PQ_CIPHERS PQ_PRFS PQ_CURVES },
          { PQ_CIPHERS PQ_CURVES PQ_KEMS "-esn-noesn", PQ_CIPHERS PQ_CURVES "-none-esn-noesn" } },
        { "pq-paranoid", { "aes256gcm16-prfsha512-x25519-ke1_mlkem1024-ke2_frodos5" }, { NULL } },
        { "cnsa2", { "aes256gcm16-prfsha384-ecp384-ke1_mlkem1024" }, { NULL } },
        { "cloudflare", { "aes256gcm16-prfsha384-ecp384-ke1_mlkem768-ke1_mlkem1024" }, { NULL } },
        { "apple", { "aes256gcm16-prfsha256-prfsha384-prfsha512-ecp256-ecp384-ecp521-x25519" PQ_KEMS }, { NULL } },
    };
    const char *name = strcmp(item, "default") ? item : "pq-default";
    for (size_t i = 0; i < ARRAY_LEN(presets); i++) {
        if (!strcmp(presets[i].name, name))
            return &presets[i];
    }
    return NULL;
}
