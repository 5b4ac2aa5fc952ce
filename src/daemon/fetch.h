/* fetch.h - gets what the engine asks for by URL (ADIT_EV_FETCH): HTTP alone, no redirection, no proxy, no credentials;
 * bounded in size, time and number; in threads of its own, so that neither the loop nor signatures wait for a web server. */
#ifndef DAEMON_FETCH_H
#define DAEMON_FETCH_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define FETCH_TIME_MS 5000 /* for all of it; the engine waits longer */
#define FETCH_CONNECT_MS 2000
#define FETCH_THREADS 2
#define FETCH_QUEUE 16

struct fetcher;
/* On the loop's thread, once for each fetch_start(): n octets, or error (not NULL), both borrowed. Not after
 * fetcher_stop(). */
typedef void fetch_done_fn(void *arg, uint64_t cookie, const uint8_t *data, size_t n, const char *error);

/* mark: SO_MARK of its connections, so that they stay outside of the tunnels as IKE does; 0 = none. Threads start with the
 * first fetch. NULL: memory. */
struct fetcher *fetcher_new(uv_loop_t *loop, uint32_t mark, fetch_done_fn *done, void *arg);
/* Gets at most `most` octets. What cannot begin ends at once, by done(). */
void fetch_start(struct fetcher *f, uint64_t cookie, const char *url, size_t most);
/* Breaks off what is under way. The loop must run once more before fetcher_free(). NULL: nothing. */
void fetcher_stop(struct fetcher *f);
void fetcher_free(struct fetcher *f);

#endif
