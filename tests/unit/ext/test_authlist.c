/* test_authlist.c - lists of SUPPORTED_AUTH_METHODS (RFC 9593): octets, malformed ones, and what a list says about our ways
 * to authenticate, Cert Links included. */
#include "../ike/core.h"
#include "../ike/policy_pem.h"
#include "ike/ext/authlist/authlist.h"
#include "ike/xchg/auth_own.h"

#define PSK "\2\2"
#define ED25519 "\x0a\x0e\0\x30\5\6\3\x2b\x65\x70"
#define ECDSA384(link) "\x0f\x0e" link "\x30\x0a\6\x08\x2a\x86\x48\xce\x3d\4\3\3"
#define ECDSA256(link) "\x0f\x0e" link "\x30\x0a\6\x08\x2a\x86\x48\xce\x3d\4\3\2"
#define RSA256 "\x12\x0e\0\x30\x0d\6\x09\x2a\x86\x48\x86\xf7\x0d\1\1\x0b\5\0"
#define MLDSA65 "\x10\x0e\0\x30\x0b\6\x09\x60\x86\x48\1\x65\3\4\3\x12"
#define LIST(text) guard_copy((struct adit_span){ (const uint8_t *)(text), sizeof(text) - 1 })

static const struct sig_alg *sig(const char *name)
{
    const struct sig_alg *alg = NULL;
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++)
        if (!strcmp(alg->name, name))
            return alg;
    fail_msg("no signature '%s'", name);
    return NULL;
}

static unsigned count(struct adit_span list)
{
    struct rd in = rd_init(list);
    struct announcement a;
    unsigned n = 0;
    while (announcement_get(&in, &a))
        n++;
    return n;
}

/* --- octets -------------------------------------------------------------------------------------------------------- */

/* A pre-shared key, ML-DSA-65 with any CA, ECDSA with SHA2-384 below the second CA. */
static void a_list_is_read(void **state)
{
    struct rd in = rd_init(LIST(PSK MLDSA65 ECDSA384("\2")));
    struct announcement a;
    assert_true(announcement_get(&in, &a) && a.method == 2 && !a.linked && !a.algid.n);
    assert_true(announcement_get(&in, &a) && a.method == 14 && a.linked && a.link == 0 && a.algid.n == 13);
    assert_true(announcement_get(&in, &a) && a.method == 14 && a.link == 2 && a.algid.n == 12 &&
                a.algid.p[0] == 0x30);
    assert_true(!announcement_get(&in, &a) && rd_ok(&in));
}

static void each_form_is_written(void **state)
{
    static const uint8_t want[] = PSK "\3\1\0" ECDSA384("\0");
    uint8_t mem[64];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    announcement_put(&w, AUTH_SHARED_KEY_MIC, SPAN_NONE);
    announcement_put(&w, AUTH_RSA_SIGNATURE, SPAN_NONE);
    announcement_put(&w, AUTH_DIGITAL_SIGNATURE, sig("ECDSA with SHA2-384")->algid);
    assert_true(wr_ok(&w) && w.n == sizeof(want) - 1);
    assert_memory_equal(mem, want, w.n);
}

static void malformed_lists_are_refused(void **state)
{
    static const struct {
        const char *what;
        size_t n;
        const char *list;
        bool good;
    } rows[] = {
#define ROW(what, list, good) { what, sizeof(list) - 1, list, good }
        ROW("one of each form", PSK "\3\1\0" ED25519, true),
        ROW("nothing", "", false),
        ROW("length 0", "\0\2", false),
        ROW("length 1", "\1\2", false),
        ROW("length 0 behind a good one", PSK "\0\0", false),
        ROW("length alone", "\2", false),
        ROW("one octet short", "\3\1", false),
        ROW("length 255 of 4", "\xff\x0e\0\x30", false),
        ROW("unknown method between known ones",
            PSK "\2\xc8"
                "\5\xc9\0\1\2" PSK,
            true),
        ROW("an octet left over", PSK "\2", false),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].what, authlist_is_good(guard_copy(
                                     span((const uint8_t *)rows[i].list, rows[i].n))) == rows[i].good);
}

