/* streamio.c - see streamio.h. */
#include "daemon/streamio.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/mem.h"
#include "wire/be.h"

#define IN_FIRST 4096           /* octets of room for who has shown nothing yet */
#define IN_MAX (128u << 10)     /* two of the longest frames */
#define READ_MAX (1u << 20)     /* octets at a time: others want their turn too */
#define QUEUE_FIRST 8192
#define RUNTS_MAX 64 /* frames that are neither IKE nor ESP, until the connection counts as corrupted (RFC 9329 s6.1) */

/* --- queues ------------------------------------------------------------------------------------------------------- */

static bool make_room(struct stream_queue *q, size_t n, size_t max)
{
    if (q->n + n > max)
        return false;
    if (q->at + q->n + n <= q->cap)
        return true;
    if (q->n + n > q->cap) {
        size_t cap = q->cap ? q->cap : QUEUE_FIRST;
        while (cap < q->n + n)
            cap *= 2;
        uint8_t *p = mem_resize(q->p, cap);
        if (!p)
            return false;
        q->p = p;
        q->cap = cap;
    }
    memmove(q->p, q->p + q->at, q->n);
    q->at = 0;
    return true;
}

static void append(struct stream_queue *q, struct adit_span data)
{
    span_copy(q->p + q->at + q->n, data);
    q->n += data.n;
}

static size_t take(struct stream_queue *q, size_t n)
{
    n = n < q->n ? n : q->n;
    q->at += n;
    q->n -= n;
    if (!q->n)
        q->at = 0;
    return n;
}

bool streamio_put(struct streamio *s, bool ike, struct adit_span message)
{
    uint8_t head[TCPFRAME_HEAD_MAX];
    struct stream_queue *q = ike ? &s->ike : &s->esp;
    size_t n = tcpframe_head(head, ike, message.n);
    if (!n || !make_room(q, n + message.n, ike ? STREAMIO_IKE_MAX : STREAMIO_ESP_MAX)) {
        s->dropped++;
        return false;
    }
    append(q, span(head, n));
    append(q, message);
    return true;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* n octets of ESP are gone: where in a frame does that leave us? */
static void esp_gone(struct streamio *s, size_t n)
{
    while (n) {
        if (!s->esp_left)
            s->esp_left = be16_get(s->esp.p + s->esp.at);
        size_t part = n < s->esp_left ? n : s->esp_left;
        s->esp_left -= part;
        take(&s->esp, part);
        n -= part;
    }
}

static size_t fill(const struct streamio *s, struct iovec v[3])
{
    size_t n = 0;
    if (s->esp_left)
        v[n++] = (struct iovec){ s->esp.p + s->esp.at, s->esp_left };
    if (s->ike.n)
        v[n++] = (struct iovec){ s->ike.p + s->ike.at, s->ike.n };
    if (s->esp.n > s->esp_left)
        v[n++] = (struct iovec){ s->esp.p + s->esp.at + s->esp_left, s->esp.n - s->esp_left };
    return n;
}

bool streamio_waits(const struct streamio *s)
{
    return s->ike.n || s->esp.n;
}

bool streamio_flush(struct streamio *s, const char **why)
{
    struct iovec v[3];
    while (streamio_waits(s)) {
        struct msghdr msg = { .msg_iov = v, .msg_iovlen = fill(s, v) };
        ssize_t done = sendmsg(s->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0 && (errno == EAGAIN || errno == EINTR || errno == EINPROGRESS))
            return true;
        if (done < 0) {
            *why = strerror(errno);
            return false;
        }
        size_t n = (size_t)done, begun = n < s->esp_left ? n : s->esp_left;
        esp_gone(s, begun);
        n -= begun;
        n -= take(&s->ike, n);
        esp_gone(s, n);
    }
    return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool skip_prefix(struct streamio *s, size_t *at, const char **why)
{
    bool enough;
    if (s->prefixed)
        return true;
    s->prefixed = tcpframe_prefix(span(s->in, s->in_n), &enough);
    if (s->prefixed)
        *at = TCPFRAME_PREFIX_SIZE;
    if (enough && !s->prefixed)
        *why = "it does not begin with the prefix of IKE in TCP";
    return s->prefixed || !enough;
}

/* Hands out the whole frames that are there, and moves the rest to the front. */
static bool frames(struct streamio *s, streamio_frame_fn *fn, void *arg, const char **why)
{
    size_t at = 0, used;
    struct adit_span body;
    if (!skip_prefix(s, &at, why))
        return false;
    while (s->prefixed) {
        enum tcpframe_kind kind = tcpframe_get(span(s->in + at, s->in_n - at), &body, &used);
        if (kind == TCPFRAME_MORE)
            break;
        s->runts += kind == TCPFRAME_RUNT;
        if (kind == TCPFRAME_BAD || s->runts > RUNTS_MAX + s->frames / 16) {
            *why = kind == TCPFRAME_BAD ? "a frame's Length is 0 or 1" : "too many frames that are neither IKE nor ESP";
            return false;
        }
        at += used;
        s->frames++;
        if (kind >= TCPFRAME_IKE && !fn(arg, kind, body))
            return false;
    }
    s->in_n -= at;
    if (at)
        memmove(s->in, s->in + at, s->in_n);
    return true;
}

static bool grow(struct streamio *s)
{
    if (s->in_n < s->in_cap)
        return true;
    uint8_t *p = s->in_cap < IN_MAX ? mem_resize(s->in, s->in_cap * 2) : NULL;
    if (!p)
        return false;
    s->in = p;
    s->in_cap *= 2;
    return true;
}

static bool ended(ssize_t n, const char **why)
{
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    *why = n < 0 ? strerror(errno) : "the peer has closed it";
    return true;
}

bool streamio_read(struct streamio *s, streamio_frame_fn *fn, void *arg, const char **why)
{
    *why = "out of memory";
    for (size_t sum = 0; sum < READ_MAX;) {
        if (!grow(s))
            return false;
        size_t room = s->in_cap - s->in_n;
        ssize_t n = recv(s->fd, s->in + s->in_n, room, MSG_DONTWAIT);
        if (n <= 0)
            return !ended(n, why);
        s->in_n += (size_t)n;
        sum += (size_t)n;
        *why = "closed";
        if (!frames(s, fn, arg, why))
            return false;
        if ((size_t)n < room)
            return true;
    }
    return true;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

enum adit_rc streamio_init(struct streamio *s, int fd, bool originator)
{
    *s = (struct streamio){ .fd = fd, .prefixed = originator, .in = mem_new(IN_FIRST), .in_cap = IN_FIRST };
    if (!s->in || (originator && !make_room(&s->ike, TCPFRAME_PREFIX_SIZE, STREAMIO_IKE_MAX)))
        return ADIT_ERR_MEMORY;
    if (originator)
        append(&s->ike, SPAN_LIT(TCPFRAME_PREFIX));
    return ADIT_OK;
}

void streamio_fini(struct streamio *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    mem_del(s->in);
    mem_del(s->ike.p);
    mem_del(s->esp.p);
    s->in = s->ike.p = s->esp.p = NULL;
}
