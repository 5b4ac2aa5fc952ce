/* reference.c - prints the pages of docs/reference/ from the tables of the program itself.
 * usage: reference codepoints|key-exchange|counters|options|extensions|quirks (scripts/gen-docs calls it) */
#include <stdio.h>
#include <string.h>
#include "conformance/conformance.h"
#include "crypto/crypto.h"
#include "base/why.h"
#include "adit/ike.h"
#include "base/span.h"
#include "ike/quirks.h"
#include "model/model.h"
#include "wire/iana.h"

static const struct {
    enum iana_registry registry;
    const char *title;
} registries[] = {
    { IANA_XCHG, "Exchange types" },
    { IANA_PLD, "Payload types" },
    { IANA_PROTO, "Protocols" },
    { IANA_TT, "Transform types" },
    { IANA_ENCR, "Encryption (transform type 1)" },
    { IANA_PRF, "PRF (2)" },
    { IANA_INTEG, "Integrity (3)" },
    { IANA_KE, "Key exchange (4, 6-12)" },
    { IANA_SN, "Sequence numbers (5)" },
    { IANA_ID, "Identifications" },
    { IANA_CERTENC, "Certificate encodings" },
    { IANA_AUTH, "Authentication methods" },
    { IANA_HASH, "Hashes of signatures" },
    { IANA_N, "Notify messages" },
    { IANA_TS, "Traffic selectors" },
    { IANA_ATTR, "Transform attributes" },
    { IANA_CFG, "Configuration payload types" },
    { IANA_CPATTR, "Configuration payload attributes" },
};

static const char *status_words(char status)
{
    return status == 'A' ? "IANA" : status == 'T' ? "not assigned yet" : "private";
}

/* The configuration words of a transform: "`x25519`, `curve25519`". */
static void print_keywords(enum iana_registry registry, unsigned value)
{
    const char *word, *comma = "";
    for (size_t i = 0; (word = iana_keyword_at(i)); i++) {
        struct transform t;
        if (!iana_keyword_get(word, strlen(word), &t) || iana_of_transform(t.type) != registry ||
            t.id != value)
            continue;
        printf("%s`%s`", comma, word);
        comma = ", ";
    }
}

static const char *cost_words(enum crypto_cost cost)
{
    return cost == CRYPTO_CHEAP ? "cheap" : cost == CRYPTO_MEDIUM ? "medium" : "slow";
}

/* Every row that the libraries of this build have. */
static void key_exchange(void)
{
    struct adit_why why = { 0 };
    struct adit_crypto *c = adit_crypto_new(NULL, NULL, &why);
    const struct ke_alg *a;
    printf("# Key exchange methods\n\nWhat [key-exchange](../key-exchange.md) is about, as the program's tables have it. Sizes "
           "are octets of Key Exchange Data and of the\nshared secret; cheap calls (up to 300 us) run at once, the others in "
           "the work pool, slow ones (over 5 ms) behind the rest.\n\n"
           "| method | number | configuration | request | response | secret | cost | computed by | a peer's value is checked for |\n"
           "|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; c && (a = crypto_ke_at(c, i)); i++) {
        printf("| %s | %u | ", a->name, a->id);
        print_keywords(IANA_KE, a->id);
        printf(" | %u | %u | %u | %s | %s | %s |\n", a->init_size, a->resp_size, a->secret_size, cost_words(a->cost),
               a->ops->library, a->checks);
    }
    adit_crypto_free(c);
}

static bool is_transform(enum iana_registry r)
{
    return r == IANA_ENCR || r == IANA_PRF || r == IANA_INTEG || r == IANA_KE || r == IANA_SN;
}

static void print_registry(enum iana_registry registry, const char *title)
{
    size_t n;
    const struct iana_row *rows = iana_rows(&n);
    bool words = is_transform(registry);
    printf("\n## %s\n\n| number | name | status | document |%s\n|---|---|---|---|%s\n", title,
           words ? " configuration |" : "", words ? "---|" : "");
    for (size_t i = 0; i < n; i++) {
        if (rows[i].registry != registry)
            continue;
        printf("| %u | %s | %s | %s |", rows[i].value, rows[i].name, status_words(rows[i].status),
               rows[i].spec);
        if (words) {
            putchar(' ');
            print_keywords(registry, rows[i].value);
            printf(" |");
        }
        putchar('\n');
    }
}

static void codepoints(void)
{
    printf(
        "# Code points\n\nEvery number that Adit knows by name (`src/wire/iana.def`, `src/wire/keywords.def`). Knowing a "
        "name is not the same as\nspeaking it: what is offered and accepted says `adit list-algs`.\n");
    for (size_t i = 0; i < ARRAY_LEN(registries); i++)
        print_registry(registries[i].registry, registries[i].title);
}

