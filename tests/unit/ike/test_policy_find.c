/* Finding connections, secrets and certificates: the most specific first. */
#include "policy_fixture.h"

static void add_conn(struct adit_config *cfg, const char *name, const char *local, const char *remote)
{
    struct adit_addr_spec l, r;
    struct adit_child_cfg child = { .name = "net" };
    struct adit_conn conn = { .name = name, .n_children = 1, .children = &child };
    if (local) {
        assert_int_equal(addr_spec_parse(local, &l, NULL), ADIT_OK);
        conn.n_local_addrs = 1;
        conn.local_addrs = &l;
    }
    if (remote) {
        assert_int_equal(addr_spec_parse(remote, &r, NULL), ADIT_OK);
        conn.n_remote_addrs = 1;
        conn.remote_addrs = &r;
    }
    assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
}

static struct adit_path path_of(const char *local, const char *remote)
{
    struct adit_path path = { 0 };
    assert_true(addr_parse(local, &path.local.addr) && addr_parse(remote, &path.remote.addr));
    return path;
}

static void test_by_path(void **state)
{
    static const struct {
        const char *local, *remote, *order;
    } rows[] = {
        { "10.0.0.1", "192.0.2.9", "host here;host;range;net24;net16;here;name;any;" },
        { "10.0.0.2", "192.0.2.9", "host;range;net24;net16;name;any;" },
        { "10.0.0.1", "192.0.2.80", "net24;net16;here;name;any;" },
        { "10.0.0.1", "192.0.99.1", "net16;here;name;any;" },
        { "10.0.0.1", "203.0.113.1", "here;name;any;" },
        { "fd00::1", "fd00::2", "six;name;any;" },
    };
    struct adit_config *cfg = adit_config_new();
    add_conn(cfg, "name", NULL, "peer.example.org");
    add_conn(cfg, "any", NULL, "%any");
    add_conn(cfg, "here", "10.0.0.1", NULL);
    add_conn(cfg, "net16", NULL, "192.0.0.0/16");
    add_conn(cfg, "net24", NULL, "192.0.2.0/24");
    add_conn(cfg, "host", NULL, "192.0.2.9");
    add_conn(cfg, "host here", "10.0.0.1", "192.0.2.9");
    add_conn(cfg, "range", NULL, "192.0.2.5-192.0.2.60");
    add_conn(cfg, "six", NULL, "fd00::/8");
    struct policy *p = policy_of(cfg);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_path path = path_of(rows[i].local, rows[i].remote);
        const struct policy_conn *conn = NULL;
        STRBUF(order, 300);
        while ((conn = policy_conn_by_path(p, &path, conn)))
            strbuf_addf(&order, "%s;", conn->cfg->name);
        if (strcmp(order.p, rows[i].order))
            fail_msg("from %s to %s: %s instead of %s", rows[i].remote, rows[i].local, order.p,
                     rows[i].order);
    }
    assert_string_equal(policy_conn_by_name(p, "six")->cfg->name, "six");
    assert_null(policy_conn_by_name(p, "seven"));
    assert_string_equal(policy_conn_by_child(p, NULL, "net")->cfg->name, "name");
    assert_string_equal(policy_conn_by_child(p, "host", "net")->cfg->name, "host");
    assert_null(policy_conn_by_child(p, "host", "other"));
    assert_null(policy_conn_by_child(p, "nobody", "net"));
    policy_unref(p);
}

/* --- identities ---------------------------------------------------------------------------------------------- */

