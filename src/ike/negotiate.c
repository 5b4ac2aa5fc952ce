/* negotiate.c - what we offer, what we choose and what we accept as an answer (RFC 7296 s2.7, s3.3; RFC 9370 s2.2.1).
 * One proposal against another: negotiate_match.c. Mismatches in words: negotiate_words.c. */
#include "ike/limits.h"
#include "ike/negotiate_match.h"
#include "wire/iana.h"

/* --- offering ------------------------------------------------------------------------------------------------ */

static bool is_ke_type(uint8_t type)
{
    return type == TT_KE || type >= TT_ADDKE1;
}

/* Is there an AEAD among its usable ciphers? The configuration never mixes them with others in one proposal. */
static bool offers_aead(const struct proposal *p, const struct negotiate_rules *r)
{
    for (uint8_t i = 0; i < p->n; i++)
        if (p->t[i].type == TT_ENCR && negotiate_usable(r, &p->t[i]) && negotiate_is_aead(r, p->t[i].id))
            return true;
    return false;
}

/* Types that an offer leaves out on purpose: then nothing is missing. */
static bool is_left_out(uint8_t type, bool aead, const struct negotiate_rules *r)
{
    return (r->no_ke && is_ke_type(type)) || (aead && type == TT_INTEG) || (r->esp && type == TT_PRF) ||
           (!r->esp && type == TT_SN);
}

/* An extra type that is switched off may only be dropped if it was optional: NONE stands in the list, or the peer would
 * get a weaker proposal than was configured. */
static bool is_offered(const struct transform *t, const struct negotiate_rules *r)
{
    if (t->type == TT_INTEG && t->id == INTEG_NONE)
        return false;
    if (t->type >= TT_ADDKE1 && !(r->extra_types & FAULT(t->type)))
        return false;
    return negotiate_usable(r, t);
}

static bool is_optional(const struct proposal *p, uint8_t type)
{
    for (uint8_t i = 0; i < p->n; i++)
        if (p->t[i].type == type && p->t[i].id == KE_NONE && type >= TT_ADDKE1)
            return true;
    return false;
}

/* Copies what can be offered; returns the types (FAULT bits) that are missing afterwards. */
static uint32_t filter(const struct proposal *p, const struct negotiate_rules *r, struct proposal *out)
{
    bool aead = offers_aead(p, r);
    uint32_t lost = 0, kept = 0, need = negotiate_mandatory(r, true);
    *out = (struct proposal){ .proto = p->proto };
    for (uint8_t i = 0; i < p->n; i++) {
        const struct transform *t = &p->t[i];
        if (is_left_out(t->type, aead, r))
            continue;
        if (is_offered(t, r)) {
            out->t[out->n++] = *t;
            kept |= FAULT(t->type);
        } else if (!is_optional(p, t->type)) {
            lost |= FAULT(t->type);
        }
    }
    if (!aead)
        need |= FAULT(TT_INTEG);
    if (p->proto != (r->esp ? PROTO_ESP : PROTO_IKE))
        return FAULT_PROTO;
    return (need | lost) & ~kept;
}

static bool same_transforms(const struct proposal *a, const struct proposal *b)
{
    if (a->n != b->n)
        return false;
    for (uint8_t i = 0; i < a->n; i++)
        if (a->t[i].type != b->t[i].type || a->t[i].id != b->t[i].id || a->t[i].bits != b->t[i].bits)
            return false;
    return true;
}

bool negotiate_same(const struct proposal_list *a, const struct proposal_list *b)
{
    if (a->n != b->n)
        return false;
    for (uint16_t i = 0; i < a->n; i++)
        if (!same_transforms(&a->v[i], &b->v[i]))
            return false;
    return true;
}

static bool is_there(const struct proposal_list *list, const struct proposal *p)
{
    for (uint16_t i = 0; i < list->n; i++)
        if (same_transforms(&list->v[i], p))
            return true;
    return false;
}

static const char *why_too_long(const struct negotiate_rules *r, const struct transform *t)
{
    const struct ke_alg *alg = crypto_ke(r->crypto, t->id);
    if (!r->ke_max || t->type != TT_KE || r->esp)
        return " (longer than a message to this peer may be)";
    if (alg->init_size > IKE_KE_INIT_MAX_TCP || alg->resp_size > IKE_KE_INIT_MAX_TCP)
        return " (longer than any IKE_SA_INIT: use it as an additional key exchange, ke1_...)";
    if (r->ke_max < IKE_KE_INIT_MAX)
        return " (longer than init_ke_max allows in IKE_SA_INIT by UDP; there is more room by TCP, ike_transport = tcp)";
    return " (longer than an IKE_SA_INIT by UDP may be; by TCP it is not too long: ike_transport = tcp)";
}

