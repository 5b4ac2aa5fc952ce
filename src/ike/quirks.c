/* quirks.c - known peculiarities of peers, one table. Evidence is a Vendor ID, the connection's `peer = ...`, or what the
 * first message looks like: most peers send no Vendor ID by default. */
#include "ike/quirks.h"
#include "ike/sa.h"

#define SHAPE_MAX 4

static const struct vendor {
    enum peer_kind kind;
    struct adit_span id; /* the Vendor ID begins with it */
} vendors[];
static const struct shape {
    enum peer_kind kind;
    uint16_t notify[SHAPE_MAX]; /* of these four kinds, in the order in which they come */
} shapes[];
static const struct quirk_row rows[];
static const char *const kind_names[PEER_KINDS], *const known_by[PEER_KINDS];
static const size_t num_vendors, num_shapes, num_rows;

/* --- evidence ------------------------------------------------------------------------------------------------- */

static enum peer_kind by_vendor_id(const struct ike_msg *msg, bool *any)
{
    *any = false;
    for (uint16_t i = 0; i < msg->n; i++) {
        if (msg->v[i].type != PLD_VENDOR)
            continue;
        *any = true;
        for (size_t k = 0; k < num_vendors; k++)
            if (span_equal(span_first(msg->v[i].body, vendors[k].id.n), vendors[k].id))
                return vendors[k].kind;
    }
    return PEER_UNKNOWN;
}

static bool tells(uint16_t notify)
{
    return notify == N_NAT_DETECTION_SOURCE_IP || notify == N_NAT_DETECTION_DESTINATION_IP ||
           notify == N_IKEV2_FRAGMENTATION_SUPPORTED || notify == N_SIGNATURE_HASH_ALGORITHMS;
}

/* An implementation writes its notifies always in the same order. */
static enum peer_kind by_shape(const struct ike_msg *msg)
{
    uint16_t seen[SHAPE_MAX] = { 0 }, at = 0;
    struct notify n;
    size_t k = 0;
    while (msg_next_notify(msg, &at, &n)) {
        if (tells(n.type) && k == SHAPE_MAX)
            return PEER_UNKNOWN;
        if (tells(n.type))
            seen[k++] = n.type;
    }
    for (size_t i = 0; i < num_shapes; i++) {
        size_t same = 0;
        while (same < SHAPE_MAX && shapes[i].notify[same] == seen[same])
            same++;
        if (same == SHAPE_MAX)
            return shapes[i].kind;
    }
    return PEER_UNKNOWN;
}

/* A Vendor ID that we do not know is another implementation's: what it looks like says nothing then. */
struct peer_guess peer_look(const struct ike_msg *msg)
{
    bool any;
    enum peer_kind kind = by_vendor_id(msg, &any);
    if (kind != PEER_UNKNOWN)
        return (struct peer_guess){ (uint8_t)kind, EVIDENCE_VENDOR_ID };
    kind = any ? PEER_UNKNOWN : by_shape(msg);
    return (struct peer_guess){ (uint8_t)kind, kind == PEER_UNKNOWN ? EVIDENCE_NONE : EVIDENCE_SHAPE };
}

static struct peer_guess by_name(const char *peer)
{
    for (unsigned kind = PEER_UNKNOWN + 1; peer && kind < PEER_KINDS; kind++)
        if (!strcmp(kind_names[kind], peer))
            return (struct peer_guess){ (uint8_t)kind, EVIDENCE_CONFIGURED };
    return (struct peer_guess){ PEER_UNKNOWN, EVIDENCE_NONE };
}

static struct peer_guess best(const struct ike_sa *sa)
{
    struct peer_guess named = by_name(sa->conn ? sa->conn->cfg->peer : NULL);
    return named.kind != PEER_UNKNOWN ? named : sa->guess;
}

/* --- questions ------------------------------------------------------------------------------------------------ */

bool peer_seems(struct peer_guess g, enum quirk q)
{
    for (size_t i = 0; i < num_rows; i++)
        if (rows[i].flag == q && rows[i].kind == g.kind && g.evidence >= rows[i].least)
            return true;
    return false;
}

bool peer_has(const struct ike_sa *sa, enum quirk q)
{
    return peer_seems(best(sa), q);
}

bool peer_named_has(const char *peer, enum quirk q)
{
    return peer_seems(by_name(peer), q);
}

unsigned sa_peer_fragments(const struct ike_sa *sa)
{
    return peer_has(sa, QUIRK_32_FRAGMENTS) ? 32 : peer_has(sa, QUIRK_255_FRAGMENTS) ? 255 : 0;
}

