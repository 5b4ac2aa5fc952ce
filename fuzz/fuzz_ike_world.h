/* fuzz_ike_world.h - one engine as a fuzzer's playground. It was brought to its stage once, with a peer whose key exchange
 * is a stand-in, on a heap of its own (snapshot.h); each execution begins where that heap was saved, so that an input
 * always does the same. In every 16th the engine is ended before its heap goes back: no block may be left. With FUZZ_PLAIN
 * in the environment each execution has a fresh engine on the C library's heap, which knows who made and freed a block. */
#ifndef FUZZ_IKE_WORLD_H
#define FUZZ_IKE_WORLD_H

#include <stdlib.h>
#include "base/rd.h"
#include "wire/be.h"
#include "crypto/set.h"
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/sim.h"
#include "snapshot.h"

/* HALF_OPEN: responder of an IKE_SA_INIT. ASKING: it is up, with a NAT between, and waits for the answer to its own
 * rekeying of a Child SA. CALLING: initiator that waits for the answer to IKE_AUTH. */
enum stage { HALF_OPEN, ESTABLISHED, ASKING, CALLING, STAGES };

_Static_assert(HEAPS == STAGES, "a heap for each stage");

#define WORLD_CHILDREN 512
#define WORLD_ENDS 16 /* of how many executions one sees the engine's end */

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

struct engine {
    struct adit_ike *ike;
    struct prng prng;
    int host;
    bool behind_nat; /* its peer seems to be at another port */
};
struct tape { /* what the recorded peer sent */
    unsigned n;
    struct adit_buf datagram[2];
};
struct world {
    enum stage stage;
    struct engine me;
    bool made;
    uint64_t now;
    struct adit_config *config;
    long blocks; /* of the heap, when the engine has ended */
    unsigned n_children;
    uint32_t child[WORLD_CHILDREN];
    bool up, down; /* an IKE SA has come, or gone, since this was cleared */
    struct tape tape;
};

static uint64_t world_now;
static unsigned world_executions;
static bool world_plain;
static struct prng *world_prng; /* of the engine that runs */

/* --- the stand-in for key exchanges ---------------------------------------------------------------------------------------- */

static bool world_random(void *arg, uint8_t *out, size_t n)
{
    return prng_fill(world_prng, out, n);
}

static enum adit_rc stand_in_publish(size_t n, struct adit_buf *pub)
{
    enum adit_rc rc = buf_resize(pub, n);
    if (rc == ADIT_OK)
        prng_fill(world_prng, pub->p, n);
    return rc;
}

static enum adit_rc stand_in_init(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state **st,
                                  struct adit_buf *pub)
{
    *st = mem_new(sizeof(**st));
    return *st ? stand_in_publish(a->init_size, pub) : ADIT_ERR_MEMORY;
}

static enum adit_rc stand_in_agree(const struct ke_alg *a, struct adit_secret *secret)
{
    static const uint8_t agreed[512] = { 1, 2, 3 };
    return secret_set(secret, span_first(SPAN_ARRAY(agreed), a->secret_size));
}

static enum adit_rc stand_in_respond(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span peer,
                                     struct adit_buf *pub, struct adit_secret *secret)
{
    enum adit_rc rc = stand_in_publish(a->resp_size, pub);
    return rc == ADIT_OK ? stand_in_agree(a, secret) : rc;
}

static enum adit_rc stand_in_finish(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                                    struct adit_span peer, struct adit_secret *secret)
{
    return stand_in_agree(a, secret);
}

static void stand_in_free(struct ke_state *st)
{
    mem_del(st);
}

static struct adit_crypto *world_crypto(void)
{
    static const struct ke_ops ops = { stand_in_init, stand_in_respond, stand_in_finish, stand_in_free };
    static struct ke_alg rows[64];
    static struct adit_crypto *c;
    if (c)
        return c;
    c = adit_crypto_new(world_random, NULL, NULL);
    must(c);
    must(c->n_ke <= ARRAY_LEN(rows));
    for (size_t i = 0; i < c->n_ke; i++) {
        rows[i] = *c->ke[i];
        rows[i].ops = &ops;
        c->ke[i] = &rows[i];
    }
    return c;
}

/* --- engines -------------------------------------------------------------------------------------------------------- */

static struct adit_config *world_config(int host)
{
    static struct sim s;
    must(setjmp(s.out) == 0);
    sim_configure(&s, .ike = "aes128gcm16-prfsha256-x25519", .esp = "aes128gcm16-x25519", .ppk_name = "ab",
                  .ppk = "0123456789abcdef0123456789abcdef",
                  .option = { { "fragmentation", "no" }, { "ppk_id", "ab" } });
    return sim_conf_build(&s, host);
}

