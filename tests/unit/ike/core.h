/* core.h - what the tests of the engine's core share: an engine without configuration, IKE SAs with made-up keys, and
 * two whole hosts where a test needs a peer. */
#ifndef TESTS_CORE_H
#define TESTS_CORE_H

#include "unit.h"
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"

/* Random octets are those of one generator: the same in each run. */
struct ike *core_new(void);
void core_free(struct ike *ike);
/* 192.0.2.1[500] - 192.0.2.2[500] as seen by the initiator or by the responder. */
struct adit_path core_path(bool initiator);
/* An established SA of a connection "peer" that wants nothing. Two of them, one of each role, can talk. */
struct ike_sa *core_sa(struct ike *ike, bool initiator);
/* The same with this encryption; bits 0 and integ 0 where there are none. */
struct ike_sa *core_sa_with(struct ike *ike, bool initiator, uint16_t encr, uint16_t bits, uint16_t integ);
/* A Child SA of sa that nobody has negotiated. */
struct ike_child *core_child(struct ike_sa *sa);
/* Polls until an event of that type; false: there is none, and all others are gone too. */
bool core_event(struct ike *ike, enum adit_event_type type, struct adit_event *out);
void core_drain(struct ike *ike);
/* Opens what x's peer was answered; the notify in it. */
bool core_opened_notify(struct ike_sa *by, struct adit_span datagram, struct notify *out);

/* A scenario of two hosts; fails the test as the scenario does. */
void core_scenario(void (*run)(struct sim *s));
struct ike *core_engine(struct sim *s, int host);
/* Its newest SA; NULL: none. */
struct ike_sa *core_newest(struct sim *s, int host);

#endif
