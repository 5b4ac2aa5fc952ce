/* test_revoked.c - revocation lists in files and in CERT payloads, at the settings of `revocation`, for either role. */
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include <stdio.h>
#include <string.h>
#include "support/sim.h"
#include "support/simlog.h"

enum { EXCHANGE_AT = 18 };

/* --- somebody who sends a list along --------------------------------------------------------------------------------- */

static const char *beside; /* file of certs/ that A's IKE_AUTH carries in a CERT payload of its own; NULL: none */
static bool added;

static struct ike_sa *newest(struct sim *s, int host)
{
    struct list *all = &((struct ike *)s->host[host].ike)->sas;
    return list_empty(all) ? NULL : list_entry(all->prev, struct ike_sa, link);
}

static void put_list(struct sim *s, struct wr *w)
{
    uint8_t der[1000];
    char path[500];
    snprintf(path, sizeof(path), "%s/%s", SIM_CERTS, beside);
    FILE *f = fopen(path, "rb");
    expect(s, f != NULL, "%s", path);
    size_t n = fread(der, 1, sizeof(der), f);
    fclose(f);
    cert_put(w, PLD_CERT, CERTENC_CRL, span(der, n));
}

/* A's IKE_AUTH request, opened as B will, and sealed anew with one payload more in front. */
static size_t add_list(struct sim *s, int from, uint8_t *d, size_t n)
{
    static uint8_t copy[8192], plain[8192], room[8192];
    struct ike_hdr hdr;
    struct adit_span old;
    struct wr p, w;
    struct rd in = rd_init(span(d, n));
    if (from != A || d[EXCHANGE_AT] != XCHG_IKE_AUTH || !beside || n > sizeof(copy) || !ike_hdr_get(&in, &hdr))
        return n;
    memcpy(copy, d, n);
    expect(s, sa_open(newest(s, B), copy, n, IKE_HDR_SIZE + 4, &old) == ADIT_OK);
    uint8_t first = copy[IKE_HDR_SIZE];
    wr_init(&p, plain, sizeof(plain));
    wr_chain(&p);
    put_list(s, &p);
    plain[1] = first; /* Next Payload of ours: what was the first */
    wr_span(&p, old);
    size_t inner = p.n - 1, body = 4 + inner + sa_seal_overhead(newest(s, A), inner);
    hdr.length = (uint32_t)(IKE_HDR_SIZE + body);
    wr_init(&w, room, sizeof(room));
    ike_hdr_put(&w, &hdr);
    wr_u8(&w, PLD_CERT);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)body);
    expect(s, sa_seal(newest(s, A), &w, 0, span(plain + 1, inner)) == ADIT_OK && w.n == hdr.length);
    memcpy(d, room, w.n);
    added = true;
    return w.n;
}

/* --- what B makes of A's certificate ------------------------------------------------------------------------------- */

struct row {
    const char *what, *crl;
    enum adit_revocation revocation;
    const char *beside, *refused; /* NULL: accepted; what B's log says otherwise */
};
static const struct row rows[] = {
    { "no list", NULL, ADIT_REVOKE_RELAXED, NULL, NULL },
    { "no list, no place to get one", NULL, ADIT_REVOKE_IFURI, NULL, NULL },
    { "no list where one has to be", NULL, ADIT_REVOKE_STRICT, NULL, "unable to get certificate CRL" },
    { "a list without it", "empty.crl", ADIT_REVOKE_STRICT, NULL, NULL },
    { "a list with it", "a-revoked.crl", ADIT_REVOKE_RELAXED, NULL, "certificate revoked" },
    { "a list with it, strictly", "a-revoked.crl", ADIT_REVOKE_STRICT, NULL, "certificate revoked" },
    /* RFC 4945 s3.3.3: lists in IKE are not needed, and are no substitute for the configured ones */
    { "an old list of the peer's", "a-revoked.crl", ADIT_REVOKE_RELAXED, "empty.crl", "certificate revoked" },
    { "a list of the peer's for the missing one", NULL, ADIT_REVOKE_STRICT, "empty.crl", "unable to get certificate CRL" },
    { "a list of the peer's that nobody needs", "empty.crl", ADIT_REVOKE_STRICT, "empty.crl", NULL },
    { "a certificate in the place of a list", "empty.crl", ADIT_REVOKE_STRICT, "ca.pem", NULL },
};

static enum adit_rc attempt(struct sim *s, const struct row *r)
{
    sim_configure_host(s, A, .cert = "listed");
    sim_configure_host(s, B, .cert = "listed", .crl = r->crl, .revocation = r->revocation);
    sim_start(s);
    beside = r->beside;
    added = false;
    s->tamper = add_list;
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    return sim_wait(s, A, cookie, MINUTES(5));
}

static void one_row(struct sim *s, const struct row *r)
{
    enum adit_rc rc = attempt(s, r);
    s->tamper = NULL;
    expect(s, added == (r->beside != NULL));
    expect(s, rc == (r->refused ? ADIT_ERR_AUTH : ADIT_OK), "%s: %s", r->what, adit_rc_name(rc));
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == !r->refused && sim_sas(s, B) == !r->refused, "%s", r->what);
    expect(s, !r->refused || simlog_has(s->log, r->refused), "%s: B does not say: %s", r->what, r->refused);
}

SIM_TEST(the_initiators_certificate)
{
    one_row(s, &rows[s->seed % ARRAY_LEN(rows)]);
}

/* The same list refuses the responder: B, which it does not name, is A's peer here; the names change sides. */
SIM_TEST(the_responders_certificate)
{
    bool revoked = s->seed & 1;
    sim_configure_host(s, A, .cert = "listed");
    sim_configure_host(s, B, .cert = "listed", .crl = revoked ? "a-revoked.crl" : "empty.crl", .revocation = ADIT_REVOKE_STRICT);
    sim_start(s);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    enum adit_rc rc = sim_wait(s, B, cookie, MINUTES(5));
    const char *text = simhost_done(&s->host[B], cookie)->text;
    expect(s, rc == (revoked ? ADIT_ERR_AUTH : ADIT_OK), "%s", adit_rc_name(rc));
    expect(s, !revoked || strstr(text, "certificate revoked"), "%s", text);
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == !revoked && sim_sas(s, B) == !revoked);
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = { SIM_CASE(the_initiators_certificate), SIM_CASE(the_responders_certificate) };
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), ARRAY_LEN(rows));
}
