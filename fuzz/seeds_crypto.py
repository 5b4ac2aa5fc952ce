#!/usr/bin/env python3
"""Writes the seeds of fuzz_ke: corpus/ke/<method>-<direction>. The first octet is the method's place in `adit list-algs`."""
import pathlib

METHODS = {"x25519": 0, "x448": 1, "mlkem768": 2, "ecp256": 5, "modp2048": 13, "frodo640": 22, "x25519mlkem768": 44,
           "ecp256mlkem768": 45, "ecp384mlkem1024": 46}
folder = pathlib.Path(__file__).parent / "corpus" / "ke"
folder.mkdir(parents=True, exist_ok=True)
for name, place in METHODS.items():
    for direction, flags in (("request", 0), ("response", 1), ("short", 2)):
        body = bytes((7 * k + place) & 0x7F for k in range(40))
        (folder / f"{name}-{direction}").write_bytes(bytes([place, flags]) + body)
