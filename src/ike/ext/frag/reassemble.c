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
    return n <= FRAG_MAX ? (uint16_t)n : 0;
}

size_t frag_cut(size_t whole, uint16_t n, uint16_t i)
{
    size_t longer = whole % n; /* the first ones have one octet more */
    return whole / n * i + (i < longer ? i : longer);
}

/* --- joining ---------------------------------------------------------------------------------------------------- */

bool frag_join_is(const struct frag_join *j, const struct frag_key *key)
{
    return j->total && j->key.msgid == key->msgid && j->key.exchange == key->exchange &&
           j->key.flags == key->flags;
}

bool frag_join_wants(const struct frag_join *j, const struct frag_key *key, struct skf f)
{
    if (f.number == 0 || f.number > f.total || f.total > FRAG_MAX)
        return false;
    if (!frag_join_is(j, key) || f.total > j->total)
        return true; /* another message, or the same one cut smaller: begins anew if it is authentic */
    return f.total == j->total && !j->pieces[f.number - 1].there;
}

void frag_join_forget(struct frag_join *j)
{
    for (uint16_t i = 0; i < j->total; i++)
        buf_wipe(&j->pieces[i].block);
    mem_del(j->pieces);
    j->pieces = NULL;
    j->total = j->have = 0;
    j->octets = j->kept = 0;
    j->head = (struct frag_head){ 0 };
}

static enum adit_rc begin(struct frag_join *j, const struct frag_key *key, uint16_t total)
{
    struct frag_piece *pieces = mem_new_array(total, sizeof(*pieces));
    if (!pieces)
        return ADIT_ERR_MEMORY;
    frag_join_forget(j);
    j->pieces = pieces;
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
        to = span_copy(to, j->pieces[i].plain);
    frag_join_forget(j);
    j->head = head;
    return ADIT_OK;
}

static enum adit_rc make_room(struct frag_join *j, const struct frag_key *key, struct skf f,
                              struct adit_span plain)
{
    if (!frag_join_is(j, key) || f.total != j->total)
        TRY(begin(j, key, f.total));
    if (plain.n <= FRAG_OCTETS_MAX - j->octets)
        return ADIT_OK;
    frag_join_forget(j);
    return ADIT_ERR_LIMIT;
}

/* The last fragment must not be lost for want of memory, or the peer's repetition would find it there already. */
static enum adit_rc complete(struct frag_join *j, struct frag_piece *last)
{
    enum adit_rc rc = join_all(j);
    if (rc == ADIT_OK)
        return rc;
    j->have--;
    j->octets -= last->plain.n;
    j->kept -= last->block.n;
    last->there = false;
    buf_wipe(&last->block);
    return rc;
}

enum adit_rc frag_join_add(struct frag_join *j, const struct frag_key *key, struct skf f,
                           const struct frag_head *head, struct adit_buf *block, struct adit_span plain,
                           uint64_t now)
{
    frag_join_release(j);
    enum adit_rc rc = frag_join_wants(j, key, f) ? make_room(j, key, f, plain) : ADIT_ERR_DROP;
    if (rc != ADIT_OK) {
        buf_wipe(block);
        return rc;
    }
    struct frag_piece *p = &j->pieces[f.number - 1];
    buf_move(&p->block, block);
    p->plain = plain;
    p->there = true;
    j->have++;
    j->octets += plain.n;
    j->kept += p->block.n;
    j->last_at = now;
    if (f.number == 1)
        j->head = *head;
    return j->have == j->total ? complete(j, p) : ADIT_WAIT;
}

size_t frag_join_held(const struct frag_join *j)
{
    return j->total * sizeof(*j->pieces) + j->kept;
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
