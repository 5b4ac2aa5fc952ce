#!/usr/bin/env python3
"""Writes the seeds of the extensions' fuzz targets: corpus/<target>/<name>."""
import pathlib
import struct


def steps(*rows):
    return b"".join(struct.pack(">BHHH", *row) for row in rows)


def announced(cas, *rows):
    """Rows: method and what follows it."""
    return bytes([cas]) + b"".join(bytes([2 + len(rest), method]) + rest for method, rest in rows)


def notifies(*rows):
    """Rows: type and data; the first octet is the type of the first payload."""
    last = len(rows) - 1
    return b"\x29" + b"".join(struct.pack(">BBHBBH", 41 if i < last else 0, 0, 8 + len(data), 0, 0, kind) + data
                              for i, (kind, data) in enumerate(rows))


V4, V6 = bytes([192, 0, 2, 1]), bytes.fromhex("20010db8000000000000000000000000")
NATS4 = V4 + bytes([198, 51, 100, 2]) + struct.pack(">HH", 500, 4500)
NATS6 = V6 + V6[:-1] + b"\1" + struct.pack(">HH", 4500, 500)
ED25519 = bytes.fromhex("300506032b6570")
ECDSA384 = bytes.fromhex("300a06082a8648ce3d040303")
MLDSA65 = bytes.fromhex("300b0609608648016503040312")
PKCS1_256 = bytes.fromhex("300d06092a864886f70d01010b0500")

def text8(*parts):
    return b"".join(bytes([len(p)]) + p for p in parts)


def text16(*parts):
    return b"".join(struct.pack(">H", len(p)) + p for p in parts)


MEMO = (b"\1" + struct.pack(">14H", 20, 256, 6, 0, 0, 0, 31, 36, 0, 0, 0, 0, 0, 0) + struct.pack(">QQQ", 1, 2, 3)
        + text8(b"pre-shared key", b"pre-shared key", bytes(48), bytes(16))
        + text16(b"peer", b"\2\0\0\0a.example", b"\2\0\0\0b.example", b"\x03ppk\1\1"))

