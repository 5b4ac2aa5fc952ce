/* auth.c - AUTH of both ends, a second time, so that a mistake in the engine's does not cancel out: by a pre-shared key (RFC
 * 7296 s2.15) or by certificates (RFC 7427, and the older methods of RFC 7296 s3.8 and RFC 4754 with peers that lack it). */
#include "conformance/puppet.h"
#include "base/why.h"

#define CHAIN_MAX 8 /* certificates that are looked at besides the peer's own */
#define MIN_RSA_BITS 1024 /* how long its key should be is not the puppet's question */

static void check(struct puppet *p, enum adit_rc rc, const char *what)
{
    if (rc != ADIT_OK)
        fail(p, "the puppet cannot %s", what);
}

/* --- what the puppet has to show ---------------------------------------------------------------------------------------- */

static bool load_ca(struct puppet *p, struct adit_why *why)
{
    const struct conformance_params *params = p->params;
    struct pki_cert *ca = NULL;
    if (pki_cert_parse(params->crypto, params->ca, &ca, why) != ADIT_OK)
        return false;
    span_copy(p->own.ca_key, span(pki_cert_spki_sha1(ca), sizeof(p->own.ca_key)));
    p->own.cas = pki_store_new(params->crypto);
    bool good = p->own.cas && pki_store_add_ca(p->own.cas, ca) == ADIT_OK;
    pki_cert_free(ca);
    return good || why_set(why, ADIT_ERR_CONFIG, "the CA's certificate is not one of a CA") == ADIT_OK;
}

bool own_load(struct puppet *p, struct adit_why *why)
{
    const struct conformance_params *params = p->params;
    if (!params->cert.n)
        return params->psk.n || why_set(why, ADIT_ERR_CONFIG, "neither a pre-shared key nor a certificate") == ADIT_OK;
    if (pki_cert_parse(params->crypto, params->cert, &p->own.cert, why) != ADIT_OK ||
        key_parse_private(params->crypto, params->key, SPAN_NONE, &p->own.key, why) != ADIT_OK)
        return false;
    if (!key_same_public(p->own.key, pki_cert_key(p->own.cert)))
        return why_set(why, ADIT_ERR_CONFIG, "the private key is not that of the certificate") == ADIT_OK;
    return load_ca(p, why);
}

void own_free(struct puppet *p)
{
    pki_cert_free(p->own.cert);
    key_free(p->own.key);
    pki_store_free(p->own.cas);
}

/* --- SIGNATURE_HASH_ALGORITHMS (RFC 7427 s4) ------------------------------------------------------------------------------ */

void announce_hashes(struct puppet *p)
{
    static const uint8_t ours[] = { 0, HASH_SHA2_256, 0, HASH_SHA2_384, 0, HASH_SHA2_512, 0, HASH_IDENTITY };
    if (p->own.cert)
        add_notify(p, N_SIGNATURE_HASH_ALGORITHMS, SPAN_ARRAY(ours));
}

void hear_hashes(struct puppet *p)
{
    struct association *a = &p->sa;
    struct notify n;
    a->n_hashes = 0;
    a->digital = heard_notify(p, N_SIGNATURE_HASH_ALGORITHMS, &n);
    struct rd in = rd_init(a->digital ? n.data : SPAN_NONE);
    while (rd_more(&in) && a->n_hashes < HASHES_MAX)
        a->hashes[a->n_hashes++] = rd_u16(&in);
}

/* --- what is signed ------------------------------------------------------------------------------------------------------- */

/* message | nonce | prf(SK_p, ID) [| IntAuth], RFC 7296 s2.15, RFC 9242 s3.3.2; false: not to be had */
static bool signed_octets(struct puppet *p, bool of_initiator, enum sk_part with, struct adit_span id, struct adit_buf *out)
{
    const struct association *a = &p->sa;
    size_t n = p->rows.prf ? p->rows.prf->out : 0, int_n = a->rounds ? n : 0;
    uint8_t maced[PRF_OUT_MAX], mid[4] = { 0, 0, 0, (uint8_t)(1 + a->rounds) };
    struct adit_span parts[] = { of_initiator ? buf_span(&a->init_req) : buf_span(&a->init_resp),
                                 of_initiator ? buf_span(&a->nr) : buf_span(&a->ni), span(maced, n),
                                 span(a->int_i, int_n), span(a->int_r, int_n), span(mid, a->rounds ? 4 : 0) };
    if (p->over || !a->keyed)
        return false;
    check(p, prf_compute(p->rows.prf, sk_part(&a->keys, with), &id, 1, maced), "compute AUTH");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        check(p, buf_append(out, parts[i]), "compute AUTH");
    return !p->over;
}

