/* sim_hashurl.c - certificates by hash and URL between two hosts with a web (RFC 7296 s3.6): both directions, bundles, the
 * cache, a web that lies, fails, is slow or silent, peers that cannot or may not, floods, bad links, no memory. */
#include <stdio.h>
#include <string.h>
#include "pki/pki.h"
#include "support/sim.h"
#include "wire/iana.h"

#define SITE "http://pki.example/certs/"
#define ALLOWED .daemon_option = { { "cert_uri_allowed", SITE } }
#define SENDS .option = { { "cert_uri_base", SITE } }
#define BUNDLE .option = { { "cert_uri_base", SITE }, { "cert_uri_bundle", "yes" } }
#define ECDSA .cert = "ecdsa"

static unsigned asked;
static bool bundled;

static bool read_cert(struct sim *s, const char *name, struct pki_cert **out)
{
    static uint8_t pem[16384];
    char path[500];
    struct adit_why why;
    snprintf(path, sizeof(path), "%s/%s", SIM_CERTS, name);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(pem, 1, sizeof(pem), f) : 0;
    if (f)
        fclose(f);
    return pki_cert_parse(sim_crypto(s), span(pem, n), out, &why) == ADIT_OK;
}

static bool is_at(struct adit_span page, const char *url)
{
    uint8_t hash[64];
    char name[60] = "";
    crypto_hash(HASH_SHA1, &page, 1, hash);
    for (unsigned i = 0; i < 20; i++)
        snprintf(name + 2 * i, 3, "%02x", hash[i]);
    return !strncmp(url, SITE, sizeof(SITE) - 1) && !strcmp(url + sizeof(SITE) - 1, name);
}

/* Each host's certificate under its hash, alone and as a bundle. */
static enum sim_page site(struct sim *s, int host, const char *url, struct adit_buf *page)
{
    static const char *const files[] = { "a-ecdsa.pem", "b-ecdsa.pem" };
    enum sim_page got = SIM_NO_PAGE;
    asked++;
    for (unsigned i = 0; i < 2 && got != SIM_PAGE; i++) {
        struct pki_cert *cert = NULL;
        struct adit_buf bundle = { 0 };
        if (read_cert(s, files[i], &cert) &&
            pki_bundle_make((const struct pki_cert *const *)&cert, 1, &bundle) == ADIT_OK) {
            bool single = is_at(pki_cert_der(cert), url);
            bundled |= is_at(buf_span(&bundle), url);
            if (single || is_at(buf_span(&bundle), url))
                got = buf_set(page, single ? pki_cert_der(cert) : buf_span(&bundle)) == ADIT_OK ? SIM_PAGE : SIM_NO_PAGE;
        }
        buf_fini(&bundle);
        pki_cert_free(cert);
    }
    return got;
}

static enum sim_page liar(struct sim *s, int host, const char *url, struct adit_buf *page)
{
    asked++;
    return buf_set(page, SPAN_LIT("\x30\x03\x02\x01\x00")) == ADIT_OK ? SIM_PAGE : SIM_NO_PAGE;
}

static enum sim_page broken(struct sim *s, int host, const char *url, struct adit_buf *page)
{
    asked++;
    return SIM_NO_PAGE;
}

static enum sim_page silent(struct sim *s, int host, const char *url, struct adit_buf *page)
{
    asked++;
    return SIM_SILENCE;
}

static void has_web(struct sim *s, sim_web_fn *web)
{
    asked = 0;
    bundled = false;
    s->web = web;
}

static const char *mark(struct sim *s, int host)
{
    static struct adit_ike_info info;
    if (!sim_info(s, host, &info))
        return "none";
    for (unsigned i = 0; i < info.n_marks; i++)
        if (!strcmp(info.marks[i].key, "cert-by-url"))
            return info.marks[i].value;
    return "none";
}

static void comes_up(struct sim *s, const char *a, const char *b, unsigned fetched)
{
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect(s, !strcmp(mark(s, A), a), "A: %s", mark(s, A));
    expect(s, !strcmp(mark(s, B), b), "B: %s", mark(s, B));
    expect(s, asked == fetched, "%u pages were asked for", asked);
}

static void is_refused(struct sim *s)
{
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(5)) != ADIT_OK);
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0);
}

SIM_TEST(both_ways)
{
    has_web(s, site);
    sim_configure(s, ECDSA, SENDS, ALLOWED);
    comes_up(s, "both", "both", 2);
}

SIM_TEST(the_responder_looks_up)
{
    has_web(s, site);
    sim_configure_host(s, A, ECDSA, SENDS);
    sim_configure_host(s, B, ECDSA, ALLOWED);
    comes_up(s, "local", "remote", 1);
}

SIM_TEST(the_initiator_looks_up)
{
    has_web(s, site);
    sim_configure_host(s, A, ECDSA, ALLOWED);
    sim_configure_host(s, B, ECDSA, SENDS);
    comes_up(s, "remote", "local", 1);
}

