/* cmd_list_sas.c - list-sas: one list-sa event an IKE SA, as fast as the client reads. */
#include <string.h>
#include "base/mem.h"
#include "daemon/cmd.h"
#include "daemon/show.h"

struct listing {
    struct daemon *d;
    struct adit_command sel;
    uint32_t cursor;
};

static bool child_fits(const struct listing *l, const struct adit_child_info *c)
{
    return (!l->sel.child || (c->spec.child && !strcmp(l->sel.child, c->spec.child))) &&
           (!l->sel.child_id || l->sel.child_id == c->id);
}

static bool fits(const struct listing *l, const struct adit_ike_info *ike)
{
    struct adit_child_info c;
    if (l->sel.conn && (!ike->conn || strcmp(l->sel.conn, ike->conn)))
        return false;
    if (l->sel.ike_id && l->sel.ike_id != ike->id)
        return false;
    if (!l->sel.child && !l->sel.child_id)
        return true;
    for (unsigned i = 0; adit_ike_child_info(l->d->ike, ike->id, i, &c); i++)
        if (child_fits(l, &c))
            return true;
    return false;
}

static bool next(void *state, struct vici_call *call)
{
    struct listing *l = state;
    struct adit_ike_info ike;
    struct reply r;
    if (!adit_ike_sa_next(l->d->ike, &l->cursor, &ike)) {
        vici_call_answer(call, SPAN_NONE);
        return false;
    }
    if (!fits(l, &ike))
        return true;
    reply_begin(&r);
    show_sa(&r.b, l->d, &ike, l->sel.child_id, daemon_now());
    reply_event(&r, call, "list-sa");
    return true;
}

static bool read_selectors(struct vici_call *call, struct adit_command *sel)
{
    int64_t ike_id = 0, child_id = 0;
    if (!cmd_int(call, "ike-id", 0, UINT32_MAX, &ike_id) ||
        !cmd_int(call, "child-id", 0, UINT32_MAX, &child_id))
        return false;
    *sel = (struct adit_command){ .conn = cmd_text(call, "ike"),
                                  .child = cmd_text(call, "child"),
                                  .ike_id = (uint32_t)ike_id,
                                  .child_id = (uint32_t)child_id };
    return true; /* the texts live as long as the call */
}

void cmd_list_sas(void *arg, struct vici_call *call)
{
    struct adit_command sel;
    if (!read_selectors(call, &sel))
        return;
    struct listing *l = mem_new(sizeof(*l));
    if (!l) {
        vici_call_fail(call, "out of memory");
        return;
    }
    l->d = arg;
    l->sel = sel;
    vici_call_stream(call, next, l, mem_del);
}
