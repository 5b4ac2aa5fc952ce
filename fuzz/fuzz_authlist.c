/* fuzz_authlist.c - lists of SUPPORTED_AUTH_METHODS (RFC 9593) against a count of their length octets.
 * Input: number of CAs of a CERTREQ (1 octet), then the list. */
#include <stdlib.h>
#include "ike/ext/authlist/authlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

/* Announcements of a well-formed list; 0: malformed. */
static unsigned model(struct adit_span list)
{
    unsigned count = 0;
    size_t at = 0;
    while (at < list.n && list.p[at] >= 2 && list.p[at] <= list.n - at) {
        at += list.p[at];
        count++;
    }
    return at == list.n ? count : 0;
}

static void check_each(struct adit_span list, unsigned count)
{
    struct rd in = rd_init(list);
    struct announcement a;
    unsigned seen = 0;
    while (announcement_get(&in, &a)) {
        must(a.linked || (!a.link && !a.algid.n));
        must(!a.algid.n || (a.algid.p >= list.p && a.algid.p + a.algid.n <= list.p + list.n));
        seen++;
    }
    must(!count || (seen == count && rd_ok(&in)));
}

/* No certificate: whatever is linked to a CA is not for us. */
static void check_ranks(struct adit_span list, struct adit_span cas, unsigned count)
{
    struct auth_way psk = { .method = AUTH_SHARED_KEY_MIC };
    const struct sig_alg *alg;
    unsigned rank = authlist_rank(list, cas, &psk);
    must(rank == AUTH_RANK_LAST || rank < count);
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++) {
        struct auth_way way = { .method = alg->auth_method, .alg = alg };
        rank = authlist_rank(list, cas, &way);
        must(rank == AUTH_RANK_LAST || rank < count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t ca[255 * 20];
    if (n < 1)
        return 0;
    struct adit_span list = span(data + 1, n - 1);
    unsigned count = model(list);
    check_each(list, count);
    must(authlist_is_good(list) == (count > 0 && count <= AUTHLIST_MAX && list.n <= AUTHLIST_OCTETS_MAX));
    if (authlist_is_good(list))
        check_ranks(list, span(ca, data[0] * 20u), count);
    return 0;
}