static void test_fits(void **state)
{
    static const struct {
        const char *what, *local, *remote, *idi, *idr;
        bool fits;
    } rows[] = {
        { "both named", "moon.example", "sun.example", "sun.example", "moon.example", true },
        { "nobody asked for", "moon.example", "sun.example", "sun.example", "%any", true },
        { "another remote", "moon.example", "sun.example", "mars.example", "moon.example", false },
        { "another local", "moon.example", "sun.example", "sun.example", "mars.example", false },
        { "case", "moon.example", "sun.example", "SUN.Example", "Moon.example", true },
        { "any remote", "moon.example", "%any", "mars.example", "moon.example", true },
        { "no identity of our own", "%any", "%any", "mars.example", "moon.example", true },
        { "wildcard", "moon.example", "*.example", "mars.example", "%any", true },
        { "wildcard of another domain", "moon.example", "*.example", "mars.example.org", "%any", false },
        { "e-mail wildcard", "moon.example", "*@example.org", "carol@example.org", "%any", true },
        { "another type", "moon.example", "sun.example", "10.0.0.1", "%any", false },
        { "DN", "moon.example", "C=CH, O=Adit, CN=sun", "C=CH, O=Adit, CN=sun", "%any", true },
        { "DN pattern", "moon.example", "C=CH, O=Adit, CN=*", "C=CH, O=Adit, CN=sun", "%any", true },
        { "DN pattern, other part", "moon.example", "C=CH, O=Adit, CN=*", "C=CH, O=Other, CN=sun", "%any",
          false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_config *cfg = adit_config_new();
        struct adit_auth_cfg local = { .id_text = rows[i].local }, remote = { .id_text = rows[i].remote };
        struct adit_conn conn = {
            .name = "c", .n_local = 1, .n_remote = 1, .local = &local, .remote = &remote
        };
        assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
        struct policy *p = policy_of(cfg);
        struct adit_path path = path_of("10.0.0.1", "10.0.0.2");
        struct adit_id idi = id_of(rows[i].idi), idr = id_of(rows[i].idr);
        assert_row(rows[i].what, policy_conn_fits(&p->conns[0], &path, &idi, &idr) == rows[i].fits);
        policy_unref(p);
    }
}

/* A name of our certificate may be asked for, whatever our own identity is. */
static void test_fits_by_certificate(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_span moon = PEM(PEM_MOON);
    struct adit_addr_spec other;
    struct adit_auth_cfg local = { .n_certs = 1, .certs = &moon };
    struct adit_conn conn = {
        .name = "c", .n_local = 1, .local = &local, .n_remote_addrs = 1, .remote_addrs = &other
    };
    assert_int_equal(addr_spec_parse("192.0.2.0/24", &other, NULL), ADIT_OK);
    assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
    add_key(cfg, PEM(PEM_MOON_KEY), "moon.key");
    struct policy *p = policy_of(cfg);
    struct adit_path path = path_of("10.0.0.1", "192.0.2.1"), elsewhere = path_of("10.0.0.1", "10.0.0.2");
    struct adit_id idi = id_of("anybody"), dns = id_of("moon.example"), no = id_of("mars.example");
    assert_true(policy_conn_fits(&p->conns[0], &path, &idi, &dns));
    assert_false(policy_conn_fits(&p->conns[0], &path, &idi, &no));
    assert_false(policy_conn_fits(&p->conns[0], &elsewhere, &idi, &dns));
    policy_unref(p);
}

/* --- secrets ------------------------------------------------------------------------------------------------- */

static void add_secret(struct adit_config *cfg, const char *name, enum adit_shared_type type, const char *one,
                       const char *two)
{
    struct adit_id owners[2];
    struct adit_shared s = { .id = name, .type = type, .secret = SPAN_LIT("x"), .owners = owners };
    if (one)
        owners[s.n_owners++] = id_of(one);
    if (two)
        owners[s.n_owners++] = id_of(two);
    assert_int_equal(adit_config_add_shared(cfg, &s), ADIT_OK);
}

static void test_psk(void **state)
{
    static const struct {
        const char *local, *remote, *secret;
    } rows[] = {
        { "moon.example", "sun.example", "pair" },
        { "mars.example", "sun.example", "sun alone" },
        { "moon.example", "venus.example", "moon alone" }, /* not the pair's: sun must not pose as venus */
        { "moon.example", "carol.wild", "wild" },
        { "moon.example", "dave.wild", "dave" },
        { "mars.example", "venus.example", "anybody" },
        { "pluto.example", "eris.example", "anybody" }, /* PPKs are another kind */
    };
    struct adit_config *cfg = adit_config_new();
    add_secret(cfg, "anybody", ADIT_SHARED_IKE, NULL, NULL);
    add_secret(cfg, "moon alone", ADIT_SHARED_IKE, "moon.example", NULL);
    add_secret(cfg, "sun alone", ADIT_SHARED_IKE, "sun.example", NULL);
    add_secret(cfg, "pair", ADIT_SHARED_IKE, "moon.example", "sun.example");
    add_secret(cfg, "wild", ADIT_SHARED_IKE, "*.wild", NULL);
    add_secret(cfg, "dave", ADIT_SHARED_IKE, "dave.wild", NULL);
    add_secret(cfg, "ppk", ADIT_SHARED_PPK, "pluto.example", "eris.example");
    struct policy *p = policy_of(cfg);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_id local = id_of(rows[i].local), remote = id_of(rows[i].remote);
        const struct adit_shared *s = policy_psk(p, &local, &remote);
        assert_non_null(s);
        if (strcmp(s->id, rows[i].secret))
            fail_msg("%s - %s: secret '%s'", rows[i].local, rows[i].remote, s->id);
    }
    policy_unref(p);

    cfg = adit_config_new();
    add_secret(cfg, "pair", ADIT_SHARED_IKE, "moon.example", "sun.example");
    p = policy_of(cfg);
    struct adit_id moon = id_of("moon.example"), venus = id_of("venus.example");
    assert_null(policy_psk(p, &moon, &venus));
    policy_unref(p);
}

