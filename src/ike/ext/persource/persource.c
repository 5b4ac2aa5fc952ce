/* persource.c - several Child SAs with the same selectors, one for each worker of the data plane that has traffic, beside
 * one that is for all (RFC 9611). Workers then share neither keys nor counters. */
#include "ike/ext.h"

#define SETS 4              /* of which it is remembered that the peer wants no more */
#define BACK_OFF_S 600      /* until it is asked again all the same */

struct full {
    uint32_t like;
    unsigned n; /* as many as there were */
    uint64_t until;
};
struct state {
    struct full full[SETS];
    unsigned next;
};

static bool is(const char *value, const char *word)
{
    return span_equal(span_str(value), span_str(word));
}

static uint64_t number(const char *text)
{
    uint64_t n = 0;
    for (; *text >= '0' && *text <= '9' && n < UINT32_MAX; text++)
        n = n * 10 + (uint64_t)(*text - '0');
    return n;
}

static bool enabled(const struct ike_pending *p)
{
    return !pending_is_rekey(p) && is(pending_option(p, "per_cpu_sas"), "yes");
}

/* --- the set --------------------------------------------------------------------------------------------------------- */

/* How many there are, in all or bound to this resource. */
static unsigned count(const struct ike_sa *sa, uint32_t like, unsigned resource)
{
    struct ike_child_view v;
    unsigned n = 0;
    for (unsigned i = 0; sa_next_like(sa, like, &i, &v);)
        n += v.current && v.shares && (!resource || v.resource == resource);
    return n;
}

/* RFC 9611: the one with the fewest. */
static unsigned least_used(const struct ike_sa *sa, uint32_t like)
{
    unsigned best = 1, fewest = UINT32_MAX;
    for (unsigned r = 1; r <= sa_host_resources(sa); r++) {
        unsigned n = count(sa, like, r);
        if (n < fewest)
            best = r;
        fewest = n < fewest ? n : fewest;
    }
    return best;
}

/* --- negotiation ------------------------------------------------------------------------------------------------------- */

/* The identifier is for the sender's own use: strongSwan's form, the number of the CPU or nothing. */
static void put(struct ike_pending *p, struct wr *w)
{
    uint8_t mem[4];
    struct wr data;
    bool agreed = pending_is_requester(p) || pending_shares(p);
    if (!enabled(p) || !agreed)
        return;
    wr_init(&data, mem, sizeof(mem));
    if (pending_resource(p))
        wr_u32(&data, pending_resource(p) - 1);
    notify_put(w, N_SA_RESOURCE_INFO, wr_written(&data));
}

static enum adit_rc get_response(struct ike_pending *p, bool has, struct adit_why *why)
{
    if (pending_like(p) && !has)
        return why_set(why, ADIT_ERR_QUEUE, "the peer does not know further Child SAs (RFC 9611) any more");
    if (pending_like(p) && !pending_finds_like(p))
        return why_set(why, ADIT_ERR_TS, "the peer made a further Child SA with other selectors or algorithms");
    if (has)
        pending_bind(p, pending_like(p), pending_resource(p));
    return ADIT_OK;
}

static enum adit_rc get_request(struct ike_pending *p, struct adit_why *why)
{
    const struct ike_sa *sa = pending_sa(p);
    uint32_t like = pending_finds_like(p);
    struct ike_child_view v;
    uint64_t most = number(pending_option(p, "per_cpu_max"));
    if (!like || !sa_child_view(sa, like, &v) || !v.shares) {
        pending_bind(p, 0, 0);
        return ADIT_OK;
    }
    if (count(sa, like, 0) >= most)
        return why_set(why, ADIT_ERR_QUEUE, "%u Child SAs with these selectors are enough (per_cpu_max)", count(sa, like, 0));
    pending_bind(p, like, least_used(sa, like));
    return ADIT_OK;
}

static enum adit_rc get(struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why)
{
    struct notify n;
    bool has = msg_notify(msg, N_SA_RESOURCE_INFO, &n);
    if (!enabled(p))
        return ADIT_OK;
    if (pending_is_requester(p))
        return get_response(p, has, why);
    return has ? get_request(p, why) : ADIT_OK;
}

/* --- making more ------------------------------------------------------------------------------------------------------- */

static bool is_full(const struct ike_sa *sa, uint32_t like)
{
    const struct state *s = ext_peek(sa, EXT_persource);
    for (unsigned i = 0; s && i < SETS; i++)
        if (s->full[i].like == like && sa_now(sa) < s->full[i].until && count(sa, like, 0) >= s->full[i].n)
            return true;
    return false;
}

/* It has no more, or cannot do it now: not again until one of them is gone, or after a long time. */
static void refused(struct ike_sa *sa, uint32_t like, enum adit_rc rc)
{
    struct state *s = rc == ADIT_ERR_NOT_FOUND ? NULL : ext_sa(sa, EXT_persource);
    if (!s)
        return;
    s->full[s->next++ % SETS] = (struct full){ like, count(sa, like, 0), sa_now(sa) + BACK_OFF_S * UINT64_C(1000000000) };
    sa_unwant_children(sa, like);
}

static void wants(struct ike_sa *sa, uint32_t like, unsigned resource)
{
    struct ike_child_view v;
    unsigned n = sa_host_resources(sa);
    if (n < 2 || !resource || resource > n || !sa_child_view(sa, like, &v) || !v.current || !v.shares || v.resource)
        return;
    if (!count(sa, like, resource) && !is_full(sa, like))
        sa_want_child(sa, like, resource);
}

static void made(struct ike_sa *sa, uint32_t id)
{
    struct ike_child_view v;
    if (!sa_child_view(sa, id, &v) || !v.shares || v.resource || !v.initiator ||
        !is(sa_child_option(sa, id, "per_cpu_start"), "yes"))
        return;
    for (unsigned r = 1; r <= sa_host_resources(sa); r++)
        wants(sa, id, r);
}

static const struct adit_option_def options[] = {
    { .key = "per_cpu_sas", .scope = ADIT_OPT_CHILD, .type = ADIT_OPT_WORD, .words = "no|yes", .deflt = "no",
      .owner = "persource",
      .doc = "further Child SAs with the same selectors, one for each worker that has traffic, with peers that can" },
    { .key = "per_cpu_start", .scope = ADIT_OPT_CHILD, .type = ADIT_OPT_BOOL, .deflt = "no", .owner = "persource",
      .doc = "make them at once, for all workers, instead of when they have traffic" },
    { .key = "per_cpu_max", .scope = ADIT_OPT_CHILD, .type = ADIT_OPT_UINT, .deflt = "64", .owner = "persource",
      .doc = "Child SAs with the same selectors that the peer may have; at least twice the CPUs of the larger side" },
};

const struct ike_ext ext_persource = {
    .id = EXT_persource,
    .name = "persource",
    .spec = "RFC 9611",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct state),
    .on = { .child_put = put, .child_get = get, .child_made = made, .child_refused = refused, .wants_child = wants },
};
