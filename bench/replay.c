/* replay.c - the linker's --wrap leads the engine's calls into crypto/ through here. An opening is done again as a sealing
 * of the same length: it is the same work, and there is no ciphertext to open. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "replay.h"

#define NOTES_MAX 512
#define LONGEST 8192

enum kind { PRF, PRF_PLUS, HASH, KEY_SETUP, SEAL };
struct note {
    enum kind kind;
    uint16_t id, bits; /* of the PRF, hash or cipher */
    uint16_t key, in, out; /* octets */
};
static struct note notes[NOTES_MAX];
static unsigned n_notes;
static bool recording;

static struct note *note(enum kind kind, unsigned id, size_t key, size_t in, size_t out)
{
    if (!recording || n_notes == NOTES_MAX)
        return NULL;
    notes[n_notes] = (struct note){ kind, (uint16_t)id, 0, (uint16_t)key, (uint16_t)in, (uint16_t)out };
    return &notes[n_notes++];
}

void replay_record(bool on)
{
    if (on)
        n_notes = 0;
    recording = on;
}

unsigned replay_count(void)
{
    return n_notes;
}

static size_t total(const struct adit_span *parts, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += parts[i].n;
    return sum;
}

/* --- what the linker calls instead ------------------------------------------------------------------------------------- */

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
enum adit_rc __real_prf_compute(const struct prf_alg *, struct adit_span, const struct adit_span *, size_t, uint8_t *);
enum adit_rc __real_prf_plus(const struct prf_alg *, struct adit_span, const struct adit_span *, size_t, uint8_t *, size_t);
size_t __real_crypto_hash(uint16_t, const struct adit_span *, size_t, uint8_t *);
enum adit_rc __real_crypt_new(const struct adit_crypto *, const struct encr_alg *, uint16_t, struct adit_span,
                              const struct integ_alg *, struct adit_span, bool, struct crypt **);
void __real_crypt_seal_many(struct crypt *, struct crypt_job *, size_t);
void __real_crypt_open_many(struct crypt *, struct crypt_job *, size_t);

enum adit_rc __wrap_prf_compute(const struct prf_alg *prf, struct adit_span key, const struct adit_span *parts, size_t n,
                                uint8_t *out)
{
    note(PRF, prf->id, key.n, total(parts, n), prf->out);
    return __real_prf_compute(prf, key, parts, n, out);
}

enum adit_rc __wrap_prf_plus(const struct prf_alg *prf, struct adit_span key, const struct adit_span *seed, size_t n_seed,
                             uint8_t *out, size_t n)
{
    note(PRF_PLUS, prf->id, key.n, total(seed, n_seed), n);
    return __real_prf_plus(prf, key, seed, n_seed, out, n);
}

size_t __wrap_crypto_hash(uint16_t hash, const struct adit_span *parts, size_t n, uint8_t *out)
{
    note(HASH, hash, 0, total(parts, n), 0);
    return __real_crypto_hash(hash, parts, n, out);
}

enum adit_rc __wrap_crypt_new(const struct adit_crypto *c, const struct encr_alg *encr, uint16_t bits, struct adit_span key,
                              const struct integ_alg *integ, struct adit_span integ_key, bool seal, struct crypt **out)
{
    struct note *k = integ ? NULL : note(KEY_SETUP, encr->id, key.n, 0, 0);
    if (k)
        k->bits = bits;
    return __real_crypt_new(c, encr, bits, key, integ, integ_key, seal, out);
}

void __wrap_crypt_seal_many(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        note(SEAL, 0, jobs[i].aad_n, jobs[i].n, 0);
    __real_crypt_seal_many(x, jobs, n);
}

void __wrap_crypt_open_many(struct crypt *x, struct crypt_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        note(SEAL, 0, jobs[i].aad_n, jobs[i].n, 0);
    __real_crypt_open_many(x, jobs, n);
}

/* --- once more, bare -------------------------------------------------------------------------------------------------------- */

static uint8_t data[LONGEST];

static bool seal(struct crypt *x, const struct note *k)
{
    uint8_t iv[16] = { 0 }, aad[LONGEST] = { 0 }, icv[64];
    struct crypt_job j = { .data = data, .n = k->in, .iv = iv, .aad = aad, .aad_n = k->key, .icv = icv };
    if (!x)
        return false;
    __real_crypt_seal_many(x, &j, 1);
    return j.ok;
}

static bool set_up(struct adit_crypto *c, const struct note *k, struct crypt **x)
{
    crypt_free(*x);
    *x = NULL;
    return __real_crypt_new(c, crypto_encr(c, k->id), k->bits, span(data, k->key), NULL, SPAN_NONE, true, x) == ADIT_OK;
}

static bool again(struct adit_crypto *c, const struct note *k, struct crypt **x)
{
    uint8_t out[LONGEST];
    struct adit_span in = span(data, k->in), key = span(data, k->key);
    switch (k->kind) {
    case PRF: return __real_prf_compute(crypto_prf(c, k->id), key, &in, 1, out) == ADIT_OK;
    case PRF_PLUS: return __real_prf_plus(crypto_prf(c, k->id), key, &in, 1, out, k->out) == ADIT_OK;
    case HASH: return __real_crypto_hash(k->id, &in, 1, out) > 0;
    case KEY_SETUP: return set_up(c, k, x);
    case SEAL: return seal(*x, k);
    }
    return false;
}

/* The key set-ups come first: a message is sealed with whatever key there is. */
bool replay_run(struct adit_crypto *c)
{
    struct crypt *x = NULL;
    bool ok = true;
    for (unsigned i = 0; ok && i < n_notes; i++)
        ok = notes[i].kind != KEY_SETUP || again(c, &notes[i], &x);
    for (unsigned i = 0; ok && i < n_notes; i++)
        ok = notes[i].kind == KEY_SETUP || again(c, &notes[i], &x);
    crypt_free(x);
    return ok;
}