/* prf(prf(PSK, "Key Pad for IKEv2"), octets) */
static struct adit_span mac_of(struct puppet *p, struct adit_span octets, uint8_t out[PRF_OUT_MAX])
{
    uint8_t key[PRF_OUT_MAX];
    struct adit_span pad = SPAN_LIT("Key Pad for IKEv2");
    check(p, prf_compute(p->rows.prf, p->params->psk, &pad, 1, key), "compute AUTH");
    check(p, prf_compute(p->rows.prf, span(key, p->rows.prf->out), &octets, 1, out), "compute AUTH");
    return span(out, p->rows.prf->out);
}

/* --- ours ----------------------------------------------------------------------------------------------------------------- */

static void add_auth(struct puppet *p, uint8_t method, struct adit_span algid, struct adit_span data)
{
    struct wr w;
    wr_init(&w, p->scratch, sizeof(p->scratch));
    wr_u8(&w, method);
    wr_zero(&w, 3);
    if (algid.n)
        wr_u8(&w, (uint8_t)algid.n);
    wr_span(&w, algid);
    wr_span(&w, data);
    leave_out(p, PLD_AUTH);
    add(p, PLD_AUTH, wr_written(&w));
}

static void sign(struct puppet *p, struct adit_span octets)
{
    struct association *a = &p->sa;
    struct adit_buf signature = { 0 };
    const struct sig_alg *alg = sig_choose(p->own.key, a->digital, a->hashes, a->n_hashes);
    if (!alg)
        fail(p, "the puppet's key can make no signature with the hashes that the peer lists");
    else
        check(p, sig_sign(alg, p->own.key, octets, &signature), "sign AUTH");
    if (!p->over)
        add_auth(p, alg->auth_method, alg->auth_method == AUTH_DIGITAL_SIGNATURE ? alg->algid : SPAN_NONE,
                 buf_span(&signature));
    buf_fini(&signature);
}

void set_auth(struct puppet *p, enum sk_part with)
{
    uint8_t mac[PRF_OUT_MAX];
    struct adit_buf octets = { 0 };
    struct part *id = find(p, p->sa.initiator ? PLD_IDi : PLD_IDr);
    if (signed_octets(p, p->sa.initiator, with, span(p->draft.body + id->at, id->n), &octets)) {
        if (p->own.cert)
            sign(p, buf_span(&octets));
        else
            add_auth(p, AUTH_SHARED_KEY_MIC, SPAN_NONE, mac_of(p, buf_span(&octets), mac));
    } else if (!p->over) { /* before there are keys */
        add_auth(p, AUTH_SHARED_KEY_MIC, SPAN_NONE, SPAN_NONE);
    }
    buf_fini(&octets);
}

void other_method(struct puppet *p)
{
    set_octet(p, PLD_AUTH, 0, p->own.cert ? AUTH_SHARED_KEY_MIC : AUTH_DIGITAL_SIGNATURE);
}

void put_cert(struct puppet *p)
{
    struct wr w;
    if (!p->own.cert || p->over)
        return;
    wr_init(&w, p->scratch, sizeof(p->scratch));
    wr_u8(&w, CERTENC_X509_SIGNATURE);
    wr_span(&w, pki_cert_der(p->own.cert));
    add(p, PLD_CERT, wr_written(&w));
}

void put_certreq(struct puppet *p)
{
    uint8_t wanted[1 + sizeof(p->own.ca_key)] = { CERTENC_X509_SIGNATURE };
    span_copy(wanted + 1, SPAN_ARRAY(p->own.ca_key));
    if (p->own.cert)
        add(p, PLD_CERTREQ, SPAN_ARRAY(wanted));
}

/* --- the peer's --------------------------------------------------------------------------------------------------------------- */

