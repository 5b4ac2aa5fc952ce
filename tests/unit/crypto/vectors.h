/* vectors.h - reads tests/vectors/: lines "name hex", each record begun by "vector <what>"; and a random source that
 * hands out given octets, so that a published private key becomes the key that is "generated". */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include "unit.h"
#include "crypto/crypto.h"

#define VECTOR_FIELDS 12
#define VECTOR_MAX 2400

struct vector {
    char what[100];
    size_t n;
    struct {
        char name[20];
        uint8_t bytes[VECTOR_MAX];
        size_t n;
    } field[VECTOR_FIELDS];
};

static inline size_t unhex(const char *hex, uint8_t *out, size_t max)
{
    size_t n = 0;
    unsigned v;
    while (n < max && sscanf(hex + 2 * n, "%2x", &v) == 1)
        out[n++] = (uint8_t)v;
    return n;
}

/* Opens tests/vectors/<name>; the test fails if it is missing. */
static inline FILE *vectors_open(const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", VECTORS, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    return f;
}

/* The next record; false (and the file closed) at the end. */
static inline bool vectors_next(FILE *f, struct vector *v)
{
    static char line[2 * VECTOR_MAX + 64];
    memset(v, 0, sizeof(*v));
    long at = ftell(f);
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "vector ", 7) == 0 && v->what[0]) {
            fseek(f, at, SEEK_SET);
            return true;
        }
        at = ftell(f);
        if (line[0] == '#')
            continue;
        if (strncmp(line, "vector ", 7) == 0) {
            snprintf(v->what, sizeof(v->what), "%.99s", line + 7);
            continue;
        }
        char *space = strchr(line, ' ');
        assert_true(space && v->n < VECTOR_FIELDS);
        *space = '\0';
        snprintf(v->field[v->n].name, sizeof(v->field[0].name), "%.19s", line);
        v->field[v->n].n = unhex(space + 1, v->field[v->n].bytes, VECTOR_MAX);
        v->n++;
    }
    if (v->what[0])
        return true;
    fclose(f);
    return false;
}

static inline struct adit_span vector_get(const struct vector *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->field[i].name, name) == 0)
            return span(v->field[i].bytes, v->field[i].n);
    return SPAN_NONE;
}

static inline unsigned vector_u16(const struct vector *v, const char *name)
{
    struct adit_span s = vector_get(v, name);
    return s.n == 2 ? (unsigned)(s.p[0] << 8 | s.p[1]) : 0;
}

/* Randomness for adit_crypto_new(): first what was set, then a generator's output (xorshift64*). */
struct script {
    struct adit_span next;
    uint64_t state;
};
static inline bool script_random(void *arg, uint8_t *out, size_t n)
{
    struct script *s = arg;
    size_t take = n < s->next.n ? n : s->next.n;
    out = span_copy(out, span_first(s->next, take));
    s->next = span_from(s->next, take);
    for (size_t i = take; i < n; i++) {
        s->state ^= s->state >> 12;
        s->state ^= s->state << 25;
        s->state ^= s->state >> 27;
        *out++ = (uint8_t)(s->state * UINT64_C(0x2545f4914f6cdd1d) >> 56);
    }
    return true;
}

static inline struct adit_crypto *crypto_or_fail(adit_random_fn *random, void *arg)
{
    struct adit_why why = { 0 };
    struct adit_crypto *c = adit_crypto_new(random, arg, &why);
    if (!c)
        fail_msg("%s", why.text);
    return c;
}

static inline const struct ke_alg *ke_by_name(const struct adit_crypto *c, const char *name)
{
    const struct ke_alg *a;
    for (size_t i = 0; (a = crypto_ke_at(c, i)); i++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

/* Both sides with given private keys (ECDH-like methods): public values and both secrets as in the record. */
static inline void check_exchange(const struct vector *v)
{
    struct script script = { .state = 1 };
    struct adit_crypto *c = crypto_or_fail(script_random, &script);
    const struct ke_alg *a = ke_by_name(c, v->what);
    assert_row(v->what, a);
    struct ke_state *st = NULL;
    struct adit_buf gi = { 0 }, gr = { 0 };
    struct adit_secret si = { 0 }, sr = { 0 };
    script.next = vector_get(v, "i");
    assert_row(v->what, a->ops->init(c, a, &st, &gi) == ADIT_OK);
    assert_row(v->what, span_equal(buf_span(&gi), vector_get(v, "gi")));
    script.next = vector_get(v, "r");
    assert_row(v->what, a->ops->respond(c, a, buf_span(&gi), &gr, &sr) == ADIT_OK);
    assert_row(v->what, span_equal(buf_span(&gr), vector_get(v, "gr")));
    assert_row(v->what, a->ops->finish(c, a, st, buf_span(&gr), &si) == ADIT_OK);
    assert_row(v->what, span_equal(secret_span(&si), vector_get(v, "secret")));
    assert_row(v->what, span_equal(secret_span(&sr), vector_get(v, "secret")));
    a->ops->free(st);
    buf_fini(&gi);
    buf_fini(&gr);
    secret_fini(&si);
    secret_fini(&sr);
    adit_crypto_free(c);
}

#endif
