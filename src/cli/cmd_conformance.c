/* cmd_conformance.c - adit conformance PEER: the adversary's catalogue against a daemon of one's own, in a laboratory. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "cli/lab.h"
#include "model/model.h"

/* More than this in a row that leave the peer unable to serve: it is down. */
#define DEAD_AFTER 3
#define DEFAULT_IKE "aes256gcm16-prfsha384-x25519"
#define DEFAULT_ESP "aes256gcm16"
#define FILE_MAX 32768 /* octets of a certificate or a key */

enum outcome { PASSED, FAILED, DIFFERS, SKIPPED, OUTCOMES };
static const char *const outcome_names[] = { "passed", "failed", "differs", "skipped" };

struct tally {
    const struct cli_args *args;
    FILE *junit;
    unsigned total[OUTCOMES];
    unsigned dead; /* rows in a row */
    struct {
        const char *section;
        unsigned n[OUTCOMES];
    } section[128];
    size_t n_sections;
};

static bool complain(const char *what)
{
    fprintf(stderr, "adit conformance: %s\n", what);
    return false;
}

/* --- which rows ------------------------------------------------------------------------------------------------------ */

static bool is_wanted(const struct cli_args *a, const struct behaviour *b)
{
    if (a->select)
        return strcmp(b->name, a->select) == 0;
    if (a->section && !strstr(b->section, a->section))
        return false;
    return a->list || (b->role == CONFORMANCE_RESPONDER) == a->listen;
}

static int list_rows(const struct cli_args *a)
{
    size_t n;
    const struct behaviour *rows = conformance_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (is_wanted(a, &rows[i]))
            printf("%-30s %-18s %-9s %-11s %-6s %s: %s\n", rows[i].name, rows[i].section,
                   conformance_role_name(rows[i].role), conformance_stage_name(rows[i].stage),
                   conformance_level_name(rows[i].level), rows[i].what, rows[i].expected);
    return EXIT_DONE;
}

/* --- what is said on the command line -------------------------------------------------------------------------------- */

/* The first line of a file. */
static bool read_secret(const char *path, char *mem, size_t cap, struct adit_span *out)
{
    FILE *f = fopen(path, "r");
    if (!f || !fgets(mem, (int)cap, f)) {
        fprintf(stderr, "adit conformance: cannot read the secret from %s\n", path);
        if (f)
            fclose(f);
        return false;
    }
    fclose(f);
    *out = span(mem, strcspn(mem, "\r\n"));
    return out->n > 0 || complain("the file with the secret is empty");
}

/* What files hold; wiped at the end. */
static struct {
    char psk[1024];
    uint8_t cert[FILE_MAX], key[FILE_MAX], ca[FILE_MAX];
} files;

static bool read_file(const char *path, uint8_t mem[FILE_MAX], struct adit_span *out)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(mem, 1, FILE_MAX, f) : 0;
    if (f)
        fclose(f);
    *out = span(mem, n);
    if (n == 0 || n == FILE_MAX)
        fprintf(stderr, "adit conformance: cannot read %s, or it is no certificate or key\n", path);
    return n > 0 && n < FILE_MAX;
}

/* A pre-shared key, or a certificate with its key and the CA of both; beside that a key for a peer that has one. */
static bool read_credentials(const struct cli_args *a, struct conformance_params *p)
{
    bool whole = a->cert && a->key && a->ca;
    p->unix_now = (uint64_t)time(NULL);
    if ((a->cert || a->key || a->ca) && !whole)
        return complain("--cert, --key and --ca belong together: the puppet's certificate, its key, and the CA of both ends");
    if (!whole && !a->psk)
        return complain("--psk FILE, or --cert, --key and --ca are missing: the puppet has to get behind the keys");
    if (a->psk && !read_secret(a->psk, files.psk, sizeof(files.psk), &p->psk))
        return false;
    return !whole || (read_file(a->cert, files.cert, &p->cert) && read_file(a->key, files.key, &p->key) &&
                      read_file(a->ca, files.ca, &p->ca));
}

