/* cmd_rekey.c - rekey: queues it; the answer says how many SAs were selected, not that it is done. */
#include "daemon/cmd.h"

void cmd_rekey(void *arg, struct vici_call *call)
{
    struct daemon *d = arg;
    struct adit_command cmd = { .type = ADIT_CMD_REKEY };
    struct adit_why why = { 0 };
    unsigned matches = 0;
    struct reply r;
    if (!cmd_selectors(call, &cmd) || !cmd_bool(call, "reauth", &cmd.reauth))
        return;
    enum adit_rc rc = adit_ike_command(d->ike, &cmd, daemon_now(), &matches, &why);
    reply_begin(&r);
    vici_bool(&r.b, "success", rc == ADIT_OK);
    vici_strf(&r.b, "matches", "%u", matches);
    if (rc != ADIT_OK)
        vici_str(&r.b, "errmsg", why.text[0] ? why.text : "no matching SAs to rekey found");
    reply_answer(&r, call);
    host_run(d);
}
