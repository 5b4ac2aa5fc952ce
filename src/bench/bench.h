/* bench.h - what setting up an IKE SA costs: two engines in one process, joined by a link in memory that has a bandwidth, a
 * delay and losses. Time on that link is virtual; the time that computing takes is measured and added to it, each end
 * being a machine of its own: one thread for the engine, one for its jobs. Beside it the same key exchanges called bare, in
 * the same process, in turn. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdio.h>
#include "adit/ike.h"
#include "model/model.h"

#define BENCH_TREE                                                                                                             \
    "x25519-ke1_mlkem1024-ke2_frodoa5-ke3_frodos5-ke4_mceliece6688128f-ke5_mceliece8192128f-ke6_ecp521-ke7_x448"
#define BENCH_ENDS 2 /* 0: initiator, 1: responder */

/* --- words.c ---------------------------------------------------------------------------------------------------------- */

/* A method as people write it: the key exchanges alone ("x25519-ke1_mlkem768"), a whole proposal, a preset, or "tree". */
struct bench_method {
    const char *name;                      /* as written */
    char ike[400];                         /* as a configuration has it */
    const struct proposal_list *proposals; /* in the arena */
};
/* name has to outlive it. ADIT_ERR_CONFIG says which word is wrong. */
ADIT_MUST_USE enum adit_rc bench_method_parse(const char *name, struct arena *a, struct bench_method *out,
                                              struct adit_why *why);
/* The forms of fragment reports that the engine has: "list", "bitmap"; index from 0, NULL at the end. */
const char *bench_reports_at(size_t i);
/* Names of the options of these forms, for the configuration. */
const char *bench_reports_option(size_t i);
/* "none", or one of them. */
bool bench_reports_known(const char *word);

/* --- one case --------------------------------------------------------------------------------------------------------- */

struct bench_link {
    uint64_t rtt_ns;
    double mbit;         /* of the bottleneck, both ways; 0: endless */
    size_t queue_octets; /* what waits before it; more is dropped; 0: endless */
    double loss;         /* of datagrams, each way: 0.05 */
    unsigned burst;      /* they are lost in rows of so many on average; 0, 1: each by itself */
};
typedef uint64_t bench_cpu_fn(void);
struct bench_case {
    const struct bench_method *method;
    struct bench_link link;
    const char *reports; /* "none", "list", "bitmap" */
    bool tcp;            /* the link loses nothing then: what repeats there is the kernel */
    bool stock;          /* the initiator's stock of key pairs is full at the beginning (`ke_pool = auto`) */
    unsigned packet;     /* octets of the largest IP packet; 0: the engine's default */
    unsigned count;      /* handshakes; 0: until they have taken a second, 3 at least */
    uint64_t seed;       /* of loss, and of nonces and SPIs; key pairs are always real */
    bench_cpu_fn *cpu;   /* ns that this thread has computed; bench_cpu, or bench_still */
};
/* The thread's own time: neighbours on the machine don't count. And a clock that stands still: what the network alone costs. */
uint64_t bench_cpu(void);
uint64_t bench_still(void);

/* --- plan.c ----------------------------------------------------------------------------------------------------------- */

#define BENCH_LOSSES 8
#define BENCH_FORMS 4
struct bench_plan {
    struct bench_case base; /* what all cases have in common */
    size_t n_loss, n_reports;  /* 1 at least */
    double loss[BENCH_LOSSES]; /* each with each form of reports */
    const char *reports[BENCH_FORMS];
    bool udp, tcp, stock; /* stock: where a method is slow, once more with its keys in stock */
};
/* The cases of one method in this plan: their number, of which the first `room` are written to out. */
size_t bench_plan_cases(const struct bench_plan *plan, const struct bench_method *m, const struct adit_crypto *crypto,
                        struct bench_case *out, size_t room);

/* --- what comes out --------------------------------------------------------------------------------------------------- */

struct bench_run { /* one handshake */
    uint64_t time; /* ns until the initiator's Child SA is there */
    uint64_t cpu[BENCH_ENDS]; /* ns, jobs included */
    uint64_t octets[BENCH_ENDS], datagrams[BENCH_ENDS]; /* sent: IP packets with their headers */
    uint64_t fragments, again; /* of both ends: needed, and sent once more */
    uint64_t reports, report_octets, repeated; /* of both ends; messages that were repeated */
    unsigned exchanges;
    size_t peak[BENCH_ENDS]; /* octets of memory that the engine took for it, at most */
    uint64_t messages; /* octets of IKE of all messages, each once, reports left out */
};
struct bench_result {
    struct bench_case of;
    struct adit_suite suite; /* that was agreed on */
    unsigned good, failed;
    struct bench_run middle; /* each value's median over all that came up */
    uint64_t best, worst;    /* time */
    uint64_t primitives;     /* ns, median: key exchanges of both ends; always by bench_cpu() */
    char failure[200];       /* why the last one that failed did */
};
/* Measures one case. ADIT_ERR_CONFIG, ADIT_ERR_MEMORY; ADIT_ERR_PEER: no handshake came up: *why says for what reason. */
ADIT_MUST_USE enum adit_rc bench_measure(const struct bench_case *c, struct adit_crypto *crypto, struct bench_result *out,
                                         struct adit_why *why);
/* ns of this thread that all key exchanges of the suite take, both ends, called bare once. 0: one failed. */
uint64_t bench_primitives(struct adit_crypto *crypto, const struct adit_suite *suite);

/* --- print.c, json.c, svg.c --------------------------------------------------------------------------------------------- */

/* Where it was measured. */
struct bench_about {
    char cpu[100], kernel[100];
    long cores;
    double load; /* of the last minute, when it began */
};
void bench_about(struct bench_about *out);
/* A table in text: the head of a method's part, a line for each result. */
void bench_print_about(FILE *to, const struct bench_about *about);
void bench_print_method(FILE *to, const struct bench_result *first);
void bench_print(FILE *to, const struct bench_result *r);
/* One document of all results. */
void bench_json(FILE *to, const struct bench_about *about, const struct bench_result *r, size_t n);
/* A chart of all results: a bar each for the time, beside the time of the primitives. */
void bench_svg(FILE *to, const struct bench_about *about, const struct bench_result *r, size_t n);
/* "UDP, list, 5 % lost, stock" */
void bench_label(struct strbuf *out, const struct bench_result *r);

#endif
