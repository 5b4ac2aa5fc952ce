/* crypto.c - what the primitives themselves cost, through the rows that engine and ESP call: the yardstick for both.
 *   bench_crypto [--json] [--quick] */
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/span.h"
#include "crypto/crypto.h"

static struct adit_crypto *crypto;
static double budget_s = 0.2; /* for one line */
static bool json, first = true;

/* CPU time: other programs on the machine do not count. */
static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_crypto: %s\n", what);
    exit(1);
}

static void must(enum adit_rc rc, const char *what)
{
    if (rc != ADIT_OK)
        die(what);
}

static void report(const char *name, const char *operation, double seconds, double runs, size_t octets)
{
    double ns = seconds / runs * 1e9;
    if (json) {
        printf("%s\n  {\"name\": \"%s\", \"operation\": \"%s\", \"octets\": %zu, \"ns\": %.1f}",
               first ? "[" : ",", name, operation, octets, ns);
    } else {
        printf("%-34s %-12s", name, operation);
        if (octets)
            printf(" %5zu octets %9.0f ns %8.2f Gbit/s\n", octets, ns, (double)octets * 8 / ns);
        else
            printf("              %9.2f us\n", ns / 1000);
    }
    first = false;
}

#define PACKETS 32
#define ROOM 2048

/* One thing to measure: run() does it once. */
struct job {
    const char *name;
    const struct ke_alg *ke;
    struct ke_state *st;
    struct adit_buf init, resp, sig;
    struct adit_secret secret;
    const struct prf_alg *prf;
    struct crypt *crypt;
    struct crypt_job *packets;
    size_t n;
    const uint8_t *sealed; /* the packets' data as sealed, ROOM octets each */
    const struct sig_alg *alg;
    struct crypto_key *key;
    uint64_t counter;
};

static void measure(struct job *j, const char *operation, void (*run)(struct job *), size_t octets,
                    double each)
{
    double start = now_s(), took = 0, runs = 0;
    for (size_t batch = 1; took < budget_s; batch *= 2) {
        for (size_t i = 0; i < batch; i++)
            run(j);
        runs += (double)batch;
        took = now_s() - start;
    }
    report(j->name, operation, took, runs * each, octets);
}

static void ke_init(struct job *j)
{
    j->ke->ops->free(j->st);
    j->st = NULL;
    must(j->ke->ops->init(crypto, j->ke, &j->st, &j->init), j->name);
}

static void ke_respond(struct job *j)
{
    must(j->ke->ops->respond(crypto, j->ke, buf_span(&j->init), &j->resp, &j->secret), j->name);
}

/* A key pair is for one exchange: each run has a new one, whose making is not counted. */
static void measure_finish(struct job *j, const char *operation)
{
    double took = 0, runs = 0, begin = now_s();
    while (took < budget_s && (runs < 3 || now_s() - begin < 10 * budget_s)) {
        ke_init(j);
        ke_respond(j);
        double start = now_s();
        must(j->ke->ops->finish(crypto, j->ke, j->st, buf_span(&j->resp), &j->secret), j->name);
        took += now_s() - start;
        runs++;
    }
    report(j->name, operation, took, runs, 0);
}

static void bench_ke(const struct ke_alg *ke)
{
    struct job j = { .name = ke->name, .ke = ke };
    measure(&j, ke->kem ? "keygen" : "init", ke_init, 0, 1);
    measure(&j, ke->kem ? "encaps" : "respond", ke_respond, 0, 1);
    measure_finish(&j, ke->kem ? "decaps" : "finish");
    ke->ops->free(j.st);
    buf_fini(&j.init);
    buf_fini(&j.resp);
    secret_fini(&j.secret);
}

static void prf_once(struct job *j)
{
    static const uint8_t key[32], data[64];
    struct adit_span part = SPAN_ARRAY(data);
    uint8_t out[PRF_OUT_MAX];
    must(prf_compute(j->prf, SPAN_ARRAY(key), &part, 1, out), j->name);
}

static void prf_keymat(struct job *j)
{
    static const uint8_t key[32], data[80];
    struct adit_span part = SPAN_ARRAY(data);
    uint8_t out[296]; /* SK_d ... SK_pr for AES-GCM-256 and HMAC-SHA2-512 */
    must(prf_plus(j->prf, SPAN_ARRAY(key), &part, 1, out, sizeof(out)), j->name);
}

static void seal_all(struct job *j)
{
    for (size_t i = 0; i < j->n; i++)
        crypt_iv(j->crypt, ++j->counter, (uint8_t *)(uintptr_t)j->packets[i].iv);
    crypt_seal_many(j->crypt, j->packets, j->n);
    if (!j->packets[0].ok)
        die(j->name);
}

/* Opening is in place: each packet comes back from a sealed copy first (counted; some 20 ns for 1420 octets). */
static void open_all(struct job *j)
{
    for (size_t i = 0; i < j->n; i++)
        span_copy(j->packets[i].data, span(j->sealed + i * ROOM, j->packets[i].n));
    crypt_open_many(j->crypt, j->packets, j->n);
    if (!j->packets[0].ok)
        die(j->name);
}