/* "mlkem768" of proposal p's types in `missing`, or the type's name where it holds none at all. */
static void print_missing(struct strbuf *out, const struct proposal *p, uint32_t missing,
                          const struct negotiate_rules *r)
{
    const char *separator = "";
    for (uint8_t type = TT_ENCR; type <= TT_ADDKE7; type++) {
        if (!(missing & FAULT(type)))
            continue;
        const struct transform *t = negotiate_first(p, type);
        const char *word = t ? iana_keyword(t) : NULL;
        strbuf_addf(out, "%s%s", separator, word ? word : iana_name(IANA_TT, type));
        if (!t)
            strbuf_add(out, " (not configured)");
        else if (type >= TT_ADDKE1 && !(r->extra_types & FAULT(type)))
            strbuf_add(out, " (additional key exchanges are off)");
        else if (negotiate_is_strange(r, t))
            strbuf_add(out, " (its number is for private use, and the peer is no Adit)");
        else if (is_ke_type(type) && crypto_ke(r->crypto, t->id))
            strbuf_add(out, why_too_long(r, t));
        separator = ", ";
    }
    if (missing & FAULT_PROTO)
        strbuf_add(out, "another protocol's transforms");
}

static enum adit_rc nothing_left(const struct proposal_list *mine, const struct negotiate_rules *r,
                                 struct adit_why *why)
{
    STRBUF(text, 400);
    struct proposal scratch;
    for (uint16_t i = 0; i < mine->n; i++) {
        strbuf_addf(&text, "%s proposal %u lacks ", i ? ";" : ":", i + 1u);
        print_missing(&text, &mine->v[i], filter(&mine->v[i], r, &scratch), r);
    }
    return why_set(why, ADIT_ERR_PROPOSAL,
                   "no %s proposal can be offered with the libraries of this machine%s",
                   r->esp ? "ESP" : "IKE", mine->n ? text.p : ": none is configured");
}

enum adit_rc negotiate_offer(const struct proposal_list *mine, const struct negotiate_rules *r,
                             struct arena *arena, const struct proposal_list **out, struct adit_why *why)
{
    struct proposal_list *list = proposal_list_new(arena, mine->n);
    if (!list)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    list->n = 0;
    for (uint16_t i = 0; i < mine->n; i++) {
        struct proposal *p = &list->v[list->n];
        if (filter(&mine->v[i], r, p) || is_there(list, p))
            continue;
        p->num = (uint8_t)++list->n;
    }
    *out = list;
    return list->n ? ADIT_OK : nothing_left(mine, r, why);
}

static void set_spi(struct proposal *p, struct adit_span spi)
{
    spi = span_first(spi, sizeof(p->spi));
    span_copy(p->spi, spi);
    p->spi_n = (uint8_t)spi.n;
}

void negotiate_put(struct wr *w, const struct proposal_list *offer, struct adit_span spi)
{
    struct wr_mark mark = wr_payload(w, PLD_SA);
    for (uint16_t i = 0; i < offer->n; i++) {
        struct proposal p = offer->v[i];
        p.num = (uint8_t)(i + 1);
        set_spi(&p, spi);
        sa_proposal_put(w, &p, i + 1 == offer->n);
    }
    wr_payload_end(w, mark);
}

/* --- choosing ------------------------------------------------------------------------------------------------ */

/* RFC 7296 s3.3.1: the first one is number 1, each further one counts up. */
static enum adit_rc check_numbers(const struct proposals *offer, struct adit_why *why)
{
    for (uint16_t i = 0; i < offer->n; i++)
        if (offer->v[i].num != i + 1)
            return why_set(why, ADIT_ERR_MALFORMED, "proposal %u of the peer's offer has number %u", i + 1u,
                           offer->v[i].num);
    return ADIT_OK;
}

enum adit_rc negotiate_choose(const struct proposals *offer, const struct proposal_list *mine,
                              const struct negotiate_rules *r, struct adit_suite *out, struct adit_span *spi,
                              struct adit_why *why)
{
    TRY(check_numbers(offer, why));
    size_t n_outer = r->prefer_peers ? offer->n : mine->n, n_inner = r->prefer_peers ? mine->n : offer->n;
    for (size_t i = 0; i < n_outer; i++) {
        for (size_t j = 0; j < n_inner; j++) {
            const struct proposal *theirs = &offer->v[r->prefer_peers ? i : j];
            if (negotiate_match(r, &mine->v[r->prefer_peers ? j : i], theirs, out))
                continue;
            *spi = span(theirs->spi, theirs->spi_n);
            return ADIT_OK;
        }
    }
    *out = (struct adit_suite){ 0 };
    return negotiate_explain(offer, mine, r, why);
}

void negotiate_answer(struct wr *w, const struct adit_suite *s, uint8_t proto, struct adit_span spi)
{
    struct wr_mark mark = wr_payload(w, PLD_SA);
    struct proposal p = { 0 };
    suite_to_proposal(s, proto, &p);
    for (uint8_t type = TT_ENCR; type <= TT_ADDKE7; type++)
        if ((s->none_types & FAULT(type)) && !negotiate_has_type(&p, type))
            p.t[p.n++] = (struct transform){ .type = type };
    p.num = s->num;
    set_spi(&p, spi);
    sa_proposal_put(w, &p, true);
    wr_payload_end(w, mark);
}