/* --- certificates -------------------------------------------------------------------------------------------- */

static struct adit_span sha1_of(const struct policy *p, size_t ca)
{
    struct pki_cert *const *cas;
    assert_true(ca < pki_store_cas(p->store, &cas));
    return span(pki_cert_spki_sha1(cas[ca]), 20);
}

static void expect_subject(const struct policy_cert *row, const char *subject)
{
    STRBUF(text, 200);
    assert_non_null(row);
    pki_cert_subject(row->cert, &text);
    assert_string_equal(text.p, subject);
}

static void test_cert_for(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_auth_cfg by_id = { .id_text = "moon.example" }, by_nothing = { 0 },
                         unknown = { .id_text = "mars.example" };
    struct adit_span sun = PEM(PEM_SUN);
    struct adit_auth_cfg keyless = { .n_certs = 1, .certs = &sun };
    const struct adit_auth_cfg *all[] = { &by_id, &by_nothing, &unknown, &keyless };
    static const char *const names[] = { "a", "b", "c", "d" };
    for (size_t i = 0; i < 4; i++) {
        struct adit_conn conn = { .name = names[i], .n_local = 1, .local = all[i] };
        assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
    }
    add_key(cfg, PEM(PEM_MOON_KEY), "moon.key");
    add_key(cfg, PEM(PEM_MOON2_KEY), "moon2.key");
    add_cert(cfg, ADIT_CERT_END_ENTITY, PEM(PEM_SUN), "sun.pem");
    add_cert(cfg, ADIT_CERT_END_ENTITY, PEM(PEM_MOON), "moon.pem");
    add_cert(cfg, ADIT_CERT_END_ENTITY, PEM(PEM_MOON2), "moon2.pem");
    add_cert(cfg, ADIT_CERT_CA, PEM(PEM_CA1), "ca1.pem");
    add_cert(cfg, ADIT_CERT_CA, PEM(PEM_CA2), "ca2.pem");
    add_cert(cfg, ADIT_CERT_CA, PEM(PEM_SUB), "sub.pem");
    struct policy *p = policy_of(cfg);
    uint8_t both[40];
    span_copy(span_copy(both, ascending(1, 20)), sha1_of(p, 1));
    expect_subject(policy_cert_for(p, p->conns[0].local, SPAN_NONE), "C=CH, O=Adit, CN=moon");
    expect_subject(policy_cert_for(p, p->conns[0].local, sha1_of(p, 0)), "C=CH, O=Adit, CN=moon");
    expect_subject(policy_cert_for(p, p->conns[0].local, sha1_of(p, 2)),
                   "C=CH, O=Adit, CN=moon2"); /* its issuer */
    expect_subject(policy_cert_for(p, p->conns[0].local, SPAN_ARRAY(both)),
                   "C=CH, O=Adit, CN=moon2"); /* over the sub CA */
    expect_subject(policy_cert_for(p, p->conns[0].local, ascending(1, 20)),
                   "C=CH, O=Adit, CN=moon"); /* only a hint */
    expect_subject(policy_cert_for(p, p->conns[1].local, sha1_of(p, 1)), "C=CH, O=Adit, CN=moon2");
    assert_null(policy_cert_for(p, p->conns[2].local, SPAN_NONE)); /* none proves it */
    assert_null(policy_cert_for(p, p->conns[3].local, SPAN_NONE)); /* configured, but its key is missing */
    policy_unref(p);
}