void peer_status(const struct ike_sa *sa, struct adit_ike_info *out)
{
    struct peer_guess g = best(sa);
    if (g.kind == PEER_UNKNOWN || out->n_marks + 2 > ARRAY_LEN(out->marks))
        return;
    out->marks[out->n_marks++] = (struct adit_option){ "peer-kind", kind_names[g.kind] };
    out->marks[out->n_marks++] = (struct adit_option){ "peer-evidence", peer_evidence_name(g.evidence) };
}

/* --- tables ----------------------------------------------------------------------------------------------------- */

const char *peer_kind_name(enum peer_kind kind)
{
    return kind_names[kind];
}

const char *peer_known_by(enum peer_kind kind)
{
    return known_by[kind];
}

const char *peer_evidence_name(enum peer_evidence evidence)
{
    static const char *const names[] = { "none", "first message", "Vendor ID", "configuration" };
    return names[evidence];
}

const struct quirk_row *quirk_rows(size_t *n)
{
    *n = num_rows;
    return rows;
}

static const char *const kind_names[PEER_KINDS] = {
    [PEER_UNKNOWN] = "unknown", [PEER_STRONGSWAN] = "strongswan", [PEER_LIBRESWAN] = "libreswan",
    [PEER_OPENIKED] = "openiked", [PEER_WINDOWS] = "windows", [PEER_APPLE] = "apple", [PEER_CISCO] = "cisco",
    [PEER_MIKROTIK] = "mikrotik", [PEER_CLOUDFLARE] = "cloudflare",
};

static const struct vendor vendors[] = {
    { PEER_STRONGSWAN, SPAN_LIT("\x88\x2f\xe5\x6d\x6f\xd2\x0d\xbc\x22\x51\x61\x3b\x2e\xbe\x5b\xeb") },
    { PEER_LIBRESWAN, SPAN_LIT("OE-Libreswan-") },
    { PEER_OPENIKED, SPAN_LIT("OpenIKED-") },
    { PEER_WINDOWS, SPAN_LIT("\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61") },
    { PEER_CISCO, SPAN_LIT("CISCO-DELETE-REASON") },
    { PEER_CISCO, SPAN_LIT("FLEXVPN-SUPPORTED") },
    { PEER_CISCO, SPAN_LIT("CISCO(COPYRIGHT)&") },
};
static const size_t num_vendors = ARRAY_LEN(vendors);

/* As captured between namespaces: strongSwan 6.1.0 and libreswan 5.2, both roles, with and without signatures. */
static const struct shape shapes[] = {
    { PEER_STRONGSWAN,
      { N_NAT_DETECTION_SOURCE_IP, N_NAT_DETECTION_DESTINATION_IP, N_IKEV2_FRAGMENTATION_SUPPORTED,
        N_SIGNATURE_HASH_ALGORITHMS } },
    { PEER_LIBRESWAN,
      { N_IKEV2_FRAGMENTATION_SUPPORTED, N_SIGNATURE_HASH_ALGORITHMS, N_NAT_DETECTION_SOURCE_IP,
        N_NAT_DETECTION_DESTINATION_IP } },
    { PEER_LIBRESWAN,
      { N_IKEV2_FRAGMENTATION_SUPPORTED, N_NAT_DETECTION_SOURCE_IP, N_NAT_DETECTION_DESTINATION_IP, 0 } },
};
static const size_t num_shapes = ARRAY_LEN(shapes);

static const char *const known_by[PEER_KINDS] = {
    [PEER_STRONGSWAN] = "Vendor ID MD5(\"strongSwan\") (its `send_vendor_id`); order of its notifies",
    [PEER_LIBRESWAN] = "Vendor ID \"OE-Libreswan-VERSION\" (its `send-vendorid`); order of its notifies",
    [PEER_OPENIKED] = "Vendor ID \"OpenIKED-VERSION\" (sent by default)",
    [PEER_WINDOWS] = "Vendor ID \"MS NT5 ISAKMPOAKLEY\"",
    [PEER_CISCO] = "Vendor IDs CISCO-DELETE-REASON, FLEXVPN-SUPPORTED, CISCO(COPYRIGHT)&...",
};