static void there_is_a_limit(void **state)
{
    static uint8_t many[2 * 300], large[AUTHLIST_OCTETS_MAX + 255];
    for (size_t i = 0; i < sizeof(many); i++)
        many[i] = 2;
    assert_true(authlist_is_good(span(many, 2 * AUTHLIST_MAX)));
    assert_false(authlist_is_good(span(many, 2 * AUTHLIST_MAX + 2)));
    for (size_t at = 0; at + 255 <= sizeof(large); at += 255)
        large[at] = 255;
    assert_true(authlist_is_good(span(large, 16 * 255)));
    assert_false(authlist_is_good(span(large, 17 * 255)));
    assert_int_equal(count(span(large, 17 * 255)), 17);
}

static void wrong_forms_mean_nothing(void **state)
{
    static const struct {
        const char *what;
        struct announcement a;
        bool known;
    } rows[] = {
        { "secret", { .method = 2 }, true },
        { "secret with a link", { .method = 2, .linked = true }, false },
        { "RSA", { .method = 1, .linked = true }, true },
        { "RSA without a link", { .method = 1 }, false },
        { "ECDSA-256 with an algorithm",
          { .method = 9, .linked = true, .algid = { (const uint8_t *)"x", 1 } },
          false },
        { "signature without an algorithm", { .method = 14, .linked = true }, false },
        { "NULL", { .method = 13 }, false },
        { "a method of the future", { .method = 77, .linked = true }, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].what, announcement_is_known(&rows[i].a) == rows[i].known);
}

/* --- what a list says ------------------------------------------------------------------------------------------------ */

static struct auth_way by(const char *name)
{
    const struct sig_alg *alg = name ? sig(name) : NULL;
    return (struct auth_way){ alg ? alg->auth_method : AUTH_SHARED_KEY_MIC, alg, NULL, NULL };
}

static void a_list_ranks(void **state)
{
    static const struct {
        const char *way;
        unsigned rank;
    } rows[] = {
        { "Ed25519", 2 },
        { "ECDSA with SHA2-256", 3 },
        { "ECDSA with SHA2-384", 3 }, /* the same kind of key */
        { "ECDSA with SHA2-512", AUTH_RANK_LAST },
        { "RSASSA-PKCS1-v1_5 with SHA2-256", 5 },
        { "RSASSA-PSS with SHA2-256", AUTH_RANK_LAST },
        { "RSA with SHA2-256", AUTH_RANK_LAST }, /* method 1 */
        { NULL, 6 },
    };
    struct adit_span list = LIST("\2\xc8" MLDSA65 ED25519 ECDSA384("\0") ECDSA256("\0") RSA256 PSK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct auth_way way = by(rows[i].way);
        assert_row(rows[i].way ? rows[i].way : "secret",
                   authlist_rank(list, SPAN_NONE, &way) == rows[i].rank);
    }
}

static void older_methods_name_no_hash(void **state)
{
    struct adit_span list = LIST("\3\x0a\0"
                                 "\3\1\0");
    struct auth_way rsa = by("RSA with SHA2-512"), p384 = by("ECDSA-384"), p256 = by("ECDSA-256");
    assert_int_equal(authlist_rank(list, SPAN_NONE, &rsa), 1);
    assert_int_equal(authlist_rank(list, SPAN_NONE, &p384), 0);
    assert_int_equal(authlist_rank(list, SPAN_NONE, &p256), AUTH_RANK_LAST);
}

/* RSASSA-PSS with SHA2-256 as others write it: the hash's parameters absent instead of NULL. */
static void pss_is_compared_by_meaning(void **state)
{
#define SHA256 "\x30\x0b\6\x09\x60\x86\x48\1\x65\3\4\2\1"
#define RSA_OID "\6\x09\x2a\x86\x48\x86\xf7\x0d\1\1"
    struct adit_span list = LIST("\x42\x0e\0\x30\x3d" RSA_OID "\x0a\x30\x30\xa0\x0d" SHA256
                                 "\xa1\x1a\x30\x18" RSA_OID "\x08" SHA256 "\xa2\3\2\1\x20");
    struct auth_way way = by("RSASSA-PSS with SHA2-256");
    assert_true(authlist_is_good(list));
    assert_int_equal(authlist_rank(list, SPAN_NONE, &way), 0);
}

/* --- Cert Link: two hosts lend their certificates ---------------------------------------------------------------------- */