static void test_cert_next(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_span two[] = { PEM(PEM_SUN), PEM(PEM_MOON2) };
    struct adit_auth_cfg by_id = { .id_text = "moon.example" }, by_nothing = { 0 },
                         own = { .n_certs = 2, .certs = two };
    const struct adit_auth_cfg *all[] = { &by_id, &by_nothing, &own };
    static const char *const names[] = { "a", "b", "c" };
    for (size_t i = 0; i < 3; i++) {
        struct adit_conn conn = { .name = names[i], .n_local = 1, .local = all[i] };
        assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
    }
    add_key(cfg, PEM(PEM_MOON_KEY), "moon.key");
    add_key(cfg, PEM(PEM_MOON2_KEY), "moon2.key");
    add_cert(cfg, ADIT_CERT_END_ENTITY, PEM(PEM_SUN), "sun.pem");
    add_cert(cfg, ADIT_CERT_END_ENTITY, PEM(PEM_MOON), "moon.pem");
    add_cert(cfg, ADIT_CERT_CA, PEM(PEM_CA1), "ca1.pem");
    add_cert(cfg, ADIT_CERT_CA, PEM(PEM_CA2), "ca2.pem");
    add_cert(cfg, ADIT_CERT_CA, PEM(PEM_SUB), "sub.pem");
    struct policy *p = policy_of(cfg);
    size_t at = 0;
    expect_subject(policy_cert_next(p, p->conns[0].local, &at), "C=CH, O=Adit, CN=moon");
    expect_subject(policy_cert_next(p, p->conns[0].local, &at), "C=CH, O=Adit, CN=moon2");
    assert_null(policy_cert_next(p, p->conns[0].local, &at));
    at = 0;
    expect_subject(policy_cert_next(p, p->conns[1].local, &at), "C=CH, O=Adit, CN=moon");
    at = 0; /* of those configured, the one with a key */
    const struct policy_cert *moon2 = policy_cert_next(p, p->conns[2].local, &at);
    expect_subject(moon2, "C=CH, O=Adit, CN=moon2");
    assert_null(policy_cert_next(p, p->conns[2].local, &at));
    assert_true(policy_cert_leads_to(p, moon2->cert, sha1_of(p, 2)) &&
                policy_cert_leads_to(p, moon2->cert, sha1_of(p, 1)));
    assert_false(policy_cert_leads_to(p, moon2->cert, sha1_of(p, 0)));
    assert_false(policy_cert_leads_to(p, moon2->cert, SPAN_NONE));
    policy_unref(p);
}

static const struct sig_alg *sig_of(const char *name)
{
    const struct sig_alg *alg;
    for (size_t i = 0; name && (alg = crypto_sig_at(i)); i++)
        if (!strcmp(alg->name, name))
            return alg;
    return NULL;
}

