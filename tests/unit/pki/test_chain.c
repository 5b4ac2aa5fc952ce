/* test_chain.c - paths from an end entity to an anchor: what passes, what does not, and why. */
#include "certs.h"

static struct adit_crypto *c;
static struct party root, other_root, inter, narrow, nested, no_bc, sha1_inter, weak_ca;

#define AKI                                                                                                  \
    {                                                                                                        \
        NID_authority_key_identifier, "keyid"                                                                \
    }
enum {
    ROOT = 1,
    INTER = 2,
    OTHER = 4,
    NARROW = 8,
    NESTED = 16,
    NO_BC = 32,
    OLD = 64,
    WEAK = 128,
    ROOT_LATE = 256
};
#define SETS 9
static const struct party *const parties[SETS] = { &root,  &inter,      &other_root, &narrow, &nested,
                                                   &no_bc, &sha1_inter, &weak_ca,    &root };

static const struct {
    const char *what;
    struct cert_spec leaf; /* subject CN=leaf; issuer by `by` */
    unsigned by;           /* index into parties + 1 */
    unsigned store, extra; /* sets of parties */
    const char *why;       /* part of the reason; NULL: passes */
} rows[] = {
    { "issued by the root", { 0 }, 1, ROOT, 0, NULL },
    { "through an intermediate that the peer sent", { 0 }, 2, ROOT, INTER, NULL },
    { "through an intermediate that we have", { 0 }, 2, ROOT | INTER, 0, NULL },
    { "the same in the other order of arrival", { 0 }, 2, ROOT_LATE | INTER, 0, NULL },
    { "up to an intermediate that is an anchor", { 0 }, 2, INTER, 0, NULL },
    { "the intermediate is missing", { 0 }, 2, ROOT, 0, "issuer" },
    { "unknown root", { 0 }, 1, OTHER, ROOT, "self-signed" },
    { "empty store, peer sends everything", { 0 }, 2, 0, ROOT | INTER, "self-signed" },
    { "irrelevant certificates do no harm", { 0 }, 2, ROOT, INTER | OTHER | NARROW, NULL },
    { "expired", { .from = -9 * DAY, .to = -DAY }, 1, ROOT, 0, "expired" },
    { "not yet valid", { .from = DAY, .to = 9 * DAY }, 1, ROOT, 0, "not yet valid" },
    { "wrong key usage", { .v3 = { { NID_key_usage, "keyEncipherment" } } }, 1, ROOT, 0, "key usage" },
    { "wrong extended key usage",
      { .v3 = { { NID_ext_key_usage, "codeSigning" } } },
      1,
      ROOT,
      0,
      "extended key usage" },
    { "unknown critical extension",
      { .v3 = { { NID_netscape_comment, "critical,x" } } },
      1,
      ROOT,
      0,
      "critical" },
    { "path length 0 and one CA more", { 0 }, 5, ROOT, NARROW | NESTED, "path length" },
    { "path length 0 and none more", { 0 }, 4, ROOT, NARROW, NULL },
    { "issued by a certificate that is no CA", { 0 }, 6, ROOT, NO_BC, "invalid CA" },
    { "name constraints violated",
      { .v3 = { { NID_subject_alt_name, "DNS:moon.other" } } },
      4,
      ROOT,
      NARROW,
      "subtree" },
    { "name constraints kept",
      { .v3 = { { NID_subject_alt_name, "DNS:moon.example" } } },
      4,
      ROOT,
      NARROW,
      NULL },
    { "SHA-1 signature in the path", { 0 }, 7, ROOT, OLD, "too weak" },
    { "SHA-1 signature of the leaf", { .digest = "SHA1" }, 1, ROOT, 0, "too weak" },
    { "RSA of 1024 bits in the leaf", { .kind = "RSA:1024" }, 1, ROOT, 0, "too" },
    { "RSA of 2048 bits in the leaf", { .kind = "RSA:2048" }, 1, ROOT, 0, NULL },
    { "RSA of 2040 bits in the CA", { 0 }, 8, WEAK, 0, "2040 bits" },
    { "Ed25519 leaf", { .kind = "ED25519" }, 1, ROOT, 0, NULL },
    { "the leaf is signed by itself", { 0 }, 0, ROOT, 0, "self-signed" },
};

static size_t collect(unsigned set, struct pki_cert **out)
{
    size_t n = 0;
    for (size_t i = 0; i < SETS; i++)
        if (set & 1u << i)
            out[n++] = parties[i]->cert;
    return n;
}

static struct pki_store *store_of(unsigned set)
{
    struct pki_cert *cas[SETS];
    struct pki_store *s = pki_store_new(c);
    size_t n = collect(set, cas);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pki_store_add_ca(s, cas[i]), ADIT_OK);
    return s;
}

