/* backend.h - what carries Child SAs: our own ESP (user.c) or another's. dp.c chooses one for each Child SA, and is the only
 * one that knows which; the daemon and the engine see dp.h. Control thread. Private to this room. */
#ifndef DP_BACKEND_H
#define DP_BACKEND_H

#include "dp/dp.h"

/* The functions mean what those of dp.h mean with the same names; `self` is the back end's state. */
struct dp_backend_ops {
    const char *name;
    void (*free)(void *self);
    enum adit_rc (*child_add)(void *self, const struct adit_child_spec *spec, struct adit_why *why);
    void (*child_activate)(void *self, uint32_t id);
    void (*child_leave)(void *self, uint32_t id);
    void (*child_path)(void *self, uint32_t id, const struct adit_path *path, bool udp_encap);
    void (*child_del)(void *self, uint32_t id, uint64_t grace_ns, struct adit_child_stats *last);
    bool (*child_stats)(void *self, uint32_t id, struct adit_child_stats *out);
    enum adit_rc (*policy_add)(void *self, const struct dp_policy *p, struct adit_why *why);
    void (*policy_del)(void *self, uint32_t reqid);
    bool (*poll)(void *self, struct dp_event *out);
};
struct dp_backend {
    const struct dp_backend_ops *ops;
    void *self;
};

#endif