static bool read_selector(const char *text, struct adit_ts *out)
{
    struct adit_ts_cfg cfg;
    struct adit_why why;
    if (ts_parse(text, &cfg, &why) != ADIT_OK)
        return complain(why.text);
    *out = cfg.ts;
    return true;
}

static bool read_ids(const struct cli_args *a, struct conformance_params *p, struct arena *arena)
{
    struct adit_why why;
    if (id_parse(a->id ? a->id : "puppet.example", arena, NULL, NULL, &p->id, &why) != ADIT_OK)
        return complain(why.text);
    if (a->remote_id && id_parse(a->remote_id, arena, NULL, NULL, &p->peer_id, &why) != ADIT_OK)
        return complain(why.text);
    return true;
}

static bool read_params(const struct cli_args *a, struct conformance_params *p, struct arena *arena)
{
    struct adit_why why = { 0 };
    long long seconds = format_number(a->timeout ? a->timeout : "", 2);
    p->ike = a->proposal ? a->proposal : DEFAULT_IKE;
    p->esp = a->esp ? a->esp : DEFAULT_ESP;
    p->answer_ms = (unsigned)(seconds < 1 ? 1 : seconds > 60 ? 60 : seconds) * 1000;
    p->quiet_ms = p->answer_ms / 3;
    p->no_epilogue = a->listen;
    if (!a->own)
        return complain("this attacks the peer: say --i-own-this if it is yours, and stands in a laboratory");
    if (!read_credentials(a, p) || !read_ids(a, p, arena) ||
        !read_selector(a->local_ts ? a->local_ts : "10.66.0.0/16", &p->ts) ||
        !read_selector(a->remote_ts ? a->remote_ts : "0.0.0.0/0", &p->peer_ts))
        return false;
    p->crypto = adit_crypto_new(NULL, NULL, &why);
    if (!p->crypto || conformance_check(p, &why) != ADIT_OK)
        return complain(why.text);
    return true;
}

/* --- results --------------------------------------------------------------------------------------------------------- */

static enum outcome judge(const struct behaviour *b, const struct conformance_result *r)
{
    if (r->verdict == VERDICT_PASSED)
        return PASSED;
    if (r->verdict == VERDICT_SKIPPED)
        return SKIPPED;
    return b->level == LEVEL_MUST || strncmp(r->text, "afterwards", 10) == 0 ? FAILED : DIFFERS;
}

static void count(struct tally *t, const char *section, enum outcome o)
{
    size_t i = 0;
    while (i < t->n_sections && strcmp(t->section[i].section, section) != 0)
        i++;
    t->total[o]++;
    if (i == sizeof(t->section) / sizeof(t->section[0]))
        return;
    t->n_sections += i == t->n_sections;
    t->section[i].section = section;
    t->section[i].n[o]++;
}

static void print_json(const struct behaviour *b, enum outcome o, const char *text)
{
    struct adit_buf message = { 0 };
    struct vici_build build;
    struct arena arena = { 0 };
    struct vici_node *root;
    vici_build_init(&build, &message);
    vici_str(&build, "name", b->name);
    vici_str(&build, "section", b->section);
    vici_str(&build, "level", conformance_level_name(b->level));
    vici_str(&build, "what", b->what);
    vici_str(&build, "expected", b->expected);
    vici_str(&build, "outcome", outcome_names[o]);
    vici_str(&build, "reason", text);
    if (vici_build_finish(&build) == ADIT_OK && vici_parse(buf_span(&message), &arena, &root, NULL) == ADIT_OK)
        out_event_json(NULL, "behaviour", root);
    arena_fini(&arena);
    buf_fini(&message);
}

static void put_xml(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        default: fputc((unsigned char)*text < 32 ? ' ' : *text, f);
        }
}

static void print_junit(FILE *f, const struct behaviour *b, enum outcome o, const char *text)
{
    fprintf(f, "  <testcase classname=\"%s\" name=\"%s\">", b->section, b->name);
    if (o == FAILED || o == SKIPPED) {
        fprintf(f, "<%s message=\"", o == FAILED ? "failure" : "skipped");
        put_xml(f, text);
        fputs("\"/>", f);
    } else if (o == DIFFERS) {
        fputs("<system-out>differs: ", f);
        put_xml(f, text);
        fputs("</system-out>", f);
    }
    fputs("</testcase>\n", f);
}

