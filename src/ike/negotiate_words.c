/* negotiate_words.c - why no proposal fits, for people on both sides: what the peer offered, what we want, the nearest
 * match and the one token to change. Fits in struct adit_why: the lists are cut before the advice is. */
#include "ike/negotiate_match.h"
#include "wire/iana.h"

#define MORE_SIZE 12    /* room for "; and 63 more" */
#define ADVICE_SIZE 280 /* the lists get the rest, at least 100 each */

struct nearest {
    uint16_t mine, theirs; /* indexes */
    uint32_t faults;
};

static unsigned weight(uint32_t faults)
{
    uint32_t whole = FAULT_PROTO | FAULT_TYPE | FAULT_SPI; /* not to be healed by a token */
    unsigned n = (unsigned)__builtin_popcount(faults & ~whole);
    return faults & whole ? n + 16 : n;
}

/* Fewest faults; among equals our first. False: one of the lists is empty. */
static bool find_nearest(const struct proposals *offer, const struct proposal_list *mine,
                         const struct negotiate_rules *r, struct nearest *best)
{
    struct adit_suite scratch;
    bool found = false;
    for (uint16_t m = 0; m < mine->n; m++) {
        for (uint16_t t = 0; t < offer->n; t++) {
            uint32_t faults = negotiate_match(r, &mine->v[m], &offer->v[t], &scratch);
            if (found && weight(faults) >= weight(best->faults))
                continue;
            *best = (struct nearest){ m, t, faults };
            found = true;
        }
    }
    return found;
}

static const char *type_name(uint8_t type)
{
    switch (type) {
    case TT_ENCR: return "encryption";
    case TT_PRF: return "PRF";
    case TT_INTEG: return "integrity";
    case TT_KE: return "key exchange";
    case TT_SN: return "sequence numbers";
    default: return "additional key exchange";
    }
}

static void print_token(struct strbuf *out, const struct transform *t)
{
    const char *word = iana_keyword(t);
    if (word)
        strbuf_add(out, word);
    else if (t->bits)
        strbuf_addf(out, "%s with %u bits", iana_name(iana_of_transform(t->type), t->id), t->bits);
    else
        strbuf_add(out, iana_name(iana_of_transform(t->type), t->id));
}

/* What the other end could add: the first transform of the type; NONE where the proposal is silent. PRF, ciphers and SN
 * know no NONE: false. */
static bool wanted_token(const struct proposal *p, uint8_t type, const struct negotiate_rules *r,
                         bool usable_only, struct transform *out)
{
    for (uint8_t i = 0; i < p->n; i++) {
        *out = p->t[i];
        if (out->type == type && (!usable_only || negotiate_usable(r, out)))
            return true;
    }
    *out = (struct transform){ .type = type };
    return !negotiate_has_type(p, type) && type >= TT_KE && type != TT_SN && !(type == TT_KE && !r->esp);
}

/* "; key exchange: add x25519 here or ecp384 at the peer" */
static void advise_type(struct strbuf *out, uint8_t type, const struct proposal *mine,
                        const struct proposal *theirs, const struct negotiate_rules *r)
{
    struct transform at_peer, here;
    bool may_peer = wanted_token(mine, type, r, true, &at_peer),
         may_here = wanted_token(theirs, type, r, true, &here);
    strbuf_addf(out, "; %s: ", type_name(type));
    if (may_here) {
        strbuf_add(out, "add ");
        print_token(out, &here);
        strbuf_add(out, " here");
    } else if (wanted_token(theirs, type, r, false, &here)) {
        strbuf_add(out, "peer's ");
        print_token(out, &here);
        strbuf_add(out, negotiate_is_strange(r, &here) ? " has a number for private use, and the peer is no Adit"
                        : negotiate_is_long(r, &here)  ? " is longer than a message to this peer may be"
                                                       : " is not available here");
    } else {
        strbuf_add(out, "peer offers none");
    }
    if (may_peer) {
        strbuf_add(out, may_here ? " or " : ", add ");
        print_token(out, &at_peer);
        strbuf_add(out, " at the peer");
    }
}

