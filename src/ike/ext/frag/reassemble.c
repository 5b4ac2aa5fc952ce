/* reassemble.c - the arithmetic of cutting, and the joining of one message from fragments in any order (RFC 7383 s2.5,
 * s2.6). Each fragment costs constant time; the last one, one pass over all. */
#include "ike/ext/frag/frag.h"
#include "base/mem.h"
#include "base/why.h"

/* --- cutting ---------------------------------------------------------------------------------------------------- */

size_t frag_room(size_t datagram, frag_overhead_fn *overhead, const void *arg)
{
    size_t n = datagram > FRAG_FIXED ? datagram - FRAG_FIXED : 0;
    while (n && FRAG_FIXED + n + overhead(arg, n) > datagram)
        n--;
    return n;
}

uint16_t frag_count(size_t whole, size_t room)
{
    size_t n = room ? (whole + room - 1) / room : 0;
    return n <= UINT16_MAX ? (uint16_t)n : 0;
}

size_t frag_cut(size_t whole, uint16_t n, uint16_t i)
{
    size_t longer = whole % n; /* the first ones have one octet more */
    return whole / n * i + (i < longer ? i : longer);
}

/* --- joining ---------------------------------------------------------------------------------------------------- */

const struct frag_limit frag_ordinary = { FRAG_MAX, FRAG_OCTETS_MAX };

struct frag_limit frag_limit_of(size_t octets)
{
    size_t total = FRAG_MAX + (octets > FRAG_OCTETS_MAX ? octets / FRAG_SMALL : 0);
    return (struct frag_limit){ total < UINT16_MAX ? (uint16_t)total : UINT16_MAX, octets };
}

bool frag_join_is(const struct frag_join *j, const struct frag_key *key)
{
    return j->total && j->key.msgid == key->msgid && j->key.exchange == key->exchange &&
           j->key.flags == key->flags;
}

static uint8_t bit_of(uint16_t number)
{
    return (uint8_t)(0x80 >> (number - 1) % 8);
}

bool frag_join_has(const struct frag_join *j, uint16_t number)
{
    return j->there[(number - 1) / 8] & bit_of(number);
}

bool frag_join_wants(const struct frag_join *j, const struct frag_key *key, struct skf f,
                     const struct frag_limit *most)
{
    if (f.number == 0 || f.number > f.total || f.total > most->total)
        return false;
    if (!frag_join_is(j, key) || f.total > j->total)
        return true; /* another message, or the same one cut smaller: begins anew if it is authentic */
    return f.total == j->total && !frag_join_has(j, f.number);
}

static void piece_wipe(struct frag_piece *p)
{
    mem_wipe(p->block, p->cap);
    mem_del(p->block);
    *p = (struct frag_piece){ 0 };
}

void frag_join_forget(struct frag_join *j)
{
    for (uint16_t i = 0; i < j->total; i++)
        piece_wipe(&j->pieces[i]);
    mem_del(j->pieces);
    j->pieces = NULL;
    j->there = NULL;
    j->total = j->have = 0;
    j->octets = j->kept = 0;
    j->head = (struct frag_head){ 0 };
}

/* What an allocator takes for it: its own header, and rounded up. Of small pieces that is a part worth counting. */
static size_t block_size(size_t n)
{
    return (n + 8 + 15) & ~(size_t)15;
}

static size_t table_size(uint16_t total)
{
    return total * sizeof(struct frag_piece) + (total + 7u) / 8;
}

static enum adit_rc begin(struct frag_join *j, const struct frag_key *key, uint16_t total)
{
    struct frag_piece *pieces = mem_new(table_size(total));
    if (!pieces)
        return ADIT_ERR_MEMORY;
    frag_join_forget(j);
    j->pieces = pieces;
    j->there = (uint8_t *)(pieces + total);
    j->total = total;
    j->key = *key;
    return ADIT_OK;
}

static enum adit_rc join_all(struct frag_join *j)
{
    struct frag_head head = j->head;
    TRY(buf_reserve(&j->whole, j->octets));
    uint8_t *to = j->whole.p;
    j->whole.n = j->octets;
    for (uint16_t i = 0; i < j->total; i++)
        to = span_copy(to, span(j->pieces[i].block + j->pieces[i].at, j->pieces[i].n));
    frag_join_forget(j);
    j->head = head;
    return ADIT_OK;
}

static enum adit_rc make_room(struct frag_join *j, const struct frag_key *key, struct skf f,
                              struct adit_span plain, size_t most)
{
    if (!frag_join_is(j, key) || f.total != j->total)
        TRY(begin(j, key, f.total));
    if (j->octets <= most && plain.n <= most - j->octets)
        return ADIT_OK;
    frag_join_forget(j);
    return ADIT_ERR_LIMIT;
}

/* The last fragment must not be lost for want of memory, or the peer's repetition would find it there already. */
static enum adit_rc complete(struct frag_join *j, uint16_t last)
{
    struct frag_piece *p = &j->pieces[last - 1];
    enum adit_rc rc = join_all(j);
    if (rc == ADIT_OK)
        return rc;
    j->have--;
    j->octets -= p->n;
    j->kept -= block_size(p->cap);
    j->there[(last - 1) / 8] &= (uint8_t)~bit_of(last);
    piece_wipe(p);
    return rc;
}

/* A datagram has at most 65,535 octets, so has what is in it. */
static void keep(struct frag_join *j, uint16_t number, struct adit_buf *block, struct adit_span plain)
{
    struct frag_piece *p = &j->pieces[number - 1];
    size_t at = plain.n ? (size_t)(plain.p - block->p) : 0;
    *p = (struct frag_piece){ block->p, (uint32_t)block->cap, (uint16_t)at, (uint16_t)plain.n };
    *block = (struct adit_buf){ 0 };
    j->there[(number - 1) / 8] |= bit_of(number);
    j->have++;
    j->octets += plain.n;
    j->kept += block_size(p->cap);
}

enum adit_rc frag_join_add(struct frag_join *j, const struct frag_key *key, struct skf f,
                           const struct frag_head *head, struct adit_buf *block, struct adit_span plain,
                           const struct frag_limit *most, uint64_t now)
{
    frag_join_release(j);
    enum adit_rc rc = frag_join_wants(j, key, f, most) ? make_room(j, key, f, plain, most->octets) : ADIT_ERR_DROP;
    if (rc != ADIT_OK) {
        buf_wipe(block);
        return rc;
    }
    keep(j, f.number, block, plain);
    j->last_at = now;
    if (f.number == 1)
        j->head = *head;
    return j->have == j->total ? complete(j, f.number) : ADIT_WAIT;
}

size_t frag_join_held(const struct frag_join *j)
{
    return (j->total ? block_size(table_size(j->total)) : 0) + j->kept + j->whole.cap;
}

void frag_join_release(struct frag_join *j)
{
    buf_wipe(&j->whole);
}

void frag_join_fini(struct frag_join *j)
{
    frag_join_release(j);
    frag_join_forget(j);
}