static void counters(void)
{
    printf("# Counters\n\nWhat the engine counts since its start, in all and for each connection "
           "(`include/adit/counters.def`).\n\n| name |\n|---|\n");
    for (unsigned i = 0; i < ADIT_COUNTERS; i++)
        printf("| `%s` |\n", adit_ike_counter_name(i));
}

static const char *scope_words(enum adit_option_scope scope)
{
    return scope == ADIT_OPT_CONN ? "connection" : scope == ADIT_OPT_CHILD ? "child" : "daemon";
}

static void print_values(const struct adit_option_def *o)
{
    static const char *const types[] = { [ADIT_OPT_BOOL] = "yes, no", [ADIT_OPT_UINT] = "number", [ADIT_OPT_TIME] = "time",
                                         [ADIT_OPT_TEXT] = "text", [ADIT_OPT_ADDRS] = "addresses", [ADIT_OPT_TEXTS] = "list" };
    if (o->type != ADIT_OPT_WORD) {
        printf("%s", types[o->type]);
        return;
    }
    for (const char *c = o->words; *c; c++) {
        if (*c == '|')
            printf(", ");
        else
            putchar(*c);
    }
}

static void options(void)
{
    size_t n;
    const struct adit_option_def *o = adit_ike_options(&n);
    printf("# Options of extensions\n\nKeys that protocol extensions add to the configuration.\n\n"
           "| key | where | values | default | meaning | extension |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        printf("| `%s` | %s | ", o[i].key, scope_words(o[i].scope));
        print_values(&o[i]);
        printf(" | %s | %s | [%s](../ext/%s.md) |\n", o[i].deflt, o[i].doc, o[i].owner, o[i].owner);
    }
}

static void extensions(void)
{
    const char *name, *spec;
    printf(
        "# Extensions\n\nWhat this build speaks beyond RFC 7296, in the order of their notifies on the wire "
        "(`src/ike/ext/registry.def`).\n\n| extension | document |\n|---|---|\n");
    for (size_t i = 0; adit_ike_extension(i, &name, &spec); i++)
        printf("| [%s](../ext/%s.md) | %s |\n", name, name, spec);
}

static void quirks(void)
{
    size_t n;
    const struct quirk_row *r = quirk_rows(&n);
    printf("# What peers do otherwise\n\nAdit finds out what kind of peer it has, or is told: `connections.CONN.peer`. `adit "
           "list-sas` shows\n`peer-kind`, and by which evidence.\n\n| `peer` | known by, beside the configuration |\n|---|---|\n");
    for (unsigned k = PEER_UNKNOWN + 1; k < PEER_KINDS; k++)
        printf("| %s | %s |\n", peer_kind_name(k), peer_known_by(k) ? peer_known_by(k) : "-");
    printf("\n| peer | does | Adit | it takes | known from | tested in |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++)
        printf("| %s | %s | %s | %s | %s | `%s` |\n", r[i].kind ? peer_kind_name(r[i].kind) : "several", r[i].does,
               r[i].answer, r[i].flag ? peer_evidence_name(r[i].least) : "nothing: with everybody", r[i].source, r[i].test);
}

static void adversary(void)
{
    size_t n;
    const struct behaviour *rows = conformance_rows(&n);
    printf("# The adversary's catalogue\n\n%zu ways to misbehave towards an IKEv2 peer (`src/conformance/catalogue/`), and what "
           "has to come of it. `tests/sim/test_adversary.c`\nplays each of them against the engine, with an honest peer "
           "beside it: the row's name is the test's. [`adit conformance`](../conformance-tool.md) plays them\nagainst other daemons. \"choice\": "
           "the documents leave it open, and this is how we see it.\n\n"
           "| name | document | the puppet is | stage | level | what it does | what has to happen |\n"
           "|---|---|---|---|---|---|---|\n", n);
    for (size_t i = 0; i < n; i++)
        printf("| `%s` | %s | %s | %s | %s | %s | %s |\n", rows[i].name, rows[i].section,
               conformance_role_name(rows[i].role), conformance_stage_name(rows[i].stage),
               conformance_level_name(rows[i].level), rows[i].what, rows[i].expected);
}

static const struct {
    const char *name;
    void (*print)(void);
} pages[] = {
    { "codepoints", codepoints },
    { "key-exchange", key_exchange },
    { "counters", counters },
    { "options", options },
    { "extensions", extensions },
    { "quirks", quirks },
    { "adversary", adversary },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < ARRAY_LEN(pages); i++)
        if (strcmp(argv[1], pages[i].name) == 0) {
            pages[i].print();
            return 0;
        }
    fprintf(stderr, "usage: reference codepoints|counters|options|extensions|quirks|adversary\n");
    return 2;
}
