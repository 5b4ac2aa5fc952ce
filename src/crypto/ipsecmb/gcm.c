/* gcm.c - AES-GCM (RFC 4106, RFC 8750) by Intel's multi-buffer library: its code for VAES takes a whole packet in a call. */
#include "base/mem.h"
#include "base/secret.h"
#include "base/span.h"
#include "crypto/ipsecmb/ipsecmb.h"

struct gcm {
    struct gcm_key_data key; /* first: aligned */
    aes_gcm_enc_dec_t run;
};

static bool is_gcm(uint16_t id)
{
    return id == ENCR_AES_GCM_16 || id == ENCR_AES_GCM_12 || id == ENCR_AES_GCM_8 || id == ENCR_AES_GCM_16_IIV;
}

enum adit_rc ipsecmb_gcm_setup(struct crypt *x, struct adit_span key)
{
    IMB_MGR *m = ipsecmb_stateless(0);
    if (!is_gcm(x->alg->id))
        return ADIT_ERR_NOT_FOUND;
    TRY(ipsecmb_key_new(x, sizeof(struct gcm)));
    struct gcm *g = ipsecmb_key(x);
    switch (key.n) {
    case 16:
        IMB_AES128_GCM_PRE(m, key.p, &g->key);
        g->run = x->seal ? m->gcm128_enc : m->gcm128_dec;
        return ADIT_OK;
    case 24:
        IMB_AES192_GCM_PRE(m, key.p, &g->key);
        g->run = x->seal ? m->gcm192_enc : m->gcm192_dec;
        return ADIT_OK;
    default:
        IMB_AES256_GCM_PRE(m, key.p, &g->key);
        g->run = x->seal ? m->gcm256_enc : m->gcm256_dec;
        return ADIT_OK;
    }
}

void ipsecmb_gcm_run(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    const struct gcm *g = ipsecmb_key(x);
    struct gcm_context_data ctx;
    uint8_t tag[16];
    for (struct crypt_job *j = jobs; j < jobs + n; j++) {
        span_copy(x->nonce + x->alg->salt, span(j->iv, x->alg->nonce_iv));
        g->run(&g->key, &ctx, j->data, j->data, j->n, x->nonce, j->aad, j->aad_n, x->seal ? j->icv : tag, x->icv);
        j->ok = x->seal || secret_equal(span(tag, x->icv), span(j->icv, x->icv));
    }
    mem_wipe(&ctx, sizeof(ctx));
}
