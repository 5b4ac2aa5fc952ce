/* test_pushed.c - 1,000 peers from addresses of their own do IKE_SA_INIT, each pushes a key of a megabyte that never comes to
 * its end, and none ever says who it is: memory stays below the configured ceiling, and real peers come up meanwhile. */
#include <stdio.h>
#include "conformance/puppet.h"
#include "support/simpuppet.h"
#include "wire/iana.h"

#define SUITE "aes128gcm16-prfsha256-x25519-ke1_mceliece6688128f"
#define KEY_OCTETS 1044992u
#define PEERS 1000u
#define PIECE 1200u /* octets of plaintext in a fragment */
#define TOTAL ((KEY_OCTETS + 8 + PIECE - 1) / PIECE)
#define A_MILLISECOND 125u /* fragments: 1.2 Gbit/s of them */
#define STRANGERS ((size_t)64 << 20)
#define CEILING ((size_t)256 << 20) /* the default */
/* What is no part of messages: the exchange that each one's request begins; and a real peer's message, which is there twice
 * for a moment when it has come to its end. */
#define BESIDE ((size_t)PEERS * 2560 + 2 * KEY_OCTETS + 65536)
#define SHORT ((size_t)131072)      /* what has fewer octets than this is a stranger's, not long */

struct flood {
    struct sim *s;
    struct puppet *p;
    struct association peer[PEERS];
    unsigned at_once; /* peers that take turns, until each has sent all but its last fragment; then come the next ones */
    unsigned sent;    /* fragments, of all peers */
};

static const char *address_of(unsigned i)
{
    static char text[20];
    snprintf(text, sizeof(text), "10.200.%u.%u", i / 250, 1 + i % 250);
    return text;
}

/* Cookies are asked for from the 31st on. */
static void join_in(struct flood *f, unsigned i)
{
    struct puppet *p = f->p;
    struct notify n;
    expect(f->s, addr_parse(address_of(i), &f->s->net.host[SIM_STRANGER].addr));
    p->sa = (struct association){ 0 };
    hello(p);
    say(p);
    expect(f->s, hear_response(p, 3000), "peer %u", i);
    if (heard_notify(p, N_COOKIE, &n)) {
        add_notify(p, N_COOKIE, n.data);
        say(p);
        expect(f->s, hear_response(p, 3000), "peer %u", i);
    }
    accept_response(p);
    expect(f->s, !p->over, "peer %u: %s", i, p->out->text);
    f->peer[i] = p->sa;
    p->sa = (struct association){ 0 };
}

/* All but the last fragment of its key. */
static void push(struct flood *f)
{
    static const uint8_t plain[PIECE];
    unsigned round = f->at_once * (TOTAL - 1), in_round = f->sent % round;
    unsigned who = (f->sent / round * f->at_once + in_round % f->at_once) % PEERS, number = in_round / f->at_once + 1;
    struct puppet *p = f->p;
    p->sa = f->peer[who];
    draft_begin(p, XCHG_IKE_INTERMEDIATE, false);
    p->draft.hdr.msgid = 1;
    size_t n = seal(p, number == 1 ? PLD_KE : PLD_NONE, SPAN_ARRAY(plain), number, TOTAL);
    f->peer[who] = p->sa;
    p->sa = (struct association){ 0 };
    f->sent++;
    sim_inject(f->s, B, address_of(who), 500, span(p->out_mem, n));
}

static void push_for(struct flood *f, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        for (unsigned k = 0; k < A_MILLISECOND; k++)
            push(f);
        sim_run(f->s, MILLIS(1));
    }
}

/* A, in the midst of it. */
static void a_real_peer_comes_up(struct flood *f)
{
    struct sim *s = f->s;
    uint64_t began = s->now, before = s->host[A].events[ADIT_EV_IKE_UP];
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true);
    while (s->host[A].events[ADIT_EV_IKE_UP] == before && s->now < began + SECONDS(5))
        push_for(f, 5);
    expect(s, s->host[A].events[ADIT_EV_IKE_UP] > before, "within 5 s");
    sim_note(s, A, "came up in %.0f ms", (double)(s->now - began) / 1e6);
}

/* Until `longest` has been held, and then for so much longer as three real peers need. */
static void flooded(struct flood *f, size_t longest)
{
    struct sim *s = f->s;
    size_t before = s->host[B].octets;
    while (!sim_counter(s, B, ADIT_C_MEMORY_FULL) && f->sent < PEERS * (TOTAL - 1))
        push_for(f, 5);
    expect(s, sim_counter(s, B, ADIT_C_MEMORY_FULL) > 0);
    a_real_peer_comes_up(f);
    push_for(f, 300);
    a_real_peer_comes_up(f);
    sim_note(s, B, "%u fragments, at most %zu octets above those of half-open peers", f->sent, s->host[B].peak - before);
    expect(s, s->host[B].peak - before > longest / 10 * 9, "%zu", s->host[B].peak - before);
    longest += longest > STRANGERS ? f->at_once * SHORT : 0;
    expect(s, s->host[B].peak - before <= longest + BESIDE, "%zu", s->host[B].peak - before);
}

static void pushed(struct sim *s, unsigned at_once, size_t longest)
{
    static struct simpuppet inbox;
    static struct flood f;
    struct conformance_result result;
    simpuppet_join(&inbox, s);
    struct conformance_params params = simpuppet_params(&inbox, SUITE);
    f = (struct flood){ .s = s, .p = puppet_new(&params, &result), .at_once = at_once };
    f.p->fragments = f.p->private_points = true;
    sim_configure(s, .ike = SUITE);
    sim_configure_host(s, B, .ike = SUITE, .any_peer = true);
    sim_link(s, .delay_ms = 1);
    sim_start(s);
    size_t before = s->host[B].octets;
    for (unsigned i = 0; i < PEERS; i++)
        join_in(&f, i);
    flooded(&f, longest);
    for (unsigned i = 0; i < PEERS; i++)
        association_fini(&f.peer[i]);
    puppet_free(f.p);
    sim_run(s, MINUTES(2));
    simpuppet_forget(&inbox);
    expect(s, s->host[B].octets - before < 300000, "%zu octets are left", s->host[B].octets - before);
}

/* None has more than 64 KiB or so at a time: what all strangers may have. */
SIM_TEST(a_thousand_at_once)
{
    pushed(s, PEERS, STRANGERS);
}

/* Each has its megabyte: what all long messages may have. */
SIM_TEST(fifty_at_once_until_a_thousand_have_been)
{
    pushed(s, 50, CEILING);
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = { SIM_CASE(a_thousand_at_once),
                                             SIM_CASE(fifty_at_once_until_a_thousand_have_been) };
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 1);
}
