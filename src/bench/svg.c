/* svg.c - all results as a chart: for each the time as a bar, the worst as a line behind it, the time of its key exchanges alone
 * as a mark, and what it says in numbers. Methods one below the other, each with a scale of its own. */
#include "bench/bench.h"

#define WIDTH 960
#define LEFT 300  /* where bars begin */
#define ROOM 400  /* how long they get */
#define LINE 22
#define HEAD 64   /* above the first bar of a method */

static const char *const colours[] = { "#999999", "#0072b2", "#009e73", "#d55e00" }; /* none, forms of reports, TCP */

static bool same_method(const struct bench_result *a, const struct bench_result *b)
{
    return a->of.method == b->of.method;
}

static size_t group_end(const struct bench_result *r, size_t n, size_t from)
{
    size_t to = from;
    while (to < n && same_method(&r[to], &r[from]))
        to++;
    return to;
}

/* The end of the scale: 1, 2 or 5 with zeros that holds everything of these. */
static double scale(const struct bench_result *r, size_t from, size_t to)
{
    double most = 0, end = 1e3;
    for (size_t i = from; i < to; i++) {
        most = (double)r[i].worst > most ? (double)r[i].worst : most;
        most = (double)r[i].primitives > most ? (double)r[i].primitives : most;
    }
    static const double factor[] = { 2, 2.5, 2 };
    for (unsigned i = 0; end < most; i = (i + 1) % 3)
        end *= factor[i];
    return end;
}

static void print_time(FILE *to, double ns)
{
    if (ns >= 1e9)
        fprintf(to, "%.3g s", ns / 1e9);
    else if (ns >= 1e6)
        fprintf(to, "%.3g ms", ns / 1e6);
    else
        fprintf(to, "%.3g us", ns / 1e3);
}

static const char *colour_of(const struct bench_result *r)
{
    const char *known;
    if (r->of.tcp)
        return colours[3];
    for (size_t i = 0; (known = bench_reports_at(i)); i++)
        if (strcmp(known, r->of.reports) == 0)
            return colours[1 + i % 2];
    return colours[0];
}

static void axis(FILE *to, unsigned y, unsigned bottom, double end)
{
    for (int i = 0; i <= 4; i++) {
        int x = LEFT + ROOM * i / 4;
        fprintf(to, "<line x1='%d' y1='%u' x2='%d' y2='%u' stroke='#dddddd'/><text x='%d' y='%u' text-anchor='middle' fill='#555555'>",
                x, y, x, bottom, x, y - 6);
        print_time(to, end * i / 4);
        fprintf(to, "</text>\n");
    }
}

static void bar(FILE *to, const struct bench_result *r, unsigned y, double end)
{
    double unit = ROOM / end;
    STRBUF(label, 80);
    bench_label(&label, r);
    fprintf(to, "<text x='%d' y='%u' text-anchor='end'>%s</text>\n", LEFT - 8, y + 14, label.p);
    fprintf(to, "<rect x='%d' y='%u' width='%.1f' height='2' fill='#555555'/>\n", LEFT, y + 9, (double)r->worst * unit);
    fprintf(to, "<rect x='%d' y='%u' width='%.1f' height='14' fill='%s'/>\n", LEFT, y + 3, (double)r->middle.time * unit,
            colour_of(r));
    fprintf(to, "<rect x='%.1f' y='%u' width='2' height='%d' fill='#000000'/>\n", LEFT + (double)r->primitives * unit - 1, y,
            LINE - 2);
    fprintf(to, "<text x='%d' y='%u'>", LEFT + ROOM + 12, y + 14);
    print_time(to, (double)r->middle.time);
    if (r->middle.fragments)
        fprintf(to, "; %.3f sent for one needed", 1 + (double)r->middle.again / (double)r->middle.fragments);
    fprintf(to, "</text>\n");
}

static unsigned group(FILE *to, const struct bench_result *r, size_t from, size_t end_at, unsigned y)
{
    double end = scale(r, from, end_at);
    const struct bench_link *l = &r[from].of.link;
    fprintf(to, "<text x='16' y='%u' font-weight='bold'>%s</text>\n", y + 20, r[from].of.method->name);
    fprintf(to, "<text x='%d' y='%u' text-anchor='end' fill='#555555'>%g ms round trip%s</text>\n", WIDTH - 16, y + 20,
            (double)l->rtt_ns / 1e6, r[from].of.cpu == bench_still ? ", computing takes no time" : "");
    y += HEAD;
    axis(to, y - 12, y + (unsigned)(end_at - from) * LINE, end);
    for (size_t i = from; i < end_at; i++, y += LINE)
        bar(to, &r[i], y, end);
    return y;
}

void bench_svg(FILE *to, const struct bench_about *about, const struct bench_result *r, size_t n)
{
    unsigned groups = 0, y = 70;
    for (size_t i = 0; i < n; i = group_end(r, n, i))
        groups++;
    fprintf(to, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%u' font-family='sans-serif' font-size='12'>\n"
            "<rect width='100%%' height='100%%' fill='#ffffff'/>\n", WIDTH, y + groups * (HEAD + 12) + (unsigned)n * LINE + 20);
    fprintf(to, "<text x='16' y='26' font-size='16' font-weight='bold'>Time until an IKE SA and its Child SA are up</text>\n");
    fprintf(to, "<text x='16' y='46' fill='#555555'>bar: median; line: worst; black mark: its key exchanges alone, both ends."
            " %s, %s</text>\n", about->cpu, about->kernel);
    for (size_t i = 0; i < n; i = group_end(r, n, i))
        y = group(to, r, i, group_end(r, n, i), y) + 12;
    fprintf(to, "</svg>\n");
}