static void engine_start(struct engine *e, struct adit_config *cfg, int host)
{
    struct adit_why why = { 0 };
    struct adit_host door = { .crypto = world_crypto(), .random = prng_fill, .random_arg = &e->prng };
    e->host = host;
    prng_init(&e->prng, (uint64_t)host + 1);
    world_prng = &e->prng;
    e->ike = adit_ike_new(&door, world_now);
    must(e->ike && adit_ike_config(e->ike, cfg, world_now, &why) == ADIT_OK);
}

static struct adit_path path_of(int host, uint8_t from, uint16_t port)
{
    struct adit_path p = { { { 4, { 192, 0, 2, (uint8_t)(1 + host) } }, port }, { { 4, { 192, 0, 2, from } }, port } };
    return p;
}

/* The data plane's view: no Child SA is added twice or removed without having been there. */
static void child_added(struct world *w, uint32_t id)
{
    for (unsigned i = 0; i < w->n_children; i++)
        must(w->child[i] != id);
    must(w->n_children < WORLD_CHILDREN);
    w->child[w->n_children++] = id;
}

static void child_removed(struct world *w, uint32_t id)
{
    unsigned i = 0;
    while (i < w->n_children && w->child[i] != id)
        i++;
    must(i < w->n_children);
    w->child[i] = w->child[--w->n_children];
}

static void note(struct world *w, const struct adit_event *ev)
{
    w->up |= ev->type == ADIT_EV_IKE_UP;
    w->down |= ev->type == ADIT_EV_IKE_DOWN;
    if (ev->type == ADIT_EV_CHILD_ADD)
        child_added(w, ev->spec->id);
    else if (ev->type == ADIT_EV_CHILD_REMOVE)
        child_removed(w, ev->child_id);
}

static bool event_of(struct engine *e, struct adit_event *ev)
{
    while (adit_ike_poll(e->ike, ev)) {
        if (ev->type != ADIT_EV_WORK)
            return true;
        adit_job_run(ev->job);
        adit_ike_work_done(e->ike, ev->job, world_now);
    }
    return false;
}

static void drain(struct world *w)
{
    struct adit_event ev;
    while (event_of(&w->me, &ev))
        note(w, &ev);
}

static void feed(struct world *w, const struct adit_path *path, struct adit_span d)
{
    world_prng = &w->me.prng;
    adit_ike_input(w->me.ike, path, d.p, d.n, world_now);
    drain(w);
    world_now += MILLIS(5);
    if (adit_ike_deadline(w->me.ike) <= world_now)
        adit_ike_tick(w->me.ike, world_now);
    drain(w);
    w->now = world_now;
}

/* Time goes by, timer by timer. */
static inline void wait_for(struct world *w, uint64_t ns)
{
    uint64_t until = world_now + ns, next;
    for (int i = 0; i < 64 && (next = adit_ike_deadline(w->me.ike)) <= until; i++) {
        world_now = next > world_now ? next : world_now;
        adit_ike_tick(w->me.ike, world_now);
        drain(w);
    }
    world_now = until;
    w->now = world_now;
}

static enum adit_rc ask(struct world *w, enum adit_command_type type, const char *child, const char *conn)
{
    struct adit_why why;
    struct adit_command cmd = { .type = type, .child = child, .conn = conn, .fresh = child && conn };
    enum adit_rc rc = adit_ike_command(w->me.ike, &cmd, world_now, NULL, &why);
    drain(w);
    return rc;
}

static void initiate(struct engine *e)
{
    struct adit_why why;
    struct adit_command cmd = { .type = ADIT_CMD_INITIATE, .child = "net" };
    world_prng = &e->prng;
    must(adit_ike_command(e->ike, &cmd, world_now, NULL, &why) == ADIT_OK);
}

/* --- recording the peer --------------------------------------------------------------------------------------------- */

static struct adit_buf sent_by(struct engine *e)
{
    struct adit_event ev;
    struct adit_buf d = { 0 };
    while (event_of(e, &ev))
        if (ev.type == ADIT_EV_SEND && !d.n)
            must(buf_set(&d, ev.datagrams[0]) == ADIT_OK);
    return d;
}

static void hand_on(struct engine *to, struct adit_buf *d)
{
    struct adit_path path = path_of(to->host, to->host == A ? 2 : 1, to->behind_nat ? 1024 : 500);
    world_prng = &to->prng;
    must(d->n);
    adit_ike_input(to->ike, &path, d->p, d->n, world_now);
}