static void report(struct tally *t, const struct behaviour *b, const struct conformance_result *r)
{
    enum outcome o = judge(b, r);
    count(t, b->section, o);
    t->dead = strncmp(r->text, "afterwards", 10) == 0 ? t->dead + 1 : 0;
    if (t->junit)
        print_junit(t->junit, b, o, r->text);
    if (t->args->json) {
        print_json(b, o, r->text);
        return;
    }
    printf("%-8s %-30s %-18s %s\n", outcome_names[o], b->name, b->section, b->what);
    if (o != PASSED)
        printf("         wanted: %s; %s\n", b->expected, r->text);
    fflush(stdout);
}

static void summary(const struct tally *t)
{
    printf("\n%-20s %7s %7s %7s %7s\n", "section", "passed", "failed", "differs", "skipped");
    for (size_t i = 0; i < t->n_sections; i++)
        printf("%-20s %7u %7u %7u %7u\n", t->section[i].section, t->section[i].n[PASSED], t->section[i].n[FAILED],
               t->section[i].n[DIFFERS], t->section[i].n[SKIPPED]);
    printf("%-20s %7u %7u %7u %7u\n", "all", t->total[PASSED], t->total[FAILED], t->total[DIFFERS], t->total[SKIPPED]);
}

/* --- the run --------------------------------------------------------------------------------------------------------- */

/* An honest handshake first: where that does not work, refusals say nothing. */
static bool serves(const struct conformance_params *p)
{
    static const struct behaviour nothing = { .name = "an honest handshake" };
    struct conformance_result result;
    if (p->no_epilogue)
        return true;
    conformance_play(p, &nothing, &result);
    if (result.verdict != VERDICT_PASSED)
        fprintf(stderr, "adit conformance: the peer does not serve an honest puppet: %s\n", result.text);
    return result.verdict == VERDICT_PASSED;
}

static bool play_all(const struct conformance_params *p, struct tally *t)
{
    size_t n, played = 0;
    const struct behaviour *rows = conformance_rows(&n);
    for (size_t i = 0; i < n && t->dead < DEAD_AFTER; i++) {
        struct conformance_result result;
        if (!is_wanted(t->args, &rows[i]))
            continue;
        conformance_play(p, &rows[i], &result);
        report(t, &rows[i], &result);
        played++;
    }
    if (t->dead >= DEAD_AFTER)
        complain("the peer no longer serves anybody: stopped");
    return played > 0 || complain("no behaviour is selected; --list shows all");
}

static int run(const struct conformance_params *p, const struct cli_args *a)
{
    static struct tally t;
    t = (struct tally){ .args = a, .junit = a->junit ? fopen(a->junit, "w") : NULL };
    if (a->junit && !t.junit) {
        fprintf(stderr, "adit conformance: cannot write %s\n", a->junit);
        return EXIT_USAGE;
    }
    if (t.junit)
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"adit conformance\">\n", t.junit);
    bool good = serves(p) && play_all(p, &t);
    if (t.junit) {
        fputs("</testsuite>\n", t.junit);
        fclose(t.junit);
    }
    if (good && !a->json)
        summary(&t);
    return good && !t.total[FAILED] ? EXIT_DONE : EXIT_REFUSED;
}

int cmd_conformance(const struct cli_args *a)
{
    struct conformance_params params = { 0 };
    struct arena arena = { 0 };
    struct lab lab = { .fd = -1 };
    int code = EXIT_USAGE;
    if (a->list)
        return list_rows(a);
    signal(SIGCHLD, SIG_IGN); /* triggers are not waited for */
    if (a->n_words != 1)
        complain("whose? Name the peer's address");
    else if (read_params(a, &params, &arena) && lab_open(&lab, a)) {
        params.port = lab_port(&lab);
        code = run(&params, a);
    }
    lab_close(&lab);
    adit_crypto_free(params.crypto);
    arena_fini(&arena);
    mem_wipe(&files, sizeof(files));
    return code;
}
