/* caps.c - see caps.h. By system call: two structs need no library. */
#include "daemon/caps.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/why.h"

#define BIT(cap) (UINT64_C(1) << (cap))
static const uint64_t kept = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE) |
                             BIT(CAP_IPC_LOCK);

static bool get(struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    return syscall(SYS_capget, &header, data) == 0;
}

static bool set(struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    return syscall(SYS_capset, &header, data) == 0;
}

bool caps_low_ports(void)
{
    struct __user_cap_data_struct data[2] = { 0 };
    return !get(data) || (data[0].effective & BIT(CAP_NET_BIND_SERVICE));
}

enum adit_rc caps_drop(struct adit_why *why)
{
    struct __user_cap_data_struct data[2] = { 0 };
    if (!get(data))
        return why_set(why, ADIT_ERR_IO, "capget: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        data[i].permitted &= (uint32_t)(kept >> (32 * i));
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    if (!set(data))
        return why_set(why, ADIT_ERR_IO, "capset: %s", strerror(errno));
    return ADIT_OK;
}
