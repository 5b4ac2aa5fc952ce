/* names.c - names and configuration keywords of code points, generated from iana.def and keywords.def. */
#include "wire/iana.h"
#include <stdio.h>
#include "adit/model.h"
#include "base/span.h"

#define RING 8
#define TEXT_MAX 48

static const struct iana_row rows[];
static const struct keyword {
    const char *word;
    struct transform t;
} keywords[];
static const size_t num_rows, num_keywords;

#define PRIVATE_USE 1024 /* RFC 7296 s3.3.2 */
static struct {
    uint16_t from, to;
} renumbered[32];
static size_t num_renumbered;

/* The number that iana.def has for one that is in use, or the other way round. */
static uint16_t own_number(uint16_t id)
{
    for (size_t i = 0; i < num_renumbered; i++)
        if (renumbered[i].to == id)
            return renumbered[i].from;
    return id;
}

static uint16_t used_number(uint16_t id)
{
    for (size_t i = 0; i < num_renumbered; i++)
        if (renumbered[i].from == id)
            return renumbered[i].to;
    return id;
}

static bool is_free(uint16_t id)
{
    for (size_t i = 0; i < num_rows; i++)
        if (rows[i].registry == IANA_KE && used_number((uint16_t)rows[i].value) == id)
            return false;
    return true;
}

bool iana_ke_renumber(uint16_t from, uint16_t to)
{
    if (!from && !to) {
        num_renumbered = 0;
        return true;
    }
    if (from < PRIVATE_USE || to < PRIVATE_USE || is_free(from) || !is_free(to) || used_number(from) != from ||
        num_renumbered == ARRAY_LEN(renumbered))
        return false;
    renumbered[num_renumbered].from = from;
    renumbered[num_renumbered++].to = to;
    return true;
}

bool iana_ke_renumbered(size_t i, uint16_t *from, uint16_t *to)
{
    if (i >= num_renumbered)
        return false;
    *from = renumbered[i].from;
    *to = renumbered[i].to;
    return true;
}

/* The next of a few buffers: several names may stand in one call of printf. */
static char *ring_next(void)
{
    static _Thread_local char ring[RING][TEXT_MAX];
    static _Thread_local unsigned at;
    return ring[at++ % RING];
}

const char *iana_name(enum iana_registry r, unsigned value)
{
    unsigned own = r == IANA_KE ? own_number((uint16_t)value) : value;
    for (size_t i = 0; i < num_rows; i++)
        if (rows[i].registry == r && rows[i].value == own)
            return rows[i].name;
    char *text = ring_next();
    snprintf(text, TEXT_MAX, "(%u)", value);
    return text;
}

enum iana_registry iana_of_transform(unsigned transform_type)
{
    switch (transform_type) {
    case TT_ENCR: return IANA_ENCR;
    case TT_PRF: return IANA_PRF;
    case TT_INTEG: return IANA_INTEG;
    case TT_SN: return IANA_SN;
    default: return IANA_KE; /* KE, ADDKE1-7 (RFC 9370 s3.1) */
    }
}

const struct iana_row *iana_rows(size_t *n)
{
    *n = num_rows;
    return rows;
}

static const struct keyword *find_word(struct adit_span word)
{
    for (size_t i = 0; i < num_keywords; i++)
        if (span_equal(span_str(keywords[i].word), word))
            return &keywords[i];
    return NULL;
}

/* "ke1_" ... "ke7_": 1 to 7; 0 = no such prefix. */
static uint8_t round_of(struct adit_span word)
{
    if (word.n < 4 || word.p[0] != 'k' || word.p[1] != 'e' || word.p[3] != '_')
        return 0;
    return word.p[2] >= '1' && word.p[2] <= '7' ? (uint8_t)(word.p[2] - '0') : 0;
}

bool iana_keyword_get(const char *word, size_t n, struct transform *out)
{
    struct adit_span text = span(word, n);
    uint8_t round = round_of(text);
    const struct keyword *k = find_word(round ? span_from(text, 4) : text);
    if (!k || (round && k->t.type != TT_KE))
        return false;
    *out = k->t;
    if (out->type == TT_KE)
        out->id = used_number(out->id);
    if (round)
        out->type = (uint8_t)(TT_ADDKE1 + round - 1);
    return true;
}

const char *iana_keyword(const struct transform *t)
{
    bool additional = t->type >= TT_ADDKE1 && t->type <= TT_ADDKE7;
    uint8_t type = additional ? TT_KE : t->type;
    uint16_t id = type == TT_KE ? own_number(t->id) : t->id;
    const char *word = NULL;
    for (size_t i = 0; i < num_keywords && !word; i++)
        if (keywords[i].t.type == type && keywords[i].t.id == id && keywords[i].t.bits == t->bits)
            word = keywords[i].word;
    if (!word || !additional)
        return word;
    char *text = ring_next();
    snprintf(text, TEXT_MAX, "ke%d_%s", t->type - TT_ADDKE1 + 1, word);
    return text;
}

const char *iana_keyword_at(size_t i)
{
    return i < num_keywords ? keywords[i].word : NULL;
}

/* strongSwan's users know PRFs by this prefix; without it HMAC_SHA2_256 would look like an integrity algorithm. */
#define PREFIX_PRF "PRF_"
#define PREFIX_XCHG
#define PREFIX_PLD
#define PREFIX_PROTO
#define PREFIX_TT
#define PREFIX_ENCR
#define PREFIX_INTEG
#define PREFIX_KE
#define PREFIX_SN
#define PREFIX_ID
#define PREFIX_CERTENC
#define PREFIX_AUTH
#define PREFIX_HASH
#define PREFIX_N
#define PREFIX_TS
#define PREFIX_ATTR
#define PREFIX_CFG "CFG_"
#define PREFIX_CPATTR

static const struct iana_row rows[] = {
#define X(registry, value, name, status, spec)                                                               \
    { IANA_##registry, value, PREFIX_##registry #name, #status[0], spec },
#include "wire/iana.def"
#undef X
};

static const struct keyword keywords[] = {
#define K(word, type, id, bits) { word, { TT_##type, false, id, bits } },
#include "wire/keywords.def"
#undef K
};

static const size_t num_rows = ARRAY_LEN(rows), num_keywords = ARRAY_LEN(keywords);
