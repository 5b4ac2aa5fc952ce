/* lanes.c - several packets side by side by Intel's multi-buffer library: ChaCha20-Poly1305 (RFC 7634), and AES-CBC with an
 * HMAC of SHA-2 (RFC 3602, RFC 4868), where each block waits for the one before: other packets fill that time. */
#include "base/mem.h"
#include "base/secret.h"
#include "base/span.h"
#include "crypto/ipsecmb/ipsecmb.h"

#define AT_ONCE 32u
#define CBC_MIN 6u /* fewer packets are done sooner one after the other */
#define BLOCK_MAX 128u /* of SHA2-512 */
#define STATE_MAX 64u

/* An HMAC's row: the hash of a key's inner and outer block is done once. */
struct hmac {
    uint16_t integ;
    IMB_HASH_ALG alg;
    uint8_t block;
};
static const struct hmac hmacs[] = {
    { INTEG_HMAC_SHA2_256_128, IMB_AUTH_HMAC_SHA_256, 64 },
    { INTEG_HMAC_SHA2_384_192, IMB_AUTH_HMAC_SHA_384, 128 },
    { INTEG_HMAC_SHA2_512_256, IMB_AUTH_HMAC_SHA_512, 128 },
};

struct lanes {
    _Alignas(64) uint32_t enc[60];
    _Alignas(64) uint32_t dec[60];
    _Alignas(64) uint8_t inner[STATE_MAX];
    _Alignas(64) uint8_t outer[STATE_MAX];
    uint8_t chacha[32];
    size_t key_n;
    const struct hmac *hmac; /* NULL: ChaCha20-Poly1305 */
};

/* What belongs to one job until the library has done it. */
struct lane {
    struct crypt_job *job;
    uint8_t nonce[16], tag[STATE_MAX], theirs[STATE_MAX];
};

static void hash_block(IMB_MGR *m, const struct hmac *h, const uint8_t *block, uint8_t *out)
{
    if (h->alg == IMB_AUTH_HMAC_SHA_256)
        IMB_SHA256_ONE_BLOCK(m, block, out);
    else if (h->alg == IMB_AUTH_HMAC_SHA_384)
        IMB_SHA384_ONE_BLOCK(m, block, out);
    else
        IMB_SHA512_ONE_BLOCK(m, block, out);
}

static void hash_padded(IMB_MGR *m, const struct hmac *h, struct adit_span key, uint8_t pad, uint8_t *out)
{
    uint8_t block[BLOCK_MAX];
    for (size_t i = 0; i < h->block; i++)
        block[i] = pad ^ (i < key.n ? key.p[i] : 0);
    hash_block(m, h, block, out);
    mem_wipe(block, sizeof(block));
}

static void set_cbc(struct lanes *l, struct adit_span key, const struct hmac *h, struct adit_span integ_key)
{
    IMB_MGR *m = ipsecmb_stateless(0);
    l->hmac = h;
    if (key.n == 16)
        IMB_AES_KEYEXP_128(m, key.p, l->enc, l->dec);
    else if (key.n == 24)
        IMB_AES_KEYEXP_192(m, key.p, l->enc, l->dec);
    else
        IMB_AES_KEYEXP_256(m, key.p, l->enc, l->dec);
    hash_padded(m, h, integ_key, 0x36, l->inner); /* keys are as long as the hash: no longer than a block */
    hash_padded(m, h, integ_key, 0x5c, l->outer);
}

static const struct hmac *hmac_of(const struct integ_alg *integ)
{
    for (const struct hmac *h = hmacs; integ && h < hmacs + ARRAY_LEN(hmacs); h++)
        if (h->integ == integ->id)
            return h;
    return NULL;
}

bool ipsecmb_lanes_fit(const struct crypt *x, const struct integ_alg *integ)
{
    bool chacha = x->alg->id == ENCR_CHACHA20_POLY1305 || x->alg->id == ENCR_CHACHA20_POLY1305_IIV;
    return chacha ? !integ : x->alg->id == ENCR_AES_CBC && hmac_of(integ);
}

enum adit_rc ipsecmb_lanes_setup(struct crypt *x, struct adit_span key, const struct integ_alg *integ,
                                 struct adit_span integ_key)
{
    TRY(ipsecmb_key_new(x, sizeof(struct lanes)));
    struct lanes *l = ipsecmb_key(x);
    l->key_n = key.n;
    if (integ)
        set_cbc(l, key, hmac_of(integ), integ_key);
    else
        span_copy(l->chacha, key);
    return ADIT_OK;
}

