/* bigpayload.c - payloads longer than 65,535 octets (draft-nir-ipsecme-big-payload): 23 bits of length in the header of
 * inner payloads, for key exchanges whose public values need it. The draft's own header is not known to us: the form is
 * one of ours, for peers that show our Vendor ID. */
#include "ike/ext.h"

#define KE_FIXED (PAYLOAD_HDR_SIZE + 4) /* RFC 7296 s3.4: header, method, RESERVED */
#define MIB ((size_t)1 << 20)
#define MARGIN 4096u /* octets for what else is in the message */

/* Of unfinished messages of all SAs; whatever is configured, one with a payload of the old kind fits. */
static size_t ceiling(const struct ike_sa *sa)
{
    uint64_t mib = sa_option_number(sa, "bigpayload_memory");
    return mib < 1 ? MIB : mib < SIZE_MAX / MIB ? (size_t)mib * MIB : SIZE_MAX;
}

/* What a message with it may have, a quarter more and a margin, has to stay below the ceiling. The whole content of SK has
 * to have a length, too: it is what IntAuth covers (RFC 9242 s3.3.2). */
static size_t most_octets(const struct ike_sa *sa)
{
    size_t by_header = payload_max(PAYLOAD_RESERVED23) - PAYLOAD_HDR_SIZE - KE_FIXED - MARGIN, by_memory = (ceiling(sa) - MARGIN) / 5 * 4;
    return by_header < by_memory ? by_header : by_memory;
}

/* Nothing is announced that no method of the connection needs. */
static bool may_use(struct ike_sa *sa)
{
    bool off = span_equal(span_str(sa_option(sa, "bigpayload")), SPAN_LIT("no"));
    return !off && sa_shares_private(sa) && sa_wants_long_ke(sa);
}

/* SK takes no more than before, so that a long message has to be cut. */
static bool in_force(const struct ike_sa *sa)
{
    return ext_agreed(sa, EXT_bigpayload) && ext_agreed(sa, EXT_frag) && sa_shares_private(sa);
}

static enum payload_format payload_format(struct ike_sa *sa)
{
    return in_force(sa) ? PAYLOAD_RESERVED23 : PAYLOAD_RFC7296;
}

static bool can_all(const struct ike_msg *peer)
{
    struct notify n;
    return msg_notify(peer, N_BIG_PAYLOAD_SUPPORTED, &n) && msg_notify(peer, N_IKEV2_FRAGMENTATION_SUPPORTED, &n);
}

/* An initiator's first request may offer what the peer turns out to be able to. */
static size_t ke_room(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *peer)
{
    bool asked_first = !peer && sa_is_initiator(sa) && !sa_is_keyed(sa);
    bool can = peer ? can_all(peer) : asked_first || in_force(sa);
    return can ? most_octets(sa) : 0;
}

static size_t held_max(struct ike_sa *sa, const char **setting)
{
    *setting = "bigpayload_memory";
    return ceiling(sa);
}

static const struct ike_announce announcements[] = {
    { .notify = N_BIG_PAYLOAD_SUPPORTED, .exchange = XCHG_IKE_SA_INIT, .rule = BOTH_SENT, .in_each_opening = true },
};

static const struct adit_option_def options[] = {
    { .key = "bigpayload",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "auto|no",
      .deflt = "auto",
      .owner = "bigpayload",
      .doc = "payloads longer than 64 KiB, with peers that show Adit's Vendor ID, if a proposal needs them" },
    { .key = "bigpayload_memory",
      .scope = ADIT_OPT_DAEMON,
      .type = ADIT_OPT_UINT,
      .deflt = "256",
      .owner = "bigpayload",
      .doc = "MiB that unfinished messages longer than 64 KiB may take, of all peers together" },
};

const struct ike_ext ext_bigpayload = {
    .id = EXT_bigpayload,
    .name = "bigpayload",
    .spec = "draft-nir-ipsecme-big-payload",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .on = { .may_use = may_use, .payload_format = payload_format, .ke_room = ke_room, .held_max = held_max },
};
