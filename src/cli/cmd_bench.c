/* cmd_bench.c - adit bench ike: what setting up an IKE SA costs, for any list of methods, over a link of any kind. */
#include <stdlib.h>
#include <string.h>
#include "bench/bench.h"
#include "cli/cli.h"

#define METHODS 64
#define CASES 64 /* of one method */
#define RESULTS 1024
#define DEFAULT_METHODS "x25519,mlkem768,x25519-ke1_mlkem768,x25519-ke1_mlkem1024-ke2_frodos5,x25519-ke1_mceliece348864f"

struct bench_job {
    const struct cli_args *args;
    struct bench_plan plan;
    struct arena arena;
    size_t n_methods, n_results;
    struct bench_method method[METHODS];
    struct bench_result *result; /* RESULTS of them */
    unsigned failed;
};

static bool complain(const char *option, const char *value, const char *todo)
{
    fprintf(stderr, "adit bench ike: %s '%s': %s\n", option, value, todo);
    return false;
}

/* --- the command line ------------------------------------------------------------------------------------------------ */

/* The next item of a list with commas, copied; NULL: no more, or memory is out. */
static const char *next_item(struct bench_job *j, const char **at)
{
    *at += strspn(*at, ", ");
    size_t n = strcspn(*at, ", ");
    char *copy = n ? arena_new(&j->arena, n + 1) : NULL;
    if (copy)
        memcpy(copy, *at, n);
    *at += n;
    return copy;
}

/* fallback if it is not said; false, with a word about it, if it is no number from least to most. */
static bool read_number(const char *option, const char *text, double least, double most, double *out)
{
    char *end, todo[80];
    double v = text ? strtod(text, &end) : *out;
    if (text && (end == text || *end || !(v >= least && v <= most))) {
        snprintf(todo, sizeof(todo), "a number from %g to %g is wanted", least, most);
        return complain(option, text, todo);
    }
    *out = v;
    return true;
}

static bool read_losses(struct bench_job *j, const char *list)
{
    const char *item;
    j->plan.n_loss = 0;
    while ((item = next_item(j, &list))) {
        double percent = 0;
        if (!read_number("--loss", item, 0, 90, &percent))
            return false;
        if (j->plan.n_loss == BENCH_LOSSES)
            return complain("--loss", item, "too many of them");
        j->plan.loss[j->plan.n_loss++] = percent / 100;
    }
    return j->plan.n_loss || complain("--loss", "", "percentages, as in 0,1,5");
}

static bool read_reports(struct bench_job *j, const char *list)
{
    const char *item, *known;
    j->plan.n_reports = 0;
    while ((item = next_item(j, &list))) {
        if (!bench_reports_known(item) || j->plan.n_reports == BENCH_FORMS) {
            complain("--reports", item, "is no form of fragment reports. There are, each once: none");
            for (size_t i = 0; (known = bench_reports_at(i)); i++)
                fprintf(stderr, "  %s\n", known);
            return false;
        }
        j->plan.reports[j->plan.n_reports++] = item;
    }
    return j->plan.n_reports || complain("--reports", "", "forms, as in none,list");
}

static bool read_transports(struct bench_job *j, const char *list)
{
    const char *item;
    j->plan.udp = j->plan.tcp = false;
    while ((item = next_item(j, &list)))
        if (strcmp(item, "udp") == 0)
            j->plan.udp = true;
        else if (strcmp(item, "tcp") == 0)
            j->plan.tcp = true;
        else
            return complain("--transport", item, "udp, tcp, or udp,tcp");
    return j->plan.udp || j->plan.tcp || complain("--transport", "", "udp, tcp, or udp,tcp");
}

static bool add_method(struct bench_job *j, const char *name)
{
    struct adit_why why = { 0 };
    if (j->n_methods == METHODS)
        return complain("method", name, "too many of them");
    if (bench_method_parse(name, &j->arena, &j->method[j->n_methods], &why) != ADIT_OK)
        return complain("method", name, why.text);
    j->n_methods++;
    return true;
}

static bool add_methods(struct bench_job *j, const char *list)
{
    const char *item;
    while ((item = next_item(j, &list)))
        if (!add_method(j, item))
            return false;
    return true;
}

static bool read_methods(struct bench_job *j)
{
    const struct cli_args *a = j->args;
    if (a->methods && !add_methods(j, a->methods))
        return false;
    for (int i = 1; i < a->n_words; i++)
        if (!add_methods(j, a->words[i]))
            return false;
    if (a->tree && !add_method(j, "tree"))
        return false;
    return j->n_methods || add_methods(j, DEFAULT_METHODS);
}

