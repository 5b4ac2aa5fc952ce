/* cmd_terminate.c - terminate: close the selected SAs. */
#include "daemon/cmd.h"

void cmd_terminate(void *arg, struct vici_call *call)
{
    struct adit_command cmd = { .type = ADIT_CMD_TERMINATE };
    int64_t timeout = 0, loglevel = 1;
    if (!cmd_selectors(call, &cmd) || !cmd_bool(call, "force", &cmd.force) ||
        !cmd_int(call, "timeout", -1, INT32_MAX, &timeout) || !cmd_int(call, "loglevel", -1, 4, &loglevel))
        return;
    waiting_start(arg, call, &cmd, timeout, (int)loglevel);
}
