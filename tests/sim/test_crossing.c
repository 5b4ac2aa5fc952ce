/* test_crossing.c - two exchanges that cross, in every order of their messages: a table of what either host may begin,
 * times the forms that rekeying has. All orders are walked, not drawn: each delivery, and the moment at which the second
 * host begins, is a choice; a run follows a list of choices, and the next run takes the next one (RFC 7296 s2.8, s2.25).
 *
 *   test_crossing [PART PARTS]     the cells with up to some thousand orders; ADIT_CROSSING_MOST=8: those of so many
 *                                  messages at most; ADIT_CROSSING_ALL=1: the longer ones too, reduced;
 *                                  ADIT_CROSSING_REDUCED=1: all reduced: of two arrivals at different hosts only one
 *                                  order; ADIT_CROSSING_BACKWARDS=1: the other one; ADIT_CROSSING_SEED=2: other nonces;
 *                                  ADIT_CROSSING_FAULTS=1: also each message lost, doubled or late, once;
 *                                  ADIT_CROSSING_DRAWN=50: so many orders of each cell, at random
 *   test_crossing CELL [ORDER]     one cell by its name; ORDER as it is printed: that run alone, drawn
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support/orders.h"
#include "support/sim.h"
#include "support/simlog.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"
#include "wire/iana.h"

/* --- what a host may begin ------------------------------------------------------------------------------------------ */

static void create_child(struct sim *s, int host)
{
    sim_command(s, host, ADIT_CMD_INITIATE, .child = "net2");
}

static void rekey_child(struct sim *s, int host)
{
    sim_command(s, host, ADIT_CMD_REKEY, .child = "net");
}

static void rekey_ike(struct sim *s, int host)
{
    sim_command(s, host, ADIT_CMD_REKEY, .conn = "peer");
}

static void delete_child(struct sim *s, int host)
{
    sim_command(s, host, ADIT_CMD_TERMINATE, .child = "net");
}

static void delete_ike(struct sim *s, int host)
{
    sim_command(s, host, ADIT_CMD_TERMINATE, .conn = "peer");
}

static void reauthenticate(struct sim *s, int host)
{
    sim_command(s, host, ADIT_CMD_REKEY, .conn = "peer", .reauth = true);
}

static struct ike_sa *newest(struct sim *s, int host)
{
    struct ike *ike = (struct ike *)s->host[host].ike;
    struct ike_sa *sa = NULL;
    list_for_each(it, &ike->sas) {
        struct ike_sa *each = list_entry(it, struct ike_sa, link);
        sa = each->cut || each->state != SA_ESTABLISHED ? sa : each;
    }
    return sa;
}

/* Is the peer alive (an empty INFORMATIONAL)? */
static void check(struct sim *s, int host)
{
    struct ike_sa *sa = newest(s, host);
    if (!sa)
        return;
    agenda_add(sa, TASK_LIVENESS, &step_liveness_req);
    sa_arm(sa);
    sim_run(s, 0);
}

/* The initiator moves; the responder has one more address (RFC 4555 s3.5, s3.6). */
static void move(struct sim *s, int host)
{
    sim_address(s, host, host == A ? "192.0.2.11" : "192.0.2.22", SIM_THERE);
    if (host == A)
        sim_address(s, A, "192.0.2.1", SIM_GONE);
    sim_tell_addresses(s, host);
    sim_run(s, 0);
}

static const struct act {
    const char *name;
    void (*begin)(struct sim *s, int host);
    unsigned messages; /* about, to know how many orders there are */
    bool ends_child, ends_ike, makes_child;
} acts[] = {
    { "create-child", create_child, 2, .makes_child = true },
    { "rekey-child", rekey_child, 4 },
    { "rekey-ike", rekey_ike, 4 },
    { "delete-child", delete_child, 2, .ends_child = true },
    { "delete-ike", delete_ike, 2, .ends_ike = true },
    { "check", check, 2 },
    { "move", move, 4 },
    { "reauthenticate", reauthenticate, 9 },
};

/* --- forms ------------------------------------------------------------------------------------------------------------ */

#define PLAIN .two_children = true, .unique = ADIT_UNIQUE_REPLACE, .roams = true, .window = window
#define HYBRID .ike = "aes128gcm16-prfsha256-x25519-ke1_mlkem512", .esp = "aes128gcm16-x25519-ke1_mlkem512"
#define REGULAR .option = { { "optrekey", "no" } }

static uint16_t window; /* of both sides */

