/* fuzz_ike_world.h - one engine as a fuzzer's playground, brought to a stage at little cost: its peer was recorded once,
 * and since the engine draws the same octets each time, the recording fits again. The key exchange is a stand-in. An
 * engine serves a round of WORLD_ROUND executions; what it was fed since the round began lies in the file that
 * $FUZZ_HISTORY names, and FUZZ_REPLAY=FILE feeds that again. */
#ifndef FUZZ_IKE_WORLD_H
#define FUZZ_IKE_WORLD_H

#include <stdlib.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/rd.h"
#include "wire/be.h"
#include "crypto/set.h"
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/sim.h"

/* HALF_OPEN: responder of an IKE_SA_INIT. ASKING: it is up, and waits for the answer to its own rekeying of a Child SA.
 * CALLING: initiator that waits for the answer to IKE_AUTH. */
enum stage { HALF_OPEN, ESTABLISHED, ASKING, CALLING, STAGES };

#define WORLD_ROUND 128
#define WORLD_CHILDREN 2048
#define WORLD_HISTORY (4u << 20)

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

struct engine {
    struct adit_ike *ike;
    struct prng prng;
    int host;
};
struct tape { /* what the recorded peer sent */
    unsigned n;
    struct adit_buf datagram[2];
};
struct world {
    enum stage stage;
    struct engine me;
    unsigned round; /* that it was made in */
    uint64_t now;
    unsigned n_children;
    uint32_t child[WORLD_CHILDREN];
    bool up, down; /* an IKE SA has come, or gone, since this was cleared */
    struct tape tape;
};

static uint64_t world_now;
static unsigned world_round, world_executions;
static struct prng *world_prng; /* of the engine that runs */
static uint8_t *world_history;
static size_t world_history_n;

/* --- the stand-in for X25519 ---------------------------------------------------------------------------------------- */

static bool world_random(void *arg, uint8_t *out, size_t n)
{
    return prng_fill(world_prng, out, n);
}

static enum adit_rc stand_in_publish(const struct adit_crypto *c, struct adit_buf *pub)
{
    uint8_t octets[32];
    prng_fill(world_prng, octets, sizeof(octets));
    return buf_set(pub, SPAN_ARRAY(octets));
}

static enum adit_rc stand_in_init(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state **st,
                            struct adit_buf *pub)
{
    *st = mem_new(sizeof(**st));
    return *st ? stand_in_publish(c, pub) : ADIT_ERR_MEMORY;
}

static enum adit_rc stand_in_agree(struct adit_secret *secret)
{
    static const uint8_t agreed[32] = { 1, 2, 3 };
    return secret_set(secret, SPAN_ARRAY(agreed));
}

static enum adit_rc stand_in_respond(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span peer,
                               struct adit_buf *pub, struct adit_secret *secret)
{
    enum adit_rc rc = stand_in_publish(c, pub);
    return rc == ADIT_OK ? stand_in_agree(secret) : rc;
}

static enum adit_rc stand_in_finish(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                              struct adit_span peer, struct adit_secret *secret)
{
    return stand_in_agree(secret);
}

static void stand_in_free(struct ke_state *st)
{
    mem_del(st);
}

static struct adit_crypto *world_crypto(void)
{
    static const struct ke_ops ops = { stand_in_init, stand_in_respond, stand_in_finish, stand_in_free };
    static struct ke_alg row;
    static struct adit_crypto *c;
    if (c)
        return c;
    c = adit_crypto_new(world_random, NULL, NULL);
    must(c);
    for (size_t i = 0; i < c->n_ke; i++)
        if (c->ke[i]->id == KE_CURVE_25519) {
            row = *c->ke[i];
            row.ops = &ops;
            c->ke[i] = &row;
        }
    return c;
}

/* --- engines -------------------------------------------------------------------------------------------------------- */

static struct adit_config *world_config(int host)
{
    static struct sim s;
    static struct adit_config *made[2];
    if (made[host])
        return made[host];
    must(setjmp(s.out) == 0);
    sim_configure(&s, .ike = "aes128gcm16-prfsha256-x25519", .esp = "aes128gcm16-x25519", .ppk_name = "ab",
                  .ppk = "0123456789abcdef0123456789abcdef",
                  .option = { { "fragmentation", "no" }, { "ppk_id", "ab" } });
    return made[host] = sim_conf_build(&s, host);
}