static void with_links(struct sim *s)
{
    uint8_t cas[40] = { 0 };
    struct wr w;
    sim_configure(s, .cert = "ecdsa");
    sim_start(s);
    const struct policy *p = core_engine(s, A)->policy;
    struct auth_way way = { AUTH_DIGITAL_SIGNATURE, sig("ECDSA with SHA2-256"), p, p->certs[0].cert };
    wr_init(&w, cas + 20, 20);
    policy_certreq(p, NULL, &w); /* the second one is our CA */
    expect(s, wr_ok(&w) && w.n == 20);
    struct adit_span all = SPAN_ARRAY(cas);
    expect(s, authlist_rank(LIST(ECDSA256("\2")), all, &way) == 0, "below the second CA");
    expect(s, authlist_rank(LIST(ECDSA256("\1")), all, &way) == AUTH_RANK_LAST, "not below the first");
    expect(s, authlist_rank(LIST(ECDSA256("\3")), all, &way) == AUTH_RANK_LAST, "there is no third");
    expect(s, authlist_rank(LIST(ECDSA256("\xff")), all, &way) == AUTH_RANK_LAST);
    expect(s, authlist_rank(LIST(ECDSA256("\0")), all, &way) == 0, "any CA");
    expect(s, authlist_rank(LIST(ECDSA256("\1")), SPAN_NONE, &way) == 0, "no CERTREQ: the link is ignored");
    expect(s, authlist_rank(LIST(ECDSA256("\1") ED25519 ECDSA256("\2")), all, &way) == 2,
           "the first place that holds");
}

static void links_choose_the_ca(void **state)
{
    core_scenario(with_links);
}

/* --- a list against a CERTREQ ------------------------------------------------------------------------------------ */

#define PEM(text) ((struct adit_span){ (const uint8_t *)(text), sizeof(text) - 1 })

static void add(struct sim *s, struct adit_config *cfg, enum adit_cert_use use, struct adit_span data)
{
    struct adit_cert cert = { .use = use, .data = data, .source = "pem" };
    expect(s, adit_config_add_cert(cfg, &cert) == ADIT_OK);
}

