/* simhost.h - one host of a simulation: an IKE engine, its jobs, and a data plane reduced to what matters: which Child
 * SAs are installed, with which keys, and which of them carries traffic. */
#ifndef TESTS_SIMHOST_H
#define TESTS_SIMHOST_H

#include "adit/ike.h"
#include "base/buf.h"
#include "base/secret.h"
#include "support/prng.h"

#define SIM_CHILDREN 2100
#define SIM_TS 8
#define SIM_JOBS 64
#define SIM_DONE 64
#define SIM_FETCHES 32

struct sim;

/* An installed Child SA as the data plane was told. Keys are copies. */
struct simchild {
    uint32_t id, ike_id, reqid, replaces;
    uint32_t spi_in, spi_out;
    uint8_t key_in[160], key_out[160]; /* encr | integ, zero padded */
    struct adit_suite suite;
    enum adit_mode mode;
    struct adit_shape shape;
    bool udp_encap, sends, shares, leaves;
    unsigned resource;
    struct adit_path path;
    uint16_t n_local, n_remote;
    struct adit_ts local[SIM_TS], remote[SIM_TS];
    struct adit_addr local_seen, remote_seen; /* by the peer, transport mode */
    uint64_t installed_at, forget_at; /* forget_at: inbound grace after REMOVE; 0 = not removed */
    bool heard;
};

struct simdone {
    uint64_t cookie;
    enum adit_rc rc;
    char text[512];
};
struct simjob {
    struct adit_job *job;
    uint64_t at;
};

struct simfetch { /* what the engine waits for from the web */
    uint64_t cookie, at;
    char url[300];
};

struct simhost {
    struct sim *sim;
    int index;
    const char *name;
    struct adit_ike *ike; /* NULL: switched off */
    struct adit_config *cfg;
    struct prng prng;
    unsigned n_children, cap_children, n_jobs, n_done;
    struct simchild *child;
    struct simjob job[SIM_JOBS];
    struct simdone done[SIM_DONE];
    unsigned n_fetches;
    struct simfetch fetch[SIM_FETCHES];
    unsigned job_delay_ms; /* how long a job takes; 0: all jobs run inline */
    unsigned events[ADIT_EV_STREAM_CLOSE + 1];
    struct adit_assigned assigned; /* the last one */
    size_t octets, peak; /* of memory that the engine has now; the most that it has had */
    unsigned starved;  /* probes that no inbound SA took */
    uint64_t received; /* probes */
    uint64_t last_received_at;
};

/* Starts an engine with cfg (its own reference is taken). */
void simhost_start(struct simhost *h, struct adit_config *cfg);
/* As a power cut: the engine is gone, no farewell. Outstanding jobs come back first. */
void simhost_stop(struct simhost *h);
void simhost_fini(struct simhost *h);
void simhost_input(struct simhost *h, const struct adit_path *path, struct adit_span data);
/* A probe of the peer's data plane has arrived: SPI and key must be known here. */
void simhost_data(struct simhost *h, struct adit_span data);
/* Sends a probe through the newest SA that may carry traffic. */
void simhost_probe(struct simhost *h);
/* Engine's deadline, jobs, data plane; UINT64_MAX = nothing. */
uint64_t simhost_deadline(const struct simhost *h);
void simhost_tick(struct simhost *h);
enum adit_rc simhost_command(struct simhost *h, const struct adit_command *cmd, struct adit_why *why);
/* Newest Child SA that carries our traffic / by inbound SPI; NULL: none. */
bool simhost_prefers(const struct simchild *c, const struct simchild *to); /* to: NULL = nothing; as the data plane does */
const struct simchild *simhost_sender(const struct simhost *h);
const struct simchild *simhost_by_spi(const struct simhost *h, uint32_t spi_in);
/* Child SAs that are not being removed. */
unsigned simhost_children(const struct simhost *h);
const struct simdone *simhost_done(const struct simhost *h, uint64_t cookie);
/* Digest of everything that the engine shows of its SAs: equal before and after a rejected message. */
uint64_t simhost_snapshot(const struct simhost *h);

#endif