SIM_TEST(as_a_bundle)
{
    has_web(s, site);
    sim_configure(s, ECDSA, BUNDLE, ALLOWED);
    comes_up(s, "both", "both", 2);
    expect(s, bundled);
}

/* No URL without the peer's notify; no notify without a place to look at. */
SIM_TEST(off_unless_configured)
{
    has_web(s, site);
    sim_configure(s, ECDSA, SENDS);
    comes_up(s, "none", "none", 0);
}

SIM_TEST(a_secret_needs_no_certificate)
{
    has_web(s, site);
    sim_configure(s, SENDS, ALLOWED);
    comes_up(s, "none", "none", 0);
}

SIM_TEST(what_was_got_is_kept)
{
    has_web(s, site);
    sim_configure(s, ECDSA, SENDS, ALLOWED);
    comes_up(s, "both", "both", 2);
    for (int i = 0; i < 3; i++) {
        sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer", .reauth = true);
        sim_run(s, SECONDS(30));
    }
    expect_children(s, 1);
    expect_same_keys(s);
    expect(s, asked == 2, "%u pages were asked for", asked);
    expect(s, !strcmp(mark(s, A), "both"));
}

/* --- what goes wrong ------------------------------------------------------------------------------------------------------ */

SIM_TEST(another_place_is_not_looked_at)
{
    has_web(s, site);
    sim_configure_host(s, A, ECDSA, .option = { { "cert_uri_base", "http://127.0.0.1/certs/" } });
    sim_configure_host(s, B, ECDSA, ALLOWED);
    is_refused(s);
    expect(s, asked == 0, "%u pages were asked for", asked);
}

SIM_TEST(what_does_not_have_its_hash)
{
    has_web(s, liar);
    sim_configure_host(s, A, ECDSA, SENDS);
    sim_configure_host(s, B, ECDSA, ALLOWED);
    is_refused(s);
    expect(s, asked == 1);
}

SIM_TEST(a_page_that_is_not_there)
{
    has_web(s, broken);
    sim_configure_host(s, A, ECDSA, SENDS);
    sim_configure_host(s, B, ECDSA, ALLOWED);
    is_refused(s);
    expect(s, asked == 1);
}

/* Whoever waits for the web does not wait for ever, and holds nothing afterwards. */
SIM_TEST(a_web_that_is_silent)
{
    has_web(s, silent);
    if (s->seed & 1) {
        sim_configure_host(s, A, ECDSA, SENDS);
        sim_configure_host(s, B, ECDSA, ALLOWED);
    } else {
        sim_configure_host(s, A, ECDSA, ALLOWED);
        sim_configure_host(s, B, ECDSA, SENDS);
    }
    is_refused(s);
    expect(s, asked == 1);
}

/* Longer than a first repetition of the request, which is the same request. */
SIM_TEST(a_slow_web)
{
    has_web(s, site);
    s->web_delay_ms = 6000;
    sim_configure(s, ECDSA, SENDS, ALLOWED);
    comes_up(s, "both", "both", 2);
}

SIM_TEST(who_asked_is_gone)
{
    has_web(s, site);
    s->web_delay_ms = 6000;
    sim_configure_host(s, A, ECDSA, ALLOWED);
    sim_configure_host(s, B, ECDSA, SENDS);
    sim_start(s);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, SECONDS(2));
    sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer", .force = true);
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == 0);
}

SIM_TEST(over_a_bad_link)
{
    has_web(s, site);
    s->web_delay_ms = 300;
    sim_configure(s, ECDSA, SENDS, ALLOWED);
    sim_link(s, .delay_ms = 30, .jitter_ms = 50, .loss = 0.2, .dup = 0.2);
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
}

SIM_TEST(memory_runs_out_once)
{
    has_web(s, site);
    sim_configure(s, ECDSA, SENDS, ALLOWED);
    sim_start(s);
    sim_starve(s, 60 + (unsigned)s->seed * 13);
    sim_wait(s, A, sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net"), MINUTES(15));
    sim_starve(s, 0);
    sim_run(s, MINUTES(10));
    for (int host = 0; host < 2; host++)
        if (sim_sas(s, host))
            sim_wait(s, host, sim_command(s, host, ADIT_CMD_TERMINATE, .conn = "peer"), MINUTES(15));
    sim_run(s, MINUTES(5));
    sim_establish(s);
    expect_same_keys(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(both_ways),
    SIM_CASE(the_responder_looks_up),
    SIM_CASE(the_initiator_looks_up),
    SIM_CASE(as_a_bundle),
    SIM_CASE(off_unless_configured),
    SIM_CASE(a_secret_needs_no_certificate),
    SIM_CASE(what_was_got_is_kept),
    SIM_CASE(another_place_is_not_looked_at),
    SIM_CASE(what_does_not_have_its_hash),
    SIM_CASE(a_page_that_is_not_there),
    SIM_CASE(a_web_that_is_silent),
    SIM_CASE(a_slow_web),
    SIM_CASE(who_asked_is_gone),
    SIM_CASE(over_a_bad_link),
    SIM_CASE(memory_runs_out_once),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 8);
}
