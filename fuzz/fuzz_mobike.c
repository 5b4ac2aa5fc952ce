/* fuzz_mobike.c - addresses in notifies (RFC 4555 s3.4, s3.9): what was read is what would be written.
 * Input: type of the first payload (1 octet), then the chain of payloads. */
#include <stdlib.h>
#include "ike/ext/mobike/mobike.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

static const struct adit_path ways[] = {
    { { { 4, { 192, 0, 2, 1 } }, 500 }, { { 4, { 198, 51, 100, 2 } }, 4500 } },
    { { { 6, { 0x20, 1, 0xd, 0xb8 } }, 4500 }, { { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } }, 500 } },
};

static struct ike_msg chain(struct payload_list *list, const struct wr *w)
{
    struct rd in = rd_init(span_from(wr_written(w), 1));
    must(payloads_get(&in, w->p[0], list, NULL));
    return (struct ike_msg){ .n = list->n, .v = list->v };
}

static void check_list(const struct ike_msg *msg)
{
    struct mobike_list read, again;
    struct payload_list list;
    uint8_t mem[1024];
    struct wr w;
    bool any = mobike_list_get(msg, &read);
    must(read.n <= MOBIKE_ADDRESSES && (any || !read.n));
    for (unsigned i = 0; i < read.n; i++)
        must(read.v[i].family == 4 || read.v[i].family == 6);
    if (!read.n)
        return;
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    mobike_list_put(&w, &read);
    struct ike_msg written = chain(&list, &w);
    must(wr_ok(&w) && mobike_list_get(&written, &again) && mobike_list_equal(&read, &again));
}

/* `path` as its sender sees it. */
static void check_nats(const struct ike_msg *msg, const struct adit_path *path)
{
    struct adit_path seen = { path->remote, path->local };
    struct notify theirs, ours;
    struct payload_list list;
    uint8_t mem[128];
    struct wr w;
    if (!msg_notify(msg, N_NO_NATS_ALLOWED, &theirs)) {
        must(mobike_nats_ok(msg, &seen));
        return;
    }
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    mobike_nats_put(&w, path);
    struct ike_msg written = chain(&list, &w);
    must(msg_notify(&written, N_NO_NATS_ALLOWED, &ours) && mobike_nats_ok(&written, &seen));
    must(mobike_nats_ok(msg, &seen) == span_equal(theirs.data, ours.data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct payload_list list;
    if (n < 1)
        return 0;
    struct rd in = rd_init(span(data + 1, n - 1));
    if (!payloads_get(&in, data[0], &list, NULL))
        return 0;
    struct ike_msg msg = { .n = list.n, .v = list.v };
    check_list(&msg);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        check_nats(&msg, &ways[i]);
    return 0;
}
