/* secret.h - owned secret bytes: in locked memory that is left out of core dumps, wiped when they go.
 * Has no printer, so that it cannot be logged; compared only in constant time. { 0 } is empty. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/span.h"

#define SECRET_MAX 61440 /* octets in one secret; above 4096 it has a mapping of its own, for keys of KEMs */

struct adit_secret {
    uint8_t *p;
    size_t n;
};

/* n zero octets (old content wiped). ADIT_ERR_LIMIT above SECRET_MAX, ADIT_ERR_MEMORY. */
ADIT_MUST_USE enum adit_rc secret_alloc(struct adit_secret *s, size_t n);
ADIT_MUST_USE enum adit_rc secret_set(struct adit_secret *s, struct adit_span bytes);
/* Makes it shorter; the tail is wiped. */
void secret_trim(struct adit_secret *s, size_t n);
void secret_fini(struct adit_secret *s);
void secret_move(struct adit_secret *to, struct adit_secret *from);
/* Constant time in the contents (not in the lengths). */
bool secret_equal(struct adit_span a, struct adit_span b);
/* For the functions that compute with it, never for printing. */
static inline struct adit_span secret_span(const struct adit_secret *s)
{
    return (struct adit_span){ s->p, s->n };
}
/* Octets in use and how many of them the kernel agreed to lock (for `adit stats`). */
void secret_usage(size_t *in_use, size_t *locked);

#endif
