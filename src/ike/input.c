/* input.c - a datagram for an SA that exists: window, retransmissions, protection (RFC 7296 s2.1-2.3). Cheap checks
 * first; nothing changes before the ICV is right. */
#include "ike/sa.h"

static void dropped(struct ike_sa *sa, const char *why)
{
    ike_count(sa->ike, sa, ADIT_C_DROPPED);
    sa_log(sa, ADIT_LOG_DEBUG, "NET", "dropped a message: %s", why);
}

static bool is_beside(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span d)
{
    for (unsigned i = 0; i < EXT_COUNT && sa->keyed; i++)
        if (ike_exts[i]->on.beside && ike_exts[i]->on.beside(sa, hdr, d))
            return true;
    return false;
}

/* The peer repeats a request that we have answered: recognised by its very octets, so that no key is needed for it
 * (keys may have changed since, RFC 9242 s3.3). */
static void repeated_request(struct ike_sa *sa, const struct ike_hdr *hdr, const struct adit_path *path, struct adit_span d)
{
    const struct ike_reply *reply = window_reply(sa, hdr->msgid);
    uint8_t digest[16];
    msg_digest(d, digest);
    bool same = reply && span_equal(SPAN_ARRAY(digest), SPAN_ARRAY(reply->digest));
    if (!same && is_beside(sa, hdr, d))
        return;
    if (!same && reply && reply->wire && msg_is_recut(sa, hdr, d))
        same = window_recut(sa, hdr->msgid, digest);
    if (!same) {
        dropped(sa, "old message ID");
        return;
    }
    ike_count(sa->ike, sa, ADIT_C_DUPLICATES);
    flight_send(sa, path, reply->wire);
}

/* A responder's peer authenticates itself by asking; an initiator's has to have done so (if our IKE_AUTH's answer was
 * lost, it will repeat its request). An SA that has ended, also one whose peer was refused, only repeats its last answer:
 * what a peer with the keys, but without proof of who it is, asks for then must not reach any step. */
static bool may_ask(const struct ike_sa *sa)
{
    if (sa->state == SA_DEAD)
        return false;
    return sa_is_established(sa) || (!sa->is_initiator && sa->state < SA_ESTABLISHED);
}

static bool in_window(struct ike_sa *sa, const struct ike_hdr *hdr, const struct adit_path *path, struct adit_span d)
{
    if (hdr->flags & IKE_FLAG_RESPONSE)
        return window_waiting(sa, hdr) != NULL;
    if (window_reply(sa, hdr->msgid)) {
        repeated_request(sa, hdr, path, d);
        return false;
    }
    if (!may_ask(sa)) {
        dropped(sa, "a request of a peer that is not authenticated, or after the end");
        return false;
    }
    return window_takes(sa, hdr->msgid);
}

void sa_heard_on(struct ike_sa *sa, const struct adit_path *path, enum heard_by by)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.moved && ike_exts[i]->on.moved(sa, path, by))
            return;
}

/* Authentic and new: the peer lives, and this is where it is, or, if a later request is here already, where it was. */
static void heard(struct ike_sa *sa, const struct adit_path *path, bool stale)
{
    sa->heard_at = sa->ike->now;
    if (path_equal(path, &sa->path) || stale)
        return;
    if (sa->state < SA_ESTABLISHED && !sa->is_initiator) { /* port float of the initiator, RFC 7296 s2.23 */
        sa_set_path(sa, path);
        return;
    }
    sa_heard_on(sa, path, BY_IKE);
}

static void failed_to_open(struct ike_sa *sa, enum adit_rc rc, const struct ike_hdr *hdr)
{
    if (rc == ADIT_WAIT)
        return;
    ike_count(sa->ike, sa, rc == ADIT_ERR_INTEGRITY ? ADIT_C_INTEGRITY : ADIT_C_DROPPED);
    sa_log(sa, ADIT_LOG_MORE, "ENC", "%s message %u dropped: %s%s", iana_name(IANA_XCHG, hdr->exchange), hdr->msgid,
           adit_rc_name(rc), rc == ADIT_ERR_INTEGRITY ? " (forged, damaged, or the keys differ)" : "");
}

/* Asked for anew: what heard() has brought about may have ended the request. */
static void response(struct ike_sa *sa, const struct ike_hdr *hdr, const struct adit_path *path,
                     const struct raw_msg *raw, struct adit_span d)
{
    struct ike_xchg *x = sa->cut ? NULL : window_waiting(sa, hdr);
    if (x)
        xchg_response(x, hdr, path, raw, d);
}

static void protected_input(struct ike_sa *sa, const struct ike_hdr *hdr, const struct adit_path *path,
                            struct adit_span d)
{
    struct raw_msg raw = { .hdr = *hdr };
    uint8_t digest[16];
    if (!sa->keyed) {
        dropped(sa, "protected message before the keys are agreed");
        return;
    }
    if (hdr->flags & IKE_FLAG_RESPONSE && is_beside(sa, hdr, d))
        return;
    enum adit_rc rc = msg_unprotect(sa, hdr, d, &raw, digest);
    bool answers = hdr->flags & IKE_FLAG_RESPONSE;
    if (rc == ADIT_OK || rc == ADIT_WAIT) /* a fragment is as good: what is reported of them goes there, too */
        heard(sa, path, !answers && window_is_overtaken(sa, hdr->msgid));
    if (rc != ADIT_OK) {
        failed_to_open(sa, rc, hdr);
        return;
    }
    count_message(sa->ike, sa, hdr->exchange, true, answers);
    if (answers)
        response(sa, hdr, path, &raw, d);
    else
        xchg_request(sa, hdr, path, &raw, d, digest);
    if (!sa->cut)
        unproven_update(sa);
}

void sa_input(struct ike_sa *sa, const struct ike_hdr *hdr, const struct adit_path *path, struct adit_span d)
{
    struct raw_msg raw = { .hdr = *hdr, .first = hdr->next, .plain = span_from(d, IKE_HDR_SIZE) };
    if (sa->cut || !in_window(sa, hdr, path, d))
        return;
    if (!opens_sa(hdr->exchange)) {
        protected_input(sa, hdr, path, d);
        return;
    }
    count_message(sa->ike, sa, hdr->exchange, true, true);
    response(sa, hdr, path, &raw, d);
}