static void put_chacha(const struct crypt *x, const struct lanes *l, struct lane *a, IMB_JOB *j)
{
    span_copy(span_copy(a->nonce, span(x->nonce, x->alg->salt)), span(a->job->iv, x->alg->nonce_iv));
    j->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
    j->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
    j->enc_keys = j->dec_keys = l->chacha;
    j->src = j->dst = a->job->data;
    j->iv = a->nonce;
    j->iv_len_in_bytes = 12;
    j->cipher_start_src_offset_in_bytes = j->hash_start_src_offset_in_bytes = 0;
    j->msg_len_to_cipher_in_bytes = j->msg_len_to_hash_in_bytes = a->job->n;
    j->u.CHACHA20_POLY1305.aad = a->job->aad;
    j->u.CHACHA20_POLY1305.aad_len_in_bytes = a->job->aad_n;
}

/* The packet is in one piece: aad | iv | data | ICV. The tail stands where the ICV belongs, while there is none. */
static void put_cbc(const struct crypt *x, const struct lanes *l, struct lane *a, IMB_JOB *j)
{
    struct crypt_job *job = a->job;
    size_t before = job->aad_n + (size_t)x->alg->iv;
    span_copy(a->theirs, span(job->icv, x->icv));
    span_copy(job->icv, span(job->tail, job->tail_n));
    j->cipher_mode = IMB_CIPHER_CBC;
    j->hash_alg = l->hmac->alg;
    j->enc_keys = l->enc;
    j->dec_keys = l->dec;
    j->src = job->data - before;
    j->dst = job->data;
    j->iv = job->iv;
    j->iv_len_in_bytes = 16;
    j->cipher_start_src_offset_in_bytes = before;
    j->msg_len_to_cipher_in_bytes = job->n;
    j->hash_start_src_offset_in_bytes = 0;
    j->msg_len_to_hash_in_bytes = before + job->n + job->tail_n;
    j->u.HMAC._hashed_auth_key_xor_ipad = l->inner;
    j->u.HMAC._hashed_auth_key_xor_opad = l->outer;
}

static bool is_in_one_piece(const struct crypt *x, const struct crypt_job *j)
{
    return j->n && j->n % x->alg->block == 0 && j->iv == j->aad + j->aad_n && j->data == j->iv + x->alg->iv && j->icv == j->data + j->n && j->tail_n <= x->icv;
}

static void settle(const struct crypt *x, struct lane *a, bool done)
{
    struct crypt_job *j = a->job;
    struct adit_span tag = span(a->tag, x->icv), theirs = span(a->theirs, x->icv);
    if (x->alg->id != ENCR_AES_CBC)
        theirs = span(j->icv, x->icv);
    j->ok = done && (x->seal || secret_equal(tag, theirs));
    if (x->seal)
        span_copy(j->icv, tag);
    else if (x->alg->id == ENCR_AES_CBC)
        span_copy(j->icv, theirs);
}

static void settle_all(const struct crypt *x, IMB_MGR *m, IMB_JOB *done)
{
    for (; done; done = IMB_GET_COMPLETED_JOB(m))
        settle(x, done->user_data, done->status == IMB_STATUS_COMPLETED);
}

static void submit(struct crypt *x, IMB_MGR *m, struct lane *a)
{
    const struct lanes *l = ipsecmb_key(x);
    IMB_JOB *j = IMB_GET_NEXT_JOB(m);
    j->cipher_direction = x->seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    j->chain_order = x->seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    j->key_len_in_bytes = l->key_n;
    j->auth_tag_output = a->tag;
    j->auth_tag_output_len_in_bytes = x->icv;
    j->user_data = a;
    if (l->hmac)
        put_cbc(x, l, a, j);
    else
        put_chacha(x, l, a, j);
    settle_all(x, m, IMB_SUBMIT_JOB(m));
}

static bool is_for_lanes(const struct crypt *x, const struct crypt_job *j, size_t n)
{
    return x->alg->id != ENCR_AES_CBC || (n >= CBC_MIN && is_in_one_piece(x, j));
}

/* No more than there are lanes: what they need until they are done is on the stack. */
static size_t some(struct crypt *x, IMB_MGR *m, struct crypt_job *jobs, size_t n)
{
    struct lane lanes[AT_ONCE];
    size_t used = 0, i = 0;
    IMB_JOB *done;
    for (; i < n && used < AT_ONCE; i++) {
        if (!is_for_lanes(x, &jobs[i], n)) {
            jobs[i].ok = x->one(x, &jobs[i]);
            continue;
        }
        jobs[i].ok = false;
        lanes[used].job = &jobs[i];
        submit(x, m, &lanes[used++]);
    }
    while ((done = IMB_FLUSH_JOB(m)))
        settle_all(x, m, done);
    return i;
}

void ipsecmb_lanes_run(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    IMB_MGR *m = ipsecmb_take();
    for (size_t i = 0; i < n && !m; i++)
        jobs[i].ok = false;
    for (size_t i = 0; i < n && m;)
        i += some(x, m, jobs + i, n - i);
    if (m)
        ipsecmb_give(m);
}