/* The host's own credentials (Ed25519 below its CA), and ECDSA below a CA of its own. */
static struct policy *two_credentials(struct sim *s, struct ike *ike)
{
    struct adit_config *cfg = adit_config_new();
    const struct adit_cert *const *certs;
    const struct adit_key *const *keys;
    struct adit_key key = { .data = PEM(PEM_MOON2_KEY), .source = "pem" };
    struct policy *p = NULL;
    struct adit_why why = { 0 };
    size_t n = adit_config_certs(ike->policy->config, &certs),
           n_keys = adit_config_keys(ike->policy->config, &keys);
    add(s, cfg, ADIT_CERT_END_ENTITY, PEM(PEM_MOON2));
    add(s, cfg, ADIT_CERT_CA, PEM(PEM_CA2));
    add(s, cfg, ADIT_CERT_CA, PEM(PEM_SUB));
    expect(s, adit_config_add_key(cfg, &key) == ADIT_OK);
    for (size_t i = 0; i < n; i++)
        expect(s, adit_config_add_cert(cfg, certs[i]) == ADIT_OK);
    for (size_t i = 0; i < n_keys; i++)
        expect(s, adit_config_add_key(cfg, keys[i]) == ADIT_OK);
    expect(s, policy_new(ike->host.crypto, cfg, &p, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
    return p;
}

static void hear_list(struct ike_sa *sa, struct adit_span list)
{
    uint8_t mem[100];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_u32(&w, N_SUPPORTED_AUTH_METHODS); /* Protocol ID 0, no SPI */
    wr_span(&w, list);
    struct payload p = { .type = PLD_NOTIFY, .body = wr_written(&w) };
    struct ike_msg msg = { .n = 1, .v = &p };
    struct notify n = { .type = N_SUPPORTED_AUTH_METHODS, .data = list };
    ike_exts[EXT_authlist]->announce[0].get(sa, &msg, &n);
}

static const char *chosen(struct ike_sa *sa, struct policy *p, struct adit_span certreq)
{
    static const struct adit_auth_cfg cfg = { .class = ADIT_AUTH_PUBKEY };
    static const struct policy_auth local = { .cfg = &cfg };
    struct ike_xchg x = { .ike = sa->ike, .sa = sa, .policy = p, .role = XCHG_RESPONDER };
    struct own_auth a = { 0 };
    struct adit_why why = { 0 };
    assert_int_equal(buf_set(&sa->certreq, certreq), ADIT_OK);
    assert_int_equal(own_choose(&x, &a, &local, &why), ADIT_OK);
    own_fini(&a);
    arena_fini(&x.arena);
    return a.wanted->name;
}

static void with_two_cas(struct sim *s)
{
    sim_configure(s, .cert = "ed25519");
    sim_start(s);
    struct ike *ike = core_engine(s, A);
    struct policy *p = two_credentials(s, ike);
    struct ike_sa *sa = core_sa(ike, false);
    struct pki_cert *const *cas;
    uint8_t both[40];
    expect(s, pki_store_cas(p->store, &cas) == 3);
    struct adit_span ca2 = span(pki_cert_spki_sha1(cas[0]), 20),
                     sim_ca = span(pki_cert_spki_sha1(cas[2]), 20);
    sa->peer_hashes = auth_hashes_ours(0);
    hear_list(sa, LIST(ED25519 ECDSA256("\0")));
    span_copy(span_copy(both, ca2), sim_ca);
    assert_string_equal(chosen(sa, p, ca2), "ECDSA with SHA2-256"); /* the peer cannot verify the other */
    assert_string_equal(chosen(sa, p, sim_ca), "Ed25519");
    assert_string_equal(chosen(sa, p, SPAN_ARRAY(both)), "Ed25519");
    assert_string_equal(chosen(sa, p, SPAN_NONE), "Ed25519");
    sa_end(sa, ADIT_ERR_CLOSED, "test");
    ike_sweep(ike);
    core_drain(ike);
    policy_unref(p);
}

static void a_certreq_is_not_overruled(void **state)
{
    core_scenario(with_two_cas);
}

/* --- identities in IKE_INTERMEDIATE -------------------------------------------------------------------------------------- */

static const struct ike_step *step(uint8_t exchange, enum xchg_role role)
{
    for (const struct ike_step *const *s = ike_exts[EXT_authlist]->steps; *s; s++)
        if ((*s)->exchange == exchange && (*s)->role == role)
            return *s;
    fail_msg("no such step");
    return NULL;
}

/* What a responder does that owes its list: the request names IDi, IKE_AUTH names the same or another. */
static enum adit_rc name_them(const char *before, const char *after)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    struct ike_xchg x = { .ike = ike, .sa = sa, .role = XCHG_RESPONDER };
    struct payload first[] = { { .type = PLD_IDi, .body = span_str(before) } };
    struct payload second[] = { { .type = PLD_IDi, .body = span_str(after) } };
    struct ike_msg one = { .n = 1, .v = first }, two = { .n = 1, .v = second };
    const struct ike_step *said = step(XCHG_IKE_SA_INIT, XCHG_RESPONDER),
                          *later = step(XCHG_IKE_INTERMEDIATE, XCHG_RESPONDER),
                          *last = step(XCHG_IKE_AUTH, XCHG_RESPONDER);
    bool owed[8] = { true, true, true, true, true, true, true, true };
    uint8_t *scratch = mem_new(later->scratch);
    struct adit_why why = { 0 };
    sa->state = SA_CONNECTING;
    assert_non_null(ext_sa(sa, EXT_authlist));
    said->commit(&x, owed);
    assert_int_equal(last->want(sa, &two), WANT_NO);
    assert_int_equal(later->want(sa, &one), WANT_RIDE);
    assert_int_equal(later->consume(&x, scratch, &one, &why), ADIT_OK);
    later->commit(&x, scratch);
    later->fini(&x, scratch);
    mem_del(scratch);
    assert_int_equal(last->want(sa, &two), WANT_RIDE);
    enum adit_rc rc = last->consume(&x, NULL, &two, &why);
    sa->state = SA_ESTABLISHED;
    core_free(ike);
    return rc;
}

static void identities_stay_the_same(void **state)
{
    assert_int_equal(name_them("alice", "alice"), ADIT_OK);
    assert_int_equal(name_them("alice", "mallory"), ADIT_ERR_AUTH);
    assert_int_equal(name_them("alice", "alice2"), ADIT_ERR_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_read),
        cmocka_unit_test(each_form_is_written),
        cmocka_unit_test(malformed_lists_are_refused),
        cmocka_unit_test(there_is_a_limit),
        cmocka_unit_test(wrong_forms_mean_nothing),
        cmocka_unit_test(a_list_ranks),
        cmocka_unit_test(older_methods_name_no_hash),
        cmocka_unit_test(pss_is_compared_by_meaning),
        cmocka_unit_test(links_choose_the_ca),
        cmocka_unit_test(identities_stay_the_same),
        cmocka_unit_test(a_certreq_is_not_overruled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
