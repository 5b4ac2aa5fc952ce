/* cmd_version.c - version: who answers here. */
#include <sys/utsname.h>
#include "daemon/cmd.h"

void cmd_version(void *arg, struct vici_call *call)
{
    struct utsname u = { 0 };
    struct reply r;
    uname(&u);
    reply_begin(&r);
    vici_str(&r.b, "daemon", "aditd");
    vici_str(&r.b, "version", ADIT_VERSION);
    vici_str(&r.b, "sysname", u.sysname);
    vici_str(&r.b, "release", u.release);
    vici_str(&r.b, "machine", u.machine);
    reply_answer(&r, call);
}
