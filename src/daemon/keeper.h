/* keeper.h - children that are configured to be up come up again by themselves, whatever ended them, until somebody closes
 * them by command. Belongs to the control thread. */
#ifndef DAEMON_KEEPER_H
#define DAEMON_KEEPER_H

#include "daemon/daemon.h"

/* What is known of a child that is kept up. */
struct keeper_info {
    bool held;          /* closed by command: it stays down until it is loaded or initiated again */
    unsigned failures;  /* attempts since it went down */
    uint64_t down_at;   /* ns; 0 = it is up */
    uint64_t next_at;   /* ns; 0 = an attempt is under way */
    const char *why;    /* in words; borrowed */
};

/* A start action: tries now, and keeps it up from now on. */
void keeper_start(struct daemon *d, const char *conn, const char *child);
/* It is no longer configured so. */
void keeper_forget(struct daemon *d, const char *conn, const char *child);
/* An attempt of waiting_attempt() has ended. */
void keeper_tried(struct daemon *d, const char *conn, const char *child, enum adit_rc rc, const char *why);
/* ADIT_EV_CHILD_UP; ADIT_EV_CHILD_DOWN, after the journal knows of it. */
void keeper_up(struct daemon *d, const char *conn, const char *child);
void keeper_down(struct daemon *d, const struct adit_event *ev);
/* Whoever closes SAs by command means it: what the selectors mean is left alone. */
void keeper_hold(struct daemon *d, const struct adit_command *sel);
/* The reason to fail may be gone: those that wait try again soon. afresh: their back-off starts anew, too. */
void keeper_retry_all(struct daemon *d, bool afresh);
/* Has this connection failed more than once in a row? */
bool keeper_repeats(const struct daemon *d, const char *conn);
/* False: it is not kept up, or always was up. */
bool keeper_look(const struct daemon *d, const char *conn, const char *child, struct keeper_info *out);
/* Which of its actions applies to a Child SA that ended for this reason; ADIT_ACTION_* bits. */
uint8_t keeper_action(const struct adit_child_cfg *child, enum adit_rc rc);
/* ms until the next attempt after so many failures in a row; random: any number. Unreachable peers are called again after
 * 3 s, then less and less often, at least each minute; who refused us (wrong secret, no common proposal) after 4 s, up to
 * 15 minutes. */
uint64_t keeper_delay_ms(unsigned failures, bool refused, uint32_t random);
void keepers_free(struct daemon *d);

#endif
