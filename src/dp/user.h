/* user.h - our own ESP, in user space, as a back end; and what it alone has: the TUN and its routes, the NAT-T sockets. Private to
 * this room. */
#ifndef DP_USER_H
#define DP_USER_H

#include "dp/backend.h"

struct dp_user;

/* As dp_new(). */
ADIT_MUST_USE enum adit_rc user_new(const struct dp_settings *s, struct dp_user **out, struct adit_why *why);
extern const struct dp_backend_ops user_ops; /* self: the struct dp_user; free ends it */
int user_event_fd(const struct dp_user *dp);

/* As those of dp.h. */
const char *user_tun(const struct dp_user *dp);
ADIT_MUST_USE enum adit_rc user_tun_renew(struct dp_user *dp, struct adit_why *why);
ADIT_MUST_USE enum adit_rc user_routes_renew(struct dp_user *dp, struct adit_why *why);
void user_counters(struct dp_user *dp, struct dp_counters *out);
bool user_esp_in(struct dp_user *dp, const struct adit_path *path, struct adit_span packet);
ADIT_MUST_USE enum adit_rc user_send_nat_t(struct dp_user *dp, const struct adit_path *path, struct adit_span data);

/* --- for Child SAs of the kernel's: user_kernel.c --- */
/* Routes to its remote selectors into the TUN, until user_route_del() with its id. */
ADIT_MUST_USE enum adit_rc user_route_add(struct dp_user *dp, const struct adit_child_spec *spec, struct adit_why *why);
void user_route_del(struct dp_user *dp, uint32_t id);
/* Packets to these inbound SPIs are none of our workers': at most NET_SPIS_MAX. 0 or -errno. */
int user_leave_spis(struct dp_user *dp, const uint32_t *spi, size_t n);
/* The kernel is to take ESP in UDP that our sockets leave alone. False: it can't. */
bool user_udp_encap(struct dp_user *dp);

#endif
