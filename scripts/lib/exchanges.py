"""What IKE said on the wire: one line an exchange, with datagrams, octets and time, from a capture (pcap, Ethernet).

  exchanges.py FILE INITIATOR_ADDRESS
"""
import socket
import struct
import sys

NAMES = {34: 'IKE_SA_INIT', 35: 'IKE_AUTH', 36: 'CREATE_CHILD_SA', 37: 'INFORMATIONAL', 43: 'IKE_INTERMEDIATE',
         44: 'IKE_FOLLOWUP_KE'}


def packets(path):
    data = open(path, 'rb').read()
    nano = struct.unpack('<I', data[:4])[0] == 0xa1b23c4d
    at = 24
    while at + 16 <= len(data):
        sec, frac, n, _ = struct.unpack('<IIII', data[at:at + 16])
        yield sec + frac / (1e9 if nano else 1e6), data[at + 16:at + 16 + n]
        at += 16 + n


def ike_of(frame):
    """(source address, IKE message) or None; IPv4 only"""
    if len(frame) < 42 or frame[12:14] != b'\x08\x00' or frame[23] != 17:
        return None
    head = 14 + (frame[14] & 15) * 4
    sport, dport = struct.unpack('!HH', frame[head:head + 4])
    body = frame[head + 8:]
    if 4500 in (sport, dport):
        if body[:4] != bytes(4):
            return None
        body = body[4:]
    elif 500 not in (sport, dport):
        return None
    return (socket.inet_ntoa(frame[26:30]), body) if len(body) >= 28 else None


def main(path, initiator):
    order, rows = [], {}
    for when, frame in packets(path):
        found = ike_of(frame)
        if not found:
            continue
        source, body = found
        kind, flags, msgid = body[18], body[19], struct.unpack('!I', body[20:24])[0]
        key = (body[:8], kind, msgid, (source == initiator) != bool(flags & 0x20))
        if key not in rows:
            order.append(key)
            rows[key] = {'start': when, 'end': when, 'n': [0, 0], 'octets': [0, 0]}
        row = rows[key]
        response = 1 if flags & 0x20 else 0
        row['n'][response] += 1
        row['octets'][response] += len(body)
        row['end'] = when
    print(f"  {'exchange':18} {'request':>22} {'response':>22} {'time':>9}")
    for key in order:
        r = rows[key]
        cell = [f"{r['octets'][i]} octets in {r['n'][i]}" for i in (0, 1)]
        print(f"  {NAMES.get(key[1], key[1]):18} {cell[0]:>22} {cell[1]:>22} {(r['end'] - r['start']) * 1000:6.2f} ms")


main(sys.argv[1], sys.argv[2])
