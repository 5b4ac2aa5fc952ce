/* cmd_initiate.c - initiate: bring a connection or child up and say how it went. */
#include "daemon/cmd.h"

void cmd_initiate(void *arg, struct vici_call *call)
{
    struct adit_command cmd = { .type = ADIT_CMD_INITIATE };
    int64_t timeout = 0, loglevel = 1;
    cmd.conn = cmd_text(call, "ike");
    cmd.child = cmd_text(call, "child");
    if (!cmd.conn && !cmd.child) {
        vici_call_fail(call, "initiate needs ike or child");
        return;
    }
    if (!cmd_int(call, "timeout", -1, INT32_MAX, &timeout) || !cmd_int(call, "loglevel", -1, 4, &loglevel))
        return;
    waiting_start(arg, call, &cmd, timeout, (int)loglevel);
}
