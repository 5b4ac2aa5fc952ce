/* memo_octets.c - a memo as octets. Only we ourselves read it, but perhaps another version of us. */
#include "ike/memo.h"

#define MEMO_VERSION 1

static void put8(struct wr *w, struct adit_span s)
{
    wr_u8(w, (uint8_t)s.n);
    wr_span(w, s);
}

static void put16(struct wr *w, struct adit_span s)
{
    wr_u16(w, (uint16_t)s.n);
    wr_span(w, s);
}

void memo_put(struct wr *w, const struct memo *m)
{
    const struct adit_suite *s = &m->suite;
    const uint16_t numbers[] = { s->encr, s->encr_bits, s->prf, s->integ, s->sn, s->none_types };
    wr_u8(w, MEMO_VERSION);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        wr_u16(w, numbers[i]);
    for (size_t i = 0; i < ARRAY_LEN(s->ke); i++)
        wr_u16(w, s->ke[i]);
    wr_u64(w, m->spi_i);
    wr_u64(w, m->spi_r);
    wr_u64(w, m->proven_until);
    put8(w, m->local_auth);
    put8(w, m->remote_auth);
    put8(w, m->sk_d);
    put8(w, m->mark);
    put16(w, m->conn);
    put16(w, m->id_local);
    put16(w, m->id_remote);
    put16(w, m->carried);
}

static void get_suite(struct rd *in, struct adit_suite *s)
{
    uint16_t *const numbers[] = { &s->encr, &s->encr_bits, &s->prf, &s->integ, &s->sn, &s->none_types };
    *s = (struct adit_suite){ .num = 1 };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        *numbers[i] = rd_u16(in);
    for (size_t i = 0; i < ARRAY_LEN(s->ke); i++)
        s->ke[i] = rd_u16(in);
}

bool memo_get(struct rd *in, struct memo *m)
{
    *m = (struct memo){ 0 };
    rd_require(in, rd_u8(in) == MEMO_VERSION, "of another version");
    get_suite(in, &m->suite);
    m->spi_i = rd_u64(in);
    m->spi_r = rd_u64(in);
    m->proven_until = rd_u64(in);
    m->local_auth = rd_take(in, rd_u8(in));
    m->remote_auth = rd_take(in, rd_u8(in));
    m->sk_d = rd_take(in, rd_u8(in));
    m->mark = rd_take(in, rd_u8(in));
    m->conn = rd_take(in, rd_u16(in));
    m->id_local = rd_take(in, rd_u16(in));
    m->id_remote = rd_take(in, rd_u16(in));
    m->carried = rd_take(in, rd_u16(in));
    rd_require(in, m->sk_d.n > 0, "without SK_d");
    rd_require(in, m->mark.n == 0 || m->mark.n == MEMO_MARK, "a mark of another length");
    rd_require(in, m->id_local.n > 4 && m->id_remote.n > 4, "without identities");
    return rd_end(in);
}