SEEDS = {
    "authlist": {
        "each_form": announced(0, (2, b""), (1, b"\0"), (14, b"\0" + ED25519)),
        "three_methods": announced(2, (2, b""), (14, b"\0" + MLDSA65), (14, b"\2" + ECDSA384)),
        "older_methods": announced(1, (9, b"\0"), (10, b"\1"), (11, b"\2"), (1, b"\0")),
        "unknown_between": announced(0, (200, b""), (14, b"\0" + PKCS1_256), (201, b"\0\1\2"), (2, b"")),
        "length_0": b"\0" + b"\2\2\0\0",
        "length_1": b"\0" + b"\1\2",
        "length_255": b"\0" + b"\xff\x0e\0\x30",
        "cut": announced(0, (14, b"\0" + ED25519))[:-1],
        "many": announced(3, *((2, b"") for _ in range(300))),
        "long": announced(255, *((14, b"\xff" + bytes(252)) for _ in range(17))),
    },
    "bundle": {
        "one": b"\0" + bytes.fromhex("3007a0053003020105"),
        "with_crl": b"\0" + bytes.fromhex("300ea0053003020105a10530030201 05".replace(" ", "")),
        "two": b"\0" + bytes.fromhex("300ea0053003020105a0053003020106"),
        "long": b"\0" + bytes.fromhex("30820104a0820100") + bytes(256),
        "indefinite": b"\0" + bytes.fromhex("3080a00530030201050000"),
        "empty": b"\0" + bytes.fromhex("3000"),
        "url": b"\1" + bytes(20) + b"http://pki.example/c/0123456789abcdef",
        "other_host": b"\1" + bytes(20) + b"http://b.example.evil/0123",
        "climbs": b"\1" + bytes(20) + b"http://pki.example/c/../d",
        "short": b"\1" + bytes(12),
    },
    "fragack": {
        "list_one": b"\1\0\x14" + bytes.fromhex("00040004"),
        "list_three": b"\1\0\x64" + bytes.fromhex("0004 0004 0007 000a 0040 0064"),
        "list_overlap": b"\1\0\x64" + bytes.fromhex("0004 0008 0007 000a"),
        "list_largest": b"\1\xff\xff" + bytes.fromhex("0001 ffff"),
        "map_all": b"\0\0\x14" + bytes.fromhex("0001 0014 fffff0"),
        "map_part": b"\0\x0b\xb8" + bytes.fromhex("0101 0120 0f0f0f0f"),
        "map_short": b"\0\0\x14" + bytes.fromhex("0001 0014 ff"),
    },
    "flight": {
        "reports": bytes.fromhex("0062 01ff 0232 00 0001 0064 ff3fffffffffffff 01ff 0232 00 0001 0064 00ff00ff00ff00ff 01ff"),
        "flood": b"\0\6" + bytes.fromhex("02ff 00 0001 0008 0000000000000000") * 12,
        "repeats": bytes.fromhex("0400 0110 00 0001 0402 ffffffff00000000 03 01ff 03 01ff 03 01ff 03 01ff"),
        "lies": bytes.fromhex("0030 00 0000 0005 0000000000000000 00 0005 0001 0000000000000000 00 0001 ffff 0000000000000000"),
    },
    "ppk_id": {
        "fixed": b"\2berlin-2026",
        "opaque": b"\1\0\1\2\3",
        "type_only": b"\2",
        "private_type": b"\x80x",
        "longest": b"\2" + 255 * b"x",
    },
    "redir": {
        "ipv4": b"\1\4" + V4,
        "ipv4_nonce": b"\1\4" + V4 + 32 * b"n",
        "ipv6": b"\2\x10" + V6,
        "name": b"\3\x0agw.example",
        "name_nonce": b"\3\x0agw.example" + 16 * b"n",
        "longest": b"\3\xfd" + (b"abcdefghi." * 26)[:253] + 256 * b"n",
        "bad_name": b"\3\4a..b",
        "address_as_name": b"\3\x09192.0.2.1",
        "type_4": b"\4\4" + V4,
        "cut": b"\2\x10" + V6[:-1],
    },
    "confpay": {
        "domain": b"\x0ccorp.example\xaa\x1b\x08\x01B6225AB2",
        "root": b"\x01.\0\0\0\0AB",
        "shell": b"\x08a;rm b.c\0\0\0\0;x",
        "long": b"\x41" + 65 * b"a" + 130 * b"A",
    },
    "mobike": {
        "both_versions": notifies((16396, b""), (16397, V4), (16398, V6)),
        "wrong_lengths": notifies((16397, V6), (16398, V4), (16397, b"")),
        "none": notifies((16399, b""), (16401, b"12345678")),
        "many": notifies(*((16397, bytes([10, 0, 0, i])) for i in range(12))),
        "no_nats_v4": notifies((16400, b""), (16402, NATS4)),
        "no_nats_v6": notifies((16402, NATS6), (16397, V4)),
        "no_nats_cut": notifies((16402, NATS4[:-1])),
        "no_nats_long": notifies((16402, NATS4 + b"\0")),
    },
    "ticket": {
        "the_good_one": b"\1",
        "first_octet": b"\1\1",
        "key_id": b"\x05\xff",
        "salt": b"\x0d\0\0\x80",
        "sealed": b"\x1d\1\0\0\0\0\0\0\2",
        "icv": b"\x40\1",
        "empty": b"\0",
        "head_only": b"\0\1\0\0\x0012345678" + bytes(16),
        "another_key": b"\0\1\0\0\x00abcdefgh" + bytes(80),
    },
    "memo": {
        "whole": MEMO,
        "cut": MEMO[:-3],
        "longer": MEMO + b"\0",
        "version": b"\2" + MEMO[1:],
        "lengths": MEMO[:53] + b"\xff" + MEMO[54:],
    },
    "reassemble": {
        "in_order": steps((0, 1, 3, 10), (0, 2, 3, 10), (0, 3, 3, 4)),
        "backwards_with_duplicates": steps((0, 3, 3, 4), (0, 3, 3, 4), (0, 2, 3, 9), (0, 3, 3, 1), (0, 1, 3, 10)),
        "total_grows": steps((0, 1, 2, 10), (0, 2, 4, 3), (0, 2, 2, 10), (0, 1, 4, 3), (0, 3, 4, 3), (0, 4, 4, 2)),
        "contradictions": steps((0, 0, 0, 1), (0, 0, 3, 1), (0, 4, 3, 1), (0, 1, 0, 1), (0, 1, 257, 1)),
        "newer_message": steps((0, 1, 3, 10), (1, 2, 2, 5), (1, 1, 2, 5), (8, 1, 1, 0), (4, 1, 1, 7)),
        "too_long": steps((0, 1, 3, 30000), (0, 2, 3, 30000), (0, 3, 3, 5536), (0, 1, 2, 65535), (0, 2, 2, 0)),
        "most_fragments": steps(*((2, i + 1, 256, 3) for i in range(256))),
    },
}

for target, seeds in SEEDS.items():
    folder = pathlib.Path(__file__).parent / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)
