/* negotiate_match.c - one proposal of ours against one of the peer's (RFC 7296 s2.7, s3.3; RFC 9370 s2.2.1; RFC 5282
 * s8). Finds every fault instead of stopping at the first, so that a mismatch can be explained. */
#include "ike/negotiate_match.h"
#include "wire/iana.h"

/* Search for a choice without repetition: our proposals need a handful of steps; a peer's can be made to need millions. */
#define SEARCH_STEPS_MAX 2000

struct pair {
    const struct negotiate_rules *r;
    const struct proposal *mine, *theirs;
    const struct proposal *lead, *trail; /* the same two: lead's order decides */
    struct adit_suite *out;
    unsigned steps;
};

static bool is_extra(uint8_t type)
{
    return type >= TT_ADDKE1 && type <= TT_ADDKE7;
}

static bool usable_encr(const struct negotiate_rules *r, const struct transform *t)
{
    const struct encr_alg *a = crypto_encr(r->crypto, t->id);
    if (!a || (a->esp_only && !r->esp))
        return false;
    return a->kind == ENCR_KIND_NULL ? t->bits == 0 : encr_key_octets(a, t->bits) > 0;
}

/* RFC 9827: a number, not a flag. 2 (RFC 9838) is for SAs that several senders share, so never for a pair's; what is
 * unknown or private is as good as not there. Whoever does not check replays has no window to find the high half by, and
 * should not agree to numbers that need it (RFC 4303 s3.3.3). */
static bool usable_sn(const struct negotiate_rules *r, uint16_t id)
{
    return r->esp && (id == SN_32_BIT || (id == SN_64_BIT_PARTIAL && !r->no_window && !r->no_esn));
}

static bool usable_ke(const struct negotiate_rules *r, uint16_t method, size_t most)
{
    const struct ke_alg *a = crypto_ke(r->crypto, method);
    return a && (!most || (a->init_size <= most && a->resp_size <= most));
}

/* RFC 7296 s3.3.2: the range for private use, the same in every registry of transforms. */
static bool is_private(const struct transform *t)
{
    return t->id >= 1024;
}

static bool is_known(const struct negotiate_rules *r, const struct transform *t)
{
    bool ke = t->type == TT_KE || is_extra(t->type);
    return r->private_ok || (ke && t->id >= r->known_from && t->id <= r->known_to);
}

bool negotiate_usable(const struct negotiate_rules *r, const struct transform *t)
{
    if (t->unusable || (t->bits && t->type != TT_ENCR) || (is_private(t) && !is_known(r, t)))
        return false;
    switch (t->type) {
    case TT_ENCR: return usable_encr(r, t);
    case TT_PRF: return !r->esp && crypto_prf(r->crypto, t->id);
    case TT_INTEG: return t->id == INTEG_NONE || crypto_integ(r->crypto, t->id);
    case TT_KE: return t->id == KE_NONE ? r->esp : usable_ke(r, t->id, r->ke_max);
    case TT_SN: return usable_sn(r, t->id);
    default: break;
    }
    if (!is_extra(t->type))
        return false;
    return t->id == KE_NONE || ((r->extra_types & FAULT(t->type)) && usable_ke(r, t->id, r->ke_more_max));
}

bool negotiate_is_strange(const struct negotiate_rules *r, const struct transform *t)
{
    struct negotiate_rules shared = *r;
    shared.private_ok = true;
    return !negotiate_usable(r, t) && negotiate_usable(&shared, t);
}

bool negotiate_is_long(const struct negotiate_rules *r, const struct transform *t)
{
    struct negotiate_rules roomy = *r;
    roomy.ke_max = roomy.ke_more_max = 0;
    return !negotiate_usable(r, t) && negotiate_usable(&roomy, t);
}

bool negotiate_is_aead(const struct negotiate_rules *r, uint16_t encr)
{
    const struct encr_alg *a = crypto_encr(r->crypto, encr);
    return a && (a->kind == ENCR_KIND_AEAD || a->kind == ENCR_KIND_GMAC);
}

const struct transform *negotiate_first(const struct proposal *p, uint8_t type)
{
    for (uint8_t i = 0; i < p->n; i++)
        if (p->t[i].type == type)
            return &p->t[i];
    return NULL;
}

