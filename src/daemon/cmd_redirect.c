/* cmd_redirect.c - redirect (RFC 5685): refused, this version does not speak it. */
#include "daemon/cmd.h"

void cmd_redirect(void *arg, struct vici_call *call)
{
    vici_call_fail(call, "redirecting peers (RFC 5685) is not supported by this version");
}
