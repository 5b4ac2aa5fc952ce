#!/usr/bin/env python3
"""Writes the seeds of the extensions' fuzz targets: corpus/<target>/<name>."""
import pathlib
import struct


def steps(*rows):
    return b"".join(struct.pack(">BHHH", *row) for row in rows)


def announced(cas, *rows):
    """Rows: method and what follows it."""
    return bytes([cas]) + b"".join(bytes([2 + len(rest), method]) + rest for method, rest in rows)


ED25519 = bytes.fromhex("300506032b6570")
ECDSA384 = bytes.fromhex("300a06082a8648ce3d040303")
MLDSA65 = bytes.fromhex("300b0609608648016503040312")
PKCS1_256 = bytes.fromhex("300d06092a864886f70d01010b0500")

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
    "ppk_id": {
        "fixed": b"\2berlin-2026",
        "opaque": b"\1\0\1\2\3",
        "type_only": b"\2",
        "private_type": b"\x80x",
        "longest": b"\2" + 255 * b"x",
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
