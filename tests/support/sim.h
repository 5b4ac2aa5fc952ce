/* sim.h - scenarios that read like a story: two hosts, a network, virtual time, one seed.
 *
 *     SIM_TEST(rekey_collision_with_loss)
 *     {
 *         sim_start(s);
 *         sim_link(s, .delay_ms = 20, .drop_mask = 0x4);      // third datagram is lost
 *         sim_both(s, ADIT_CMD_REKEY, .child = "net");        // crossing requests, RFC 7296 s2.8.1
 *         sim_run(s, SECONDS(10));
 *         expect_children(s, 1);
 *         expect_same_keys(s);
 *     }
 *
 * A scenario runs once a seed, and twice with each seed: both runs must send the same octets. At its end all SAs are
 * taken down and nothing may be left. An expectation that fails ends the scenario, draws what was sent, and says how to
 * replay it. */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include <setjmp.h>
#include "base/span.h"
#include "support/simhost.h"
#include "support/simnet.h"
#include "support/simstream.h"

#define MILLIS(n) ((uint64_t)(n)*1000000ull)
#define SECONDS(n) ((uint64_t)(n)*1000000000ull)
#define MINUTES(n) SECONDS(60ull * (n))

enum sim_address { SIM_THERE, SIM_GONE, SIM_DEAD };
enum { A, B, C, SIM_MEMBERS }; /* A starts things unless said otherwise; C takes part only after sim_third() */

/* What both hosts are configured with; what is not said has the default given here. */
struct sim_conf {
    const char *ike;  /* "aes128gcm16-prfsha256-x25519"; several with commas */
    const char *esp;  /* "aes128gcm16-x25519" */
    const char *cert; /* "ecdsa", "rsa", "ed25519", "listed" (of another CA), several with commas: authenticate by certificate; NULL: by PSK */
    const char *local_auth;  /* with cert: `auth` of the host itself */
    const char *remote_auth; /* with cert: `auth` of the peer; "pubkey" */
    const char *ids[2]; /* of A and B, as a configuration writes them; NULL: a.example, b.example */
    bool own_cert;      /* with cert (one): configured as the host's own, whether or not it proves its identity */
    const char *crl;  /* with cert = "listed": a file of certs/, "empty.crl" or "a-revoked.crl"; NULL: none */
    enum adit_revocation revocation;
    bool a_by_psk;    /* with cert: A all the same by the PSK */
    const char *psk;  /* "a secret of the simulation" */
    const char *ppk_name, *ppk; /* a post-quantum preshared key and whose it is; NULL: none */
    bool no_child, two_children, transport;
    enum adit_mode mode;                 /* with transport: TRANSPORT */
    uint16_t tfc_padding;
    uint32_t tfc_dummies;
    struct adit_option child_option[8];
    unsigned resources; /* workers that can have Child SAs of their own */
    const char *id; /* NULL: a.example; b.example of B and C */
    unsigned n_children; /* net, net2, .. net21; 0: one, or two */
    uint16_t window;     /* 0 = 1 */
    bool any_peer, roams /* also at other addresses */;                                    /* the peer may come from any address */
    uint32_t rekey_s, reauth_s, dpd_s, child_rekey_s; /* 0 = never */
    uint32_t init_ke_max;                             /* 0 = default */
    bool accept_private_algs;
    uint32_t cookie_threshold;                        /* 0 = default */
    unsigned half_open_s;                             /* 0 = default */
    const char *ke_pool;                              /* key pairs made ahead; NULL: none, some take seconds */
    uint16_t local_port, remote_port;                 /* 0 = 500 */
    const char *peer;                                 /* what kind it is said to be; NULL: found out */
    enum adit_unique unique;
    const char *stranger; /* proposals of a connection "puppet" with the stranger; NULL: none */
    struct adit_option stranger_option[8]; /* of that connection */
    const char *stranger_cert; /* the kind by which both ends of it authenticate; the stranger has A's. NULL: by PSK */
    uint32_t stranger_rekey_s, stranger_child_s; /* lifetimes of its IKE SA and Child SA; 0 = none */
    const char *pool_version; /* what pools say of the software; NULL: nothing */
    const char *pool4, *pool6; /* ranges a-b of pools of these names, with name servers and split DNS */
    struct adit_option option[8];        /* of the connection */
    struct adit_option daemon_option[8]; /* of the settings */
    const char *local_ts, *remote_ts;    /* A's view; 10.1.0.0/16, 10.2.0.0/16 */
};

#define SIM_FLOWS 8
/* Traffic of one policy in one direction, once it has been possible. */
struct simflow {
    uint32_t reqid;     /* the sender's; 0 = unused */
    uint64_t broken_at; /* 0 = flows */
};

