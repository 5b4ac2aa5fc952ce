#!/usr/bin/env python3
"""Writes the seeds of the room dp's fuzz target: corpus/xfrm/<name>, messages of the kernel's (linux/xfrm.h, x86-64)."""
import pathlib
import socket
import struct

V4, V6 = socket.inet_aton("192.0.2.1").ljust(16, b"\0"), socket.inet_pton(socket.AF_INET6, "2001:db8::1")


def attr(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def message(kind, body):
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def selector(family):
    return V4 + V4 + bytes(8) + struct.pack("=HBBBxxxiI", family, 32, 32, 6, 0, 0)


def ident(addr):
    return addr + struct.pack(">I", 0xC0FFEE01) + struct.pack("=Bxxx", 50)


def state(addr, family):
    life = struct.pack("=8Q", *[2**64 - 1] * 4, 0, 0, 0, 0) + struct.pack("=4Q", 1000, 10, 1, 2)
    info = selector(family) + ident(addr) + addr + life + struct.pack("=3I", 0, 1, 2) + struct.pack("=IIHBBB", 0, 7, family, 1, 0, 128)
    return info.ljust(224, b"\0")


def aead():
    return attr(18, b"rfc4106(gcm(aes))".ljust(64, b"\0") + struct.pack("=II", 288, 128) + bytes(range(36)))


def window():
    return attr(23, struct.pack("=6I", 2, 5, 6, 0, 0, 64) + bytes(8))


SEEDS = {
    "state4": message(0x10, state(V4, 2) + aead() + window() + attr(15, struct.pack("=Q", 1700000000)) + attr(35, b"\1\0\0\0")),
    "state6": message(0x10, state(V6, 10) + aead() + attr(4, struct.pack("=HHH", 2, 4500, 4500) + bytes(18)) + window()),
    "acquire": message(0x17, ident(V4) + V4 + selector(2) + selector(2) + bytes(112) + bytes(16) + attr(5, bytes(64)) + attr(35, bytes(4))),
    "soft": message(0x18, state(V4, 2) + bytes(8)),
    "hard": message(0x18, state(V6, 10) + b"\1" + bytes(7)),
    "mapping": message(0x26, V4 + struct.pack(">I", 9) + struct.pack("=HBx", 2, 50) + bytes(4) + V4 + V4 + bytes(4)),
}

if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "corpus/xfrm"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)