bool negotiate_has_type(const struct proposal *p, uint8_t type)
{
    return negotiate_first(p, type) != NULL;
}

/* Type 5 is mandatory (RFC 7296 s3.3.3), but old peers leave it out and mean 32 bits. */
uint32_t negotiate_mandatory(const struct negotiate_rules *r, bool ours)
{
    if (r->esp)
        return FAULT(TT_ENCR) | (ours ? FAULT(TT_SN) : 0);
    return FAULT(TT_ENCR) | FAULT(TT_PRF) | FAULT(TT_KE);
}

/* A proposal without the type stands for NONE (RFC 9370 s2.2.1; RFC 7296 s3.3.3 for INTEG and KE), of type 5 for 32 bits. */
static bool holds(const struct proposal *p, const struct transform *t)
{
    bool has_type = false;
    for (uint8_t i = 0; i < p->n; i++) {
        const struct transform *o = &p->t[i];
        if (o->type != t->type)
            continue;
        has_type = true;
        if (o->id == t->id && o->bits == t->bits && !o->unusable)
            return true;
    }
    return !has_type && t->id == 0 && t->bits == 0;
}

/* The next transform of `type`, from position *at of the leading proposal on, that both hold and that is usable. */
static bool next_common(const struct pair *x, uint8_t type, unsigned *at, struct transform *out)
{
    if (!negotiate_has_type(x->lead, type)) {
        *out = (struct transform){ .type = type };
        return (*at)++ == 0 && negotiate_usable(x->r, out) && holds(x->trail, out);
    }
    while (*at < x->lead->n) {
        *out = x->lead->t[(*at)++];
        if (out->type == type && negotiate_usable(x->r, out) && holds(x->trail, out))
            return true;
    }
    return false;
}

/* RFC 5282 s8: no integrity algorithm beside an AEAD; NONE is as good as leaving the type out. */
static bool match_integ(struct pair *x)
{
    struct transform t = { .type = TT_INTEG };
    unsigned at = 0;
    if (negotiate_is_aead(x->r, x->out->encr))
        return holds(x->theirs, &t);
    while (next_common(x, TT_INTEG, &at, &t)) {
        if (t.id == INTEG_NONE)
            continue;
        x->out->integ = t.id;
        return true;
    }
    return false;
}

static uint32_t match_encr(struct pair *x)
{
    struct transform t;
    unsigned at = 0;
    uint32_t fault = FAULT(TT_ENCR);
    while (next_common(x, TT_ENCR, &at, &t)) {
        x->out->encr = t.id;
        x->out->encr_bits = t.bits;
        if (match_integ(x))
            return 0;
        fault = FAULT(TT_INTEG);
    }
    return fault;
}

static uint32_t match_one(const struct pair *x, uint8_t type, uint16_t *id)
{
    struct transform t;
    unsigned at = 0;
    if (!next_common(x, type, &at, &t))
        return FAULT(type);
    *id = t.id;
    return 0;
}

static uint16_t *ke_slot(struct adit_suite *s, uint8_t type)
{
    return &s->ke[type == TT_KE ? 0 : type - TT_ADDKE1 + 1];
}

static bool is_taken(const struct adit_suite *s, uint8_t type, uint16_t id)
{
    for (uint8_t i = 1; i < type - TT_ADDKE1 + 1; i++)
        if (s->ke[i] == id)
            return true;
    return false;
}

/* Chooses types `type`..ADDKE7 so that none but NONE is chosen twice. Without a first key exchange there are no
 * additional ones: their secrets are mixed behind its own (RFC 9370 s2.2.4). */
static bool match_extras(struct pair *x, uint8_t type)
{
    struct transform t;
    unsigned at = 0;
    if (!is_extra(type))
        return true;
    while (x->steps < SEARCH_STEPS_MAX && next_common(x, type, &at, &t)) {
        x->steps++;
        if (t.id != KE_NONE && (x->out->ke[0] == KE_NONE || is_taken(x->out, type, t.id)))
            continue;
        *ke_slot(x->out, type) = t.id;
        if (match_extras(x, type + 1))
            return true;
    }
    *ke_slot(x->out, type) = KE_NONE;
    return false;
}

