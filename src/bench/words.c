/* words.c - methods and forms of fragment reports as the command line has them. The forms are found in the engine's table of
 * options, by what their names have in common: whichever there are can be measured. */
#include <stdio.h>
#include <string.h>
#include "base/why.h"
#include "bench/bench.h"
#include "wire/iana.h"

#define FRAME "aes256gcm16-prfsha384-" /* what a method that is only key exchanges gets in front */
#define FORMS "fragack"                /* options of all forms of reports begin so */

/* Does it begin with a cipher, as whole proposals do? */
static bool is_whole(const char *word)
{
    struct transform t;
    return iana_keyword_get(word, strcspn(word, "-"), &t) && t.type == TT_ENCR;
}

static bool is_exchange(const char *word)
{
    struct transform t;
    return iana_keyword_get(word, strcspn(word, "-"), &t) && t.type == TT_KE;
}

/* One item: what it means besides a list of items is asked of somebody else. */
static enum adit_rc parse(struct bench_method *m, struct arena *a, struct adit_why *why)
{
    const char *item = m->ike;
    return proposals_parse(&item, 1, PROTO_IKE, a, &m->proposals, why);
}

enum adit_rc bench_method_parse(const char *name, struct arena *a, struct bench_method *out, struct adit_why *why)
{
    const char *what = strcmp(name, "tree") == 0 ? BENCH_TREE : name;
    *out = (struct bench_method){ .name = name };
    if (strlen(what) + sizeof(FRAME) > sizeof(out->ike))
        return why_set(why, ADIT_ERR_CONFIG, "a method of more than %zu characters", sizeof(out->ike) - sizeof(FRAME));
    snprintf(out->ike, sizeof(out->ike), "%s", what);
    if (!is_whole(what) && parse(out, a, NULL) == ADIT_OK)
        return ADIT_OK; /* a preset */
    snprintf(out->ike, sizeof(out->ike), "%s%s", is_whole(what) ? "" : FRAME, what);
    enum adit_rc rc = parse(out, a, why);
    if (rc == ADIT_ERR_CONFIG && !is_whole(what) && !is_exchange(what))
        why_context(why, rc, "'%.60s' begins neither with a key exchange (adit list-algs) nor with a cipher, and is no preset",
                    name);
    return rc;
}

static const struct adit_option_def *form(size_t at)
{
    size_t n;
    const struct adit_option_def *o = adit_ike_options(&n);
    for (size_t i = 0; i < n; i++)
        if (o[i].scope == ADIT_OPT_CONN && strncmp(o[i].key, FORMS, strlen(FORMS)) == 0 && at-- == 0)
            return &o[i];
    return NULL;
}

const char *bench_reports_option(size_t i)
{
    return form(i) ? form(i)->key : NULL;
}

const char *bench_reports_at(size_t i)
{
    return form(i) ? form(i)->key + strlen(FORMS) : NULL;
}

bool bench_reports_known(const char *word)
{
    const char *known;
    for (size_t i = 0; (known = bench_reports_at(i)); i++)
        if (strcmp(known, word) == 0)
            return true;
    return strcmp(word, "none") == 0;
}