static void bench_encr(const struct encr_alg *encr, uint16_t bits, size_t octets)
{
    static uint8_t data[PACKETS][ROOM], sealed[PACKETS][ROOM], iv[PACKETS][16], icv[PACKETS][64], key[64],
        aad[8];
    struct crypt_job packets[PACKETS];
    bool plain = encr->kind == ENCR_KIND_CIPHER || encr->kind == ENCR_KIND_NULL;
    const struct integ_alg *integ = plain ? crypto_integ(crypto, INTEG_HMAC_SHA2_256_128) : NULL;
    struct job j = { .name = encr->name, .packets = packets, .n = PACKETS };
    octets = octets / encr->block * encr->block;
    for (size_t i = 0; i < PACKETS; i++)
        packets[i] = (struct crypt_job){ .data = data[i],
                                         .n = (uint32_t)octets,
                                         .iv = iv[i],
                                         .aad = aad,
                                         .aad_n = sizeof(aad),
                                         .icv = icv[i] };
    for (int open = 0; open < 2; open++) {
        must(crypt_new(crypto, encr, bits, span(key, encr_key_octets(encr, bits)), integ,
                       span(key, integ ? integ->key : 0), !open, &j.crypt),
             encr->name);
        j.sealed = sealed[0];
        measure(&j, open ? "open" : "seal", open ? open_all : seal_all, octets, PACKETS);
        span_copy(sealed[0], span(data, sizeof(data)));
        crypt_free(j.crypt);
    }
}

static void sign_once(struct job *j)
{
    must(sig_sign(j->alg, j->key, SPAN_LIT("octets"), &j->sig), j->name);
}

static void verify_once(struct job *j)
{
    must(sig_verify(j->alg, j->key, j->alg->algid, SPAN_LIT("octets"), buf_span(&j->sig)), j->name);
}

static struct crypto_key *make_key(const char *type, const char *curve)
{
    OSSL_LIB_CTX *lib = crypto_libctx(crypto);
    EVP_PKEY *pkey = curve ? EVP_PKEY_Q_keygen(lib, NULL, type, curve)
                           : EVP_PKEY_Q_keygen(lib, NULL, type, (size_t)3072);
    struct crypto_key *key = NULL;
    unsigned char *der = NULL;
    size_t n = 0;
    OSSL_ENCODER_CTX *e = OSSL_ENCODER_CTX_new_for_pkey(pkey, EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo",
                                                        NULL);
    if (OSSL_ENCODER_to_data(e, &der, &n) == 1)
        must(key_parse_private(crypto, span(der, n), SPAN_NONE, &key, NULL), type);
    OSSL_ENCODER_CTX_free(e);
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
    return key;
}

static void bench_sig(const char *name, const char *type, const char *curve)
{
    static const uint16_t hashes[] = { HASH_SHA2_256, HASH_SHA2_384, HASH_SHA2_512, HASH_IDENTITY };
    struct job j = { .name = name, .key = make_key(type, curve) };
    j.alg = j.key ? sig_choose(j.key, true, hashes, ARRAY_LEN(hashes)) : NULL;
    if (!j.alg)
        die(name);
    measure(&j, "sign", sign_once, 0, 1);
    measure(&j, "verify", verify_once, 0, 1);
    key_free(j.key);
    buf_fini(&j.sig);
}

static void bench_all(void)
{
    const struct ke_alg *ke;
    const struct prf_alg *prf;
    const struct encr_alg *encr;
    for (size_t i = 0; (ke = crypto_ke_at(crypto, i)); i++)
        bench_ke(ke);
    for (size_t i = 0; (prf = crypto_prf_at(crypto, i)); i++) {
        struct job j = { .name = prf->name, .prf = prf };
        measure(&j, "prf", prf_once, 0, 1);
        measure(&j, "prf+ 296", prf_keymat, 0, 1);
    }
    for (size_t i = 0; (encr = crypto_encr_at(crypto, i)); i++) {
        bench_encr(encr, encr->has_bits ? 256 : 0, 64);
        bench_encr(encr, encr->has_bits ? 256 : 0, 1420);
    }
    bench_sig("Ed25519", "ED25519", "");
    bench_sig("ECDSA P-256", "EC", "P-256");
    bench_sig("ECDSA P-384", "EC", "P-384");
    bench_sig("RSA-PSS 3072", "RSA", NULL);
}

int main(int argc, char **argv)
{
    struct adit_why why = { 0 };
    for (int i = 1; i < argc; i++) {
        if (span_equal(span_str(argv[i]), SPAN_LIT("--json")))
            json = true;
        else if (span_equal(span_str(argv[i]), SPAN_LIT("--quick")))
            budget_s = 0.01;
        else
            die("usage: bench_crypto [--json] [--quick]");
    }
    crypto = adit_crypto_new(NULL, NULL, &why);
    if (!crypto)
        die(why.text);
    bench_all();
    if (json)
        printf("\n]\n");
    adit_crypto_free(crypto);
    return 0;
}