static bool read_link(struct bench_job *j)
{
    const struct cli_args *a = j->args;
    struct bench_case *c = &j->plan.base;
    double rtt = 20, mbit = 100, queue = 256, burst = 1, packet = 0, count = 0, seed = 1;
    if (!read_number("--rtt", a->rtt, 0, 10000, &rtt) || !read_number("--rate", a->rate, 0, 100000, &mbit) ||
        !read_number("--queue", a->queue, 0, 1 << 20, &queue) || !read_number("--burst", a->burst, 1, 1000, &burst) || !read_number("--fragment-size", a->packet, 576, 65535, &packet) ||
        !read_number("--count", a->count, 1, 10000, &count) || !read_number("--seed", a->seed, 0, 1e15, &seed))
        return false;
    c->link = (struct bench_link){ .rtt_ns = (uint64_t)(rtt * 1e6), .mbit = mbit, .queue_octets = (size_t)queue * 1024,
                                   .burst = (unsigned)burst };
    c->packet = (unsigned)packet;
    c->count = (unsigned)count;
    c->seed = (uint64_t)seed;
    c->cpu = a->still ? bench_still : bench_cpu;
    return true;
}

static bool read_all(struct bench_job *j)
{
    const struct cli_args *a = j->args;
    bool all = a->tree; /* then what is not said is everything that there is to compare */
    j->plan.stock = a->stock || all;
    if (strcmp(a->words[0], "ike") != 0)
        return complain("what is to be measured:", a->words[0], "say: adit bench ike");
    return read_methods(j) && read_link(j) && read_losses(j, a->loss ? a->loss : all ? "0,1,5" : "0") &&
           read_reports(j, a->reports ? a->reports : all ? "none,bitmap,list" : "list") &&
           read_transports(j, a->transport ? a->transport : all ? "udp,tcp" : "udp");
}

/* --- the run ---------------------------------------------------------------------------------------------------------- */

static void measure(struct bench_job *j, const struct bench_case *c, struct adit_crypto *crypto, bool first)
{
    struct adit_why why = { 0 };
    struct bench_result *r = &j->result[j->n_results];
    if (j->n_results == RESULTS || bench_measure(c, crypto, r, &why) != ADIT_OK) {
        STRBUF(label, 80);
        bench_label(&label, r);
        fprintf(stderr, "adit bench ike: %s: %s\n", label.p, j->n_results == RESULTS ? "too many cases" : why.text);
        j->failed++;
        return;
    }
    if (!j->args->json && first)
        bench_print_method(stdout, r);
    if (!j->args->json)
        bench_print(stdout, r);
    j->n_results++;
}

static void measure_all(struct bench_job *j, struct adit_crypto *crypto)
{
    struct bench_case cases[CASES];
    for (size_t i = 0; i < j->n_methods; i++) {
        size_t n = bench_plan_cases(&j->plan, &j->method[i], crypto, cases, CASES), had = j->n_results;
        for (size_t k = 0; k < n && k < CASES; k++)
            measure(j, &cases[k], crypto, had == j->n_results);
    }
}

static bool draw(const struct bench_job *j, const struct bench_about *about)
{
    FILE *f = fopen(j->args->svg, "w");
    if (f)
        bench_svg(f, about, j->result, j->n_results);
    if (f && fclose(f) == 0)
        return true;
    return complain("--svg", j->args->svg, "cannot be written");
}

static int run(struct bench_job *j)
{
    struct adit_why why = { 0 };
    struct bench_about about;
    struct adit_crypto *crypto = adit_crypto_new(NULL, NULL, &why);
    if (!crypto) {
        fprintf(stderr, "adit bench ike: %s\n", why.text);
        return EXIT_REFUSED;
    }
    bench_about(&about);
    if (!j->args->json)
        bench_print_about(stdout, &about);
    measure_all(j, crypto);
    if (j->args->json)
        bench_json(stdout, &about, j->result, j->n_results);
    bool drawn = !j->args->svg || draw(j, &about);
    adit_crypto_free(crypto);
    return drawn && !j->failed && j->n_results ? EXIT_DONE : EXIT_REFUSED;
}

int cmd_bench(const struct cli_args *a)
{
    static struct bench_job j;
    j = (struct bench_job){ .args = a, .result = calloc(RESULTS, sizeof(*j.result)) };
    int code = EXIT_USAGE;
    if (!j.result)
        fprintf(stderr, "adit bench ike: memory is out\n");
    else if (read_all(&j))
        code = run(&j);
    free(j.result);
    arena_fini(&j.arena);
    return code;
}
