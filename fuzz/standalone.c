/* standalone.c - main() of a fuzz target without libFuzzer: runs every file of the folders and files named as arguments,
 * then FUZZ_MUTATIONS (2000) deterministic mutations of them. Any compiler will do; with the sanitizers a wrong access
 * ends it. After a crash the input lies in $TMPDIR/fuzz-crash and can be given as an argument with FUZZ_MUTATIONS=0. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX 65536
#define SEEDS_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

struct seed {
    char *name;
    uint8_t *data;
    size_t n;
};
static struct seed seeds[SEEDS_MAX];
static size_t n_seeds;

/* What runs now, for the crash handler. */
static const uint8_t *now_data;
static size_t now_n;
static char now_what[512];

static uint64_t prng_state = 0x9e3779b97f4a7c15;

static uint32_t below(uint32_t n)
{
    prng_state ^= prng_state << 13;
    prng_state ^= prng_state >> 7;
    prng_state ^= prng_state << 17;
    return n ? (uint32_t)(prng_state >> 32) % n : 0;
}

static void on_crash(int sig)
{
    char path[256];
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/fuzz-crash", tmp ? tmp : "/tmp");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool saved = fd >= 0 && write(fd, now_data, now_n) == (ssize_t)now_n;
    fprintf(stderr, "\nnot ok - crashed on %s (%zu octets%s%s)\n", now_what, now_n,
            saved ? ", saved as " : "", saved ? path : "");
    signal(sig, SIG_DFL);
    raise(sig);
}

/* A heap copy of the exact size, so that a read past the end is seen. */
static void run(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        exit(2);
    memcpy(copy, data, n);
    now_data = copy;
    now_n = n;
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void add_seed(const char *name, const uint8_t *data, size_t n)
{
    if (n_seeds == SEEDS_MAX)
        return;
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        exit(2);
    memcpy(copy, data, n);
    seeds[n_seeds++] = (struct seed){ strdup(name), copy, n };
}

static void load_file(const char *path)
{
    static uint8_t mem[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    add_seed(path, mem, fread(mem, 1, sizeof mem, f));
    fclose(f);
}

static void load(const char *path)
{
    struct stat st;
    struct dirent **entries;
    if (stat(path, &st) != 0)
        return; /* a target without seeds starts from nothing */
    if (!S_ISDIR(st.st_mode)) {
        load_file(path);
        return;
    }
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char file[1024];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (stat(file, &st) == 0 && S_ISREG(st.st_mode))
            load_file(file);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

static size_t cut_or_insert(uint8_t *data, size_t n)
{
    size_t at = below((uint32_t)n + 1), len = 1 + below(16);
    if (below(2)) {
        if (len > n - at)
            len = n - at;
        memmove(data + at, data + at + len, n - at - len);
        return n - len;
    }
    if (n + len > INPUT_MAX)
        return n;
    memmove(data + at + len, data + at, n - at);
    for (size_t i = 0; i < len; i++)
        data[at + i] = (uint8_t)below(256);
    return n + len;
}

static void set_number(uint8_t *data, size_t n)
{
    static const uint32_t odd[] = { 0, 1, 3, 4, 7, 8, 28, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff };
    uint32_t v = odd[below(sizeof odd / sizeof odd[0])];
    size_t at = below((uint32_t)n);
    if (at + 1 < n && below(2))
        data[at++] = (uint8_t)(v >> 8);
    data[at] = (uint8_t)v;
}

static size_t cross(uint8_t *data, size_t n)
{
    const struct seed *other = &seeds[below((uint32_t)n_seeds)];
    size_t keep = below((uint32_t)n + 1), from = below((uint32_t)other->n + 1), len = other->n - from;
    if (keep + len > INPUT_MAX)
        len = INPUT_MAX - keep;
    memcpy(data + keep, other->data + from, len);
    return keep + len;
}

static size_t mutate(uint8_t *data, size_t n)
{
    for (uint32_t i = 1 + below(4); i > 0; i--) {
        uint32_t how = below(8);
        if (n == 0 || how == 0)
            n = cut_or_insert(data, n);
        else if (how == 1)
            n = cross(data, n);
        else if (how == 2)
            n = below((uint32_t)n + 1);
        else if (how < 5)
            set_number(data, n);
        else
            data[below((uint32_t)n)] ^= (uint8_t)(1u << below(8));
    }
    return n;
}

static void run_mutations(long count)
{
    static uint8_t mem[INPUT_MAX];
    for (long i = 0; i < count; i++) {
        const struct seed *s = &seeds[below((uint32_t)n_seeds)];
        memcpy(mem, s->data, s->n);
        size_t n = mutate(mem, s->n);
        snprintf(now_what, sizeof now_what, "mutation %ld of %s", i, s->name);
        run(mem, n);
    }
}

int main(int argc, char **argv)
{
    const char *env = getenv("FUZZ_MUTATIONS");
    long mutations = env ? strtol(env, NULL, 10) : 2000;
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        load(argv[i]);
    size_t files = n_seeds;
    signal(SIGABRT, on_crash);
    signal(SIGSEGV, on_crash);
    add_seed("nothing", (const uint8_t *)"", 0);
    for (size_t i = 0; i < n_seeds; i++) {
        snprintf(now_what, sizeof now_what, "%s", seeds[i].name);
        run(seeds[i].data, seeds[i].n);
    }
    run_mutations(mutations);
    printf("ok - %zu seeds, %ld mutations\n", files, mutations);
    for (size_t i = 0; i < n_seeds; i++) {
        free(seeds[i].name);
        free(seeds[i].data);
    }
    return 0;
}
