"""A counted stream of UDP datagrams: what was sent, what arrived, what was lost, doubled or out of order.

  udp_stream.py receive ADDRESS PORT             until a datagram says it was the last (or nothing comes for 3 s)
  udp_stream.py send FROM TO PORT COUNT PER_SECOND OCTETS

The receiver prints one line: received lost doubled reordered longest_gap_ms
"""
import socket
import struct
import sys
import time


def receive(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((address, port))
    s.settimeout(30)
    seen, doubled, reordered, top, total, gap, last = set(), 0, 0, -1, 0, 0.0, None
    try:
        while total == 0 or len(seen) < total:
            data = s.recv(65536)
            s.settimeout(3)
            now = time.monotonic()
            number, of = struct.unpack('!II', data[:8])
            total = max(total, of)
            gap = max(gap, now - last if last else 0)
            last = now
            doubled += number in seen
            reordered += number < top
            seen.add(number)
            top = max(top, number)
    except TimeoutError:
        pass
    print(len(seen), total - len(seen), doubled, reordered, round(gap * 1000), flush=True)


def send(source, to, port, count, per_second, octets):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((source, 0))
    start = time.monotonic()
    fill = bytes(max(octets - 8, 0))
    for number in range(count):
        wait = start + number / per_second - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        s.sendto(struct.pack('!II', number, count) + fill, (to, port))


if __name__ == '__main__':
    if sys.argv[1] == 'receive':
        receive(sys.argv[2], int(sys.argv[3]))
    else:
        send(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:8]))