static void paths_are_judged_by_all_rules(void **state)
{
    struct pki_policy policy = { .revocation = ADIT_REVOKE_RELAXED, .min_rsa_bits = 2048 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_spec spec = rows[i].leaf;
        struct pki_cert *extra[SETS];
        struct adit_why why = { 0 };
        spec.subject = "CN=leaf";
        spec.issuer = rows[i].by ? parties[rows[i].by - 1] : NULL;
        spec.serial = 99;
        struct party leaf = party_new(c, spec);
        struct pki_store *s = store_of(rows[i].store);
        enum adit_rc rc = pki_verify(s, leaf.cert, extra, collect(rows[i].extra, extra), &policy, NOW, &why);
        if (rc != (rows[i].why ? ADIT_ERR_AUTH : ADIT_OK) || (rows[i].why && !strstr(why.text, rows[i].why)))
            fail_msg("row '%s': %d %s", rows[i].what, rc, why.text);
        pki_store_free(s);
        party_fini(&leaf);
    }
}

/* RFC 7296 s4: a connection may ask for RSA keys of 1024 bits; nothing else is let through by that. */
static void short_keys_where_they_are_asked_for(void **state)
{
    static const struct {
        const char *what;
        struct cert_spec leaf;
        unsigned min;
        bool ok;
    } keys[] = {
        { "1024, by default", { .kind = "RSA:1024" }, 2048, false },
        { "1024, asked for", { .kind = "RSA:1024" }, 1024, true },
        { "1024, 1536 asked for", { .kind = "RSA:1024" }, 1536, false },
        { "1016, 1024 asked for", { .kind = "RSA:1016" }, 1024, false },
        { "SHA-1, 1024 asked for", { .digest = "SHA1" }, 1024, false },
    };
    struct pki_store *s = store_of(ROOT);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct pki_policy policy = { .revocation = ADIT_REVOKE_RELAXED, .min_rsa_bits = keys[i].min };
        struct cert_spec spec = keys[i].leaf;
        spec.subject = "CN=leaf";
        spec.issuer = &root;
        struct party leaf = party_new(c, spec);
        assert_row(keys[i].what, (pki_verify(s, leaf.cert, NULL, 0, &policy, NOW, NULL) == ADIT_OK) == keys[i].ok);
        party_fini(&leaf);
    }
    pki_store_free(s);
}

static void a_changed_certificate_does_not_verify(void **state)
{
    struct pki_policy policy = { .revocation = ADIT_REVOKE_RELAXED, .min_rsa_bits = 2048 };
    struct party leaf = party_new(c, (struct cert_spec){ .subject = "CN=leaf", .issuer = &root });
    struct pki_store *s = store_of(ROOT);
    struct adit_buf der = { 0 };
    struct pki_cert *cert = NULL;
    assert_int_equal(buf_set(&der, pki_cert_der(leaf.cert)), ADIT_OK);
    der.p[der.n - 1] ^= 1; /* in the signature */
    if (pki_cert_parse(c, buf_span(&der), &cert, NULL) == ADIT_OK)
        assert_int_equal(pki_verify(s, cert, NULL, 0, &policy, NOW, NULL), ADIT_ERR_AUTH);
    pki_cert_free(cert);
    buf_fini(&der);
    pki_store_free(s);
    party_fini(&leaf);
}

static void time_is_the_one_handed_in(void **state)
{
    struct pki_policy policy = { .revocation = ADIT_REVOKE_RELAXED, .min_rsa_bits = 2048 };
    struct party leaf = party_new(c, (struct cert_spec){ .subject = "CN=leaf", .issuer = &root });
    struct pki_store *s = store_of(ROOT);
    assert_int_equal(pki_verify(s, leaf.cert, NULL, 0, &policy, NOW, NULL), ADIT_OK);
    assert_int_equal(pki_verify(s, leaf.cert, NULL, 0, &policy, NOW + 366 * DAY, NULL), ADIT_ERR_AUTH);
    assert_int_equal(pki_verify(s, leaf.cert, NULL, 0, &policy, NOW - 2 * DAY, NULL), ADIT_ERR_AUTH);
    pki_store_free(s);
    party_fini(&leaf);
}

