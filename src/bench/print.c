/* print.c - results for people: where they come from, a head for each method, a line for each case. */
#include <string.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "bench/bench.h"

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

/* The first processor's name; letters that are safe in any document. */
static void read_cpu(char *out, size_t cap)
{
    char line[300], *value = NULL;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && !value && fgets(line, sizeof(line), f))
        if (strncmp(line, "model name", 10) == 0)
            value = strchr(line, ':');
    snprintf(out, cap, "%.*s", (int)cap - 1, value ? value + 2 : "unknown processor");
    if (f)
        fclose(f);
    for (char *c = out; *c; c++)
        if (*c < ' ' || strchr("\"\\<>&", *c))
            *c = *c == '\n' ? 0 : '_';
}

void bench_about(struct bench_about *out)
{
    struct utsname u;
    *out = (struct bench_about){ .cores = sysconf(_SC_NPROCESSORS_ONLN) };
    read_cpu(out->cpu, sizeof(out->cpu));
    if (uname(&u) == 0)
        snprintf(out->kernel, sizeof(out->kernel), "%.40s %.50s", u.sysname, u.release);
    if (getloadavg(&out->load, 1) != 1)
        out->load = 0;
}

void bench_label(struct strbuf *out, const struct bench_result *r)
{
    strbuf_add(out, r->of.tcp ? "TCP" : "UDP");
    if (!r->of.tcp && r->of.link.loss > 0)
        strbuf_addf(out, ", %g %% lost", r->of.link.loss * 100);
    if (!r->of.tcp && r->of.link.loss > 0 && r->of.link.burst > 1)
        strbuf_addf(out, " in rows of %u", r->of.link.burst);
    if (!r->of.tcp && r->middle.fragments)
        strbuf_addf(out, ", reports: %s", r->of.reports);
    if (r->of.stock)
        strbuf_add(out, ", stock full");
}

void bench_print_about(FILE *to, const struct bench_about *about)
{
    fprintf(to, "%s, %ld cores, %s, load %.1f. Two engines in one process; CPU is this thread's own time.\n", about->cpu,
            about->cores, about->kernel, about->load);
}

void bench_print_method(FILE *to, const struct bench_result *first)
{
    const struct bench_link *l = &first->of.link;
    fprintf(to, "\n%s: key exchanges alone %.3f ms; %g ms round trip, ", first->of.method->name, ms(first->primitives),
            ms(l->rtt_ns));
    if (l->mbit > 0)
        fprintf(to, "%g Mbit/s", l->mbit);
    else
        fprintf(to, "no limit of rate");
    fprintf(to, "%s\n", first->of.cpu == bench_still ? ", computing takes no time" : "");
    fprintf(to, "%-38s %5s %10s %10s %6s %17s %6s %7s %5s %9s %9s %11s %14s %17s %5s\n", "", "runs", "time ms", "worst", "x sum",
            "CPU ms init/resp", "x sum", "SAs/s", "trips", "octets", "datagrams", "sent/needed", "reports octets",
            "memory kB i/r", "x msg");
}

void bench_print(FILE *to, const struct bench_result *r)
{
    const struct bench_run *m = &r->middle;
    uint64_t cpu = m->cpu[0] + m->cpu[1];
    char line[5][40];
    STRBUF(label, 80);
    bench_label(&label, r);
    snprintf(line[0], sizeof(line[0]), "%.3f/%.3f", ms(m->cpu[0]), ms(m->cpu[1]));
    snprintf(line[1], sizeof(line[1]), "%.3f", m->fragments ? 1 + ratio(m->again, m->fragments) : 1);
    snprintf(line[2], sizeof(line[2]), "%llu %llu", (unsigned long long)m->reports, (unsigned long long)m->report_octets);
    snprintf(line[3], sizeof(line[3]), "%.1f/%.1f", (double)m->peak[0] / 1000, (double)m->peak[1] / 1000);
    snprintf(line[4], sizeof(line[4]), r->failed ? "%u-%u" : "%u", r->good, r->failed);
    fprintf(to, "%-38s %5s %10.3f %10.3f %6.2f %17s %6.2f %7.1f %5u %9llu %9llu %11s %14s %17s %5.2f\n", label.p, line[4],
            ms(m->time), ms(r->worst), ratio(m->time, r->primitives), line[0], ratio(cpu, r->primitives), cpu ? 1e9 / (double)cpu : 0,
            m->exchanges, (unsigned long long)(m->octets[0] + m->octets[1]),
            (unsigned long long)(m->datagrams[0] + m->datagrams[1]), line[1], line[2], line[3],
            ratio(m->peak[0] > m->peak[1] ? m->peak[0] : m->peak[1], m->messages));
    if (r->failed)
        fprintf(to, "    %u did not come up, the last one: %s\n", r->failed, r->failure);
    fflush(to);
}
