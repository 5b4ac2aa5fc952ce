/* cmd_get_algorithms.c - get-algorithms: the rows of the crypto set, by strongSwan's kinds. */
#include <stdio.h>
#include "crypto/crypto.h"
#include "daemon/cmd.h"
#include "wire/iana.h"

#define PROVIDER "openssl" /* but for key exchanges, whose rows say who computes them */

static void show_encr(struct vici_build *b, const struct adit_crypto *c, const char *name, bool aead)
{
    const struct encr_alg *a;
    vici_section(b, name);
    for (size_t i = 0; (a = crypto_encr_at(c, i)); i++)
        if ((a->kind == ENCR_KIND_AEAD || a->kind == ENCR_KIND_GMAC) == aead)
            vici_str(b, iana_name(IANA_ENCR, a->id), PROVIDER);
    vici_section_end(b);
}

static void show_integ(struct vici_build *b, const struct adit_crypto *c)
{
    const struct integ_alg *a;
    vici_section(b, "integrity");
    for (size_t i = 0; (a = crypto_integ_at(c, i)); i++)
        vici_str(b, iana_name(IANA_INTEG, a->id), PROVIDER);
    vici_section_end(b);
}

static void show_prf(struct vici_build *b, const struct adit_crypto *c)
{
    const struct prf_alg *a;
    vici_section(b, "prf");
    for (size_t i = 0; (a = crypto_prf_at(c, i)); i++)
        vici_str(b, iana_name(IANA_PRF, a->id), PROVIDER);
    vici_section_end(b);
}

static void show_ke(struct vici_build *b, const struct adit_crypto *c)
{
    const struct ke_alg *a;
    vici_section(b, "ke");
    for (size_t i = 0; (a = crypto_ke_at(c, i)); i++)
        vici_str(b, iana_name(IANA_KE, a->id), a->ops->library);
    vici_section_end(b);
}

static void show_hashes(struct vici_build *b)
{
    static const uint16_t hashes[] = { HASH_SHA1, HASH_SHA2_256, HASH_SHA2_384, HASH_SHA2_512,
                                       HASH_SHA3_256, HASH_SHA3_384, HASH_SHA3_512, HASH_SHAKE128, HASH_SHAKE256 };
    uint8_t out[64];
    vici_section(b, "hasher");
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        char name[40];
        snprintf(name, sizeof(name), "HASH_%s", iana_name(IANA_HASH, hashes[i]));
        if (crypto_hash(hashes[i], NULL, 0, out))
            vici_str(b, name, PROVIDER);
    }
    vici_section_end(b);
}

/* Ours: signatures in order of preference. */
static void show_signatures(struct vici_build *b)
{
    const struct sig_alg *s;
    vici_list(b, "signatures");
    for (size_t i = 0; (s = crypto_sig_at(i)); i++)
        vici_item_str(b, s->name);
    vici_list_end(b);
}

void cmd_get_algorithms(void *arg, struct vici_call *call)
{
    const struct daemon *d = arg;
    struct reply r;
    reply_begin(&r);
    show_encr(&r.b, d->crypto, "encryption", false);
    show_integ(&r.b, d->crypto);
    show_encr(&r.b, d->crypto, "aead", true);
    show_hashes(&r.b);
    show_prf(&r.b, d->crypto);
    vici_section(&r.b, "kdf");
    vici_str(&r.b, "KDF_PRF_PLUS", PROVIDER);
    vici_section_end(&r.b);
    show_ke(&r.b, d->crypto);
    vici_section(&r.b, "rng");
    vici_str(&r.b, "RNG_STRONG", PROVIDER);
    vici_section_end(&r.b);
    vici_section(&r.b, "nonce-gen");
    vici_str(&r.b, "NONCE_GEN", PROVIDER);
    vici_section_end(&r.b);
    if (cmd_text(call, "signatures")) /* swanctl knows only sections here */
        show_signatures(&r.b);
    reply_answer(&r, call);
}