static const struct quirk_row rows[] = {
    { QUIRK_PRF_PLUS_OLD, PEER_STRONGSWAN, EVIDENCE_VENDOR_ID,
      "runs prf+ of a rekeyed IKE SA with the old SA's PRF, where RFC 7296 s2.18 wants the new one; it shows only when a "
      "rekeying changes the PRF",
      "derives the keys as it does", "its source, keymat_v2", "tests/unit/ike/test_keymat.c" },
    { QUIRK_FRODO_NUMBERS, PEER_STRONGSWAN, EVIDENCE_VENDOR_ID,
      "has FrodoKEM, in its branch of that name, by the numbers 1083 to 1088 of the range for private use",
      "takes them for the same methods, though the peer does not know our Vendor ID", "its source, branch frodokem",
      "tests/sim/test_kems.c" },
    { QUIRK_START_AT_4500, PEER_CLOUDFLARE, EVIDENCE_CONFIGURED,
      "does not follow a move from port 500: behind a translator IKE has to begin on port 4500",
      "sends the first message to port 4500", "cloudflare-docs pull request 28519", "tests/sim/test_quirks.c" },
    { QUIRK_NO_ESN, PEER_CLOUDFLARE, EVIDENCE_CONFIGURED, "wants sequence numbers of 32 bits",
      "neither offers nor takes those of 64 bits", "cloudflare-docs pull request 28519", "tests/sim/test_quirks.c" },
    { QUIRK_RESUMED_MESSAGE_ONLY, PEER_LIBRESWAN, EVIDENCE_VENDOR_ID,
      "computes AUTH of a resumed IKE SA over its first message alone, without nonce and identity (RFC 5723 s4.3.3 has the "
      "octets of RFC 7296 s2.15)",
      "does so, too", "wire and source, libreswan 5.2", "tests/sim/test_quirks.c" },
    { QUIRK_32_FRAGMENTS, PEER_LIBRESWAN, EVIDENCE_SHAPE,
      "takes 32 fragments of a message (MAX_IKE_FRAGMENTS), and drops all of them when the total changes",
      "cuts into no more than that, larger than `fragment_size` if need be", "its source, libreswan 5.2",
      "tests/unit/ext/test_frag.c" },
    { QUIRK_255_FRAGMENTS, PEER_STRONGSWAN, EVIDENCE_SHAPE,
      "takes 255 fragments of a message, and 10,000 octets in all unless its `charon.max_packet` says more",
      "cuts into no more than that, larger than `fragment_size` if need be; raise `charon.max_packet` there for long messages",
      "its source, message.c", "tests/unit/ext/test_frag.c" },
    { 0, PEER_MIKROTIK, EVIDENCE_NONE, "sends CP in CREATE_CHILD_SA requests",
      "reads what the exchange needs and ignores the payload (RFC 7296 appendix C.4 allows it)",
      "hwdsl2/setup-ipsec-vpn issue 676, libreswan issues 293 and 332", "tests/sim/test_quirks.c" },
    { 0, PEER_WINDOWS, EVIDENCE_NONE, "cuts IKE messages at 576 to 626 octets, so that there are more than 16 fragments",
      "takes up to its limit of octets, however many fragments it is", "libreswan pull request 311", "tests/unit/ext/test_frag.c" },
    { 0, PEER_UNKNOWN, EVIDENCE_NONE, "leaves the transform Sequence Numbers out of an ESP proposal",
      "takes that for 32 bits", "RFC 7296 s3.3.3 makes it mandatory; common practice", "tests/unit/ike/test_negotiate_match.c" },
    { 0, PEER_UNKNOWN, EVIDENCE_NONE, "gateways of some carriers cannot take a fragment 1 of 1",
      "cuts only what does not fit; what fits goes out in one SK payload", "VoCat pull request 122 (seen in the field)",
      "tests/unit/ext/test_frag.c" },
    { 0, PEER_LIBRESWAN, EVIDENCE_NONE, "refuses a Child SA with TEMPORARY_FAILURE when its kernel cannot take it",
      "keeps the IKE SA (RFC 7296 s1.3), as it does for every failure of a Child SA alone", "wire, libreswan 5.2",
      "tests/interop/peers.toml" },
    { 0, PEER_LIBRESWAN, EVIDENCE_NONE, "has numbers of its own for RFC 9867 before 5.4 (50208, 50209)",
      "ignores them, and RFC 8784 is used", "its source; wire, libreswan 5.2", "tests/interop/peers.toml" },
    { 0, PEER_OPENIKED, EVIDENCE_NONE, "knows neither AEAD nor HMAC-SHA-2 for ESP on Linux (PF_KEY)",
      "asks for nothing else when AES-CBC with HMAC-SHA-1 is configured", "its issue 97; wire, OpenIKED 7.4",
      "tests/interop/peers.toml" },
};
static const size_t num_rows = ARRAY_LEN(rows);