/* Additional types without anything in common. */
static uint32_t missing_extras(const struct pair *x)
{
    uint32_t faults = 0;
    uint16_t ignored;
    for (uint8_t type = TT_ADDKE1; type <= TT_ADDKE7; type++)
        faults |= match_one(x, type, &ignored);
    return faults;
}

static uint32_t match_kes(struct pair *x)
{
    struct transform t;
    unsigned at = 0;
    if (x->r->no_ke)
        return 0;
    uint32_t missing = missing_extras(x), faults = FAULT(TT_KE) | missing;
    while (next_common(x, TT_KE, &at, &t)) {
        x->out->ke[0] = t.id;
        if (match_extras(x, TT_ADDKE1))
            return 0;
        faults = missing ? missing : FAULT_REPEAT;
    }
    return faults;
}

static bool takes_part(const struct negotiate_rules *r, uint8_t type)
{
    if (type == TT_PRF)
        return !r->esp;
    if (type == TT_SN)
        return r->esp;
    return type == TT_ENCR || type == TT_INTEG || type == TT_KE ||
           (is_extra(type) && (r->extra_types & FAULT(type)));
}

static bool spi_fits(const struct negotiate_rules *r, const struct proposal *p)
{
    static const uint8_t zero[4];
    if (!r->esp)
        return p->spi_n == 0 ||
               p->spi_n == 8; /* 8: a rekeyed IKE SA's; which of them is due, the exchange knows */
    return p->spi_n == 4 && !span_equal(span(p->spi, 4), SPAN_ARRAY(zero));
}

/* RFC 7296 s3.3.6: a proposal that is not wholly understood is skipped. */
static uint32_t faults_of_frame(const struct negotiate_rules *r, const struct proposal *theirs)
{
    uint32_t faults = 0;
    if (theirs->proto != (r->esp ? PROTO_ESP : PROTO_IKE))
        return FAULT_PROTO;
    if (!spi_fits(r, theirs))
        faults |= FAULT_SPI;
    if (theirs->unknown)
        faults |= FAULT_TYPE;
    for (uint8_t i = 0; i < theirs->n; i++)
        if (!takes_part(r, theirs->t[i].type))
            faults |= FAULT_TYPE;
    for (uint8_t type = TT_ENCR; type <= TT_SN; type++)
        if ((negotiate_mandatory(r, false) & FAULT(type)) && !negotiate_has_type(theirs, type))
            faults |= FAULT(type);
    return faults;
}

/* The answer names every type of the offer once, also where NONE was chosen (RFC 7296 s2.7, RFC 9370 s2.2.1). */
static void note_none(const struct proposal *theirs, struct adit_suite *out)
{
    for (uint8_t i = 0; i < theirs->n; i++) {
        const struct transform *t = &theirs->t[i];
        bool chosen = t->type == TT_INTEG                     ? out->integ == INTEG_NONE
                      : t->type == TT_KE || is_extra(t->type) ? *ke_slot(out, t->type) == KE_NONE
                                                              : false;
        if (chosen && t->id == 0 && !t->unusable)
            out->none_types |= (uint16_t)FAULT(t->type);
    }
}

uint32_t negotiate_match(const struct negotiate_rules *r, const struct proposal *mine,
                         const struct proposal *theirs, struct adit_suite *out)
{
    struct pair x = { .r = r,
                      .mine = mine,
                      .theirs = theirs,
                      .lead = r->prefer_peers ? theirs : mine,
                      .trail = r->prefer_peers ? mine : theirs,
                      .out = out };
    *out = (struct adit_suite){ .num = theirs->num };
    uint32_t faults = faults_of_frame(r, theirs);
    if (mine->proto != theirs->proto)
        faults |= FAULT_PROTO;
    faults |= match_encr(&x) | match_kes(&x);
    faults |= r->esp ? match_one(&x, TT_SN, &out->sn) : match_one(&x, TT_PRF, &out->prf);
    out->sn_absent = r->esp && !negotiate_has_type(theirs, TT_SN);
    if (!faults)
        note_none(theirs, out);
    return faults;
}
