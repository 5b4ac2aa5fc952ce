/* fake_sa.h - what ike/ext.h promises to an extension, without an engine: an SA is a bag of settings that a test fills in
 * and looks at. Protection is a toy with a true ICV (SHA-256 over everything before it), so that a falsified octet
 * shows. */
#ifndef TESTS_FAKE_SA_H
#define TESTS_FAKE_SA_H

#include "ike/ext.h"
#include "unit.h"

#define FAKE_IV 8
#define FAKE_ICV 16
#define FAKE_DATAGRAMS 256

struct ike_sa {
    bool initiator, established, peer_announced, agreed;
    uint64_t spi_i, spi_r, now, last_sent_at;
    struct adit_path path;
    unsigned path_sets, keepalives, failed, randoms, block; /* block: padding unit; 0 = 1 */
    enum adit_rc failed_with;
    unsigned opened, deleted, children_told, repeated, streams_closed, streams_used; /* exchanges; SAs; CHILD_UPDATEs; requests at once */
    struct adit_addr host[8], forbidden; /* the host's addresses; where the connection does not let the peer be */
    unsigned n_host;
    unsigned window; /* of both sides; 0 = 1 */
    const char *option[8][2]; /* key, value; others are at their defaults */
    size_t message_max; /* 0: 65535 */
    unsigned peer_fragments;
    void *slot[EXT_COUNT];
    const struct ike_ext *ext; /* the one under test */
};
struct ike_xchg { /* as the driver would have it when it calls a step */
    struct ike_sa *sa;
    struct adit_path path;
    bool is_check;
    uint32_t msgid;
    const struct ike_msg *msg;
};
struct ike_wire {
    uint16_t n, made;
    size_t size, used;
    struct adit_span datagrams[FAKE_DATAGRAMS];
    uint8_t bytes[];
};

/* Two ends as in most tests: 192.0.2.1[500] and 198.51.100.2[500]. */
void fake_sa(struct ike_sa *sa, const struct ike_ext *ext);
void fake_set(struct ike_sa *sa, const char *key, const char *value);
void fake_fini(struct ike_sa *sa);

#endif