/* The CERT payloads as certificates; how many. */
static size_t heard_certs(struct puppet *p, struct pki_cert *out[1 + CHAIN_MAX])
{
    struct adit_why why = { 0 };
    size_t n = 0;
    for (uint16_t i = 0; i < p->heard.list.n && n <= CHAIN_MAX; i++) {
        struct adit_span body = p->heard.list.v[i].body;
        if (p->heard.list.v[i].type == PLD_CERT && body.n > 1 && body.p[0] == CERTENC_X509_SIGNATURE &&
            pki_cert_parse(p->params->crypto, span_from(body, 1), &out[n], &why) == ADIT_OK)
            n++;
    }
    return n;
}

/* Issued by the CA, and for who it says to be. */
static void trust(struct puppet *p, struct pki_cert *const *certs, size_t n, struct adit_span id)
{
    static const struct pki_policy policy = { .revocation = ADIT_REVOKE_RELAXED, .min_rsa_bits = MIN_RSA_BITS };
    struct adit_id who = { id.n > 4 ? id.p[0] : 0, span_from(id, id.n > 4 ? 4 : id.n) };
    struct adit_why why = { 0 };
    if (pki_verify(p->own.cas, certs[0], certs + 1, n - 1, &policy, p->params->unix_now, &why) != ADIT_OK)
        fail(p, "the peer's certificate: %s", why.text);
    else if (!pki_cert_proves(certs[0], &who, &why))
        fail(p, "the peer's certificate: %s", why.text);
}

/* The row of the method, and the signature. NULL: there is none. */
static const struct sig_alg *row_of(struct adit_span auth, const struct crypto_key *key, struct adit_span *algid,
                                    struct adit_span *signature)
{
    struct rd in = rd_init(auth);
    const struct sig_alg *alg;
    uint8_t method = rd_u8(&in);
    rd_skip(&in, 3);
    *algid = method == AUTH_DIGITAL_SIGNATURE ? rd_take(&in, rd_u8(&in)) : SPAN_NONE;
    *signature = rd_rest(&in);
    if (!rd_ok(&in))
        return NULL;
    if (method == AUTH_DIGITAL_SIGNATURE)
        return crypto_sig_by_algid(*algid);
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++)
        if (alg->auth_method == method && sig_fits(alg, key))
            return alg;
    return NULL;
}

static void verify_signature(struct puppet *p, struct adit_span id, struct adit_span auth, struct adit_span octets)
{
    struct pki_cert *certs[1 + CHAIN_MAX];
    struct adit_span algid, signature;
    size_t n = heard_certs(p, certs);
    const struct sig_alg *alg = n ? row_of(auth, pki_cert_key(certs[0]), &algid, &signature) : NULL;
    if (!n)
        fail(p, "the peer signs, and sends no certificate");
    else if (!alg || sig_verify(alg, pki_cert_key(certs[0]), algid, octets, signature) != ADIT_OK)
        fail(p, "the peer's AUTH is wrong");
    else
        trust(p, certs, n, id);
    for (size_t i = 0; i < n; i++)
        pki_cert_free(certs[i]);
}

static void verify_mac(struct puppet *p, struct adit_span auth, struct adit_span octets)
{
    uint8_t mac[PRF_OUT_MAX];
    if (!span_equal(mac_of(p, octets, mac), span_from(auth, 4)))
        fail(p, "the peer's AUTH is wrong");
}

void verify_peer(struct puppet *p)
{
    const struct payload *id = heard_payload(p, p->sa.initiator ? PLD_IDr : PLD_IDi),
                         *auth = heard_payload(p, PLD_AUTH);
    struct adit_buf octets = { 0 };
    if (p->over)
        return;
    if (!id || !auth || auth->body.n < 4) {
        fail(p, "the peer does not authenticate itself");
        return;
    }
    bool shared = auth->body.p[0] == AUTH_SHARED_KEY_MIC;
    if (shared ? !p->params->psk.n : !p->own.cas)
        fail(p, "the peer authenticates itself by %s, and the puppet has none to check it",
             shared ? "a pre-shared key" : "a signature");
    else if (signed_octets(p, !p->sa.initiator, p->sa.initiator ? SK_PR : SK_PI, id->body, &octets)) {
        if (shared)
            verify_mac(p, auth->body, buf_span(&octets));
        else
            verify_signature(p, id->body, auth->body, buf_span(&octets));
    }
    buf_fini(&octets);
}
