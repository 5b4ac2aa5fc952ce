#!/usr/bin/env python3
"""Writes the seeds of the room esp's fuzz targets: corpus/<target>/<name>."""
import pathlib
import struct

UDP4 = "4500 0020 0001 0000 4011 b6c9 c0000201 c6336402 1000 0035 000c 0000 61626364"
UDP6 = "60000000 000c 11 40 20010db8000000000000000000000001 20010db8000000000000000000000002 10000035000c9e3f61626364"
TCP4 = "4500 00{n:02x} {id:04x} 4000 4006 0000 c0000201 c6336402 1000 0050 {seq:08x} 00000001 5010 01f4 0000 0000 {data}"
TCP6 = ("60000000 00{n:02x} 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
        "1000 0050 {seq:08x} 00000001 5010 01f4 0000 0000 {data}")
BIGUDP = "4500 00{n:02x} {id:04x} 4000 4011 0000 c0000201 c6336402 1000 0035 00{u:02x} 0000 {data}"
ERROR4 = ("4500 0038 0001 0000 4001 0000 ac100001 c6336402 0304 0000 0000 0578"
          "4500 0020 0001 0000 4011 b6c9 c6336402 c0000201 0035 1000 000c 0000")


def tcp4(seq, ident, n):
    return TCP4.format(n=40 + n, id=ident, seq=seq, data="61" * n)


def tcp6(seq, n):
    return TCP6.format(n=20 + n, seq=seq, data="62" * n)


def udp4(ident, n):
    return BIGUDP.format(n=28 + n, id=ident, u=8 + n, data="63" * n)


def two(how, size, a, b):
    first = bytes.fromhex(a.replace(" ", ""))
    return bytes([how]) + struct.pack(">HH", size, len(first)) + first + bytes.fromhex(b.replace(" ", ""))


def steps(size, extended, start, *deltas):
    return struct.pack(">HBQ", size - 1, extended, start) + b"".join((d & 0xffffff).to_bytes(3, "big") for d in deltas)


def opened(suite, options, tos, plain):
    return bytes([suite, options, tos]) + bytes.fromhex(plain.replace(" ", ""))


def payloads(how, *steps):
    """(distance from the expected number + 16, ticks, payload in hexadecimal)"""
    out = bytes([how])
    for distance, ticks, text in steps:
        p = bytes.fromhex(text.replace(" ", ""))
        out += struct.pack(">BBH", distance, ticks, len(p)) + p
    return out


INNER4 = "45000020" + "61" * 28
INNER6 = "6000000000080000" + "62" * 40

SEEDS = {
    "agg_in": {
        "whole": payloads(3, (16, 0, "00000000" + INNER4 + INNER6 + "00" * 9)),
        "cut": payloads(3, (16, 0, "00000000" + INNER4[:20]), (16, 0, "00000016" + INNER4[20:] + INNER4)),
        "cut_in_length": payloads(3, (16, 0, "00000000" + INNER6[:8]), (16, 0, "0000002c" + INNER6[8:])),
        "pads": payloads(3, (16, 0, "00000000" + INNER4[:20]), (16, 0, "00000000 00000000"), (16, 0, "00000016" + INNER4[20:])),
        "reordered": payloads(8, (17, 0, "00000016" + INNER4[20:]), (16, 0, "00000000" + INNER4[:20])),
        "lost": payloads(3, (16, 0, "00000000" + INNER4[:20]), (19, 5, "00000000" + INNER4), (16, 9, "00000000" + INNER4)),
        "late": payloads(2, (18, 11, "00000000" + INNER4), (18, 11, "00000000" + INNER6), (15, 1, "00000000" + INNER4)),
        "congestion_control": payloads(3, (16, 0, "01000000" + "00" * 20 + INNER4 + INNER4[:8]), (16, 0, "0100001c" + "00" * 20 + INNER4[8:])),
        "whole_only": payloads(0x83, (16, 0, "00000000" + INNER4 + INNER4[:8]), (16, 0, "0000001c" + INNER4[8:])),
        "lies": payloads(3, (16, 0, "00000000 45000001 00"), (16, 0, "0000ffff 45"), (16, 0, "00000000 60000000ffff"), (16, 0, "07")),
    },
    "esp_open": {
        "tunnel4": opened(0, 0, 0, UDP4 + "0102 0204"),
        "tunnel6": opened(1, 2, 0, UDP6 + "0102 0229"),
        "traffic_padding": opened(2, 0, 3, UDP4 + "00" * 20 + "0102 0204"),
        "dummy": opened(3, 0, 0, "ff" * 12 + "0102 023b"),
        "cbc": opened(4, 2, 0, UDP4 + "0102030405060708090a0b0c0d0e 0e04"),
        "transport": opened(0, 1, 0, "1000 0035 000c 0000 61626364 0102 0211"),
        "transport6": opened(5, 9, 2, "1000 0035 000c 9e3f 61626364 0102 0211"),
        "translated": opened(0, 33, 0, "1000 0050 00000001 00000001 5010 01f4 1234 0000 0102 0206"),
        "narrow": opened(0, 16, 0, UDP4 + "0102 0204"),
        "icmp_error": opened(0, 16, 0, ERROR4 + "0102 0204"),
        "forged": opened(0, 4, 0, "00000001 0000000000000001" + "aa" * 40),
        "no_window": opened(0, 64, 0, UDP4 + "0102 0204"),
    },
    "gso": {
        "tcp4": two(0x14, 10, tcp4(1, 7, 35), ""),
        "tcp6": two(0x15, 10, tcp6(1, 35), ""),
        "udp": two(0x16, 10, udp4(7, 35), ""),
        "join_tcp4": two(0x10, 20, tcp4(1, 7, 20), tcp4(21, 8, 20)),
        "join_tcp6": two(0x11, 20, tcp6(0xfffffff0, 20), tcp6(4, 11)),
        "join_udp": two(0x12, 20, udp4(1, 20), udp4(2, 9)),
    },
    "replay": {
        "order": steps(64, 0, 0, 1, 1, 1, 0, -1, 1),
        "edges": steps(64, 0, 1000, -63, -64, -65, 1, -63, -64, 64, -1, -63, 65, -64),
        "wrap": steps(4096, 1, 0x1ffffff00, 200, 100, -200, -4095, 1, 4096, -4095, 8000),
        "jump": steps(100, 1, 5, 0x7fffff, -99, -100, 0x7fffff),
    },
}

for target, files in SEEDS.items():
    folder = pathlib.Path(__file__).parent / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, octets in files.items():
        (folder / name).write_bytes(octets)
