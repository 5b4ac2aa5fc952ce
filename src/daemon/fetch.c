/* fetch.c - see fetch.h. libcurl does HTTP; a small pool of threads waits for it. */
#include "daemon/fetch.h"
#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/buf.h"
#include "base/mem.h"
#include "daemon/workpool.h"

struct fetcher {
    uv_loop_t *loop;
    uint32_t mark;
    fetch_done_fn *done;
    void *arg;
    struct workpool *pool; /* NULL: nothing has been asked for yet */
    atomic_bool stopping;
};

struct job {
    struct fetcher *f;
    uint64_t cookie;
    char *url;
    size_t most;
    struct adit_buf got;
    char error[CURL_ERROR_SIZE + 40];
};

static void job_free(struct job *j)
{
    buf_fini(&j->got);
    mem_del(j->url);
    mem_del(j);
}

/* --- in a thread of the pool ------------------------------------------------------------------------------------------ */

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
    struct job *j = arg;
    size_t octets = size * n;
    if (octets > j->most - j->got.n || buf_append(&j->got, span(data, octets)) != ADIT_OK) {
        snprintf(j->error, sizeof(j->error), "more than %zu octets", j->most);
        return 0;
    }
    return octets;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct job *j = arg;
    return atomic_load(&j->f->stopping);
}

static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    const struct job *j = arg;
    int mark = (int)j->f->mark;
    if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) != 0)
        return CURL_SOCKOPT_ERROR; /* without it the connection could lead into a tunnel */
    return CURL_SOCKOPT_OK;
}

/* Peers choose the URL, and nobody has authenticated them. */
static bool restrict_it(CURL *c)
{
    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK && /* also not that of the environment */
           curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)FETCH_TIME_MS) == CURLE_OK;
}

static bool prepare(CURL *c, struct job *j, char *error)
{
    return restrict_it(c) && curl_easy_setopt(c, CURLOPT_URL, j->url) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, j) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFODATA, j) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SOCKOPTDATA, j) == CURLE_OK;
}

static void perform(CURL *c, struct job *j)
{
    char text[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURLcode rc = prepare(c, j, text) ? curl_easy_perform(c) : CURLE_FAILED_INIT;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK && !j->error[0])
        snprintf(j->error, sizeof(j->error), "%s", text[0] ? text : curl_easy_strerror(rc));
    if (rc == CURLE_OK && status != 200) /* 3xx: elsewhere is not where it was allowed */
        snprintf(j->error, sizeof(j->error), "the server answers %ld", status);
}

static void run(void *job)
{
    struct job *j = job;
    CURL *c = atomic_load(&j->f->stopping) ? NULL : curl_easy_init();
    if (c)
        perform(c, j);
    else
        snprintf(j->error, sizeof(j->error), "no memory, or the daemon stops");
    curl_easy_cleanup(c);
}

/* --- on the loop's thread --------------------------------------------------------------------------------------------- */

static void finished(void *arg, void *job)
{
    struct fetcher *f = arg;
    struct job *j = job;
    if (!atomic_load(&f->stopping))
        f->done(f->arg, j->cookie, j->got.p, j->got.n, j->error[0] ? j->error : NULL);
    job_free(j);
}

struct fetcher *fetcher_new(uv_loop_t *loop, uint32_t mark, fetch_done_fn *done, void *arg)
{
    struct fetcher *f = mem_new(sizeof(*f));
    if (!f)
        return NULL;
    *f = (struct fetcher){ .loop = loop, .mark = mark, .done = done, .arg = arg };
    return f;
}

static bool start_pool(struct fetcher *f)
{
    struct workpool_ops ops = { run, finished, f };
    if (f->pool)
        return true;
    if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
        return false;
    f->pool = workpool_new(f->loop, FETCH_THREADS, FETCH_QUEUE, &ops);
    return f->pool != NULL;
}

static struct job *job_new(struct fetcher *f, uint64_t cookie, const char *url, size_t most)
{
    struct job *j = mem_new(sizeof(*j));
    if (!j)
        return NULL;
    j->f = f;
    j->cookie = cookie;
    j->most = most;
    j->url = mem_strdup(url);
    if (j->url)
        return j;
    job_free(j);
    return NULL;
}

void fetch_start(struct fetcher *f, uint64_t cookie, const char *url, size_t most)
{
    struct job *j = start_pool(f) ? job_new(f, cookie, url, most) : NULL;
    if (j && workpool_submit(f->pool, j, false))
        return;
    if (j)
        job_free(j);
    f->done(f->arg, cookie, NULL, 0, "too much is being fetched, or memory is out");
}

void fetcher_stop(struct fetcher *f)
{
    if (!f)
        return;
    atomic_store(&f->stopping, true);
    if (f->pool)
        workpool_stop(f->pool);
}

void fetcher_free(struct fetcher *f)
{
    if (!f)
        return;
    workpool_free(f->pool);
    if (f->pool)
        curl_global_cleanup();
    mem_del(f);
}
