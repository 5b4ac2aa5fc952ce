/* steer.c - which queue of a TUN device takes a packet: a program in the kernel that hashes the addresses and ports of its
 * flow, the same for both directions. Without it the kernel follows the queue on which the last packet of the flow was
 * written; when a peer sends everything by one Child SA, all flows end up on one worker and stay there. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/span.h"
#include "net/net.h"

#ifndef TUNSETSTEERINGEBPF
#define TUNSETSTEERINGEBPF _IOR('T', 224, int)
#endif

enum { R0 = BPF_REG_0, CTX = BPF_REG_6 /* where loads of packet octets look for it */, HASH = BPF_REG_7,
       PORTS = BPF_REG_8 /* offset */, PROTO = BPF_REG_9 };

#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SET(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define XOR(d, s) INSN(BPF_ALU64 | BPF_XOR | BPF_X, d, s, 0, 0)
#define OP(op, d, i) INSN(BPF_ALU | (op) | BPF_K, d, 0, 0, i)
#define LOAD(size, at) INSN(BPF_LD | BPF_ABS | (size), 0, 0, 0, at) /* to R0; beyond the end: the program returns 0 */
#define LOAD_PORT(at) INSN(BPF_LD | BPF_IND | BPF_H, 0, PORTS, 0, at)
#define IF_EQ(d, i, skip) INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, skip, i)
#define SKIP(n) INSN(BPF_JMP | BPF_JA, 0, 0, n, 0)
#define LOAD_XOR(at) LOAD(BPF_W, at), XOR(HASH, R0)

static const struct bpf_insn by_flow[] = {
    MOV(CTX, BPF_REG_1),
    SET(HASH, 0),
    LOAD(BPF_B, 0),
    MOV(PORTS, R0),
    OP(BPF_RSH, R0, 4),
    IF_EQ(R0, 6, 12), /* IPv6 */
    LOAD_XOR(12),
    LOAD_XOR(16),
    LOAD(BPF_B, 9),
    MOV(PROTO, R0),
    OP(BPF_AND, PORTS, 15),
    OP(BPF_LSH, PORTS, 2),
    LOAD(BPF_H, 6), /* fragments go where all others of their packet go: by addresses alone */
    OP(BPF_AND, R0, 0x3fff),
    IF_EQ(R0, 0, 20),
    SKIP(26),
    LOAD(BPF_B, 6), /* --- here after 12 */
    MOV(PROTO, R0),
    SET(PORTS, 40),
    LOAD_XOR(8), LOAD_XOR(12), LOAD_XOR(16), LOAD_XOR(20),
    LOAD_XOR(24), LOAD_XOR(28), LOAD_XOR(32), LOAD_XOR(36),
    IF_EQ(PROTO, 6, 2), /* --- here after 20: TCP */
    IF_EQ(PROTO, 17, 1),
    SKIP(4),
    LOAD_PORT(0), XOR(HASH, R0),
    LOAD_PORT(2), XOR(HASH, R0),
    OP(BPF_MUL, HASH, (int)0x9e3779b1), /* --- here after 26: neighbours far apart */
    OP(BPF_RSH, HASH, 16),
    MOV(R0, HASH),
    INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
};

int net_steer_load(void)
{
    union bpf_attr a = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insns = (uint64_t)(uintptr_t)by_flow,
                         .insn_cnt = ARRAY_LEN(by_flow), .license = (uint64_t)(uintptr_t)"Apache-2.0" };
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a));
}

bool net_tun_steer(int fd, int program)
{
    return program > 0 && ioctl(fd, TUNSETSTEERINGEBPF, &program) == 0; /* the device holds it */
}
