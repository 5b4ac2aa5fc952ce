/* show.h - SAs as VICI shows them: the I and C blocks of list-sa and of the up/down/rekey events. */
#ifndef DAEMON_SHOW_H
#define DAEMON_SHOW_H

#include "daemon/daemon.h"

/* The key/values of one IKE SA, inside the section that the caller opened. */
void show_ike(struct vici_build *b, const struct adit_ike_info *ike, uint64_t now);
/* The key/values and selectors of one Child SA; stats from the data plane. */
void show_child(struct vici_build *b, struct daemon *d, const struct adit_child_info *child, uint64_t now);
/* "<child>-<id>" S {C} */
void show_child_section(struct vici_build *b, struct daemon *d, const struct adit_child_info *child,
                        uint64_t now);
/* "<conn>" S {I, child-sas S {...}}; only = 0: all children, else this one. */
void show_sa(struct vici_build *b, struct daemon *d, const struct adit_ike_info *ike, uint32_t only,
             uint64_t now);
void show_ts_list(struct vici_build *b, const char *name, const struct adit_ts *ts, unsigned n);
const char *show_mode(enum adit_mode mode);
bool show_is_sa(enum adit_mode mode); /* a policy that Child SAs carry, not one that needs none */
/* "CURVE_25519+ML_KEM_768" */
void show_ke_list(char *out, size_t cap, const struct adit_suite *suite);
/* The IKE SA with this id; false: there is none. */
bool show_find_ike(const struct daemon *d, uint32_t ike_id, struct adit_ike_info *out);
bool show_find_child(const struct daemon *d, uint32_t ike_id, uint32_t child_id, struct adit_child_info *out);

#endif