/* The first IKE datagrams that a host sent, for scenarios in which somebody sends them again. */
#define SIM_TAPE 64
struct simtape {
    unsigned n;
    struct adit_buf datagram[SIM_TAPE];
};

/* Somebody on the wire: may change an IKE datagram of host `from` (room: 65535 octets), and returns its new length. */
typedef size_t sim_tamper_fn(struct sim *s, int from, uint8_t *datagram, size_t n);

/* Somebody at 192.0.2.66, who is no host of the simulation, gets a datagram; set it before anything is sent to him. */
#define SIM_STRANGER SIM_MEMBERS
typedef void sim_stranger_fn(struct sim *s, const struct sim_datagram *d);

/* The web, as host sees it: what is at url goes to page (empty). */
enum sim_page { SIM_PAGE, SIM_NO_PAGE, SIM_SILENCE /* no answer, ever */ };
typedef enum sim_page sim_web_fn(struct sim *s, int host, const char *url, struct adit_buf *page);

struct simlog; /* what happened, for the diagram */
struct sim {
    uint64_t seed, now;
    const char *test;
    struct prng prng, crypto_prng;
    struct simnet net;
    struct simstreams streams;
    bool no_tcp; /* a firewall refuses new TCP connections */
    struct simhost host[SIM_MEMBERS];
    struct sim_conf conf[SIM_MEMBERS];
    bool third; /* C takes part */
    struct simlog *log;
    uint64_t digest; /* of all that was sent and reported */
    uint64_t next_cookie, probe_every, next_probe;
    struct simflow flow[2][SIM_FLOWS]; /* by sender */
    uint64_t gap[2];                   /* longest time without a common SA, by sender */
    bool started, torn_down;
    unsigned starve_in;     /* allocations until one fails; 0 = none does */
    struct simtape tape[SIM_MEMBERS]; /* by sender, as it was sent */
    sim_tamper_fn *tamper;  /* NULL: nobody */
    sim_stranger_fn *stranger;
    sim_web_fn *web;       /* NULL: there is none */
    unsigned web_delay_ms; /* how long it takes to answer */
    void *stranger_arg;
    bool verbose, failed;
    char failure[600];
    jmp_buf out;
};

#define SIM_TEST(name) static void name(struct sim *s)
struct sim_case {
    const char *name;
    void (*run)(struct sim *s);
};
/* clang-format off */
#define SIM_CASE(name) { #name, name }
/* clang-format on */
/* PROGRAM [CASE [SEED]]; ADIT_SIM_SEEDS seeds a case (default seeds). */
int sim_main(int argc, char **argv, const struct sim_case *cases, size_t n, unsigned seeds);
/* One run; false: s->failure says why. For drivers of their own (test_soak.c). */
bool sim_once(struct sim *s, const struct sim_case *c, uint64_t seed, bool verbose);
void sim_free(struct sim *s);

/* Configures both hosts; sim_configure_host only one (before sim_start). */
#define sim_configure(s, ...) sim_configure_((s), -1, &(struct sim_conf){ __VA_ARGS__ })
#define sim_configure_host(s, host, ...) sim_configure_((s), (host), &(struct sim_conf){ __VA_ARGS__ })
void sim_configure_(struct sim *s, int host, const struct sim_conf *conf);
/* Another gateway for A, C at 192.0.2.3, configured as B unless said otherwise. What this header says of both hosts is
 * about A and B all the same; only taking down is for all. */
void sim_third(struct sim *s);
/* Is there a Child SA that A sends on, and that this host knows with the same keys? */
bool sim_flows_to(const struct sim *s, int host);
/* Starts all engines. */
void sim_start(struct sim *s);
/* The same if that was not done, then A initiates: tried again when the link was too bad, until it is up on both hosts. */
void sim_establish(struct sim *s);
#define sim_link(s, ...) sim_link_((s), -1, &(struct sim_link){ __VA_ARGS__ })
#define sim_link_from(s, host, ...) sim_link_((s), (host), &(struct sim_link){ __VA_ARGS__ })
void sim_link_(struct sim *s, int host, const struct sim_link *link);
void sim_nat(struct sim *s, int host);
void sim_nat_rebind(struct sim *s, int host);
void sim_cut(struct sim *s, int host, bool cut);
/* From now on the host has this address, does not have it any more, or has it in vain: nothing gets from or to it. */
void sim_address(struct sim *s, int host, const char *address, enum sim_address what);
void sim_tell_addresses(struct sim *s, int host); /* those that it has: to its engine */
/* Power off and on again: all SAs of that host are forgotten. */
void sim_restart(struct sim *s, int host);
/* Jobs, whatever the engine does not compute itself at once, take this long, on both hosts. */
void sim_slow_jobs(struct sim *s, unsigned ms);
/* Both data planes send a probe each interval; 0 = stop. */
void sim_traffic(struct sim *s, uint64_t interval_ns);