/* Which transform type is not understood? */
static void advise_unknown(struct strbuf *out, const struct proposal *theirs, const struct negotiate_rules *r)
{
    for (uint8_t i = 0; i < theirs->n; i++) {
        const struct transform *t = &theirs->t[i];
        if (t->type < TT_ADDKE1 || (t->type <= TT_ADDKE7 && (r->extra_types & FAULT(t->type))))
            continue;
        strbuf_add(out, "; it is skipped whole: ");
        if (t->type <= TT_ADDKE7) {
            print_token(out, t);
            strbuf_add(out, " needs INTERMEDIATE_EXCHANGE_SUPPORTED from both sides");
        } else {
            strbuf_addf(out, "transform type %u is unknown", t->type);
        }
        return;
    }
    strbuf_add(out, "; it holds a transform type that does not belong there");
}

static void advise(struct strbuf *out, const struct nearest *best, const struct proposals *offer,
                   const struct proposal_list *mine, const struct negotiate_rules *r)
{
    const struct proposal *m = &mine->v[best->mine], *t = &offer->v[best->theirs];
    strbuf_addf(out, "; nearest are the peer's %u and our %u", best->theirs + 1u, best->mine + 1u);
    if (best->faults & FAULT_PROTO)
        strbuf_addf(out, "; the peer's is for %s", iana_name(IANA_PROTO, t->proto));
    if (best->faults & FAULT_SPI)
        strbuf_addf(out, "; its SPI of %u octets is invalid", t->spi_n);
    if (best->faults & FAULT_TYPE)
        advise_unknown(out, t, r);
    if (best->faults & FAULT_REPEAT)
        strbuf_add(out,
                   "; additional key exchanges: none twice, and none without a first one (RFC 9370 s2.2)");
    if (best->faults & FAULT_PROTO)
        return;
    for (uint8_t type = TT_ENCR; type <= TT_ADDKE7; type++) {
        bool is_skipped = (best->faults & FAULT_TYPE) && type >= TT_ADDKE1 && !(r->extra_types & FAULT(type));
        if ((best->faults & FAULT(type)) && !is_skipped)
            advise_type(out, type, m, t, r);
    }
}

/* "1: aes..., 2: aes...": the nearest first, then the others as far as they fit. */
static void print_list(struct strbuf *out, const struct proposal *v, uint16_t n, uint16_t nearest)
{
    uint16_t printed = 0;
    out->cap -= MORE_SIZE;
    for (uint16_t i = 0; i < n; i++) {
        uint16_t at = i == 0 ? nearest : i <= nearest ? i - 1 : i;
        STRBUF(one, 512);
        if (n > 1)
            strbuf_addf(&one, "%s%u: ", i ? "; " : "", at + 1u);
        proposal_print(&one, &v[at]);
        if (i > 0 && out->n + one.n >= out->cap)
            break;
        strbuf_add(out, one.p);
        printed++;
    }
    out->cap += MORE_SIZE;
    if (printed < n)
        strbuf_addf(out, "; %u more", n - printed);
}

enum adit_rc negotiate_explain(const struct proposals *offer, const struct proposal_list *mine,
                               const struct negotiate_rules *r, struct adit_why *why)
{
    struct nearest best = { 0 };
    STRBUF(advice, ADVICE_SIZE);
    STRBUF(theirs, sizeof(why->text));
    STRBUF(ours, sizeof(why->text));
    if (!why)
        return ADIT_ERR_PROPOSAL;
    if (!find_nearest(offer, mine, r, &best))
        return why_set(why, ADIT_ERR_PROPOSAL, "no proposal fits: %s",
                       mine->n ? "the peer offers none" : "none is configured here");
    advise(&advice, &best, offer, mine, r);
    size_t room = sizeof(why->text) - advice.n - sizeof("peer offers ; we want ");
    theirs.cap = room / 2;
    print_list(&theirs, offer->v, offer->n, best.theirs);
    ours.cap = room - theirs.n;
    print_list(&ours, mine->v, mine->n, best.mine);
    return why_set(why, ADIT_ERR_PROPOSAL, "peer offers %s; we want %s%s", theirs.p, ours.p, advice.p);
}

void negotiate_print(struct strbuf *out, const struct proposal *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            strbuf_add(out, ", ");
        proposal_print(out, &v[i]);
    }
}