/* --- checking the answer ------------------------------------------------------------------------------------- */

/* The word for a transform, known or not. */
static const char *token(const struct transform *t)
{
    const char *word = iana_keyword(t);
    return word ? word : iana_name(iana_of_transform(t->type), t->id);
}

static enum adit_rc check_each(const struct proposal *got, const struct proposal *asked, struct adit_why *why)
{
    uint32_t seen = 0;
    for (uint8_t i = 0; i < got->n; i++) {
        const struct transform *t = &got->t[i];
        bool offered = t->id == 0 && t->bits == 0 && (is_ke_type(t->type) || t->type == TT_INTEG) &&
                       !negotiate_has_type(asked, t->type); /* NONE said aloud, RFC 7296 s3.3.3 */
        for (uint8_t j = 0; j < asked->n && !offered; j++)
            offered = asked->t[j].type == t->type && asked->t[j].id == t->id && asked->t[j].bits == t->bits;
        if (t->unusable || !offered)
            return why_set(why, ADIT_ERR_PROPOSAL,
                           "peer chose %s %s, which proposal %u of our offer does not hold",
                           iana_name(IANA_TT, t->type), token(t), asked->num);
        if (seen & FAULT(t->type))
            return why_set(why, ADIT_ERR_PROPOSAL, "peer chose more than one transform of type %s",
                           iana_name(IANA_TT, t->type));
        seen |= FAULT(t->type);
    }
    return ADIT_OK;
}

static bool offers(const struct proposal *p, uint8_t type, uint16_t id)
{
    for (uint8_t i = 0; i < p->n; i++)
        if (p->t[i].type == type && p->t[i].id == id)
            return true;
    return false;
}

/* What is left out in the answer must have been optional, or stand for something that was offered. */
static enum adit_rc check_missing(const struct proposal *got, const struct proposal *asked,
                                  struct adit_why *why)
{
    for (uint8_t i = 0; i < asked->n; i++) {
        uint8_t type = asked->t[i].type;
        bool optional = is_optional(asked, type) || (type == TT_KE && offers(asked, TT_KE, KE_NONE)) ||
                        (type == TT_SN && offers(asked, TT_SN, SN_32_BIT));
        if (!negotiate_has_type(got, type) && !optional)
            return why_set(why, ADIT_ERR_PROPOSAL,
                           "peer's choice lacks a transform of type %s, offered was %s",
                           iana_name(IANA_TT, type), token(&asked->t[i]));
    }
    return ADIT_OK;
}

/* Every transform was offered: what is left to judge are the rules among them. */
static enum adit_rc check_rules(uint32_t faults, const struct proposal *got, const struct adit_suite *s,
                                struct adit_why *why)
{
    if ((faults & FAULT_REPEAT) && s->ke[0])
        return why_set(why, ADIT_ERR_PROPOSAL,
                       "peer chose one method for two additional key exchanges (RFC 9370 s2.2.1)");
    if (!faults)
        return ADIT_OK;
    STRBUF(text, 300);
    proposal_print(&text, got);
    return why_set(why, ADIT_ERR_PROPOSAL, "peer's choice '%s' is no valid proposal", text.p);
}

enum adit_rc negotiate_check(const struct proposals *answer, const struct proposal_list *offer,
                             const struct negotiate_rules *r, struct adit_suite *out, struct adit_span *spi,
                             struct adit_why *why)
{
    const struct proposal *got = &answer->v[0];
    if (answer->n != 1)
        return why_set(why, ADIT_ERR_PROPOSAL, "peer answered with %u proposals instead of one", answer->n);
    if (got->num < 1 || got->num > offer->n)
        return why_set(why, ADIT_ERR_PROPOSAL, "peer chose proposal %u, offered were %u", got->num, offer->n);
    const struct proposal *asked = &offer->v[got->num - 1];
    if (got->proto != asked->proto || got->unknown)
        return why_set(why, ADIT_ERR_PROPOSAL,
                       "peer's choice holds a protocol or transform type that was not offered");
    TRY(check_each(got, asked, why));
    TRY(check_missing(got, asked, why));
    uint32_t faults = negotiate_match(r, got, got, out);
    TRY(check_rules(faults, got, out, why));
    *spi = span(got->spi, got->spi_n);
    return ADIT_OK;
}

/* --- questions about a list ---------------------------------------------------------------------------------- */

bool negotiate_offers_ke(const struct proposal_list *list, uint16_t method)
{
    for (uint16_t i = 0; i < list->n; i++)
        for (uint8_t j = 0; j < list->v[i].n; j++)
            if (list->v[i].t[j].type == TT_KE && list->v[i].t[j].id == method)
                return true;
    return false;
}

uint16_t negotiate_first_ke(const struct proposal_list *list)
{
    for (uint16_t i = 0; i < list->n; i++)
        for (uint8_t j = 0; j < list->v[i].n; j++)
            if (list->v[i].t[j].type == TT_KE && list->v[i].t[j].id != KE_NONE)
                return list->v[i].t[j].id;
    return KE_NONE;
}