/* The n-th allocation of the engines from now on fails, once; 0 = none. */
void sim_starve(struct sim *s, unsigned n);
/* Hands host a datagram that seems to come from somewhere: no link is in between. */
void sim_inject(struct sim *s, int host, const char *from, uint16_t port, struct adit_span data);

/* A datagram of the stranger to port 500 of a host, over the network. */
void sim_say(struct sim *s, int host, struct adit_span data);

/* From now on IKE datagrams wait; sim_hand_over() delivers, loses or doubles (a copy waits on) the nth oldest of them. */
enum sim_hand { SIM_DELIVER, SIM_LOSE, SIM_DOUBLE };
void sim_hold(struct sim *s);
unsigned sim_held(const struct sim *s);
void sim_hand_over(struct sim *s, unsigned nth, enum sim_hand how);
void sim_release(struct sim *s); /* those that wait arrive, and no more are held */

/* Issues a command now; returns its cookie for sim_wait(). */
#define sim_command(s, host, type_, ...)                                                                     \
    sim_command_((s), (host), &(struct adit_command){ .type = (type_), __VA_ARGS__ })
uint64_t sim_command_(struct sim *s, int host, const struct adit_command *cmd);
/* On both hosts in the same instant. */
#define sim_both(s, type_, ...)                                                                              \
    (sim_command_((s), A, &(struct adit_command){ .type = (type_), __VA_ARGS__ }),                           \
     sim_command_((s), B, &(struct adit_command){ .type = (type_), __VA_ARGS__ }))
/* Runs for so long. */
void sim_run(struct sim *s, uint64_t ns);
/* Runs until the command is answered, fails after ns; gives its result. */
enum adit_rc sim_wait(struct sim *s, int host, uint64_t cookie, uint64_t ns);

unsigned sim_sas(const struct sim *s, int host); /* IKE SAs */
uint64_t sim_counter(const struct sim *s, int host, enum adit_ike_counter c);
bool sim_info(const struct sim *s, int host, struct adit_ike_info *out); /* of the newest IKE SA */
/* Is there a Child SA that the sender of that direction uses and the receiver knows, with the same keys? */
bool sim_flows(const struct sim *s, int from);

/* Expectations: each ends the scenario if it does not hold. */
#define expect(s, cond, ...) ((cond) ? (void)0 : sim_fail((s), __FILE__, __LINE__, #cond, " " __VA_ARGS__))
void sim_fail(struct sim *s, const char *file, int line, const char *what, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 5, 6)));
#define expect_children(s, n) sim_expect_children((s), (n), __FILE__, __LINE__)
#define expect_same_keys(s) sim_expect_same_keys((s), __FILE__, __LINE__)
#define expect_flows(s) sim_expect_flows((s), __FILE__, __LINE__)
#define expect_no_gap(s) sim_expect_no_gap((s), __FILE__, __LINE__)
#define expect_no_garbage(s) sim_expect_no_garbage((s), __FILE__, __LINE__)
void sim_expect_children(struct sim *s, unsigned n, const char *file, int line);
void sim_expect_same_keys(struct sim *s, const char *file,
                          int line); /* and the same selectors, suite, mode */
void sim_expect_flows(struct sim *s, const char *file, int line);
/* Since establishment traffic could always flow, and no probe met a missing SA. */
void sim_expect_no_gap(struct sim *s, const char *file, int line);
/* No exchange is open, no half-open SA, no Child SA but the current ones. */
void sim_expect_no_garbage(struct sim *s, const char *file, int line);
/* Heals the network, takes everything down, and expects that nothing is left. Each scenario ends with it by itself. */
void sim_tear_down(struct sim *s);

/* --- for simhost.c and simnet's callers ------------------------------------------------------------------------ */
void sim_note(struct sim *s, int host, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sim_digest(struct sim *s, const void *p, size_t n);
void sim_send(struct sim *s, int host, enum sim_kind kind, const struct adit_path *path,
              struct adit_span data);
struct adit_crypto *sim_crypto(struct sim *s);
/* Around each call into an engine: only there sim_starve() counts. */
void sim_enter(struct sim *s);
void sim_leave(struct sim *s);
/* simconf.c: the configuration of one side. */
struct adit_config *sim_conf_build(struct sim *s, int host);

#endif
