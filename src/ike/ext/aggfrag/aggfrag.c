/* aggfrag.c - Child SAs whose packets are a stream of inner packets, aggregated and fragmented (AGGFRAG, RFC 9347): asked
 * for and agreed to by USE_AGGFRAG. Whoever is configured for it takes no plain tunnel instead: what was to be hidden
 * would show. */
#include <stdlib.h>
#include "ike/ext.h"

#define FLAG_NO_FRAGMENTS 0x01       /* s5.1, D: send no fragments to who says this */
#define FLAG_CONGESTION_CONTROL 0x02 /* C: needs to be told of losses */

static bool is_ours(const struct ike_pending *p)
{
    return pending_child(p)->mode == ADIT_MODE_AGGFRAG;
}

static bool option_is(const struct ike_pending *p, const char *key, const char *word)
{
    return span_equal(span_str(pending_option(p, key)), span_str(word));
}

static uint32_t number(const struct ike_pending *p, const char *key, uint32_t most)
{
    uint64_t v = strtoull(pending_option(p, key), NULL, 10);
    return v < most ? (uint32_t)v : most;
}

static void child_put(struct ike_pending *p, struct wr *w)
{
    uint8_t flags = option_is(p, "iptfs_accept_fragments", "yes") ? 0 : FLAG_NO_FRAGMENTS;
    enum adit_mode mode = pending_mode(p);
    if (mode == ADIT_MODE_AGGFRAG)
        notify_put(w, N_USE_AGGFRAG, span(&flags, 1));
}

/* Can we give what the peer's notify asks for? One without data has no flags (libreswan). */
static bool flags_of(const struct ike_msg *msg, uint8_t *flags)
{
    struct notify n;
    if (!msg_notify(msg, N_USE_AGGFRAG, &n) || n.data.n > 1)
        return false;
    *flags = n.data.n ? n.data.p[0] : 0;
    return !(*flags & ~FLAG_NO_FRAGMENTS);
}

/* All octets are in the stream: padding and dummies of other modes have no place beside it. */
static void take_options(struct ike_pending *p, uint8_t flags)
{
    *pending_shape(p) = (struct adit_shape){ .stream = {
        .packet_size = (uint16_t)number(p, "iptfs_packet_size", UINT16_MAX),
        .rate = number(p, "iptfs_rate", 1000000),
        .delay_us = number(p, "iptfs_init_delay", 1000000),
        .queue_octets = number(p, "iptfs_max_queue_size", 1u << 28),
        .reorder_window = number(p, "iptfs_reorder_window", 64),
        .drop_us = number(p, "iptfs_drop_time", 60000000),
        .whole = flags & FLAG_NO_FRAGMENTS,
        .refuse_fragments = option_is(p, "iptfs_accept_fragments", "no"),
    } };
}

/* s5.1: what is not understood whole is not agreed to; who wants nothing else closes the SA. */
static enum adit_rc child_get(struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why)
{
    struct notify n;
    uint8_t flags;
    if (!is_ours(p))
        return ADIT_OK; /* not answered: a plain tunnel, or the peer gives up */
    if (!msg_notify(msg, N_USE_AGGFRAG, &n))
        return why_set(why, ADIT_ERR_POLICY, "mode = iptfs, but the peer %s USE_AGGFRAG",
                       pending_is_requester(p) ? "does not agree to" : "has not sent");
    if (!flags_of(msg, &flags))
        return why_set(why, ADIT_ERR_POLICY, "USE_AGGFRAG of the peer asks for %s",
                       n.data.n == 1 && (n.data.p[0] & FLAG_CONGESTION_CONTROL)
                           ? "congestion control, which Adit does not do"
                           : "what RFC 9347 does not know");
    pending_set_mode(p, ADIT_MODE_AGGFRAG);
    take_options(p, flags);
    return ADIT_OK;
}

#define OPTION(k, t, d, text)                                                                                    \
    { .key = k, .scope = ADIT_OPT_CHILD, .type = t, .deflt = d, .owner = "aggfrag", .doc = text }
static const struct adit_option_def options[] = {
    OPTION("iptfs_packet_size", ADIT_OPT_UINT, "0", "mode iptfs: octets of outer IP packets; 0 = what the path takes"),
    OPTION("iptfs_rate", ADIT_OPT_UINT, "0",
           "mode iptfs: packets to send in a second, always, all of one size; 0 = as there is something to send"),
    OPTION("iptfs_init_delay", ADIT_OPT_UINT, "0",
           "mode iptfs without rate: us that a packet waits for others to fill its payload with"),
    OPTION("iptfs_max_queue_size", ADIT_OPT_UINT, "1048576", "mode iptfs: octets that may wait to be sent"),
    OPTION("iptfs_reorder_window", ADIT_OPT_UINT, "3",
           "mode iptfs: packets that one from the peer may be late by; at most 64"),
    OPTION("iptfs_drop_time", ADIT_OPT_UINT, "1000000", "mode iptfs: us to wait for a missing packet of the peer's"),
    OPTION("iptfs_accept_fragments", ADIT_OPT_BOOL, "yes",
           "mode iptfs: no: ask the peer not to spread a packet over several (flag D)"),
};

const struct ike_ext ext_aggfrag = {
    .id = EXT_aggfrag,
    .name = "aggfrag",
    .spec = "RFC 9347",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .on = { .child_put = child_put, .child_get = child_get },
};