static void record(struct world *w, int mine)
{
    struct engine me = { 0 }, peer = { 0 };
    struct adit_config *cfg[2] = { world_config(A), world_config(B) };
    engine_start(&me, cfg[mine], mine);
    me.behind_nat = w->stage == ASKING;
    engine_start(&peer, cfg[!mine], !mine);
    initiate(mine == A ? &me : &peer);
    for (unsigned i = 0; i < 2; i++) {
        struct adit_buf d = { 0 };
        if (i || mine == A) {
            d = sent_by(&me);
            hand_on(&peer, &d);
            buf_fini(&d);
        }
        w->tape.datagram[i] = sent_by(&peer);
        hand_on(&me, &w->tape.datagram[i]);
    }
    w->tape.n = w->stage == HALF_OPEN || w->stage == CALLING ? 1 : 2;
    struct adit_buf rest = sent_by(&me);
    buf_fini(&rest);
    adit_ike_free(me.ike);
    adit_ike_free(peer.ike);
    adit_config_unref(cfg[A]);
    adit_config_unref(cfg[B]);
}

/* --- reaching a stage ----------------------------------------------------------------------------------------------- */

/* The living SA; NULL: none. */
static struct ike_sa *world_sa(const struct world *w)
{
    struct ike *ike = (struct ike *)w->me.ike;
    list_for_each(it, &ike->sas) {
        struct ike_sa *sa = list_entry(it, struct ike_sa, link);
        if (!sa->cut && sa->keyed && sa->state != SA_DEAD)
            return sa;
    }
    return NULL;
}

static void play(struct world *w)
{
    for (unsigned i = 0; i < w->tape.n; i++) {
        hand_on(&w->me, &w->tape.datagram[i]);
        drain(w);
    }
}

/* The engine at its stage. */
static void world_engine(struct world *w)
{
    int mine = w->stage == CALLING ? A : B;
    world_now = w->now = SECONDS(1000);
    w->n_children = 0;
    engine_start(&w->me, w->config, mine);
    w->me.behind_nat = w->stage == ASKING;
    drain(w);
    if (mine == A)
        initiate(&w->me);
    drain(w);
    play(w);
    must(w->n_children == (w->stage == ESTABLISHED || w->stage == ASKING));
    if (w->stage == ASKING)
        must(ask(w, ADIT_CMD_REKEY, "net", NULL) == ADIT_OK);
    must(world_sa(w) && !sa_out(world_sa(w)) == (w->stage == HALF_OPEN || w->stage == ESTABLISHED));
    w->up = w->down = false;
}

/* The AEAD's contexts lie on OpenSSL's heap, which does not go back. */
static void drop_crypts(struct world *w)
{
    struct ike *ike = (struct ike *)w->me.ike;
    list_for_each(it, &ike->sas)
        sa_drop_crypts(list_entry(it, struct ike_sa, link));
}

/* The end of the engine; its policy, which has parts on OpenSSL's heap, lives on. */
static long blocks_left(struct world *w)
{
    struct policy *kept = world_plain ? NULL : policy_ref(((struct ike *)w->me.ike)->policy);
    adit_ike_free(w->me.ike);
    must(world_plain || kept);
    return mem_blocks();
}

static void world_make(struct world *w)
{
    int mine = w->stage == CALLING ? A : B;
    world_now = SECONDS(1000);
    if (!w->tape.n)
        record(w, mine);
    heap_use(world_plain ? HEAP_LIBC : (int)w->stage);
    if (!w->config)
        w->config = world_config(mine);
    world_engine(w);
    w->made = !world_plain;
    if (world_plain)
        return;
    drop_crypts(w);
    heap_save();
    w->blocks = blocks_left(w);
    heap_back();
}

/* --- executions --------------------------------------------------------------------------------------------------------- */

static struct world worlds[STAGES], saved[STAGES];

/* The stage's engine, as it was when it had reached it. To be given back by world_leave(). */
static struct world *world_at(enum stage stage)
{
    struct world *w = &worlds[stage];
    w->stage = stage;
    if (!w->made) {
        world_make(w);
        saved[stage] = *w;
    }
    if (!world_plain)
        heap_use((int)stage);
    world_now = w->now;
    world_prng = &w->me.prng;
    return w;
}

static void world_leave(struct world *w)
{
    bool ends = world_executions++ % WORLD_ENDS == 0 || world_plain;
    drop_crypts(w);
    must(!ends || blocks_left(w) == w->blocks || world_plain);
    if (world_plain)
        return;
    heap_back();
    heap_use(HEAP_LIBC);
    *w = saved[w->stage];
}

/* Once, before the first execution. */
static void world_open(void)
{
    world_plain = getenv("FUZZ_PLAIN") != NULL;
}

#endif