static void test_accepts(void **state)
{
    static const struct {
        const char *what, *auth, *alg; /* alg NULL: pre-shared key */
        enum adit_auth_class class;
        bool accepts;
    } rows[] = {
        { "secret", "psk", NULL, ADIT_AUTH_PSK, true },
        { "secret only", "psk", "Ed25519", ADIT_AUTH_PSK, false },
        { "keys only", "pubkey", NULL, ADIT_AUTH_PUBKEY, false },
        { "any key", "pubkey", "Ed25519", ADIT_AUTH_PUBKEY, true },
        { "anything: secret", "any", NULL, ADIT_AUTH_ANY, true },
        { "anything: key", NULL, "ECDSA-256", ADIT_AUTH_ANY, true },
        { "type", "ecdsa", "Ed25519", ADIT_AUTH_PUBKEY, false },
        { "hash", "ecdsa-sha384", "ECDSA with SHA2-384", ADIT_AUTH_PUBKEY, true },
        { "other hash", "ecdsa-sha384", "ECDSA with SHA2-256", ADIT_AUTH_PUBKEY, false },
        { "SHA-3 unnamed", "ecdsa", "ECDSA with SHA3-384", ADIT_AUTH_PUBKEY, false },
        { "SHA-3", "ecdsa-sha3_384", "ECDSA with SHA3-384", ADIT_AUTH_PUBKEY, true },
        { "padding", "rsa/pss", "RSASSA-PKCS1-v1_5 with SHA2-256", ADIT_AUTH_PUBKEY, false },
        { "EAP", "eap", "Ed25519", ADIT_AUTH_EAP, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_auth_cfg cfg = { .class = rows[i].class, .auth = rows[i].auth };
        struct policy_auth remote = { .cfg = &cfg };
        if (rows[i].class == ADIT_AUTH_PUBKEY)
            assert_int_equal(auth_constraints_parse(cfg.auth, &remote.constraints, NULL), ADIT_OK);
        assert_row(rows[i].what, !rows[i].alg == !sig_of(rows[i].alg));
        assert_row(rows[i].what, policy_accepts(&remote, sig_of(rows[i].alg)) == rows[i].accepts);
    }
}

/* Of a peer whose certificate is configured only what its key can do is expected. */
static void test_accepts_by_pinned_certificate(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_span moon = PEM(PEM_MOON);
    struct adit_auth_cfg remote = {
        .class = ADIT_AUTH_PUBKEY, .auth = "pubkey", .n_certs = 1, .certs = &moon
    };
    struct adit_conn conn = { .name = "a", .n_remote = 1, .remote = &remote };
    const struct sig_alg *alg;
    assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
    struct policy *p = policy_of(cfg);
    const struct policy_auth *r = p->conns[0].remote;
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++)
        assert_row(alg->name, policy_accepts(r, alg) == (alg->hash < HASH_SHA3_256 && sig_fits(alg, pki_cert_key(r->pinned[0]))));
    policy_unref(p);
}

/* Hashes with private numbers: those that a connection names, or any. */
static void test_hashes(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_auth_cfg one = { .class = ADIT_AUTH_PUBKEY, .auth = "ecdsa-sha384-sha3_384" },
                         two = { .class = ADIT_AUTH_PUBKEY, .auth = "pubkey-sha3_256-shake128" };
    struct adit_conn a = { .name = "a", .n_remote = 1, .remote = &one }, b = { .name = "b", .n_remote = 1, .remote = &two };
    assert_int_equal(adit_config_add_conn(cfg, &a), ADIT_OK);
    assert_int_equal(adit_config_add_conn(cfg, &b), ADIT_OK);
    struct policy *p = policy_of(cfg);
    uint32_t of_a = auth_hash_bit(HASH_SHA3_384), of_b = auth_hash_bit(HASH_SHA3_256) | auth_hash_bit(HASH_SHAKE128);
    assert_int_equal(policy_hashes(p, &p->conns[0]), of_a);
    assert_int_equal(policy_hashes(p, &p->conns[1]), of_b);
    assert_int_equal(policy_hashes(p, NULL), of_a | of_b);
    policy_unref(p);
}

static void test_certreq(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_span ca2 = PEM(PEM_CA2);
    struct adit_auth_cfg remote = { .n_cacerts = 1, .cacerts = &ca2 };
    struct adit_conn named = { .name = "named", .n_remote = 1, .remote = &remote }, open = { .name = "open" };
    assert_int_equal(adit_config_add_conn(cfg, &named), ADIT_OK);
    assert_int_equal(adit_config_add_conn(cfg, &open), ADIT_OK);
    add_cert(cfg, ADIT_CERT_CA, PEM(PEM_CA1), "ca1.pem");
    struct policy *p = policy_of(cfg);
    uint8_t mem[100], all[40];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    policy_certreq(p, &p->conns[0], &w);
    assert_true(span_equal(wr_written(&w), sha1_of(p, 1)));
    span_copy(span_copy(all, sha1_of(p, 0)), sha1_of(p, 1));
    const struct policy_conn *conns[] = { &p->conns[1], NULL };
    for (size_t i = 0; i < 2; i++) {
        wr_init(&w, mem, sizeof(mem));
        policy_certreq(p, conns[i], &w);
        assert_true(span_equal(wr_written(&w), SPAN_ARRAY(all)));
    }
    policy_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_path),
        cmocka_unit_test(test_fits),
        cmocka_unit_test(test_fits_by_certificate),
        cmocka_unit_test(test_psk),
        cmocka_unit_test(test_cert_for),
        cmocka_unit_test(test_cert_next),
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_accepts_by_pinned_certificate),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_certreq),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