static void engine_start(struct engine *e, int host)
{
    struct adit_why why = { 0 };
    struct adit_host door = { .crypto = world_crypto(), .random = prng_fill, .random_arg = &e->prng };
    e->host = host;
    prng_init(&e->prng, (uint64_t)host + 1);
    world_prng = &e->prng;
    e->ike = adit_ike_new(&door, world_now);
    must(e->ike && adit_ike_config(e->ike, world_config(host), world_now, &why) == ADIT_OK);
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

static void command(struct engine *e, enum adit_command_type type)
{
    struct adit_why why;
    struct adit_command cmd = { .type = type, .child = "net" };
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
    struct adit_path path = path_of(to->host, to->host == A ? 2 : 1, 500);
    world_prng = &to->prng;
    must(d->n);
    adit_ike_input(to->ike, &path, d->p, d->n, world_now);
}

static void record(struct world *w, int mine)
{
    struct engine me = { 0 }, peer = { 0 };
    engine_start(&me, mine);
    engine_start(&peer, !mine);
    command(mine == A ? &me : &peer, ADIT_CMD_INITIATE);
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

static void world_make(struct world *w)
{
    int mine = w->stage == CALLING ? A : B;
    world_now = w->now = SECONDS(1000);
    if (!w->tape.n)
        record(w, mine);
    if (w->me.ike)
        adit_ike_free(w->me.ike);
    w->n_children = 0;
    engine_start(&w->me, mine);
    drain(w);
    if (mine == A)
        command(&w->me, ADIT_CMD_INITIATE);
    drain(w);
    play(w);
    must(w->n_children == (w->stage == ESTABLISHED || w->stage == ASKING));
    w->round = world_round;
}

/* Another SA that is half-open, without a new engine: SPIs differ, so that it is no repetition. */
static void open_again(struct world *w)
{
    static uint64_t spi = 1;
    struct ike *ike = (struct ike *)w->me.ike;
    if (w->stage == CALLING) {
        struct adit_why why;
        struct adit_command cmd = { .type = ADIT_CMD_INITIATE, .child = "net", .fresh = true };
        if (adit_ike_command(w->me.ike, &cmd, world_now, NULL, &why) != ADIT_OK)
            return;
        drain(w);
        spi = list_entry(ike->sas.prev, struct ike_sa, link)->spi_i;
    } else {
        spi = world_round * 65536ull + world_executions;
    }
    be64_put(w->tape.datagram[0].p, spi);
    play(w);
}

/* Brings it (back) to its stage. */
static void world_ready(struct world *w)
{
    if (w->round != world_round)
        world_make(w);
    world_now = w->now;
    world_prng = &w->me.prng;
    if (!world_sa(w) && (w->stage == HALF_OPEN || w->stage == CALLING))
        open_again(w);
    if (!world_sa(w))
        world_make(w);
    if (w->stage == ASKING && !sa_out(world_sa(w))) {
        struct adit_why why;
        struct adit_command cmd = { .type = ADIT_CMD_REKEY, .child = "net" };
        if (adit_ike_command(w->me.ike, &cmd, world_now, NULL, &why) != ADIT_OK)
            world_make(w), command(&w->me, ADIT_CMD_REKEY);
        drain(w);
    }
    w->up = w->down = false;
}

/* --- rounds and their history --------------------------------------------------------------------------------------- */

static void history_open(void)
{
    const char *path = getenv("FUZZ_HISTORY");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return;
    must(ftruncate(fd, WORLD_HISTORY) == 0);
    world_history = mmap(NULL, WORLD_HISTORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(world_history != MAP_FAILED);
    close(fd);
}

/* Length (32 bits) and octets of each execution; a length of zero ends it. */
static void history_note(struct adit_span input)
{
    if (world_executions++ % WORLD_ROUND == 0) {
        world_round++;
        world_history_n = 0;
    }
    if (!world_history || !input.n || world_history_n + input.n + 8 > WORLD_HISTORY)
        return;
    be32_put(world_history + world_history_n, (uint32_t)input.n);
    span_copy(world_history + world_history_n + 4, input);
    world_history_n += 4 + input.n;
    be32_put(world_history + world_history_n, 0);
}

static void history_replay(const char *path, int (*run)(const uint8_t *, size_t))
{
    static uint8_t mem[WORLD_HISTORY];
    FILE *f = fopen(path, "rb");
    must(f);
    struct rd in = rd_init(span(mem, fread(mem, 1, sizeof(mem), f)));
    fclose(f);
    for (uint32_t n; (n = rd_u32(&in)) > 0;) {
        struct adit_span input = rd_take(&in, n);
        must(rd_ok(&in));
        run(input.p, input.n);
    }
}

/* Once, before the first execution. */
static inline void world_open(int (*run)(const uint8_t *, size_t))
{
    const char *replay = getenv("FUZZ_REPLAY");
    if (replay)
        history_replay(replay, run);
    history_open();
}

/* The stage's engine, ready for this input. */
static inline struct world *world_at(enum stage stage, struct adit_span input)
{
    static struct world worlds[STAGES];
    history_note(input);
    worlds[stage].stage = stage;
    world_ready(&worlds[stage]);
    return &worlds[stage];
}

#endif
