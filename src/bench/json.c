/* json.c - all results as one document. Every text in it is a word of a table or was made safe when it was read; names of
 * methods have passed the parser of proposals. */
#include "bench/bench.h"

static void pair(FILE *to, const char *name, uint64_t initiator, uint64_t responder)
{
    fprintf(to, ", \"%s\": [%llu, %llu]", name, (unsigned long long)initiator, (unsigned long long)responder);
}

static void number(FILE *to, const char *name, uint64_t value)
{
    fprintf(to, ", \"%s\": %llu", name, (unsigned long long)value);
}

static void row_case(FILE *to, const struct bench_result *r)
{
    const struct bench_case *c = &r->of;
    fprintf(to, "  {\"method\": \"%s\", \"proposal\": \"%s\", \"transport\": \"%s\", \"reports\": \"%s\", \"stock\": %s, ",
            c->method->name, c->method->ike, c->tcp ? "tcp" : "udp", c->reports, c->stock ? "true" : "false");
    fprintf(to, "\"loss\": %g, \"burst\": %u, \"rtt_ms\": %g, \"mbit\": %g, \"fragment_size\": %u, \"still\": %s",
            c->tcp ? 0 : c->link.loss, c->link.burst, (double)c->link.rtt_ns / 1e6, c->link.mbit, c->packet,
            c->cpu == bench_still ? "true" : "false");
}

static void row_run(FILE *to, const struct bench_result *r)
{
    const struct bench_run *m = &r->middle;
    number(to, "runs", r->good);
    number(to, "failed", r->failed);
    number(to, "primitives_ns", r->primitives);
    number(to, "time_ns", m->time);
    number(to, "best_ns", r->best);
    number(to, "worst_ns", r->worst);
    pair(to, "cpu_ns", m->cpu[0], m->cpu[1]);
    number(to, "round_trips", m->exchanges);
    pair(to, "octets", m->octets[0], m->octets[1]);
    pair(to, "datagrams", m->datagrams[0], m->datagrams[1]);
    number(to, "fragments_needed", m->fragments);
    number(to, "fragments_sent", m->fragments + m->again);
    number(to, "reports_sent", m->reports);
    number(to, "report_octets", m->report_octets);
    number(to, "repeated_messages", m->repeated);
    number(to, "message_octets", m->messages);
    pair(to, "peak_memory", m->peak[0], m->peak[1]);
}

void bench_json(FILE *to, const struct bench_about *about, const struct bench_result *r, size_t n)
{
    fprintf(to, "{\"about\": {\"cpu\": \"%s\", \"cores\": %ld, \"kernel\": \"%s\", \"load\": %.2f, \"version\": \"%s\",\n"
            " \"pairs\": \"initiator, responder\", \"octets\": \"of IP packets\"},\n \"results\": [\n", about->cpu, about->cores,
            about->kernel, about->load, ADIT_VERSION);
    for (size_t i = 0; i < n; i++) {
        row_case(to, &r[i]);
        row_run(to, &r[i]);
        fprintf(to, "}%s\n", i + 1 < n ? "," : "");
    }
    fprintf(to, " ]}\n");
}
