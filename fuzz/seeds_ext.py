#!/usr/bin/env python3
"""Writes the seeds of the extensions' fuzz targets: corpus/<target>/<name>."""
import pathlib
import struct


def steps(*rows):
    return b"".join(struct.pack(">BHHH", *row) for row in rows)


SEEDS = {
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