static void only_listed_cas_count(void **state)
{
    struct party leaf = party_new(c, (struct cert_spec){ .subject = "CN=leaf", .issuer = &inter });
    struct pki_store *s = store_of(ROOT | INTER | OTHER);
    const struct {
        const char *what;
        struct adit_span ids[2];
        size_t n;
        bool ok;
    } lists[] = {
        { "the root", { span(pki_cert_spki_sha1(root.cert), 20) }, 1, true },
        { "the intermediate", { span(pki_cert_spki_sha1(inter.cert), 20) }, 1, true },
        { "another root", { span(pki_cert_spki_sha1(other_root.cert), 20) }, 1, false },
        { "another and the right one",
          { span(pki_cert_spki_sha1(other_root.cert), 20), span(pki_cert_spki_sha1(root.cert), 20) },
          2,
          true },
        { "the leaf is no CA", { span(pki_cert_spki_sha1(leaf.cert), 20) }, 1, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct pki_policy policy = { .revocation = ADIT_REVOKE_RELAXED,
                                     .anchors = lists[i].ids,
                                     .n_anchors = lists[i].n,
                                     .min_rsa_bits = 2048 };
        assert_row(lists[i].what,
                   (pki_verify(s, leaf.cert, NULL, 0, &policy, NOW, NULL) == ADIT_OK) == lists[i].ok);
    }
    pki_store_free(s);
    party_fini(&leaf);
}

static void only_cas_are_stored_and_each_once(void **state)
{
    struct party leaf = party_new(c, (struct cert_spec){ .subject = "CN=leaf", .issuer = &root });
    struct pki_store *s = store_of(ROOT | INTER);
    struct pki_cert *const *cas;
    assert_int_equal(pki_store_add_ca(s, leaf.cert), ADIT_ERR_CONFIG);
    assert_int_equal(pki_store_add_ca(s, no_bc.cert), ADIT_ERR_CONFIG);
    assert_int_equal(pki_store_add_ca(s, root.cert), ADIT_OK);
    assert_int_equal(pki_store_cas(s, &cas), 2);
    assert_ptr_equal(cas[0], root.cert);
    pki_store_free(s);
    pki_store_free(NULL);
    party_fini(&leaf);
}

static void what_is_sent_ends_before_the_root(void **state)
{
    struct party leaf =
        party_new(c, (struct cert_spec){ .subject = "CN=leaf", .issuer = &nested, .v3 = { AKI } });
    struct pki_store *s = store_of(ROOT | INTER | NARROW | NESTED);
    const struct pki_cert *out[4] = { NULL };
    assert_int_equal(pki_chain(s, leaf.cert, out, 4), 2);
    assert_ptr_equal(out[0], nested.cert);
    assert_ptr_equal(out[1], narrow.cert);
    assert_int_equal(pki_chain(s, leaf.cert, out, 1), 1);
    assert_int_equal(pki_chain(s, leaf.cert, out, 0), 0);
    assert_int_equal(pki_chain(s, root.cert, out, 4), 0);
    assert_int_equal(pki_chain(s, other_root.cert, out, 4), 0);
    pki_store_free(s);
    party_fini(&leaf);
}

static int setup(void **state)
{
    c = crypto_or_fail();
    root = party_new(c, (struct cert_spec){ .subject = "C=CH, CN=Root", .v3 = { CA_V3 } });
    other_root = party_new(c, (struct cert_spec){ .subject = "C=CH, CN=Other Root", .v3 = { CA_V3 } });
    inter = party_new(
        c, (struct cert_spec){ .subject = "C=CH, CN=Inter", .issuer = &root, .v3 = { CA_V3, AKI } });
    narrow = party_new(
        c, (struct cert_spec){ .subject = "C=CH, CN=Narrow",
                               .issuer = &root,
                               .v3 = { { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
                                       { NID_key_usage, "keyCertSign,cRLSign" },
                                       { NID_subject_key_identifier, "hash" },
                                       AKI,
                                       { NID_name_constraints, "critical,permitted;DNS:example" } } });
    nested = party_new(
        c, (struct cert_spec){ .subject = "C=CH, CN=Nested", .issuer = &narrow, .v3 = { CA_V3, AKI } });
    no_bc = party_new(c, (struct cert_spec){ .subject = "C=CH, CN=No CA", .issuer = &root });
    sha1_inter = party_new(
        c,
        (struct cert_spec){ .subject = "C=CH, CN=Old", .issuer = &root, .digest = "SHA1", .v3 = { CA_V3 } });
    weak_ca =
        party_new(c, (struct cert_spec){ .subject = "C=CH, CN=Weak", .kind = "RSA:2040", .v3 = { CA_V3 } });
    return 0;
}

static int teardown(void **state)
{
    struct party *all[] = { &root, &other_root, &inter, &narrow, &nested, &no_bc, &sha1_inter, &weak_ca };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        party_fini(all[i]);
    adit_crypto_free(c);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_judged_by_all_rules),
        cmocka_unit_test(short_keys_where_they_are_asked_for),
        cmocka_unit_test(a_changed_certificate_does_not_verify),
        cmocka_unit_test(time_is_the_one_handed_in),
        cmocka_unit_test(only_listed_cas_count),
        cmocka_unit_test(only_cas_are_stored_and_each_once),
        cmocka_unit_test(what_is_sent_ends_before_the_root),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
