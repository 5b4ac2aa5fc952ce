/* recut.c - a message that does not get through, in smaller pieces (RFC 7383 s2.5.2): opened again with the keys that sealed
 * it, since nobody keeps its text, and cut anew. */
#include "ike/sa.h"

/* Of its first datagram: the piece's text begins behind the generic header, or behind the fragment's numbers, too. */
static size_t text_at(struct adit_span datagram)
{
    return IKE_HDR_SIZE + (datagram.p[16] == PLD_SK ? 4 : 8);
}

static enum adit_rc add_piece(struct ike_sa *sa, struct crypt *opener, struct adit_span datagram, struct adit_buf *text)
{
    struct adit_buf copy = { 0 };
    struct adit_span plain;
    TRY(buf_set(&copy, datagram));
    enum adit_rc rc = sa_open_with(sa, opener, copy.p, copy.n, text_at(datagram), &plain);
    if (rc == ADIT_OK)
        rc = buf_append(text, plain);
    buf_wipe(&copy);
    return rc;
}

static enum adit_rc text_of(struct ike_sa *sa, struct crypt *opener, const struct ike_wire *wire, struct adit_buf *text)
{
    for (unsigned i = 0; i < wire->made; i++)
        TRY(add_piece(sa, opener, wire->datagrams[i], text));
    return ADIT_OK;
}

static enum adit_rc cut(struct ike_sa *sa, const struct ike_wire *old, struct adit_span text, struct ike_wire **out)
{
    struct rd in = rd_init(old->datagrams[0]);
    struct ike_hdr hdr;
    struct ike_wire *fresh = NULL;
    if (!ike_hdr_get(&in, &hdr))
        return ADIT_ERR_BUG;
    hdr.next = PLD_SK;
    TRY(msg_protect(sa, &hdr, old->datagrams[0].p[IKE_HDR_SIZE], text, &fresh));
    if (fresh->made > old->made) {
        *out = fresh;
        return ADIT_OK;
    }
    wire_unref(fresh); /* the total tells the cuts apart: it has to grow */
    return ADIT_ERR_LIMIT;
}

static bool shrink(struct ike_sa *sa, size_t to)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->segmenter && ike_exts[i]->segmenter->shrink && ike_exts[i]->segmenter->shrink(sa, to))
            return true;
    return false;
}

static size_t longest(const struct ike_wire *wire)
{
    size_t n = 0;
    for (unsigned i = 0; i < wire->made; i++)
        n = wire->datagrams[i].n > n ? wire->datagrams[i].n : n;
    return n;
}

static void swap(struct crypt **a, struct crypt **b)
{
    struct crypt *x = *a;
    *a = *b;
    *b = x;
}

static struct ike_wire *anew(struct ike_sa *sa, struct crypt *opener, const struct ike_wire *old)
{
    struct adit_buf text = { 0 };
    struct ike_wire *fresh = NULL;
    if (text_of(sa, opener, old, &text) == ADIT_OK)
        (void)!cut(sa, old, buf_span(&text), &fresh);
    buf_wipe(&text);
    return fresh;
}

/* Our answer may have brought other keys with it (RFC 9370 s2.2.2): it is of those before. */
static struct ike_wire *answer_anew(struct ike_sa *sa, const struct ike_wire *old)
{
    if (!sa->own_before || !sa->sealer_before)
        return NULL;
    swap(&sa->sealer, &sa->sealer_before);
    struct ike_wire *fresh = anew(sa, sa->own_before, old);
    swap(&sa->sealer, &sa->sealer_before);
    return fresh;
}

static struct ike_wire *message_anew(struct ike_sa *sa, const struct ike_wire *old)
{
    struct crypt *opener = NULL;
    struct ike_wire *fresh = sa_new_own_opener(sa, &opener) == ADIT_OK ? anew(sa, opener, old) : NULL;
    crypt_free(opener);
    return fresh;
}

bool msg_recut(struct ike_sa *sa, struct ike_wire **wire, bool answer)
{
    if (sa->path.tcp || !sa->keyed || flight_is_heard(*wire) || !shrink(sa, longest(*wire) - 1))
        return false;
    struct ike_wire *fresh = answer && sa->opener_before ? answer_anew(sa, *wire) : message_anew(sa, *wire);
    if (!fresh)
        return false;
    sa_log(sa, ADIT_LOG_INFO, "NET", "going on with %u smaller datagrams instead of %u", fresh->made, (*wire)->made);
    flight_stop(*wire);
    wire_unref(*wire);
    *wire = fresh;
    return true;
}

/* RFC 7383 s2.6.1. Its first fragment alone counts, as it does for repetitions of the same cut. */
bool msg_is_recut(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span datagram)
{
    struct rd in = rd_init(span_from(datagram, IKE_HDR_SIZE + 4));
    struct adit_buf copy = { 0 };
    struct adit_span plain;
    struct skf f;
    if (hdr->next != PLD_SKF || !skf_get(&in, &f) || f.number != 1 || buf_set(&copy, datagram) != ADIT_OK)
        return false;
    enum adit_rc rc = sa_open_beside(sa, hdr, copy.p, copy.n, IKE_HDR_SIZE + 8, &plain);
    buf_wipe(&copy);
    return rc == ADIT_OK;
}
