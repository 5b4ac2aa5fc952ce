/* journal.h - what a configured connection and child did over all their SAs.
 * Maintains: totals never fall, whatever is rekeyed or deleted: an SA's counts move from "live" to "finished" in one
 * step. Belongs to the control thread. */
#ifndef DAEMON_JOURNAL_H
#define DAEMON_JOURNAL_H

#include "adit/model.h"
#include "base/list.h"

#define JOURNAL_BUCKETS 9
#define JOURNAL_KE_MAX 32 /* different key-exchange lists that get a histogram of their own */

/* Upper bounds in seconds; the last bucket is +Inf. */
extern const double journal_bounds[JOURNAL_BUCKETS];

struct journal_histogram {
    char ke[128]; /* "CURVE_25519+ML_KEM_768" */
    uint64_t bucket[JOURNAL_BUCKETS + 1], count;
    double sum_s;
};
/* One connection/child. child "" = the connection itself (its IKE SAs). */
struct journal_entry {
    struct list node;
    char *conn, *child;
    struct adit_child_stats finished; /* sums of the SAs that are gone */
    uint64_t ups, downs, rekeys;
    uint64_t recoveries; /* times that it was lost unasked, and came back */
    uint64_t outage_ms;  /* how long it was away in all of them */
    unsigned live;       /* SAs now */
    uint64_t changed_at; /* ns: when it came up or went down last; 0 = never was up */
};
struct journal {
    struct list entries;
    struct journal_histogram handshake[JOURNAL_KE_MAX];
    unsigned n_handshake;
};

void journal_init(struct journal *j);
void journal_fini(struct journal *j);
/* The entry, made if it is new; NULL: memory is out. */
struct journal_entry *journal_entry(struct journal *j, const char *conn, const char *child);
/* Without making it. */
const struct journal_entry *journal_find(const struct journal *j, const char *conn, const char *child);
void journal_up(struct journal *j, const char *conn, const char *child, uint64_t now);
void journal_down(struct journal *j, const char *conn, const char *child, uint64_t now);
/* One SA succeeded another: no change of up/down. */
void journal_rekeyed(struct journal *j, const char *conn, const char *child);
/* An SA is gone: its final counts. */
void journal_finished(struct journal *j, const char *conn, const char *child,
                      const struct adit_child_stats *last);
void journal_handshake(struct journal *j, const char *ke, double seconds);
/* sum += more; the later time wins. */
void journal_add_stats(struct adit_child_stats *sum, const struct adit_child_stats *more);

#endif
