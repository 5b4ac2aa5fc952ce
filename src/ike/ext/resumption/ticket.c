/* ticket.c - a ticket's octets: version, 0 0 0 | key id (8) | salt (16) | sealed { expiry (64) | memo } | ICV. Each ticket
 * has an AES-256-GCM key of its own, derived from the salt: no nonce to keep count of across restarts. */
#include "ike/ext/resumption/resumption.h"
#include "base/mem.h"

#define TICKET_VERSION 1
#define GCM_ICV 16

static enum adit_rc cipher(const struct adit_crypto *crypto, const struct ticket_key *key, struct adit_span salt,
                           bool seal, struct crypt **out)
{
    const struct encr_alg *encr = crypto_encr(crypto, ENCR_AES_GCM_16);
    const struct prf_alg *prf = crypto_prf(crypto, PRF_HMAC_SHA2_256);
    const struct adit_span seed[] = { SPAN_LIT("adit ticket"), salt };
    uint8_t mem[64];
    size_t n = encr ? encr_key_octets(encr, 256) : 0;
    if (!n || n > sizeof(mem) || !prf)
        return ADIT_ERR_CRYPTO;
    TRY(prf_plus(prf, secret_span(&key->secret), seed, ARRAY_LEN(seed), mem, n));
    enum adit_rc rc = crypt_new(crypto, encr, 256, span(mem, n), NULL, SPAN_NONE, seal, out);
    mem_wipe(mem, sizeof(mem));
    return rc;
}

static void write_head(struct wr *w, const struct ticket_key *key, const uint8_t salt[SALT_SIZE])
{
    wr_u8(w, TICKET_VERSION);
    wr_zero(w, 3);
    wr_span(w, SPAN_ARRAY(key->id));
    wr_span(w, span(salt, SALT_SIZE));
}

enum adit_rc ticket_seal(const struct adit_crypto *crypto, const struct ticket_key *key,
                         const uint8_t salt[SALT_SIZE], uint64_t expires, struct adit_span memo,
                         struct adit_buf *out)
{
    static const uint8_t iv[16]; /* one message a key */
    struct crypt *c = NULL;
    struct wr w;
    TRY(buf_resize(out, TICKET_OVERHEAD + memo.n));
    wr_init(&w, out->p, out->n);
    write_head(&w, key, salt);
    wr_u64(&w, expires);
    wr_span(&w, memo);
    TRY(cipher(crypto, key, span(salt, SALT_SIZE), true, &c));
    struct crypt_job job = { .data = out->p + TICKET_HEAD, .n = (uint32_t)(8 + memo.n), .iv = iv, .aad = out->p,
                             .aad_n = TICKET_HEAD, .icv = out->p + out->n - GCM_ICV };
    crypt_seal_many(c, &job, 1);
    crypt_free(c);
    return job.ok ? ADIT_OK : ADIT_ERR_CRYPTO;
}

uint64_t ticket_id(const uint8_t salt[SALT_SIZE])
{
    struct rd in = rd_init(span(salt, SALT_SIZE));
    return rd_u64(&in);
}

static const struct ticket_key *find_key(const struct ticket_key *keys, size_t n, struct adit_span id)
{
    for (size_t i = 0; i < n; i++)
        if (keys[i].secret.n && span_equal(SPAN_ARRAY(keys[i].id), id))
            return &keys[i];
    return NULL;
}

static enum adit_rc open_sealed(const struct adit_crypto *crypto, const struct ticket_key *key,
                                struct adit_span octets, struct ticket *out)
{
    static const uint8_t iv[16];
    struct crypt *c = NULL;
    struct adit_span salt = span_first(span_from(octets, TICKET_HEAD - SALT_SIZE), SALT_SIZE);
    TRY(secret_set(&out->plain, span_from(octets, TICKET_HEAD)));
    TRY(cipher(crypto, key, salt, false, &c));
    size_t n = out->plain.n - GCM_ICV;
    struct crypt_job job = { .data = out->plain.p, .n = (uint32_t)n, .iv = iv, .aad = octets.p, .aad_n = TICKET_HEAD,
                             .icv = out->plain.p + n };
    crypt_open_many(c, &job, 1);
    crypt_free(c);
    if (!job.ok)
        return ADIT_ERR_INTEGRITY;
    struct rd in = rd_init(span(out->plain.p, n));
    out->id = ticket_id(salt.p);
    out->expires = rd_u64(&in);
    out->memo = rd_rest(&in);
    return ADIT_OK;
}

enum adit_rc ticket_open(const struct adit_crypto *crypto, const struct ticket_key *keys, size_t n,
                         struct adit_span octets, struct ticket *out)
{
    struct rd in = rd_init(octets);
    *out = (struct ticket){ 0 };
    if (rd_u32(&in) != (uint32_t)TICKET_VERSION << 24 || octets.n < TICKET_OVERHEAD || octets.n > TICKET_MAX)
        return ADIT_ERR_INTEGRITY;
    const struct ticket_key *key = find_key(keys, n, rd_take(&in, KEY_ID_SIZE));
    enum adit_rc rc = key ? open_sealed(crypto, key, octets, out) : ADIT_ERR_INTEGRITY;
    if (rc != ADIT_OK)
        ticket_fini(out);
    return rc;
}

void ticket_fini(struct ticket *t)
{
    secret_fini(&t->plain);
    t->memo = SPAN_NONE;
}

/* --- used ones ----------------------------------------------------------------------------------------------------- */

bool used_has(const struct used *u, uint64_t id)
{
    return map_get(&u->index, id);
}

void used_add(struct used *u, uint64_t id, uint64_t expires)
{
    if (!u->ring && !(u->ring = mem_new_array(TICKETS_USED, sizeof(*u->ring))))
        return;
    if (used_has(u, id))
        return;
    if (u->ring[u->next].id)
        map_del(&u->index, u->ring[u->next].id);
    u->ring[u->next].id = id;
    u->ring[u->next].expires = expires;
    if (map_put(&u->index, id, &u->ring[u->next]) == ADIT_OK)
        u->next = (u->next + 1) % TICKETS_USED;
}

void used_fini(struct used *u)
{
    map_fini(&u->index);
    mem_del(u->ring);
    u->ring = NULL;
}