static void reload(struct sim *s, int host)
{
    struct adit_why why = { 0 };
    struct adit_config *cfg = sim_conf_build(s, host);
    expect(s, adit_ike_config(s->host[host].ike, cfg, s->now, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
}

static void establish(struct sim *s)
{
    sim_start(s);
    sim_tell_addresses(s, A);
    sim_tell_addresses(s, B);
    sim_establish(s);
}

static void regular(struct sim *s)
{
    sim_configure(s, PLAIN, REGULAR);
    establish(s);
}

/* By the first rekeying it is settled whether the Child SA has a key exchange: from then on the short form is used. */
static void settle_short_form(struct sim *s)
{
    expect(s, sim_wait(s, A, sim_command(s, A, ADIT_CMD_REKEY, .child = "net"), MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(10));
}

static void short_form(struct sim *s)
{
    sim_configure(s, PLAIN);
    establish(s);
    settle_short_form(s);
}

/* B has loaded other proposals meanwhile: it asks in the regular form, A in the short one. */
static void mixed_forms(struct sim *s)
{
    short_form(s);
    sim_configure_host(s, B, PLAIN, .ike = "aes128gcm16-prfsha256-x25519,aes256gcm16-prfsha256-x25519",
                       .esp = "aes128gcm16-x25519,aes256gcm16-x25519");
    reload(s, B);
}

static void more_exchanges(struct sim *s)
{
    sim_configure(s, PLAIN, REGULAR, HYBRID);
    establish(s);
}

static void more_exchanges_short(struct sim *s)
{
    sim_configure(s, PLAIN, HYBRID);
    establish(s);
    settle_short_form(s);
}

static const struct form {
    const char *name;
    void (*start)(struct sim *s);
    unsigned messages; /* more of a rekeying */
} forms[] = {
    { "regular", regular },
    { "short", short_form },
    { "mixed", mixed_forms },
    { "followup", more_exchanges, 2 },
    { "followup-short", more_exchanges_short, 2 },
};

/* --- one order --------------------------------------------------------------------------------------------------------- */

static struct order {
    const struct form *form;
    const struct act *by_a, *by_b;
    uint64_t seed;
    bool faults, backwards, over; /* over: what follows has been seen */
    unsigned long drawn;          /* so many orders at random; 0: all of them */
    struct prng chance;
    struct orders walked;
} order;

struct walk {
    bool b_begun, fault_due;
    unsigned fault_at; /* of drawn orders: the choice at which it comes */
};

static void begin_b(struct sim *s, struct walk *w)
{
    w->b_begun = true;
    order.by_b->begin(s, B);
}

/* Where a datagram matters: its receiver; for one that no more than carries on an IKE SA that is not up yet, nothing else
 * of that host can tell when it came. (A fault may have it meet another message of the same SA: then it counts as all.) */
static int place_of(const struct sim_datagram *d)
{
    bool response = d->data.p[19] & IKE_FLAG_RESPONSE;
    bool carries_on = (d->data.p[18] == XCHG_IKE_SA_INIT && response) || d->data.p[18] == XCHG_IKE_INTERMEDIATE;
    return d->dst + (carries_on && !order.faults ? SIM_HOSTS : 0);
}

/* In this order: a datagram arrives; B begins; and once: one is lost, one is doubled, all are late. */
static unsigned find_ways(struct sim *s, const struct walk *w, struct way *ways)
{
    unsigned held = sim_held(s), n = 0, rounds = w->fault_due ? 3 : 1;
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < held; i++) {
            const struct sim_datagram *d = simnet_peek(&s->net, i);
            ways[n++] = (struct way){ place_of(d), round > 0, 3 * (uint64_t)d->nth + round + 1 };
        }
        if (round == 0 && !w->b_begun)
            ways[n++] = (struct way){ B, false, 0 };
    }
    if (w->fault_due && held)
        ways[n++] = (struct way){ -1, true, 0 };
    return n;
}

static void turn(struct way *ways, unsigned n)
{
    for (unsigned i = 0; i < n / 2; i++) {
        struct way w = ways[i];
        ways[i] = ways[n - 1 - i];
        ways[n - 1 - i] = w;
    }
}

/* Faults stand behind all else: a choice that leaves them out has the same number as one among all. */
static void draw(struct sim *s, const struct walk *w, unsigned n)
{
    struct orders *o = &order.walked;
    unsigned usual = sim_held(s) + !w->b_begun;
    if (!order.drawn || o->n < o->given || o->n == ORDERS_CHOICES_MAX)
        return;
    o->taken[o->n] = (uint8_t)prng_below(&order.chance, o->n == w->fault_at ? n : usual);
    o->given = o->n + 1;
}

static unsigned choose(struct sim *s, const struct walk *w)
{
    struct way ways[ORDERS_WAYS_MAX];
    unsigned n = find_ways(s, w, ways);
    draw(s, w, n);
    if (order.backwards)
        turn(ways, n);
    unsigned i = orders_choose(&order.walked, ways, n);
    order.over = i == n;
    return order.backwards && i < n ? n - 1 - i : i;
}

static void one_event(struct sim *s, struct walk *w)
{
    unsigned held = sim_held(s), i = choose(s, w);
    if (order.over)
        return;
    if (i < held) {
        sim_hand_over(s, i, SIM_DELIVER);
        return;
    }
    i -= held;
    if (!w->b_begun && i-- == 0) {
        begin_b(s, w);
        return;
    }
    w->fault_due = false;
    if (i < 2 * held)
        sim_hand_over(s, i % held, i < held ? SIM_LOSE : SIM_DOUBLE);
    else
        sim_run(s, MILLIS(4600)); /* both sides repeat their requests meanwhile */
}

/* Nothing is on its way: what either side still wants comes within seconds. */
static bool more_comes(struct sim *s)
{
    for (int i = 0; i < 8 && !sim_held(s); i++)
        sim_run(s, SECONDS(1));
    return sim_held(s) > 0;
}

static void walk(struct sim *s)
{
    struct walk w = { .fault_due = order.faults };
    if (order.drawn)
        w.fault_at = (unsigned)prng_below(&order.chance, order.by_a->messages + order.by_b->messages);
    sim_hold(s);
    order.by_a->begin(s, A);
    do {
        while ((sim_held(s) || !w.b_begun) && !order.over) {
            one_event(s, &w);
            sim_run(s, MILLIS(1));
        }
    } while (!order.over && more_comes(s));
    sim_release(s);
}

/* --- what must be true after it --------------------------------------------------------------------------------------- */

static bool either(bool (*is)(const struct act *a))
{
    return is(order.by_a) || is(order.by_b);
}

static bool ends_child(const struct act *a)
{
    return a->ends_child;
}

static bool ends_ike(const struct act *a)
{
    return a->ends_ike;
}

static bool makes_child(const struct act *a)
{
    return a->makes_child;
}

static bool renews_ike(const struct act *a)
{
    return a->begin == reauthenticate;
}

/* Two that make the same one make it twice, as RFC 7296 has it: also when one makes it anew in the successor of an SA in
 * which the other has just made it. What is deleted while it is made in the successor comes up there. */
static void expect_children_of(struct sim *s)
{
    unsigned n = 1u - either(ends_child) + either(makes_child), have = simhost_children(&s->host[A]);
    bool twice = (order.by_a->makes_child && order.by_b->makes_child) || (either(makes_child) && either(renews_ike));
    bool again = either(ends_child) && either(renews_ike);
    expect_children(s, have == n + 1 && (twice || again) ? have : n);
}

static void run_order(struct sim *s)
{
    orders_begin(&order.walked);
    order.over = false;
    sim_link(s, .delay_ms = 0);
    order.form->start(s);
    sim_run(s, SECONDS(1));
    sim_traffic(s, MILLIS(1));
    sim_run(s, MILLIS(2));
    sim_traffic(s, MILLIS(500));
    walk(s);
    if (order.over)
        return;
    sim_run(s, SECONDS(30));
    sim_traffic(s, 0);
    sim_run(s, MINUTES(7)); /* a redundant SA that the peer never learned of lives on for a while */
    expect(s, sim_sas(s, A) == sim_sas(s, B), "A has %u IKE SAs, B %u", sim_sas(s, A), sim_sas(s, B));
    expect_no_garbage(s);
    expect_same_keys(s);
    if (either(ends_ike)) {
        expect(s, sim_sas(s, A) <= 1, "%u IKE SAs", sim_sas(s, A));
        return;
    }
    expect(s, sim_sas(s, A) == 1, "%u IKE SAs", sim_sas(s, A));
    expect_children_of(s);
    bool early = order.faults && either(makes_child); /* its responder may send before the initiator has the answer */
    if (!either(ends_child) && !early)
        expect_no_gap(s);
}

static const struct sim_case the_case = { "crossing", run_order };

/* --- all of them ------------------------------------------------------------------------------------------------------- */

static void print_order(void)
{
    for (unsigned i = 0; i < order.walked.n; i++)
        printf("%s%u", i ? "." : "", order.walked.taken[i]);
}

static void print_cell(void)
{
    printf("%s/%s/%s", order.form->name, order.by_a->name, order.by_b->name);
}

static bool one_run(struct sim *s, const char *program, bool verbose)
{
    bool good = sim_once(s, &the_case, order.seed, verbose);
    if (!good) {
        printf("# replay: %s%sADIT_CROSSING_SEED=%llu %s ", order.faults ? "ADIT_CROSSING_FAULTS=1 " : "",
               order.backwards ? "ADIT_CROSSING_BACKWARDS=1 " : "", (unsigned long long)order.seed, program);
        print_cell();
        printf(" ");
        print_order();
        printf("\nnot ok - ");
        print_cell();
        printf(": %s\n", s->failure);
    }
    sim_free(s);
    return good;
}

#define FAILURES_MAX 3 /* of a cell */

static bool drawn_orders(struct sim *s, const char *program)
{
    unsigned long failures = 0;
    order.walked.reduced = false;
    for (unsigned long i = 0; i < order.drawn && failures < FAILURES_MAX; i++) {
        prng_init(&order.chance, order.seed << 32 | i);
        order.walked.given = 0;
        failures += !one_run(s, program, false);
    }
    if (!failures) {
        printf("ok - ");
        print_cell();
        printf(" (%lu orders, drawn)\n", order.drawn);
    }
    return failures == 0;
}

static bool all_orders(struct sim *s, const char *program)
{
    if (order.drawn)
        return drawn_orders(s, program);
    unsigned long runs = 0, cut = 0, failures = 0;
    order.walked.given = 0;
    do {
        runs++;
        failures += !one_run(s, program, false);
        cut += order.over;
    } while (failures < FAILURES_MAX && orders_next(&order.walked));
    if (!failures) {
        printf("ok - ");
        print_cell();
        printf(" (%lu orders%s)\n", runs - cut, order.walked.reduced ? ", reduced" : "");
    }
    return failures == 0;
}

static void take_order(char *text)
{
    struct orders *o = &order.walked;
    for (o->given = 0; *text && o->given < ORDERS_CHOICES_MAX; text += *text == '.')
        o->taken[o->given++] = (uint8_t)strtoul(text, &text, 10);
}

#define CELLS (ARRAY_LEN(forms) * ARRAY_LEN(acts) * ARRAY_LEN(acts))

static void set_cell(size_t i)
{
    order.by_b = &acts[i % ARRAY_LEN(acts)];
    order.by_a = &acts[i / ARRAY_LEN(acts) % ARRAY_LEN(acts)];
    order.form = &forms[i / ARRAY_LEN(acts) / ARRAY_LEN(acts)];
}

static bool is_short(void)
{
    const char *most = getenv("ADIT_CROSSING_MOST"); /* messages */
    return order.by_a->messages + order.by_b->messages + 2 * order.form->messages <= (most ? strtoul(most, NULL, 10) : 12);
}

/* Forms matter to rekeying only, and a mix of them to two rekeyings. */
static bool is_worth_it(void)
{
    bool a = strncmp(order.by_a->name, "rekey", 5) == 0, b = strncmp(order.by_b->name, "rekey", 5) == 0;
    bool any = a || b || either(makes_child) || either(renews_ike);
    if (strcmp(order.form->name, "regular") == 0)
        return true;
    return strcmp(order.form->name, "mixed") == 0 ? a && b : any;
}

static int one_cell(struct sim *s, int argc, char **argv)
{
    char name[100];
    for (size_t i = 0; i < CELLS; i++) {
        set_cell(i);
        snprintf(name, sizeof(name), "%s/%s/%s", order.form->name, order.by_a->name, order.by_b->name);
        if (strcmp(name, argv[1]) != 0)
            continue;
        if (argc == 2)
            return !all_orders(s, argv[0]);
        order.drawn = 0;
        take_order(argv[2]);
        return !one_run(s, argv[0], true);
    }
    fprintf(stderr, "there is no cell '%s'\n", argv[1]);
    return 1;
}

int main(int argc, char **argv)
{
    static struct sim s;
    const char *faults = getenv("ADIT_CROSSING_FAULTS");
    unsigned part = 0, parts = 1, failures = 0, k = 0;
    bool all = getenv("ADIT_CROSSING_ALL") != NULL, reduced = getenv("ADIT_CROSSING_REDUCED") != NULL;
    order.faults = faults && faults[0] == '1';
    order.walked.reduced = reduced;
    order.backwards = getenv("ADIT_CROSSING_BACKWARDS") != NULL;
    order.drawn = getenv("ADIT_CROSSING_DRAWN") ? strtoul(getenv("ADIT_CROSSING_DRAWN"), NULL, 10) : 0;
    order.seed = getenv("ADIT_CROSSING_SEED") ? strtoull(getenv("ADIT_CROSSING_SEED"), NULL, 10) : 1;
    window = getenv("ADIT_CROSSING_WINDOW") ? (uint16_t)strtoul(getenv("ADIT_CROSSING_WINDOW"), NULL, 10) : 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc >= 2 && strchr(argv[1], '/'))
        return one_cell(&s, argc, argv);
    if (argc == 3) {
        part = (unsigned)strtoul(argv[1], NULL, 10);
        parts = (unsigned)strtoul(argv[2], NULL, 10);
    }
    for (size_t i = 0; i < CELLS; i++) {
        set_cell(i);
        if (!is_worth_it() || !(all || is_short()) || !parts || k++ % parts != part)
            continue;
        order.walked.reduced = reduced || !is_short();
        failures += !all_orders(&s, argv[0]);
    }
    return failures != 0;
}
