/* cmd_pools.c - load-pool, unload-pool, get-pools: address pools are not there in this version. */
#include "daemon/cmd.h"

void cmd_load_pool(void *arg, struct vici_call *call)
{
    vici_call_fail(call, "address pools are not supported by this version");
}

void cmd_unload_pool(void *arg, struct vici_call *call)
{
    vici_call_fail(call, "there is no such pool: address pools are not supported by this version");
}

void cmd_get_pools(void *arg, struct vici_call *call)
{
    vici_call_answer(call, SPAN_NONE);
}
