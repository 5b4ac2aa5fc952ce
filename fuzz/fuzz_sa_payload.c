/* fuzz_sa_payload.c - proposals: what was read and could have been written by us reads the same again. */
#include "fuzz_wire.h"

/* What a proposal of ours can't have. */
static bool is_foreign(const struct proposal *p)
{
    bool foreign = p->unknown;
    for (uint8_t i = 0; i < p->n; i++)
        foreign |= p->t[i].unusable;
    return foreign;
}

static void must_be_same(const struct proposal *a, const struct proposal *b)
{
    must(a->num == b->num && a->proto == b->proto && a->n == b->n && !b->unknown);
    must(span_equal(span(a->spi, a->spi_n), span(b->spi, b->spi_n)));
    for (uint8_t i = 0; i < a->n; i++) {
        must(a->t[i].type == b->t[i].type && a->t[i].id == b->t[i].id);
        must(a->t[i].bits == b->t[i].bits && !b->t[i].unusable);
    }
}

static void write_again(const struct proposal *p)
{
    static struct proposals again;
    struct wr w;
    begin_message(&w);
    struct wr_mark mark = wr_payload(&w, PLD_SA);
    sa_proposal_put(&w, p, false);
    sa_proposal_put(&w, p, true);
    wr_payload_end(&w, mark);
    struct rd in = rd_init(only_body(&w, PLD_SA));
    must(sa_payload_get(&in, &again) && again.n == 2);
    must_be_same(p, &again.v[0]);
    must_be_same(p, &again.v[1]);
}

/* In no more room than it says to need. */
static void read_tightly(struct adit_span payload)
{
    struct proposals *tight = calloc(1, sa_payload_room(payload));
    struct rd in = rd_init(payload);
    must(tight);
    (void)sa_payload_get(&in, tight);
    free(tight);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct proposals got;
    struct rd in = rd_init(span(data, n));
    read_tightly(span(data, n));
    if (!sa_payload_get(&in, &got)) {
        must(in.fail && in.at <= n);
        return 0;
    }
    must(got.n >= 1 && got.n <= PROPOSALS_MAX);
    for (uint16_t i = 0; i < got.n; i++)
        if (!is_foreign(&got.v[i]))
            write_again(&got.v[i]);
    return 0;
}
