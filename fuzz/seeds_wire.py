#!/usr/bin/env python3
"""Writes the seeds of the room wire's fuzz targets: corpus/<target>/<name>."""
import pathlib

V6 = "20010db8000000000000000000000001 20010db8000000000000000000000002 "
GCM, PRF, DH, KEM = ("0300000c 01000014 800e0100 ", "03000008 02000005 ", "03000008 0400001f ", "00000008 06000024 ")
SA_INIT = "0000002c 01010004 " + GCM + PRF + DH + KEM
SA_ESP = "00000020 01030402 c0ffee01 " + GCM + "00000008 05000001 "
TS4, TS6 = "0706 0010 0050 0050 0a000000 0a0000ff ", "0800 0028 0000 ffff " + V6
INNER4 = "45000030000140003e115080c0000201c633640704570035001c41206161616161616161616161616161616161616161"


def payload(kind, body):
    return (kind, bytes.fromhex(body))


def message(exchange, *payloads):
    out = b""
    for i, (kind, body) in enumerate(payloads):
        following = payloads[i + 1][0] if i + 1 < len(payloads) else 0
        out += bytes([following, 0]) + (len(body) + 4).to_bytes(2, "big") + body
    first = payloads[0][0] if payloads else 0
    head = bytes(range(1, 17)) + bytes([first, 0x20, exchange, 8]) + bytes(4) + (28 + len(out)).to_bytes(4, "big")
    return (head + out).hex()


SEEDS = {
    "sa_payload": {
        "ike": SA_INIT,
        "esp": SA_ESP,
        "two": "02" + SA_INIT[2:] + SA_INIT.replace("0101", "0201", 1),
        "unknown": "00000022 01010002 0300000d 01000014 40000001 99 00000008 f1000001",
        "rekey": "00000018 01010801 0102030405060708 00000008 0400001f",
    },
    "ts_payload": {
        "v4": "01000000" + TS4,
        "both": "02000000" + TS4 + TS6,
        "label": "02000000 0a000008 61626364" + TS4,
        "opaque": "01000000 0711 0010 ffff 0000 0a000000 0a000000",
    },
    "id_payload": {
        "fqdn": "02000000" + b"moon.example".hex(),
        "v4": "01000000 c0000201",
        "v6": "05000000" + V6[:32],
        "null": "0d000000",
        "dn": "09000000 300d310b30090603550406130243 48",
    },
    "notify": {
        "plain": "00004018",
        "cookie": "00004006 0102030405060708",
        "rekey": "03044009 c0ffee01",
        "spi8": "01084009 0102030405060708",
    },
    "tcpframe": {
        "ike": b"IKETCP".hex() + "000a 00000000 01020304",
        "esp": b"IKETCP".hex() + "000a c0ffee01 00000001 0003 ff 0002",
        "answer": "0006 00000000 0004 c0ff",
    },
    "delete": {"ike": "01000000", "esp": "03040002 00000100 c0ffee01", "other": "c8020001 0001"},
    "cert": {
        "x509": "04 3082010a02820101",
        "auth": "0e000000 0c300a06082a8648ce3d040302 3045",
        "ke": "00240000" + "55" * 32,
        "nonce": "aa" * 32,
        "fragment": "00010003",
    },
    "ip": {
        "v4_udp": "45b90021123440003f113ca3c0000201c633640704570035000dcb3968656c6c6f",
        "v4_syn": "450000340001000040068e87c0000201c63364079c4001bb000000000000000080022000c5da0000"
                  "020405b40402010303070000",
        "v4_options": "48000029000100004001ec8bc0000201c633640794040000070704000000000008007fff0000000078",
        "v4_fragment": "4500001c000720b940116dd5c0000201c63364076162636465666768",
        "v4_error": "45c0004c000000004001f4f1c00002fec00002010304e3c70000059e" + INNER4,
        "v6_tcp": "62eabcde0016060920010db800000000000000000000000120010db8ffff00000000000000000002000500060000"
                  "000000000000501020 00b9d800007a7a",
        "v6_chain": "6000000000480040" + V6 + "3c00010400000000 2b00010400000000 2c02000000000000"
                    "20010db8000000000000000000000009 3c000001deadbeef 1100010400000000"
                    "000700080010d3753132333435363738",
        "v6_later": "6000000000102c40" + V6 + "110005a8deadbeef3132333435363738",
        "v6_echo": "60000000000b3a40" + V6 + "80005fdf00010002616263",
        "v6_error": "60000000003a3a4020010db80000000000000000000000fe20010db800000000000000000000000102002a9000000592"
                    "60000000000a110920010db800000000000000000000000120010db8ffff000000000000000000020005000600"
                    "0a29e07a7a",
        "v6_esp": "60000000000c3240" + V6 + "0102030400000005aabbccdd",
    },
    "cp": {
        "request": "01000000 00010000 00080000 00030000 00190000",
        "reply": "02000000 00010004 0a090001 00080011 fd090000000000000000000000000001 80 00030004 0a020035"
                 "000d0008 0a020000 ffff0000 000f0011 fd000000000000000000000000000000 08",
        "split_dns": "02000000 0019000c 636f72702e6578616d706c65 001a0008 aa1b0801 42363232",
        "reserved": "01ffffff 80010000",
        "cut": "02000000 00010004 0a0900",
        "set": "03000000 00070004 41646974",
    },
    "ike_payload": {
        "init": message(34, payload(33, SA_INIT), payload(34, "001f0000" + "55" * 32), payload(40, "aa" * 32),
                        payload(41, "00004004" + "11" * 20), payload(43, "0102")),
        "auth": message(35, payload(35, "02000000 6d6f6f6e"), payload(37, "04 3082"), payload(38, "04" + "22" * 20),
                        payload(39, "02000000" + "33" * 32), payload(33, SA_ESP), payload(44, "01000000" + TS4),
                        payload(45, "01000000" + TS6)),
        "informational": message(37, payload(42, "03040001 c0ffee01"), payload(41, "00004000")),
        "protected": message(35, payload(46, "0102030405060708" + "99" * 24)),
        "fragment": message(35, payload(53, "00010002 0102030405060708" + "99" * 24)),
        "critical": message(34, payload(40, "aa" * 16), payload(200, "01")),
        "empty": message(37),
    },
}

for target, files in SEEDS.items():
    folder = pathlib.Path(__file__).parent / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(bytes.fromhex(text.replace(" ", "")))
